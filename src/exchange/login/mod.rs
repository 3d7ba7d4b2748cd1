//! The logins: who asks for a token, and how it proves who it is.
//!
//! | login | proof |
//! |---|---|
//! | an app registration | a client secret, a certificate's key, or the token of an issuer that it trusts |
//! | a managed identity | the machine in Azure on which this runs |
//! | a person | the Azure CLI, which that person has logged in to |
//!
//! Nothing here keeps an access token: that is for [`Tokens`](super::token::Tokens).

mod application;
mod assertion;
mod azure_cli;
mod certificate;
mod federation;
mod managed_identity;
#[cfg(test)]
mod tests;

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

use self::application::Application;
use self::azure_cli::AzureCli;
use self::managed_identity::ManagedIdentity;
use super::hosts::Hosts;
use super::settings::{Credential, Settings};
use crate::remote::{Call, Connection, Error, Kind, Reply, credential, interruptible, read_json};
use crate::value::Path;

/// A way to get tokens.
#[derive(Debug)]
pub(super) struct Login(Way);

#[derive(Debug)]
enum Way {
    Application(Box<Application>),
    ManagedIdentity(ManagedIdentity),
    AzureCli(AzureCli),
}

/// A token as it was given.
pub(super) struct Granted {
    pub(super) text: SecretString,
    /// How long it is good for.
    pub(super) life: Duration,
}

/// A token that was not given.
pub(super) struct Refusal {
    pub(super) error: Error,
    /// When to ask again.
    pub(super) wait: Option<Duration>,
    /// Whether the answer will be the same for the rest of the run.
    pub(super) lasting: bool,
}

/// What is asked for again after this time when nobody says how long it is good for.
const UNKNOWN_LIFE: Duration = Duration::from_mins(10);
/// A token that is said to be good for longer is renewed after this time.
const LONGEST_LIFE: Duration = Duration::from_hours(24);
/// The most that an answer with a token may hold.
const MOST_BYTES: usize = 1 << 20;

impl Login {
    /// Prepares a login. Reads the file of a certificate, and does no other I/O; a credential that cannot be used is an error on
    /// its setting.
    pub(super) fn new(settings: &Settings, hosts: &Hosts) -> Result<Login, Error> {
        Ok(Login(match &settings.credential {
            Credential::Application { client_id, proof } => {
                Way::Application(Box::new(Application::new(client_id, proof, &settings.tenant, hosts)?))
            }
            Credential::ManagedIdentity { client_id, endpoint } => {
                Way::ManagedIdentity(ManagedIdentity::new(client_id.clone(), endpoint.clone())?)
            }
            Credential::AzureCli { search_path } => {
                Way::AzureCli(AzureCli::new(search_path.clone(), settings.tenant.clone(), settings.cloud)?)
            }
        }))
    }

    /// What it is called in the log.
    pub(super) fn name(&self) -> &'static str {
        match &self.0 {
            Way::Application(application) => application.name(),
            Way::ManagedIdentity(_) => "managed identity",
            Way::AzureCli(_) => "Azure CLI",
        }
    }

    /// Asks once for a token for this scope (`https://outlook.office365.com/.default`).
    pub(super) async fn token(&self, scope: &str, connection: &Connection, call: &Call) -> Result<Granted, Refusal> {
        match &self.0 {
            Way::Application(application) => application.token(scope, connection, call).await,
            Way::ManagedIdentity(identity) => identity.token(resource(scope), connection, call).await,
            Way::AzureCli(cli) => cli.token(resource(scope), call).await,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal { error, wait: None, lasting: false }
    }
}

/// What the older protocol calls a resource: the scope without its last part.
fn resource(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope)
}

/// The path of a setting of the block.
fn setting(name: &str) -> Path {
    Path::dotted("exchange").attribute(name)
}

/// Sends a request that belongs to a login, and takes the whole answer.
async fn send(
    connection: &Connection,
    url: &Url,
    prepare: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    call: &Call,
) -> Result<Reply, Error> {
    let request = prepare(&connection.client(url)?);
    let sent = interruptible(call, connection.fetch(request, MOST_BYTES)).await?;
    let reply = sent.map_err(|failure| connection.failure(url, &failure))?;
    connection.note_answer();
    Ok(reply)
}

/// The answer that gives a token, as OAuth has it. Some endpoints give numbers as text, and the time of the end only.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<Value>,
    expires_on: Option<Value>,
}

impl Granted {
    /// Reads an answer.
    fn read(body: &[u8]) -> Option<Granted> {
        let answer: Answer = serde_json::from_value(read_json(body).ok()?).ok()?;
        let whole = |number: Option<Value>| {
            let number = number?;
            let text = number.as_str().map_or_else(|| number.to_string(), |text| text.trim().to_owned());
            // A fraction is cut off, and what is beyond all numbers becomes the greatest: the cast saturates.
            #[expect(clippy::cast_possible_truncation, reason = "it saturates, which is what is wanted")]
            let rounded = || text.parse::<f64>().ok().filter(|number| !number.is_nan()).map(|number| number as i64);
            text.parse::<i64>().ok().or_else(rounded)
        };
        let seconds = whole(answer.expires_in).or_else(|| whole(answer.expires_on).map(seconds_left));
        Some(Granted::lasting(answer.access_token, seconds))
    }

    fn lasting(token: String, seconds: Option<i64>) -> Granted {
        let life = seconds.map_or(UNKNOWN_LIFE, |seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        let life = life.min(LONGEST_LIFE);
        Granted { text: credential(token), life }
    }
}

/// How many seconds are left until this moment, in seconds since 1970.
fn seconds_left(end: i64) -> i64 {
    end.saturating_sub(OffsetDateTime::now_utc().unix_timestamp())
}

/// The error of an answer that says it was successful and gives no token.
fn no_token(who: &str) -> Error {
    Error::new(Kind::Unexpected, format!("{who} answered, and the answer holds no token."))
}
