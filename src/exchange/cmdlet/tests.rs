//! The engine against a small tenant that keeps objects as they are sent. Faults are scripted per cmdlet.

mod bounds;
mod lag;
mod more;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::shape::known;
use super::values::filled;
use crate::exchange::testing::{BACKOFF, Said, Seen, Service, call};
use crate::exchange::{Exchange, Pace, resources};
use crate::remote::{Call, Change, Failure, Kind, Objects};
use crate::schema::{Fill, Kind as Shape, Presence, Record, Resource};
use crate::value::{Path, Value};

const SECRET: &str = "mysecretkey9";

/// What happens to a call instead of the plain thing.
enum Fault {
    /// It is answered so, and not done.
    Instead(Said),
    /// It is done, and answered so.
    Done(Said),
    /// It is done, and the parameter is ignored.
    Without(&'static str),
    /// It is done, and the object is hidden from so many lists.
    Hidden(usize),
    /// It is answered as usual after a while.
    Slow(Duration),
}

#[derive(Default)]
struct State {
    objects: Vec<(String, Map<String, Json>)>,
    faults: VecDeque<(&'static str, Fault)>,
    hidden: usize,
    made: usize,
}

#[derive(Clone, Default)]
struct Tenant(Arc<Mutex<State>>);

impl Tenant {
    fn answer(&self, seen: &Seen) -> Said {
        let cmdlet = seen.cmdlet();
        if cmdlet.is_empty() {
            // It does not tell which cmdlets the login has.
            return Said::of(404, "");
        }
        let fault = {
            let mut state = self.0.lock().unwrap();
            let place = state.faults.iter().position(|(name, _)| *name == cmdlet);
            place.and_then(|place| state.faults.remove(place)).map(|(_, fault)| fault)
        };
        let mut parameters = seen.parameters().as_object().cloned().unwrap_or_default();
        match fault {
            None => self.done(&cmdlet, parameters),
            Some(Fault::Instead(said)) => said,
            Some(Fault::Done(said)) => {
                self.done(&cmdlet, parameters);
                said
            }
            Some(Fault::Without(name)) => {
                parameters.remove(name);
                self.done(&cmdlet, parameters)
            }
            Some(Fault::Hidden(times)) => {
                let said = self.done(&cmdlet, parameters);
                self.0.lock().unwrap().hidden = times;
                said
            }
            Some(Fault::Slow(delay)) => self.done(&cmdlet, parameters).after(delay),
        }
    }

    fn done(&self, cmdlet: &str, mut parameters: Map<String, Json>) -> Said {
        let mut guard = self.0.lock().unwrap();
        let state = &mut *guard;
        let (verb, noun) = cmdlet.split_once('-').unwrap();
        if verb == "Get" {
            let hides = state.hidden > 0 && !state.objects.is_empty();
            state.hidden = state.hidden.saturating_sub(1);
            let shown = state.objects.iter().filter(|(own, _)| own == noun).map(|(_, object)| Json::Object(object.clone()));
            let mut shown: Vec<_> = shown.collect();
            // As the docs say it: the switch shows test connectors only, a plain Get all others.
            let test = parameters.contains_key("IncludeTestModeConnectors");
            shown.retain(|object| object.get("TestMode").is_some_and(|mode| *mode == json!(true)) == test);
            shown.sort_by_key(|object| object["Priority"].as_i64());
            if hides {
                shown.pop();
            }
            for object in &mut shown {
                *object = whole(noun, object);
            }
            return Said::objects(&shown);
        }
        if verb == "New" {
            // Names that differ in case only are the same name.
            let name = |members: &Map<String, Json>| members["Name"].as_str().unwrap_or_default().to_lowercase();
            let taken = |(own, object): &(String, Map<String, Json>)| own == noun && name(object) == name(&parameters);
            if state.objects.iter().any(taken) {
                return Said::fault(400, "|System.InvalidOperationException|The name is in use.");
            }
            state.made += 1;
            parameters.insert("Guid".to_owned(), json!(guid(state.made)));
            if let Some(enabled) = parameters.get("Enabled").filter(|_| noun == "TransportRule") {
                let word = if *enabled == json!(false) { "Disabled" } else { "Enabled" };
                parameters.insert("State".to_owned(), json!(word));
            }
            let count = state.objects.iter().filter(|(own, _)| own == noun).count();
            let place = parameters.get("Priority").and_then(Json::as_u64).map_or(count, |place| usize::try_from(place).unwrap());
            if noun == "TransportRule" && place > count {
                return Said::fault(400, "|System.ArgumentException|The specified rule priority is invalid.");
            }
            state.objects.push((noun.to_owned(), parameters.clone()));
            renumber(state, noun, &guid(state.made), place);
            return Said::objects(&[whole(noun, &Json::Object(parameters))]);
        }
        let identity = parameters.remove("Identity").unwrap_or_default();
        let there = |(own, object): &(String, Map<String, Json>)| {
            own == noun && (object["Guid"] == identity || object["Name"] == identity)
        };
        let Some(position) = state.objects.iter().position(there) else {
            return Said::fault(
                400,
                "Ex6F9304|M.ManagementObjectNotFoundException|The operation couldn't be performed because the object couldn't be found.",
            );
        };
        match verb {
            "Remove" => {
                state.objects.remove(position);
            }
            "Enable" | "Disable" => {
                state.objects[position].1.insert("State".to_owned(), json!(format!("{verb}d")));
            }
            _ => {
                if let Some(place) = parameters.remove("Priority").and_then(|place| place.as_u64()) {
                    let own = state.objects[position].1["Guid"].as_str().unwrap().to_owned();
                    renumber(state, noun, &own, usize::try_from(place).unwrap());
                }
                let object = &mut state.objects.iter_mut().find(|entry| there(entry)).unwrap().1;
                for (name, value) in parameters {
                    match value.get("Remove").and_then(Json::as_array) {
                        Some(gone) => {
                            if let Some(list) = object.get_mut(&name).and_then(Json::as_array_mut) {
                                list.retain(|item| !gone.contains(item));
                            }
                        }
                        None => {
                            object.insert(name, value);
                        }
                    }
                }
            }
        }
        Said::of(204, "")
    }

    fn fault(&self, cmdlet: &'static str, fault: Fault) {
        self.0.lock().unwrap().faults.push_back((cmdlet, fault));
    }

    fn object(&self, name: &str) -> Json {
        let state = self.0.lock().unwrap();
        let found = state.objects.iter().find(|(_, object)| object["Name"] == json!(name));
        found.map_or(Json::Null, |(_, object)| Json::Object(object.clone()))
    }

    fn change(&self, name: &str, member: &str, value: Json) {
        let mut state = self.0.lock().unwrap();
        let found = state.objects.iter_mut().find(|(_, object)| object["Name"] == json!(name));
        found.unwrap().1.insert(member.to_owned(), value);
    }

    fn remove(&self, name: &str) {
        self.0.lock().unwrap().objects.retain(|(_, object)| object["Name"] != json!(name));
    }

    /// The names of a noun's objects by priority.
    fn order(&self) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let mut rules: Vec<_> = state.objects.iter().filter(|(noun, _)| noun == "TransportRule").collect();
        rules.sort_by_key(|(_, object)| object["Priority"].as_i64());
        rules.iter().map(|(_, object)| object["Name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The object with everything that a table knows: what is not set is shown as null.
fn whole(noun: &str, object: &Json) -> Json {
    let mut object = object.clone();
    for cmdlets in resources::CMDLETS.iter().filter(|cmdlets| cmdlets.noun == noun) {
        for (member, _) in known(cmdlets) {
            let is_there = object.as_object().unwrap().contains_key(&member);
            if !is_there && member != "Enabled" {
                object[member] = Json::Null;
            }
        }
    }
    object
}

fn renumber(state: &mut State, noun: &str, own: &str, place: usize) {
    if noun != "TransportRule" {
        return;
    }
    let mut order: Vec<_> = state.objects.iter().filter(|(other, _)| other == noun).collect();
    order.sort_by_key(|(_, object)| object.get("Priority").and_then(Json::as_i64));
    let mut guids: Vec<_> = order.iter().map(|(_, object)| object["Guid"].as_str().unwrap().to_owned()).collect();
    guids.retain(|guid| guid != own);
    guids.insert(place.min(guids.len()), own.to_owned());
    for (_, object) in state.objects.iter_mut().filter(|(other, _)| other == noun) {
        let place = guids.iter().position(|guid| object["Guid"] == json!(guid)).unwrap();
        object.insert("Priority".to_owned(), json!(place));
    }
}

fn guid(number: usize) -> String {
    format!("0000000{}-550f-4efa-9905-46054a5f516a", number % 10)
}

/// What no test waits for.
const SHORT: Pace = Pace {
    backoff: BACKOFF,
    consistency: Duration::ZERO,
    poll: Duration::ZERO,
    looks: Duration::from_millis(5),
    mended: Duration::from_millis(200),
    quiet: Duration::from_millis(20),
    records: Duration::from_millis(5),
};

async fn tenant() -> (Tenant, Service, Arc<Exchange>) {
    let tenant = Tenant::default();
    let service = Service::start({
        let tenant = tenant.clone();
        move |seen| tenant.answer(seen)
    })
    .await;
    let pace = Pace { backoff: BACKOFF, consistency: Duration::from_millis(400), poll: Duration::from_millis(5), ..SHORT };
    let exchange = Arc::new(Exchange::with_pace(&service.settings(), pace).unwrap());
    (tenant, service, exchange)
}

fn resource(name: &str) -> &'static Resource {
    resources::named(name).unwrap().resource
}

fn inbound() -> &'static Resource {
    resource("exchange_inbound_connector")
}

fn outbound() -> &'static Resource {
    resource("exchange_outbound_connector")
}

fn rules() -> &'static Resource {
    resource("exchange_transport_rule")
}

/// A planned object: everything that is not given is as a plan leaves it.
fn planned(resource: &'static Resource, given: &[(&str, Value)]) -> Record {
    let mut record = Record::new().with("id", Value::UNKNOWN);
    for attribute in resource.attributes {
        let value = match attribute.presence {
            Presence::Computed | Presence::Filled(Fill::Service) => Value::UNKNOWN,
            Presence::Filled(fill) => filled(attribute, fill),
            Presence::Required | Presence::Nullable => Value::Null,
        };
        record.set(attribute.name, value);
    }
    for (name, value) in given {
        record.set(*name, value.clone());
    }
    record
}

/// A block with these arguments and nulls.
fn group(name: &str, given: &[(&str, Value)]) -> Value {
    let attribute = rules().attributes.iter().find(|attribute| attribute.name == name).unwrap();
    let Shape::Block(members) = attribute.kind else { panic!("{name}") };
    let mut all: std::collections::BTreeMap<_, _> = members.iter().map(|member| (member.name.to_owned(), Value::Null)).collect();
    all.extend(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Value::Object(all)
}

fn connector(name: &str) -> Record {
    planned(
        inbound(),
        &[
            ("name", name.into()),
            ("connector_type", "Partner".into()),
            ("sender_domains", Value::texts(["*"])),
            ("sender_ip_addresses", Value::texts(["203.0.113.10", "203.0.113.11"])),
            ("restrict_domains_to_ip_addresses", true.into()),
        ],
    )
}

fn rule(name: &str) -> Record {
    planned(rules(), &[("name", name.into()), ("actions", group("actions", &[("set_scl", (-1).into())]))])
}

async fn create(exchange: &Exchange, resource: &'static Resource, wanted: &Record) -> Result<Record, Failure> {
    create_with(exchange, resource, wanted, &call(10)).await
}

async fn create_with(exchange: &Exchange, resource: &'static Resource, wanted: &Record, call: &Call) -> Result<Record, Failure> {
    exchange.create(Change { resource, prior: None, planned: wanted, effective: wanted, config: wanted }, call).await
}

async fn update(exchange: &Exchange, resource: &'static Resource, prior: &Record, wanted: &Record) -> Result<Record, Failure> {
    exchange.update(Change { resource, prior: Some(prior), planned: wanted, effective: wanted, config: wanted }, &call(10)).await
}

#[tokio::test]
async fn a_connector_is_created_with_what_is_set_and_read_back() {
    let (_tenant, service, exchange) = tenant().await;
    let made = create(&exchange, inbound(), &connector("from gateway")).await.unwrap();
    assert_eq!(made.text("id"), Some(guid(1).as_str()));
    assert_eq!(made.truth("enabled"), Some(true));
    assert_eq!(made.texts("sender_ip_addresses"), ["203.0.113.10", "203.0.113.11"]);
    assert_eq!(made.get("comment"), &Value::Null);
    assert_eq!(service.cmdlets(), ["New-InboundConnector", "Get-InboundConnector"]);
    let calls = service.calls();
    assert_eq!(
        calls[0].parameters(),
        json!({"Name": "from gateway", "ConnectorType": "Partner", "SenderDomains": ["*"],
            "SenderIPAddresses": ["203.0.113.10", "203.0.113.11"], "RequireTls": true, "RestrictDomainsToIPAddresses": true,
            "RestrictDomainsToCertificate": false, "Enabled": true})
    );
    assert_eq!(calls[1].parameters(), json!({"ResultSize": "Unlimited"}));
}

#[tokio::test]
async fn all_readers_share_one_list() {
    let (_tenant, service, exchange) = tenant().await;
    let made = create(&exchange, inbound(), &connector("a")).await.unwrap();
    let again = Arc::new(Exchange::with_pace(&service.settings(), exchange.pace).unwrap());
    let before = service.calls().len();
    let readers = (0..20).map(|_| {
        let (exchange, state) = (Arc::clone(&again), made.clone());
        tokio::spawn(async move { exchange.read(inbound(), &state, &call(10)).await.unwrap() })
    });
    for reader in readers.collect::<Vec<_>>() {
        assert_eq!(reader.await.unwrap().as_ref(), Some(&made));
    }
    assert_eq!(service.calls().len() - before, 1);
}

#[tokio::test]
async fn e05_an_object_that_is_not_shown_at_once_is_waited_for() {
    let (tenant, _service, exchange) = tenant().await;
    tenant.fault("New-InboundConnector", Fault::Hidden(3));
    assert!(create(&exchange, inbound(), &connector("a")).await.is_ok());
}

#[tokio::test]
async fn e05_an_object_that_is_never_shown_is_an_error_and_stays_in_state() {
    let (tenant, _service, exchange) = tenant().await;
    tenant.fault("New-InboundConnector", Fault::Hidden(1000));
    let failure = create(&exchange, inbound(), &connector("late one")).await.unwrap_err();
    assert!(failure.error.message.contains("late one"), "{}", failure.error);
    let object = failure.object.unwrap();
    assert_eq!((object.text("id"), object.text("name")), (Some(guid(1).as_str()), Some("late one")));
    assert!(object.into_value().is_wholly_known());
}

#[tokio::test]
async fn e05_a_set_that_another_server_does_not_know_yet_is_repeated() {
    let (tenant, service, exchange) = tenant().await;
    let prior = create(&exchange, inbound(), &connector("a")).await.unwrap();
    let missing = "x|M.ManagementObjectNotFoundException|The object couldn't be found.";
    tenant.fault("Set-InboundConnector", Fault::Instead(Said::fault(404, missing)));
    let wanted = prior.clone().with("comment", "new");
    assert_eq!(update(&exchange, inbound(), &prior, &wanted).await.unwrap().text("comment"), Some("new"));
    assert_eq!(service.cmdlets().iter().filter(|name| *name == "Set-InboundConnector").count(), 2);
}

#[tokio::test]
async fn e06_an_object_that_is_gone_is_asked_for_again_and_by_its_identity_and_reported() {
    let (tenant, service, exchange) = tenant().await;
    let one = create(&exchange, inbound(), &connector("a")).await.unwrap();
    let other = create(&exchange, inbound(), &connector("b")).await.unwrap();
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    tenant.remove("a");
    let before = service.calls().len();
    assert!(exchange.read(inbound(), &other, &call(10)).await.unwrap().is_some());
    let call = call(10);
    assert_eq!(exchange.read(inbound(), &one, &call).await.unwrap(), None);
    let reports = call.take_reports();
    assert!(reports.len() == 1 && reports[0].summary.contains("\"a\"") && !reports[0].is_error(), "{reports:?}");
    assert_eq!(service.calls().len() - before, 3);
    assert_eq!(service.calls().last().map(Seen::parameters), Some(json!({"Identity": guid(1)})));
}

#[tokio::test]
async fn e06_an_object_made_anew_under_the_name_is_another_one() {
    let (tenant, service, exchange) = tenant().await;
    let old = create(&exchange, inbound(), &connector("a")).await.unwrap();
    let _other = create(&exchange, inbound(), &connector("b")).await.unwrap();
    tenant.change("a", "Guid", json!(guid(9)));
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    assert_eq!(exchange.read(inbound(), &old, &call(10)).await.unwrap(), None);
}

#[tokio::test]
async fn e07_all_known_objects_vanishing_at_once_is_an_error() {
    let (tenant, service, exchange) = tenant().await;
    let one = create(&exchange, inbound(), &connector("a")).await.unwrap();
    let other = create(&exchange, inbound(), &connector("b")).await.unwrap();
    tenant.remove("a");
    tenant.remove("b");
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let (first, second) = (call(10), call(10));
    let (one, other) = tokio::join!(exchange.read(inbound(), &one, &first), exchange.read(inbound(), &other, &second));
    assert!(one.is_err() && other.is_err());
}

#[tokio::test]
async fn e04_e08_a_list_that_fails_never_says_gone() {
    let missing = "x|M.ManagementObjectNotFoundException|The object couldn't be found.";
    for said in
        [|| Said::of(404, "<html>"), || Said::of(200, "{}"), || Said::of(204, ""), || Said::objects(&[json!({"Name": "a"})])]
    {
        let (tenant, _service, exchange) = tenant().await;
        for _ in 0..6 {
            tenant.fault("Get-InboundConnector", Fault::Instead(said()));
        }
        let state = connector("a").with("id", guid(1));
        let error = exchange.read(inbound(), &state, &call(10)).await.unwrap_err();
        assert_ne!(error.kind, Kind::NotFound, "{error}");
    }
    let (tenant, _service, exchange) = tenant().await;
    tenant.fault("Get-InboundConnector", Fault::Instead(Said::fault(404, missing)));
    let state = connector("a").with("id", guid(1));
    assert_eq!(exchange.read(inbound(), &state, &call(10)).await.unwrap_err().kind, Kind::Unexpected);
}

#[tokio::test]
async fn e09_a_lost_create_is_adopted_when_it_is_what_was_sent() {
    for said in [Said::of(504, ""), Said::of(200, "{\"val").broken(), Said::of(200, "")] {
        let (tenant, service, exchange) = tenant().await;
        tenant.fault("New-InboundConnector", Fault::Done(said));
        let made = create(&exchange, inbound(), &connector("a")).await.unwrap();
        assert_eq!(made.text("id"), Some(guid(1).as_str()));
        assert_eq!(service.cmdlets().iter().filter(|name| *name == "New-InboundConnector").count(), 1);
    }
}

#[tokio::test]
async fn e09_a_create_that_outlives_the_time_limit_is_adopted() {
    let (tenant, _service, exchange) = tenant().await;
    tenant.fault("New-InboundConnector", Fault::Slow(Duration::from_secs(3)));
    assert!(create_with(&exchange, inbound(), &connector("a"), &call(1)).await.is_ok());
}

#[tokio::test]
async fn e09_a_lost_create_that_differs_is_an_error_with_the_import_block() {
    let (tenant, _service, exchange) = tenant().await;
    create(&exchange, inbound(), &connector("Gate Way")).await.unwrap();
    tenant.fault("New-InboundConnector", Fault::Instead(Said::of(504, "")));
    let wanted = connector("Gate Way").with("comment", "mine");
    let failure = create(&exchange, inbound(), &wanted).await.unwrap_err();
    assert_eq!(failure.error.kind, Kind::Conflict);
    let text = failure.error.to_string();
    let block = format!("import {{\n  to = mailflow_exchange_inbound_connector.gate_way\n  id = \"{}\"\n}}", guid(1));
    assert!(text.contains("`comment` is nothing") && text.contains(&block), "{text}");
    assert!(failure.object.is_none());
}

#[tokio::test]
async fn e11_a_lost_create_of_which_nothing_came_is_sent_again() {
    let (tenant, service, exchange) = tenant().await;
    tenant.fault("New-InboundConnector", Fault::Instead(Said::of(502, "<html>")));
    create(&exchange, inbound(), &connector("a")).await.unwrap();
    assert_eq!(service.cmdlets().iter().filter(|name| *name == "New-InboundConnector").count(), 2);
}

#[tokio::test]
async fn e10_a_taken_name_is_an_error_with_the_import_block() {
    let (_tenant, service, exchange) = tenant().await;
    create(&exchange, inbound(), &connector("a")).await.unwrap();
    let failure = create(&exchange, inbound(), &connector("a").with("comment", "x")).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.path.clone()), (Kind::Conflict, Some(Path::dotted("name"))));
    let text = failure.error.to_string();
    assert!(text.contains("The name is in use.") && text.contains("import {") && text.contains(&guid(1)), "{text}");
    assert!(failure.object.is_none());
    assert!(!service.cmdlets().iter().any(|name| name.starts_with("Set-")));
}

#[tokio::test]
async fn c11_a_name_that_is_taken_in_other_case_is_taken() {
    let (_tenant, _service, exchange) = tenant().await;
    create(&exchange, inbound(), &connector("a")).await.unwrap();
    let failure = create(&exchange, inbound(), &connector("A")).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.path.clone()), (Kind::Conflict, Some(Path::dotted("name"))));
    assert!(failure.error.to_string().contains("import {"), "{}", failure.error);
}

#[tokio::test]
async fn e11_a_lost_change_is_settled_by_reading() {
    for (fault, sets) in [(Fault::Done(Said::of(504, "")), 1), (Fault::Instead(Said::of(504, "")), 2)] {
        let (tenant, service, exchange) = tenant().await;
        let prior = create(&exchange, inbound(), &connector("a")).await.unwrap();
        tenant.fault("Set-InboundConnector", fault);
        let wanted = prior.clone().with("comment", "new");
        assert_eq!(update(&exchange, inbound(), &prior, &wanted).await.unwrap().text("comment"), Some("new"));
        assert_eq!(service.cmdlets().iter().filter(|name| *name == "Set-InboundConnector").count(), sets);
    }
}

#[tokio::test]
async fn e12_a_warning_is_reported_and_no_news_is_not() {
    let (tenant, _service, exchange) = tenant().await;
    let prior = create(&exchange, inbound(), &connector("a")).await.unwrap();
    let warnings = json!({"@adminapi.warnings": ["Mind the gap.", "The command completed successfully but no settings of 'a' have been modified."], "value": []});
    tenant.fault("Set-InboundConnector", Fault::Done(Said::of(200, warnings.to_string())));
    let wanted = prior.clone().with("comment", "new");
    let call = call(10);
    exchange
        .update(Change { resource: inbound(), prior: Some(&prior), planned: &wanted, effective: &wanted, config: &wanted }, &call)
        .await
        .unwrap();
    let reports = call.take_reports();
    assert_eq!(reports.iter().map(|report| report.detail.as_str()).collect::<Vec<_>>(), ["Mind the gap."]);
}

#[tokio::test]
async fn e12_an_error_inside_a_good_answer_does_not_lose_the_object() {
    let (tenant, _service, exchange) = tenant().await;
    let body = json!({"@adminapi.errors": ["|System.InvalidOperationException|Half done."], "value": []});
    tenant.fault("New-InboundConnector", Fault::Done(Said::of(200, body.to_string())));
    let failure = create(&exchange, inbound(), &connector("a")).await.unwrap_err();
    assert_eq!(failure.error.message, "Half done.");
    assert_eq!(failure.object.unwrap().text("id"), Some(guid(1).as_str()));
}

#[tokio::test]
async fn e16_a_parameter_that_was_ignored_is_an_error_on_its_attribute() {
    let (tenant, _service, exchange) = tenant().await;
    tenant.fault("New-InboundConnector", Fault::Without("Comment"));
    tenant.fault("Set-InboundConnector", Fault::Without("Comment"));
    let failure = create(&exchange, inbound(), &connector("a").with("comment", "mine")).await.unwrap_err();
    assert_eq!(failure.error.path, Some(Path::dotted("comment")));
    let text = failure.error.to_string();
    assert!(text.contains("role does not include this parameter") && text.contains("\"mine\" was sent"), "{text}");
    assert_eq!(failure.object.unwrap().get("comment"), &Value::Null);
}

#[tokio::test]
async fn e16_a_parameter_that_was_ignored_once_is_written_once_more() {
    let (tenant, service, exchange) = tenant().await;
    tenant.fault("New-InboundConnector", Fault::Without("Comment"));
    let made = create(&exchange, inbound(), &connector("a").with("comment", "mine")).await.unwrap();
    assert_eq!(made.text("comment"), Some("mine"));
    let sets: Vec<Json> =
        service.calls().iter().filter(|seen| seen.cmdlet() == "Set-InboundConnector").map(Seen::parameters).collect();
    assert_eq!(sets, [json!({"Identity": guid(1), "Comment": "mine"})]);
}

#[tokio::test]
async fn e16_a_secret_that_was_ignored_is_not_shown() {
    let (tenant, _service, exchange) = tenant().await;
    tenant.fault("New-TransportRule", Fault::Without("SetHeaderValue"));
    tenant.fault("Set-TransportRule", Fault::Without("SetHeaderValue"));
    let actions = group("actions", &[("set_header_name", "X-OUTBOUND-AUTH".into()), ("set_header_value", SECRET.into())]);
    let failure = create(&exchange, rules(), &rule("r").with("actions", actions)).await.unwrap_err();
    assert_eq!(failure.error.path, Some(Path::dotted("actions.set_header_value")));
    assert!(!format!("{} {:?}", failure.error, failure.error).contains(SECRET), "{}", failure.error);
}

#[tokio::test]
async fn a_secret_that_the_service_repeats_is_not_shown() {
    let (tenant, _service, exchange) = tenant().await;
    let text = format!("|System.ArgumentException|The value '{SECRET}' of SetHeaderValue is bad.");
    tenant.fault("New-TransportRule", Fault::Instead(Said::fault(400, &text)));
    let actions = group("actions", &[("set_header_name", "X-OUTBOUND-AUTH".into()), ("set_header_value", SECRET.into())]);
    let failure = create(&exchange, rules(), &rule("r").with("actions", actions)).await.unwrap_err();
    assert_eq!(failure.error.message, "The value '(sensitive)' of SetHeaderValue is bad.");
    assert_eq!(failure.error.path, Some(Path::dotted("actions.set_header_value")));
}

#[tokio::test]
async fn e19_a_rule_that_was_disabled_by_hand_is_shown_so_and_enabled_again() {
    let (tenant, service, exchange) = tenant().await;
    let made = create(&exchange, rules(), &rule("r")).await.unwrap();
    assert_eq!(made.truth("enabled"), Some(true));
    tenant.change("r", "State", json!("Disabled"));
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let drifted = exchange.read(rules(), &made, &call(10)).await.unwrap().unwrap();
    assert_eq!(drifted.truth("enabled"), Some(false));
    let mended = update(&exchange, rules(), &drifted, &drifted.clone().with("enabled", true)).await.unwrap();
    assert_eq!(mended.truth("enabled"), Some(true));
    let disabled = update(&exchange, rules(), &mended, &mended.clone().with("enabled", false)).await.unwrap();
    assert_eq!(disabled.truth("enabled"), Some(false));
    let calls = service.calls();
    let parameters = |cmdlet: &str| calls.iter().find(|seen| seen.cmdlet() == cmdlet).unwrap().parameters();
    assert_eq!(parameters("Enable-TransportRule"), json!({"Identity": guid(1)}));
    assert_eq!(parameters("Disable-TransportRule"), json!({"Identity": guid(1), "Confirm": false}));
    assert!(!service.cmdlets().contains(&"Set-TransportRule".to_owned()));
}

#[tokio::test]
async fn e21_e22_a_delete_succeeds_when_the_object_is_gone() {
    let (tenant, service, exchange) = tenant().await;
    for (name, fault) in
        [("a", None), ("b", Some(Fault::Done(Said::of(504, "")))), ("c", Some(Fault::Instead(Said::of(504, ""))))]
    {
        let made = create(&exchange, inbound(), &connector(name)).await.unwrap();
        if let Some(fault) = fault {
            tenant.fault("Remove-InboundConnector", fault);
        }
        exchange.delete(inbound(), &made, &call(10)).await.unwrap();
        assert_eq!(tenant.object(name), Json::Null, "{name}");
        exchange.delete(inbound(), &made, &call(10)).await.unwrap();
    }
    let seen = service.calls().into_iter().find(|seen| seen.cmdlet() == "Remove-InboundConnector").unwrap();
    assert_eq!(seen.parameters(), json!({"Identity": guid(1), "Confirm": false}));
}

#[tokio::test]
async fn a_delete_that_is_refused_is_an_error() {
    let (tenant, _service, exchange) = tenant().await;
    let made = create(&exchange, inbound(), &connector("a")).await.unwrap();
    tenant.fault("Remove-InboundConnector", Fault::Instead(Said::of(403, vec![0; 4096])));
    assert_eq!(exchange.delete(inbound(), &made, &call(10)).await.unwrap_err().kind, Kind::Denied);
}

#[tokio::test]
async fn e23_what_somebody_else_changed_since_the_plan_is_not_written_over() {
    let (tenant, service, exchange) = tenant().await;
    let prior = create(&exchange, inbound(), &connector("a")).await.unwrap();
    tenant.change("a", "Comment", json!("theirs"));
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let failure = update(&exchange, inbound(), &prior, &prior.clone().with("enabled", false)).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.path.clone()), (Kind::Conflict, Some(Path::dotted("comment"))));
    assert!(failure.error.message.contains("\"theirs\""), "{}", failure.error);
    // What they made as it is wanted anyway is no matter.
    let wanted = prior.clone().with("enabled", false).with("comment", "theirs");
    assert!(update(&exchange, inbound(), &prior, &wanted).await.is_ok());
}

#[tokio::test]
async fn an_object_that_was_removed_since_the_plan_is_named() {
    let (tenant, service, exchange) = tenant().await;
    let prior = create(&exchange, inbound(), &connector("a")).await.unwrap();
    tenant.remove("a");
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let failure = update(&exchange, inbound(), &prior, &prior.clone().with("enabled", false)).await.unwrap_err();
    assert_eq!(failure.error.kind, Kind::NotFound);
}

#[tokio::test]
async fn set_carries_what_changed_and_its_partners() {
    let (_tenant, service, exchange) = tenant().await;
    let header = |name: &str, value: Value| group("actions", &[("set_header_name", name.into()), ("set_header_value", value)]);
    let prior = create(&exchange, rules(), &rule("r").with("actions", header("X-A", SECRET.into())).with("comments", "old"))
        .await
        .unwrap();
    let wanted = prior.clone().with("actions", header("X-B", SECRET.into())).with("comments", Value::Null).with("name", "s");
    let done = update(&exchange, rules(), &prior, &wanted).await.unwrap();
    assert_eq!((done.text("name"), done.text("id"), done.get("comments")), (Some("s"), prior.text("id"), &Value::Null));
    let seen = service.calls().into_iter().find(|seen| seen.cmdlet() == "Set-TransportRule").unwrap();
    let wanted = json!({"Identity": guid(1), "Name": "s", "Comments": "", "SetHeaderName": "X-B", "SetHeaderValue": SECRET});
    assert_eq!(seen.parameters(), wanted);
}

#[tokio::test]
async fn a_pair_is_removed_together() {
    let (_tenant, service, exchange) = tenant().await;
    let conditions = group(
        "conditions",
        &[
            ("header_contains_message_header", "X-A".into()),
            ("header_contains_words", Value::texts(["a"])),
            ("scl_over", 5.into()),
        ],
    );
    let prior = create(&exchange, rules(), &rule("r").with("conditions", conditions)).await.unwrap();
    let wanted = prior
        .clone()
        .with("conditions", Value::Null)
        .with("exceptions", group("exceptions", &[("from_scope", "InOrganization".into())]));
    let done = update(&exchange, rules(), &prior, &wanted).await.unwrap();
    assert_eq!(done.get("conditions"), &Value::Null);
    let seen = service.calls().into_iter().find(|seen| seen.cmdlet() == "Set-TransportRule").unwrap();
    assert_eq!(
        seen.parameters(),
        json!({"Identity": guid(1), "HeaderContainsMessageHeader": null, "HeaderContainsWords": null, "SCLOver": null,
            "ExceptIfFromScope": "InOrganization"})
    );
}

#[tokio::test]
async fn a_list_that_null_does_not_empty_is_emptied_by_name() {
    let (tenant, service, exchange) = tenant().await;
    let prior = create(&exchange, inbound(), &connector("a")).await.unwrap();
    tenant.fault("Set-InboundConnector", Fault::Without("SenderIPAddresses"));
    let wanted = prior.clone().with("sender_ip_addresses", Value::set(vec![])).with("restrict_domains_to_ip_addresses", false);
    let done = update(&exchange, inbound(), &prior, &wanted).await.unwrap();
    assert!(done.texts("sender_ip_addresses").is_empty());
    let sets: Vec<_> =
        service.calls().iter().filter(|seen| seen.cmdlet() == "Set-InboundConnector").map(Seen::parameters).collect();
    let removing = json!({"@odata.type": "#Exchange.GenericHashTable", "Remove": ["203.0.113.10", "203.0.113.11"]});
    assert_eq!(sets[0], json!({"Identity": guid(1), "SenderIPAddresses": null, "RestrictDomainsToIPAddresses": false}));
    assert_eq!(sets[1], json!({"Identity": guid(1), "SenderIPAddresses": removing}));
}

#[tokio::test]
async fn writes_of_a_noun_go_one_after_the_other() {
    let (tenant, service, exchange) = tenant().await;
    let pause = Duration::from_millis(60);
    for _ in 0..3 {
        tenant.fault("New-InboundConnector", Fault::Slow(pause));
    }
    let begin = Instant::now();
    let writers: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|name| {
            let exchange = Arc::clone(&exchange);
            tokio::spawn(async move { create(&exchange, inbound(), &connector(name)).await.map(|_| ()) })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert!(begin.elapsed() >= pause * 3);
    let cmdlets = service.cmdlets();
    let news: Vec<_> = cmdlets.iter().map(|name| name.starts_with("New-")).collect();
    assert!(!news.windows(2).any(|pair| pair == [true, true]), "{cmdlets:?}");
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_ones_turn_and_not_the_write_in_flight() {
    let (tenant, service, exchange) = tenant().await;
    tenant.fault("New-InboundConnector", Fault::Slow(Duration::from_millis(300)));
    let stop = tokio_util::sync::CancellationToken::new();
    let start = |name: &'static str| {
        let (exchange, call) = (Arc::clone(&exchange), Call::new(stop.clone(), Duration::from_secs(10)));
        tokio::spawn(async move { create_with(&exchange, inbound(), &connector(name), &call).await })
    };
    let first = start("a");
    while service.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = start("b");
    tokio::task::yield_now().await;
    stop.cancel();
    assert_eq!(second.await.unwrap().unwrap_err().error.kind, Kind::Stopped);
    assert_eq!(first.await.unwrap().unwrap().text("name"), Some("a"));
    assert_eq!(service.cmdlets(), ["New-InboundConnector", "Get-InboundConnector"]);
}

#[tokio::test]
async fn rules_come_to_stand_where_they_are_wanted_in_any_order_of_arrival() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (tenant, _service, exchange) = tenant().await;
        for place in order {
            let wanted = rule(&format!("rule {place}")).with("priority", place);
            let made = create(&exchange, rules(), &wanted).await.unwrap();
            assert_eq!(made.integer("priority"), Some(place), "{order:?}");
        }
        assert_eq!(tenant.order(), ["rule 0", "rule 1", "rule 2"], "{order:?}");
    }
}

#[tokio::test]
async fn e18_before_moves_a_rule_only_while_the_order_is_broken() {
    let (tenant, service, exchange) = tenant().await;
    let last = create(&exchange, rules(), &rule("last")).await.unwrap();
    assert_eq!((last.integer("priority"), last.get("before")), (Some(0), &Value::Null));
    let first = create(&exchange, rules(), &rule("first").with("before", "last")).await.unwrap();
    assert_eq!((first.text("before"), tenant.order()), (Some("last"), vec!["first".to_owned(), "last".to_owned()]));
    // Somebody puts a rule between: the order holds.
    create(&exchange, rules(), &rule("theirs").with("priority", 1)).await.unwrap();
    let read = exchange.read(rules(), &first, &call(10)).await.unwrap().unwrap();
    assert_eq!(read.text("before"), Some("last"));
    // Somebody puts it behind: the order is broken, and shown so.
    let move_down =
        json!({"CmdletInput": {"CmdletName": "Set-TransportRule", "Parameters": {"Identity": "first", "Priority": 2}}});
    let Json::Object(parameters) = move_down["CmdletInput"]["Parameters"].clone() else { panic!() };
    tenant.done("Set-TransportRule", parameters);
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let drifted = exchange.read(rules(), &first, &call(10)).await.unwrap().unwrap();
    assert_eq!(drifted.get("before"), &Value::Null);
    let wanted = drifted.clone().with("before", "last").with("priority", Value::UNKNOWN);
    let mended = update(&exchange, rules(), &drifted, &wanted).await.unwrap();
    assert_eq!(mended.text("before"), Some("last"));
    assert_eq!(tenant.order(), ["theirs", "first", "last"]);
}

#[tokio::test]
async fn a_rule_to_stand_before_that_is_not_there_is_an_error_on_the_attribute() {
    let (_tenant, service, exchange) = tenant().await;
    let failure = create(&exchange, rules(), &rule("r").with("before", "nobody")).await.unwrap_err();
    assert_eq!(failure.error.path, Some(Path::dotted("before")));
    // A server that was asked first may not show it yet.
    assert_eq!(service.cmdlets(), ["Get-TransportRule"; 3]);
}

#[tokio::test]
async fn read_only_sends_nothing() {
    let (_tenant, service, exchange) = tenant().await;
    let settings = crate::exchange::settings::Settings { read_only: true, ..service.settings() };
    let exchange = Exchange::with_pace(&settings, exchange.pace).unwrap();
    let state = connector("a").with("id", guid(1));
    assert_eq!(create(&exchange, inbound(), &connector("a")).await.unwrap_err().error.kind, Kind::Denied);
    assert_eq!(update(&exchange, inbound(), &state, &state).await.unwrap_err().error.kind, Kind::Denied);
    assert_eq!(exchange.delete(inbound(), &state, &call(10)).await.unwrap_err().kind, Kind::Denied);
    assert!(service.calls().is_empty() && service.token_requests().is_empty());
}

fn to_gateway() -> Record {
    planned(
        outbound(),
        &[
            ("name", "to gateway".into()),
            ("connector_type", "Partner".into()),
            ("use_mx_record", false.into()),
            ("smart_hosts", Value::texts(["203.0.113.20"])),
            ("is_transport_rule_scoped", true.into()),
            ("tls_settings", "EncryptionOnly".into()),
            ("validation_recipients", Value::texts(["postmaster@example.net"])),
        ],
    )
}

#[tokio::test]
async fn what_only_set_takes_is_set_after_new() {
    let (_tenant, service, exchange) = tenant().await;
    let made = create(&exchange, outbound(), &to_gateway()).await.unwrap();
    assert_eq!(made.texts("validation_recipients"), ["postmaster@example.net"]);
    assert_eq!(service.cmdlets(), ["New-OutboundConnector", "Set-OutboundConnector", "Get-OutboundConnector"]);
    let calls = service.calls();
    assert_eq!(
        calls[0].parameters(),
        json!({"Name": "to gateway", "ConnectorType": "Partner", "UseMXRecord": false, "SmartHosts": ["203.0.113.20"],
            "TlsSettings": "EncryptionOnly", "IsTransportRuleScoped": true, "Enabled": true})
    );
    assert_eq!(calls[1].parameters(), json!({"Identity": guid(1), "ValidationRecipients": ["postmaster@example.net"]}));
}

#[tokio::test]
async fn the_lists_behind_switches_are_read_only_when_an_object_is_missing() {
    let (_tenant, service, exchange) = tenant().await;
    let plain = create(&exchange, outbound(), &to_gateway()).await.unwrap();
    let test = to_gateway().with("name", "test").with("test_mode", true);
    let test = create(&exchange, outbound(), &test).await.unwrap();
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let before = service.calls().len();
    assert!(exchange.read(outbound(), &plain, &call(10)).await.unwrap().is_some());
    assert_eq!(service.calls().len() - before, 1);
    assert!(exchange.read(outbound(), &test, &call(10)).await.unwrap().is_some());
    let calls = service.calls();
    assert_eq!(calls.len() - before, 2);
    assert_eq!(calls[before + 1].parameters(), json!({"ResultSize": "Unlimited", "IncludeTestModeConnectors": true}));
}

#[tokio::test]
async fn a_connector_that_a_rule_names_is_the_same_by_name_and_by_guid() {
    let (tenant, service, exchange) = tenant().await;
    let connector = create(&exchange, outbound(), &to_gateway()).await.unwrap();
    let actions = group("actions", &[("route_message_outbound_connector", "to gateway".into())]);
    let made = create(&exchange, rules(), &rule("r").with("actions", actions)).await.unwrap();
    tenant.change("r", "RouteMessageOutboundConnector", json!(connector.text("id")));
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let read = exchange.read(rules(), &made, &call(10)).await.unwrap().unwrap();
    assert_eq!(read.at("actions.route_message_outbound_connector").as_text(), Some("to gateway"));
    let imported = exchange.find(rules(), "R", &call(10)).await.unwrap();
    assert_eq!(imported.at("actions.route_message_outbound_connector").as_text(), Some("to gateway"));
    tenant.change("r", "RouteMessageOutboundConnector", json!("another"));
    let exchange = Exchange::with_pace(&service.settings(), exchange.pace).unwrap();
    let drifted = exchange.read(rules(), &made, &call(10)).await.unwrap().unwrap();
    assert_eq!(drifted.at("actions.route_message_outbound_connector").as_text(), Some("another"));
}

#[tokio::test]
async fn e12_a_refusal_that_the_service_states_is_not_waited_for() {
    let (tenant, service, _) = tenant().await;
    let pace = Pace { backoff: BACKOFF, consistency: Duration::from_mins(1), poll: Duration::from_millis(5), ..SHORT };
    let exchange = Arc::new(Exchange::with_pace(&service.settings(), pace).unwrap());
    let inside = |words: &str| Said::of(200, json!({"@adminapi.errors": [words], "value": []}).to_string());
    tenant.fault("New-InboundConnector", Fault::Instead(inside("|System.ArgumentException|The value is bad.")));
    let outcome = tokio::time::timeout(Duration::from_secs(20), create(&exchange, inbound(), &connector("a"))).await;
    let failure = outcome.expect("it is answered at once").unwrap_err();
    assert!(failure.error.message.contains("The value is bad.") && failure.object.is_none(), "{failure:?}");
    assert_eq!(service.cmdlets(), ["New-InboundConnector", "Get-InboundConnector", "Get-InboundConnector"]);

    // "It exists" is somebody else's object, wherever it is said: it does not come into the state.
    create(&exchange, inbound(), &connector("b")).await.unwrap();
    let words = "|M.ADObjectAlreadyExistsException|The object already exists.";
    tenant.fault("New-InboundConnector", Fault::Instead(inside(words)));
    let failure = create(&exchange, inbound(), &connector("b")).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.object.is_none()), (Kind::Conflict, true), "{failure:?}");
}

#[tokio::test]
async fn an_import_finds_by_name_in_any_case_and_by_guid() {
    let (_tenant, _service, exchange) = tenant().await;
    let made = create(&exchange, inbound(), &connector("From Gateway")).await.unwrap();
    for id in ["from gateway".to_owned(), guid(1), guid(1).to_uppercase()] {
        assert_eq!(exchange.find(inbound(), &id, &call(10)).await.unwrap(), made, "{id}");
    }
    let error = exchange.find(inbound(), "nobody", &call(10)).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert!(error.message.contains("nobody"), "{error}");
}

/// Reads one object as the service shows it, by the import of its name.
async fn read_live(resource: &'static Resource, live: Json) -> Record {
    let service = Service::start(move |_| Said::objects(std::slice::from_ref(&live))).await;
    let pace = Pace { backoff: BACKOFF, consistency: Duration::ZERO, poll: Duration::ZERO, ..SHORT };
    Exchange::with_pace(&service.settings(), pace).unwrap().find(resource, "x", &call(10)).await.unwrap()
}

fn check(record: &Record, wanted: &[(&str, Value)]) {
    for (name, value) in wanted {
        assert_eq!(record.at(name), value, "{name}");
    }
}

#[tokio::test]
async fn e17_a_live_inbound_connector_is_read_whole() {
    let live = json!({"Enabled": false, "ConnectorType": "OnPremises", "ConnectorSource": "AdminUI", "Comment": "",
        "SenderIPAddresses": ["81.187.237.31"], "SenderDomains@odata.type": "#Collection(String)", "SenderDomains": ["smtp:*;1"],
        "TrustedOrganizations": [], "ClientHostNames": [], "AssociatedAcceptedDomains": [], "RequireTls": false,
        "RestrictDomainsToIPAddresses": false, "RestrictDomainsToCertificate": false, "CloudServicesMailEnabled": false,
        "TreatMessagesAsInternal": false, "TlsSenderCertificateName": null, "EFTestMode": false, "ScanAndDropRecipients": [],
        "EFSkipLastIP": false, "EFSkipIPs": [], "EFSkipMailGateway": [], "EFUsers": [], "AdminDisplayName": "", "Name": "x",
        "Identity": "x", "Guid": "acc2eccd-550f-4efa-9905-46054a5f516a", "IsValid": true});
    let record = read_live(inbound(), live).await;
    let wanted = [
        ("id", "acc2eccd-550f-4efa-9905-46054a5f516a".into()),
        ("enabled", false.into()),
        ("connector_source", "AdminUI".into()),
        ("sender_domains", Value::texts(["smtp:*;1"])),
        ("ef_skip_ips", Value::set(vec![])),
        ("comment", Value::Null),
        ("tls_sender_certificate_name", Value::Null),
    ];
    check(&record, &wanted);
    let is_shown = |line: &&crate::schema::Attribute| line.remote != crate::schema::Remote::Local;
    assert_eq!(record.iter().count(), inbound().attributes.iter().filter(is_shown).count() + 1);
}

#[tokio::test]
async fn e17_a_live_outbound_connector_is_read_whole() {
    let live = json!({"Enabled": true, "UseMXRecord": false, "Comment": "c", "ConnectorType": "OnPremises", "ConnectorSource": "AdminUI",
        "RecipientDomains": [], "SmartHosts": ["smtp-relay.gmail.com"], "TlsDomain": null, "TlsSettings": "CertificateValidation",
        "IsTransportRuleScoped": true, "RouteAllMessagesViaOnPremises": false, "CloudServicesMailEnabled": true,
        "AllAcceptedDomains": false, "SenderRewritingEnabled": false, "TestMode": false, "ValidationRecipients": ["a@contoso.com"],
        "IsValidated": false, "LastValidationTimestamp": "2026-07-24T18:59:12.0000000", "Name": "x",
        "Guid": "d0d71cb9-6105-410f-8193-3640e12852a5"});
    let record = read_live(outbound(), live).await;
    let wanted = [
        ("smart_hosts", Value::texts(["smtp-relay.gmail.com"])),
        ("tls_settings", "CertificateValidation".into()),
        ("mta_sts_mode", "Opportunistic".into()),
        ("is_validated", false.into()),
        ("last_validation_timestamp", "2026-07-24T18:59:12Z".into()),
    ];
    check(&record, &wanted);
}

#[tokio::test]
async fn e17_a_live_rule_is_read_whole() {
    let live = json!({"Priority@data.type": "System.Int32", "Priority": 0, "DlpPolicy": null, "Comments": null, "ActivationDate": null,
        "Conditions": ["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.FromScopePredicate"], "Exceptions": null,
        "Actions": ["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.PrependSubjectAction"], "State": "Enabled", "Mode": "Enforce",
        "RuleErrorAction": "Ignore", "SenderAddressLocation": "HeaderOrEnvelope", "FromScope": "NotInOrganization", "SentToScope": null,
        "BlindCopyTo": null, "RedirectMessageTo": "a@contoso.com", "RouteMessageOutboundConnector": null, "DeleteMessage": false,
        "Quarantine": false, "StopRuleProcessing": false, "PrependSubject": "EXTERNAL: ", "SetAuditSeverity": "Medium",
        "MessageSizeOver": "10 MB (10,485,760 bytes)", "SetSCL": "-1", "Name": "x", "Guid": "0ab1e768-08b0-4768-81e2-64d6f990c552"});
    let record = read_live(rules(), live).await;
    let wanted = [
        ("priority", 0.into()),
        ("enabled", true.into()),
        ("sender_address_location", "HeaderOrEnvelope".into()),
        ("conditions.from_scope", "NotInOrganization".into()),
        ("conditions.message_size_over", "10 MB".into()),
        ("exceptions", Value::Null),
        ("actions.prepend_subject", "EXTERNAL: ".into()),
        ("actions.set_scl", (-1).into()),
        ("actions.redirect_message_to", Value::texts(["a@contoso.com"])),
        ("actions.delete_message", Value::Null),
        ("comments", Value::Null),
    ];
    check(&record, &wanted);
}
