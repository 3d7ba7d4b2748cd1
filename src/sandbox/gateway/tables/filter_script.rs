//! The language of message filters: read, checked against the known rules and actions, and written back in one form.
//!
//! ```text
//! name: if (recv-listener == "IncomingMail" or size > 10M) {
//!     drop();
//! } else {
//!     insert-header("X-Seen", "yes");
//! }
//! ```
//!
//! Comment lines are dropped, quotes become double quotes where the text allows it, a condition gets its parentheses.

use std::fmt::Write as _;

use super::filter_words::{ACTIONS, RESERVED, RULES};

/// Holds one filter of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The label.
    pub name: String,
    /// False for `name!:`.
    pub active: bool,
    pub(in crate::sandbox) statement: Statement,
}

/// Names something of the configuration that a filter speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A listener.
    Listener(String),
    /// An IP interface.
    Interface(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Statement {
    /// Branches with a condition each, and what happens otherwise.
    If(Vec<(Condition, Vec<Statement>)>, Option<Vec<Statement>>),
    Action(String, Vec<Value>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Rule { name: String, arguments: Option<Vec<Value>>, comparison: Option<(String, Value)> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Value {
    /// A text in quotes, as it was typed between them.
    Quoted(String),
    Bare(String),
    /// `['a', 'b']`.
    List(Vec<Value>),
    /// `"issuer" == "x"`, as an argument of a rule.
    Compared(Box<Value>, String, Box<Value>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

impl Script {
    /// Reads a script of any number of filters, or says on which line it went wrong.
    pub fn parse(text: &str) -> Result<Vec<Script>, String> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0 };
        let mut scripts = Vec::new();
        while reader.peek().is_some() {
            scripts.push(reader.filter()?);
        }
        Ok(scripts)
    }

    /// Writes the text behind the label.
    pub fn print(&self) -> String {
        let mut text = String::new();
        self.statement.print(0, &mut text);
        text.trim_end().to_owned()
    }

    /// Lists the listeners and interfaces that the filter names.
    pub fn subjects(&self) -> Vec<Subject> {
        let mut subjects = Vec::new();
        self.statement.subjects(&mut subjects);
        subjects
    }
}

impl Value {
    /// Gives what stands between the quotes, or the word.
    pub(in crate::sandbox) fn text(&self) -> &str {
        match self {
            Value::Quoted(text) | Value::Bare(text) => text,
            Value::List(_) | Value::Compared(..) => "",
        }
    }

    fn print(&self) -> String {
        match self {
            Value::Bare(text) => text.clone(),
            Value::Quoted(text) if text.contains('"') && !text.contains("\\\"") => format!("'{text}'"),
            Value::Quoted(text) => format!("\"{text}\""),
            Value::List(values) => format!("[{}]", list(values)),
            Value::Compared(one, sign, other) => format!("{} {sign} {}", one.print(), other.print()),
        }
    }
}

fn list(values: &[Value]) -> String {
    values.iter().map(Value::print).collect::<Vec<_>>().join(", ")
}

impl Statement {
    /// Writes a statement in one piece.
    pub(in crate::sandbox) fn text(&self) -> String {
        let mut text = String::new();
        self.print(0, &mut text);
        text.trim_end().trim_end_matches(';').to_owned()
    }

    fn print(&self, depth: usize, text: &mut String) {
        let indent = "    ".repeat(depth);
        match self {
            Statement::Action(name, arguments) => {
                let _ = writeln!(text, "{indent}{name}({});", list(arguments));
            }
            Statement::If(branches, otherwise) => {
                for (number, (condition, block)) in branches.iter().enumerate() {
                    let word = if number == 0 { format!("{indent}if") } else { " elsif".into() };
                    let _ = writeln!(text, "{word} ({}) {{", condition.print(false));
                    for statement in block {
                        statement.print(depth + 1, text);
                    }
                    let _ = write!(text, "{indent}}}");
                }
                if let Some(block) = otherwise {
                    text.push_str(" else {\n");
                    for statement in block {
                        statement.print(depth + 1, text);
                    }
                    let _ = write!(text, "{indent}}}");
                }
                text.push('\n');
            }
        }
    }

    fn subjects(&self, subjects: &mut Vec<Subject>) {
        match self {
            Statement::Action(name, arguments) => {
                if let (true, Some(host)) = (matches!(name.as_str(), "alt-src-host" | "set-virtual-gateway"), arguments.first()) {
                    subjects.push(Subject::Interface(host.text().to_owned()));
                }
            }
            Statement::If(branches, otherwise) => {
                for (condition, block) in branches {
                    condition.subjects(subjects);
                    for statement in block {
                        statement.subjects(subjects);
                    }
                }
                otherwise.iter().flatten().for_each(|statement| statement.subjects(subjects));
            }
        }
    }
}

impl Condition {
    /// Writes a condition in one piece.
    pub(in crate::sandbox) fn text(&self) -> String {
        self.print(false)
    }

    fn print(&self, inside: bool) -> String {
        let joined = |parts: &[Condition], word: &str| {
            let text = parts.iter().map(|part| part.print(true)).collect::<Vec<_>>().join(word);
            if inside { format!("({text})") } else { text }
        };
        match self {
            Condition::And(parts) => joined(parts, " and "),
            Condition::Or(parts) => joined(parts, " or "),
            Condition::Not(part) => format!("not {}", part.print(true)),
            Condition::Rule { name, arguments, comparison } => {
                let arguments = arguments.as_ref().map_or_else(String::new, |values| format!("({})", list(values)));
                let comparison =
                    comparison.as_ref().map_or_else(String::new, |(sign, value)| format!(" {sign} {}", value.print()));
                format!("{name}{arguments}{comparison}")
            }
        }
    }

    fn subjects(&self, subjects: &mut Vec<Subject>) {
        match self {
            Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| part.subjects(subjects)),
            Condition::Not(part) => part.subjects(subjects),
            Condition::Rule { name, comparison: Some((_, value)), .. } => match name.as_str() {
                "recv-listener" => subjects.push(Subject::Listener(value.text().to_owned())),
                "recv-int" => subjects.push(Subject::Interface(value.text().to_owned())),
                _ => {}
            },
            Condition::Rule { .. } => {}
        }
    }
}

/// Splits a script into tokens with the number of their line.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        if line.trim_start().starts_with('#') {
            continue;
        }
        let letters: Vec<char> = line.chars().collect();
        let mut at = 0;
        while let Some(&letter) = letters.get(at) {
            let two: String = letters.iter().skip(at).take(2).collect();
            if letter.is_whitespace() {
                at += 1;
            } else if letter == '"' || letter == '\'' {
                let mut inside = String::new();
                at += 1;
                loop {
                    match letters.get(at) {
                        None => return Err(format!("line {number}: a quote is not closed")),
                        Some(end) if *end == letter => break,
                        Some('\\') => {
                            inside.push('\\');
                            inside.extend(letters.get(at + 1));
                            at += 2;
                        }
                        Some(other) => {
                            inside.push(*other);
                            at += 1;
                        }
                    }
                }
                at += 1;
                tokens.push((number, Token::Quoted(inside)));
            } else if let Some(sign) = ["==", "!=", "<=", ">="].into_iter().find(|sign| **sign == two) {
                at += 2;
                tokens.push((number, Token::Sign(sign)));
            } else if let Some(sign) =
                ["(", ")", "{", "}", "[", "]", ";", ",", ":", "!", "<", ">"].into_iter().find(|sign| sign.starts_with(letter))
            {
                at += 1;
                tokens.push((number, Token::Sign(sign)));
            } else {
                let word: String = letters
                    .iter()
                    .skip(at)
                    .take_while(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '+' | '*' | '/' | '@'))
                    .collect();
                if word.is_empty() {
                    return Err(format!("line {number}: unexpected character {letter:?}"));
                }
                at += word.chars().count();
                tokens.push((number, Token::Word(word)));
            }
        }
    }
    Ok(tokens)
}

/// The name by which a rule or an action is known: case does not matter, nor whether it has hyphens or underscores.
fn known_as(word: &str) -> String {
    let name = word.to_ascii_lowercase().replace('_', "-");
    if name == "duplicate-boundaries" { "duplicate_boundaries".into() } else { name }
}

struct Reader {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Says where the reader stands and what is there instead of what was wanted.
    fn wanted<T>(&self, what: &str) -> Result<T, String> {
        match self.tokens.get(self.at) {
            Some((line, Token::Word(text) | Token::Quoted(text))) => {
                Err(format!("line {line}: found \"{text}\" instead of {what}"))
            }
            Some((line, Token::Sign(sign))) => Err(format!("line {line}: found \"{sign}\" instead of {what}")),
            None => Err(format!("the script ends where {what} should stand")),
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(there);
        there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let there = self.word().is_some_and(|found| found.eq_ignore_ascii_case(word));
        self.at += usize::from(there);
        there
    }

    fn needs(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { self.wanted(&format!("\"{sign}\"")) }
    }

    fn filter(&mut self) -> Result<Script, String> {
        let Some(name) = self.word().map(str::to_owned) else {
            return self.wanted("the name of a filter");
        };
        let good = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'));
        if !good || RESERVED.contains(&name.as_str()) {
            return Err(format!("Invalid filter name: {name}"));
        }
        self.at += 1;
        let active = !self.takes("!");
        self.needs(":")?;
        if !self.word().is_some_and(|word| word.eq_ignore_ascii_case("if")) {
            return self.wanted("\"if\"");
        }
        Ok(Script { name, active, statement: self.statement()? })
    }

    fn statement(&mut self) -> Result<Statement, String> {
        if self.takes_word("if") {
            let mut branches = vec![(self.condition()?, self.block()?)];
            loop {
                if self.takes_word("elsif") || self.takes_word("elif") {
                    branches.push((self.condition()?, self.block()?));
                } else if self.takes_word("else") {
                    if self.takes_word("if") {
                        branches.push((self.condition()?, self.block()?));
                        continue;
                    }
                    return Ok(Statement::If(branches, Some(self.block()?)));
                } else {
                    return Ok(Statement::If(branches, None));
                }
            }
        }
        let Some(name) = self.word().map(known_as) else {
            return self.wanted("an action");
        };
        if !ACTIONS.contains(&name.as_str()) {
            return self.wanted("a known action");
        }
        self.at += 1;
        let arguments = self.arguments()?;
        self.needs(";")?;
        Ok(Statement::Action(name, arguments))
    }

    fn block(&mut self) -> Result<Vec<Statement>, String> {
        self.needs("{")?;
        let mut statements = Vec::new();
        while !self.takes("}") {
            statements.push(self.statement()?);
        }
        if statements.is_empty() {
            return self.wanted("at least one action in a block, before this");
        }
        Ok(statements)
    }

    fn condition(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.both()?];
        while self.takes_word("or") {
            parts.push(self.both()?);
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => Condition::Or(parts.into_iter().chain(last).collect()),
        })
    }

    fn both(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.term()?];
        while self.takes_word("and") {
            parts.push(self.term()?);
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => Condition::And(parts.into_iter().chain(last).collect()),
        })
    }

    fn term(&mut self) -> Result<Condition, String> {
        if self.takes_word("not") {
            return Ok(Condition::Not(Box::new(self.term()?)));
        }
        if self.takes("(") {
            let condition = self.condition()?;
            self.needs(")")?;
            return Ok(condition);
        }
        let Some(name) = self.word().map(known_as) else {
            return self.wanted("a rule");
        };
        if !RULES.contains(&name.as_str()) {
            return self.wanted("a known rule");
        }
        self.at += 1;
        let arguments = if matches!(self.peek(), Some(Token::Sign("("))) { Some(self.arguments()?) } else { None };
        let comparison = match self.sign() {
            Some(sign) => Some((sign, self.value()?)),
            None => None,
        };
        Ok(Condition::Rule { name, arguments, comparison })
    }

    fn arguments(&mut self) -> Result<Vec<Value>, String> {
        self.needs("(")?;
        let mut values = Vec::new();
        if self.takes(")") {
            return Ok(values);
        }
        loop {
            let value = self.value()?;
            values.push(match self.sign() {
                Some(sign) => Value::Compared(Box::new(value), sign, Box::new(self.value()?)),
                None => value,
            });
            if self.takes(")") {
                return Ok(values);
            }
            self.needs(",")?;
        }
    }

    /// Takes the sign of a comparison.
    fn sign(&mut self) -> Option<String> {
        let Some(Token::Sign(sign @ ("==" | "!=" | "<" | ">" | "<=" | ">="))) = self.peek() else { return None };
        let sign = (*sign).to_owned();
        self.at += 1;
        Some(sign)
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.takes("[") {
            let mut values = vec![self.value()?];
            while self.takes(",") {
                values.push(self.value()?);
            }
            self.needs("]")?;
            return Ok(Value::List(values));
        }
        let value = match self.peek() {
            Some(Token::Quoted(text)) => Value::Quoted(text.clone()),
            Some(Token::Word(text)) => Value::Bare(text.clone()),
            _ => return self.wanted("a value"),
        };
        self.at += 1;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &str = "# kept nowhere\noffice365_outbound: if sendergroup == 'RELAYLIST' {\nif header(\"X-A\") == \"^key$\" \
                         { strip-header('X-A'); } else { drop(); }\n}";

    #[test]
    fn a_script_is_written_back_in_one_form() {
        let scripts = Script::parse(RELAY).unwrap();
        let printed = scripts[0].print();
        assert_eq!(
            printed,
            "if (sendergroup == \"RELAYLIST\") {\n    if (header(\"X-A\") == \"^key$\") {\n        strip-header(\"X-A\");\n    } else {\n        \
             drop();\n    }\n}"
        );
        let again = Script::parse(&format!("office365_outbound: {printed}")).unwrap();
        assert_eq!(again, scripts, "the written form means the same");
    }

    #[test]
    fn what_does_not_compile_is_refused_with_its_place() {
        let check = |script: &str, part: &str| {
            let reason = Script::parse(script).unwrap_err();
            assert!(reason.contains(part), "{script}: {reason}");
        };
        check("a: if true { drop() }", "line 1: found \"}\" instead of \";\"");
        check("a: if true { drop(); ", "ends where an action");
        check("a: if header(\"x) == 'y' { drop(); }", "line 1: a quote is not closed");
        check("a: if true {\n explode();\n}", "line 2: found \"explode\" instead of a known action");
        check("a: if weather == 'fine' { drop(); }", "instead of a known rule");
        check("if: if true { drop(); }", "Invalid filter name");
        check("1st: if true { drop(); }", "Invalid filter name");
        check("a: drop();", "instead of \"if\"");
    }

    #[test]
    fn conditions_keep_their_meaning() {
        let scripts = Script::parse(
            "a!: if (recv-listener == 'A' or recv-int == 'B') and not (size > 10M) { alt-src-host('C'); skip-filters(); }",
        )
        .unwrap();
        assert!(!scripts[0].active);
        assert!(scripts[0].print().starts_with("if ((recv-listener == \"A\" or recv-int == \"B\") and not size > 10M) {"));
        let names = |subject: &Subject| match subject {
            Subject::Listener(name) | Subject::Interface(name) => name.clone(),
        };
        assert_eq!(scripts[0].subjects().iter().map(names).collect::<Vec<_>>(), ["A", "B", "C"]);
    }
}
