//! Accepted domains: what the organization does with mail for and from its own domains.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-accepteddomain>. A domain is added to and removed from the tenant in Microsoft Entra, so there is
//! no New and no Remove:
//!
//! ```json
//! {"Name":"contoso.com","DomainName":"contoso.com","DomainType":"Authoritative","Default":true,"InitialDomain":false,
//!  "MatchSubDomains":false,"OutboundOnly":false,"Guid":"…"}
//! ```

use super::{UNMANAGED, is_text, is_true};
use crate::exchange::cmdlet::{Cmdlets, Life};
use crate::exchange::forms::{domain, domain_meaning};
use crate::schema::{Import, Record, Resource, Rule, Timeouts, boolean, one_of, string};
use crate::value::{Diagnostic, Diagnostics, Path};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_accepted_domain",
    noun: "accepted domain",
    about: "Sets what the organization does with mail for and from one of its domains. The domain itself comes from Microsoft Entra: creating this \
            resource takes it over, and destroying it puts back what stood there before.",
    attributes: &[
        string("domain", "The domain.").required().always_there(|_| true).replaces().remote("DomainName").format("a domain", domain).meaning(domain_meaning),
        one_of(
            "domain_type",
            "What happens to mail for recipients that the organization does not know: `Authoritative` refuses it, `InternalRelay` passes it on to your own \
             servers.",
            &["Authoritative", "InternalRelay"],
        )
        .filled_text("Authoritative"),
        boolean("match_sub_domains", "Take mail for all domains below too. For `InternalRelay` only.").filled(false),
        boolean("outbound_only", "The domain is that of your own servers, which only send through the organization.").filled(false),
        boolean("sending_from_domain_disabled", "Let nobody send from addresses of the domain.").filled(false),
        boolean("sending_to_domain_disabled", "Take no mail for addresses of the domain.").filled(false),
        boolean("is_default", "Whether new addresses are of this domain.").computed().remote("Default"),
        boolean("initial_domain", "Whether the domain is the one that the tenant began with.").computed(),
        UNMANAGED,
    ],
    rules: &[Rule::Hook("`match_sub_domains` is for `domain_type = \"InternalRelay\"` only.", below)],
    identity: &["id"],
    import: Import::Lookup { about: "the domain, or its GUID in Exchange Online", example: "contoso.com" },
    title: "domain",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets =
    Cmdlets { life: Life::Found, titled: "DomainName", ..Cmdlets::of(&RESOURCE, "AcceptedDomain") };

fn below(config: &Record) -> Diagnostics {
    let relays = match config.at("domain_type") {
        crate::value::Value::Null => Some(false),
        _ => is_text(config, "domain_type", "InternalRelay"),
    };
    if is_true(config, "match_sub_domains", false) != Some(true) || relays != Some(false) {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            "The setting is for relayed domains only",
            "`match_sub_domains` is for `domain_type = \"InternalRelay\"`. Set that, or leave it out.",
        )
        .at(Path::dotted("match_sub_domains")),
    ]
}
