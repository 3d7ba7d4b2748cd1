//! `sandbox`: the stand-ins for both services, until Ctrl-C.

use std::io;
use std::process::ExitCode;

use serde_json::Value as Json;

use super::demo::say;
use crate::sandbox::exchange::{self, Service};
use crate::sandbox::gateway::{self, Appliance};
use crate::sandbox::mail::{self, Door, PostOffice};
use crate::sandbox::oracle::{Leads, Network};

/// How to run the sandbox.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

/// Both stand-ins, running.
pub struct StandIns {
    /// Exchange Online, with its token endpoint and Graph.
    pub exchange: Service,
    /// The gateway's command line and its AsyncOS API.
    pub gateway: Appliance,
    /// Mail between them, over SMTP.
    pub mail: PostOffice,
}

/// What happened on the stand-ins so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Calls of the admin API and of Graph.
    pub exchange_calls: u64,
    /// Commands at the gateway's main prompt.
    pub gateway_commands: u64,
    /// Commits that took effect.
    pub commits: u64,
}

impl StandIns {
    /// Starts both on free ports of loopback.
    pub fn start() -> io::Result<StandIns> {
        StandIns::with(exchange::Options::default(), gateway::Options::default())
    }

    /// Starts both with these options.
    pub fn with(exchange: exchange::Options, gateway: gateway::Options) -> io::Result<StandIns> {
        StandIns::with_mail(exchange, gateway, mail::Options { network: network(), ..mail::Options::default() })
    }

    /// Starts both with these options, and mail between them with others.
    pub fn with_mail(exchange: exchange::Options, gateway: gateway::Options, mail: mail::Options) -> io::Result<StandIns> {
        let (exchange, gateway) = (Service::start(exchange)?, Appliance::start(gateway)?);
        let mail = PostOffice::start(&gateway, &exchange, mail)?;
        Ok(StandIns { exchange, gateway, mail })
    }

    /// All that stands on both, in a form that can be compared.
    pub fn snapshot(&self) -> (Json, Json) {
        (self.exchange.snapshot(), self.gateway.snapshot())
    }

    /// All that stands on both, for a person.
    pub fn describe(&self) -> String {
        format!("{}\n{}", self.exchange.describe(), self.gateway.describe())
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        let (exchange, gateway) = (self.exchange.counts(), self.gateway.counters());
        Counts {
            exchange_calls: exchange.calls.values().sum(),
            gateway_commands: gateway.commands.values().sum(),
            commits: gateway.commits,
        }
    }

    /// The level of the cluster, where there is one: that at which others work, too.
    fn cluster_block(&self) -> String {
        let Some(cluster) = self.gateway.cluster() else { return String::new() };
        let level = cluster.others_at.as_deref().and_then(|level| level.split_once(' '));
        let named = level.map(|(kind, name)| format!("{:?}\n      name = {name:?}", kind.to_lowercase()));
        format!("\n    cluster {{\n      mode = {}\n    }}", named.unwrap_or_else(|| "\"cluster\"".to_owned()))
    }

    /// A provider block that uses them.
    pub fn provider_block(&self) -> String {
        format!(
            "provider \"mailflow\" {{
  exchange {{
    tenant_id     = {tenant:?}
    client_id     = {client:?}
    client_secret = {secret:?}
    login_url     = {url:?}
    exchange_url  = {url:?}
    graph_url     = {url:?}
  }}
  gateway {{
    host      = \"127.0.0.1\"
    port      = {port}
    username  = {username:?}
    password  = {password:?}
    host_keys = [{key:?}]{cluster}
    api {{
      url      = {api:?}
      username = {username:?}
      password = {password:?}
    }}
  }}
}}
",
            tenant = self.exchange.tenant(),
            client = self.exchange.client_id(),
            secret = self.exchange.client_secret(),
            url = self.exchange.url(),
            port = self.gateway.port(),
            username = self.gateway.username(),
            password = self.gateway.password(),
            key = self.gateway.host_key_fingerprint(),
            cluster = self.cluster_block(),
            api = self.gateway.rest_url(),
        )
    }
}

/// What lies around the stand-ins: the gateway's addresses in the guide's variables, inbound and outbound.
pub fn network() -> Network {
    let mut network = Network::default();
    for address in ["203.0.113.10", "203.0.113.11"] {
        network.host(address, Leads::Gateway("IncomingMail".into()));
    }
    network.host("203.0.113.20", Leads::Gateway("OutgoingMail".into()));
    network
}

/// Runs the stand-ins until Ctrl-C.
pub(super) async fn run(_options: &Options) -> ExitCode {
    let stand_ins = match StandIns::start() {
        Ok(stand_ins) => stand_ins,
        Err(error) => {
            eprintln!("Unable to start the stand-ins: {error}");
            return ExitCode::FAILURE;
        }
    };
    say("Stand-ins for Exchange Online and a Secure Email Gateway, on loopback. Nothing here reaches a real tenant or device.\n");
    say(&stand_ins.provider_block());
    say(
        "The same from the environment, with `login_url`, `exchange_url` and `graph_url` in `exchange { … }`, and `port` and `api {}` in `gateway { … }`:\n",
    );
    for (name, value) in [
        ("ARM_TENANT_ID", stand_ins.exchange.tenant()),
        ("ARM_CLIENT_ID", stand_ins.exchange.client_id()),
        ("ARM_CLIENT_SECRET", stand_ins.exchange.client_secret()),
        ("MAILFLOW_GATEWAY_HOST", "127.0.0.1".to_owned()),
        ("MAILFLOW_GATEWAY_USERNAME", stand_ins.gateway.username().to_owned()),
        ("MAILFLOW_GATEWAY_PASSWORD", stand_ins.gateway.password().to_owned()),
        ("MAILFLOW_GATEWAY_HOST_KEYS", stand_ins.gateway.host_key_fingerprint().to_owned()),
        ("MAILFLOW_GATEWAY_API_URL", stand_ins.gateway.rest_url()),
        ("MAILFLOW_GATEWAY_API_USERNAME", stand_ins.gateway.username().to_owned()),
        ("MAILFLOW_GATEWAY_API_PASSWORD", stand_ins.gateway.password().to_owned()),
    ] {
        say(&format!("export {name}='{value}'"));
    }
    say("\nMail, by SMTP on 127.0.0.1 (XCLIENT tells who connects; STARTTLS is offered as the policies say):\n");
    for (door, port) in stand_ins.mail.ports() {
        let name = match door {
            Door::Listener(name) => format!("the gateway's listener {name}"),
            Door::Tenant => "the tenant, as its MX".to_owned(),
            Door::Mailbox => "a mailbox of the tenant, to send from".to_owned(),
        };
        say(&format!("{port:<6} {name}"));
    }
    say("\nPress Ctrl-C to stop. All that was changed is then gone.");
    match tokio::signal::ctrl_c().await {
        Ok(()) => {
            say("\nThis is what stood on them:\n");
            say(&stand_ins.describe());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("Unable to wait for Ctrl-C: {error}");
            ExitCode::FAILURE
        }
    }
}
