//! Where the services of each cloud are, and where a request may be sent on.
//!
//! Exchange hosts: <https://learn.microsoft.com/exchange/reference/admin-api-get-started>. Graph and login hosts:
//! <https://learn.microsoft.com/graph/deployments>. Audiences of federated credentials:
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>.

use url::Url;

use super::settings::{Cloud, Settings};
use crate::remote::{Error, Kind, is_loopback};
use crate::value::Path;

/// The origins of one tenant's services, and the scopes of the tokens for them.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Gives tokens.
    pub login: Url,
    /// Runs cmdlets.
    pub exchange: Url,
    /// Answers Graph calls.
    pub graph: Url,
    /// The scope of a token for cmdlets: that of the cloud, whatever host is used.
    pub exchange_scope: String,
    /// The scope of a token for Graph calls: that of the cloud, whatever host is used.
    pub graph_scope: String,
    /// The cloud's own sign-in origin, whatever host is used: assertions are made out to it.
    pub authority: Url,
    /// For whom the token of another issuer has to be made out, so that the cloud's tenants take it.
    pub federation_audience: &'static str,
    /// The domain under which every host of the cloud's Exchange service is.
    suffix: &'static str,
}

/// The hosts of a cloud.
struct Defaults {
    login: &'static str,
    exchange: &'static str,
    graph: &'static str,
    suffix: &'static str,
    federation_audience: &'static str,
}

const fn defaults(cloud: Cloud) -> Defaults {
    match cloud {
        Cloud::Public => Defaults {
            login: "https://login.microsoftonline.com",
            exchange: "https://outlook.office365.com",
            graph: "https://graph.microsoft.com",
            suffix: "office365.com",
            federation_audience: "api://AzureADTokenExchange",
        },
        Cloud::UsGovernment => Defaults {
            login: "https://login.microsoftonline.us",
            exchange: "https://outlook.office365.us",
            graph: "https://graph.microsoft.us",
            suffix: "office365.us",
            federation_audience: "api://AzureADTokenExchangeUSGov",
        },
        Cloud::Dod => Defaults {
            login: "https://login.microsoftonline.us",
            exchange: "https://outlook-dod.office365.us",
            graph: "https://dod-graph.microsoft.us",
            suffix: "office365.us",
            federation_audience: "api://AzureADTokenExchangeUSGov",
        },
        Cloud::China => Defaults {
            login: "https://login.partner.microsoftonline.cn",
            exchange: "https://outlook.office365.cn",
            graph: "https://microsoftgraph.chinacloudapi.cn",
            suffix: "office365.cn",
            federation_audience: "api://AzureADTokenExchangeChina",
        },
    }
}

impl Hosts {
    /// Takes the cloud's hosts and puts the overrides in their place. An override that is not a bare origin over https (or over
    /// plain http to loopback) is an error on its setting.
    pub fn of(settings: &Settings) -> Result<Hosts, Error> {
        let defaults = defaults(settings.cloud);
        let known =
            |default: &str| Url::parse(default).map_err(|error| Error::new(Kind::Unexpected, format!("{default}: {error}")));
        let choose = |setting: &str, given: &Option<Url>, default: &str| match given {
            Some(url) => origin(setting, url),
            None => known(default),
        };
        Ok(Hosts {
            login: choose("login_url", &settings.login_url, defaults.login)?,
            exchange: choose("exchange_url", &settings.exchange_url, defaults.exchange)?,
            graph: choose("graph_url", &settings.graph_url, defaults.graph)?,
            exchange_scope: format!("{}/.default", defaults.exchange),
            graph_scope: format!("{}/.default", defaults.graph),
            authority: known(defaults.login)?,
            federation_audience: defaults.federation_audience,
            suffix: defaults.suffix,
        })
    }

    /// Says where a request for `location` goes that was answered by a redirect at `from`; an error if the token and the body
    /// would leave the service.
    ///
    /// Loopback leads to loopback only, everything else over https to a host of the cloud's Exchange service, or for a host
    /// that was configured, to it and below it. Port 446, which only Microsoft's own network can reach, becomes 443.
    pub fn redirected(&self, from: &Url, location: &str) -> Result<Url, Error> {
        let mut target = from.join(location).map_err(|error| refused(from, location, &error.to_string()))?;
        if !target.username().is_empty() || target.password().is_some() {
            return Err(refused(from, &bare(&target), "it carries a login"));
        }
        if is_loopback(&self.exchange) {
            return if is_loopback(&target) && matches!(target.scheme(), "http" | "https") {
                Ok(target)
            } else {
                Err(refused(from, &bare(&target), "it leads from this machine to another"))
            };
        }
        if target.scheme() != "https" {
            return Err(refused(from, &bare(&target), "it is not https"));
        }
        if target.port() == Some(446) {
            // 443 is the scheme's default; `set_port` fails for URLs without a host only.
            target.set_port(None).map_err(|()| refused(from, location, "it names no host"))?;
        }
        let inside = target.host_str().is_some_and(|host| self.serves(host));
        if inside { Ok(target) } else { Err(refused(from, &bare(&target), "the host is not one of this service's")) }
    }

    fn serves(&self, host: &str) -> bool {
        let own = self.exchange.host_str().unwrap_or_default();
        let domain = if is_below(own, self.suffix) { self.suffix } else { own };
        is_below(host, domain)
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.trim_end_matches('.').to_ascii_lowercase(), domain.trim_end_matches('.').to_ascii_lowercase());
    host == domain || host.strip_suffix(&domain).is_some_and(|below| below.ends_with('.') && !domain.is_empty())
}

fn origin(setting: &str, url: &Url) -> Result<Url, Error> {
    let problem = if url.host().is_none() {
        "names no host"
    } else if !url.username().is_empty() || url.password().is_some() {
        "carries a login"
    } else if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        "is more than scheme, host and port"
    } else if url.scheme() == "http" && !is_loopback(url) {
        "would send the token unencrypted to another machine"
    } else if !matches!(url.scheme(), "http" | "https") {
        "is not https"
    } else {
        return Ok(url.clone());
    };
    Err(Error::new(Kind::Invalid, format!("`exchange.{setting}` {problem}."))
        .hint("Give an origin like https://outlook.office365.com; plain http is for this machine only.")
        .at(Path::dotted("exchange").attribute(setting)))
}

fn bare(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn refused(from: &Url, target: &str, why: &str) -> Error {
    Error::new(Kind::Unexpected, format!("{} redirects to {target}, which is not followed: {why}.", bare(from)))
        .hint("The request carries a token, which must not leave the service. Check `exchange.environment` and `exchange.exchange_url`, and any proxy on the way.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::testing::settings;

    fn at(exchange: &str) -> Hosts {
        let url = Url::parse(exchange).unwrap();
        Hosts::of(&Settings { exchange_url: Some(url), ..settings() }).unwrap()
    }

    fn check(exchange: &str, location: &str, wanted: Option<&str>) {
        let hosts = at(exchange);
        let got = hosts.redirected(&hosts.exchange, location).ok();
        assert_eq!(got.as_ref().map(Url::as_str), wanted, "{exchange} to {location}");
    }

    #[test]
    fn e25_each_cloud_has_its_hosts_and_scopes() {
        for (cloud, exchange, login) in [
            (Cloud::Public, "https://outlook.office365.com/", "https://login.microsoftonline.com/"),
            (Cloud::UsGovernment, "https://outlook.office365.us/", "https://login.microsoftonline.us/"),
            (Cloud::Dod, "https://outlook-dod.office365.us/", "https://login.microsoftonline.us/"),
            (Cloud::China, "https://outlook.office365.cn/", "https://login.partner.microsoftonline.cn/"),
        ] {
            let hosts =
                Hosts::of(&Settings { cloud, login_url: None, exchange_url: None, graph_url: None, ..settings() }).unwrap();
            assert_eq!((hosts.exchange.as_str(), hosts.login.as_str()), (exchange, login));
            assert_eq!(hosts.exchange_scope, format!("{exchange}.default"));
            assert_eq!(hosts.authority, hosts.login);
        }
    }

    #[test]
    fn each_cloud_expects_an_audience_of_its_own_in_the_tokens_of_other_issuers() {
        for (cloud, audience) in [
            (Cloud::Public, "api://AzureADTokenExchange"),
            (Cloud::UsGovernment, "api://AzureADTokenExchangeUSGov"),
            (Cloud::Dod, "api://AzureADTokenExchangeUSGov"),
            (Cloud::China, "api://AzureADTokenExchangeChina"),
        ] {
            assert_eq!(Hosts::of(&Settings { cloud, ..settings() }).unwrap().federation_audience, audience);
        }
    }

    #[test]
    fn an_override_leaves_the_scope_as_it_is() {
        assert_eq!(at("http://127.0.0.1:8080").exchange_scope, "https://outlook.office365.com/.default");
        let login_url = Some(Url::parse("http://127.0.0.1:8080").unwrap());
        let hosts = Hosts::of(&Settings { login_url, ..settings() }).unwrap();
        assert_eq!(hosts.authority.as_str(), "https://login.microsoftonline.com/");
    }

    #[test]
    fn an_override_is_an_origin_and_plain_http_is_for_loopback() {
        for (url, allowed) in [
            ("https://proxy.example.com", true),
            ("https://proxy.example.com:8443/", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://proxy.example.com", false),
            ("https://proxy.example.com/path", false),
            ("https://proxy.example.com/?q=1", false),
            ("https://user:word@proxy.example.com", false),
            ("ftp://localhost", false),
        ] {
            let settings = Settings { exchange_url: Some(Url::parse(url).unwrap()), ..settings() };
            let outcome = Hosts::of(&settings);
            assert_eq!(outcome.is_ok(), allowed, "{url}");
            if let Err(error) = outcome {
                assert_eq!(error.path, Some(Path::dotted("exchange.exchange_url")));
                assert!(!error.to_string().contains("word"), "{error}");
            }
        }
    }

    #[test]
    fn e30_a_redirect_stays_inside_the_service() {
        let home = "https://outlook.office365.com";
        check(home, "https://eur05b.outlook.office365.com/adminapi/x", Some("https://eur05b.outlook.office365.com/adminapi/x"));
        check(home, "/adminapi/y?z=1", Some("https://outlook.office365.com/adminapi/y?z=1"));
        check(home, "https://eur05b.outlook.office365.com:446/x", Some("https://eur05b.outlook.office365.com/x"));
        check(home, "http://eur05b.outlook.office365.com/x", None);
        check(home, "https://office365.com.evil.example/x", None);
        check(home, "https://evil-office365.com/x", None);
        check(home, "https://user@outlook.office365.com/x", None);
        check(home, "http://127.0.0.1/x", None);
        check("https://proxy.example.co.uk", "https://other.co.uk/x", None);
        check("https://proxy.example.co.uk", "https://a.proxy.example.co.uk/x", Some("https://a.proxy.example.co.uk/x"));
    }

    #[test]
    fn e30_loopback_leads_to_loopback_only() {
        check("http://127.0.0.1:8080", "http://127.0.0.1:9090/x", Some("http://127.0.0.1:9090/x"));
        check("http://127.0.0.1:8080", "http://localhost:9090/x", Some("http://localhost:9090/x"));
        check("http://127.0.0.1:8080", "https://outlook.office365.com/x", None);
        check("http://127.0.0.1:8080", "file:///etc/passwd", None);
    }
}
