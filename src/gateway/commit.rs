//! The dialog of `commit`: its comment, its question about a rollback, and all the ways in which it ends.
//!
//! `There is no data to commit.` and `Changes committed: …` are the two good ends. `Are you ready to discard all of your changes?` means
//! that somebody else committed in between; yes would throw this run's work away, so the answer is no. A peer of the cluster that is
//! away is a notice. Every other end is a refusal, in the device's words. A commit is never interrupted while it works.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use tokio::time::Instant;

use super::device::Commit;
use super::shell::{Limit, Next, Shell, Shown, Way, seconds};
use super::stop::{Asks, Question, Stop, Turn};
use crate::remote::{Error, Kind};

/// The longest commit comment; what is longer is cut.
const LONGEST_COMMENT: usize = 200;

/// More questions than any commit asks.
const MOST_QUESTIONS: usize = 12;

static PEER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(machine|host|peer|member|cluster|appliance)s?\b.*\b(disconnected|unreachable|not reachable|not connected|down|away|(could not|cannot) be (reached|contacted))\b",
    )
});
static GO_ON: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(continue|proceed|go on|anyway|commit)\b"));

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant, and a test uses it")
}

/// Commits what is staged, within `limit_of_all`.
pub(super) async fn commit(
    shell: &mut Shell,
    comment: &str,
    rollback_snapshot: bool,
    limit_of_all: Duration,
) -> Result<Commit, Error> {
    shell.begin().await?;
    shell.type_line("commit", Shown::Plain).await?;
    let started = Instant::now();
    let mut notices = Vec::new();
    let mut last: Option<Question> = None;
    let mut collision: Option<String> = None;
    let mut questions = 0;
    loop {
        let left = limit_of_all.saturating_sub(started.elapsed());
        let limit = Limit { silence: left, total: left, doubts: false, next: Next::Prompt };
        let turn = shell.turn(limit).await.map_err(|error| late(error, limit_of_all))?;
        let (question, stop) = match &turn.stop {
            Stop::Prompt => {
                shell.end();
                return Ok(ended(&shell.transcript().masked(&turn.said), notices, collision));
            }
            Stop::Question(question) => (question, &turn.stop),
            stop => return Ok(abandon(shell, &turn, stop, collision).await),
        };
        questions += 1;
        if questions > MOST_QUESTIONS || last.as_ref().is_some_and(|last| last.same(question)) {
            return Ok(abandon(shell, &turn, stop, collision).await);
        }
        let answer = match about(&turn, question) {
            About::Comment => one_line(comment),
            About::Rollback => if rollback_snapshot { "Y" } else { "N" }.to_owned(),
            About::Collision => {
                collision = Some(shell.transcript().masked(&all_words(&turn, question)));
                "N".to_owned()
            }
            About::Peer => {
                notices.push(shell.transcript().masked(&all_words(&turn, question)));
                "Y".to_owned()
            }
            About::Unknown => return Ok(abandon(shell, &turn, stop, collision).await),
        };
        if !matches!(about(&turn, question), About::Collision | About::Peer) {
            notices.extend(paragraphs(&shell.transcript().masked(&turn.said)));
        }
        last = Some(question.clone());
        shell.type_line(&answer, Shown::Plain).await?;
    }
}

/// Leaves a commit that asks something nobody knows. Nothing was agreed to, so nothing is committed.
async fn abandon(shell: &mut Shell, turn: &Turn, stop: &Stop, collision: Option<String>) -> Commit {
    let said = match stop {
        Stop::Question(question) => all_words(turn, question),
        stop => format!("{}\n{}", turn.said, stop.words()),
    };
    let said = shell.transcript().masked(said.trim());
    if shell.leave(stop, Way::Interrupt).await {
        shell.end();
    }
    collision.map_or(Commit::Refused(said), Commit::Collision)
}

/// What a question of `commit` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Comment,
    Rollback,
    Collision,
    Peer,
    Unknown,
}

fn about(turn: &Turn, question: &Question) -> About {
    let all = all_words(turn, question).to_lowercase();
    let nearest = question.lines.first().map(|line| line.to_lowercase()).unwrap_or_default();
    if question.asks == Asks::YesNo {
        // First of all: a yes here throws this run's work away.
        if all.contains("discard") && all.contains("your changes") {
            About::Collision
        } else if nearest.contains("rollback") || nearest.contains("save the current configuration") {
            About::Rollback
        } else if PEER.is_match(&all) && GO_ON.is_match(&nearest) {
            About::Peer
        } else {
            About::Unknown
        }
    } else if question.asks == Asks::Text && question.lines.iter().any(|line| line.to_lowercase().contains("comment")) {
        About::Comment
    } else {
        About::Unknown
    }
}

/// How a commit ended that came back to the prompt.
fn ended(said: &str, mut notices: Vec<String>, collision: Option<String>) -> Commit {
    let lower = said.to_lowercase();
    if lower.contains("changes committed") {
        notices.extend(collision);
        let rest: Vec<&str> = said.lines().filter(|line| !line.to_lowercase().contains("changes committed")).collect();
        notices.extend(paragraphs(&rest.join("\n")));
        return Commit::Done { notices };
    }
    if let Some(words) = collision {
        return Commit::Collision(words);
    }
    if lower.contains("no data to commit") || lower.contains("no changes to commit") {
        return Commit::NothingStaged;
    }
    notices.extend(paragraphs(said));
    if notices.is_empty() {
        notices.push("The gateway did not say that the changes were committed.".to_owned());
    }
    Commit::Refused(notices.join("\n"))
}

fn late(error: Error, limit: Duration) -> Error {
    if error.kind == Kind::Unavailable && !error.retryable {
        let message = format!("The commit took longer than {}; whether it went through is not known.", seconds(limit));
        return Error { message, ..error }.hint("The longest time for a commit is set by `gateway.commit.timeout`.");
    }
    error
}

/// What was said, with the question, in one line.
pub(super) fn all_words(turn: &Turn, question: &Question) -> String {
    let said = turn.said.lines().map(str::trim).filter(|line| !line.is_empty());
    // The lines above the nearest one are part of what was said already.
    let nearest = question.lines.first().map(String::as_str);
    said.chain(nearest).collect::<Vec<_>>().join(" ")
}

fn paragraphs(said: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for line in said.lines().map(str::trim) {
        match (line.is_empty(), open, found.last_mut()) {
            (true, ..) => open = false,
            (false, true, Some(paragraph)) => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            (false, ..) => {
                found.push(line.to_owned());
                open = true;
            }
        }
    }
    found
}

/// A comment as it is typed: one line, printable, not too long, not empty.
fn one_line(comment: &str) -> String {
    let printable: String = comment.chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect();
    let words = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(LONGEST_COMMENT).collect();
    if cut.is_empty() { "Terraform".to_owned() } else { cut }
}
