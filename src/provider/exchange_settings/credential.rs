//! The credential of the `exchange` block: which kind it is, and where its parts come from.
//!
//! The block holds one kind at most, and what it holds wins over the environment. Of what the environment offers, the first of
//! [`KINDS`] is taken: a certificate, a secret, federation, a managed identity, the Azure CLI. `use_oidc`, `use_msi` and `use_cli` set
//! to `false` in the block rule their kind out in both places.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::exchange::settings::{CertificateSource, Credential, IdentityEndpoint, OidcSource, Proof};
use crate::provider::environment::{Environment, Lookup};
use crate::schema::{Attribute, Record, boolean, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

const CLIENT: &[&str] = &["ARM_CLIENT_ID", "AZURE_CLIENT_ID", "AZURESUBSCRIPTION_CLIENT_ID"];
const CLIENT_FILE: &[&str] = &["ARM_CLIENT_ID_FILE_PATH"];
const SECRET: &[&str] = &["ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"];
const SECRET_FILE: &[&str] = &["ARM_CLIENT_SECRET_FILE_PATH"];
const CERTIFICATE: &[&str] = &["ARM_CLIENT_CERTIFICATE"];
const CERTIFICATE_PATH: &[&str] = &["ARM_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"];
const CERTIFICATE_PASSWORD: &[&str] = &["ARM_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD"];
const USE_OIDC: &str = "ARM_USE_OIDC";
const OIDC_TOKEN: &[&str] = &["ARM_OIDC_TOKEN"];
const OIDC_FILE: &[&str] = &["ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"];
/// Stands below the files: HCP Terraform's own dynamic credentials write one of them.
const OIDC_HCP: &[&str] = &["TFC_WORKLOAD_IDENTITY_TOKEN"];
const OIDC_AUDIENCE: &[&str] = &["ARM_OIDC_AUDIENCE"];
const REQUEST_URL: &[&str] = &["ARM_OIDC_REQUEST_URL"];
const REQUEST_TOKEN: &[&str] = &["ARM_OIDC_REQUEST_TOKEN"];
const GITHUB_URL: &[&str] = &["ACTIONS_ID_TOKEN_REQUEST_URL"];
const GITHUB_TOKEN: &[&str] = &["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
const PIPELINES_URL: &[&str] = &["SYSTEM_OIDCREQUESTURI"];
const PIPELINES_TOKEN: &[&str] = &["SYSTEM_ACCESSTOKEN"];
const SERVICE_CONNECTION: &[&str] = &[
    "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
    "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
];
const USE_MSI: &str = "ARM_USE_MSI";
const MSI_ENDPOINT: &[&str] = &["ARM_MSI_ENDPOINT"];
const IDENTITY_ENDPOINT: &[&str] = &["IDENTITY_ENDPOINT"];
const IDENTITY_HEADER: &[&str] = &["IDENTITY_HEADER"];
const USE_CLI: &str = "ARM_USE_CLI";

/// The lines of the block that say who logs in.
pub(super) const CLIENT_ID_LINE: Attribute = string(
    "client_id",
    "The application (client) ID of the app registration; with `use_msi`, the client ID of a user-assigned identity. Falls back to the \
     environment variables `ARM_CLIENT_ID`, then `AZURE_CLIENT_ID`, then the file that `ARM_CLIENT_ID_FILE_PATH` names.",
);
pub(super) const SECRET_LINE: Attribute = string(
    "client_secret",
    "A client secret of the app registration. Falls back to `ARM_CLIENT_SECRET`, then `AZURE_CLIENT_SECRET`, then the file that \
     `ARM_CLIENT_SECRET_FILE_PATH` names.",
)
.sensitive();
pub(super) const CERTIFICATE_LINE: Attribute = string(
    "client_certificate",
    "A certificate of the app registration with its private RSA key: PEM text, or PKCS#12 as base64. Falls back to \
     `ARM_CLIENT_CERTIFICATE`.",
)
.sensitive();
pub(super) const CERTIFICATE_PATH_LINE: Attribute = string(
    "client_certificate_path",
    "A file with the certificate and its private key, as PEM or PKCS#12. Falls back to `ARM_CLIENT_CERTIFICATE_PATH`, then \
     `AZURE_CLIENT_CERTIFICATE_PATH`.",
);
pub(super) const CERTIFICATE_PASSWORD_LINE: Attribute = string(
    "client_certificate_password",
    "The passphrase of the PKCS#12 or of the private key, if there is one. Falls back to `ARM_CLIENT_CERTIFICATE_PASSWORD`, then \
     `AZURE_CLIENT_CERTIFICATE_PASSWORD`.",
)
.sensitive();
pub(super) const USE_OIDC_LINE: Attribute = boolean(
    "use_oidc",
    "Whether the application proves itself with the OIDC token of another issuer, which one of its federated credentials trusts. Follows \
     from the other `oidc_…` settings, and from what GitHub Actions, Azure Pipelines, HCP Terraform and AKS put into the environment; \
     `false` rules it out. Falls back to `ARM_USE_OIDC`.",
);
pub(super) const OIDC_TOKEN_LINE: Attribute = string(
    "oidc_token",
    "The OIDC token itself. Falls back to `ARM_OIDC_TOKEN`, then to the `TFC_WORKLOAD_IDENTITY_TOKEN` that HCP Terraform makes when the \
     workspace has the variable `TFC_WORKLOAD_IDENTITY_AUDIENCE`.",
)
.sensitive();
pub(super) const OIDC_FILE_LINE: Attribute = string(
    "oidc_token_file_path",
    "A file with the OIDC token; it is read again at each use, so that it may be renewed meanwhile. Falls back to \
     `ARM_OIDC_TOKEN_FILE_PATH`, then `AZURE_FEDERATED_TOKEN_FILE`.",
);
pub(super) const REQUEST_URL_LINE: Attribute = string(
    "oidc_request_url",
    "Where an OIDC token is asked for, as GitHub Actions and Azure Pipelines do it. Falls back to `ARM_OIDC_REQUEST_URL`, then \
     `ACTIONS_ID_TOKEN_REQUEST_URL`, then `SYSTEM_OIDCREQUESTURI`. In Azure Pipelines the service connection comes from \
     `ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID`, then `ARM_OIDC_AZURE_SERVICE_CONNECTION_ID`.",
)
.format(ENDPOINT, endpoint);
pub(super) const REQUEST_TOKEN_LINE: Attribute = string(
    "oidc_request_token",
    "What allows to ask there. Falls back to `ARM_OIDC_REQUEST_TOKEN`, then `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, then `SYSTEM_ACCESSTOKEN`.",
)
.sensitive();
pub(super) const USE_MSI_LINE: Attribute = boolean(
    "use_msi",
    "Whether the managed identity of the machine in Azure logs in; its service principal needs the rights that an app registration would. \
     Falls back to `ARM_USE_MSI`.",
);
pub(super) const MSI_ENDPOINT_LINE: Attribute = string(
    "msi_endpoint",
    "Where the managed identity's tokens are asked for, in the manner of a virtual machine. Falls back to `ARM_MSI_ENDPOINT`, then to what \
     App Service, Functions and Container Apps announce, then to the virtual machine's metadata service.",
)
.format(ENDPOINT, endpoint);
pub(super) const USE_CLI_LINE: Attribute = boolean(
    "use_cli",
    "Whether the person logs in who is logged in to the Azure CLI (`az`), for trying things out. Falls back to `ARM_USE_CLI`.",
);

const ENDPOINT: &str = "a URL with `https` (plain `http` only within the machine)";

fn endpoint(text: &str) -> Result<(), String> {
    parse_endpoint(text).map(|_| ())
}

/// Reads a URL to which a secret is sent, or from which one comes. Plain http is for the machine itself and the metadata service
/// beside it.
fn parse_endpoint(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("This is not a URL: {error}."))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("A login has no place in this URL.".to_owned());
    }
    let near = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return Err("The URL names no host.".to_owned()),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if near => Ok(url),
        _ => Err("Use https. Plain http is for the machine itself, as tokens would be readable on the way.".to_owned()),
    }
}

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Certificate,
    Secret,
    Federation,
    ManagedIdentity,
    AzureCli,
}

/// What belongs to a kind.
struct About {
    kind: Kind,
    /// What chooses it by itself, and rules it out when it is `false`: attribute and variable.
    switch: Option<(&'static str, &'static str)>,
    /// The attributes of which each chooses it.
    attributes: &'static [&'static str],
    /// Those that say the same thing: one of them at most.
    rivals: &'static [&'static [&'static str]],
}

/// The kinds, in the order in which the environment is searched: that of Azure's own providers.
const KINDS: &[About] = &[
    About {
        kind: Kind::Certificate,
        switch: None,
        attributes: &["client_certificate", "client_certificate_path", "client_certificate_password"],
        rivals: &[&["client_certificate"], &["client_certificate_path"]],
    },
    About { kind: Kind::Secret, switch: None, attributes: &["client_secret"], rivals: &[] },
    About {
        kind: Kind::Federation,
        switch: Some(("use_oidc", USE_OIDC)),
        attributes: &["oidc_token", "oidc_token_file_path", "oidc_request_url", "oidc_request_token"],
        rivals: &[&["oidc_token"], &["oidc_token_file_path"], &["oidc_request_url", "oidc_request_token"]],
    },
    About { kind: Kind::ManagedIdentity, switch: Some(("use_msi", USE_MSI)), attributes: &["msi_endpoint"], rivals: &[] },
    About { kind: Kind::AzureCli, switch: Some(("use_cli", USE_CLI)), attributes: &[], rivals: &[] },
];

impl About {
    fn ruled_out(&self, block: &Record) -> bool {
        self.switch.is_some_and(|(name, _)| block.get(name).as_bool() == Some(false))
    }

    /// The attribute of the block that chooses this kind, if one does.
    fn chosen_by(&self, block: &Record) -> Option<&'static str> {
        let switch = self.switch.map(|(name, _)| name).filter(|name| block.get(name).as_bool() == Some(true));
        let set = self.attributes.iter().copied().find(|name| !block.get(name).is_null());
        set.or(switch).filter(|_| !self.ruled_out(block))
    }
}

/// The settings that people copy from somewhere, and whether each is a secret.
pub(super) const COPIED: &[(&str, bool)] =
    &[("client_id", false), ("client_secret", true), ("oidc_token", true), ("oidc_request_token", true)];

/// A setting that is a secret, the variables that it falls back to, and its value.
type Copied<'a> = (&'static str, &'static [&'static str], &'a SecretString);

/// Finds what contradicts itself in the block.
pub(super) fn conflicts(block: &Record) -> Diagnostics {
    let mut found = Vec::new();
    let chosen: Vec<_> = KINDS.iter().filter_map(|about| Some((about, about.chosen_by(block)?))).collect();
    if let [(_, first), (_, second), ..] = chosen.as_slice() {
        found.push(conflict("The provider block has two credentials", first, second, "which of them logs in"));
    }
    for (about, _) in chosen {
        let set = |names: &&[&'static str]| names.iter().copied().find(|name| !block.get(name).is_null());
        let set: Vec<_> = about.rivals.iter().filter_map(set).collect();
        if let [first, second, ..] = set.as_slice() {
            found.push(conflict("The credential is given twice", first, second, "which of them counts"));
        }
    }
    found
}

fn conflict(summary: &str, first: &str, second: &str, open: &str) -> Diagnostic {
    Diagnostic::error(
        summary,
        format!(
            "exchange.{first} and exchange.{second} are both set, which leaves open {open}. Keep one and leave the other out."
        ),
    )
    .at(Path::dotted("exchange").attribute(second))
}

/// Looks the credential up.
pub(super) fn credential(block: &Record, environment: &Environment, lookup: &mut Lookup<'_>) -> Option<Credential> {
    lookup.problems.extend(conflicts(block));
    let credential = Search { block, environment, lookup: &mut *lookup }.credential();
    let (client_id, secrets): (Option<&str>, &[Copied<'_>]) = match &credential {
        Some(Credential::Application { client_id, proof }) => (
            Some(client_id),
            match proof {
                Proof::Secret(secret) => &[("client_secret", SECRET, secret)],
                Proof::Federated(OidcSource::Token(token)) => &[("oidc_token", OIDC_TOKEN, token)],
                Proof::Federated(OidcSource::GitHub { token, .. } | OidcSource::AzurePipelines { token, .. }) => {
                    &[("oidc_request_token", REQUEST_TOKEN, token)]
                }
                Proof::Federated(OidcSource::File(_)) | Proof::Certificate { .. } => &[],
            },
        ),
        Some(Credential::ManagedIdentity { client_id, .. }) => (client_id.as_deref(), &[]),
        Some(Credential::AzureCli { .. }) | None => (None, &[]),
    };
    if let Some(client_id) = client_id {
        lookup.stray("client_id", CLIENT, client_id, false);
    }
    for (name, variables, secret) in secrets {
        lookup.stray(name, variables, secret.expose_secret(), true);
    }
    credential
}

struct Search<'s, 'l> {
    block: &'s Record,
    environment: &'s Environment,
    lookup: &'s mut Lookup<'l>,
}

impl Search<'_, '_> {
    fn credential(&mut self) -> Option<Credential> {
        // Notes a switch that is not known yet: it may choose another kind.
        for (name, _) in KINDS.iter().filter_map(|about| about.switch) {
            self.lookup.value(name);
        }
        let own = KINDS.iter().find(|about| about.chosen_by(self.block).is_some());
        let kind = match own {
            Some(about) => Some(about.kind),
            None => self.offered(),
        };
        match kind {
            Some(Kind::Certificate) => self.application(Self::certificate),
            Some(Kind::Secret) => self.application(Self::secret),
            Some(Kind::Federation) => self.application(|search| search.oidc().map(Proof::Federated)),
            Some(Kind::ManagedIdentity) => {
                let client_id = self.text_or_file("client_id", CLIENT, CLIENT_FILE);
                Some(Credential::ManagedIdentity { client_id, endpoint: self.identity_endpoint()? })
            }
            Some(Kind::AzureCli) => {
                let search_path = self.environment.first(&["PATH"]).unwrap_or_default().to_owned();
                Some(Credential::AzureCli { search_path })
            }
            None => {
                self.application(|_| None);
                if self.lookup.unknown.is_none() {
                    self.lookup.problem(
                        "client_secret",
                        "The provider has no credential for Microsoft 365",
                        "Set one of exchange.client_secret (environment variable ARM_CLIENT_SECRET or AZURE_CLIENT_SECRET), \
                         exchange.client_certificate or client_certificate_path (ARM_CLIENT_CERTIFICATE, ARM_CLIENT_CERTIFICATE_PATH), \
                         exchange.use_oidc (ARM_USE_OIDC), exchange.use_msi (ARM_USE_MSI) or exchange.use_cli (ARM_USE_CLI).",
                    );
                }
                None
            }
        }
    }

    /// The first kind that the environment offers.
    fn offered(&mut self) -> Option<Kind> {
        let has = |environment: &Environment, names: &[&[&str]]| names.iter().any(|names| environment.first(names).is_some());
        KINDS.iter().filter(|about| !about.ruled_out(self.block)).find_map(|about| {
            let switch = about.switch.and_then(|switch| self.switch(switch));
            let there = match about.kind {
                Kind::Certificate => has(self.environment, &[CERTIFICATE, CERTIFICATE_PATH]),
                Kind::Secret => has(self.environment, &[SECRET, SECRET_FILE]),
                Kind::Federation => switch.unwrap_or_else(|| {
                    let both = |url, token| has(self.environment, &[url]) && has(self.environment, &[token]);
                    has(self.environment, &[OIDC_TOKEN, OIDC_FILE, OIDC_HCP])
                        || both(REQUEST_URL, REQUEST_TOKEN)
                        || both(GITHUB_URL, GITHUB_TOKEN)
                        || (both(PIPELINES_URL, PIPELINES_TOKEN) && has(self.environment, &[SERVICE_CONNECTION]))
                }),
                Kind::ManagedIdentity | Kind::AzureCli => switch.unwrap_or(false),
            };
            there.then_some(about.kind)
        })
    }

    /// A switch of the environment.
    fn switch(&mut self, (attribute, variable): (&str, &str)) -> Option<bool> {
        let text = self.environment.first(&[variable])?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Some(true),
            "false" | "f" | "0" => Some(false),
            _ => {
                self.lookup.problem(
                    attribute,
                    format!("Invalid {variable}"),
                    format!("The environment variable {variable} is neither true nor false."),
                );
                None
            }
        }
    }

    fn application(&mut self, proof: impl FnOnce(&mut Self) -> Option<Proof>) -> Option<Credential> {
        let client_id = self.text_or_file("client_id", CLIENT, CLIENT_FILE);
        if client_id.is_none() && !self.block.get("client_id").is_unknown() {
            // Without a value: this names attribute and variables.
            self.lookup.needed("client_id", CLIENT, "the application (client) ID of the app registration");
        }
        let proof = proof(self);
        Some(Credential::Application { client_id: client_id?, proof: proof? })
    }

    fn secret(&mut self) -> Option<Proof> {
        self.text_or_file("client_secret", SECRET, SECRET_FILE).map(|text| Proof::Secret(crate::remote::credential(text)))
    }

    fn certificate(&mut self) -> Option<Proof> {
        let password = self.lookup.secret("client_certificate_password", CERTIFICATE_PASSWORD);
        // What the block has wins, whichever of the two it is.
        let source = if !self.block.get("client_certificate_path").is_null() {
            self.lookup.text("client_certificate_path", &[]).map(|path| CertificateSource::File(PathBuf::from(path)))
        } else if let Some(text) = self.lookup.secret("client_certificate", CERTIFICATE) {
            Some(CertificateSource::Text(text))
        } else if self.block.get("client_certificate").is_unknown() {
            None
        } else {
            let path = self.lookup.text("client_certificate_path", CERTIFICATE_PATH);
            if path.is_none() {
                self.lookup.problem(
                    "client_certificate",
                    "The provider setting \"exchange.client_certificate\" is missing",
                    "exchange.client_certificate_password opens a certificate, and there is none. Set exchange.client_certificate \
                     (environment variable ARM_CLIENT_CERTIFICATE) or exchange.client_certificate_path (ARM_CLIENT_CERTIFICATE_PATH).",
                );
            }
            path.map(|path| CertificateSource::File(PathBuf::from(path)))
        };
        source.map(|source| Proof::Certificate { source, password })
    }

    fn oidc(&mut self) -> Option<OidcSource> {
        let set = |search: &Self, name: &str| !search.block.get(name).is_null();
        if set(self, "oidc_token") {
            return self.lookup.secret("oidc_token", &[]).map(OidcSource::Token);
        }
        if set(self, "oidc_token_file_path") {
            return self.lookup.text("oidc_token_file_path", &[]).map(|path| OidcSource::File(PathBuf::from(path)));
        }
        if !set(self, "oidc_request_url") && !set(self, "oidc_request_token") {
            if let Some(token) = self.lookup.secret("oidc_token", OIDC_TOKEN) {
                return Some(OidcSource::Token(token));
            }
            if let Some(path) = self.lookup.text("oidc_token_file_path", OIDC_FILE) {
                return Some(OidcSource::File(PathBuf::from(path)));
            }
            if let Some(token) = self.lookup.secret("oidc_token", OIDC_HCP) {
                return Some(OidcSource::Token(token));
            }
        }
        self.oidc_request()
    }

    /// A token that is to be asked for. URL and token belong together: what one service gave is not shown to another.
    fn oidc_request(&mut self) -> Option<OidcSource> {
        let own = self.lookup.text("oidc_request_url", REQUEST_URL);
        if self.block.get("oidc_request_url").is_unknown() {
            return None;
        }
        let offers = |names| self.environment.first(names).is_some();
        let (url, tokens, variable) = match own {
            Some(url) => (Some(url), &[REQUEST_TOKEN, GITHUB_TOKEN, PIPELINES_TOKEN][..], REQUEST_URL),
            None if offers(GITHUB_URL) => (self.variable(GITHUB_URL), &[REQUEST_TOKEN, GITHUB_TOKEN][..], GITHUB_URL),
            None => (self.variable(PIPELINES_URL), &[REQUEST_TOKEN, PIPELINES_TOKEN][..], PIPELINES_URL),
        };
        let Some(url) = url else {
            self.lookup.problem(
                "use_oidc",
                "The provider has no OIDC token",
                "Set exchange.oidc_token (environment variable ARM_OIDC_TOKEN), exchange.oidc_token_file_path (ARM_OIDC_TOKEN_FILE_PATH), or \
                 exchange.oidc_request_url and oidc_request_token (ARM_OIDC_REQUEST_URL, ARM_OIDC_REQUEST_TOKEN). A job of GitHub Actions \
                 gets the latter with `permissions: id-token: write`; HCP Terraform makes a token when the workspace has the variable \
                 TFC_WORKLOAD_IDENTITY_AUDIENCE.",
            );
            return None;
        };
        let url = self.url("oidc_request_url", variable, &url)?;
        let token = self.lookup.secret("oidc_request_token", &tokens.concat());
        let Some(token) = token else {
            if !self.block.get("oidc_request_token").is_unknown() {
                self.lookup.needed("oidc_request_token", &tokens.concat(), "what allows to ask for an OIDC token");
            }
            return None;
        };
        let service_connection = self.variable(SERVICE_CONNECTION);
        match service_connection {
            Some(service_connection) if variable != GITHUB_URL => {
                Some(OidcSource::AzurePipelines { url, token, service_connection })
            }
            None if variable == PIPELINES_URL => {
                self.lookup.problem(
                    "use_oidc",
                    "Which service connection?",
                    format!("Azure Pipelines makes OIDC tokens in the name of a service connection. Set the environment variable {} to its ID.", SERVICE_CONNECTION[0]),
                );
                None
            }
            _ => Some(OidcSource::GitHub { url, token, audience: self.variable(OIDC_AUDIENCE) }),
        }
    }

    fn identity_endpoint(&mut self) -> Option<IdentityEndpoint> {
        let given = self.lookup.text("msi_endpoint", MSI_ENDPOINT);
        if given.is_some() || self.block.get("msi_endpoint").is_unknown() {
            return self.url("msi_endpoint", MSI_ENDPOINT, &given?).map(|url| IdentityEndpoint::Metadata(Some(url)));
        }
        match (self.variable(IDENTITY_ENDPOINT), self.variable(IDENTITY_HEADER)) {
            (Some(url), Some(header)) => {
                let url = self.url("msi_endpoint", IDENTITY_ENDPOINT, &url)?;
                Some(IdentityEndpoint::Platform { url, header: crate::remote::credential(header) })
            }
            _ => Some(IdentityEndpoint::Metadata(None)),
        }
    }

    fn variable(&self, variables: &[&str]) -> Option<String> {
        self.environment.first(variables).map(str::to_owned)
    }

    fn url(&mut self, name: &str, variables: &[&str], text: &str) -> Option<Url> {
        let variable = if self.block.get(name).is_null() { variables.first() } else { None };
        let from = variable.map_or_else(String::new, |variable| format!(" It comes from the environment variable {variable}."));
        parse_endpoint(text)
            .map_err(|problem| self.lookup.problem(name, format!("Invalid {name}"), format!("{problem}{from}")))
            .ok()
    }

    /// A text from the block, one of these variables, or the file that another names.
    fn text_or_file(&mut self, name: &str, variables: &[&str], files: &[&str]) -> Option<String> {
        let text = self.lookup.text(name, variables);
        if text.is_some() || matches!(self.block.get(name), Value::Unknown(_)) {
            return text;
        }
        let path = self.environment.first(files)?;
        let why = match std::fs::read_to_string(path) {
            Ok(text) if !text.trim().is_empty() => return Some(text.trim().to_owned()),
            Ok(_) => "is empty".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        let variable = files.first().copied().unwrap_or_default();
        self.lookup.problem(
            name,
            format!("{variable} leads nowhere"),
            format!("The file {path}, which the environment variable {variable} names, {why}."),
        );
        None
    }
}

#[cfg(test)]
mod tests;
