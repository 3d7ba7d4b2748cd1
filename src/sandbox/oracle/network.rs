//! What lies between and around the two services: names, addresses, and the servers of everybody else.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// Says how a server of the Internet speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offers {
    /// Not at all.
    Plain,
    /// With a certificate that nobody can check.
    SelfSigned,
    /// With a good certificate for its name.
    Verified,
}

/// Says where a host name or an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leads {
    /// To a listener of the gateway.
    Gateway(String),
    /// To the tenant.
    Tenant,
    /// To somebody else.
    Elsewhere(Offers),
}

/// Holds names and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Host names and addresses, in lower case, and where they lead. Those that are not here are servers of the Internet with good TLS.
    pub hosts: BTreeMap<String, Leads>,
    /// Mail exchangers of domains, best first; a domain that is not here has one, `mx.<domain>`.
    pub exchangers: BTreeMap<String, Vec<String>>,
    /// The address from which the gateway sends.
    pub gateway_address: IpAddr,
    /// The name of that address.
    pub gateway_host: String,
    /// The address from which the tenant sends.
    pub tenant_address: IpAddr,
    /// The name of that address.
    pub tenant_host: String,
}

impl Default for Network {
    fn default() -> Network {
        Network {
            hosts: BTreeMap::new(),
            exchangers: BTreeMap::new(),
            gateway_address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10)),
            gateway_host: "esa.example.com".into(),
            tenant_address: IpAddr::V4(Ipv4Addr::new(40, 107, 22, 104)),
            tenant_host: "mail-am6eur05on2104.outbound.protection.outlook.com".into(),
        }
    }
}

impl Network {
    /// Puts a host where it leads.
    pub fn host(&mut self, name: &str, leads: Leads) {
        self.hosts.insert(name.to_lowercase(), leads);
    }

    /// Says where a host leads. Brackets around an address, which only keep the MX lookup away, do not matter.
    pub fn leads(&self, host: &str) -> Leads {
        let name = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        self.hosts.get(&name).cloned().unwrap_or(Leads::Elsewhere(Offers::Verified))
    }

    /// Gives the mail exchangers of a domain, best first.
    pub fn exchangers(&self, domain: &str) -> Vec<String> {
        let domain = domain.to_lowercase();
        // A literal is its own host.
        if let Some(address) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return vec![address.to_owned()];
        }
        self.exchangers.get(&domain).cloned().unwrap_or_else(|| vec![format!("mx.{domain}")])
    }
}
