//! What an Exchange Online client needs to know, as the provider block and the environment gave it.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

/// How to reach and use one tenant.
#[derive(Debug, Clone)]
pub struct Settings {
    /// GUID or domain of the tenant.
    pub tenant: String,
    /// Who logs in, and how it proves that.
    pub credential: Credential,
    /// Which cloud; it fixes the default hosts and the scope of tokens.
    pub cloud: Cloud,
    /// The routing anchor; the tenant unless said otherwise.
    pub organization: String,
    /// Replaces the cloud's login host (origin only).
    pub login_url: Option<Url>,
    /// Replaces the cloud's Exchange host (origin only).
    pub exchange_url: Option<Url>,
    /// Replaces the cloud's Graph host (origin only).
    pub graph_url: Option<Url>,
    /// PEM certificates trusted beside the system's roots.
    pub ca_certificate: Option<String>,
    /// Every write is refused before it is sent.
    pub read_only: bool,
}

/// Who logs in, and how it proves that.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An app registration.
    Application {
        /// Its application (client) ID.
        client_id: String,
        /// How it proves who it is.
        proof: Proof,
    },
    /// The managed identity of the machine in Azure that this runs on.
    ManagedIdentity {
        /// The ID of a user-assigned identity; the machine's own if there is none.
        client_id: Option<String>,
        /// Who gives its tokens.
        endpoint: IdentityEndpoint,
    },
    /// The person who is logged in to the Azure CLI.
    AzureCli {
        /// The folders in which the program is looked for, as in `PATH`.
        search_path: String,
    },
}

/// How an application proves who it is.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A client secret.
    Secret(SecretString),
    /// A certificate whose key signs an assertion.
    Certificate {
        /// Where certificate and key are.
        source: CertificateSource,
        /// What opens them.
        password: Option<SecretString>,
    },
    /// The token of another issuer that a federated credential of the application trusts.
    Federated(OidcSource),
}

/// Where a certificate with its private key is.
#[derive(Debug, Clone)]
pub enum CertificateSource {
    /// PEM text, or PKCS#12 as base64.
    Text(SecretString),
    /// A file with either, or with PKCS#12 as it is.
    File(PathBuf),
}

/// Where an OIDC token comes from.
#[derive(Debug, Clone)]
pub enum OidcSource {
    /// The token itself.
    Token(SecretString),
    /// A file that somebody keeps fresh; it is read at each use.
    File(PathBuf),
    /// A job of GitHub Actions, or whatever answers like its token service.
    GitHub {
        /// Where it is asked for.
        url: Url,
        /// What allows to ask.
        token: SecretString,
        /// For whom the token is to be; by default what the cloud's tenants expect.
        audience: Option<String>,
    },
    /// A job of Azure Pipelines.
    AzurePipelines {
        /// Where it is asked for.
        url: Url,
        /// The job's access token.
        token: SecretString,
        /// The service connection in whose name the token is made.
        service_connection: String,
    },
}

/// Who gives the tokens of a managed identity.
#[derive(Debug, Clone)]
pub enum IdentityEndpoint {
    /// A virtual machine's metadata service (IMDS), at its own address or at this one.
    Metadata(Option<Url>),
    /// The endpoint that App Service, Functions and Container Apps announce.
    Platform {
        /// `IDENTITY_ENDPOINT`
        url: Url,
        /// `IDENTITY_HEADER`
        header: SecretString,
    },
}

/// Which Microsoft cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Worldwide and GCC.
    Public,
    /// GCC High.
    UsGovernment,
    /// Department of Defense.
    Dod,
    /// 21Vianet.
    China,
}
