//! What something between us and a service answers in the service's place: a proxy that wants a login, or a web page.
//!
//! The services answer in JSON. A page for people is never theirs, whatever its status says: not even a 403 is a matter of rights then.

use reqwest::header::HeaderMap;

use super::{Error, Kind};

/// An answer that is not the service's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    status: u16,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A proxy wants a login of its own.
    Login,
    /// A web page, with its title if it has one.
    Page(Option<String>),
}

/// The status by which a proxy asks for a login.
const PROXY_LOGIN: u16 = 407;
/// The most characters of a title that are shown.
const MOST_CHARACTERS: usize = 100;

impl Between {
    /// Tells whether an answer comes from something in between. `text` is its body without any compression.
    pub fn of(status: u16, headers: &HeaderMap, text: &str) -> Option<Between> {
        if status == PROXY_LOGIN {
            return Some(Between { status, what: What::Login });
        }
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        let is_page = text.starts_with('<') || (kind.contains("html") && !text.is_empty() && !text.starts_with(['{', '[']));
        is_page.then(|| Between { status, what: What::Page(title(text)) })
    }

    /// Whether what was asked for did not come to the service at all.
    pub fn is_held_back(&self) -> bool {
        matches!(self.status, 401 | 403 | PROXY_LOGIN)
    }

    /// The error, with what was asked (`` `Get-TransportRule` ``), who was to answer, and the setting that leads there. It may pass where its status says so.
    pub fn error(&self, asked: &str, who: &str, setting: &str) -> Error {
        let status = self.status;
        let (message, hint) = match &self.what {
            What::Login => (
                format!("{asked} did not come to {who}: a proxy on the way wants a login of its own (HTTP {status})."),
                "This is no matter of the rights of the application. Put the proxy's login into HTTPS_PROXY (or HTTP_PROXY), as \
                 `http://USER:PASSWORD@proxy.example.com:8080`, or name the host in NO_PROXY."
                    .to_owned(),
            ),
            What::Page(title) => {
                let title = title.as_ref().map(|title| format!(", titled {title:?}")).unwrap_or_default();
                (
                    format!("{asked} was answered with a web page (HTTP {status}{title}) and no word of {who}."),
                    format!(
                        "A proxy, a firewall or the sign-in page of a network answers in its place, so this is no matter of the rights of the application. \
                         Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, let the proxy pass the host, and check {setting}."
                    ),
                )
            }
        };
        let may_pass = matches!(status, 408 | 429 | 500..);
        let error = Error::new(if may_pass { Kind::Unavailable } else { Kind::Unexpected }, message).hint(hint);
        if may_pass { error.retryable() } else { error }
    }
}

/// The title of a page, on one line.
fn title(page: &str) -> Option<String> {
    // Case is changed byte by byte, so that places stay the same.
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find('<')?;
    let words: Vec<&str> = page.get(start..end)?.split_whitespace().collect();
    let title: String = words.join(" ").chars().take(MOST_CHARACTERS).collect();
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(status: u16, kind: &str, body: &str) -> Option<Error> {
        let headers = HeaderMap::from_iter([(reqwest::header::CONTENT_TYPE, kind.parse().unwrap())]);
        Between::of(status, &headers, body).map(|between| between.error("`Get-X`", "Exchange Online", "`exchange.exchange_url`"))
    }

    #[test]
    fn rx11_a_page_and_a_proxy_are_told_whatever_the_status_says() {
        for (status, kind, body, said) in [
            (200, "text/html", "<!doctype html><title>Sign\n in</title>", "titled \"Sign in\""),
            (200, "application/json", "\u{feff} <HTML><TITLE lang=\"en\">x</TITLE>", "titled \"x\""),
            (200, "TEXT/HTML; charset=utf-8", "Please sign in.", "web page"),
            (401, "text/html", "<html>", "web page (HTTP 401)"),
            (403, "text/html", "<html><title></title>", "web page (HTTP 403)"),
            (404, "text/xml", "<?xml version='1.0'?>", "web page"),
            (407, "application/json", "{}", "proxy on the way wants a login"),
        ] {
            let error = between(status, kind, body).expect(body);
            assert_eq!((error.kind, error.retryable), (Kind::Unexpected, false), "{error}");
            let text = error.to_string();
            for word in [said, "HTTPS_PROXY", "NO_PROXY", "no matter of the rights"] {
                assert!(text.contains(word), "{word}: {text}");
            }
        }
        for status in [429, 502, 503] {
            assert!(between(status, "text/html", "<html>").unwrap().retryable, "{status}");
        }
        for (status, kind, body) in [
            (403, "application/json", "{}"),
            (403, "text/html", ""),
            (403, "text/html", "[]"),
            (503, "text/plain", "busy"),
            (200, "x/y", ""),
        ] {
            assert_eq!(between(status, kind, body), None, "{status} {body}");
        }
    }

    #[test]
    fn a_title_is_found_in_any_text_without_harm() {
        for page in ["<title", "<title>", "<title>a", "<title><", "<html>\u{130}<title>\u{130}</title>"] {
            let _ = title(page);
        }
        assert_eq!(title(&format!("<title>{}</title>", "t".repeat(500))).map(|title| title.len()), Some(MOST_CHARACTERS));
    }
}
