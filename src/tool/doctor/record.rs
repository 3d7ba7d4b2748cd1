//! `--record DIR`: one file for each conversation, for this user's eyes only.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::gateway::recording::{FIRST_LINE, Recording};

/// Makes sure that the folder is there and is ours: empty, or with nothing but transcripts in it.
pub(super) fn prepare(folder: &Path) -> Result<(), String> {
    let place = folder.display();
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            return builder.create(folder).map_err(|error| format!("{place} cannot be made: {error}"));
        }
        Err(error) => return Err(format!("{place} cannot be looked at: {error}")),
        Ok(found) if !found.is_dir() => return Err(format!("{place} is not a folder")),
        Ok(_) => {}
    }
    match files(folder).map_err(|error| format!("{place} cannot be read: {error}"))? {
        Ok(_) => Ok(()),
        Err(other) => Err(format!(
            "{place} holds {other:?}, which is no transcript: give a folder that is new, empty, or that this command made"
        )),
    }
}

/// Writes the transcripts in place of those that an earlier run left. Gives how many there are.
pub(super) fn write(folder: &Path, recordings: &[Recording]) -> io::Result<usize> {
    match files(folder)? {
        Ok(old) => old.iter().try_for_each(fs::remove_file)?,
        Err(other) => return Err(io::Error::other(format!("{other} appeared in the folder"))),
    }
    for (at, recording) in recordings.iter().enumerate() {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(folder.join(name(at + 1, recording)))?;
        file.write_all(recording.write().as_bytes())?;
    }
    Ok(recordings.len())
}

/// `07-hosts-incomingmail.txt`
fn name(number: usize, recording: &Recording) -> String {
    let topic = if recording.table == "command" { typed(&recording.text) } else { &recording.table };
    let plain: String = topic
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .take(60)
        .collect();
    format!("{number:02}-{}.txt", plain.trim_matches('-'))
}

/// What was typed first.
fn typed(text: &str) -> &str {
    text.split_once('«').and_then(|(_, rest)| rest.split_once('»')).map_or("command", |(typed, _)| typed)
}

/// The transcripts in a folder, or the name of something else in it.
fn files(folder: &Path) -> io::Result<Result<Vec<std::path::PathBuf>, String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_ours = entry.file_type()?.is_file()
            && entry.path().extension().is_some_and(|extension| extension == "txt")
            && fs::read(entry.path())?.starts_with(FIRST_LINE.as_bytes());
        if !is_ours {
            return Ok(Err(entry.file_name().to_string_lossy().into_owned()));
        }
        found.push(entry.path());
    }
    Ok(Ok(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        Recording {
            source: "a test".to_owned(),
            release: None,
            mode: "standalone".to_owned(),
            table: "hosts Incoming/Mail".to_owned(),
            rows: Some(0),
            not_understood: 0,
            text: "esa> ".to_owned(),
        }
    }

    #[test]
    fn a_folder_of_our_own_is_written_anew_and_no_other_is_touched() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("a/b");
        for recordings in [vec![recording(), recording()], vec![recording()]] {
            prepare(&folder).expect("ours");
            assert_eq!(write(&folder, &recordings).expect("written"), recordings.len());
            assert_eq!(fs::read_dir(&folder).expect("read").count(), recordings.len());
        }
        let file = folder.join("01-hosts-incoming-mail.txt");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::metadata(&folder).expect("there").permissions().mode() & 0o777, 0o700);
        }
        fs::write(folder.join("letter.txt"), "dear reader").expect("written");
        let problem = prepare(&folder).expect_err("not ours");
        assert!(problem.contains("letter.txt"), "{problem}");
        assert!(write(&folder, &[recording()]).is_err());
        assert!(prepare(&file).is_err(), "a file is no folder");
    }
}
