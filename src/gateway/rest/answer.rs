//! What an answer of the AsyncOS API means.
//!
//! ```json
//! {"error":{"message":"Not Found.","code":"404","explanation":"404 = Nothing matches the given URI."}}
//! ```
//!
//! The status 404 comes for wrong parameters, too, with other words: only the words "Not Found." say that something is not there.

use serde_json::Value;

use super::CHECK_URL;
use crate::remote::{Error, Kind, Reply, read_json};

/// What the device says of an error.
#[derive(Debug, Default)]
struct Words {
    message: String,
    code: Option<String>,
    explanation: Option<String>,
}

/// Gives the JSON of an answer, or what the device said instead.
pub(super) fn understand(reply: &Reply, path: &str) -> Result<Value, Error> {
    let body: Option<Value> = read_json(&reply.body).ok();
    let words = body.as_ref().and_then(words);
    match (reply.status, words, body) {
        (200..=299, None, Some(body)) => Ok(body),
        (200..=299, None, None) => Err(Error::new(Kind::Unavailable, "The answer of the AsyncOS API is cut off or is not JSON.")
            .hint(CHECK_URL)
            .context("path", path)
            .retryable()),
        (status, words, _) => Err(refusal(status, words, path)),
    }
}

fn refusal(status: u16, words: Option<Words>, path: &str) -> Error {
    let Some(Words { message, code, explanation }) = words else {
        let error = Error::new(
            if status >= 500 { Kind::Unavailable } else { Kind::Unexpected },
            format!("The AsyncOS API answered HTTP {status} without a reason."),
        )
        .context("path", path);
        return if status >= 500 { error.retryable() } else { error.hint(CHECK_URL) };
    };
    let error = match status {
        404 if is_not_found(&message) => Error::new(Kind::NotFound, message),
        401 | 403 => {
            let said = explanation.map_or_else(|| message.clone(), |explanation| format!("{message} ({explanation})"));
            Error::new(Kind::Denied, said).hint(
                "Check `gateway.api.username` and `gateway.api.password`, and whether the account's role may use the AsyncOS API.",
            )
        }
        429 => Error::new(Kind::Throttled, message).retryable(),
        500.. => Error::new(Kind::Unavailable, message).retryable(),
        _ => Error::new(Kind::Invalid, message),
    };
    let error = error.context("path", path);
    match code.filter(|code| *code != status.to_string()) {
        Some(code) => error.context("code", code),
        None => error,
    }
}

/// The words of an error, if the answer is one.
fn words(body: &Value) -> Option<Words> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let error = body.get("error").filter(|error| !error.is_null())?;
    if error.is_object() {
        let member = |name: &str| error.get(name).and_then(text);
        let message = member("message").or_else(|| member("explanation"));
        let message = message.unwrap_or_else(|| "The AsyncOS API reports an error without a message.".to_owned());
        return Some(Words { message, code: member("code"), explanation: member("explanation") });
    }
    Some(Words { message: text(error).unwrap_or_else(|| error.to_string()), ..Words::default() })
}

/// Whether these are the words for "there is no such thing", whatever the case and the full stop.
fn is_not_found(message: &str) -> bool {
    let words: Vec<String> = message
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "404")
        .map(str::to_lowercase)
        .collect();
    words == ["not", "found"]
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn check(status: u16, body: &str, wanted: Result<&str, (Kind, bool, &str)>) {
        let reply = Reply { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        let found = understand(&reply, "/esa/api/v2.0/x");
        let found = found.as_ref().map(Value::to_string).map_err(|error| (error.kind, error.retryable, error.to_string()));
        match (found, wanted) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted),
            (Err((kind, retryable, words)), Err((wanted, again, part))) => {
                assert_eq!((kind, retryable), (wanted, again), "{body}");
                assert!(words.contains(part), "{words}");
            }
            (found, _) => panic!("{body}: {found:?}"),
        }
    }

    #[test]
    fn only_the_words_not_found_say_that_something_is_not_there() {
        for message in ["Not Found.", "not found", "404 Not Found"] {
            let body = format!(
                r#"{{"error":{{"message":"{message}","code":"404","explanation":"404 = Nothing matches the given URI."}}}}"#
            );
            check(404, &body, Err((Kind::NotFound, false, message)));
        }
        check(
            404,
            r#"{"error":{"message":"startDate and endDate attribute supports only 00 seconds and 000 microseconds.","code":404}}"#,
            Err((Kind::Invalid, false, "only 00 seconds")),
        );
        check(
            404,
            r#"{"error":{"message":"Sender group Not Found in list.","code":404}}"#,
            Err((Kind::Invalid, false, "Sender group")),
        );
        check(404, "<html>Not Found</html>", Err((Kind::Unexpected, false, "gateway.api.url")));
        check(404, "{}", Err((Kind::Unexpected, false, "HTTP 404")));
    }

    #[test]
    fn an_error_says_what_the_device_said() {
        check(
            401,
            r#"{"error":{"message":"Unauthorized.","code":"401","explanation":"401 = No permission."}}"#,
            Err((Kind::Denied, false, "No permission")),
        );
        check(400, r#"{"error":"Bad thing"}"#, Err((Kind::Invalid, false, "Bad thing")));
        check(
            500,
            r#"{"error":{"message":"Server got itself in trouble","code":500}}"#,
            Err((Kind::Unavailable, true, "in trouble")),
        );
        check(503, "busy", Err((Kind::Unavailable, true, "503")));
        check(200, r#"{"error":{"message":"Bad","code":"404"}}"#, Err((Kind::Invalid, false, "Bad")));
    }

    #[test]
    fn an_answer_that_is_cut_off_is_never_data() {
        check(200, r#"{"data":[]}"#, Ok(r#"{"data":[]}"#));
        check(200, r#"{"data":["#, Err((Kind::Unavailable, true, "cut off")));
        check(200, "", Err((Kind::Unavailable, true, "cut off")));
    }
}
