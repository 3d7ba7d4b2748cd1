//! The text of message filters: the function that writes the relay filter, what two texts have in common, and what cannot be typed.
//!
//! The grammar is that of the admin manual's chapter "Using Message Filters to Enforce Email Policies": conditions, actions in braces,
//! strings in single or double quotes, comments from `#` to the end of the line. The device keeps no comments and prints a text
//! in its own layout, so two texts are the same if their words are.

use crate::schema::{Function, FunctionError, Parameter};
use crate::value::{Type, Value};

/// `relay_filter_script(sender_group, header, secrets)`.
pub const FUNCTION: Function = Function {
    name: "relay_filter_script",
    about: "Writes the message filter that makes a relaying sender group safe. Microsoft 365 sends for all its tenants from the same hosts, so \
            a sender group with `.protection.outlook.com` would relay for every one of them. The filter lets a message of that sender group \
            pass only if the header holds one of the secrets exactly, and strips the header; it drops any other message of the group. With \
            two secrets the filter accepts the old and the new one while the sender's side is switched over. The text has no label: \
            `mailflow_gateway_message_filter` adds it.",
    parameters: &[
        Parameter {
            name: "sender_group",
            about: "The name of the sender group in the host access table (HAT) that relays.",
            value_type: || Type::String,
        },
        Parameter {
            name: "header",
            about: "The name of the header that the sender's side sets, such as `X-OUTBOUND-AUTH`.",
            value_type: || Type::String,
        },
        Parameter {
            name: "secrets",
            about: "The secrets that are accepted, each of at least 8 of the characters `A-Z a-z 0-9`.",
            value_type: || Type::List(Box::new(Type::String)),
        },
    ],
    returns: || Type::String,
    call: relay_filter_script,
};

/// Headers that mail systems set or rely on: a message would be dropped, or damaged by the stripping.
const RESERVED_HEADERS: [&str; 26] = [
    "arc-authentication-results",
    "arc-message-signature",
    "arc-seal",
    "authentication-results",
    "bcc",
    "cc",
    "content-transfer-encoding",
    "content-type",
    "date",
    "dkim-signature",
    "from",
    "in-reply-to",
    "list-unsubscribe",
    "message-id",
    "mime-version",
    "received",
    "received-spf",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "thread-index",
    "thread-topic",
    "to",
    "x-originating-ip",
];

fn relay_filter_script(arguments: &[Value]) -> Result<Value, FunctionError> {
    let wrong = |argument: usize, text: String| FunctionError { text, argument: Some(argument) };
    let text = |argument: usize| {
        arguments.get(argument).and_then(Value::as_text).ok_or_else(|| wrong(argument, "It is not set.".to_owned()))
    };
    let group = text(0)?;
    if group.is_empty()
        || group.trim() != group
        || group.chars().any(|letter| super::resources::forms::is_control(letter) || "\"'\\$(){}:".contains(letter))
    {
        return Err(wrong(0, "It is not the name of a sender group: quotes, backslashes, braces, colons and control characters cannot stand in it.".to_owned()));
    }
    let header = text(1)?;
    if header.is_empty() || header.len() > 64 || !header.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(wrong(
            1,
            format!(
                "{header:?} is not the name of a header that can be set: write letters, digits and \"-\", at most 64, such as X-OUTBOUND-AUTH."
            ),
        ));
    }
    let lower = header.to_ascii_lowercase();
    if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("x-ms-exchange-") || lower.starts_with("x-ironport-") {
        return Err(wrong(
            1,
            format!("{header} is a header that mail systems use themselves. Choose one of your own, such as X-OUTBOUND-AUTH."),
        ));
    }
    let elements = arguments.get(2).and_then(Value::as_elements).unwrap_or_default();
    if elements.is_empty() {
        return Err(wrong(
            2,
            "At least one secret is needed: without one, the filter would drop every message of the sender group.".to_owned(),
        ));
    }
    let mut secrets: Vec<&str> = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        let number = at + 1;
        let secret = element.as_text().ok_or_else(|| wrong(2, format!("Secret {number} is not set.")))?;
        if !secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let why =
                "has a character other than A-Z, a-z and 0-9, which would have a meaning in the filter's regular expression";
            return Err(wrong(2, format!("Secret {number} {why}.")));
        }
        if secret.len() < 8 {
            return Err(wrong(2, format!("Secret {number} is shorter than 8 characters.")));
        }
        // While nothing is rotated, the old and the new secret may be one.
        if !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
    let accepted = match secrets.as_slice() {
        [only] => format!("^{only}$"),
        several => format!("^({})$", several.join("|")),
    };
    Ok(Value::text(format!(
        "if sendergroup == \"{group}\" {{\n  if header(\"{header}\") == \"{accepted}\" {{\n    strip-header(\"{header}\");\n  }} else {{\n    drop();\n  }}\n}}\n"
    )))
}

/// The headers that a filter compares with fixed values, and the values, as [`FUNCTION`] writes it: `header("X") == "^(a|b)$"`. Other
/// conditions are not understood and left out.
pub(super) fn demanded(text: &str) -> Vec<(String, Vec<String>)> {
    let Ok(found) = tokens(text) else { return Vec::new() };
    let mut demanded = Vec::new();
    for part in found.windows(6) {
        if let [
            Token::Word(word),
            Token::Sign("("),
            Token::Quoted(header),
            Token::Sign(")"),
            Token::Sign("=="),
            Token::Quoted(pattern),
        ] = part
            && word.eq_ignore_ascii_case("header")
            && let Some(exact) = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'))
        {
            let several = exact.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            let values: Vec<String> =
                several.map_or_else(|| vec![exact.to_owned()], |all| all.split('|').map(str::to_owned).collect());
            if values.iter().all(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
                demanded.push((header.clone(), values));
            }
        }
    }
    demanded
}

/// A word of a filter's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A string, without its quotes.
    Quoted(String),
    /// A name, a keyword or a number.
    Word(String),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Any other character.
    Other(char),
}

const SIGNS: [&str; 15] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "{", "}", ";", ",", ":", "!", "="];

/// Takes a text apart; the error says in which line something does not end.
fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let line_of =
        |rest: &str| text.get(..text.len().saturating_sub(rest.len())).map_or(1, |before| before.matches('\n').count() + 1);
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if first == '#' {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if first == '"' || first == '\'' {
            let (string, after) =
                string(rest, first).ok_or_else(|| format!("The string that begins in line {} does not end.", line_of(rest)))?;
            tokens.push(Token::Quoted(string));
            rest = after;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
        } else if is_word(first) {
            let end = rest.find(|letter: char| !is_word(letter)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            tokens.push(Token::Word(word.to_owned()));
            rest = after;
        } else {
            tokens.push(Token::Other(first));
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    Ok(tokens)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_-.$@/*+%".contains(letter)
}

/// Takes a quoted string off the front.
fn string(text: &str, quote: char) -> Option<(String, &str)> {
    let inside = text.get(1..)?;
    let mut escaped = false;
    for (at, letter) in inside.char_indices() {
        if letter == quote && !escaped {
            return Some((inside.get(..at)?.to_owned(), inside.get(at + 1..)?));
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}

/// Brings a filter's text to one spelling: words and strings one blank apart, without comments, without the parentheses around a
/// whole condition and the semicolon before a brace, which the device adds or leaves out as it likes. It is for comparing only.
pub(super) fn meaning(text: &str) -> String {
    let Ok(found) = tokens(text) else {
        // No filter: only equal to itself, blanks aside.
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    };
    let found = without_outer_parentheses(found);
    let mut spelling = String::with_capacity(text.len());
    for (at, token) in found.iter().enumerate() {
        let next = found.get(at + 1);
        let before = at.checked_sub(1).and_then(|at| found.get(at));
        let idle = *token == Token::Sign(";")
            && (matches!(next, None | Some(Token::Sign("}" | ";"))) || matches!(before, Some(Token::Sign("}" | "{"))));
        if idle {
            continue;
        }
        if !spelling.is_empty() {
            spelling.push(' ');
        }
        match token {
            Token::Quoted(string) => spelling.extend(["\"", &string.escape_debug().to_string(), "\""]),
            Token::Word(word) if is_keyword(word) => spelling.push_str(&word.to_ascii_lowercase()),
            Token::Word(word) => spelling.push_str(word),
            Token::Sign(sign) => spelling.push_str(sign),
            Token::Other(letter) => spelling.push(*letter),
        }
    }
    spelling
}

fn is_keyword(word: &str) -> bool {
    ["if", "else", "elif", "and", "or", "not", "true", "false"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// Drops the parentheses in `if (condition) {`.
fn without_outer_parentheses(mut tokens: Vec<Token>) -> Vec<Token> {
    let mut at = 0;
    while at < tokens.len() {
        let is_if = matches!(tokens.get(at), Some(Token::Word(word)) if ["if", "elif"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword)));
        while is_if && tokens.get(at + 1) == Some(&Token::Sign("(")) {
            let Some(end) = closing(&tokens, at + 1).filter(|end| tokens.get(end + 1) == Some(&Token::Sign("{"))) else { break };
            tokens.remove(end);
            tokens.remove(at + 1);
        }
        at += 1;
    }
    tokens
}

/// Where the parenthesis that opens here is closed.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign("(") => depth += 1,
            Token::Sign(")") => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Says why a text cannot be the script of a filter: a label of its own, control characters, a string or a brace that does not end.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("It is empty.".to_owned());
    }
    let plain = text.replace("\r\n", "\n");
    if let Some(letter) =
        plain.chars().find(|letter| !matches!(letter, '\n' | '\t') && super::resources::forms::is_control(*letter))
    {
        return Err(format!("It has a control character (U+{:04X}), which is never sent to the gateway.", u32::from(letter)));
    }
    if let Some(at) = plain.lines().position(|line| line.trim() == ".") {
        return Err(format!("Line {} is a single dot, which ends the text for the device.", at + 1));
    }
    let found = tokens(&plain)?;
    if found.iter().any(|token| matches!(token, Token::Quoted(string) if string.contains(['\n', '\t']))) {
        return Err("A string has a line end or a tab in it, which cannot be typed on the device.".to_owned());
    }
    let labelled = matches!(
        found.as_slice(),
        [Token::Word(_) | Token::Quoted(_), Token::Sign(":"), ..]
            | [Token::Word(_) | Token::Quoted(_), Token::Sign("!"), Token::Sign(":"), ..]
    );
    if labelled {
        return Err(
            "It brings a label of its own (\"name:\"). Leave the label out: the provider adds it from the attribute name."
                .to_owned(),
        );
    }
    if found.is_empty() {
        return Err("It has nothing but comments.".to_owned());
    }
    for (open, close) in [("(", ")"), ("{", "}")] {
        let mut depth = 0_usize;
        for token in &found {
            if *token == Token::Sign(open) {
                depth += 1;
            } else if *token == Token::Sign(close) {
                depth = depth.checked_sub(1).ok_or_else(|| format!("A \"{close}\" has no \"{open}\" before it."))?;
            }
        }
        if depth > 0 {
            return Err(format!("A \"{open}\" has no \"{close}\" behind it."));
        }
    }
    Ok(())
}

/// The lines to type for a filter: its label, then its text without comments and empty lines, which the device does not keep.
pub(super) fn typed(name: &str, text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = without_comment(line).replace('\t', "  ");
        let line = line.trim_end();
        if line.trim().is_empty() {
            continue;
        }
        lines.push(if lines.is_empty() { format!("{name}: {}", line.trim_start()) } else { line.to_owned() });
    }
    lines
}

/// Strings end in the line in which they begin, so a line can be read alone.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, letter) in line.char_indices() {
        match quote {
            Some(open) => {
                if letter == open && !escaped {
                    quote = None;
                }
                escaped = letter == '\\' && !escaped;
            }
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == '#' => return line.get(..at).unwrap_or(line),
            None => {}
        }
    }
    line
}

/// The sender groups that a text compares with (`sendergroup == "NAME"`), in order.
pub fn sender_groups(text: &str) -> Vec<String> {
    let found = tokens(text).unwrap_or_default();
    let mut groups = Vec::new();
    for window in found.windows(3) {
        if let [Token::Word(word), Token::Sign("=="), Token::Quoted(group)] = window
            && word.eq_ignore_ascii_case("sendergroup")
            && !groups.contains(group)
        {
            groups.push(group.clone());
        }
    }
    groups
}

/// Follows braces and strings from line to line, to tell where a printed filter ends.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    depth: usize,
    quote: Option<char>,
    escaped: bool,
}

impl Scanner {
    /// Takes the next line.
    pub(super) fn line(&mut self, line: &str) {
        for letter in line.chars() {
            match self.quote {
                Some(open) => {
                    if letter == open && !self.escaped {
                        self.quote = None;
                    }
                    self.escaped = letter == '\\' && !self.escaped;
                }
                None => match letter {
                    '"' | '\'' => self.quote = Some(letter),
                    '{' | '(' => self.depth += 1,
                    '}' | ')' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                },
            }
        }
    }

    /// Tells whether a brace, a parenthesis or a string is open.
    pub(super) fn is_inside(&self) -> bool {
        self.depth > 0 || self.quote.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(group: &str, header: &str, secrets: &[&str]) -> Result<String, FunctionError> {
        let secrets = Value::List(secrets.iter().map(|secret| Value::text(*secret)).collect());
        let value = (FUNCTION.call)(&[Value::text(group), Value::text(header), secrets])?;
        Ok(value.as_text().unwrap_or_default().to_owned())
    }

    const GUIDE: &str = r#"if sendergroup == "RELAY_O365" {
  if header("X-OUTBOUND-AUTH") == "^mysecretkey$" {
    strip-header("X-OUTBOUND-AUTH");
  } else {
    drop();
  }
}
"#;

    #[test]
    fn one_secret_makes_the_filter_of_the_guide() {
        assert_eq!(call("RELAY_O365", "X-OUTBOUND-AUTH", &["mysecretkey"]).unwrap(), GUIDE);
        assert_eq!(check(GUIDE), Ok(()));
        assert_eq!(sender_groups(GUIDE), ["RELAY_O365"]);
    }

    #[test]
    fn g28_two_secrets_are_both_accepted_and_nothing_else_is() {
        let text = call("G", "X-Auth", &["oldsecret1", "newsecret2", "oldsecret1"]).unwrap();
        assert!(text.contains("\"^(oldsecret1|newsecret2)$\""), "{text}");
        let pattern = regex::Regex::new("^(oldsecret1|newsecret2)$").unwrap();
        assert!(pattern.is_match("oldsecret1") && pattern.is_match("newsecret2"));
        assert!(!pattern.is_match("xoldsecret1") && !pattern.is_match("newsecret2x") && !pattern.is_match(""));
    }

    #[test]
    fn c06_bad_arguments_are_refused_by_position_and_no_secret_is_told() {
        let refused = |group: &str, header: &str, secrets: &[&str], argument: usize| {
            let error = call(group, header, secrets).unwrap_err();
            assert_eq!(error.argument, Some(argument), "{error:?}");
            assert!(secrets.iter().all(|secret| secret.is_empty() || !error.text.contains(secret)), "{error:?}");
        };
        for group in ["", "A\"B", "A'B", "A\nB", "A\\", " A", "A\u{1b}"] {
            refused(group, "X-Auth", &["longsecret1"], 0);
        }
        for header in
            ["", "X Auth", "X:Auth", "X-Auth\n", "From", "subject", "Received", "X-MS-Exchange-Organization-SCL", "X_Auth\""]
        {
            refused("G", header, &["longsecret1"], 1);
        }
        refused("G", "X-Auth", &[], 2);
        refused("G", "X-Auth", &["zq81f0p"], 2);
        refused("G", "X-Auth", &["longsecret1", "zq81f0p$zz"], 2);
        refused("G", "X-Auth", &["zq81f0pé"], 2);
        refused("G", "X-Auth", &["zq81f0pzz\n"], 2);
        let unset = (FUNCTION.call)(&[Value::text("G"), Value::text("X-Auth"), Value::List(vec![Value::Null])]).unwrap_err();
        assert_eq!(unset.argument, Some(2));
    }

    #[test]
    fn two_texts_with_the_same_words_mean_the_same() {
        let check = |one: &str, other: &str| assert_eq!(meaning(one), meaning(other), "{one}\n{other}");
        check(GUIDE, &GUIDE.replace('\n', " ").replace("  ", " "));
        check(GUIDE, &GUIDE.replace('"', "'"));
        check(GUIDE, &format!("# a comment with \"quotes\n{}", GUIDE.replace("drop();", "drop(); # never \"ours\"\n")));
        check(GUIDE, &GUIDE.replace("if sendergroup == \"RELAY_O365\" {", "if (sendergroup==\"RELAY_O365\")\n{"));
        check("if true{skip-filters();}", "if true {\n    skip-filters();\n}");
        check("if (a == 1 and b == 2) { drop(); }", "IF a == 1 AND b == 2 { drop() };");
        let differs = |one: &str, other: &str| assert_ne!(meaning(one), meaning(other), "{one}\n{other}");
        differs("if subject == \"a b\" { drop(); }", "if subject == \"a  b\" { drop(); }");
        differs("if subject == \"a\" { drop(); }", "if subject == \"A\" { drop(); }");
        differs("if (a) or (b) { drop(); }", "if a or b { drop(); }");
        differs("if subject == \"#x\" { drop(); }", "if subject == \"#y\" { drop(); }");
        differs("x('a\"b');", "x('a', 'b');");
    }

    #[test]
    fn g19_g27_what_cannot_be_typed_or_compiled_is_refused() {
        for text in [
            "",
            "  \n",
            "# only a comment",
            "name: drop();",
            "name!: drop();",
            "# c\nname :\ndrop();",
            "if true { drop();",
            "drop());",
            "x(\"a);",
            "drop();\n.\nfilters\n",
            "drop();\u{3}",
            "drop();\u{1b}[A",
            "x(\"a\nb\");",
            "drop();\rcommit",
            "\"name\": drop();",
        ] {
            assert!(check(text).is_err(), "{text:?}");
        }
        for text in [
            "drop();",
            "if true { drop(); }\r\n",
            "\tif true { drop(); }",
            "{ drop(); }",
            "if body-contains(\"a: b {\") { drop(); }",
        ] {
            assert_eq!(check(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn the_label_stands_before_the_first_line_and_comments_are_not_typed() {
        let lines = typed("f", "# why\n\nif subject == \"#1\" { # here\n\tdrop();\n}\n");
        assert_eq!(lines, ["f: if subject == \"#1\" {", "  drop();", "}"]);
    }
}
