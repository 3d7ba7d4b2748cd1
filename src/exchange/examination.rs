//! Looks at a tenant without changing it: whether there is a token, which lists the login may read, and what of the objects is understood.
//!
//! Only `Get` cmdlets are run, each once; the list of the login's cmdlets and one list of Microsoft Graph are read. Members of objects that no table knows are no fault; those that
//! stand in `unmanaged` are told. What counts is a member that a table knows and whose value has a form that nobody expected.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::answer::Object;
use super::cmdlet::{Cmdlets, Known, PLAIN, Switches, known, oddities, unmanaged, unsupported};
use super::http::{Cmdlet, Reading as Graph};
use super::resources::CMDLETS;
pub use super::rights::{Grants, Lack};
use super::{Exchange, data};
use crate::remote::{Call, Error, Kind, Masks, Placeholders, Spelling};
use crate::schema::{Import, Record, UNMANAGED};

/// How long one list may take.
const LIMIT: Duration = Duration::from_mins(3);

/// What was found.
#[derive(Debug)]
pub struct Examination {
    /// The kind of the login, in words.
    pub login: &'static str,
    /// The host that runs cmdlets, as an origin.
    pub host: String,
    /// Whether there is a token.
    pub token: Result<(), Error>,
    /// The lists of Exchange Online; empty without a token.
    pub readings: Vec<Reading>,
    /// Which cmdlets the login has; nothing without a token.
    pub grants: Option<Result<Grants, Error>>,
    /// How many domains Microsoft Graph lists; nothing without a token.
    pub domains: Option<Result<usize, Error>>,
}

/// One list.
#[derive(Debug)]
pub struct Reading {
    /// What the objects are: `InboundConnector`.
    pub noun: &'static str,
    /// How many objects there are.
    pub outcome: Result<usize, Error>,
    /// What the service warned of.
    pub warnings: Vec<String>,
    /// What has a form that nobody expected, without values.
    pub odd: Vec<String>,
    /// What the objects show and no argument accounts for, and which of them the service does not support: a line for each object.
    pub unmanaged: Vec<String>,
    objects: Vec<Object>,
}

/// Looks at the tenant; `progress` hears what is done next.
pub async fn examine(exchange: &Exchange, mut progress: impl FnMut(&str) + Send) -> Examination {
    let http = &exchange.http;
    let mut found = Examination {
        login: http.login_name(),
        host: http.host().origin().ascii_serialization(),
        token: Ok(()),
        readings: Vec::new(),
        grants: None,
        domains: None,
    };
    progress("asking for a token");
    found.token = http.sign_in(&call()).await;
    if found.token.is_err() {
        return found;
    }
    for noun in nouns() {
        let mut lists = vec![PLAIN];
        for switches in tables(noun).flat_map(|cmdlets| cmdlets.hidden) {
            if !lists.contains(switches) {
                lists.push(switches);
            }
        }
        for switches in lists {
            let words: Vec<&str> = std::iter::once("").chain(switches.iter().copied()).collect();
            progress(&format!("running Get-{noun}{}", words.join(" -")));
            let reading = read(exchange, noun, switches).await;
            match found.readings.iter_mut().find(|known| known.noun == noun) {
                Some(known) => known.join(reading),
                None => found.readings.push(reading),
            }
        }
    }
    progress("asking which cmdlets the login has");
    let denied = |reading: &&Reading| reading.outcome.as_ref().is_err_and(|error| error.kind == Kind::Denied);
    let refused: Vec<&str> = found.readings.iter().filter(denied).map(|reading| reading.noun).collect();
    found.grants = Some(exchange.grants(&refused, &call()).await);
    progress("asking Microsoft Graph for the domains");
    let graph = Graph { path: &["domains"], permission: data::DOMAIN_PERMISSION };
    found.domains = Some(http.graph_list(graph, &call()).await.map(|domains| domains.len()));
    found
}

fn call() -> Call {
    Call::new(CancellationToken::new(), LIMIT)
}

/// Every noun that something is read from, each once.
fn nouns() -> Vec<&'static str> {
    let mut nouns: Vec<&str> = Vec::new();
    for noun in CMDLETS.iter().map(|cmdlets| cmdlets.noun).chain([data::ACCEPTED_DOMAIN]) {
        if !nouns.contains(&noun) {
            nouns.push(noun);
        }
    }
    nouns
}

/// The tables of the resources of a noun.
fn tables(noun: &str) -> impl Iterator<Item = &'static Cmdlets> {
    CMDLETS.iter().copied().filter(move |cmdlets| cmdlets.noun == noun)
}

async fn read(exchange: &Exchange, noun: &'static str, switches: Switches) -> Reading {
    let mut parameters = Map::new();
    if tables(noun).all(|cmdlets| cmdlets.paged) {
        parameters.insert("ResultSize".to_owned(), json!("Unlimited"));
    }
    parameters.extend(switches.iter().map(|switch| ((*switch).to_owned(), json!(true))));
    let masks = Masks::new();
    let get = Cmdlet { name: format!("Get-{noun}"), parameters, writes: false, masks: &masks };
    match Box::pin(exchange.http.list_with_warnings(&get, &call())).await {
        Ok((objects, warnings)) => {
            let odd = judged(noun, &objects);
            let strange = objects.iter().flat_map(|object| left_over(noun, object)).collect();
            Reading { noun, outcome: Ok(objects.len()), warnings, odd, unmanaged: strange, objects }
        }
        Err(error) => Reading {
            noun,
            outcome: Err(error),
            warnings: Vec::new(),
            odd: Vec::new(),
            unmanaged: Vec::new(),
            objects: Vec::new(),
        },
    }
}

/// What is odd about the objects of a noun, each oddity once.
fn judged(noun: &str, objects: &[Object]) -> Vec<String> {
    let mut found: Vec<String> = objects.iter().flat_map(|object| odd(noun, object)).collect();
    if tables(noun).any(|cmdlets| matches!(cmdlets.resource.import, Import::Lookup { .. }))
        && objects.iter().any(|object| object.guid().is_none())
    {
        found.push("`Guid`: missing".to_owned());
    }
    found.sort();
    found.dedup();
    found
}

/// What an object shows and no argument of the resource that tells it accounts for.
fn left_over(noun: &str, object: &Object) -> Vec<String> {
    let name = object.text("Name").unwrap_or("without a name");
    let tells = |cmdlets: &&Cmdlets| cmdlets.resource.attributes.iter().any(|line| line.name == UNMANAGED.name);
    let Some(cmdlets) = tables(noun).find(tells) else { return Vec::new() };
    let mut lines = Vec::new();
    let found = unmanaged(cmdlets, object);
    if !found.is_empty() {
        lines.push(format!("{name:?}: {}", found.join(", ")));
    }
    if let Some(said) = unsupported(cmdlets, object, &Record::new()) {
        lines.push(format!("{name:?}: {}", said.detail));
    }
    lines
}

/// What of an object neither the tables of its noun nor the data source of the domains can read.
fn odd(noun: &str, object: &Object) -> Vec<String> {
    let mut found: Vec<String> = tables(noun).flat_map(|cmdlets| oddities(cmdlets, object)).collect();
    if noun == data::ACCEPTED_DOMAIN {
        for (member, odd) in data::odd_domain(object) {
            let member = format!("`{member}`");
            if !found.iter().any(|known| known.starts_with(&member)) {
                found.push(format!("{member}: {odd}"));
            }
        }
    }
    found
}

/// The members of a noun's objects that something reads.
fn members(noun: &str) -> Vec<(String, Known)> {
    let mut found: Vec<(String, Known)> = tables(noun).flat_map(known).collect();
    if noun == data::ACCEPTED_DOMAIN {
        let more: Vec<_> = data::domain_members()
            .filter(|(name, _)| name != "Guid" && !found.iter().any(|(known, _)| known == name))
            .map(|(name, _)| (name, Known::Written))
            .collect();
        found.extend(more);
    }
    found
}

impl Reading {
    /// Adds what a switch of the cmdlet shows beside the plain list.
    fn join(&mut self, other: Reading) {
        if self.outcome.is_err() {
            return;
        }
        if let Err(error) = other.outcome {
            self.outcome = Err(error);
            return;
        }
        let new = |object: &Object| !self.objects.iter().any(|known| known.guid().is_some() && known.guid() == object.guid());
        let new: Vec<Object> = other.objects.into_iter().filter(new).collect();
        self.objects.extend(new);
        self.outcome = Ok(self.objects.len());
        for (all, more) in
            [(&mut self.warnings, other.warnings), (&mut self.odd, other.odd), (&mut self.unmanaged, other.unmanaged)]
        {
            for text in more {
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
    }

    /// The objects as the text of a transcript: what the tables know of them, with every text that a person wrote replaced.
    pub fn transcript(&self, placeholders: &mut Placeholders) -> Option<String> {
        self.outcome.as_ref().ok()?;
        let members = members(self.noun);
        let shown = |object: &Object| {
            let mut masked = Map::from_iter([("Guid".to_owned(), written(object.get("Guid"), placeholders))]);
            for (name, kind) in &members {
                let value = object.get(name);
                let value = match (kind, value) {
                    (_, Json::Null) => continue,
                    (Known::Secret, Json::String(text)) if text.is_empty() => json!(""),
                    (Known::Secret, _) => json!("(sensitive)"),
                    (Known::Written, value) => written(value, placeholders),
                    (Known::Plain, value) => plain(value, placeholders),
                };
                masked.insert(name.clone(), value);
            }
            Json::Object(masked)
        };
        let objects: Vec<Json> = self.objects.iter().map(shown).collect();
        let text = serde_json::to_string_pretty(&json!({ "value": objects })).unwrap_or_default();
        Some(format!("«Get-{}»\n{text}\n", self.noun))
    }
}

/// Reads the objects of a transcript by the table of their noun: how many there are, and what is odd about them.
pub fn replay(noun: &str, transcript: &str) -> Result<(usize, Vec<String>), Error> {
    if !nouns().contains(&noun) {
        return Err(Error::new(Kind::Invalid, format!("{noun:?} is no noun of Exchange Online that has a table.")));
    }
    let json = transcript.split_once('»').map_or(transcript, |(_, json)| json);
    let answer: Json = serde_json::from_str(json)
        .map_err(|error| Error::new(Kind::Invalid, format!("The transcript is not well-formed JSON: {error}.")))?;
    let Some(objects) = answer.get("value").and_then(Json::as_array) else {
        return Err(Error::new(Kind::Invalid, "The transcript has no array \"value\"."));
    };
    let objects: Vec<Object> = objects.iter().filter_map(Json::as_object).cloned().map(Object::new).collect();
    let odd = judged(noun, &objects);
    Ok((objects.len(), odd))
}

/// A value that a person wrote: addresses and names keep their form, everything else gives way.
fn written(value: &Json, placeholders: &mut Placeholders) -> Json {
    texts(value, &mut |text| {
        let masked = placeholders.mask(text, Spelling::Transcript);
        let any = text.trim_start_matches("smtp:").split(';').next() == Some("*");
        let one = masked != text && !text.contains(char::is_whitespace);
        if text.is_empty() || any || one { masked } else { placeholders.text(text, Spelling::Transcript) }
    })
}

/// A value that the service made: a word, a moment or a size.
fn plain(value: &Json, placeholders: &mut Placeholders) -> Json {
    texts(value, &mut |text| {
        let masked = placeholders.mask(text, Spelling::Transcript);
        let word = !text.contains(char::is_whitespace) || text.starts_with(|letter: char| letter.is_ascii_digit());
        if word { masked } else { placeholders.text(text, Spelling::Transcript) }
    })
}

fn texts(value: &Json, change: &mut impl FnMut(&str) -> String) -> Json {
    match value {
        Json::String(text) => Json::String(change(text)),
        Json::Array(items) => Json::Array(items.iter().map(|item| texts(item, change)).collect()),
        // No table knows an object inside an object: that it is one is all that has to be told.
        Json::Object(_) => json!({}),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::testing::{Said, Service};

    #[tokio::test]
    async fn lists_are_counted_and_what_is_odd_is_named_without_its_value() {
        let service = Service::start(|cmdlet| match cmdlet.cmdlet().as_str() {
            "Get-InboundConnector" => Said::objects(&[
                json!({"Name": "Partner One", "Guid": "3d2c1b0a-5e4f-4a7b-8c9d-0e1f2a3b4c5d", "RequireTls": ["x-odd-value"],
                       "SenderIPAddresses": ["10.1.2.3"], "SenderDomains": ["smtp:*;1"], "Whatever": {"a": 1}}),
            ]),
            "Get-TransportRule" => Said::objects(&[
                json!({"Name": "Secret", "Guid": "0d2c1b0a-5e4f-4a7b-8c9d-0e1f2a3b4c5d", "SetHeaderName": "X-A", "SetHeaderValue": "swordfish-1"}),
            ]),
            "Get-OutboundConnector" => Said::of(403, vec![0_u8; 4096]),
            _ => Said::objects(&[]),
        })
        .await;
        let exchange = Exchange::new(&service.settings()).unwrap();
        let found = examine(&exchange, |_| {}).await;
        let of = |noun: &str| found.readings.iter().find(|reading| reading.noun == noun).unwrap();
        assert_eq!(of("InboundConnector").outcome, Ok(1));
        assert_eq!(of("InboundConnector").odd, ["`RequireTls` (attribute `require_tls`): a list where Boolean was expected"]);
        assert_eq!(of("OutboundConnector").outcome.as_ref().map_err(|error| error.kind), Err(Kind::Denied));
        assert!(service.cmdlets().iter().all(|cmdlet| cmdlet.starts_with("Get-")));

        let mut placeholders = Placeholders::new();
        let transcripts: Vec<String> =
            found.readings.iter().filter_map(|reading| reading.transcript(&mut placeholders)).collect();
        for hidden in ["Partner One", "10.1.2.3", "swordfish", "3d2c1b0a", "Whatever"] {
            assert!(transcripts.iter().all(|text| !text.contains(hidden)), "{hidden}: {transcripts:?}");
        }
        let lists = service.cmdlets();
        let once: std::collections::BTreeSet<&String> = lists.iter().collect();
        let hidden = CMDLETS.iter().map(|cmdlets| cmdlets.hidden.len()).sum::<usize>();
        assert_eq!(lists.len(), once.len() + hidden, "{lists:?}");
        assert_eq!(lists.iter().filter(|cmdlet| *cmdlet == "Get-AcceptedDomain").count(), 1);
        for call in service.calls() {
            let noun = call.cmdlet().replace("Get-", "");
            assert_eq!(call.parameters().get("ResultSize").is_some(), tables(&noun).all(|one| one.paged), "{noun}");
        }

        let (count, odd) = replay("InboundConnector", &transcripts[0]).unwrap();
        assert_eq!((count, odd), (1, of("InboundConnector").odd.clone()));
    }
    #[tokio::test]
    async fn a_domain_is_judged_by_both_of_its_readers_and_so_is_its_transcript() {
        let service = Service::start(|cmdlet| match cmdlet.cmdlet().as_str() {
            "Get-AcceptedDomain" => Said::objects(&[
                json!({"Name": "contoso.test", "DomainName": "contoso.test", "Guid": "3d2c1b0a-5e4f-4a7b-8c9d-0e1f2a3b4c5d",
                       "DomainType": ["x"], "IsCoexistenceDomain": ["x"]}),
            ]),
            _ => Said::objects(&[]),
        })
        .await;
        let found = examine(&Exchange::new(&service.settings()).unwrap(), |_| {}).await;
        let domains: Vec<&Reading> = found.readings.iter().filter(|reading| reading.noun == data::ACCEPTED_DOMAIN).collect();
        assert_eq!(domains.len(), 1);
        assert_eq!(domains[0].odd.len(), 2, "{:?}", domains[0].odd);
        let transcript = domains[0].transcript(&mut Placeholders::new()).unwrap();
        assert!(!transcript.contains("contoso"), "{transcript}");
        assert_eq!(replay(data::ACCEPTED_DOMAIN, &transcript), Ok((1, domains[0].odd.clone())));
    }
}
