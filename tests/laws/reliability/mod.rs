//! `docs/reliability.md` says of each fault what the provider does and which tests hold it. The page is made from the cases and from
//! the tests that are found in the sources, so it cannot claim a test that does not exist.
//!
//! A test holds a case if the case's ID is a word of its name (`g05_…`) or stands in the comment above it.
//! `MAILFLOW_WRITE_DOCS=1 cargo test --test laws` writes the page anew.

mod cases;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::made;
use cases::{CASES, Case, Note};

const PAGE: &str = "docs/reliability.md";

const OPENING: &str = "# Reliability

What can go wrong between Terraform, Microsoft 365 and a Secure Email Gateway, what this provider does then, and the tests that hold it.
Each test runs against a stand-in with scripted faults, or against written conversations and answers; no case was tried on a live tenant or a
real gateway. [Compatibility](compatibility.md) says what the stand-ins rest on.

This page is made from the sources: a test that is named here exists, and a new one appears here with the next
`MAILFLOW_WRITE_DOCS=1 cargo test --test laws`.
";

/// How the IDs of a group begin, its title, and how many cases it has; `None` where some are still missing.
const GROUPS: &[(&str, &str, Option<usize>)] = &[
    ("E", "Exchange Online", Some(30)),
    ("G", "The gateway: SSH, dialogs and commits", Some(30)),
    ("P", "The plugin and its protocol", Some(16)),
    ("C", "Configuration: found when it is validated or planned, on the attribute", Some(20)),
    ("RX", "Seen in real tenants", None),
    ("RG", "Seen on real gateways", None),
    ("RT", "Seen in real use of Terraform", None),
    ("RS", "Security, and services that misbehave", None),
    ("RN", "Where a first reader stumbles", Some(19)),
];

/// A test as it stands in the sources.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    file: String,
    name: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

/// The IDs in a text: `g05`, `G05`, `rs2`.
fn ids(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).map(str::to_uppercase);
    words.filter(|word| GROUPS.iter().any(|(group, ..)| number(group, word).is_some())).collect()
}

/// The number in an ID of this group: two digits behind one letter, one or two behind two letters.
fn number(group: &str, id: &str) -> Option<usize> {
    let digits = id.strip_prefix(group)?;
    let is_one = digits.len() == 2 || (digits.len() == 1 && group.len() == 2 && digits != "0");
    (is_one && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// The tests of a source file with the IDs in their names and comments: functions with a `test` attribute, and the rows of a table `TESTS`
/// in a test program with a harness of its own.
fn tests(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    let (mut is_test, mut comment, mut in_table) = (false, String::new(), false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("const TESTS:") {
            in_table = true;
        } else if in_table && line == "];" {
            in_table = false;
        } else if let (true, Some(rest)) = (in_table, line.strip_prefix("(\"")) {
            let name = rest.split('"').next().unwrap_or_default();
            found.push((name.to_owned(), ids(name)));
        } else if let Some(words) = line.strip_prefix("///") {
            comment.push_str(words);
        } else if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else {
            let function = ["fn ", "async fn ", "pub fn ", "pub async fn "].iter().find_map(|word| line.strip_prefix(word));
            if let (true, Some(rest)) = (is_test, function) {
                let name: String = rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
                let ids = ids(&format!("{name} {comment}"));
                found.push((name, ids));
            }
            is_test = false;
            comment.clear();
        }
    }
    found
}

/// The tests of all sources, by the case that they hold.
fn held() -> BTreeMap<String, BTreeSet<Test>> {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources(&root().join(folder), &mut files);
    }
    let mut held: BTreeMap<String, BTreeSet<Test>> = BTreeMap::new();
    for path in files.iter().filter(|path| !path.ends_with("reliability/mod.rs")) {
        let text = fs::read_to_string(path).expect("a source file");
        let file = path.strip_prefix(root()).unwrap_or(path).display().to_string().replace('\\', "/");
        for (name, ids) in tests(&text) {
            for id in ids {
                held.entry(id).or_default().insert(Test { file: file.clone(), name: name.clone() });
            }
        }
    }
    held
}

fn page(held: &BTreeMap<String, BTreeSet<Test>>) -> String {
    let mut page = OPENING.to_owned();
    for (group, title, _) in GROUPS {
        let cases: Vec<&Case> = CASES.iter().filter(|case| number(group, case.id).is_some()).collect();
        if cases.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {title}\n\n| case | fault | what the provider does | held by |\n|---|---|---|---|\n");
        for case in cases {
            let tests = held.get(case.id).map(|tests| tests.iter().map(link).collect::<Vec<_>>()).unwrap_or_default();
            let mut by = tests.join("<br>");
            match case.note {
                Note::None => {}
                Note::Partly(missing) => {
                    let _ = write!(by, "<br>**in part**: {missing}");
                }
                Note::Otherwise(reason) => {
                    let between = if tests.is_empty() { "" } else { "<br>" };
                    let _ = write!(by, "{between}**otherwise**: {reason}");
                }
            }
            let _ = writeln!(page, "| {} | {} | {} | {by} |", case.id, case.fault, case.does);
        }
    }
    page
}

fn link(test: &Test) -> String {
    format!("[`{}`](../{})", test.name, test.file)
}

#[test]
fn the_page_says_of_each_case_what_holds_it() {
    made::hold(PAGE, page(&held()));
}

#[test]
fn all_cases_are_there_once_and_in_order() {
    let mut found = CASES.iter().map(|case| case.id).peekable();
    for (group, _, count) in GROUPS {
        let mut numbers = Vec::new();
        while let Some(number) = found.peek().and_then(|id| number(group, id)) {
            numbers.push(number);
            found.next();
        }
        match count {
            Some(count) => assert_eq!(numbers, (1..=*count).collect::<Vec<_>>(), "{group}"),
            None => assert!(numbers.is_sorted_by(|one, other| one < other), "{group}: {numbers:?}"),
        }
    }
    assert_eq!(found.next(), None, "a case out of order, or of no group");
}

#[test]
fn a_case_without_a_test_says_what_is_missing_and_every_id_in_a_test_is_a_case() {
    let held = held();
    for Case { id, note, .. } in CASES {
        assert!(
            held.contains_key(*id) || !matches!(note, Note::None | Note::Partly(_)),
            "no test has {id} in its name or comment: add one, or say in tests/laws/reliability/cases.rs what is missing"
        );
    }
    for (id, tests) in &held {
        assert!(CASES.iter().any(|case| case.id == id), "{id} is no case: {tests:?}");
    }
}

#[test]
fn only_what_runs_as_a_test_counts() {
    let text = "
        #[test]
        fn g05_is_one() {}

        fn g06_is_none() {}

        /// It holds E01, p02 and rs10 as well, but neither rs0 nor e1.
        #[tokio::test(start_paused = true)]
        async fn another() {}

        /// It speaks of E03.
        fn helper() {}

        const TESTS: &[(&str, fn())] = &[
            (\"p08_in_a_table\", p08_by_hand),
        ];
    ";
    let found = tests(text);
    let wanted = [("g05_is_one", vec!["G05"]), ("another", vec!["E01", "P02", "RS10"]), ("p08_in_a_table", vec!["P08"])];
    let wanted: Vec<(String, BTreeSet<String>)> =
        wanted.into_iter().map(|(name, ids)| (name.to_owned(), ids.into_iter().map(str::to_owned).collect())).collect();
    assert_eq!(found, wanted);
}
