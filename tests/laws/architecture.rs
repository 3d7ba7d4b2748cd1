//! The rooms and their arrows: a room uses only what stands below it.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("value", &[]),
    ("schema", &["value"]),
    ("remote", &["schema", "value"]),
    ("dns", &["remote", "schema", "value"]),
    ("crosscheck", &["dns", "remote", "schema", "value"]),
    ("exchange", &["remote", "schema", "value"]),
    ("gateway", &["remote", "schema", "value"]),
    ("plugin", &["remote", "schema", "value"]),
    ("takeover", &["remote", "schema", "value"]),
    ("provider", &["crosscheck", "takeover", "plugin", "dns", "exchange", "gateway", "remote", "schema", "value"]),
    ("sandbox", &["schema", "value"]),
    ("tool", &["sandbox", "provider", "takeover", "exchange", "gateway", "plugin", "remote", "schema", "value"]),
];

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The rooms that a source text names: `crate::room`, also inside braces after `crate::{`.
fn rooms_named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (position, _) in text.match_indices("crate::") {
        let rest = &text[position + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let end = list.find("};").unwrap_or(list.len());
            for part in list[..end].split(',') {
                found.push(first_word(part.trim()));
            }
        } else {
            found.push(first_word(rest));
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

#[test]
fn every_arrow_between_rooms_points_downwards() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (room, below) in ARROWS {
        for file in files_below(&source.join(room)) {
            seen += 1;
            let text = fs::read_to_string(&file).expect("a source file");
            for named in rooms_named(&text) {
                let is_room = ARROWS.iter().any(|(other, _)| *other == named);
                if is_room && named != *room && !below.contains(&named.as_str()) {
                    wrong.push(format!("{} uses {named}", file.strip_prefix(&source).unwrap_or(&file).display()));
                }
            }
        }
    }
    assert!(seen > ARROWS.len(), "the sources were found");
    assert!(wrong.is_empty(), "arrows that run back:\n{}", wrong.join("\n"));
}

#[test]
fn every_room_is_known_to_this_test() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).expect("the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            assert!(ARROWS.iter().any(|(room, _)| *room == name), "the room {name} has no line in ARROWS");
        }
    }
}

#[test]
fn an_arrow_that_runs_back_would_be_seen() {
    assert_eq!(rooms_named("use crate::tool::demo;\nuse crate::{gateway::Gateway, value};"), ["tool", "gateway", "value"]);
}
