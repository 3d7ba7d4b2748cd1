//! Replays a recorded conversation: the device's lines come from the file, and everything above them is what talks to a real device.
//!
//! The reader of the table types what it always types. A conversation in which something else was typed does not fit, which is an error:
//! either the file was changed by hand, or the reader now asks another way and the file has to be recorded anew.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use async_trait::async_trait;

use super::driver;
use super::recording::Recording;
use super::session::Session;
use super::settings::{CommitSettings, Level, Login, PendingChanges, Settings};
use super::shell::{Line, Shell, Shown, Timing};
use super::stop::Stop;
use super::table::{Printout, Rows};
use crate::remote::{Error, Kind};

/// Replays a conversation, and gives what the parser of its table understands. Conversations about no table give no rows.
pub async fn replay(recording: &Recording) -> Result<Rows, Error> {
    let level = recording.level().map_err(|problem| Error::new(Kind::Invalid, problem))?;
    match recording.table.as_str() {
        "login" => login(recording, level).await,
        "command" => command(recording).await,
        table => {
            let Some(printout) = Printout::of_header(table) else {
                return Err(Error::new(Kind::Invalid, format!("\"# table: {table}\" is no table of the gateway.")));
            };
            read(recording, &printout, &level).await
        }
    }
}

/// Logs in, which must give the release that the header names.
async fn login(recording: &Recording, level: Level) -> Result<Rows, Error> {
    let settings = Settings {
        login: Login {
            host: String::new(),
            port: 22,
            username: String::new(),
            password: None,
            private_key: None,
            private_key_passphrase: None,
            host_keys: Vec::new(),
            legacy_algorithms: false,
            jump_host: None,
        },
        cluster: level,
        commit: CommitSettings {
            comment: String::new(),
            quiet_period: Duration::ZERO,
            timeout: Duration::ZERO,
            rollback_snapshot: false,
        },
        pending_changes: PendingChanges::Error,
        read_only: true,
        api: None,
    };
    let session = Session::open(Player::line(recording), &settings, Timing::default()).await?;
    if session.release() != recording.release.as_deref() {
        let (found, wanted) = (session.release().unwrap_or("unknown"), recording.release.as_deref().unwrap_or("unknown"));
        return Err(Error::new(Kind::Unexpected, format!("The release was read as {found}, and the header says {wanted}.")));
    }
    Ok(Rows::default())
}

/// Types each command of the conversation, which must come back to the prompt.
async fn command(recording: &Recording) -> Result<Rows, Error> {
    let typed: Vec<String> = turns(&recording.text).into_iter().filter_map(|turn| turn.typed).collect();
    let mut shell = shell(recording).await?;
    for typed in typed {
        shell.begin().await?;
        shell.type_line(&typed, Shown::Plain).await?;
        let limit = shell.patience();
        let turn = shell.turn(limit).await?;
        if turn.stop != Stop::Prompt {
            return Err(shell.unexpected(&turn.stop, format!("{typed:?} did not come back to the prompt.")).await);
        }
        shell.end();
    }
    Ok(Rows::default())
}

async fn read(recording: &Recording, printout: &Printout, level: &Level) -> Result<Rows, Error> {
    let mut shell = shell(recording).await?;
    let mut said = Vec::new();
    while let Some(dialog) = printout.dialog(&said) {
        said.push(driver::walk(&mut shell, &dialog, level).await?);
    }
    printout.parse(&said)
}

/// A shell at the first prompt of the conversation.
async fn shell(recording: &Recording) -> Result<Shell, Error> {
    let mut shell = Shell::new(Player::line(recording), Timing::default());
    shell.expect_any_prompt();
    let limit = shell.patience();
    let turn = shell.turn(limit).await?;
    if turn.stop != Stop::Prompt {
        return Err(Error::new(Kind::Unexpected, "The conversation does not begin at a prompt."));
    }
    shell.learn();
    shell.end();
    Ok(shell)
}

/// What came up to a stop, and what was typed there; nothing behind the last one.
struct Turn {
    printed: String,
    typed: Option<String>,
}

fn turns(text: &str) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut rest = text;
    while let Some((printed, behind)) = rest.split_once('«') {
        let (typed, behind) = behind.split_once('»').unwrap_or((behind, ""));
        turns.push(Turn { printed: stopped(printed), typed: Some(typed.to_owned()) });
        rest = behind.strip_prefix('\n').unwrap_or(behind);
    }
    turns.push(Turn { printed: stopped(rest), typed: None });
    turns
}

/// What came, up to the row that the cursor stands in: editors drop the blank behind it.
fn stopped(printed: &str) -> String {
    let row = printed.trim_end();
    let blank = if row.ends_with(['>', '#']) { " " } else { "" };
    format!("{row}{blank}")
}

/// The device of a recorded conversation.
struct Player {
    turns: VecDeque<Turn>,
    ready: VecDeque<Vec<u8>>,
    expected: Option<String>,
    typed: Vec<u8>,
}

impl Player {
    fn line(recording: &Recording) -> Box<dyn Line> {
        let mut player =
            Player { turns: turns(&recording.text).into(), ready: VecDeque::new(), expected: None, typed: Vec::new() };
        player.play();
        Box::new(player)
    }

    /// Makes what is printed next ready.
    fn play(&mut self) {
        if let Some(turn) = self.turns.pop_front() {
            self.ready.push_back(turn.printed.replace('\n', "\r\n").into_bytes());
            self.expected = turn.typed;
        }
    }

    fn enter(&mut self, typed: &str) -> io::Result<()> {
        match self.expected.take() {
            Some(expected) if expected == typed => {
                self.ready.push_back(format!("{typed}\r\n").into_bytes());
                self.play();
                Ok(())
            }
            Some(expected) => {
                Err(io::Error::other(format!("the reader typed {typed:?}, and in the transcript stands {expected:?}")))
            }
            None => Err(io::Error::other(format!("the reader typed {typed:?} behind the end of the transcript"))),
        }
    }
}

#[async_trait]
impl Line for Player {
    async fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.ready.pop_front() {
            Some(bytes) => Ok(Some(bytes)),
            None => std::future::pending().await,
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            match byte {
                3 => self.enter("^C")?,
                b'\n' => {
                    let typed = String::from_utf8_lossy(&std::mem::take(&mut self.typed)).into_owned();
                    self.enter(&typed)?;
                }
                other => self.typed.push(*other),
            }
        }
        Ok(())
    }

    async fn close(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(table: &str, text: &str) -> Recording {
        Recording {
            source: "a test".to_owned(),
            release: Some("15.0.0-104".to_owned()),
            mode: "standalone".to_owned(),
            table: table.to_owned(),
            rows: None,
            not_understood: 0,
            text: text.to_owned(),
        }
    }

    const ROUTES: &str = "esa> «smtproutes»\nThere are currently 1 routes configured.\nChoose the operation you want to perform:\n- NEW - Create.\n- PRINT - Display.\n[]> «PRINT»\n\nexample.com mx.example.com\n\nChoose the operation you want to perform:\n- NEW - Create.\n- PRINT - Display.\n[]> «»\n\nesa>";

    #[tokio::test(start_paused = true)]
    async fn a_table_is_read_from_the_file() {
        let rows = replay(&recording("routes", ROUTES)).await.expect("replayed");
        assert_eq!((rows.rows.len(), rows.not_understood.len()), (1, 0));
        let odd = ROUTES.replace("example.com mx", "?? 7 mx");
        let rows = replay(&recording("routes", &odd)).await;
        assert!(rows.is_err() || rows.is_ok_and(|rows| !rows.not_understood.is_empty()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_reader_does_not_type_is_named() {
        let text = ROUTES.replace("«PRINT»", "«LIST»");
        let error = replay(&recording("routes", &text)).await.expect_err("does not fit");
        assert!(error.message.contains("\"PRINT\"") && error.message.contains("\"LIST\""), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_must_give_the_release_of_the_header() {
        let text = "AsyncOS 15.0.0 for Cisco C600V build 104\n\nesa> «setttymode 0 1»\nesa>";
        replay(&recording("login", text)).await.expect("logged in");
        let error = replay(&recording("login", &text.replace("104", "7"))).await.expect_err("another release");
        assert!(error.message.contains("15.0.0-7"), "{error}");
    }
}
