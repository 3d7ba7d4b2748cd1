//! Signing with DKIM turned on for a domain: the switch of a DKIM signing config.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-dkimsigningconfig>. The service enables signing only once it sees the two CNAME
//! records of the config, and says so:
//!
//! ```text
//! |Microsoft.Exchange.ManagementTasks.ValidationException|CNAME record does not exist for this config. Please publish the following two CNAME records
//! first. […] If you have already published the CNAME records, sync will take a few minutes to as many as 4 days based on your specific DNS.
//! ```

use super::dkim_signing_config::aliases;
use crate::exchange::answer::Object;
use crate::exchange::cmdlet::{Cmdlets, Life, Switch};
use crate::exchange::forms::{domain, domain_meaning, trimmed};
use crate::schema::{Import, Resource, Timeouts, list, string};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_dkim_activation",
    noun: "DKIM activation",
    about: "Enables signing with the keys of a `mailflow_exchange_dkim_signing_config`. It first waits until the servers of the domain have the two CNAME \
            records, for as long as `timeouts.create` allows, as the service refuses it before. Destroying it disables signing with the domain's own \
            keys; the tenant's `onmicrosoft.com` domain signs instead.",
    attributes: &[
        string("domain", "The domain whose mail is to be signed.")
            .required()
            .replaces()
            .remote("Domain")
            .format("a domain", domain)
            .meaning(domain_meaning)
            .refers_to("exchange_dkim_signing_config", &[]),
        list(
            "resolvers",
            "The DNS servers to ask for the records: IP addresses, with the port where it is not 53. Omitted, the domain's own servers are asked, or the \
             servers of this machine where those cannot be reached.",
        )
        .filled_empty()
        .format("a text without a space at either end", trimmed)
        .local(),
        string("status", "What the service says of the config, such as `Valid`.").computed(),
    ],
    rules: &[],
    identity: &["domain"],
    import: Import::Key { attributes: &["domain"], example: "contoso.com" },
    title: "domain",
    version: 0,
    timeouts: Timeouts { write: 3600, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    life: Life::Switched(Switch {
        parameter: "Enabled",
        resolvers: "resolvers",
        aliases: to_publish,
        unseen: &["cname record does not exist", "publish the following two cname"],
    }),
    titled: "Domain",
    paged: false,
    ..Cmdlets::of(&RESOURCE, "DkimSigningConfig")
};

/// Microsoft publishes the records below its own domains.
fn to_publish(config: &Object) -> Vec<(String, String)> {
    const OWN: &[&str] = &[".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"];
    let domain = domain_meaning(config.text("Domain").unwrap_or_default());
    if OWN.iter().any(|own| domain.ends_with(own)) { Vec::new() } else { aliases(config) }
}
