//! The language as a whole: what is the same, what differs and where, what is refused, shown and guarded.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::lexer::unescaped;
use super::parser::parse;
use super::tree::{Block, Call, Comparison, Condition, Statement};
use super::*;

/// Filters that have every rule and every action of the tables.
const FILTERS: &str = include_str!("../../../tests/data/message_filters.txt");

fn filters() -> Vec<&'static str> {
    FILTERS.split("\n%%\n").skip(1).collect()
}

const GUIDE: &str = r#"if sendergroup == "RELAY_O365" {
  if header("X-OUTBOUND-AUTH") == "^mysecretkey$" {
    strip-header("X-OUTBOUND-AUTH");
  } else {
    drop();
  }
}
"#;

/// How a tree is written out again.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent manner")]
#[derive(Debug, Clone, Copy, Default)]
struct Manner {
    parentheses: bool,
    capitals: bool,
    single_quotes: bool,
    bytes: bool,
    nested: bool,
    upper_names: bool,
    underscores: bool,
    one_line: bool,
}

impl Manner {
    fn each() -> Vec<Manner> {
        let none = Manner::default();
        vec![
            none,
            Manner { parentheses: true, ..none },
            Manner { capitals: true, ..none },
            Manner { single_quotes: true, ..none },
            Manner { bytes: true, ..none },
            Manner { nested: true, ..none },
            Manner { upper_names: true, ..none },
            Manner { underscores: true, ..none },
            Manner { one_line: true, ..none },
            Manner {
                parentheses: true,
                capitals: true,
                single_quotes: true,
                bytes: true,
                nested: true,
                upper_names: true,
                underscores: true,
                one_line: true,
            },
        ]
    }

    fn print(self, block: &Block) -> String {
        let mut text = String::new();
        self.statements(block, &mut text);
        text
    }

    fn end(self) -> &'static str {
        if self.one_line { " " } else { "\n  " }
    }

    fn keyword(self, word: &str) -> String {
        if self.capitals { word.to_uppercase() } else { word.to_owned() }
    }

    fn name(self, name: &str) -> String {
        let name = if self.underscores { name.replace('-', "_") } else { name.to_owned() };
        if self.upper_names { name.to_uppercase() } else { name }
    }

    fn statements(self, block: &Block, text: &mut String) {
        for statement in &block.statements {
            match statement {
                Statement::Action(call) => {
                    let _ = write!(text, "{}({});{}", self.name(&call.name), self.values(&call.arguments), self.end());
                }
                Statement::If(branches, otherwise) => {
                    let mut open = 0;
                    for (at, branch) in branches.iter().enumerate() {
                        if at > 0 && self.nested {
                            open += 1;
                            let _ = write!(text, "{} {{ {} ", self.keyword("else"), self.keyword("if"));
                        } else {
                            let _ = write!(text, "{} ", self.keyword(if at == 0 { "if" } else { "elif" }));
                        }
                        let condition = self.condition(&branch.condition);
                        let _ = if self.parentheses { write!(text, "({condition})") } else { write!(text, "{condition}") };
                        let _ = write!(text, " {{{}", self.end());
                        self.statements(&branch.block, text);
                        let _ = write!(text, "}} ");
                    }
                    if let Some((_, block)) = otherwise {
                        let _ = write!(text, "{} {{{}", self.keyword("else"), self.end());
                        self.statements(block, text);
                        text.push('}');
                    }
                    text.push_str(&" }".repeat(open));
                    text.push_str(self.end());
                }
            }
        }
    }

    fn condition(self, condition: &Condition) -> String {
        let joined = |word: &str, parts: &[(lexer::Span, Condition)]| {
            let part = |(_, part): &(lexer::Span, Condition)| match part {
                Condition::Or(_) | Condition::And(_) => format!("({})", self.condition(part)),
                other => self.condition(other),
            };
            parts.iter().map(part).collect::<Vec<_>>().join(&format!(" {} ", self.keyword(word)))
        };
        match condition {
            Condition::Or(parts) => joined("or", parts),
            Condition::And(parts) => joined("and", parts),
            Condition::Not(_, part) => format!("{} ({})", self.keyword("not"), self.condition(part)),
            Condition::Test(test) => {
                let printed = format!("{}{}", self.value(&test.subject), self.comparison(test.comparison.as_ref()));
                if self.parentheses { format!("({printed})") } else { printed }
            }
        }
    }

    fn comparison(self, comparison: Option<&Comparison>) -> String {
        comparison.map_or_else(String::new, |comparison| format!(" {} {}", comparison.sign, self.value(&comparison.value)))
    }

    fn values(self, values: &[Value]) -> String {
        values.iter().map(|value| self.value(value)).collect::<Vec<_>>().join(",")
    }

    fn value(self, value: &Value) -> String {
        match value {
            Value::Quoted(text, _) => {
                let quote = if self.single_quotes { '\'' } else { '"' };
                format!("{quote}{}{quote}", text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}")))
            }
            Value::Word(word, _) if self.bytes => number::canonical_number(word).unwrap_or_else(|| word.clone()),
            Value::Word(word, _) => word.clone(),
            Value::Call(Call { name, arguments, .. }) if arguments.is_empty() => self.name(name),
            Value::Call(Call { name, arguments, .. }) => format!("{}({})", self.name(name), self.values(arguments)),
            Value::List(values, _) => format!("[{}]", self.values(values)),
            Value::Compared(subject, comparison) => format!("{}{}", self.value(subject), self.comparison(Some(comparison))),
        }
    }
}

#[test]
fn rg4_a_filter_is_the_same_in_every_manner_of_writing_it_back() {
    let filters = filters();
    assert!(filters.len() >= 40, "{}", filters.len());
    for text in filters {
        let block = parse(text).unwrap_or_else(|unread| panic!("{unread:?}: {text}"));
        assert_eq!(check(text), Ok(()), "{text}");
        for manner in Manner::each() {
            let printed = manner.print(&block);
            assert_eq!(meaning(text), meaning(&printed), "{manner:?}\n{text}\n{printed}");
            assert_eq!(meaning(&masked(text)), meaning(&masked(&printed)), "{manner:?}\n{text}\n{printed}");
            assert_eq!(difference(text, &printed), None);
        }
    }
}

#[test]
fn the_filters_of_the_tests_have_every_rule_and_every_action() {
    let missing: Vec<&str> = words::all()
        .filter(|word| {
            let known = |text: &&str| {
                text.replace('_', "-").split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|found| found == *word)
            };
            !filters().iter().any(known)
        })
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn rg4_one_point_of_meaning_is_a_difference_with_its_place() {
    let base = "if (recv-listener == \"In\" or body-size > 10M) and not spf-passed {\n  strip-header(\"X-A\");\n} elif true {\n  bounce();\n} else {\n  drop();\n}";
    let (state, gateway) = ("Its text has ", " and ");
    let pairs: &[(&str, &str, &str)] = &[
        ("or body-size", "and body-size", "`(` (line 1, column 5) and `recv-listener`"),
        ("\"In\"", "\"in\"", "\"In\" (line 1, column 22) and \"in\" (line 1, column 22)"),
        ("\"In\"", "\"In \"", "\"In\""),
        ("recv-listener", "recv-int", "`recv-listener` (line 1, column 5)"),
        ("==", "!=", "`==` (line 1, column 19) and `!=`"),
        ("10M", "10k", "`10485760` (line 1, column 42) and `10240`"),
        ("10M", "11M", "`10485760`"),
        ("> 10M", ">= 10M", "`>` (line 1, column 40) and `>=`"),
        ("> 10M", "< 10M", "`>`"),
        (" and not spf", " or not spf", ""),
        ("not spf-passed", "spf-passed", "`not` (line 1, column 51) and `spf-passed`"),
        ("not spf-passed", "not not spf-passed", "`spf-passed`"),
        ("\"X-A\"", "\"X-B\"", "\"X-A\" (line 2, column 16) and \"X-B\""),
        ("strip-header(\"X-A\");", "strip-header(\"X-A\"); strip-header(\"X-A\");", "`}` (line 3, column 1)"),
        ("strip-header", "insert-header", "`strip-header`"),
        ("bounce();", "drop();", "`bounce` (line 4, column 3) and `drop`"),
        ("elif true", "elif false", "`true` (line 3, column 8) and `false`"),
        (" elif true", "\nif true", "`elif` (line 3, column 3) and `if` (line 4, column 1)"),
        (" else {\n  drop();\n}", "", "`else` (line 5, column 3) and the end"),
        ("drop();\n}", "drop();\n}\nbounce();", "the end (line 7, column 2) and `bounce`"),
        ("drop();", "bounce(); drop();", "`drop` (line 6, column 3)"),
        ("drop();", "drop(); bounce();", "`}`"),
        ("(recv-listener == \"In\" or body-size > 10M) and", "recv-listener == \"In\" or body-size > 10M and", ""),
        ("not spf-passed", "not (spf-passed and true)", ""),
        ("not spf-passed", "not (spf-passed or true)", ""),
        ("drop();", "drop(\"x\");", ""),
        ("spf-passed", "spf-status", "`spf-passed`"),
        ("10M", "10", "`10485760` (line 1, column 42) and `10`"),
        ("10M", "1.5k", "and `1536`"),
        ("10M", "-10M", "and `-10485760`"),
    ];
    let told = |one: &str, other: &str| {
        let [one, other] = difference(one, other).unwrap_or_else(|| panic!("the same: {one}\n{other}"));
        format!("{state}{one}{gateway}{other}")
    };
    for (from, to, wanted) in pairs {
        assert!(base.contains(from), "{from}");
        let changed = base.replacen(from, to, 1);
        let words = told(base, &changed);
        assert!(words.contains(wanted), "{from} -> {to}: {words}");
    }
    let others: &[(&str, &str)] = &[
        ("if subject == \"a b\" { drop(); }", "if subject == \"a  b\" { drop(); }"),
        ("if subject == \"a\" { drop(); }", "if subject == \"A\" { drop(); }"),
        ("if subject == 'a\\\\b' { drop(); }", "if subject == 'ab' { drop(); }"),
        ("if date > '07/28/2003 13:00:00' { drop(); }", "if date > '07/28/2003 13:00:01' { drop(); }"),
        ("if reputation < -2.5 { drop(); }", "if reputation < 2.5 { drop(); }"),
        ("if url-category(['a', 'b'], 'l') { drop(); }", "if url-category(['b', 'a'], 'l') { drop(); }"),
        ("if signed-certificate('issuer' == 'a') { drop(); }", "if signed-certificate('signer' == 'a') { drop(); }"),
        ("if random(10) == 5 { drop(); }", "if random(11) == 5 { drop(); }"),
        ("if true { bcc('a', 'b'); }", "if true { bcc('a'); }"),
        ("if true { bcc('a', 'b'); }", "if true { bcc('b', 'a'); }"),
        ("if true { if true { drop(); } }", "if true { drop(); }"),
        ("if true { no-op(); } if true { drop(); }", "if true { no-op(); } elif true { drop(); }"),
    ];
    for (one, other) in others {
        let words = told(one, other);
        assert!(words.contains("(line 1, column "), "{words}");
    }
    assert!(pairs.len() + others.len() >= 40);
    let words = told("if true or (false or valid) { drop(); }", "if (true or false) and valid { drop(); }");
    assert!(words.contains("`true` (line 1, column 4) and `(`"), "{words}");
    let words = told("if true or (false or valid) { drop(); }", "if (true or false)\n or signed { drop(); }");
    assert!(words.contains("`valid` (line 1, column 22) and `signed` (line 2, column 5)"), "{words}");
    let words = told("if true or false { drop(); }", "if true and false { drop(); }");
    assert!(words.contains("`or` (line 1, column 9) and `and` (line 1, column 9)"), "{words}");
    // What is compared with a header is not shown.
    let words = told("if header('X') == 's3cret' { drop(); }", "if header('X') == 'other' { drop(); }");
    assert_eq!(
        words,
        "Its text has a text that is not shown (line 1, column 19) and a text that is not shown (line 1, column 19)"
    );
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
    differs("if (a) or b { drop(); }", "if a and b { drop(); }");
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
    for text in
        ["drop();", "if true { drop(); }\r\n", "\tif true { drop(); }", "{ drop(); }", "if body-contains(\"a: b {\") { drop(); }"]
    {
        assert_eq!(check(text), Ok(()), "{text:?}");
    }
}

#[test]
fn rg4_what_the_tree_shows_to_be_wrong_is_refused_with_its_place() {
    for (text, wanted) in [
        ("if (true {\n  drop();\n}", "At line 1, column 4: The \"(\" has no partner"),
        ("if true) {\n  drop();\n}", "At line 1, column 8: The \")\" has no partner"),
        ("if true {\n  drop();\n", "At line 1, column 9: The \"{\" has no partner"),
        ("if true {\n  drop();\n}}", "At line 3, column 2: The \"}\" has no partner"),
        ("if (true { drop(); )}", "At line 1, column 10: The \"{\" has no partner"),
        ("if true {\n  bcc(\"x);\n}", "At line 2, column 7: The string"),
        (
            "if subject == 'é' and header('x) == 'a' {\n drop();\n}",
            "At line 1, column 39: The string that begins here does not end",
        ),
        ("if true {\n  drop()\n}", "At line 2, column 9: A \";\" is missing behind this action"),
        ("if true {\n  log-entry('é')\n  drop();\n}", "At line 2, column 17: A \";\" is missing"),
        ("if true and { drop(); }", "At line 1, column 9: Nothing stands behind this operator"),
        ("if subject == { drop(); }", "At line 1, column 12: Nothing stands behind this operator"),
        ("if subject == and true { drop(); }", "At line 1, column 12: Nothing stands behind this operator"),
        ("if not { drop(); }", "At line 1, column 4: Nothing stands behind this operator"),
        ("if () { drop(); }", "At line 1, column 5: The parentheses have no condition"),
        ("if { drop(); }", "At line 1, column 4: A condition is missing"),
        ("if true { drop(); } drop(); else { bounce(); }", "At line 1, column 29: This has no \"if\" before it"),
    ] {
        let words = check(text).expect_err(text);
        assert!(words.starts_with(wanted), "{text}: {words}");
    }
    // What another release may know is left to the device.
    for text in [
        "if weather == fine { explode(); }",
        "if subject ~= 'x' { drop(); }",
        "when true { drop(); }",
        "if true { drop(); } unless false;",
        "if true => drop();",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn rg9_texts_of_headers_and_bodies_are_hidden_and_names_are_shown() {
    let shown = |text: &str, wanted: &str| assert_eq!(masked(text), wanted);
    shown(
        "if (recv-listener == \"In\") and (HEADER('X-A') == '^s3cret$') { # s3cret\n  quarantine(\"Policy\"); bcc('a@example.com', 's3cret', 'b@example.com');\n}",
        "if (recv-listener == \"In\") and (HEADER('X-A') == '(sensitive)') {\n  quarantine(\"Policy\"); bcc('a@example.com', '(sensitive)', 'b@example.com');\n}",
    );
    shown(
        "if true { insert_header(\"X-A\", \"s3cret\"); explode(\"s3cret\"); }",
        "if true { insert_header(\"X-A\", \"(sensitive)\"); explode(\"(sensitive)\"); }",
    );
    shown("if header(\"X\") == (\"s3cret\") { drop(); }", "if header(\"X\") == (\"(sensitive)\") { drop(); }");
    shown("if \"s3cret\" == subject { drop(); }", "if \"(sensitive)\" == subject { drop(); }");
    // What does not parse shows no text at all.
    shown("if recv-listener ~= \"In\" { drop(); }", "if recv-listener ~= \"(sensitive)\" { drop(); }");
    shown("if recv-listener == \"In\" { x(\"s3cret", "if recv-listener == \"(sensitive)\" { x(\"(sensitive)");
    let (hidden, open) = secrets("f!: if recv-listener == \"In\" { insert-header(\"X\", \"s3cret\"); }");
    assert_eq!((hidden, open), (vec!["s3cret"], vec!["In", "X"]));
}

#[test]
fn rg9_what_a_conversation_shows_is_what_the_tree_shows() {
    for text in filters() {
        let plain: String =
            text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| [line, "\n"]).collect();
        let by_tree = masked(plain.trim_end()).replace(" # in the line", "");
        let by_place = without_values(plain.trim_end()).replace(" # in the line", "");
        // Without a tree, a text in the arguments of a comparison inside a call is not known to be a name.
        if !text.contains("\"issuer\" ==") {
            assert_eq!(by_tree, by_place);
        }
    }
    // A text in parentheses of its own belongs to what it is compared with.
    assert_eq!(without_values("header(\"X\") == (\"s3cret\""), "header(\"X\") == (\"(sensitive)\"");
    assert_eq!(without_values("bcc(\"a\", \"s3cret\", \"b\""), "bcc(\"a\", \"(sensitive)\", \"b\"");
    assert_eq!(without_values(", \"s3cret\""), ", \"(sensitive)\"");
}

#[test]
fn rg14_a_listener_is_a_reference_and_a_sender_group_is_a_pattern() {
    let found = references("if sendergroup == \"Nobody\" and (\n  recv_listener != 'In') { drop(); }");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].place.to_string()), ("In", "line 2, column 20".to_owned()));
}

#[test]
fn a_filter_guards_what_it_drops_on_every_way() {
    let guards = |text: &str| guard(text, "RELAY").map(|guard| guard.demands);
    let asks = |header: &str, values: &[&str]| {
        Some(vec![(header.to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())])
    };
    let own = r#"if sendergroup == "^RELAY$" { if header("X-A") == "^(one|two)$" { strip-header("X-A"); } else { drop(); } }"#;
    assert_eq!(guards(own), asks("X-A", &["one", "two"]));
    assert_eq!(guard(own, "RELAY").unwrap().patterns, ["^RELAY$"]);
    assert_eq!(guards(r#"if (sendergroup == "RELAY") and not (header("X-A") == "^one$") { drop(); }"#), asks("X-A", &["one"]));
    assert_eq!(
        guards(r#"if sendergroup != "RELAY" { skip-filters(); } elif header("x-a") == "^one$" { no-op(); } else { drop(); }"#),
        asks("x-a", &["one"])
    );
    assert_eq!(guards(r#"if sendergroup == "(?i)relay" { log-entry("x"); drop(); }"#), Some(Vec::new()));
    assert_eq!(guards(r#"if sendergroup == "REL" { if spf-passed { drop(); } else { drop(); } }"#), Some(Vec::new()));
    for text in [
        // Another group, or one that cannot be told.
        r#"if sendergroup == "^OTHER$" { drop(); }"#,
        r#"if sendergroup == "(?<=x)RELAY" { drop(); }"#,
        // Other mail of the group gets through.
        r#"if sendergroup == "RELAY" and spf-passed { drop(); }"#,
        r#"if sendergroup == "RELAY" { if header("X-A") == "one" { no-op(); } else { drop(); } }"#,
        r#"if sendergroup == "RELAY" { if header("X-A") == "^one.*$" { no-op(); } else { drop(); } }"#,
        r#"if sendergroup == "RELAY" { if header("X-A") != "^one$" { drop(); } }"#,
        r#"if sendergroup == "RELAY" { if header("X-A") == "^one$" { drop(); } }"#,
        r#"if sendergroup == "RELAY" { quarantine("Policy"); }"#,
        r#"if sendergroup == "RELAY" { bounce(); }"#,
        // Something is done before the drop.
        r#"if sendergroup == "RELAY" { skip-filters(); drop(); }"#,
        r#"if sendergroup == "RELAY" { explode(); drop(); }"#,
        r#"if sendergroup == "RELAY" { bcc("$EnvelopeRecipients"); drop(); }"#,
        r#"if sendergroup == "RELAY" { insert-header("x-a", "one"); if header("X-A") == "^one$" { no-op(); } else { drop(); } }"#,
        // No filter.
        "drop(",
        "",
    ] {
        assert_eq!(guards(text), None, "{text}");
    }
}

#[test]
fn an_earlier_filter_may_take_mail_past_the_guard() {
    let own = guard(
        r#"if sendergroup == "^RELAY$" { if header("X-A") == "^one$" { strip-header("X-A"); } else { drop(); } }"#,
        "RELAY",
    )
    .unwrap();
    let check = |text: &str, wanted: bool| assert_eq!(may_skip(text, "RELAY", &own), wanted, "{text}");
    for text in [
        "if true { skip-filters(); }",
        "if spf-passed { deliver(); }",
        "if spf-passed { encrypt('p'); }",
        "if subject == 'x' { insert-header('x-a', 'one'); }",
        "if subject == 'x' { edit-header-text('X-A', 'a', 'b'); }",
        "if subject == 'x' { insert-header('$Subject', 'one'); }",
        "if true { bcc('$EnvelopeRecipients', '$Subject', '$EnvelopeFrom', '10.2.3.4'); }",
        "if true { explode(); }",
        "if sendergroup == 'RELAY' { bounce(); }",
        "no filter",
    ] {
        check(text, true);
    }
    for text in [
        "if true { drop(); }",
        "if sendergroup == '^OTHER$' { skip-filters(); }",
        "if header('X-A') == '^one$' { skip-filters(); }",
        "if false { skip-filters(); }",
        "if subject == 'x' { insert-header('X-B', 'one'); quarantine('Policy'); bcc('audit@example.com'); }",
        "if spf-passed { drop(); skip-filters(); }",
    ] {
        check(text, false);
    }
}

#[test]
fn a_text_of_any_depth_is_taken_in_its_time() {
    let deep = 20_000;
    for text in [
        "(".repeat(deep),
        "{".repeat(deep),
        "[".repeat(deep),
        "not ".repeat(deep),
        "!".repeat(deep),
        format!("if {}true{} {{ drop(); }}", "(".repeat(deep), ")".repeat(deep)),
        format!("if true {{ drop(); }}{}", " else if true { drop(); }".repeat(deep / 10)),
        format!("if true {}", "or true ".repeat(deep)),
        format!("if {}true{}", "if (".repeat(deep / 10), ") {".repeat(deep / 10)),
        "bcc(".repeat(deep),
        "'a',".repeat(deep),
        format!("bcc({}", "'a',".repeat(deep / 10)),
    ] {
        let begin = Instant::now();
        let _ = (meaning(&text), masked(&text), check(&text), guard(&text, "G"), references(&text));
        let _ = (without_values_of_filters(&text), secrets(&text), difference(&text, "drop();"));
        assert!(begin.elapsed() < Duration::from_mins(1), "{:?}: {}", begin.elapsed(), &text[..20]);
    }
}

/// Pieces of the language, in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "if ", "elif ", "else ", "and ", "or ", "not ", "(", ")", "{", "}", "[", "]", ";", ",", "==", "!=", "<", "!", ":",
            "\"", "'", "\\", "#", "\n", " ", "true", "header", "subject", "drop", "10M", "-2.5", "\"a\"", "'b'", "é", "\u{0}",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Conditions of the language.
fn condition() -> impl Strategy<Value = String> {
    let test = prop::sample::select(vec![
        "true",
        "spf-passed",
        "subject == 'a\\'b'",
        "header(\"X\") != \"\\\\.\"",
        "body-size > 10M",
        "reputation < -2.5",
        "url-category(['a', \"b\"], 'c')",
    ])
    .prop_map(str::to_owned);
    test.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

/// Statements of the language.
fn statements() -> impl Strategy<Value = String> {
    let action =
        prop::sample::select(vec!["drop();", "bcc('a', \"b\", 'c');", "drop-attachments-by-size(5M);", "skip_filters();"])
            .prop_map(str::to_owned);
    action.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            (condition(), inner.clone()).prop_map(|(condition, block)| format!("if {condition} {{ {block} }}")),
            (condition(), inner.clone(), condition(), inner.clone(), inner.clone()).prop_map(
                |(one, first, two, second, rest)| {
                    format!("if {one} {{ {first} }} elif {two} {{ {second} }} else {{ {rest} }}")
                }
            ),
            (inner.clone(), inner).prop_map(|(one, other)| format!("{one} {other}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_out_again_is_read_as_the_same(text in statements(), at in 0..10_usize) {
        let block = parse(&text).map_err(|unread| TestCaseError::fail(format!("{unread:?}")))?;
        let printed = Manner::each()[at].print(&block);
        let plain = Manner { bytes: true, ..Manner::default() };
        prop_assert_eq!(meaning(&text), meaning(&printed), "{}", printed);
        let again = parse(&printed).map_err(|unread| TestCaseError::fail(format!("{unread:?}")))?;
        prop_assert_eq!(&plain.print(&block), &plain.print(&again), "{}", printed);
        prop_assert_eq!(check(&text), Ok(()));
    }

    #[test]
    fn any_text_is_taken(text in soup(), other in soup()) {
        let _ = (meaning(&text), check(&text), masked(&text), references(&text), guard(&text, "G"), demanded(&text), secrets(&text));
        let _ = (without_values(&text), without_values_of_filters(&text));
        prop_assert_eq!(difference(&text, &text), None);
        prop_assert_eq!(difference(&text, &other).is_none(), meaning(&text) == meaning(&other));
    }

    #[test]
    fn a_secret_is_shown_in_no_form(text in statements(), at in 0..10_usize) {
        let text = text.replace("'a\\'b'", "'s3cr3t'").replace("\"\\\\.\"", "\"s3cr3t\"").replace("\"b\", 'c'", "\"s3cr3t\", 'c'");
        let block = parse(&text).map_err(|unread| TestCaseError::fail(format!("{unread:?}")))?;
        let printed = Manner::each()[at].print(&block);
        prop_assert!(!masked(&printed).contains("s3cr3t"), "{}", printed);
        prop_assert!(!without_values(&printed).contains("s3cr3t"), "{}", printed);
    }

    #[test]
    fn escapes_come_off_once(text in "[a-z\\\\\"' ]{0,20}") {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        prop_assert_eq!(unescaped(&escaped), text);
    }
}
