//! The one place that understands why the service failed a call.
//!
//! The HTTP status is weak evidence (400 stands for nearly everything), so the exception's type is read first, then the text,
//! then the status. Three forms of the details are known: `code|type|text`, and JSON with `ClassName` or with `TypeName`.

use serde_json::{Map, Value};

use super::answer::{Asked, Failed};
use super::rights::advice;
use crate::remote::{Error, Kind};

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
            && let Ok(inside @ Value::Object(_)) = serde_json::from_str::<Value>(text)
        {
            return Fault::of_detail(&inside);
        }
        let mut parts = text.splitn(3, '|');
        if let (Some(_), Some(exception), Some(message)) = (parts.next(), parts.next(), parts.next())
            && !exception.is_empty()
            && !exception.contains(char::is_whitespace)
        {
            return Fault { exception: short(exception).to_owned(), message: message.trim().to_owned() };
        }
        Fault { exception: String::new(), message: text.to_owned() }
    }

    /// Says what it means for the call.
    pub(super) fn judge(self, status: u16, asked: Asked<'_>) -> Failed {
        let cmdlet = asked.cmdlet;
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(&self.exception));
        let lower = self.message.to_lowercase();
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
        if says(&["service offering", "can't enable an inbound connector"]) {
            return error(Kind::Invalid).hint(CREATED_DISABLED).into();
        }
        if says(&["already exists", "already in use"]) {
            return error(Kind::Conflict).into();
        }
        if says(&["couldn't be found", "couldn\u{2019}t be found", "could not be found", "wasn't found", "wasn\u{2019}t found"]) {
            return error(Kind::NotFound).into();
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

/// Judges an answer that is not JSON: it may come from something in between, and says nothing about the object.
pub(super) fn plain(status: u16, text: &str, asked: Asked<'_>) -> Failed {
    let cmdlet = asked.cmdlet;
    let short: String = text.chars().filter(|character| !character.is_control()).take(300).collect();
    let fault = Fault { exception: String::new(), message: if text.contains('<') { String::new() } else { short } };
    let failed = fault.judge(status, asked);
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
    fn a_page_from_something_in_between_says_nothing_about_the_object() {
        for status in [400, 404] {
            let failed = plain(status, "<html>not found</html>", Asked { cmdlet: "Set-X", writes: true, masks: &Masks::new() });
            assert_eq!((failed.error.kind, failed.lost), (Kind::Unexpected, true), "{status}");
        }
        let asked = Asked { cmdlet: "Get-X", writes: false, masks: &Masks::new() };
        let limit = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again";
        assert_eq!(plain(400, limit, asked).error.kind, Kind::Throttled);
        assert_eq!(plain(502, "<html>", asked).error.kind, Kind::Unavailable);
    }
}
