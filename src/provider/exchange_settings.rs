//! The `exchange` block of the provider.

mod credential;

use url::Url;

use super::environment::{Environment, Lookup, read_only};
use super::side::Side;
use crate::exchange::settings::{Cloud, Settings};
use crate::schema::{Attribute, Record, block, string};
use crate::value::{Diagnostics, Path};

const TENANT: &[&str] = &["ARM_TENANT_ID", "AZURE_TENANT_ID", "AZURESUBSCRIPTION_TENANT_ID"];
const ENVIRONMENT: &[&str] = &["ARM_ENVIRONMENT"];

const ORGANIZATION: &[&str] = &["MAILFLOW_ORGANIZATION"];
const LOGIN_URL: &[&str] = &["MAILFLOW_LOGIN_URL"];
const EXCHANGE_URL: &[&str] = &["MAILFLOW_EXCHANGE_URL"];
const GRAPH_URL: &[&str] = &["MAILFLOW_GRAPH_URL"];
const CA_CERTIFICATE: &[&str] = &["MAILFLOW_CA_CERTIFICATE"];

/// The environment variables that say which tenant is meant. Those of a credential are shared with other providers.
pub(super) const VARIABLES: &[&str] = TENANT;

/// The spellings of each cloud: the ones that Azure's own providers take.
const CLOUDS: &[(&str, Cloud)] = &[
    ("public", Cloud::Public),
    ("global", Cloud::Public),
    ("usgovernment", Cloud::UsGovernment),
    ("usgovernmentl4", Cloud::UsGovernment),
    ("dod", Cloud::Dod),
    ("usgovernmentl5", Cloud::Dod),
    ("china", Cloud::China),
];

/// The lines of the block.
pub(super) const BLOCK: Attribute = block(
    "exchange",
    "The Microsoft 365 tenant. Leave the block out to manage gateways only; `exchange {}` takes everything from the environment. The \
     block holds one kind of credential, which wins over the environment; there the first of these counts that is set: certificate, \
     client secret, federation (OIDC), managed identity, Azure CLI.",
    &[
        string(
            "tenant_id",
            "The tenant's GUID or one of its domains. Falls back to the environment variables `ARM_TENANT_ID`, then `AZURE_TENANT_ID`.",
        ),
        credential::CLIENT_ID_LINE,
        credential::SECRET_LINE,
        credential::CERTIFICATE_LINE,
        credential::CERTIFICATE_PATH_LINE,
        credential::CERTIFICATE_PASSWORD_LINE,
        credential::USE_OIDC_LINE,
        credential::OIDC_TOKEN_LINE,
        credential::OIDC_FILE_LINE,
        credential::REQUEST_URL_LINE,
        credential::REQUEST_TOKEN_LINE,
        credential::USE_MSI_LINE,
        credential::MSI_ENDPOINT_LINE,
        credential::USE_CLI_LINE,
        string("environment", "The Microsoft cloud. Falls back to `ARM_ENVIRONMENT`, then to `public`.").choices(&[
            "public",
            "global",
            "usgovernment",
            "usgovernmentl4",
            "dod",
            "usgovernmentl5",
            "china",
        ]),
        string(
            "organization",
            "The domain that requests are routed by, such as `contoso.onmicrosoft.com`. Falls back to `MAILFLOW_ORGANIZATION`, then to `tenant_id`.",
        ),
        string("login_url", "Replaces the cloud's sign-in host: an origin such as `https://login.example.com`. Falls back to `MAILFLOW_LOGIN_URL`.")
            .format(ORIGIN, origin),
        string("exchange_url", "Replaces the cloud's Exchange Online host: an origin. Falls back to `MAILFLOW_EXCHANGE_URL`.")
            .format(ORIGIN, origin),
        string("graph_url", "Replaces the cloud's Microsoft Graph host: an origin. Falls back to `MAILFLOW_GRAPH_URL`.")
            .format(ORIGIN, origin),
        string(
            "ca_certificate",
            "PEM certificates to trust beside the system's roots. Falls back to `MAILFLOW_CA_CERTIFICATE`.",
        ),
    ],
);

pub(super) const ORIGIN: &str = "an origin with `https` (plain `http` only to loopback), without path";

pub(super) fn origin(text: &str) -> Result<(), String> {
    parse_origin(text).map(|_| ())
}

/// Reads an origin. Plain http is for loopback only: a token must never cross a network in the clear.
pub(super) fn parse_origin(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("This is not a URL: {error}."))?;
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err("Only the origin is wanted: scheme, host and port.".to_owned());
    }
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return Err("The URL names no host.".to_owned()),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err("Use https. Plain http is allowed to loopback only, as credentials would be readable on the way.".to_owned()),
    }
}

/// Checks what a table cannot say.
pub(super) fn check(config: &Record) -> Diagnostics {
    let Some(block) = config.record(BLOCK.name) else { return Vec::new() };
    let nothing = Environment::default();
    let mut lookup = Lookup::new(block.clone(), Path::dotted(BLOCK.name), &nothing);
    for (name, is_secret) in [("tenant_id", false), ("organization", false)].into_iter().chain(credential::COPIED.iter().copied())
    {
        if let Some(text) = block.text(name) {
            lookup.stray(name, &[], text, is_secret);
        }
    }
    credential::conflicts(&block).into_iter().chain(lookup.problems).collect()
}

/// Reads the block, with the environment to fall back to.
pub(super) fn read(config: &Record, environment: &Environment) -> Result<Side<Settings>, Diagnostics> {
    let path = Path::dotted(BLOCK.name);
    if config.get(BLOCK.name).is_unknown() {
        return Ok(Side::Unknown(path));
    }
    let Some(block) = config.record(BLOCK.name) else { return Ok(Side::Absent) };
    let mut lookup = Lookup::new(block.clone(), path.clone(), environment);
    let tenant = lookup.needed("tenant_id", TENANT, "the GUID or a domain of the Microsoft 365 tenant");
    lookup.stray("tenant_id", TENANT, &tenant, false);
    let credential = credential::credential(&block, environment, &mut lookup);
    let cloud = match lookup.text("environment", ENVIRONMENT) {
        None => Cloud::Public,
        Some(name) => CLOUDS.iter().find(|(known, _)| *known == name).map_or_else(
            || {
                let known = CLOUDS.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
                lookup.problem(
                    "environment",
                    "Unknown Microsoft cloud",
                    format!("There is no cloud {name:?}. Set exchange.environment (environment variable ARM_ENVIRONMENT) to one of: {known}."),
                );
                Cloud::Public
            },
            |(_, cloud)| *cloud,
        ),
    };
    let organization = lookup.text("organization", ORGANIZATION);
    if let Some(organization) = &organization {
        lookup.stray("organization", ORGANIZATION, organization, false);
    }
    let organization = organization.unwrap_or_else(|| tenant.clone());
    let mut url = |name: &str, variables: &[&str]| {
        let text = lookup.text(name, variables)?;
        let refuse = |problem| {
            let detail = format!("{problem} It is the setting exchange.{name} or the environment variable {}.", variables[0]);
            lookup.problem(name, format!("Invalid {name}"), detail);
        };
        parse_origin(&text).map_err(refuse).ok()
    };
    let (login_url, exchange_url, graph_url) =
        (url("login_url", LOGIN_URL), url("exchange_url", EXCHANGE_URL), url("graph_url", GRAPH_URL));
    let ca_certificate = lookup.text("ca_certificate", CA_CERTIFICATE);
    let read_only = read_only(config, environment).unwrap_or_else(|problem| {
        lookup.problems.push(problem);
        true
    });
    let settings = credential.map(|credential| Settings {
        tenant,
        credential,
        cloud,
        organization,
        login_url,
        exchange_url,
        graph_url,
        ca_certificate,
        read_only,
    });
    match (lookup.finish(())?, settings) {
        (Side::Unknown(path), _) => Ok(Side::Unknown(path)),
        (_, Some(settings)) => Ok(Side::Ready(settings)),
        // A credential that is not there has left a problem, or the path of what is not known.
        (_, None) => Ok(Side::Unknown(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::settings::Credential;
    use crate::value::Value;

    fn config(members: &[(&str, &str)]) -> Record {
        Record::new().with("exchange", Value::object(members.iter().map(|(name, value)| (*name, Value::text(*value)))))
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn an_empty_block_takes_everything_from_the_environment() {
        let variables = environment(&[
            ("AZURE_TENANT_ID", "fallback.example"),
            ("ARM_TENANT_ID", "contoso.onmicrosoft.com"),
            ("AZURE_CLIENT_ID", "app"),
            ("ARM_CLIENT_SECRET", "s3cret-value"),
            ("ARM_ENVIRONMENT", "usgovernmentl5"),
        ]);
        let Ok(Side::Ready(settings)) = read(&config(&[]), &variables) else { panic!("the block is complete") };
        assert_eq!(settings.tenant, "contoso.onmicrosoft.com");
        assert_eq!(settings.organization, "contoso.onmicrosoft.com");
        assert!(matches!(&settings.credential, Credential::Application { client_id, .. } if client_id == "app"));
        assert_eq!(settings.cloud, Cloud::Dod);
        assert!(!format!("{settings:?}").contains("s3cret-value"));
    }

    #[test]
    fn the_block_wins_over_the_environment() {
        let variables = environment(&[("ARM_TENANT_ID", "other"), ("ARM_CLIENT_ID", "app"), ("ARM_CLIENT_SECRET", "s")]);
        let Ok(Side::Ready(settings)) = read(&config(&[("tenant_id", "mine")]), &variables) else {
            panic!("the block is complete")
        };
        assert_eq!(settings.tenant, "mine");
    }

    #[test]
    fn c16_missing_settings_are_named_with_their_variables_and_no_value() {
        let found = read(&config(&[("tenant_id", "mine")]), &environment(&[])).expect_err("two settings are missing");
        let said: Vec<_> =
            found.iter().map(|one| (one.path.clone().unwrap_or_default().to_string(), one.detail.clone())).collect();
        assert_eq!(said[0].0, "exchange.client_id");
        assert!(said[0].1.contains("ARM_CLIENT_ID"), "{}", said[0].1);
        assert_eq!(said[1].0, "exchange.client_secret");
        assert!(said[1].1.contains("AZURE_CLIENT_SECRET"), "{}", said[1].1);
        assert_eq!(said.len(), 2);
    }

    #[test]
    fn rx11_stray_blanks_and_line_ends_are_named_before_the_network_and_no_value_is_shown() {
        let variables = environment(&[
            ("ARM_TENANT_ID", "contoso.com\n"),
            ("ARM_CLIENT_ID", " app"),
            ("ARM_CLIENT_SECRET", "s3cret-value\r\n"),
        ]);
        let found = read(&config(&[]), &variables).expect_err("three are wrong");
        let said: Vec<_> = found.iter().map(|one| one.path.clone().unwrap_or_default().to_string()).collect();
        assert_eq!(said, ["exchange.tenant_id", "exchange.client_id", "exchange.client_secret"]);
        for (one, word) in found.iter().zip([
            "ARM_TENANT_ID) has a line break",
            "a blank at its beginning",
            "ARM_CLIENT_SECRET) has a line break",
        ]) {
            assert!(one.detail.contains(word) && !one.detail.contains("s3cret"), "{}", one.detail);
        }
        // What stands in the block is told when it is validated.
        let given = config(&[("tenant_id", "contoso.com"), ("client_id", "a b"), ("client_secret", "s3cret\n")]);
        let said: Vec<_> = check(&given).iter().map(|one| one.path.clone().unwrap_or_default().to_string()).collect();
        assert_eq!(said, ["exchange.client_id", "exchange.client_secret"]);
        assert!(read(&given, &environment(&[])).expect_err("both").iter().all(|one| !one.detail.contains("variable")));
    }

    #[test]
    fn p10_an_unknown_setting_is_named_and_is_no_error() {
        let members = [("tenant_id", Value::UNKNOWN), ("client_id", Value::text("app")), ("client_secret", Value::text("s"))];
        let config = Record::new().with("exchange", Value::object(members));
        let Ok(Side::Unknown(path)) = read(&config, &environment(&[("ARM_TENANT_ID", "not this one")])) else {
            panic!("unknown")
        };
        assert_eq!(path.to_string(), "exchange.tenant_id");
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (text, good) in [
            ("https://login.example.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://login.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("https://login.example.com/path", false),
            ("https://user@login.example.com", false),
            ("ftp://127.0.0.1", false),
            ("login.example.com", false),
        ] {
            assert_eq!(origin(text).is_ok(), good, "{text}");
        }
    }
}
