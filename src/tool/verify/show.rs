//! What is printed: a few lines for a person, or JSON for a program.

use std::fmt::Write as _;

use serde_json::json;

use super::advice::Look;
use super::ladder::{Report, State, What};
use super::message::Message;
use crate::remote::shown;

/// The width of the text.
const WIDTH: usize = 80;
/// Where the words of a rung begin.
const INDENT: usize = 12;

/// The ladder for a person, within 80 columns.
pub(super) fn text(report: &Report, message: &Message) -> String {
    let mut out = match report.what {
        What::Inbound => format!("Inbound mail to {}\nSubject: {}\n\n", message.to, message.subject()),
        What::Outbound => format!("Outbound mail to {}\nSubject: {}\n\n", message.to, message.subject()),
        What::Foreign => format!("Mail of another tenant to {}\nTraced without the secret; nothing was sent.\n\n", message.to),
    };
    for rung in &report.rungs {
        let mark = match rung.state {
            State::Held => "ok",
            State::Failed => "FAILED",
            State::Unjudged => "not judged",
            State::NotReached => "-",
        };
        let seen = if rung.seen.is_empty() { "not reached" } else { rung.seen.as_str() };
        put(&mut out, mark, &format!("{}: {}", rung.name, one_line(seen)));
        for Look { setting, why } in &rung.look_at {
            let line = if setting.is_empty() { (*why).to_owned() } else { format!("{setting}: {why}") };
            put(&mut out, "", &format!("look at {line}"));
        }
    }
    let end = match (report.state(), report.what) {
        (State::Held, What::Foreign) => "Mail of another tenant is not relayed.",
        (State::Held, _) => "The message arrived as it should.",
        (State::Failed, What::Foreign) => "The gateway relays mail of another tenant.",
        (State::Failed, _) => "The message did not arrive as it should.",
        (State::Unjudged | State::NotReached, _) => "It could not be judged.",
    };
    let _ = write!(out, "\n{end}");
    out
}

/// A line with its mark, broken at blanks.
fn put(out: &mut String, mark: &str, text: &str) {
    let mut row = format!("  {mark:<width$}", width = INDENT - 2);
    let mut filled = INDENT;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if filled > INDENT && filled + 1 + length > WIDTH {
            out.push_str(row.trim_end());
            out.push('\n');
            row = " ".repeat(INDENT);
            filled = INDENT;
        }
        if filled > INDENT {
            row.push(' ');
            filled += 1;
        }
        row.push_str(word);
        filled += length;
    }
    out.push_str(row.trim_end());
    out.push('\n');
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The ladder for a program.
pub(super) fn json(report: &Report, message: &Message) -> String {
    let look = |look: &Look| {
        let setting = (!look.setting.is_empty()).then_some(look.setting);
        json!({ "setting": setting, "why": look.why })
    };
    let rungs: Vec<_> = report
        .rungs
        .iter()
        .map(|rung| {
            let seen = (!rung.seen.is_empty()).then(|| shown(&rung.seen));
            json!({ "name": rung.name, "state": rung.state.word(), "seen": seen, "look_at": rung.look_at.iter().map(look).collect::<Vec<_>>() })
        })
        .collect();
    let sent = report.what != What::Foreign;
    let whole = json!({
        "check": report.what.word(),
        "to": message.to,
        "from": message.from,
        "subject": sent.then(|| message.subject()),
        "result": report.state().word(),
        "rungs": rungs,
    });
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}
