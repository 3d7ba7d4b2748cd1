//! One message from a mailbox of the tenant: Microsoft Graph, `sendMail`.
//!
//! <https://learn.microsoft.com/graph/api/user-sendmail>: `POST /users/{mailbox}/sendMail`, answered by 202 without a body. It takes the application
//! permission `Mail.Send`, which the provider needs for nothing else: where it is missing, the error says so.

use serde_json::json;

use super::Exchange;
use super::http::Reading;
use crate::remote::{Call, Error, Kind};

/// The permission that sending takes.
pub const PERMISSION: &str = "Mail.Send";

/// A plain message.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The mailbox.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl Exchange {
    /// Sends a message, at most once: an answer that is lost is an error. A mailbox that is not there is of the kind `NotFound`, a permission that
    /// is missing of the kind `Denied`.
    pub async fn send_mail(&self, mail: &Mail, call: &Call) -> Result<(), Error> {
        if self.read_only {
            return Err(Error::new(Kind::Denied, "The provider is set to read_only, so no message is sent."));
        }
        let body = json!({
            "message": {
                "subject": mail.subject,
                "body": { "contentType": "Text", "content": mail.text },
                "toRecipients": [{ "emailAddress": { "address": mail.to } }],
            },
            "saveToSentItems": false,
        });
        let path = ["users", mail.from.as_str(), "sendMail"];
        self.http.graph_post(Reading { path: &path, permission: PERMISSION }, &body, call).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::exchange::testing::{Said, Service, call};

    fn mail() -> Mail {
        Mail {
            from: "a@contoso.com".to_owned(),
            to: "b@example.net".to_owned(),
            subject: "Hello".to_owned(),
            text: "Text".to_owned(),
        }
    }

    async fn sent(status: u16, body: &'static str) -> (Result<(), Error>, usize) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        COUNT.store(0, Ordering::SeqCst);
        let service = Service::start(move |seen| {
            assert_eq!(seen.path, "/v1.0/users/a@contoso.com/sendMail");
            let given: serde_json::Value = serde_json::from_str(&seen.body).expect("JSON");
            assert_eq!(given["message"]["toRecipients"][0]["emailAddress"]["address"], "b@example.net");
            assert_eq!(given["message"]["subject"], "Hello");
            COUNT.fetch_add(1, Ordering::SeqCst);
            Said::of(status, body)
        })
        .await;
        let outcome = Exchange::new(&service.settings()).expect("a client").send_mail(&mail(), &call(5)).await;
        (outcome, COUNT.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_message_is_sent_once_and_a_refusal_says_what_is_missing() {
        assert_eq!(sent(202, "").await, (Ok(()), 1));
        let refused = r#"{"error":{"code":"ErrorAccessDenied","message":"Access is denied. Check credentials and try again."}}"#;
        let (outcome, count) = sent(403, refused).await;
        let error = outcome.expect_err("denied");
        assert_eq!((error.kind, count), (Kind::Denied, 1));
        assert!(error.to_string().contains("Mail.Send"), "{error}");
        let (outcome, count) =
            sent(404, r#"{"error":{"code":"ErrorInvalidUser","message":"The requested user 'a' is invalid."}}"#).await;
        assert_eq!((outcome.expect_err("no mailbox").kind, count), (Kind::NotFound, 1));
        // Whether it was sent is not known: it is not sent again.
        let (outcome, count) = sent(503, r#"{"error":{"code":"x","message":"Busy."}}"#).await;
        assert_eq!((outcome.expect_err("busy").kind, count), (Kind::Unavailable, 1));
    }
}
