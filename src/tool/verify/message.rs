//! The one message of a run: found again by a token in its subject, and without any secret.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Letters and digits that no other message has.
    pub(super) token: String,
    /// The sender; nothing for the empty envelope sender.
    pub(super) from: Option<String>,
    /// The recipient.
    pub(super) to: String,
}

impl Message {
    /// Makes a message with a token of its own.
    pub(super) fn new(from: Option<String>, to: String) -> Message {
        Message { token: uuid::Uuid::new_v4().simple().to_string(), from, to }
    }

    /// The subject.
    pub(super) fn subject(&self) -> String {
        format!("mailflow verify {}", self.token)
    }

    /// The text.
    pub(super) fn text() -> &'static str {
        "This message checks the way that mail takes. It can be deleted."
    }

    /// The domain of the recipient.
    pub(super) fn domain(&self) -> &str {
        self.to.rsplit('@').next().unwrap_or_default()
    }

    /// The message as it goes over SMTP.
    pub(super) fn wire(&self, now: OffsetDateTime) -> String {
        let from = self.from.as_deref().unwrap_or("mailflow-verify@localhost.invalid");
        let headers = [
            format!("From: mailflow verify <{from}>"),
            format!("To: <{}>", self.to),
            format!("Subject: {}", self.subject()),
            format!("Date: {}", now.format(&Rfc2822).unwrap_or_default()),
            format!("Message-ID: <{}@mailflow-verify.invalid>", self.token),
            "Auto-Submitted: auto-generated".to_owned(),
            "X-Auto-Response-Suppress: All".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            "Content-Type: text/plain; charset=us-ascii".to_owned(),
        ];
        format!("{}\r\n\r\n{}\r\n", headers.join("\r\n"), Message::text())
    }

    /// How somebody sends it by hand.
    pub(super) fn by_hand(&self, why: &str) -> String {
        let from = match &self.from {
            Some(from) => format!("the mailbox {from}"),
            None => "a mailbox of the tenant".to_owned(),
        };
        format!(
            "The message is not sent by this command: {why}\nSend it by hand now, from {from}:\n\n  To:      {}\n  Subject: {}\n\nIt is then followed by its subject.",
            self.to,
            self.subject()
        )
    }
}
