//! Replays every transcript below `tests/transcripts/` through the code that talks to a real gateway, and through the parser of its table.
//!
//! A new file needs no new line here: see `tests/transcripts/README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use mailflow::gateway::recording::Recording;
use mailflow::gateway::replay::replay;

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(below(&path));
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What is wrong with a transcript.
async fn check(text: &str) -> Result<(), String> {
    let recording = Recording::read(text)?;
    let (rows, not_understood) = if let Some(noun) = recording.table.strip_prefix("exchange ") {
        mailflow::exchange::examination::replay(noun, &recording.text).map_err(|error| error.to_string())?
    } else {
        let rows = replay(&recording).await.map_err(|error| error.diagnostic("replay it").detail)?;
        (rows.rows.len(), rows.not_understood)
    };
    if not_understood.len() != recording.not_understood {
        return Err(format!(
            "{} lines were not understood instead of {}:\n{}",
            not_understood.len(),
            recording.not_understood,
            not_understood.join("\n")
        ));
    }
    match recording.rows {
        Some(wanted) if wanted != rows => Err(format!("{rows} rows were read instead of {wanted}")),
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn every_transcript_is_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let files = below(&folder);
    assert!(files.len() > 30, "the transcripts were found: {}", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a transcript");
        if let Err(problem) = check(&text).await {
            wrong.push(format!("{}: {problem}", file.strip_prefix(&folder).unwrap_or(&file).display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(start_paused = true)]
async fn a_transcript_that_does_not_hold_is_seen() {
    let good = include_str!("../transcripts/documents/recipients-ug-9.1.2.txt");
    check(good).await.expect("it holds as it is");
    for (from, to, said) in [
        ("# rows: 2", "# rows: 3", "2 rows were read instead of 3"),
        (".example.com ACCEPT", ".example.com PERHAPS", "1 lines were not understood instead of 0"),
        ("«RCPTACCESS»", "«HOSTACCESS»", "in the transcript stands"),
        ("ALL REJECT\n", "", "missing"),
    ] {
        let broken = good.replace(from, to);
        assert_ne!(broken, good, "{from}");
        let problem = check(&broken).await.expect_err(from);
        assert!(problem.contains(said), "{from}: {problem}");
    }
}
