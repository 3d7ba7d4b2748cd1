//! DKIM signing: the keys with which mail of a domain is signed, and the records that show them to the world.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/new-dkimsigningconfig> and
//! <https://learn.microsoft.com/defender-office-365/email-authentication-dkim-configure>. `Get-DkimSigningConfig` shows no GUID and no times of change:
//!
//! ```json
//! {"Domain":"contoso.com","Name":"contoso.com","Enabled":false,"Status":"CnameMissing","IsDefault":false,"AdminDisplayName":"",
//!  "HeaderCanonicalization":"Relaxed","BodyCanonicalization":"Relaxed","KeyCreationTime":"2026-07-14T18:54:40.7066975Z",
//!  "Selector1KeySize":2048,"Selector1CNAME":"selector1-contoso-com._domainkey.contoso.y-v1.dkim.mail.microsoft",
//!  "Selector2KeySize":2048,"Selector2CNAME":"selector2-contoso-com._domainkey.contoso.y-v1.dkim.mail.microsoft",
//!  "RotateOnDate":"2026-07-14T18:54:40.7066975Z","SelectorBeforeRotateOnDate":"selector2","SelectorAfterRotateOnDate":"selector1"}
//! ```

use super::UNMANAGED;
use crate::exchange::answer::Object;
use crate::exchange::cmdlet::{Cmdlets, Form, Rotation};
use crate::exchange::forms::{domain, domain_meaning};
use crate::schema::{Import, Record, Resource, Rule, Timeouts, boolean, integer, list_of, one_of, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// How a message part is brought into one form before it is signed.
const CANONICALIZATIONS: &[&str] = &["Relaxed", "Simple"];

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_dkim_signing_config",
    noun: "DKIM signing config",
    about: "Makes the DKIM keys of a domain (Microsoft Defender portal: Email authentication settings > DKIM). It is created disabled: publish its two \
            `cname_records`, then enable signing with `mailflow_exchange_dkim_activation`. A disabled one that stands is taken over; one that is enabled is \
            imported. Destroying it removes it, or disables it where the service does not offer `Remove-DkimSigningConfig`.",
    attributes: &[
        string("domain", "The domain whose mail is signed.")
            .required()
            .replaces()
            .remote("Domain")
            .format("a domain", domain)
            .meaning(domain_meaning),
        integer(
            "key_size",
            "The size of the key in bits: `1024` or `2048`. A change rotates the keys: the other selector gets a key of the new size, which signs after \
             `rotate_on_date`. Omitted, it stays as it is; a new config gets the service's default, which is 1024.",
        )
        .filled_by_service(),
        integer(
            "rotate_version",
            "A change to another number rotates the keys, without changing their size. The number of a new config does nothing; removing the \
             argument does nothing either.",
        )
        .local(),
        one_of("header_canonicalization", "Which changes of headers a signature bears: `Simple` bears none.", CANONICALIZATIONS)
            .filled_text("Relaxed"),
        one_of(
            "body_canonicalization",
            "Which changes of the body a signature bears: `Simple` bears empty lines at its end only.",
            CANONICALIZATIONS,
        )
        .filled_text("Relaxed"),
        string("admin_display_name", "Remark for administrators."),
        list_of(
            "cname_records",
            "The two DNS records to publish, that of `selector1` first. Microsoft publishes those of the tenant's own `onmicrosoft.com` domain.",
            &[
                string("name", "The full name of the record, such as `selector1._domainkey.contoso.com`.").computed(),
                string("target", "Where the record points to.").computed(),
            ],
        )
        .computed()
        .fixed(),
        string("selector1_cname", "Where the record of `selector1` points to.").computed().fixed().remote("Selector1CNAME"),
        string("selector2_cname", "Where the record of `selector2` points to.").computed().fixed().remote("Selector2CNAME"),
        integer("selector1_key_size", "The size of the key of `selector1`.").computed(),
        integer("selector2_key_size", "The size of the key of `selector2`.").computed(),
        string("selector_before_rotate_on_date", "The selector that signs until `rotate_on_date`.").computed(),
        string("selector_after_rotate_on_date", "The selector that signs from `rotate_on_date` on.").computed(),
        string("rotate_on_date", "When the last rotation takes effect or took effect, in RFC 3339.").computed(),
        string("key_creation_time", "When the newest key was made, in RFC 3339.").computed(),
        boolean("enabled", "Whether mail of the domain is signed with these keys.").computed(),
        string("status", "What the service says of the config, such as `Valid` or `CnameMissing`.").computed(),
        UNMANAGED,
    ],
    rules: &[
        Rule::Hook("`key_size` is 1024 or 2048.", sizes),
        Rule::Advice("A warning is given for a rotation: the new key signs after 96 hours.", rotation),
    ],
    identity: &["domain"],
    import: Import::Key { attributes: &["domain"], example: "contoso.com" },
    title: "domain",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    titled: "Domain",
    paged: false,
    new_names: &[("domain", "DomainName")],
    new_with: &[("Enabled", false)],
    completes: Some(completes),
    takes_over: Some(is_disabled),
    rotation: Some(Rotation { size: "key_size", version: "rotate_version", moment: "RotateOnDate" }),
    off_instead: Some("Enabled"),
    forms: &[("rotate_on_date", Form::Date), ("key_creation_time", Form::Date)],
    ..Cmdlets::of(&RESOURCE, "DkimSigningConfig")
};

fn is_disabled(object: &Object) -> bool {
    object.get("Enabled").as_bool() == Some(false)
}

/// The records to publish: name and target. What is not shown is left out.
pub(super) fn aliases(object: &Object) -> Vec<(String, String)> {
    let domain = domain_meaning(object.text("Domain").unwrap_or_default());
    let alias = |selector: &str, member: &str| {
        let target = object.text(member).filter(|target| !target.is_empty())?;
        Some((format!("{selector}._domainkey.{domain}"), target.trim_end_matches('.').to_owned()))
    };
    [alias("selector1", "Selector1CNAME"), alias("selector2", "Selector2CNAME")].into_iter().flatten().collect()
}

/// The size is that of the key that signs after the last rotation, or of both where they are alike.
fn completes(object: &Object, record: &mut Record) {
    let records = aliases(object).into_iter().map(|(name, target)| {
        Value::object([("name".to_owned(), Value::from(name.as_str())), ("target".to_owned(), Value::from(target.as_str()))])
    });
    record.set("cname_records", Value::List(records.collect()));
    let (first, second) = (record.get("selector1_key_size").clone(), record.get("selector2_key_size").clone());
    let size = match record.text("selector_after_rotate_on_date").map(str::to_ascii_lowercase).as_deref() {
        Some("selector1") => first,
        Some("selector2") => second,
        _ if first == second => first,
        _ => Value::UNKNOWN,
    };
    record.set("key_size", size);
}

fn sizes(config: &Record) -> Diagnostics {
    match config.integer("key_size") {
        None | Some(1024 | 2048) => Vec::new(),
        Some(_) => vec![
            Diagnostic::error("There are no keys of this size", "Set `key_size` to 1024 or 2048, or omit it.")
                .at(Path::dotted("key_size")),
        ],
    }
}

fn rotation(standing: Option<&Record>, config: &Record) -> Diagnostics {
    let Some(standing) = standing else { return Vec::new() };
    let changes = |name: &str| config.integer(name).is_some_and(|wanted| standing.integer(name) != Some(wanted));
    let Some(name) = ["key_size", "rotate_version"].into_iter().find(|name| changes(name)) else { return Vec::new() };
    vec![
        Diagnostic::warning(
            "The DKIM keys will be rotated",
            "A new key is made for the other selector, and signs mail 96 hours later. Both `cname_records` must stay published. Keys are rotated only while \
             signing is enabled for the domain, and not again before the last rotation has taken effect. To give both selectors a key of the new size, \
             rotate once more after that.",
        )
        .at(Path::dotted(name)),
    ]
}
