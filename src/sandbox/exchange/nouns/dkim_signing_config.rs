//! DKIM signing configs: the keys of a domain, and whether its mail is signed with them.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-dkimsigningconfig> and
//! <https://learn.microsoft.com/defender-office-365/email-authentication-dkim-configure>. Signing is enabled once the service sees the two CNAME records;
//! a rotation takes 96 hours, and needs signing to be enabled (but for `onmicrosoft.com`). What Get shows follows a live record of July 2026, which has
//! no GUID; it has no times of change either, which other records have (`change_times` is the switch). That a second rotation within 96 hours is refused, and in which words, is a guess from the portal, which grays the
//! button out.

use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::{boolean, choice, integer, text};
use crate::sandbox::exchange::backends::Object;
use crate::sandbox::exchange::errors::Exception;
use crate::sandbox::exchange::noun::{Given, Input, Noun, Proposal, Verb};
use crate::sandbox::exchange::options::Options;
use crate::sandbox::exchange::values::{date, date_text};

const CANONICALIZATION: &[&str] = &["Relaxed", "Simple"];
const SELECTORS: [&str; 2] = ["selector1", "selector2"];

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        complete,
        check,
        timed,
        finish,
        columns: &["Enabled", "Status", "Selector1KeySize", "Selector2KeySize", "RotateOnDate"],
        ..Noun::new(
            "DkimSigningConfig",
            &[Verb::Get, Verb::New, Verb::Set, Verb::Remove, Verb::Rotate],
            vec![
                text("Name", 255).answer_only(),
                text("DomainName", 255).mandatory().new_only(),
                boolean("Enabled").mandatory(),
                text("AdminDisplayName", 256).unset(""),
                choice("HeaderCanonicalization", CANONICALIZATION).unset("Relaxed"),
                choice("BodyCanonicalization", CANONICALIZATION).unset("Relaxed"),
                integer("KeySize", 0, 65_535).of_keys().hidden(),
                boolean("PublishTxtRecords").set_only().hidden(),
                integer("Selector1KeySize", 1024, 2048).unset(1024).answer_only(),
                integer("Selector2KeySize", 1024, 2048).unset(1024).answer_only(),
                text("KeyCreationTime", 64).answer_only(),
                text("RotateOnDate", 64).answer_only(),
                text("SelectorBeforeRotateOnDate", 16).unset("selector2").answer_only(),
                text("SelectorAfterRotateOnDate", 16).unset("selector1").answer_only(),
            ],
        )
    }
}

/// The domain is the name.
fn complete(config: &mut Object, _: &Given, verb: Verb) {
    if verb == Verb::New {
        let domain = config.text("DomainName").unwrap_or_default().to_lowercase();
        config.fields.insert("Name".into(), Value::from(domain));
    }
}

/// The domain is one of the organization's, or below one.
fn check(proposal: &Proposal<'_>) -> Result<(), Exception> {
    let name = proposal.after.name();
    let is_own = |domain: &Object| {
        let own = domain.name().to_lowercase();
        name == own || name.ends_with(&format!(".{own}"))
    };
    Proposal::require(proposal.before.is_some() || proposal.store.truth("AcceptedDomain").iter().any(is_own), || {
        format!("The domain '{name}' isn't an accepted domain of your organization.")
    })
}

fn timed(
    verb: Verb,
    before: Option<&Object>,
    config: &mut Object,
    given: &Given,
    (now, options): (OffsetDateTime, &Options),
) -> Result<(), Exception> {
    let is_enabled = |object: &Object| object.is_true("Enabled");
    let is_custom = !config.name().ends_with(".onmicrosoft.com");
    if is_enabled(config) && !before.is_some_and(is_enabled) && is_custom && options.dkim_unpublished.contains(config.name()) {
        return Err(unpublished(config.name()));
    }
    let size = match given.get("KeySize") {
        Some(Input::Value(size)) if [1024, 2048].contains(&size.as_i64().unwrap_or_default()) => Some(size.clone()),
        Some(Input::Value(size)) => {
            return Err(Exception::argument(format!("The key size '{size}' isn't valid. Use 1024 or 2048.")));
        }
        _ => None,
    };
    match verb {
        Verb::New => {
            for selector in [1, 2] {
                config.fields.insert(format!("Selector{selector}KeySize"), size.clone().unwrap_or(json!(1024)));
            }
            stamp(config, "KeyCreationTime", now);
            stamp(config, "RotateOnDate", now);
        }
        Verb::Rotate => {
            if is_custom && !is_enabled(config) {
                return Err(Exception::invalid_operation(format!("DKIM signing isn't enabled for '{}'.", config.name())));
            }
            if config.text("RotateOnDate").and_then(date).is_some_and(|at| at > now) {
                return Err(Exception::invalid_operation(format!("The keys of '{}' are being rotated already.", config.name())));
            }
            let signing = config.text("SelectorAfterRotateOnDate").unwrap_or(SELECTORS[0]).to_owned();
            let [first, second] = SELECTORS;
            let next = if signing == first { second } else { first };
            let standing = config.fields.get(&key_size(&signing)).cloned().unwrap_or(json!(1024));
            config.fields.insert(key_size(next), size.unwrap_or(standing));
            config.fields.insert("SelectorBeforeRotateOnDate".into(), Value::from(signing));
            config.fields.insert("SelectorAfterRotateOnDate".into(), Value::from(next));
            stamp(config, "KeyCreationTime", now);
            stamp(config, "RotateOnDate", now + Duration::hours(96));
        }
        _ => {}
    }
    Ok(())
}

fn key_size(selector: &str) -> String {
    format!("S{}KeySize", &selector[1..])
}

fn stamp(config: &mut Object, name: &str, at: OffsetDateTime) {
    config.fields.insert(name.into(), Value::from(date_text(at, "Z")));
}

/// Where the record of a selector points to, in the form of domains since May 2025.
fn target(selector: &str, domain: &str) -> String {
    format!("{selector}-{}._domainkey.contoso.n-v1.dkim.mail.microsoft", domain.replace('.', "-"))
}

fn unpublished(domain: &str) -> Exception {
    let [first, second] = SELECTORS;
    Exception::validation(format!(
        "CNAME record does not exist for this config. Please publish the following two CNAME records first. Domain Name : {domain} Host Name : \
         {first}._domainkey Points to address or value: {} Host Name : {second}._domainkey Points to address or value: {} . If you have already published \
         the CNAME records, sync will take a few minutes to as many as 4 days based on your specific DNS. Return and retry this step later.",
        target(first, domain),
        target(second, domain)
    ))
}

fn finish(config: &Object, _: &Given, answer: &mut Map<String, Value>) {
    answer.retain(|name, _| !["Guid", "DistinguishedName"].iter().any(|hidden| name.starts_with(hidden)));
    let domain = config.name();
    answer.insert("Domain".into(), json!(domain));
    answer.insert("Id".into(), json!(domain));
    for (member, selector) in [("Selector1", SELECTORS[0]), ("Selector2", SELECTORS[1])] {
        answer.insert(format!("{member}CNAME"), json!(target(selector, domain)));
        answer.insert(format!("{member}PublicKey"), json!("v=DKIM1; k=rsa; p=c3RhbmQtaW4=;"));
        answer.insert(format!("{member}KeySize@data.type"), json!("System.UInt16"));
    }
    answer.insert("Status".into(), json!(if config.is_true("Enabled") { "Valid" } else { "CnameMissing" }));
    answer.insert("IsDefault".into(), json!(false));
    answer.insert("Algorithm".into(), json!("RsaSHA256"));
    answer.insert("NumberOfBytesToSign".into(), json!("All"));
    answer.insert("IncludeSignatureCreationTime".into(), json!(true));
    answer.insert("IncludeKeyExpiration".into(), json!(false));
    answer.insert("LastChecked".into(), answer.get("KeyCreationTime").cloned().unwrap_or_default());
}
