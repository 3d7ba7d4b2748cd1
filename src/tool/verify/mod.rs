//! `verify`: sends at most one message, follows it, and stops at the first rung that does not hold.
//!
//! | file | what it is |
//! |---|---|
//! | `ladder` | the rungs, and what follows from what they see |
//! | `advice` | what to look at, by the names of attributes |
//! | `message` | the one message |
//! | `smtp` | hands it over |
//! | `steps` | the rungs against the real services |
//! | `show` | what is printed |

mod advice;
#[cfg(test)]
mod flow_tests;
mod ladder;
mod message;
mod show;
mod smtp;
mod steps;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::ladder::{State, What, climb};
use self::message::Message;
use self::steps::Live;
use super::demo::say;
use super::doctor::settings::{self, Setting};
use crate::exchange::Exchange;
use crate::plugin::{Configured, Provider as _};
use crate::provider::{Environment, Found, Mailflow, sides, standalone};
use crate::remote::{Call, shown};
use crate::schema::{Record, engine};
use crate::value::Diagnostic;

/// How long the first contact with a side may take.
const CONTACT: Duration = Duration::from_mins(3);

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Which way to check
    #[arg(value_enum, default_value = "inbound")]
    what: What,
    /// The recipient: for inbound mail a mailbox of the tenant, else an address outside
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    to: String,
    /// The sender: for outbound mail a mailbox of the tenant, else an address outside. Left out, inbound mail has the empty envelope sender, and outbound
    /// mail is sent by hand
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    from: Option<String>,
    /// Where inbound mail is handed over: at the gateway's public listener, or at the MX host of the recipient's domain
    #[arg(long, value_enum, default_value = "gateway")]
    via: Via,
    /// Hand inbound mail over at this host and port, whatever --via finds
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    smtp: Option<String>,
    /// How long the message is followed
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = engine::parse_duration)]
    wait: Duration,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// A setting of the provider block that the environment has no variable for, such as gateway.port=2222; a value that begins with @ names a file
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<Setting>,
}

/// Where inbound mail is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Via {
    /// At the public listener of the gateway
    Gateway,
    /// At the host that the MX records name
    Mx,
}

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// For a program
    Json,
}

/// Climbs the ladder. The exit code is 0 if the mail arrived as it should, 1 if a rung failed, 2 if it could not be judged.
pub(super) async fn run(options: &Options) -> ExitCode {
    let setup = Setup::of(&settings::block(&options.set), Environment::of_process());
    let has = |side: &str| setup.sides.contains(&side);
    let lacks = match options.what {
        What::Inbound | What::Outbound if setup.sides.is_empty() => Some("no side is configured"),
        What::Foreign if !has("gateway") => Some("the gateway is not configured"),
        _ => None,
    };
    if let Some(lacks) = lacks {
        return super::usage("verify", &format!("{lacks}: set the provider's environment variables, or use --set"));
    }
    let outcome = tokio::select! {
        outcome = verify(setup, options) => outcome,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("Stopped. A message that was sent is on its way.");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(State::Held) => ExitCode::SUCCESS,
        Ok(State::Failed) => ExitCode::FAILURE,
        Ok(State::Unjudged | State::NotReached) => ExitCode::from(2),
        Err(problems) => {
            for problem in &problems {
                eprintln!("{}\n{}\n", shown(&problem.summary), shown(&problem.detail));
            }
            ExitCode::from(2)
        }
    }
}

/// What a run works with.
struct Setup {
    /// The sides that are configured.
    sides: Vec<&'static str>,
    provider: Mailflow,
    /// The provider block.
    block: Record,
    /// What sends from a mailbox, where the tenant is configured.
    exchange: Option<Exchange>,
}

impl Setup {
    fn of(config: &Record, environment: Environment) -> Setup {
        let configured = sides(config, &environment);
        let mut block = config.clone();
        for (side, of_side) in &configured {
            block.set(*side, of_side.get(side).clone());
        }
        let exchange = match standalone(config, &environment).0 {
            Found::Ready(settings) => Exchange::new(&settings).ok(),
            Found::Absent | Found::Unusable(_) => None,
        };
        let sides = configured.into_iter().map(|(side, _)| side).collect();
        Setup { sides, provider: Mailflow::new(environment), block, exchange }
    }

    /// Makes the first contact: nothing is sent before both sides can be asked about it.
    async fn contact(&self) -> Result<Arc<dyn Configured>, Vec<Diagnostic>> {
        let problems: Vec<Diagnostic> = self.provider.validate(&self.block).into_iter().filter(Diagnostic::is_error).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let configured = self.provider.configure(&self.block)?;
        let call = Call::new(CancellationToken::new(), CONTACT);
        let problems: Vec<Diagnostic> = configured.contact(&call).await.into_iter().filter(Diagnostic::is_error).collect();
        if !problems.is_empty() {
            configured.close().await;
            return Err(problems);
        }
        Ok(configured)
    }
}

async fn verify(setup: Setup, options: &Options) -> Result<State, Vec<Diagnostic>> {
    let configured = setup.contact().await?;
    let message = Message::new(options.from.clone(), options.to.clone());
    let mut steps = Live::new(Arc::clone(&configured), setup.exchange, options.via, options.smtp.clone());
    let report = climb(&mut steps, options.what, &message, options.wait).await;
    drop(steps);
    configured.close().await;
    match options.format {
        Format::Text => say(&show::text(&report, &message)),
        Format::Json => say(&show::json(&report, &message)),
    }
    Ok(report.state())
}

/// An address as SMTP takes it. What could end a header or begin another command is none.
fn address(text: &str) -> Result<String, String> {
    let plain = text.is_ascii()
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || "<>,;\"".contains(letter));
    match text.parse::<lettre::Address>() {
        Ok(_) if plain => Ok(text.to_owned()),
        _ => Err("this is not a mail address such as someone@example.com".to_owned()),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let wrong = || "write it as HOST:PORT, such as 192.0.2.1:25 or [2001:db8::1]:25".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bare = host.trim_matches(['[', ']']);
    let sound = !bare.is_empty() && !bare.contains(char::is_whitespace) && (host.starts_with('[') || !bare.contains(':'));
    match port.parse::<u16>() {
        Ok(port) if sound && port > 0 => Ok(text.to_owned()),
        _ => Err(wrong()),
    }
}
