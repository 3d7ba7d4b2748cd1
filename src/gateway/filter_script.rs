//! The text of message filters: the function that writes the relay filter, the lines that are typed for one, and where a printed one ends. What a text
//! means is said in `filters`.

use super::filters;
use crate::schema::{Anatomy, Argument, Function, FunctionError, Making, Parameter};
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
            about: "The name of the sender group in the host access table (HAT) that relays. The filter compares it as a whole: `sendergroup` is a regular \
                    expression, so the text has it between `^` and `$`. The group need not be there yet.",
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
    let pattern = whole(group);
    Ok(Value::text(format!(
        "if sendergroup == \"{pattern}\" {{\n  if header(\"{header}\") == \"{accepted}\" {{\n    strip-header(\"{header}\");\n  }} else {{\n    drop();\n  }}\n}}\n"
    )))
}

/// The pattern that takes this name only, as it stands in a filter: the language takes one backslash of two away.
fn whole(name: &str) -> String {
    let mut pattern = String::from("^");
    for letter in name.chars() {
        if ".^$*+?{}[]|()".contains(letter) {
            pattern.push_str("\\\\");
        }
        pattern.push(letter);
    }
    pattern.push('$');
    pattern
}

/// What the text of a filter is made of: its secrets, and the call of [`FUNCTION`] that makes a text of exactly this meaning. `None` for a text that
/// cannot be read.
pub(super) fn anatomy(text: &str) -> Option<Anatomy> {
    Some(Anatomy { secrets: filters::compared_secrets(text)?, made_by: making(text) })
}

fn making(text: &str) -> Option<Making> {
    let (pattern, header, secrets) = filters::relay_parts(text)?;
    let group = name_of(&pattern)?;
    let list = Value::List(secrets.iter().map(|secret| Value::text(secret.as_str())).collect());
    let made = relay_filter_script(&[Value::text(group.as_str()), Value::text(header.as_str()), list]).ok()?;
    if filters::meaning(made.as_text()?) != filters::meaning(text) {
        return None;
    }
    let arguments = vec![
        Argument::NameOf(super::resources::sender_group::RESOURCE.name, group),
        Argument::Text(header),
        Argument::Secrets(secrets),
    ];
    Some(Making { function: FUNCTION.name, arguments })
}

/// The one name that a pattern takes, if it is a name between anchors.
fn name_of(pattern: &str) -> Option<String> {
    let mut letters = pattern.strip_prefix('^')?.strip_suffix('$')?.chars();
    let mut name = String::new();
    while let Some(letter) = letters.next() {
        name.push(if letter == '\\' { letters.next()? } else { letter });
    }
    Some(name)
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
    use crate::gateway::filters;

    fn call(group: &str, header: &str, secrets: &[&str]) -> Result<String, FunctionError> {
        let secrets = Value::List(secrets.iter().map(|secret| Value::text(*secret)).collect());
        let value = (FUNCTION.call)(&[Value::text(group), Value::text(header), secrets])?;
        Ok(value.as_text().unwrap_or_default().to_owned())
    }

    const GUIDE: &str = r#"if sendergroup == "^RELAY_O365$" {
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
        assert_eq!(filters::check(GUIDE), Ok(()));
    }

    #[test]
    fn rg14_the_group_is_compared_as_a_whole() {
        let text = call("A.B+[1]", "X-Auth", &["longsecret1"]).unwrap();
        assert!(text.starts_with(r#"if sendergroup == "^A\\.B\\+\\[1\\]$" {"#), "{text}");
        assert!(filters::guard(&text, "A.B+[1]").is_some());
        for other in ["AxB+[1]", "MY_A.B+[1]", "A.B+[1]_2", "A.BB1"] {
            assert_eq!(filters::guard(&text, other), None, "{other}");
        }
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
    fn the_call_that_makes_a_text_is_found_by_its_meaning() {
        let check = |text: &str, group: &str, header: &str, secrets: &[&str]| {
            let made = anatomy(text).expect("readable").made_by.expect("made by the function");
            let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
            let wanted = vec![
                Argument::NameOf("gateway_sender_group", group.to_owned()),
                Argument::Text(header.to_owned()),
                Argument::Secrets(secrets),
            ];
            assert_eq!(made, Making { function: "relay_filter_script", arguments: wanted });
        };
        check(GUIDE, "RELAY_O365", "X-OUTBOUND-AUTH", &["mysecretkey"]);
        let printed = "if (sendergroup == '^RELAY_O365$')\n{\n if (header('X-A') == '^(oldsecret1|newsecret2)$') { strip-header('X-A'); }\n else { drop(); } }";
        check(printed, "RELAY_O365", "X-A", &["oldsecret1", "newsecret2"]);
        check(&call("A.B+[1]", "X-Auth", &["longsecret1"]).unwrap(), "A.B+[1]", "X-Auth", &["longsecret1"]);
        // One point of meaning makes it another text.
        for (from, to) in [
            ("drop()", "bounce()"),
            ("^RELAY", "RELAY"),
            ("^mysecretkey$", "mysecretkey"),
            ("mysecretkey", "mysecre"),
            ("strip-header(\"X-OUTBOUND-AUTH\");", "no-op();"),
        ] {
            let other = GUIDE.replace(from, to);
            assert_ne!(other, GUIDE, "{from}");
            assert_eq!(anatomy(&other).and_then(|anatomy| anatomy.made_by), None, "{other}");
        }
    }

    #[test]
    fn the_label_stands_before_the_first_line_and_comments_are_not_typed() {
        let lines = typed("f", "# why\n\nif subject == \"#1\" { # here\n\tdrop();\n}\n");
        assert_eq!(lines, ["f: if subject == \"#1\" {", "  drop();", "}"]);
    }
}
