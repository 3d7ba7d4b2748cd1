//! Configuration as text, laid out as `terraform fmt` does.

use hcl_edit::expr::{Array, Expression, Traversal, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Body};
use hcl_edit::template::{Element, Interpolation, StringTemplate};
use hcl_edit::{Decorate as _, Decorated, Ident};

use crate::value::Value;

/// What stands between two braces, or in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// `name = …`
    Argument(String, Term),
    /// `name "label" { … }`
    Block(String, Vec<String>, Vec<Line>),
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
}

/// Writes a file.
pub(super) fn text(lines: &[Line]) -> String {
    body(lines, 0).to_string()
}

fn body(lines: &[Line], depth: usize) -> Body {
    let indent = "  ".repeat(depth);
    let mut body = Body::new();
    // Of arguments that follow each other the signs stand below each other.
    let width = |from: usize| {
        let names = lines[from..].iter().map_while(|line| match line {
            Line::Argument(name, _) => Some(name.chars().count()),
            Line::Block(..) => None,
        });
        names.max().unwrap_or_default()
    };
    let mut widest = 0;
    for (place, line) in lines.iter().enumerate() {
        let follows_block = place > 0 && matches!(lines[place - 1], Line::Block(..));
        match line {
            Line::Argument(name, term) => {
                if place == 0 || follows_block {
                    widest = width(place);
                }
                let gap = if follows_block { "\n" } else { "" };
                let mut key = Decorated::new(Ident::new_sanitized(name));
                key.decorate(("", " ".repeat(widest.saturating_sub(name.chars().count()) + 1)));
                let attribute = Attribute::new(key, expression(term));
                body.push(attribute.decorated((format!("{gap}{indent}"), "")));
            }
            Line::Block(name, labels, inner) => {
                let gap = if place > 0 { "\n" } else { "" };
                let mut block = Block::builder(Ident::new_sanitized(name)).labels(labels.iter().map(String::as_str)).build();
                block.body = self::body(inner, depth + 1);
                if inner.is_empty() {
                    block.body.set_prefer_oneline(true);
                } else {
                    block.body.decorate(("", indent.as_str()));
                }
                body.push(block.decorated((format!("{gap}{indent}"), "")));
            }
        }
    }
    body
}

fn expression(term: &Term) -> Expression {
    match term {
        Term::Literal(value) => literal(value),
        Term::Reference(steps) => reference(steps),
        Term::Object(name, text) => {
            // Parsed, so that it keeps its blanks.
            let value = literal(&Value::text(text.as_str()));
            format!("{{ {name} = {value} }}").parse().unwrap_or_else(|_| Expression::null())
        }
        Term::List(terms) => Expression::Array(Array::from(terms.iter().map(expression).collect::<Vec<_>>())),
        Term::Text(parts) => {
            let parts = parts.iter().map(|part| match part {
                Part::Plain(text) => Element::from(text.as_str()),
                Part::Of(steps) => Element::Interpolation(Interpolation::new(reference(steps).decorated(("", "")))),
            });
            Expression::from(StringTemplate::from(parts.collect::<Vec<_>>()))
        }
    }
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
    words = ["a", "b ${var.s}"]
  }
}

exchange {}
"#;
        assert_eq!(text(&lines), wanted);
    }
}
