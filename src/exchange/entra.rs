//! What the errors of Microsoft Entra's token endpoint mean: which setting is wrong, and what to do.
//!
//! Codes: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::remote::{Between, Error, Kind, Reply, read_json};

/// With what a token was asked for. The same code means something else for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A client secret.
    Secret,
    /// An assertion that a certificate's key signed.
    Certificate,
    /// The token of another issuer.
    Federation,
    /// A person's login.
    Person,
}

/// A sort of refusal.
struct Code {
    numbers: &'static [u32],
    /// With what it was asked; `None`: with anything.
    by: Option<By>,
    hint: &'static str,
}

const fn any(numbers: &'static [u32], hint: &'static str) -> Code {
    Code { numbers, by: None, hint }
}

const fn of(by: By, numbers: &'static [u32], hint: &'static str) -> Code {
    Code { numbers, by: Some(by), hint }
}

/// The first line that fits holds: what is special to one way stands above what holds for all.
const CODES: &[Code] = &[
    any(
        &[7_000_215],
        "`exchange.client_secret` (ARM_CLIENT_SECRET) is not a secret of this application. Give the secret's value, not its ID; it is only shown once, when it is made.",
    ),
    any(
        &[7_000_222],
        "`exchange.client_secret` (ARM_CLIENT_SECRET) has expired. Make a new one under App registrations > Certificates & secrets.",
    ),
    any(
        &[7_000_232],
        "`exchange.client_id` (ARM_CLIENT_ID) is a managed identity, which has no secret. Set `exchange.use_msi` (ARM_USE_MSI), or give an app registration.",
    ),
    any(
        &[7_000_218, 7_000_216],
        "No usable credential was sent. Set `exchange.client_secret` (ARM_CLIENT_SECRET) or another credential of the application.",
    ),
    any(
        &[700_025],
        "The application is registered as a public client. Add a Web platform to it, or switch off \"Allow public client flows\" under Authentication.",
    ),
    any(
        &[700_016],
        "`exchange.client_id` (ARM_CLIENT_ID) is not an application of this tenant. Check it together with `exchange.tenant_id` (ARM_TENANT_ID); in another cloud, check `exchange.environment` (ARM_ENVIRONMENT) too.",
    ),
    any(
        &[7_000_229],
        "The application has no service principal in this tenant. Give it admin consent there, or check `exchange.tenant_id` (ARM_TENANT_ID).",
    ),
    any(
        &[7_000_112],
        "The application of `exchange.client_id` (ARM_CLIENT_ID) is disabled in this tenant. Enable it under Enterprise applications > Properties.",
    ),
    any(
        &[90_002, 900_023, 900_021, 50_020],
        "`exchange.tenant_id` (ARM_TENANT_ID) is not a tenant of this cloud. Give its GUID or one of its domains; for GCC High, DoD or China set `exchange.environment` (ARM_ENVIRONMENT).",
    ),
    any(
        &[900_382, 90_038, 900_432, 900_439],
        "The tenant belongs to another cloud. Set `exchange.environment` (ARM_ENVIRONMENT) to public, usgovernment, dod or china.",
    ),
    of(
        By::Person,
        &[50_105, 501_051],
        "The person who is logged in to the Azure CLI is not assigned to the application that the token is for. Assign them under Enterprise applications > \
         Users and groups, switch off \"Assignment required?\" under its Properties, or use an app registration instead of `exchange.use_cli` (ARM_USE_CLI).",
    ),
    any(
        &[501_051, 50_105],
        "The application has no app role of Office 365 Exchange Online, which hands out tokens to assigned applications only. Give it the application permission \
         Exchange.ManageAsApp with admin consent, or switch off \"Assignment required?\" under Enterprise applications > Office 365 Exchange Online > Properties.",
    ),
    of(
        By::Person,
        &[90_094],
        "An administrator has to consent before this person's login may ask for Exchange Online. Have one consent, or use an app registration or a managed \
         identity instead of `exchange.use_cli` (ARM_USE_CLI).",
    ),
    any(
        &[90_094],
        "An administrator has to consent first. Under API permissions of the app registration, give Exchange.ManageAsApp (Office 365 Exchange Online) admin consent.",
    ),
    any(
        &[1_003_031],
        "The API permissions of the app registration name an application that this tenant does not have. Under API permissions, remove what is no longer there, \
         add Exchange.ManageAsApp of Office 365 Exchange Online, and have an administrator consent to it.",
    ),
    any(
        &[700_030],
        "The certificate of `exchange.client_certificate` (ARM_CLIENT_CERTIFICATE, ARM_CLIENT_CERTIFICATE_PATH) is trusted, and its subject is not one that the \
         application allows. Compare the names in the certificate with the application's trusted certificate subjects, or upload this certificate under \
         Certificates & secrets.",
    ),
    any(
        &[530_035],
        "Security defaults of the tenant block this login. Log in with a certificate or a federated credential of an app registration, or have an administrator \
         replace the security defaults by Conditional Access policies that allow it.",
    ),
    of(
        By::Person,
        &[65_001, 65_002],
        "The Azure CLI may not ask for Exchange Online in this tenant. Use an app registration or a managed identity with the permission Exchange.ManageAsApp instead of `exchange.use_cli` (ARM_USE_CLI).",
    ),
    any(
        &[500_011, 500_014, 650_052],
        "The tenant has no Exchange Online, or it belongs to another cloud. Check the tenant's licences and `exchange.environment` (ARM_ENVIRONMENT).",
    ),
    any(
        &[65_001, 650_056],
        "Consent is missing. Give the application the permission Exchange.ManageAsApp (Office 365 Exchange Online) and have an administrator consent to it.",
    ),
    of(
        By::Federation,
        &[700_024],
        "The OIDC token is outside its time of validity. It was made too long ago, or the clock of its issuer is wrong. Get a fresh one; the file of `exchange.oidc_token_file_path` (ARM_OIDC_TOKEN_FILE_PATH) must be renewed by whoever writes it.",
    ),
    any(
        &[700_024],
        "The signed assertion is outside its time of validity: this machine's clock is wrong. Compare it with the server's date below, and set the clock.",
    ),
    of(
        By::Federation,
        &[700_027, 50_027, 50_012, 50_013],
        "The signature of the OIDC token cannot be checked. The issuer's keys must be public under its address, and the token must come whole: check `exchange.oidc_token` (ARM_OIDC_TOKEN) or whatever gives it.",
    ),
    any(
        &[700_027, 7_000_272, 50_012],
        "The certificate of `exchange.client_certificate` (ARM_CLIENT_CERTIFICATE, ARM_CLIENT_CERTIFICATE_PATH) is not registered with the application, or has expired. Upload its public part under Certificates & secrets; the thumbprint there must be the one below.",
    ),
    any(
        &[700_023],
        "The assertion is made out to another authority. Check `exchange.tenant_id` (ARM_TENANT_ID), `exchange.environment` (ARM_ENVIRONMENT) and `exchange.login_url`.",
    ),
    of(By::Certificate, &[700_021], "The assertion names another application. Check `exchange.client_id` (ARM_CLIENT_ID)."),
    any(
        &[700_211],
        "No federated credential of the application has the OIDC token's issuer. Compare the issuer below with Certificates & secrets > Federated credentials, letter by letter, and check `exchange.client_id` (ARM_CLIENT_ID).",
    ),
    any(
        &[700_212],
        "No federated credential of the application has the OIDC token's audience. Have the token made out to the audience that stands under Certificates & secrets > Federated credentials (ARM_OIDC_AUDIENCE, TFC_WORKLOAD_IDENTITY_AUDIENCE), or change it there.",
    ),
    any(
        &[700_213, 7_002_137, 7_002_138],
        "No federated credential of the application has the OIDC token's subject. Compare the subject below with Certificates & secrets > Federated credentials: case matters, and so do branch, environment and workspace.",
    ),
    any(
        &[70_021, 700_021, 700_223],
        "No federated credential of the application fits the OIDC token. Compare its issuer, subject and audience with Certificates & secrets > Federated credentials.",
    ),
    any(
        &[700_222],
        "The OIDC token comes from Microsoft Entra itself, which is not taken here. Use the token of another issuer, or `exchange.use_msi` (ARM_USE_MSI).",
    ),
    any(
        &[53_003, 530_003, 530_004, 53_000, 53_001],
        "A Conditional Access policy blocks this login. Allow the application (policies for workload identities), or the address that it comes from.",
    ),
    of(
        By::Person,
        &[50_034, 50_057, 50_055, 50_173, 50_076, 50_078, 50_079, 70_043, 700_082, 700_084, 50_132, 50_133],
        "The login of the Azure CLI is no longer good. Run `az login --tenant <exchange.tenant_id>` again.",
    ),
    any(
        &[50_034],
        "The account is not in this tenant. Check `exchange.tenant_id` (ARM_TENANT_ID) and `exchange.client_id` (ARM_CLIENT_ID).",
    ),
    any(&[1_002_012, 70_011], "The scope was refused. Check `exchange.environment` (ARM_ENVIRONMENT)."),
];

/// Codes that say "try again later".
const PASSING: &[u32] = &[90_033, 90_055, 50_033, 90_006, 90_024];
/// The code of an assertion that is too old or from the future.
const TIME: u32 = 700_024;

/// Makes the error of a refused token request out of the answer to it and the time here.
pub(super) fn refusal(reply: &Reply, by: By, now: OffsetDateTime) -> Error {
    let parsed: Option<Value> = read_json(&reply.body).ok();
    let between = Between::of(reply.status, &reply.headers, &String::from_utf8_lossy(&reply.body));
    if let Some(between) = between.filter(|_| parsed.is_none() || reply.status == 407) {
        return between.error("The request for a token", "Microsoft Entra", "`exchange.login_url`");
    }
    let member = |name: &str| parsed.as_ref().and_then(|body| body.get(name));
    let text = member("error_description").and_then(Value::as_str).unwrap_or_default();
    let numbers = codes(member("error_codes"), text);
    let short = member("error").and_then(Value::as_str).unwrap_or_default();

    let passing = matches!(reply.status, 408 | 429 | 500..)
        || short == "temporarily_unavailable"
        || numbers.iter().any(|number| PASSING.contains(number));
    let kind = match reply.status {
        429 => Kind::Throttled,
        _ if passing => Kind::Unavailable,
        _ if parsed.is_none() => Kind::Unexpected,
        _ => Kind::Denied,
    };
    // What follows the first line is the trace of this one request, which goes into the context.
    let said = text.lines().next().map(str::trim).filter(|line| !line.is_empty()).unwrap_or(short);
    let said = said.split(" Trace ID:").next().unwrap_or(said);
    let message = if said.is_empty() {
        format!("Microsoft Entra gave no token: it answered HTTP {} without a reason.", reply.status)
    } else {
        format!("Microsoft Entra gave no token: {said}")
    };
    let mut error = Error::new(kind, message);
    if let Some(hint) = meaning(&numbers, by) {
        error = error.hint(hint);
    } else if kind == Kind::Unexpected {
        error = error.hint("This is not the answer of a token endpoint. Check `exchange.login_url` and any proxy on the way.");
    } else if kind == Kind::Denied {
        error = error.hint("Check `exchange.tenant_id`, `exchange.client_id` and the credential.");
    }
    if numbers.contains(&TIME)
        && let Some(date) = reply.headers.get("date").and_then(|date| date.to_str().ok())
    {
        error = error.context("server's date", date);
        if let Ok(theirs) = OffsetDateTime::parse(date, &Rfc2822) {
            error = error.context("this machine's clock", apart(now - theirs));
        }
    }
    if let Some(trace) = member("correlation_id").and_then(Value::as_str) {
        error = error.context("correlation id", trace);
    }
    if passing { error.retryable() } else { error }
}

/// What to do about the codes that a text names.
pub(super) fn advice(text: &str, by: By) -> Option<&'static str> {
    meaning(&codes(None, text), by)
}

fn meaning(numbers: &[u32], by: By) -> Option<&'static str> {
    let fits = |code: &&Code| code.by.is_none_or(|own| own == by) && code.numbers.iter().any(|number| numbers.contains(number));
    CODES.iter().find(fits).map(|code| code.hint)
}

/// How far this machine's clock is from the server's.
fn apart(difference: time::Duration) -> String {
    let seconds = difference.whole_seconds();
    let (minutes, rest) = (seconds.unsigned_abs() / 60, seconds.unsigned_abs() % 60);
    match seconds {
        // The date has no fractions, and the answer took its time.
        -5..=5 => "agrees with the server's".to_owned(),
        6.. => format!("{minutes} min {rest} s ahead of the server's"),
        _ => format!("{minutes} min {rest} s behind the server's"),
    }
}

fn codes(list: Option<&Value>, text: &str) -> Vec<u32> {
    let listed = list.and_then(Value::as_array).into_iter().flatten();
    let mut numbers: Vec<u32> = listed.filter_map(|number| number.to_string().parse().ok()).collect();
    for piece in text.split("AADSTS").skip(1) {
        let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
        numbers.extend(digits.parse::<u32>().ok());
    }
    numbers
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-08-21 12:00:00 UTC);

    fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        let headers = [(reqwest::header::DATE, "Fri, 21 Aug 2026 12:10:00 GMT".parse().unwrap())];
        Reply { status, headers: headers.into_iter().collect(), body: body.into() }
    }

    fn refused(code: u32, by: By) -> Error {
        let text = format!("AADSTS{code}: What is wrong. Trace ID: 1 Correlation ID: 2 Timestamp: 2026-08-21 12:00:00Z\r\nmore");
        let body = serde_json::json!({"error": "invalid_client", "error_description": text, "error_codes": [code], "correlation_id": "abc"});
        refusal(&reply(401, body.to_string()), by, NOW)
    }

    fn check(code: u32, by: By, said: &str) {
        let error = refused(code, by);
        assert_eq!(error.kind, Kind::Denied);
        assert!(!error.retryable, "{code}");
        assert_eq!(error.message, format!("Microsoft Entra gave no token: AADSTS{code}: What is wrong."));
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains(said), "{code}: {hint}");
    }

    #[test]
    fn e14_a_refusal_names_the_setting_that_is_wrong() {
        check(7_000_215, By::Secret, "exchange.client_secret");
        check(7_000_222, By::Secret, "expired");
        check(7_000_232, By::Secret, "exchange.use_msi");
        check(700_016, By::Secret, "exchange.client_id");
        check(90_002, By::Secret, "exchange.tenant_id");
        check(50_034, By::Secret, "exchange.tenant_id");
        check(53_003, By::Secret, "Conditional Access");
        check(65_001, By::Secret, "Exchange.ManageAsApp");
        check(700_027, By::Certificate, "exchange.client_certificate");
        check(700_021, By::Certificate, "exchange.client_id");
        check(700_023, By::Certificate, "exchange.login_url");
        check(123, By::Secret, "exchange.tenant_id");
        for (code, said) in [
            (501_051, "Exchange.ManageAsApp"),
            (50_105, "Assignment required?"),
            (530_035, "Security defaults"),
            (1_003_031, "API permissions"),
            (700_030, "exchange.client_certificate"),
            (90_094, "admin consent"),
        ] {
            check(code, By::Certificate, said);
        }
        check(50_105, By::Person, "exchange.use_cli");
        check(90_094, By::Person, "exchange.use_cli");
    }

    #[test]
    fn e14_a_refused_oidc_token_is_compared_by_issuer_subject_and_audience() {
        check(70_021, By::Federation, "issuer, subject and audience");
        check(700_021, By::Federation, "issuer, subject and audience");
        check(700_211, By::Federation, "has the OIDC token's issuer");
        check(700_212, By::Federation, "has the OIDC token's audience");
        check(700_213, By::Federation, "has the OIDC token's subject");
        check(7_002_138, By::Federation, "case matters");
        check(700_024, By::Federation, "exchange.oidc_token_file_path");
        check(700_027, By::Federation, "exchange.oidc_token");
    }

    #[test]
    fn e25_a_wrong_cloud_is_named() {
        check(900_382, By::Secret, "ARM_ENVIRONMENT");
        check(90_002, By::Certificate, "GCC High, DoD or China");
        check(500_011, By::Secret, "exchange.environment");
    }

    #[test]
    fn a_persons_login_has_meanings_of_its_own() {
        assert!(
            advice("ERROR: AADSTS65002: Consent between first party applications", By::Person).unwrap().contains("Azure CLI")
        );
        assert!(advice("AADSTS700082: The refresh token has expired", By::Person).unwrap().contains("az login"));
        assert_eq!(advice("no code", By::Person), None);
    }

    #[test]
    fn e26_a_wrong_clock_is_named_with_the_servers_date() {
        let error = refused(700_024, By::Certificate);
        assert!(error.hint.unwrap_or_default().contains("clock"));
        assert_eq!(
            error.context[..2],
            [
                ("server's date", "Fri, 21 Aug 2026 12:10:00 GMT".to_owned()),
                ("this machine's clock", "10 min 0 s behind the server's".to_owned())
            ]
        );
        assert_eq!(apart(time::Duration::seconds(95)), "1 min 35 s ahead of the server's");
        assert_eq!(apart(time::Duration::seconds(-3)), "agrees with the server's");
    }

    #[test]
    fn e14_only_what_may_pass_is_tried_again() {
        let refusal = |status, body: &str| refusal(&reply(status, body), By::Secret, NOW);
        assert!(refusal(503, "<html>").retryable);
        assert!(refusal(429, "").retryable);
        assert!(refusal(400, r#"{"error":"x","error_description":"AADSTS90033: A transient error."}"#).retryable);
        assert!(!refusal(302, "").retryable);
        for status in [200, 400, 403, 407] {
            let error = refusal(status, "<html><title>Proxy</title>");
            assert!(!error.retryable && error.kind == Kind::Unexpected, "{status}: {error}");
            assert!(error.to_string().contains("HTTPS_PROXY"), "{status}: {error}");
        }
    }
}
