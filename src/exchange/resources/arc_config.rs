//! Trusted ARC sealers: whose word about the authentication of a message is taken after they changed it.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-arcconfig>. The list is shown as one text with commas, and a single space empties it:
//!
//! ```json
//! {"Identity":"Default","ArcTrustedSealers":"fabrikam.com,cohovineyard.com"}
//! ```

use super::UNMANAGED;
use crate::exchange::cmdlet::{Cmdlets, Form, Life};
use crate::exchange::forms::{domain, domain_meaning};
use crate::schema::{Clearing, Import, Resource, Timeouts, set};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_arc_config",
    noun: "list of trusted ARC sealers",
    about: "Sets whose ARC seals the organization trusts, such as those of a gateway that changes messages on their way in. It is always there: \
            creating this resource takes it over, and destroying it puts back what stood there before.",
    attributes: &[
        set("arc_trusted_sealers", "Domains of the sealers, as the tag `d` of their `ARC-Seal` headers names them.")
            .filled_empty()
            .format("a domain", domain)
            .meaning(domain_meaning)
            .cleared_by(Clearing::Space),
        UNMANAGED,
    ],
    rules: &[],
    identity: &["id"],
    import: Import::Singleton { word: "arc_config" },
    title: "id",
    version: 0,
    timeouts: Timeouts { write: 1200, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    life: Life::Single { identity: Some("Default") },
    paged: false,
    forms: &[("arc_trusted_sealers", Form::Joined)],
    ..Cmdlets::of(&RESOURCE, "ArcConfig")
};
