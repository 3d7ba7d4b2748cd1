//! Configuration as text, laid out as `terraform fmt` does.

use hcl_edit::expr::{Array, Expression, FuncArgs, FuncCall, FuncName, Traversal, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Body};
use hcl_edit::template::{Element, HeredocTemplate, Interpolation, StringTemplate, Template};
use hcl_edit::{Decorate as _, Decorated, Ident};

use crate::value::Value;

/// What stands between two braces, or in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// `name = …`
    Argument(String, Term),
    /// `name "label" { … }`
    Block(String, Vec<String>, Vec<Line>),
    /// `# …`, about what follows.
    Comment(String),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// A literal.
    Literal(Value),
    /// `var.x`, `mailflow_y.z.name`.
    Reference(Vec<String>),
    /// A text with expressions in it.
    Text(Vec<Part>),
    /// A text of several lines that ends with a line break, laid out line by line.
    Lines(Vec<Part>),
    /// `provider::x::y(…)`.
    Call(Vec<String>, Vec<Term>),
    /// A list or a set.
    List(Vec<Term>),
    /// An object with one text in it.
    Object(&'static str, String),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// As it stands.
    Plain(String),
    /// What an expression gives.
    Of(Vec<String>),
    /// What a sensitive expression gives, in an argument that is not sensitive: Terraform takes a change of that for a change of the object.
    Open(Vec<String>),
}

impl Term {
    /// A sensitive expression in an argument that is not sensitive.
    pub(super) fn open(steps: &[String]) -> Term {
        Term::Call(vec!["nonsensitive".to_owned()], vec![Term::Reference(steps.to_vec())])
    }
}

/// Writes a file, block by block: a file may have ten thousand of them, and their trees are large.
pub(super) fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for block in lines.split_inclusive(|line| matches!(line, Line::Block(..))) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&body(block, 0).to_string());
    }
    text
}

fn body(lines: &[Line], depth: usize) -> Body {
    let indent = "  ".repeat(depth);
    let mut body = Body::new();
    let mut widest = 0;
    let mut comments = String::new();
    for (place, line) in lines.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| lines.get(place));
        let gap = match (before, line) {
            (None | Some(Line::Comment(_)), _) | (Some(Line::Argument(..)), Line::Argument(..)) => "",
            _ => "\n",
        };
        match line {
            Line::Comment(text) => {
                comments.push_str(gap);
                for line in text.lines() {
                    comments.extend([&indent, "# ", line, "\n"]);
                }
            }
            Line::Argument(name, term) => {
                // A text over several lines, and whatever is no argument, ends a group.
                let follows_group = matches!(before, Some(Line::Argument(_, before)) if !matches!(before, Term::Lines(_)));
                if !follows_group {
                    widest = width(&lines[place..]);
                }
                let mut key = Decorated::new(Ident::new_sanitized(name));
                key.decorate(("", " ".repeat(widest.saturating_sub(name.chars().count()) + 1)));
                let attribute = Attribute::new(key, expression(term, depth));
                body.push(attribute.decorated((format!("{}{gap}{indent}", std::mem::take(&mut comments)), "")));
            }
            Line::Block(name, labels, inner) => {
                let mut block = Block::builder(Ident::new_sanitized(name)).labels(labels.iter().map(String::as_str)).build();
                block.body = self::body(inner, depth + 1);
                if inner.is_empty() {
                    block.body.set_prefer_oneline(true);
                } else {
                    block.body.decorate(("", indent.as_str()));
                }
                body.push(block.decorated((format!("{}{gap}{indent}", std::mem::take(&mut comments)), "")));
            }
        }
    }
    body
}

/// Of arguments that follow each other the signs stand below each other: the longest name of the group at the beginning of these lines.
fn width(lines: &[Line]) -> usize {
    let mut widest = 0;
    for line in lines {
        let Line::Argument(name, term) = line else { break };
        widest = widest.max(name.chars().count());
        if matches!(term, Term::Lines(_)) {
            break;
        }
    }
    widest
}

fn expression(term: &Term, depth: usize) -> Expression {
    match term {
        Term::Literal(value) => literal(value),
        Term::Reference(steps) => reference(steps),
        Term::Object(name, text) => {
            // Parsed, so that it keeps its blanks.
            let value = literal(&Value::text(text.as_str()));
            format!("{{ {name} = {value} }}").parse().unwrap_or_else(|_| Expression::null())
        }
        Term::List(terms) => Expression::Array(Array::from(terms.iter().map(|term| expression(term, depth)).collect::<Vec<_>>())),
        Term::Text(parts) => Expression::from(StringTemplate::from(elements(parts))),
        Term::Lines(parts) => {
            let delimiter = Ident::new_sanitized(delimiter(parts));
            let mut lines = HeredocTemplate::new(delimiter, Template::from(elements(parts)));
            lines.set_indent(2 * depth + 2);
            lines.set_trailing("  ".repeat(depth));
            Expression::from(lines)
        }
        Term::Call(name, arguments) => {
            let mut steps = name.iter().map(Ident::new_sanitized);
            let last = steps.next_back().unwrap_or_else(|| Ident::new("null"));
            let mut name = FuncName::new(last);
            name.set_namespace(steps);
            let mut all = FuncArgs::new();
            for argument in arguments {
                all.push(expression(argument, depth));
            }
            FuncCall::new(name, all).into()
        }
    }
}

fn elements(parts: &[Part]) -> Vec<Element> {
    let interpolation = |inner: Expression| Element::Interpolation(Interpolation::new(inner.decorated(("", ""))));
    let mut elements = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        match part {
            Part::Plain(text) => {
                // `$` right before `${` would take its meaning away.
                let plain = if matches!(parts.get(place + 1), Some(Part::Of(_) | Part::Open(_))) {
                    text.trim_end_matches('$')
                } else {
                    text
                };
                if !plain.is_empty() {
                    elements.push(Element::from(plain));
                }
                if plain.len() < text.len() {
                    elements.push(interpolation(Expression::from(&text[plain.len()..])));
                }
            }
            Part::Of(steps) => elements.push(interpolation(reference(steps))),
            Part::Open(steps) => elements.push(interpolation(expression(&Term::open(steps), 0))),
        }
    }
    elements
}

/// What ends a text of several lines: a word that is no line of it.
fn delimiter(parts: &[Part]) -> String {
    let mut delimiter = "EOT".to_owned();
    let has = |word: &str| parts.iter().any(|part| matches!(part, Part::Plain(text) if text.contains(word)));
    while has(&delimiter) {
        delimiter.push('_');
    }
    delimiter
}

fn reference(steps: &[String]) -> Expression {
    let mut steps = steps.iter().map(Ident::new_sanitized);
    let first = steps.next().unwrap_or_else(|| Ident::new("null"));
    let rest = steps.map(|step| Decorated::new(TraversalOperator::GetAttr(Decorated::new(step))));
    Traversal::new(first, rest.collect()).into()
}

fn literal(value: &Value) -> Expression {
    match value {
        Value::Bool(truth) => Expression::from(*truth),
        Value::String(text) => Expression::from(text.as_str()),
        // Exact, whatever the size: the parser of a number takes what the number prints.
        Value::Number(number) => number.to_string().parse().unwrap_or_else(|_| Expression::null()),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            Expression::Array(Array::from(items.iter().map(literal).collect::<Vec<_>>()))
        }
        // No argument of an object that stands is one of these.
        _ => Expression::null(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_below_each_other_and_blocks_apart() {
        let argument = |name: &str, value: Value| Line::Argument(name.to_owned(), Term::Literal(value));
        let steps = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let lines = [
            Line::Block(
                "resource".to_owned(),
                vec!["a_b".to_owned(), "c".to_owned()],
                vec![
                    argument("name", Value::text("quote \" ${x} \\ %{y}\nnext")),
                    argument("size_limit", Value::integer(7)),
                    Line::Argument("policy".to_owned(), Term::Reference(steps("x_y.z.name"))),
                    Line::Block("inner".to_owned(), Vec::new(), vec![argument("on", Value::Bool(true))]),
                    Line::Block(
                        "inner".to_owned(),
                        Vec::new(),
                        vec![Line::Argument(
                            "words".to_owned(),
                            Term::List(vec![
                                Term::Literal(Value::text("a")),
                                Term::Text(vec![Part::Plain("b ".to_owned()), Part::Of(steps("var.s"))]),
                                Term::Text(vec![Part::Plain("c$".to_owned()), Part::Open(steps("var.s"))]),
                            ]),
                        )],
                    ),
                ],
            ),
            Line::Block("exchange".to_owned(), Vec::new(), Vec::new()),
        ];
        let wanted = r#"resource "a_b" "c" {
  name       = "quote \" $${x} \\ %%{y}\nnext"
  size_limit = 7
  policy     = x_y.z.name

  inner {
    on = true
  }

  inner {
    words = ["a", "b ${var.s}", "c${"$"}${nonsensitive(var.s)}"]
  }
}

exchange {}
"#;
        assert_eq!(text(&lines), wanted);
    }

    #[test]
    fn a_text_of_several_lines_ends_a_group_and_is_read_back_as_it_was() {
        let steps = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let argument = |name: &str, term: Term| Line::Argument(name.to_owned(), term);
        let script = vec![
            Part::Plain("if header(\"X\") == \"^".to_owned()),
            Part::Of(steps("var.s")),
            Part::Plain("$\" {\n  log(\"${x} %{y} \\d EOT\");\n}\n".to_owned()),
        ];
        let call = Term::Call(
            steps("provider.mailflow.f"),
            vec![
                Term::Reference(steps("local.g")),
                Term::Literal(Value::text("X")),
                Term::List(vec![Term::Reference(steps("var.s"))]),
            ],
        );
        let lines = [
            Line::Comment("One.\nTwo.".to_owned()),
            Line::Block(
                "a".to_owned(),
                Vec::new(),
                vec![
                    argument("name", Term::Literal(Value::text("n"))),
                    argument("script", Term::Lines(script)),
                    argument("on", Term::Literal(Value::Bool(true))),
                    argument("made", call),
                ],
            ),
        ];
        let wanted = r#"# One.
# Two.
a {
  name   = "n"
  script = <<-EOT_
    if header("X") == "^${var.s}$" {
      log("$${x} %%{y} \d EOT");
    }
  EOT_
  on   = true
  made = provider::mailflow::f(local.g, "X", [var.s])
}
"#;
        assert_eq!(text(&lines), wanted);
    }
}
