//! `sandbox`: the stand-ins for both services, until Ctrl-C.

mod folder;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value as Json;

use super::demo::say;
use crate::sandbox::exchange::{self, Service};
use crate::sandbox::gateway::{self, Appliance};
use crate::sandbox::mail::{self, Door, PostOffice};
use crate::sandbox::oracle::{Leads, Network};

pub(super) use folder::{GUIDE, KEEPS_SECRETS};

/// How to run the sandbox.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Write a folder with the guide for the stand-ins, in which `terraform init` and `terraform apply` work
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Listen on this port and those that follow it: Exchange Online, the gateway's command line (SSH), its AsyncOS API, mail (SMTP). Left
    /// out, free ports are taken
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65528))]
    port: Option<u16>,
}

/// The seed of the host key where the ports are fixed: what is written down about them stays true at the next start.
const SEED: u64 = 1;

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
        let Some((mode, name)) = self.level() else { return String::new() };
        let name = name.map(|name| format!("\n      name = {name:?}")).unwrap_or_default();
        format!("\n    cluster {{\n      mode = {mode:?}{name}\n    }}")
    }

    /// The kind and the name of that level, as the provider's settings have them.
    fn level(&self) -> Option<(String, Option<&str>)> {
        let level = self.gateway.cluster()?.others_at.as_deref().and_then(|level| level.split_once(' '));
        Some(level.map_or_else(|| ("cluster".to_owned(), None), |(kind, name)| (kind.to_lowercase(), Some(name))))
    }

    /// The environment variables under which the provider uses them.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let (url, account, password) = (self.exchange.url(), self.gateway.username(), self.gateway.password());
        let mut variables = vec![
            ("ARM_TENANT_ID", self.exchange.tenant()),
            ("ARM_CLIENT_ID", self.exchange.client_id()),
            ("ARM_CLIENT_SECRET", self.exchange.client_secret()),
            ("MAILFLOW_LOGIN_URL", url.clone()),
            ("MAILFLOW_EXCHANGE_URL", url.clone()),
            ("MAILFLOW_GRAPH_URL", url),
            ("MAILFLOW_GATEWAY_HOST", "127.0.0.1".to_owned()),
            ("MAILFLOW_GATEWAY_PORT", self.gateway.port().to_string()),
            ("MAILFLOW_GATEWAY_USERNAME", account.to_owned()),
            ("MAILFLOW_GATEWAY_PASSWORD", password.to_owned()),
            ("MAILFLOW_GATEWAY_HOST_KEYS", self.gateway.host_key_fingerprint().to_owned()),
            ("MAILFLOW_GATEWAY_API_URL", self.gateway.rest_url()),
            ("MAILFLOW_GATEWAY_API_USERNAME", account.to_owned()),
            ("MAILFLOW_GATEWAY_API_PASSWORD", password.to_owned()),
        ];
        if let Some((mode, name)) = self.level() {
            variables.push(("MAILFLOW_GATEWAY_CLUSTER", name.map_or(mode.clone(), |name| format!("{mode} {name}"))));
        }
        variables
    }

    /// The names that a configuration has to know, for a person.
    fn inventory(&self) -> String {
        let options = self.exchange.options();
        let domains = [options.organization].into_iter().chain(options.domains).collect::<Vec<_>>().join(", ");
        let listeners = self.gateway.configuration().listeners.into_iter().map(|listener| {
            let groups = listener.hat.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>().join(", ");
            let policies = listener.hat.policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ");
            format!("  listener {}: sender groups {groups}; mail flow policies {policies}\n", listener.name)
        });
        format!("What is there:\n\n  accepted domains: {domains}\n{}", listeners.collect::<String>())
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

/// Starts both on free ports, or on `first` and those that follow it.
fn start(first: Option<u16>) -> Result<StandIns, String> {
    let port = |place: u16| first.map_or(0, |first| first + place);
    let (exchange_port, gateway_port, rest_port) = (port(0), port(1), port(2));
    let failed = |what: &str, port: u16, error: &io::Error| {
        let place = if port == 0 { String::new() } else { format!(" on port {port}") };
        format!("Unable to start the stand-in for {what}{place}: {error}")
    };
    // A person sends mail now, and looks for it now.
    let options = exchange::Options { port: exchange_port, real_clock: true, mail_send: true, ..exchange::Options::default() };
    let exchange = Service::start(options).map_err(|error| failed("Exchange Online", exchange_port, &error))?;
    let mut options = gateway::Options { port: gateway_port, seed: first.map(|_| SEED), ..gateway::Options::default() };
    options.rest_options.port = rest_port;
    let gateway = Appliance::start(options).map_err(|error| failed("the gateway", gateway_port, &error))?;
    let first_port = first.map(|first| first + 3);
    let mail =
        PostOffice::start(&gateway, &exchange, mail::Options { network: network(), first_port, ..mail::Options::default() })
            .map_err(|error| format!("Unable to start the stand-ins' mail: {error}"))?;
    Ok(StandIns { exchange, gateway, mail })
}

/// Runs the stand-ins until Ctrl-C.
pub(super) async fn run(options: &Options) -> ExitCode {
    if let Some(problem) = options.write.as_deref().and_then(|folder| folder::check(folder).err()) {
        return super::usage("sandbox", &format!("--write: {problem}"));
    }
    let stand_ins = match start(options.port) {
        Ok(stand_ins) => stand_ins,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    say("Stand-ins for Exchange Online and a Secure Email Gateway, on loopback. Nothing here reaches a real tenant or device.\n");
    match options.write.as_deref().map(|place| folder::write(place, &stand_ins)) {
        None => {}
        Some(Ok(written)) => {
            let (place, settings) = (quoted(&written.place.display()), quoted(&written.settings.display()));
            say(&format!(
                "The guide is in {place}. In another shell:\n\ncd {place}\nexport TF_CLI_CONFIG_FILE={settings}\nterraform init\nterraform apply\n"
            ));
        }
        Some(Err(error)) => {
            eprintln!("Unable to write the folder: {error}");
            return ExitCode::FAILURE;
        }
    }
    say(&stand_ins.inventory());
    say(&format!(
        "To look at the gateway (the password is {}):\n\nssh -p {} {}@127.0.0.1\n",
        stand_ins.gateway.password(),
        stand_ins.gateway.port(),
        stand_ins.gateway.username()
    ));
    say("Mail, by SMTP on 127.0.0.1 (XCLIENT tells who connects; STARTTLS is offered as the policies say):\n");
    for (door, port) in stand_ins.mail.ports() {
        let name = match door {
            Door::Listener(name) => format!("the gateway's listener {name}"),
            Door::Tenant => "the tenant, as its MX".to_owned(),
            Door::Mailbox => "a mailbox of the tenant, to send from".to_owned(),
        };
        say(&format!("{port:<6} {name}"));
    }
    say("\nFor a configuration of your own, and for `doctor` and `export`, the environment of the provider:\n");
    for (name, value) in stand_ins.environment() {
        say(&format!("export {name}={}", quoted(&value)));
    }
    say(&format!(
        "\nand with it:\n\n{}\nprovider \"mailflow\" {{\n  exchange {{}}\n  gateway {{}}\n}}\n",
        folder::terraform_block()
    ));
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

/// A word for the shell.
fn quoted(word: &impl std::fmt::Display) -> String {
    format!("'{}'", word.to_string().replace('\'', r"'\''"))
}
