//! The application permissions that a token carries, as far as they explain a refusal.
//!
//! A token for an application names its permissions in the claim `roles`. `Exchange.ManageAsApp` lets it run cmdlets; others with nearly the same name are for
//! other interfaces (<https://learn.microsoft.com/exchange/reference/admin-api-get-started>), and every cmdlet is refused with them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::remote::{Error, Kind, read_json};

/// The permission that runs cmdlets.
const NEEDED: &str = "Exchange.ManageAsApp";
/// The most permissions that are listed.
const MOST: usize = 20;

/// The permissions of a token; nothing if it does not tell them.
pub(super) fn permissions(token: &str) -> Option<Vec<String>> {
    let payload = token.split('.').nth(1)?;
    let claims: Value = read_json(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    let roles = claims.get("roles")?.as_array()?;
    Some(roles.iter().filter_map(Value::as_str).map(str::to_owned).take(MOST).collect())
}

/// The error for a token that carries another permission in place of the one that runs cmdlets.
pub(super) fn refuse_look_alikes(token: &str) -> Result<(), Error> {
    let found = permissions(token).unwrap_or_default();
    if found.iter().any(|name| name.eq_ignore_ascii_case(NEEDED)) {
        return Ok(());
    }
    let alike = |name: &&String| name.to_ascii_lowercase().contains("manageasapp");
    let alike: Vec<&str> = found.iter().filter(alike).map(String::as_str).collect();
    if alike.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Denied,
        format!("The application has the permission {} and not {NEEDED}, without which Exchange Online runs no cmdlet for it.", alike.join(", ")),
    )
    .hint(format!(
        "The names are alike, and the permissions are for other interfaces. Under API permissions of the app registration, add {NEEDED} of \"Office 365 \
         Exchange Online\" (under \"APIs my organization uses\"; an application permission), and have an administrator consent to it."
    )))
}

/// Adds to a refused call which permissions the token carries, if it tells.
pub(super) fn explained(error: Error, token: &str) -> Error {
    match permissions(token) {
        Some(found) if found.is_empty() => error.context("permissions of the token", "none"),
        Some(found) => error.context("permissions of the token", found.join(", ")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value) -> String {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn rx11_a_permission_that_only_looks_like_the_right_one_is_named() {
        for name in ["Exchange.ManageAsAppV2", "Exchange.AdminAPI.ManageAsApp", "exchange.manageasapp.read"] {
            let error = refuse_look_alikes(&token(&serde_json::json!({"roles": ["Mail.Read", name]}))).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(name) && text.contains("add Exchange.ManageAsApp of"), "{text}");
            let both = token(&serde_json::json!({"roles": [name, "Exchange.ManageAsApp"]}));
            assert_eq!(refuse_look_alikes(&both), Ok(()));
        }
        for other in
            ["token-1", "a.b.c", "..", &token(&serde_json::json!({"roles": []})), &token(&serde_json::json!({"roles": "x"}))]
        {
            assert_eq!(refuse_look_alikes(other), Ok(()), "{other}");
        }
    }

    #[test]
    fn a_refused_call_says_what_the_token_carries() {
        let shown = |claims: &Value| explained(Error::new(Kind::Denied, "no"), &token(claims)).context;
        assert_eq!(shown(&serde_json::json!({"roles": ["Mail.Read"]}))[0].1, "Mail.Read");
        assert_eq!(shown(&serde_json::json!({"roles": []}))[0].1, "none");
        assert!(shown(&serde_json::json!({"scp": "x"})).is_empty());
    }
}
