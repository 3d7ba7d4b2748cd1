//! What a test or a person can choose about the stand-in.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::errors::Shape;

/// Chooses how the stand-in behaves; the defaults are those of a healthy tenant with the quirks always seen.
///
/// All but `port`, `seed`, `real_clock` and the domains may change while the stand-in runs
/// ([`Service::set_options`](super::Service::set_options), or `PATCH /sandbox/options` with the members to change).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that a test sets by name")]
pub struct Options {
    /// TCP port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The tenant's GUID.
    pub tenant_id: String,
    /// The tenant's initial domain; it names the tenant wherever the GUID does.
    pub organization: String,
    /// The other accepted domains; the first is the default one.
    pub domains: Vec<String>,
    /// Which of the domains have the MX host of the DNSSEC era, under `mx.microsoft`.
    pub dnssec_domains: Vec<String>,
    /// The application's id.
    pub client_id: String,
    /// The application's secret. It is never written out.
    #[serde(skip_serializing, deserialize_with = "secret")]
    pub client_secret: SecretString,
    /// The application's certificate with an RSA key, PEM; assertions signed with its key are taken.
    pub client_certificate: Option<String>,
    /// A token of another issuer that is taken as an assertion. It is never written out.
    #[serde(skip_serializing, deserialize_with = "optional_secret")]
    pub federated_token: Option<SecretString>,
    /// Seeds the GUIDs.
    pub seed: u64,
    /// Ties the clock to the machine's; otherwise it stands still but for a second at every write.
    pub real_clock: bool,
    /// The life of a token in seconds.
    pub token_lifetime: u64,
    /// The application has `Exchange.ManageAsApp`; without it every call is answered 401. Bound at token issue.
    pub manage_as_app: bool,
    /// The application has a directory role; without it every call is answered 403. Bound at token issue.
    pub directory_role: bool,
    /// The application has `Domain.Read.All`. Bound at token issue.
    pub domain_read: bool,
    /// The application has `Mail.Send`: it may send from every mailbox. Bound at token issue.
    pub mail_send: bool,
    /// How long after a write the other back end shows it, in milliseconds.
    pub visibility_delay_ms: u64,
    /// How long after a write the back end that took it shows it, in milliseconds.
    pub own_visibility_delay_ms: u64,
    /// The affinity cookie leads back to the same back end; without it, calls come to the back ends in turn.
    pub affinity: bool,
    /// Get shows when an object was made and changed.
    pub change_times: bool,
    /// The most objects in one answer, whatever `Prefer: odata.maxpagesize` asks for.
    pub page_size: usize,
    /// When the front end answers with a redirect.
    pub redirect: Redirect,
    /// The status of a redirect: 301, 302, 303, 307 or 308.
    pub redirect_status: u16,
    /// Redirects to port 446 of the other host, as the service sometimes does; a client has to correct the port.
    pub redirect_port_446: bool,
    /// Holds all errors to one shape instead of taking turns.
    pub error_shape: Option<Shape>,
    /// What empties a list on Set, by noun; [`Clearing::default`] for the others.
    pub clearing: BTreeMap<String, Clearing>,
    /// Reads `Get-OutboundConnector` by its documentation: without `IsTransportRuleScoped` no scoped connector is shown.
    pub hide_scoped_connectors: bool,
    /// Answers a Get of an unknown identity with an error instead of all objects.
    pub unknown_identity_is_error: bool,
    /// Lets go of a connector that a rule names.
    pub remove_used_connectors: bool,
    /// Gives a list of one on rules as a bare string.
    pub single_values_as_text: bool,
    /// Refuses new inbound connectors, as tenants of the developer plan do.
    pub developer_tenant: bool,
    /// Keeps new inbound connectors disabled and lets nobody enable one, with a warning, as tenants since 2023 do until support enables them.
    pub connectors_kept_disabled: bool,
    /// What stands between the groups of digits of a size.
    pub size_grouping: String,
    /// Permissions of other interfaces that the application has too. Bound at token issue.
    pub other_permissions: Vec<String>,
    /// Recipients by their display names, with their addresses: a cmdlet takes either and stores the address.
    pub recipients: BTreeMap<String, String>,
    /// Cmdlets that no role of the application grants, in any case.
    pub revoked: BTreeSet<String>,
    /// Parameters that no role grants and that are silently ignored: `Set-TransportRule:SetSCL`.
    pub ignored_parameters: BTreeSet<String>,
    /// Domains whose DKIM records the service has not seen, in lower case; those of all others count as published.
    pub dkim_unpublished: BTreeSet<String>,
    /// How many calls may be in flight before the service says that they are too many.
    pub max_in_flight: Option<usize>,
    /// How long every call takes, in milliseconds.
    pub latency_ms: u64,
}

/// When the front end answers with a redirect to the other name of this host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redirect {
    /// Never.
    #[default]
    Never,
    /// Once.
    First,
    /// At every call that does not come by the other name.
    Always,
}

/// What empties a list on Set. A `Remove` delta always takes its members away.
///
/// Sources disagree: some empty with `null`, some found that a plain `[]` does nothing, some send an empty table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clearing {
    /// `null` does.
    pub null: bool,
    /// A plain `[]` does.
    pub empty_list: bool,
    /// `{"@odata.type":"#Exchange.GenericHashTable"}` does.
    pub empty_table: bool,
}

impl Default for Clearing {
    fn default() -> Self {
        Self { null: true, empty_list: false, empty_table: true }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            tenant_id: "3d2c1b0a-5e4f-4a7b-8c9d-0e1f2a3b4c5d".into(),
            organization: "contoso.onmicrosoft.com".into(),
            domains: vec!["contoso.com".into(), "example.com".into(), "example.net".into()],
            dnssec_domains: vec!["example.net".into()],
            client_id: "7b6a5948-3726-4150-9f8e-7d6c5b4a3928".into(),
            client_secret: "sandbox-client-secret-not-for-real-tenants".into(),
            client_certificate: None,
            federated_token: None,
            seed: 1,
            real_clock: false,
            token_lifetime: 3599,
            manage_as_app: true,
            directory_role: true,
            domain_read: true,
            mail_send: false,
            visibility_delay_ms: 0,
            own_visibility_delay_ms: 0,
            affinity: true,
            change_times: true,
            page_size: 1000,
            redirect: Redirect::Never,
            redirect_status: 307,
            redirect_port_446: false,
            error_shape: None,
            clearing: BTreeMap::new(),
            hide_scoped_connectors: false,
            unknown_identity_is_error: false,
            remove_used_connectors: false,
            single_values_as_text: false,
            developer_tenant: false,
            connectors_kept_disabled: false,
            size_grouping: ",".into(),
            other_permissions: Vec::new(),
            recipients: BTreeMap::new(),
            revoked: BTreeSet::new(),
            ignored_parameters: BTreeSet::new(),
            dkim_unpublished: BTreeSet::new(),
            max_in_flight: None,
            latency_ms: 0,
        }
    }
}

impl Options {
    /// What empties a list of this noun on Set.
    pub(crate) fn clearing(&self, noun: &str) -> Clearing {
        let found = self.clearing.iter().find(|(name, _)| name.eq_ignore_ascii_case(noun));
        found.map(|(_, clearing)| *clearing).unwrap_or_default()
    }

    /// True when the text names the tenant: its GUID or one of its domains.
    pub(crate) fn is_tenant(&self, name: &str) -> bool {
        let names = [&self.tenant_id, &self.organization].into_iter().chain(&self.domains);
        names.into_iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// True when the cmdlet may be run.
    pub(crate) fn grants(&self, cmdlet: &str) -> bool {
        !self.revoked.iter().any(|revoked| revoked.eq_ignore_ascii_case(cmdlet))
    }

    /// True when the parameter of the cmdlet is silently ignored.
    pub(crate) fn ignores(&self, cmdlet: &str, parameter: &str) -> bool {
        let pair = format!("{cmdlet}:{parameter}");
        self.ignored_parameters.iter().any(|ignored| ignored.eq_ignore_ascii_case(&pair))
    }

    /// These options with the given members replaced.
    pub(crate) fn patched(&self, patch: &Value) -> Result<Self, serde_json::Error> {
        let mut members = serde_json::to_value(self)?;
        if let (Value::Object(members), Value::Object(patch)) = (&mut members, patch) {
            members.extend(patch.clone());
        }
        let mut patched: Self = serde_json::from_value(members)?;
        // Secrets are not written out above, so that what was not given is taken over here.
        if patch.get("client_secret").is_none() {
            patched.client_secret = self.client_secret.clone();
        }
        if patch.get("federated_token").is_none() {
            patched.federated_token.clone_from(&self.federated_token);
        }
        Ok(patched)
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(SecretString::from))
}
