//! Settings of the organization that decide about mail flow.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-organizationconfig>. `Get-OrganizationConfig` shows one object, with some hundred other
//! settings; `Set-OrganizationConfig` takes no `Identity`:
//!
//! ```json
//! {"Name":"contoso.onmicrosoft.com","RejectDirectSend":false,"DisablePlusAddressInRecipients":false,"SendFromAliasEnabled":false}
//! ```

use crate::exchange::cmdlet::{Cmdlets, Life};
use crate::schema::{Import, Resource, Timeouts, boolean};

pub(super) const RESOURCE: Resource = Resource {
    name: "exchange_organization_mail_flow",
    noun: "mail flow configuration of the organization",
    about: "Sets what the whole organization does with mail. It is always there: creating this resource takes it over, and destroying it puts \
            back what stood there before.",
    attributes: &[
        boolean(
            "reject_direct_send",
            "Refuse mail that comes without authentication, from an accepted domain of your own, and by no inbound connector. Devices and services that \
             send so need a connector first.",
        )
        .filled(false),
        boolean("send_from_alias_enabled", "Leave the aliases that people send from as they are, instead of writing the primary address.")
            .filled(false),
        boolean("disable_plus_address_in_recipients", "Take `+` as a plain sign of an address: `name+tag@contoso.com` does not reach `name@contoso.com`.")
            .filled(false),
    ],
    rules: &[],
    identity: &["id"],
    import: Import::Singleton { word: "organization_mail_flow" },
    title: "id",
    version: 0,
    // The vendor's own module waits half an hour for this cmdlet.
    timeouts: Timeouts { write: 1860, read: 300 },
};

pub(super) const CMDLETS: Cmdlets = Cmdlets {
    life: Life::Single { identity: None },
    paged: false,
    quiet: &["reject_direct_send"],
    ..Cmdlets::of(&RESOURCE, "OrganizationConfig")
};
