//! What the host asks of a plugin that it starts, and the one line that the plugin answers.
//!
//! The host speaks through environment variables; the plugin answers with a line on standard output, and nothing else ever
//! goes there. The facts are those of HashiCorp's go-plugin, core protocol 1.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::transport::Address;

/// The variable that only a plugin host sets, and its value for Terraform providers.
const COOKIE: (&str, &str) = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The major version of the provider protocol that is served.
pub(super) const PROTOCOL: u32 = 6;

/// The ports that a host of this kind allows when it does not say which.
const PORTS: RangeInclusive<u16> = 10_000..=25_000;

/// Why the plugin was not served.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No plugin host started this process: a person did.
    #[error("this program is a Terraform provider, which Terraform starts by itself")]
    ByHand,
    /// The host does not speak protocol 6.
    #[error(
        "the host speaks plugin protocol {offered}, this provider protocol {PROTOCOL}: use Terraform 1.0 or newer, or OpenTofu"
    )]
    Protocol {
        /// What the host offered, as it wrote it.
        offered: String,
    },
    /// `PLUGIN_CLIENT_CERT` is set, and is not a certificate.
    #[error("PLUGIN_CLIENT_CERT does not hold a certificate in PEM form")]
    ClientCertificate,
    /// The certificate or the TLS settings of this process could not be made.
    #[error("unable to prepare TLS: {0}")]
    Tls(String),
    /// Neither a socket nor the answer to the host could be made.
    #[error("unable to {0}: {1}")]
    Io(&'static str, #[source] io::Error),
}

/// What the host asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Where the socket has to be.
    pub(super) socket_directory: Option<PathBuf>,
    /// The group that may use the socket: a name or a number.
    pub(super) socket_group: Option<String>,
    /// The ports that may be used where there are no sockets.
    pub(super) ports: RangeInclusive<u16>,
    /// The only certificate that a client may show. `None`: no TLS.
    pub(super) client_certificate: Option<CertificateDer<'static>>,
    /// Whether the host wants to know if connections can be shared (they cannot).
    pub(super) asks_for_multiplexing: bool,
}

impl Request {
    /// Reads the host's environment.
    pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Request, Refusal> {
        let text =
            |name: &str| variable(name).and_then(|value| value.into_string().ok()).filter(|value| !value.trim().is_empty());
        if text(COOKIE.0).as_deref() != Some(COOKIE.1) {
            return Err(Refusal::ByHand);
        }
        // A host from before version negotiation sets nothing, and takes what the line says.
        if let Some(offered) = text("PLUGIN_PROTOCOL_VERSIONS") {
            // The order is that of a hash map: this is a set.
            let versions: BTreeSet<u32> = offered.split(',').filter_map(|version| version.trim().parse().ok()).collect();
            if !versions.contains(&PROTOCOL) {
                return Err(Refusal::Protocol { offered });
            }
        }
        let client_certificate = text("PLUGIN_CLIENT_CERT")
            .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| Refusal::ClientCertificate))
            .transpose()?;
        let port = |name: &str, otherwise: u16| text(name).and_then(|port| port.parse().ok()).unwrap_or(otherwise);
        Ok(Request {
            socket_directory: variable("PLUGIN_UNIX_SOCKET_DIR").filter(|path| !path.is_empty()).map(PathBuf::from),
            socket_group: text("PLUGIN_UNIX_SOCKET_GROUP"),
            ports: port("PLUGIN_MIN_PORT", *PORTS.start())..=port("PLUGIN_MAX_PORT", *PORTS.end()),
            client_certificate,
            asks_for_multiplexing: text("PLUGIN_MULTIPLEX_GRPC").is_some(),
        })
    }

    /// What a host that did not start this process would ask for: a private socket, and no TLS.
    pub(super) fn for_anyone() -> Request {
        Request {
            socket_directory: None,
            socket_group: None,
            ports: PORTS,
            client_certificate: None,
            asks_for_multiplexing: false,
        }
    }

    /// The answer: core protocol, protocol, network, address, kind, certificate, and the answer about shared connections if
    /// that was asked. The host pins the certificate.
    pub(super) fn answer(&self, address: &Address, certificate: Option<&CertificateDer<'_>>) -> String {
        let (network, place) = address.parts();
        let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
        let multiplexing = if self.asks_for_multiplexing { "|false" } else { "" };
        format!("1|{PROTOCOL}|{network}|{place}|grpc|{certificate}{multiplexing}\n")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn check(variables: &[(&str, &str)]) -> Result<Request, Refusal> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        Request::read(|name| variables.get(name).map(OsString::from))
    }

    fn unix() -> Address {
        Address::Unix(PathBuf::from("/run/x/plugin.sock"))
    }

    #[test]
    fn p08_without_the_cookie_or_with_another_one_a_person_started_it() {
        assert!(matches!(check(&[]), Err(Refusal::ByHand)));
        assert!(matches!(check(&[(COOKIE.0, "")]), Err(Refusal::ByHand)));
        assert!(matches!(check(&[(COOKIE.0, "d602")]), Err(Refusal::ByHand)));
        assert!(check(&[COOKIE]).is_ok());
    }

    #[test]
    fn versions_are_a_set_in_any_order_and_absent_means_an_old_host() {
        for versions in ["5,6", "6,5", "6", "6, 7", " 7,6 "] {
            assert!(check(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", versions)]).is_ok(), "{versions}");
        }
        for versions in ["5", "16", "x", "5,60"] {
            let refusal = check(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", versions)]).unwrap_err();
            assert!(refusal.to_string().contains(versions), "{refusal}");
        }
    }

    #[test]
    fn the_answer_has_six_fields_and_a_seventh_only_when_asked() {
        let plain = check(&[COOKIE]).unwrap();
        assert_eq!(plain.answer(&unix(), None), "1|6|unix|/run/x/plugin.sock|grpc|\n");
        let asked = check(&[COOKIE, ("PLUGIN_MULTIPLEX_GRPC", "true")]).unwrap();
        assert_eq!(asked.answer(&unix(), None), "1|6|unix|/run/x/plugin.sock|grpc||false\n");
    }

    #[test]
    fn the_certificate_is_base64_without_padding() {
        let certificate = CertificateDer::from(vec![0xff, 0xfe, 0xfd, 0xfc]);
        let line = check(&[COOKIE]).unwrap().answer(&unix(), Some(&certificate));
        assert_eq!(line, "1|6|unix|/run/x/plugin.sock|grpc|//79/A\n");
    }

    #[test]
    fn a_client_certificate_that_is_none_is_refused_and_not_read_as_plaintext() {
        let refusal = check(&[COOKIE, ("PLUGIN_CLIENT_CERT", "hello")]).unwrap_err();
        assert!(matches!(refusal, Refusal::ClientCertificate));
    }

    #[test]
    fn directory_group_and_ports_are_taken() {
        let request = check(&[
            COOKIE,
            ("PLUGIN_UNIX_SOCKET_DIR", "/run/plugins"),
            ("PLUGIN_UNIX_SOCKET_GROUP", "terraform"),
            ("PLUGIN_MIN_PORT", "20000"),
            ("PLUGIN_MAX_PORT", "20010"),
        ])
        .unwrap();
        assert_eq!(request.socket_directory.as_deref(), Some(std::path::Path::new("/run/plugins")));
        assert_eq!(request.socket_group.as_deref(), Some("terraform"));
        assert_eq!(request.ports, 20_000..=20_010);
    }
}
