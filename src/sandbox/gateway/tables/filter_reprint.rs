//! The manners in which a device writes a filter back, beyond its layout.
//!
//! Printed samples show each comparison in parentheses of its own, `AND` and `OR` in capitals, double quotes and sizes in bytes. The other
//! manners follow from what the language says is the same.

use std::fmt::Write as _;

use super::filter_script::{Condition, Script, Statement, Value};

/// Says how a filter is written back. By default as it is kept.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent manner")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reprint {
    /// Each comparison and each condition stands in parentheses of its own.
    pub parentheses: bool,
    /// `AND`, `OR`, `NOT`, and the other keywords, are in capitals.
    pub capitals: bool,
    /// Single quotes where the text allows it, with what is in them escaped again.
    pub single_quotes: bool,
    /// Sizes are bytes.
    pub bytes: bool,
    /// `elif` is `else { if … }`.
    pub nested: bool,
    /// Names of rules and actions are in capitals.
    pub upper_names: bool,
    /// Names have underscores.
    pub underscores: bool,
    /// Everything stands on one line.
    pub one_line: bool,
}

impl Reprint {
    /// Gives each manner alone, with its name.
    pub fn each() -> Vec<(&'static str, Reprint)> {
        let none = Reprint::default();
        vec![
            ("parentheses", Reprint { parentheses: true, ..none }),
            ("capitals", Reprint { capitals: true, ..none }),
            ("single quotes", Reprint { single_quotes: true, ..none }),
            ("bytes", Reprint { bytes: true, ..none }),
            ("nested", Reprint { nested: true, ..none }),
            ("upper names", Reprint { upper_names: true, ..none }),
            ("underscores", Reprint { underscores: true, ..none }),
            ("one line", Reprint { one_line: true, ..none }),
        ]
    }

    /// Gives all manners together.
    pub fn all() -> Reprint {
        Reprint {
            parentheses: true,
            capitals: true,
            single_quotes: true,
            bytes: true,
            nested: true,
            upper_names: true,
            underscores: true,
            one_line: true,
        }
    }

    /// Writes the text of a filter in this manner.
    pub fn body(self, body: &str) -> String {
        let scripts = Script::parse(&format!("filter: {body}")).unwrap_or_default();
        let Some(script) = scripts.first().filter(|_| self != Reprint::default()) else { return body.to_owned() };
        let mut text = String::new();
        self.statement(&script.statement, 0, &mut text);
        if self.one_line {
            text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
        } else {
            text.trim_end().to_owned()
        }
    }

    fn keyword(self, word: &str) -> String {
        if self.capitals { word.to_ascii_uppercase() } else { word.to_owned() }
    }

    fn name(self, name: &str) -> String {
        let name = if self.underscores { name.replace('-', "_") } else { name.to_owned() };
        if self.upper_names { name.to_ascii_uppercase() } else { name }
    }

    fn statement(self, statement: &Statement, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        match statement {
            Statement::Action(name, arguments) => {
                let _ = writeln!(text, "{indent}{} ({});", self.name(name), self.values(arguments));
            }
            Statement::If(branches, otherwise) => {
                for (number, (condition, block)) in branches.iter().enumerate() {
                    if number > 0 && self.nested {
                        let rest = Statement::If(branches.iter().skip(number).cloned().collect(), otherwise.clone());
                        let _ = writeln!(text, "{indent}{} {{", self.keyword("else"));
                        self.statement(&rest, depth + 1, text);
                        let _ = writeln!(text, "{indent}}}");
                        return;
                    }
                    let word = if number == 0 { "if" } else { "elif" };
                    let _ = writeln!(text, "{indent}{} {}", self.keyword(word), self.whole(condition));
                    self.block(block, depth, text);
                }
                if let Some(block) = otherwise {
                    let _ = writeln!(text, "{indent}{}", self.keyword("else"));
                    self.block(block, depth, text);
                }
            }
        }
    }

    fn block(self, block: &[Statement], depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        let _ = writeln!(text, "{indent}{{");
        for statement in block {
            self.statement(statement, depth + 1, text);
        }
        let _ = writeln!(text, "{indent}}}");
    }

    fn whole(self, condition: &Condition) -> String {
        let text = self.condition(condition);
        if self.parentheses { format!("({text})") } else { text }
    }

    fn condition(self, condition: &Condition) -> String {
        let joined = |parts: &[Condition], word: &str| {
            let part = |part: &Condition| match part {
                Condition::And(_) | Condition::Or(_) => format!("({})", self.condition(part)),
                other => self.condition(other),
            };
            parts.iter().map(part).collect::<Vec<_>>().join(&format!(" {} ", self.keyword(word)))
        };
        match condition {
            Condition::And(parts) => joined(parts, "and"),
            Condition::Or(parts) => joined(parts, "or"),
            Condition::Not(part) => format!("{} ({})", self.keyword("not"), self.condition(part)),
            Condition::Rule { name, arguments, comparison } => {
                let arguments = arguments.as_ref().map_or_else(String::new, |values| format!("({})", self.values(values)));
                let comparison =
                    comparison.as_ref().map_or_else(String::new, |(sign, value)| format!(" {sign} {}", self.value(value)));
                let text = format!("{}{arguments}{comparison}", self.name(name));
                if self.parentheses { format!("({text})") } else { text }
            }
        }
    }

    fn values(self, values: &[Value]) -> String {
        values.iter().map(|value| self.value(value)).collect::<Vec<_>>().join(", ")
    }

    fn value(self, value: &Value) -> String {
        match value {
            Value::Quoted(text) => self.quoted(text),
            Value::Bare(word) if self.bytes => in_bytes(word).unwrap_or_else(|| word.clone()),
            Value::Bare(word) => word.clone(),
            Value::List(values) => format!("[{}]", self.values(values)),
            Value::Compared(one, sign, other) => format!("{} {sign} {}", self.value(one), self.value(other)),
        }
    }

    /// What stands between the quotes is as it was typed.
    fn quoted(self, typed: &str) -> String {
        let mut plain = String::new();
        let mut letters = typed.chars().peekable();
        while let Some(letter) = letters.next() {
            match letters.peek() {
                Some(next @ ('"' | '\'')) if letter == '\\' => {
                    plain.push(*next);
                    letters.next();
                }
                Some('\\') if letter == '\\' => {
                    plain.push_str("\\\\");
                    letters.next();
                }
                _ => plain.push(letter),
            }
        }
        let quote = if self.single_quotes { '\'' } else { '"' };
        let inside = plain.replace(quote, &format!("\\{quote}"));
        format!("{quote}{inside}{quote}")
    }
}

/// A size with its unit, in bytes.
fn in_bytes(word: &str) -> Option<String> {
    let (digits, factor) = match word.as_bytes().last()? {
        b'b' => (word.trim_end_matches('b'), 1),
        b'k' | b'K' => (word.trim_end_matches(['k', 'K']), 1 << 10),
        b'm' | b'M' => (word.trim_end_matches(['m', 'M']), 1 << 20),
        b'g' | b'G' => (word.trim_end_matches(['g', 'G']), 1 << 30),
        _ => return None,
    };
    Some((digits.parse::<u64>().ok()? * factor).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_manner_is_written() {
        let body = "if (recv-listener == \"A\" or body-size > 100k) and not spf-passed { drop(); } elif true { bcc(\"a'b\"); } else { bounce(); }";
        let check = |manner: Reprint, wanted: &[&str]| {
            let text = manner.body(body);
            assert!(wanted.iter().all(|part| text.contains(part)), "{text}");
            assert!(Script::parse(&format!("f: {text}")).is_ok(), "{text}");
        };
        let none = Reprint::default();
        check(Reprint { parentheses: true, ..none }, &["((recv-listener == \"A\") or (body-size > 100k))"]);
        check(Reprint { capitals: true, ..none }, &["IF ", " OR ", " AND NOT ", "ELIF", "ELSE"]);
        check(Reprint { single_quotes: true, ..none }, &["'A'", "'a\\'b'"]);
        check(Reprint { bytes: true, ..none }, &["body-size > 102400"]);
        check(Reprint { nested: true, ..none }, &["else {\n  if true"]);
        check(Reprint { upper_names: true, underscores: true, ..none }, &["RECV_LISTENER", "DROP ()"]);
        check(Reprint::all(), &["((RECV_LISTENER == 'A') OR (BODY_SIZE > 102400))"]);
        assert!(!Reprint::all().body(body).contains('\n'));
    }
}
