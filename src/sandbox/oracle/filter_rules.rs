//! The rules of message filters, one by one. A pattern matches anywhere in a text, with case, unless it says otherwise.

use regex::Regex;

use super::filter_run::plain;
use super::senders;
use super::{Broken, Content, Peer};
use crate::sandbox::gateway::tables::filter_script::Value;

/// What a rule gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    /// It cannot be evaluated, for this reason.
    Unknown(String),
}

impl Truth {
    pub(super) fn of(yes: bool) -> Truth {
        if yes { Truth::True } else { Truth::False }
    }

    pub(super) fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (unknown @ Truth::Unknown(_), _) | (_, unknown @ Truth::Unknown(_)) => unknown,
            _ => Truth::True,
        }
    }

    pub(super) fn or(self, other: Truth) -> Truth {
        self.not().and(other.not()).not()
    }

    pub(super) fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            unknown @ Truth::Unknown(_) => unknown,
        }
    }
}

/// Holds what a rule can look at.
pub(super) struct Mail<'a> {
    pub(super) listener: &'a str,
    pub(super) interface: &'a str,
    pub(super) group: &'a str,
    pub(super) peer: &'a Peer,
    pub(super) sender: &'a str,
    pub(super) recipients: &'a [String],
    pub(super) content: &'a Content,
    pub(super) broken: Option<Broken>,
}

/// Evaluates a rule by its name.
pub(super) fn evaluate(mail: &Mail<'_>, name: &str, arguments: Option<&[Value]>, comparison: Option<&(String, Value)>) -> Truth {
    let arguments = arguments.unwrap_or_default();
    let argument = |at: usize| arguments.get(at).map(|value| plain(value.text()));
    let compared = |texts: &[&str]| match comparison {
        Some((sign, value)) => compare_texts(mail, texts, sign, &plain(value.text())),
        None => Truth::Unknown(format!("{name} without a comparison")),
    };
    let exact = |text: &str| match comparison {
        Some((sign, value)) if sign == "==" => Truth::of(plain(value.text()) == text),
        Some((sign, value)) if sign == "!=" => Truth::of(plain(value.text()) != text),
        _ => Truth::Unknown(format!("{name} without a comparison")),
    };
    let number = |own: f64| match comparison {
        Some((sign, value)) => compare_numbers(own, sign, value.text()),
        None => Truth::Unknown(format!("{name} without a comparison")),
    };
    let plain_text = |truth: Truth| {
        if mail.content.is_plain() {
            truth
        } else {
            Truth::Unknown(format!("{name} looks into parts, which the stand-in does not"))
        }
    };
    match name {
        "true" => Truth::True,
        "false" => Truth::False,
        "recv-listener" => exact(mail.listener),
        "recv-int" => exact(mail.interface),
        "sendergroup" => compared(&[mail.group]),
        "mail-from" => compared(&[mail.sender]),
        "rcpt-to" => compared(&mail.recipients.iter().map(String::as_str).collect::<Vec<_>>()),
        "subject" => header(mail, "Subject", comparison),
        "header" => match argument(0) {
            Some(named) => header(mail, &named, comparison),
            None => Truth::Unknown("header without a name".into()),
        },
        "remote-ip" => match comparison {
            Some((sign, value)) => match senders::address(&plain(value.text()), mail.peer.address) {
                Some(yes) => equal(sign, Truth::of(yes)),
                None => Truth::Unknown(format!("the address {} is not understood", value.text())),
            },
            None => Truth::Unknown("remote-ip without a comparison".into()),
        },
        "rcpt-count" => number(float(mail.recipients.len() as u64)),
        "size" => number(float(mail.content.size())),
        "body-size" => plain_text(number(float(mail.content.body_size()))),
        "addr-count" => {
            let named: Vec<String> = arguments.iter().map(|value| plain(value.text())).collect();
            let count: usize =
                named.iter().flat_map(|name| mail.content.values(name)).map(|value| value.split(',').count()).sum();
            if named.iter().flat_map(|name| mail.content.values(name)).any(|value| value.contains(['"', '(', ';'])) {
                return Truth::Unknown("addr-count of a header with quotes or groups".into());
            }
            number(float(count as u64))
        }
        "reputation" => match mail.peer.reputation {
            Some(score) => number(score),
            None => Truth::False,
        },
        "no-reputation" => Truth::of(mail.peer.reputation.is_none()),
        "body-contains" | "only-body-contains" => {
            let wanted = arguments.get(1).map_or(Some(1), |value| value.text().parse::<usize>().ok());
            match (argument(0), wanted) {
                (Some(pattern), Some(wanted)) => plain_text(match Regex::new(&pattern) {
                    Ok(pattern) => Truth::of(pattern.find_iter(&mail.content.body).count() >= wanted),
                    Err(_) => Truth::Unknown(format!("the pattern {pattern} is not understood")),
                }),
                _ => Truth::Unknown(format!("{name} without its pattern")),
            }
        }
        "valid" => plain_text(Truth::True),
        // A message without parts has no attachment, no signature, and no boundary.
        "attachment-filename"
        | "attachment-type"
        | "attachment-filetype"
        | "attachment-mimetype"
        | "attachment-protected"
        | "attachment-unprotected"
        | "attachment-corrupt"
        | "attachment-contains"
        | "attachment-binary-contains"
        | "attachment-dictionary-match"
        | "attachment-size"
        | "signed"
        | "signed-certificate"
        | "duplicate_boundaries"
        | "image-verdict"
        | "macro-detection-rule" => plain_text(Truth::False),
        other => Truth::Unknown(format!("the rule {other} is not part of the stand-in")),
    }
}

/// Looks at a header: is it there, or does one of its values match.
fn header(mail: &Mail<'_>, name: &str, comparison: Option<&(String, Value)>) -> Truth {
    let values: Vec<&str> = mail.content.values(name).collect();
    if name.eq_ignore_ascii_case("Received") {
        return Truth::Unknown("the header Received, which the stand-in does not write".into());
    }
    let Some((sign, value)) = comparison else { return Truth::of(!values.is_empty()) };
    if values.is_empty() {
        return match sign.as_str() {
            "==" => Truth::False,
            _ => Truth::Unknown(format!("whether {sign} holds for the header {name}, which is not there, is not documented")),
        };
    }
    if values.iter().any(|value| value.contains("=?")) {
        return Truth::Unknown(format!("the header {name} is encoded"));
    }
    compare_texts(mail, &values, sign, &plain(value.text()))
}

/// Tells whether a pattern matches any of the texts, or none of them for `!=`.
fn compare_texts(mail: &Mail<'_>, texts: &[&str], sign: &str, pattern: &str) -> Truth {
    let wanted = if mail.broken == Some(Broken::WholePattern) { format!("^(?:{pattern})$") } else { pattern.to_owned() };
    match Regex::new(&wanted) {
        Ok(wanted) => equal(sign, Truth::of(texts.iter().any(|text| wanted.is_match(text)))),
        Err(_) => Truth::Unknown(format!("the pattern {pattern} is not understood")),
    }
}

fn equal(sign: &str, truth: Truth) -> Truth {
    match sign {
        "==" => truth,
        "!=" => truth.not(),
        other => Truth::Unknown(format!("{other} between texts")),
    }
}

/// A count as a number with a fraction; more than four thousand million is all the same.
fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// Compares numbers; `k`, `M` and `G` are units, and `b` is one byte.
fn compare_numbers(own: f64, sign: &str, text: &str) -> Truth {
    let (digits, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1024.0),
        Some((at, 'm' | 'M')) => (&text[..at], 1024.0 * 1024.0),
        Some((at, 'g' | 'G')) => (&text[..at], 1024.0 * 1024.0 * 1024.0),
        Some((at, 'b' | 'B')) => (&text[..at], 1.0),
        _ => (text, 1.0),
    };
    let Ok(number) = digits.parse::<f64>() else { return Truth::Unknown(format!("the number {text} is not understood")) };
    let number = number * factor;
    Truth::of(match sign {
        "==" => (own - number).abs() < f64::EPSILON,
        "!=" => (own - number).abs() >= f64::EPSILON,
        "<" => own < number,
        ">" => own > number,
        "<=" => own <= number,
        ">=" => own >= number,
        other => return Truth::Unknown(format!("{other} between numbers")),
    })
}
