//! The addresses of a host: from `/etc/hosts` and the DNS servers of this machine.
//!
//! On Linux the provider is one static file that has to run where no C library of its kind is, and the C library's own look-up loads
//! more of itself while it runs. So names are looked up here, without it. `/etc/nsswitch.conf` is not read: names that only mDNS or LDAP knows are not found.
//! On macOS and Windows the system looks names up, because it alone knows its resolvers per domain.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::TcpStream;

/// The socket addresses of a host: those that this machine has a way to come first.
async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found: Vec<SocketAddr> = if cfg!(target_os = "linux") {
        let lookup = resolver()?.lookup_ip(host).await.map_err(|error| not_found(host, &why(&error)))?;
        lookup.iter().map(|address| SocketAddr::new(address, port)).collect()
    } else {
        tokio::net::lookup_host((host, port)).await?.collect()
    };
    if found.is_empty() {
        return Err(not_found(host, "it has no address"));
    }
    Ok(reachable_first(found))
}

/// Connects to the first address of a host that takes the connection.
pub async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let found = addresses(host, port).await?;
    TcpStream::connect(found.as_slice()).await
}

/// Looks names up for HTTP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The client puts the port of its URL in place of 0.
            let found = addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A resolver with the settings that this machine has now.
fn resolver() -> io::Result<TokioResolver> {
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|_| {
        // Without a usable file, the server is on this machine (resolv.conf(5)).
        let local = NameServerConfig::udp_and_tcp(IpAddr::from([127, 0, 0, 1]));
        TokioResolver::builder_with_config(ResolverConfig::from_name_servers(vec![local]), TokioRuntimeProvider::default())
    });
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder.build().map_err(|error| io::Error::other(format!("the DNS settings of this machine cannot be used: {error}")))
}

/// What a failed look-up comes to, in a few words.
fn why(error: &NetError) -> String {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(_)) => "there is no such name, or it has no address".to_owned(),
        NetError::Timeout => "no DNS server answered in time".to_owned(),
        other => other.to_string(),
    }
}

fn not_found(host: &str, why: &str) -> io::Error {
    io::Error::other(format!("the address of {host} was not found in /etc/hosts or the DNS ({why})"))
}

/// Puts addresses last that this machine has no route to. Asking for the route sends nothing.
fn reachable_first(mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let has_route = |to: &SocketAddr| {
        let any: IpAddr = if to.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
        // The port says nothing here, and 0 is refused.
        UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((to.ip(), 53))).is_ok()
    };
    found.sort_by_key(|to| (!has_route(to), to.is_ipv4()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_literal_address_is_taken_as_it_is_and_localhost_is_this_machine() {
        for (host, wanted) in [("203.0.113.7", "203.0.113.7:22"), ("2001:db8::7", "[2001:db8::7]:22")] {
            assert_eq!(addresses(host, 22).await.expect("an address"), [wanted.parse::<SocketAddr>().expect("an address")]);
        }
        let found = addresses("localhost", 80).await.expect("its own name");
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback() && address.port() == 80), "{found:?}");
    }

    #[tokio::test]
    async fn a_name_that_is_not_there_is_an_error_that_names_it() {
        // No server is asked about names below `invalid` (RFC 6761).
        let error = addresses("nowhere.invalid", 22).await.expect_err("there is no such name");
        assert!(
            error
                .to_string()
                .contains("nowhere.invalid was not found in /etc/hosts or the DNS (there is no such name, or it has no address)")
                && error.raw_os_error().is_none(),
            "{error}"
        );
    }
}
