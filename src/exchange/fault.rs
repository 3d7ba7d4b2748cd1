//! The one place that understands why the service failed a call.
//!
//! The HTTP status is weak evidence (400 stands for nearly everything), so the exception's type is read first, then the text,
//! then the status. Three forms of the details are known: `code|type|text`, and JSON with `ClassName` or with `TypeName`.

use serde_json::{Map, Value};

use super::answer::{Asked, Failed};
use super::rights::advice;
use crate::remote::{Error, Kind, read_json};

/// What an error of the service says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    /// The exception's short name: `ManagementObjectNotFoundException`.
    exception: String,
    /// The service's words.
    pub(super) message: String,
}

/// What to do about a connector of a newer tenant, which the service keeps disabled.
pub(super) const CREATED_DISABLED: &str = "Microsoft keeps inbound connectors of newer tenants disabled until its support enables them: open a case with Microsoft support. \
    Until then give the connector `enabled = false`, or apply again once they have enabled it.";

const NOT_FOUND: &[&str] = &["ManagementObjectNotFoundException", "ADNoSuchObjectException"];
const TAKEN: &[&str] = &["ADObjectAlreadyExistsException"];
/// The service does not know a parameter, or the caller's role does not have it: it answers both alike.
const PARAMETER: &[&str] = &["AmbiguousParameterSetException", "ParameterBindingException"];
const DENIED: &[&str] = &["UnauthorizedAccessException", "CmdletAccessDeniedException"];
const PASSING: &[&str] = &[
    "DCOverloadedException",
    "SuitabilityDirectoryException",
    "ServerInMMException",
    "ADServerSettingsChangedException",
    "StorageTransientException",
    "CmdletProxyNotAvailableFailure",
    "ServerBusyException",
    "TransientException",
    "BackendCommunicationException",
];

impl Fault {
    /// Reads an error envelope: `{"error":{"details":[{"message":"…"}],"innererror":{"internalexception":{…}}}}`. The short
    /// name of the exception may also come in a header.
    pub(super) fn of(envelope: &Map<String, Value>, header: Option<&str>) -> Option<Fault> {
        let error = envelope.get("error")?;
        let detail = error.pointer("/details/0").map(Fault::of_detail).unwrap_or_default();
        let inner = ["/innererror/internalexception", "/innererror"].map(|place| error.pointer(place).map(Fault::of_detail));
        let [innermost, inner] = inner.map(Option::unwrap_or_default);
        let outer = Fault::of_detail(error);
        let first = |texts: [String; 4]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        Some(Fault {
            exception: first([
                detail.exception,
                innermost.exception,
                inner.exception,
                header.map(short).unwrap_or_default().to_owned(),
            ]),
            // The outer text only says that a cmdlet failed.
            message: first([detail.message, innermost.message, inner.message, outer.message]),
        })
    }

    /// Reads one detail, error or warning: a text or an object, in any of the known forms.
    pub(super) fn of_detail(detail: &Value) -> Fault {
        match detail {
            Value::String(text) => Fault::of_text(text),
            Value::Object(members) => {
                let member = |names: &[&str]| {
                    let found = members
                        .iter()
                        .find(|(name, value)| value.is_string() && names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)));
                    found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
                };
                let inside = Fault::of_text(member(&["message"]));
                let named = short(member(&["classname", "typename", "type"]));
                Fault { exception: if inside.exception.is_empty() { named.to_owned() } else { inside.exception }, ..inside }
            }
            _ => Fault::default(),
        }
    }

    fn of_text(text: &str) -> Fault {
        let text = text.trim();
        if text.starts_with('{')
            && let Ok(inside @ Value::Object(_)) = read_json(text.as_bytes())
        {
            return Fault::of_detail(&inside);
        }
        // `code|type|text`, of which the first two may be empty; a text may have bars of its own.
        let mut parts = text.splitn(3, '|');
        let is_word = |part: &str| !part.contains(char::is_whitespace);
        if let (Some(code), Some(exception), Some(message)) = (parts.next(), parts.next(), parts.next())
            && is_word(code)
            && is_word(exception)
        {
            return Fault { exception: short(exception).to_owned(), message: bare(message).to_owned() };
        }
        Fault { exception: String::new(), message: bare(text).to_owned() }
    }

    /// Says what it means for the call.
    pub(super) fn judge(self, status: u16, asked: Asked<'_>) -> Failed {
        let cmdlet = asked.cmdlet;
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(&self.exception));
        let lower = plain_apostrophes(&self.message);
        let says = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
        let message = if self.message.is_empty() {
            format!("`{cmdlet}` failed with HTTP {status}, without a reason.")
        } else {
            self.message.clone()
        };
        let error = |kind| Error::new(kind, message.clone());
        let passing = || Failed { lost: asked.writes, ..error(Kind::Unavailable).retryable().into() };

        if is(NOT_FOUND) {
            return error(Kind::NotFound).into();
        }
        if is(TAKEN) {
            return error(Kind::Conflict).into();
        }
        if is(PARAMETER) {
            return error(Kind::Invalid)
                .hint(format!("The service does not know one of the parameters of `{cmdlet}`, or the application's role does not include it."))
                .into();
        }
        if is(DENIED) {
            return denied(error(Kind::Denied), asked).into();
        }
        if is(PASSING) || PASSING.iter().any(|name| self.message.contains(name)) {
            return passing();
        }
        if status == 429 || says(&["maximum number of concurrent requests", "too many requests"]) {
            return error(Kind::Throttled).retryable().into();
        }
        if is_kept_disabled(&self.message) {
            return error(Kind::Invalid).hint(CREATED_DISABLED).into();
        }
        if says(&["already exists", "already in use"]) {
            return error(Kind::Conflict).into();
        }
        if says(&["couldn't be found", "could not be found", "wasn't found"]) {
            return error(Kind::NotFound).into();
        }
        // "User is not allowed to call Get-X", under whatever status: the token was taken, and no role of the application has the cmdlet.
        if (400..500).contains(&status) && (self.exception.is_empty() || status == 401) && is_about_rights(&lower) {
            return denied(error(Kind::Denied), asked).into();
        }
        match status {
            401 => error(Kind::Denied)
                .hint("Exchange Online does not accept the application's token. Give the application the permission Exchange.ManageAsApp (Office 365 Exchange Online) with admin consent; a fresh consent takes some minutes.")
                .into(),
            403 => denied(error(Kind::Denied), asked).into(),
            404 => error(Kind::NotFound).into(),
            // A known exception under a server's status is the cmdlet's word, not the server's trouble.
            500 if self.exception.ends_with("ArgumentException") => error(Kind::Invalid).into(),
            408 | 500 | 502..=504 => passing(),
            400..=499 => hinted(error(Kind::Invalid), &lower, asked).into(),
            _ => Failed { lost: asked.writes, ..error(Kind::Unexpected).into() },
        }
    }
}

/// Judges an answer that is nothing but NUL bytes: with 403 it says that the cmdlet does not exist for this caller.
pub(super) fn blank(status: u16, asked: Asked<'_>) -> Failed {
    match status {
        401 | 403 => {
            denied(Error::new(Kind::Denied, format!("Exchange Online refused `{}` (HTTP {status}, blank).", asked.cmdlet)), asked)
                .into()
        }
        _ => plain(status, "", asked),
    }
}

/// Judges an answer that is neither JSON nor a page: it may come from something in between, and says nothing about the object.
pub(super) fn plain(status: u16, text: &str, asked: Asked<'_>) -> Failed {
    let cmdlet = asked.cmdlet;
    let short: String = text.chars().filter(|character| !character.is_control()).take(300).collect();
    let has_words = !short.is_empty();
    let failed = Fault { exception: String::new(), message: short }.judge(status, asked);
    match failed.error.kind {
        Kind::NotFound | Kind::Conflict | Kind::Invalid => Failed {
            lost: asked.writes,
            error: Error::new(
                Kind::Unexpected,
                format!("`{cmdlet}` was answered with HTTP {status} and no word of Exchange Online."),
            )
            .hint("Check `exchange.tenant_id`, `exchange.environment` and `exchange.exchange_url`, and any proxy on the way."),
            ..failed
        },
        // The service refuses without words, or in JSON: plain words may be those of a proxy.
        Kind::Denied if has_words => {
            let hint = failed.error.hint.clone().unwrap_or_default();
            Failed {
                error: failed.error.hint(format!(
                    "If these are not the words of Exchange Online but of a proxy (HTTPS_PROXY, NO_PROXY), no role helps. {hint}"
                )),
                ..failed
            }
        }
        _ => failed,
    }
}

fn denied(error: Error, asked: Asked<'_>) -> Error {
    let cmdlet = asked.cmdlet;
    let missing = format!("The application has no role that includes `{cmdlet}` (or this cloud does not have the cmdlet).");
    error.hint(if asked.writes {
        format!("{missing} {}", advice(cmdlet))
    } else {
        format!(
            "{missing} Assign its service principal the Entra role Global Reader or Exchange Administrator, or an Exchange role group with the cmdlet; a fresh assignment takes an hour and sometimes more."
        )
    })
}

fn hinted(error: Error, lower: &str, asked: Asked<'_>) -> Error {
    let about = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
    if asked.cmdlet == "New-InboundConnector" && about(&["developer", "not allowed", "isn't allowed", "restricted", "trial"]) {
        return error.hint("Microsoft 365 E5 developer and trial tenants may not create inbound connectors. Use a tenant with a paid subscription.");
    }
    if about(&["aka.ms/nodlpinetrs"]) {
        return error.hint("Exchange Online takes no DLP rules any more: they are made in Microsoft Purview.");
    }
    if about(&["enable-organizationcustomization", "dehydrated"]) {
        return error.hint("Run `Enable-OrganizationCustomization` once in this tenant.");
    }
    error
}

/// A text without the bars around it.
fn bare(text: &str) -> &str {
    text.trim_matches(|letter: char| letter == '|' || letter.is_whitespace())
}

/// Tells whether a text says, in whatever words, that the caller lacks a right. In small letters, with plain apostrophes.
fn is_about_rights(lower: &str) -> bool {
    const SAID: &[&str] = &[
        "access denied",
        "access is denied",
        "access to the cmdlet",
        "don't have access",
        "does not have access",
        "doesn't have access",
        "don't have permission",
        "do not have permission",
        "doesn't have permission",
        "does not have permission",
        "don't have sufficient permission",
        "insufficient access rights",
        "insufficient permission",
        "insufficient privileges",
        "insufficient rights",
        "isn't assigned to any management role",
        "is not assigned to any management role",
        "isn't allowed to call",
        "is not allowed to call",
        "management role",
        "not authorized",
        "not permitted to run",
        "outside of your write scope",
        "required role",
        "within your current write scopes",
    ];
    SAID.iter().any(|said| lower.contains(said))
}

/// Tells whether the service says, in an error or in a warning, that it keeps a connector disabled until its support enables it. Its two texts, by
/// Microsoft's page on inbound connectors: "Inbound connector for this service offering is created in a disabled state. Contact Support to enable it." and
/// "For this service offering, you can't enable an inbound connector. Contact Support to enable it."
pub(super) fn is_kept_disabled(text: &str) -> bool {
    let lower = plain_apostrophes(text);
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_off = says(&["disabled"])
        || (says(&["can't", "cannot", "can not", "unable", "not allowed", "isn't allowed"]) && says(&["enable"]));
    says(&["connector"]) && is_off && says(&["support", "service offering"])
}

/// A text in small letters, with plain apostrophes.
fn plain_apostrophes(text: &str) -> String {
    text.to_lowercase().replace(['\u{2019}', '\u{2018}', '\u{2bc}'], "'")
}

fn short(name: &str) -> &str {
    name.trim().rsplit('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Masks;

    const NOT_THERE: &str = "The operation couldn't be performed because object 'x' couldn't be found on 'y'.";

    fn judged(status: u16, body: &Value, writes: bool) -> Failed {
        let cmdlet = if writes { "New-InboundConnector" } else { "Get-InboundConnector" };
        let fault = Fault::of(body.as_object().unwrap(), None).unwrap_or_default();
        fault.judge(status, Asked { cmdlet, writes, masks: &Masks::new() })
    }

    fn detail(message: &str) -> Value {
        serde_json::json!({"error": {"code": "BadRequest", "message": "Error executing cmdlet", "details": [{"code": "Context", "target": "", "message": message}]}})
    }

    fn check(status: u16, message: &str, kind: Kind, retryable: bool) {
        let failed = judged(status, &detail(message), true);
        assert_eq!((failed.error.kind, failed.error.retryable), (kind, retryable), "{status} {message}");
    }

    #[test]
    fn the_three_forms_of_details_say_the_same() {
        for message in [
            format!("Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|{NOT_THERE}"),
            serde_json::json!({"ClassName": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException", "Message": NOT_THERE, "localizedString.stringId": "Ex6F9304"}).to_string(),
            serde_json::json!({"Message": NOT_THERE, "TypeName": "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException", "StackTrace": null, "InnerError": null}).to_string(),
        ] {
            let failed = judged(400, &detail(&message), true);
            assert_eq!((failed.error.kind, failed.error.message.as_str()), (Kind::NotFound, NOT_THERE), "{message}");
        }
    }

    #[test]
    fn an_error_without_details_is_read_from_the_inner_exception() {
        let body = serde_json::json!({"error": {"code": "BadRequest", "message": "Invalid Operation", "innererror": {
            "message": "outer", "type": "T", "internalexception": {
                "message": "Valid values are: Partner, OnPremises.",
                "type": "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException", "stacktrace": ""}}}});
        let failed = judged(400, &body, true);
        assert_eq!((failed.error.kind, failed.error.message.as_str()), (Kind::Invalid, "Valid values are: Partner, OnPremises."));
    }

    #[test]
    fn the_exceptions_type_weighs_more_than_the_status() {
        check(500, &format!("x|A.ManagementObjectNotFoundException|{NOT_THERE}"), Kind::NotFound, false);
        check(400, "|M.ServerBusyException|Busy.", Kind::Unavailable, true);
        check(500, "|System.ArgumentException|Bad value.", Kind::Invalid, false);
        check(500, "Something broke.", Kind::Unavailable, true);
        check(400, "|X.Data.Directory.ADObjectAlreadyExistsException|Taken.", Kind::Conflict, false);
        check(400, "|System.ArgumentException|The rule 'a' already exists.", Kind::Conflict, false);
        check(
            400,
            "You have reached the maximum number of concurrent requests per tenant. Please wait and try again",
            Kind::Throttled,
            true,
        );
        check(400, "|X.AmbiguousParameterSetException|Parameter set cannot be resolved.", Kind::Invalid, false);
    }

    #[test]
    fn rx11_a_text_without_a_type_is_shown_without_bars_and_a_missing_role_is_named() {
        for (text, shown) in [
            ("||The value is bad.", "The value is bad."),
            ("|The value is bad.", "The value is bad."),
            ("Ex6F9304||The value is bad.", "The value is bad."),
            ("||The value a|b is bad.|", "The value a|b is bad."),
            ("Use a|b or c|d.", "Use a|b or c|d."),
        ] {
            assert_eq!(judged(400, &detail(text), true).error.message, shown, "{text}");
        }
        for (status, text) in [
            (400, "||You don\u{2019}t have sufficient permissions to perform this operation."),
            (400, "||The cmdlet isn't assigned to any management role of the caller."),
            (401, "User is not allowed to call New-InboundConnector"),
            (403, "||Access Denied."),
        ] {
            let failed = judged(status, &detail(text), true);
            assert_eq!(failed.error.kind, Kind::Denied, "{text}");
            let text = failed.error.to_string();
            assert!(text.contains("Remote and Accepted Domains") && !text.contains("||"), "{text}");
        }
        assert_eq!(judged(400, &detail("||A rule is not found in this management scope."), true).error.kind, Kind::Invalid);
    }

    #[test]
    fn rx2_both_texts_about_connectors_that_stay_disabled_are_known_by_what_they_mean() {
        for text in [
            "Inbound connector for this service offering is created in a disabled state. Contact Support to enable it.",
            "For this service offering, you can't enable an inbound connector. Contact Support to enable it.",
            "For this service offering, you can\u{2019}t enable an inbound connector.",
            "The inbound connectors of this tenant cannot be enabled. Please contact Microsoft support.",
        ] {
            assert!(is_kept_disabled(text), "{text}");
            let error = judged(400, &detail(&format!("||{text}")), true).error;
            assert!(error.to_string().contains("open a case with Microsoft support"), "{error}");
        }
        for text in [
            "The connector can't be removed because it's used by the rule 'x'.",
            "The rule is disabled. Contact support.",
            "Mind the gap.",
        ] {
            assert!(!is_kept_disabled(text), "{text}");
        }
    }

    #[test]
    fn rs8_json_inside_of_a_text_is_bounded_as_the_answer_is() {
        let many = format!("{{\"Message\":\"m\",\"x\":[{}1]}}", "{},".repeat(600_000));
        assert_eq!(Fault::of_detail(&Value::String(many.clone())).message, many);
        let few = format!("{{\"Message\":\"m\",\"x\":[{}1]}}", "{},".repeat(600));
        assert_eq!(Fault::of_detail(&Value::String(few)).message, "m");
        // What is nested deeper than any reader goes is a text, too.
        let deep = format!("{{\"Message\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(Fault::of_detail(&Value::String(deep.clone())).message, deep);
    }

    #[test]
    fn only_what_may_have_been_done_counts_as_lost() {
        for (status, lost) in [(400, false), (401, false), (403, false), (429, false), (408, true), (500, true), (503, true)] {
            assert_eq!(judged(status, &detail("x"), true).lost, lost, "{status}");
            assert!(!judged(status, &detail("x"), false).lost, "{status}");
        }
    }

    #[test]
    fn e15_a_blank_refusal_names_the_cmdlet_and_the_role() {
        let failed = blank(403, Asked { cmdlet: "New-TransportRule", writes: true, masks: &Masks::new() });
        assert_eq!(failed.error.kind, Kind::Denied);
        let text = failed.error.to_string();
        assert!(text.contains("New-TransportRule") && text.contains("Exchange Administrator"), "{text}");
    }

    #[test]
    fn e27_a_tenant_that_forbids_connectors_is_named() {
        let failed = judged(400, &detail("|System.InvalidOperationException|This operation isn't allowed in this tenant."), true);
        assert!(failed.error.to_string().contains("developer"), "{}", failed.error);
    }

    #[test]
    fn plain_words_from_something_in_between_say_nothing_about_the_object() {
        for status in [400, 404] {
            let failed = plain(status, "not found", Asked { cmdlet: "Set-X", writes: true, masks: &Masks::new() });
            assert_eq!((failed.error.kind, failed.lost), (Kind::Unexpected, true), "{status}");
        }
        let asked = Asked { cmdlet: "Get-X", writes: false, masks: &Masks::new() };
        let limit = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again";
        assert_eq!(plain(400, limit, asked).error.kind, Kind::Throttled);
        assert_eq!(plain(502, "Bad Gateway", asked).error.kind, Kind::Unavailable);
        assert!(plain(403, "Blocked by policy 7.", asked).error.to_string().contains("proxy"));
        assert!(!plain(403, "", asked).error.to_string().contains("proxy"));
    }
}
