//! Texts that must never be shown, and their removal from what is shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::Error;

/// What stands in the place of a secret.
const MASK: &str = "(sensitive)";

/// Secrets that a service may repeat in its answers. Knows each as it is, as JSON text, as part of a URL or form, as HTML text
/// and as base64.
#[derive(Clone, Default)]
pub struct Masks {
    /// Longest first: one form may be a part of another.
    forms: Vec<SecretString>,
}

impl Masks {
    /// Knows no secret.
    pub fn new() -> Masks {
        Masks::default()
    }

    /// Adds a secret. The empty text is none.
    pub fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let json = serde_json::Value::from(secret).to_string();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let forms = [
            secret.to_owned(),
            json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(&json).to_owned(),
            form.replace('+', "%20"),
            form,
            secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
            STANDARD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
        ];
        for form in forms {
            if !form.is_empty() && !self.forms.iter().any(|known| known.expose_secret() == form) {
                self.forms.push(SecretString::from(form));
            }
        }
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
    }

    /// Adds a secret, in passing.
    #[must_use]
    pub fn with(mut self, secret: &str) -> Masks {
        self.add(secret);
        self
    }

    /// Replaces every secret in a text.
    pub fn mask(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, form| text.replace(form.expose_secret(), MASK))
    }

    /// Replaces every secret in all that an error shows.
    #[must_use]
    pub fn mask_error(&self, error: Error) -> Error {
        Error {
            message: self.mask(&error.message),
            hint: error.hint.map(|hint| self.mask(&hint)),
            context: error.context.into_iter().map(|(name, value)| (name, self.mask(&value))).collect(),
            ..error
        }
    }
}

/// Says how many forms are known, and none of them.
impl fmt::Debug for Masks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} masks", self.forms.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Kind;

    fn check(secret: &str, shown: &str, wanted: &str) {
        assert_eq!(Masks::new().with(secret).mask(shown), wanted);
    }

    #[test]
    fn a_secret_is_masked_in_every_form_that_an_answer_repeats_it_in() {
        check("mysecretkey", "value 'mysecretkey' is bad", "value '(sensitive)' is bad");
        check("a\"b\\c", r#"{"v":"a\"b\\c"}"#, r#"{"v":"(sensitive)"}"#);
        check("p w&q", "secret=p+w%26q&x=1", "secret=(sensitive)&x=1");
        check("p w&q", "/p%20w%26q/", "/(sensitive)/");
        check("p<w", "<b>p&lt;w</b>", "<b>(sensitive)</b>");
        check("mysecretkey", &format!("Basic {}", STANDARD.encode("mysecretkey")), "Basic (sensitive)");
    }

    #[test]
    fn a_secret_that_ends_in_a_quote_is_masked_as_json_text() {
        check("abc\"", r#"{"v":"abc\""}"#, r#"{"v":"(sensitive)"}"#);
    }

    #[test]
    fn the_empty_text_masks_nothing() {
        check("", "text", "text");
    }

    #[test]
    fn an_error_is_masked_in_message_hint_and_context() {
        let error = Error::new(Kind::Invalid, "bad key9key9").hint("not key9key9").context("header", "key9key9");
        let masked = Masks::new().with("key9key9").mask_error(error);
        assert_eq!(masked.message, "bad (sensitive)");
        assert_eq!(masked.hint.as_deref(), Some("not (sensitive)"));
        assert_eq!(masked.context, [("header", "(sensitive)".to_owned())]);
    }
}
