//! Texts that must never be shown, and their removal from what is shown.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::Error;
use super::masking::places;

/// What stands in the place of a secret.
const MASK: &str = "(sensitive)";

/// Secrets that a service may repeat in its answers, in whatever form: as text, escaped for JSON, HTML, a URL or a form, in base64 or in hex.
#[derive(Clone, Default)]
pub struct Masks {
    secrets: Vec<SecretString>,
}

impl Masks {
    /// Knows no secret.
    pub const fn new() -> Masks {
        Masks { secrets: Vec::new() }
    }

    /// Adds a secret. The empty text is none.
    pub fn add(&mut self, secret: &str) {
        if !secret.is_empty() && !self.secrets.iter().any(|known| known.expose_secret() == secret) {
            self.secrets.push(SecretString::from(secret));
        }
    }

    /// Adds a secret, in passing.
    #[must_use]
    pub fn with(mut self, secret: &str) -> Masks {
        self.add(secret);
        self
    }

    /// Replaces every secret in a text.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut at = 0;
        for place in places(text, self.secrets.iter().map(|secret| secret.expose_secret().as_bytes())) {
            masked.push_str(text.get(at..place.start).unwrap_or_default());
            masked.push_str(MASK);
            at = place.end;
        }
        masked.push_str(text.get(at..).unwrap_or_default());
        masked
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

/// Says how many are known, and none of them.
impl fmt::Debug for Masks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} masks", self.secrets.len())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

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

    /// What a form adds around a secret, so that it starts at any place of its groups.
    fn every_form(secret: &str) -> Vec<String> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let percent = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02x}") };
        let percent: String = secret.bytes().map(percent).collect();
        let all_percent = secret.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let units = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
        let named = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let numbered = secret.chars().map(|letter| format!("&#{};", u32::from(letter))).collect::<Vec<_>>().concat();
        let hexed = secret.chars().map(|letter| format!("&#x{:X};", u32::from(letter))).collect::<Vec<_>>().concat();
        let json = serde_json::Value::from(secret).to_string();
        let twice = serde_json::Value::from(json.clone()).to_string();
        let html_safe_json = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let hex = hex(secret.as_bytes());
        let mut forms = vec![secret.to_owned(), percent, all_percent, units, named, numbered, hexed];
        forms.retain(|form| form.to_lowercase() != secret.to_lowercase() || form == secret);
        forms.extend([json, twice, html_safe_json, form, hex.to_uppercase(), hex]);
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "x", "xy"] {
                let text = format!("{before}{secret}{after}");
                forms.extend([STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]);
            }
        }
        forms
    }

    #[test]
    fn rs5_no_form_of_a_secret_is_left() {
        for secret in [
            "mysecretkey",
            "a<b>c\"d&e'f\\g h+i/j%41",
            "p\u{e4}ss\u{1f511}w\u{f6}rd!?",
            "0123456789abcdef0123456789abcdef0123456789",
            "K==",
        ] {
            let masks = Masks::new().with(secret);
            for form in every_form(secret).into_iter().filter(|form| secret.len() >= 4 || form.contains(secret)) {
                let shown = masks.mask(&format!("before {form} after"));
                assert!(shown.contains(MASK) && shown.starts_with("before ") && shown.ends_with(" after"), "{form}: {shown}");
                let rest = shown.trim_start_matches("before ").trim_end_matches(" after").replace(MASK, "");
                // What stands around it in its group of base64 may be left: no letter of the secret is.
                assert!(rest.len() <= 10, "{form}: {shown}");
            }
        }
    }

    #[test]
    fn a_long_secret_is_found_when_it_is_cut_off() {
        let secret = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL291dGxvb2sub2ZmaWNlMzY1LmNvbSJ9.c2lnbmF0dXJl";
        let masks = Masks::new().with(secret);
        assert_eq!(masks.mask(&format!("Bearer {}", &secret[..60])), "Bearer (sensitive)");
        assert_eq!(masks.mask(&format!("...{} is bad", &secret[33..])), "...(sensitive) is bad");
        assert_eq!(masks.mask("eyJ0eXAiOiJK"), "eyJ0eXAiOiJK", "the beginning that all tokens share");
    }

    #[test]
    fn a_text_without_a_secret_stays_as_it_is() {
        let masks = Masks::new().with("swordfish").with("pa55");
        for text in
            ["", "%", "100 %", "a\\", "\\u12", "&amp; &#; &", "c3dvcmRmaXN", "\u{202e}\u{1f511}", "SHA256:q1w2e3r4t5y6u7i8o9p0"]
        {
            assert_eq!(masks.mask(text), text);
        }
    }
}
