//! Files that are checked in and made by the code: they are held against what the code makes, or written anew where
//! `MAILFLOW_WRITE_DOCS=1` is set.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// How many differing lines are shown of a file.
const SHOWN: usize = 40;

/// Tells whether the files are to be written anew.
pub fn writes() -> bool {
    std::env::var_os("MAILFLOW_WRITE_DOCS").is_some_and(|value| value == "1")
}

/// Holds one file, by its path below the package, against what the code makes of it.
#[track_caller]
pub fn hold(file: &str, made: String) {
    hold_all(&BTreeMap::from([(PathBuf::from(file), made)]));
}

/// Holds files against what the code makes of them. Fails with all differences, or writes the files.
#[track_caller]
pub fn hold_all(files: &BTreeMap<PathBuf, String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (file, made) in files {
        let path = root.join(file);
        if writes() {
            write(&path, made);
            continue;
        }
        match fs::read_to_string(&path) {
            Err(error) => wrong.push(format!("{}: {error}", file.display())),
            Ok(found) if found == *made => {}
            Ok(found) => wrong.push(format!("{}: {}", file.display(), differences(made, &found))),
        }
    }
    assert!(
        wrong.is_empty(),
        "not what the code makes. If the change is meant, tell users in CHANGELOG.md, and run \
         MAILFLOW_WRITE_DOCS=1 cargo test --test laws\n{}",
        wrong.join("\n")
    );
}

/// Writes a file whole, unless it is so already: other tests read it meanwhile.
fn write(path: &Path, made: &str) {
    if fs::read_to_string(path).is_ok_and(|found| found == made) {
        return;
    }
    let folder = path.parent().expect("below the package");
    fs::create_dir_all(folder).expect("a folder");
    let whole = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder).expect("a file");
    fs::write(whole.path(), made).expect("written");
    whole.persist(path).expect("moved into its place");
}

/// The lines that only one of two texts has; where both have all, the first line that stands elsewhere.
fn differences(made: &str, found: &str) -> String {
    let only = |sign: char, of: &str, other: &str| -> Vec<String> {
        let others: BTreeSet<&str> = other.lines().collect();
        of.lines().filter(|line| !others.contains(line)).map(|line| format!("\n  {sign} {line}")).collect()
    };
    let mut lines = only('-', found, made);
    lines.extend(only('+', made, found));
    if lines.is_empty() {
        let at = made.lines().zip(found.lines()).position(|(made, found)| made != found);
        return at.map_or("the number of lines differs".to_owned(), |at| format!("the order of lines, from line {}", at + 1));
    }
    let rest = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if rest > 0 {
        lines.push(format!("\n  … and {rest} more"));
    }
    lines.concat()
}

/// A text with another section between two marks, `<!-- made: <name> -->` and `<!-- end: <name> -->`.
pub fn with_section(text: &str, name: &str, section: &str) -> String {
    let (opening, closing) = (format!("<!-- made: {name} -->"), format!("<!-- end: {name} -->"));
    let (before, rest) = text.split_once(&opening).unwrap_or_else(|| panic!("there is no {opening}"));
    let (_, after) = rest.split_once(&closing).unwrap_or_else(|| panic!("there is no {closing}"));
    format!("{before}{opening}\n{section}{closing}{after}")
}
