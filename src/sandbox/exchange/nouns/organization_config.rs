//! The organization's configuration, of which one object stands.
//!
//! <https://learn.microsoft.com/powershell/module/exchangepowershell/set-organizationconfig>. Only what bears on mail
//! flow and on the life of the tenant is here.

use super::{boolean, integer, text};
use crate::sandbox::exchange::noun::{Noun, Verb};

/// The table.
pub(crate) fn noun() -> Noun {
    Noun {
        single: true,
        columns: &["IsDehydrated", "RejectDirectSend"],
        ..Noun::new(
            "OrganizationConfig",
            &[Verb::Get, Verb::Set],
            vec![
                text("Name", 255).answer_only(),
                text("DisplayName", 255).answer_only(),
                boolean("IsDehydrated").answer_only(),
                boolean("RejectDirectSend"),
                boolean("SendFromAliasEnabled"),
                boolean("DisablePlusAddressInRecipients"),
                boolean("AuditDisabled"),
                boolean("MailTipsAllTipsEnabled").unset(true),
                boolean("MailTipsExternalRecipientsTipsEnabled"),
                integer("MailTipsLargeAudienceThreshold", 0, 1000).unset(25),
                boolean("AutoExpandingArchiveEnabled").answer_only(),
                boolean("OAuth2ClientProfileEnabled").unset(true),
                boolean("IsLicensingEnforced").unset(true).answer_only(),
                boolean("IsMixedMode").answer_only(),
                text("AdminDisplayName", 256).unset("").answer_only(),
            ],
        )
    }
}
