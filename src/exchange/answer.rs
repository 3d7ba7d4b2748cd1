//! What an answer to a cmdlet call says: objects and warnings, or a failure and whether the call was done all the same.
//!
//! A good answer:
//!
//! ```json
//! {"@odata.context":"…","@adminapi.warnings":[],"value":[{"Name":"a","Guid":"…","Guid@odata.type":"#Guid"}]}
//! ```

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::fault::{self, Fault};
use crate::remote::{Between, Error, Kind, Masks, Reply, Unreadable, read_json};

/// What an answer is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The cmdlet.
    pub cmdlet: &'a str,
    /// Whether it changes something.
    pub writes: bool,
    /// What must not be repeated.
    pub masks: &'a Masks,
}

/// A call that succeeded.
#[derive(Debug, Default)]
pub struct Answer {
    /// The objects; nothing if the answer does not hold a well-formed array of them.
    pub objects: Option<Vec<Object>>,
    /// What the service wants the user to know.
    pub warnings: Vec<String>,
    /// Where more objects are to be had.
    pub next: Option<String>,
}

/// One object as the service shows it. Names are looked up in any case; type annotations are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object(BTreeMap<String, Member>);

/// A member of an object: its name as the service spells it, and its value.
#[derive(Debug, Clone, Default, PartialEq)]
struct Member {
    name: String,
    value: Value,
}

/// A call that failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// What went wrong.
    pub error: Error,
    /// The service may have done what was asked all the same.
    pub lost: bool,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How long the service asked to wait.
    pub wait: Option<Duration>,
}

/// Nothing was sent.
impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, lost: false, status: None, wait: None }
    }
}

/// The most that a body may unpack to.
const MOST_BYTES: u64 = 64 << 20;

impl Object {
    /// Takes an object of an answer.
    pub fn new(members: serde_json::Map<String, Value>) -> Object {
        let members = members.into_iter().filter(|(name, _)| !name.contains('@'));
        Object(members.map(|(name, value)| (name.to_ascii_lowercase(), Member { name, value })).collect())
    }

    /// Tells whether a member is there at all, null or not.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(&name.to_ascii_lowercase())
    }

    /// A member; null if it is not there.
    pub fn get(&self, name: &str) -> &Value {
        self.0.get(&name.to_ascii_lowercase()).map_or(&Value::Null, |member| &member.value)
    }

    /// A member by its name in lower case; null if it is not there.
    pub fn shown(&self, member: &str) -> &Value {
        self.0.get(member).map_or(&Value::Null, |member| &member.value)
    }

    /// Tells whether a member, by its name in lower case, is there at all, null or not.
    pub fn shows(&self, member: &str) -> bool {
        self.0.contains_key(member)
    }

    /// All members by their names in lower case.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, member)| (name.as_str(), &member.value))
    }

    /// All members by their names as the service spells them.
    pub fn spelled(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.values().map(|member| (member.name.as_str(), &member.value))
    }

    /// The text of a member.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// The object's GUID in lower case. It stays when the object is renamed.
    pub fn guid(&self) -> Option<String> {
        self.text("Guid").filter(|guid| !guid.is_empty()).map(str::to_ascii_lowercase)
    }

    /// Tells whether this is the object's name, in any case.
    pub fn is_named(&self, name: &str) -> bool {
        self.text("Name").is_some_and(|own| own.to_lowercase() == name.to_lowercase())
    }
}

/// Understands an answer. All that comes back is free of secrets.
pub fn understand(reply: &Reply, asked: Asked<'_>) -> Result<Answer, Failed> {
    let mut outcome = read(reply, asked);
    match &mut outcome {
        Ok(answer) => answer.warnings.iter_mut().for_each(|warning| *warning = asked.masks.mask(warning)),
        Err(failed) => {
            failed.status = Some(reply.status);
            failed.wait = retry_after(&reply.headers);
            let mut error = asked.masks.mask_error(failed.error.clone()).context("cmdlet", asked.cmdlet);
            for (name, header) in [("request id", "request-id"), ("server", "x-calculatedbetarget")] {
                if let Some(value) = reply.headers.get(header).and_then(|value| value.to_str().ok()) {
                    error = error.context(name, value);
                }
            }
            failed.error = error;
        }
    }
    outcome
}

fn read(reply: &Reply, asked: Asked<'_>) -> Result<Answer, Failed> {
    let body = unpack(reply);
    let good = (200..300).contains(&reply.status);
    if reply.status == 204 {
        return Ok(Answer::default());
    }
    if reply.status == 407
        && let Some(between) = Between::of(reply.status, &reply.headers, "")
    {
        return Err(between.error(&format!("`{}`", asked.cmdlet), "Exchange Online", "`exchange.exchange_url`").into());
    }
    if !body.is_empty() && body.iter().all(|byte| *byte == 0) {
        return Err(fault::blank(reply.status, asked));
    }
    let text = String::from_utf8_lossy(&body);
    let text = text.trim_start_matches('\u{feff}').trim_end_matches('\0').trim();
    let parsed = read_json(text.as_bytes());
    match parsed {
        Ok(Value::Object(envelope)) if good => envelope_of(envelope, asked),
        Ok(Value::Object(envelope)) => {
            let header = reply.headers.get("x-exceptiontype").and_then(|value| value.to_str().ok());
            let fault = Fault::of(&envelope, header).unwrap_or_default();
            Err(fault.judge(reply.status, asked))
        }
        Err(Unreadable::NotJson) if let Some(between) = Between::of(reply.status, &reply.headers, text) => {
            let error = between.error(&format!("`{}`", asked.cmdlet), "Exchange Online", "`exchange.exchange_url`");
            Err(Failed { lost: asked.writes && !between.is_held_back(), ..error.into() })
        }
        Err(Unreadable::TooMuch) => {
            let message =
                format!("The answer to `{}` is not read: it holds more values than any list of the service.", asked.cmdlet);
            Err(Failed { lost: asked.writes, ..Error::new(Kind::Unexpected, message).into() })
        }
        _ if good => Err(Failed {
            lost: asked.writes,
            ..Error::new(Kind::Unavailable, "The answer is cut off or is not JSON.").retryable().into()
        }),
        _ => Err(fault::plain(reply.status, text, asked)),
    }
}

fn envelope_of(mut envelope: serde_json::Map<String, Value>, asked: Asked<'_>) -> Result<Answer, Failed> {
    if let Some(errors) = envelope.get("@adminapi.errors").and_then(Value::as_array)
        && let Some(first) = errors.first()
    {
        // The call is answered, but part of it may have been done before the error.
        let failed = Fault::of_detail(first).judge(400, asked);
        return Err(Failed { lost: asked.writes, ..failed });
    }
    // An error envelope under a good status is an error all the same.
    if envelope.get("error").is_some_and(Value::is_object) && !envelope.contains_key("value") {
        let failed = Fault::of(&envelope, None).unwrap_or_default().judge(400, asked);
        return Err(Failed { lost: asked.writes, ..failed });
    }
    if let Some(question) = envelope.get("@adminapi.confirmationmessage").and_then(Value::as_str)
        && !question.is_empty()
    {
        return Err(
            Error::new(Kind::Unexpected, format!("The service asks for a confirmation and did nothing: {question}")).into()
        );
    }
    let warnings = envelope.get("@adminapi.warnings").and_then(Value::as_array).into_iter().flatten();
    let warnings = warnings.map(|warning| Fault::of_detail(warning).message).filter(|text| !text.is_empty()).collect();
    let next = envelope.get("@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
    let objects = match envelope.remove("value") {
        Some(Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(members) => Some(Object::new(members)),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    Ok(Answer { objects, warnings, next })
}

/// The body without its compression. Some answers claim gzip and are plain, so the bytes decide.
fn unpack(reply: &Reply) -> Vec<u8> {
    if reply.body.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let unpacked = flate2::read::MultiGzDecoder::new(reply.body.as_slice()).take(MOST_BYTES).read_to_end(&mut plain);
        if unpacked.is_ok() {
            return plain;
        }
    }
    reply.body.clone()
}

/// How long the service asks to wait: seconds, perhaps with decimals, or a date. At most a day; the past is no wait.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const DAY: Duration = Duration::from_hours(24);
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let wait = if seconds > 0.0 { Duration::try_from_secs_f64(seconds).unwrap_or(DAY) } else { Duration::ZERO };
        return Some(wait.min(DAY));
    }
    let until = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    // Both dates are the server's, so that a wrong clock here does not matter.
    let now = headers.get("date").and_then(|date| OffsetDateTime::parse(date.to_str().ok()?, &Rfc2822).ok());
    let wait = until - now.unwrap_or_else(OffsetDateTime::now_utc);
    Some(Duration::try_from(wait).unwrap_or_default().min(DAY))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        Reply { status, headers: map, body: body.to_vec() }
    }

    fn answer(status: u16, body: &str, writes: bool) -> Result<Answer, Failed> {
        understand(&reply(status, &[], body.as_bytes()), Asked { cmdlet: "Get-X", writes, masks: &Masks::new() })
    }

    #[test]
    fn an_object_is_read_in_any_case_and_without_annotations() {
        let body = r#"{"@odata.context":"c","adminapi.warnings@odata.type":"t","@adminapi.warnings":[],
            "value":[{"Guid@odata.type":"Guid","Guid":"0AB1E768-08B0-4768-81E2-64D6F990C552","Name":"Ä"}]}"#;
        let objects = answer(200, body, false).unwrap().objects.unwrap();
        assert_eq!(objects[0].guid().as_deref(), Some("0ab1e768-08b0-4768-81e2-64d6f990c552"));
        assert!(objects[0].is_named("ä"));
        assert_eq!(objects[0].get("guid@odata.type"), &Value::Null);
    }

    #[test]
    fn no_content_is_success_without_objects() {
        assert!(answer(204, "", true).unwrap().objects.is_none());
    }

    #[test]
    fn a_list_without_a_well_formed_array_has_no_objects() {
        for body in ["{}", r#"{"value":null}"#, r#"{"value":{}}"#, r#"{"value":["a"]}"#] {
            assert!(answer(200, body, false).unwrap().objects.is_none(), "{body}");
        }
    }

    #[test]
    fn e11_a_truncated_answer_may_have_been_done() {
        for body in ["", r#"{"value":[{"Na"#] {
            let failed = answer(200, body, true).unwrap_err();
            assert!(failed.lost && failed.error.retryable, "{body}");
            assert!(!answer(200, body, false).unwrap_err().lost, "{body}");
        }
    }

    #[test]
    fn rx11_a_page_in_place_of_an_answer_is_told_at_once_and_is_no_matter_of_roles() {
        for (status, lost) in [(200, true), (401, false), (403, false), (404, true), (407, false)] {
            let failed = answer(status, "<html><title>Access denied</title></html>", true).unwrap_err();
            assert_eq!((failed.error.kind, failed.error.retryable, failed.lost), (Kind::Unexpected, false, lost), "{status}");
            let text = failed.error.to_string();
            assert!(text.contains("PROXY") && !text.contains("Exchange Administrator"), "{text}");
        }
        // What passes is tried again, and says so in the end.
        let failed = answer(502, "<html>Bad Gateway</html>", false).unwrap_err();
        assert!(failed.error.retryable && failed.error.to_string().contains("HTTP 502"), "{}", failed.error);
    }

    #[test]
    fn e12_an_error_inside_a_good_answer_is_an_error() {
        for body in [
            r#"{"@adminapi.errors":["|System.ArgumentException|The value is bad."],"value":[]}"#,
            r#"{"@adminapi.errors":[{"Message":"The value is bad.","TypeName":"System.ArgumentException"}],"value":[{}]}"#,
            r#"{"error":{"code":"BadRequest","message":"Error executing cmdlet","details":[{"message":"|System.ArgumentException|The value is bad."}]}}"#,
        ] {
            let failed = answer(200, body, true).unwrap_err();
            assert_eq!((failed.error.kind, failed.error.message.as_str()), (Kind::Invalid, "The value is bad."), "{body}");
            assert!(failed.lost && !failed.error.retryable, "{body}");
        }
    }

    #[test]
    fn e12_a_warning_inside_a_good_answer_is_kept() {
        let answer = answer(200, r#"{"@adminapi.warnings":["Mind the gap."],"value":[]}"#, true).unwrap();
        assert_eq!(answer.warnings, ["Mind the gap."]);
    }

    #[test]
    fn a_question_for_confirmation_is_an_error_and_nothing_was_done() {
        let failed = answer(200, r#"{"@adminapi.confirmationmessage":"Sure?","value":[]}"#, true).unwrap_err();
        assert!(!failed.lost);
    }

    #[test]
    fn compressed_and_wrongly_claimed_bodies_are_read() {
        let body = br#"{"value":[]}"#;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(body).unwrap();
        let asked = Asked { cmdlet: "Get-X", writes: false, masks: &Masks::new() };
        for bytes in [packed.finish().unwrap(), body.to_vec(), [b"\xef\xbb\xbf".as_slice(), body].concat()] {
            let answer = understand(&reply(200, &[("content-encoding", "gzip")], &bytes), asked).unwrap();
            assert_eq!(answer.objects, Some(Vec::new()));
        }
    }

    #[test]
    fn a_secret_that_the_service_repeats_is_masked() {
        let body = r#"{"error":{"details":[{"message":"|System.ArgumentException|'key9\"key9' is bad."}]}}"#;
        let masks = Masks::new().with("key9\"key9");
        let failed = understand(&reply(400, &[], body.as_bytes()), Asked { cmdlet: "New-X", writes: true, masks: &masks });
        assert_eq!(failed.unwrap_err().error.message, "'(sensitive)' is bad.");
    }

    #[test]
    fn e01_a_wait_is_seconds_with_decimals_or_a_date() {
        let date = ("date", "Fri, 21 Aug 2026 12:00:00 GMT");
        for (text, wanted) in [
            ("2.1", Some(2100)),
            ("30", Some(30_000)),
            ("-1", Some(0)),
            ("1e400", Some(86_400_000)),
            ("Fri, 21 Aug 2026 12:00:30 GMT", Some(30_000)),
            ("Fri, 21 Aug 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
        ] {
            let wait = retry_after(&reply(429, &[date, ("retry-after", text)], b"").headers);
            assert_eq!(wait.map(|wait| wait.as_millis()), wanted, "{text}");
        }
    }

    #[test]
    fn rs6_no_wait_is_longer_than_a_day() {
        let dates = ["Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"];
        for wait in ["86401", "1e9", "1e300", "-1e300", "inf", "nan", "18446744073709551616", "0x10", ""].into_iter().chain(dates)
        {
            for date in dates {
                let headers = reply(429, &[("retry-after", wait), ("date", date)], b"").headers;
                assert!(retry_after(&headers).is_none_or(|wait| wait <= Duration::from_hours(24)), "{wait} {date}");
            }
        }
    }
}
