//! A host of the provider in this process: it speaks the plugin protocol as Terraform does, against the stand-in for Exchange Online.
//!
//! A [`Host`] is what one process of the provider is, and a [`State`] is what outlives it. What is proven here of each attribute would cost a
//! run of `terraform` each.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use mailflow::plugin::wire::tfplugin6::provider_client::ProviderClient;
use mailflow::plugin::wire::tfplugin6::{self as wire, ClientCapabilities, DynamicValue, diagnostic};
use mailflow::plugin::{Reattach, serve_reattach};
use mailflow::provider::{CATALOG, Environment, Mailflow};
use mailflow::sandbox::exchange::Service;
use mailflow::schema::{Import, Record, Resource, engine};
use mailflow::value::Value;
use serde_json::Value as Json;
use tonic::transport::{Channel, Endpoint};

use crate::campaign::objects::record;
use crate::suites::steps::objects;
use crate::suites::{SUITES, Step, Suite};
use crate::support_plugin::{fill, object as encoded, read_object, wire as encode};

/// So many objects are read, planned or changed at once.
const AT_ONCE: usize = 64;

/// One object of the configuration.
#[derive(Clone)]
pub(crate) struct Object {
    pub(crate) address: String,
    pub(crate) resource: &'static Resource,
    pub(crate) config: Record,
    /// The attributes that it is there for.
    pub(crate) varied: Vec<&'static str>,
}

impl Object {
    /// An object of a full type name, with a name and arguments.
    pub(crate) fn new(kind: &str, name: &str, arguments: &Json) -> Object {
        let resource = CATALOG.resource(kind).expect("a resource");
        Object { address: format!("{kind}.{name}"), resource, config: record(resource, arguments), varied: Vec::new() }
    }
}

/// So many objects of one resource stand together: each write reads all of its kind, and what only Set takes of a new one is waited for, one after
/// the other.
fn together(suite: &Suite) -> usize {
    let cmdlets = mailflow::exchange::resources::named(suite.resource.trim_start_matches("mailflow_"));
    if cmdlets.is_some_and(|cmdlets| !cmdlets.set_only.is_empty()) { 2 } else { 12 }
}

/// How many parts the objects of all suites of Exchange Online come in.
pub(crate) fn parts() -> usize {
    let most = suites().map(|suite| if suite.single { 1 } else { (suite.variants)().len().div_ceil(together(suite)) }).max();
    most.unwrap_or_default()
}

/// The suites of Exchange Online.
pub(crate) fn suites() -> impl Iterator<Item = &'static Suite> {
    SUITES.iter().copied().filter(|suite| suite.resource.starts_with("mailflow_exchange_"))
}

/// One part of the objects of all suites of Exchange Online, at a step.
pub(crate) fn part(index: usize, step: Step) -> Vec<Object> {
    let mut part = Vec::new();
    for suite in suites() {
        let varied: Vec<&'static str> = (suite.variants)().iter().map(|variant| variant.attribute).collect();
        let all = objects(&[suite], step).into_iter().enumerate().skip(index * together(suite)).take(together(suite));
        part.extend(all.map(|(place, (kind, name, arguments))| {
            let varied = if suite.single { varied.clone() } else { vec![varied[place]] };
            Object { varied, ..Object::new(kind, &name, &arguments) }
        }));
    }
    part
}

/// One object of the state.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) resource: &'static Resource,
    pub(crate) record: Record,
    private: Vec<u8>,
    pub(crate) tainted: bool,
}

/// The objects by address.
pub(crate) type State = BTreeMap<String, Stored>;

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) address: String,
    pub(crate) is_error: bool,
    pub(crate) text: String,
}

/// What is to be done about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    Replace,
    Delete,
}

/// What came of a plan.
#[derive(Default)]
pub(crate) struct Plan {
    /// The objects as the refresh found them.
    pub(crate) refreshed: State,
    pub(crate) actions: BTreeMap<String, Action>,
    /// The attributes that change, by address.
    pub(crate) changes: BTreeMap<String, Vec<String>>,
    pub(crate) said: Vec<Said>,
}

impl Plan {
    /// What is to be done, with the attributes that change.
    fn changes_of_all(&self) -> BTreeMap<&String, (Action, &Vec<String>)> {
        self.actions.iter().map(|(address, action)| (address, (*action, &self.changes[address]))).collect()
    }
}

/// What came of an apply.
pub(crate) struct Applied {
    pub(crate) plan: Plan,
    pub(crate) state: State,
    /// What was said while the changes were made.
    pub(crate) said: Vec<Said>,
}

/// The errors among messages.
pub(crate) fn errors(said: &[Said]) -> Vec<&Said> {
    said.iter().filter(|said| said.is_error).collect()
}

impl Applied {
    /// The state, where nothing was an error.
    #[track_caller]
    pub(crate) fn good(self) -> State {
        let said = [errors(&self.plan.said), errors(&self.said)].concat();
        assert!(said.is_empty(), "{said:#?}");
        self.state
    }
}

/// One process of the provider.
pub(crate) struct Host {
    client: ProviderClient<Channel>,
    server: Reattach,
}

/// A value that is not there.
#[expect(clippy::unnecessary_wraps, reason = "in a message every value is optional")]
fn nothing() -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: vec![0xc0], json: Vec::new() })
}

fn said(address: &str, diagnostics: Vec<wire::Diagnostic>) -> Vec<Said> {
    let said = diagnostics.into_iter().map(|one| Said {
        address: address.to_owned(),
        is_error: one.severity() == diagnostic::Severity::Error,
        text: format!("{}\n{}", one.summary, one.detail),
    });
    said.collect()
}

/// What a plan of one object says.
struct Proposal {
    planned: Option<Record>,
    private: Vec<u8>,
    replaces: bool,
}

impl Host {
    /// Starts a process and configures it.
    pub(crate) async fn start(service: &Service) -> Host {
        let url = service.url();
        let variables = [
            ("ARM_TENANT_ID", service.tenant()),
            ("ARM_CLIENT_ID", service.client_id()),
            ("ARM_CLIENT_SECRET", service.client_secret()),
            ("MAILFLOW_LOGIN_URL", url.clone()),
            ("MAILFLOW_EXCHANGE_URL", url.clone()),
            ("MAILFLOW_GRAPH_URL", url),
        ];
        let environment = Environment::of(variables.map(|(name, value)| (name.to_owned(), value)));
        let server = serve_reattach(Arc::new(Mailflow::new(environment))).await.expect("it is served");
        let variable: Json = serde_json::from_str(&server.variable("local/mailflow")).expect("JSON");
        let path = variable["local/mailflow"]["Addr"]["String"].as_str().expect("a path");
        let channel = Endpoint::try_from(format!("unix://{path}")).expect("a path").connect().await.expect("it listens");
        let mut client = ProviderClient::new(channel);
        let ty = engine::settings_type(&CATALOG);
        let exchange = fill(Value::Object(BTreeMap::new()), member(&ty, "exchange"));
        let config = encode(&fill(Value::object([("exchange", exchange)]), &ty), &ty);
        let request = wire::configure_provider::Request { config, ..Default::default() };
        let answer = client.configure_provider(request).await.expect("an answer").into_inner();
        assert!(answer.diagnostics.is_empty(), "{:#?}", answer.diagnostics);
        Host { client, server }
    }

    async fn end(self) {
        drop(self.client);
        self.server.end().await;
    }

    async fn read(&self, address: &str, stored: &Stored) -> (Option<Stored>, Vec<Said>) {
        let request = wire::read_resource::Request {
            type_name: format!("mailflow_{}", stored.resource.name),
            current_state: encoded(stored.resource, &stored.record),
            private: stored.private.clone(),
            ..Default::default()
        };
        let answer = self.client.clone().read_resource(request).await.expect("an answer").into_inner();
        let record = read_object(stored.resource, answer.new_state.as_ref());
        let read = record.map(|record| Stored { record, private: answer.private, ..stored.clone() });
        (read, said(address, answer.diagnostics))
    }

    async fn step(
        &self,
        resource: &'static Resource,
        prior: Option<&Stored>,
        config: Option<&Record>,
        applying: bool,
    ) -> (Proposal, Vec<wire::Diagnostic>) {
        let written = || config.map_or_else(nothing, |config| encoded(resource, config));
        let request = wire::plan_resource_change::Request {
            type_name: format!("mailflow_{}", resource.name),
            prior_state: prior.map_or_else(nothing, |prior| encoded(resource, &prior.record)),
            proposed_new_state: written(),
            config: written(),
            prior_private: prior.map(|prior| prior.private.clone()).unwrap_or_default(),
            client_capabilities: Some(ClientCapabilities {
                write_only_attributes_allowed: true,
                deferral_allowed: applying,
                ..Default::default()
            }),
            ..Default::default()
        };
        let answer = self.client.clone().plan_resource_change(request).await.expect("an answer").into_inner();
        let planned = read_object(resource, answer.planned_state.as_ref());
        let replaces = prior.is_some() && !answer.requires_replace.is_empty();
        (Proposal { planned, private: answer.planned_private, replaces }, answer.diagnostics)
    }

    /// Says what is to be done about one object, and which attributes change.
    async fn decide(
        &self,
        resource: &'static Resource,
        prior: Option<&Stored>,
        config: Option<&Record>,
    ) -> (Option<Action>, Vec<String>, Vec<wire::Diagnostic>) {
        let (step, mut diagnostics) = self.step(resource, prior, config, false).await;
        let planned = step.planned.unwrap_or_default();
        let action = match prior {
            _ if config.is_none() => Some(Action::Delete),
            None => Some(Action::Create),
            Some(prior) if prior.tainted || (step.replaces && planned != prior.record) => Some(Action::Replace),
            Some(prior) => (planned != prior.record).then_some(Action::Update),
        };
        let changes = match (prior, action) {
            (Some(prior), Some(Action::Update | Action::Replace)) => {
                engine::differences(resource, &prior.record, &planned).iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        };
        if action == Some(Action::Replace) {
            // The host asks again, for a new object.
            diagnostics.extend(self.step(resource, None, config, false).await.1);
        }
        (action, changes, diagnostics)
    }

    /// Refreshes and plans. What stands in the state and is not among the objects is to be deleted.
    async fn planned(&self, objects: &[Object], state: &State) -> Plan {
        let mut plan = Plan::default();
        let reads = stream::iter(state).map(|(address, stored)| async move { (address, self.read(address, stored).await) });
        for (address, (read, said)) in reads.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            plan.said.extend(said);
            plan.refreshed.extend(read.map(|read| (address.clone(), read)));
        }
        let gone = plan.refreshed.iter().filter(|(address, _)| !objects.iter().any(|object| object.address == **address));
        let gone = gone.map(|(address, stored)| (address.clone(), stored.resource, None));
        let wanted = objects.iter().map(|object| (object.address.clone(), object.resource, Some(&object.config)));
        let refreshed = &plan.refreshed;
        let steps = stream::iter(gone.chain(wanted).collect::<Vec<_>>()).map(|(address, resource, config)| async move {
            let decided = self.decide(resource, refreshed.get(&address), config).await;
            (address, decided)
        });
        for (address, (action, changes, diagnostics)) in steps.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            plan.said.extend(said(&address, diagnostics));
            plan.actions.extend(action.map(|action| (address.clone(), action)));
            plan.changes.insert(address, changes);
        }
        plan
    }

    /// Makes one planned change; gives the object as it is in the state then.
    async fn change(
        &self,
        address: &str,
        action: Action,
        resource: &'static Resource,
        prior: Option<&Stored>,
        config: Option<&Record>,
    ) -> (Option<Stored>, Vec<Said>) {
        let mut all = Vec::new();
        let mut prior = prior.cloned();
        let mut steps = vec![config];
        if action == Action::Replace {
            steps.insert(0, None);
        }
        for config in steps {
            let (step, diagnostics) = self.step(resource, prior.as_ref(), config, true).await;
            let refused = diagnostics.iter().any(|one| one.severity() == diagnostic::Severity::Error);
            all.extend(said(address, diagnostics));
            if refused {
                return (prior, all);
            }
            let request = wire::apply_resource_change::Request {
                type_name: format!("mailflow_{}", resource.name),
                prior_state: prior.as_ref().map_or_else(nothing, |prior| encoded(resource, &prior.record)),
                planned_state: step.planned.as_ref().map_or_else(nothing, |planned| encoded(resource, planned)),
                config: config.map_or_else(nothing, |config| encoded(resource, config)),
                planned_private: step.private,
                ..Default::default()
            };
            let answer = self.client.clone().apply_resource_change(request).await.expect("an answer").into_inner();
            let failed = answer.diagnostics.iter().any(|one| one.severity() == diagnostic::Severity::Error);
            all.extend(said(address, answer.diagnostics));
            let record = read_object(resource, answer.new_state.as_ref());
            // What is left of a create that failed is tainted.
            let tainted = failed && prior.is_none();
            prior = record.map(|record| Stored { resource, record, private: answer.private, tainted });
            if failed {
                break;
            }
        }
        (prior, all)
    }
}

fn member<'t>(ty: &'t mailflow::value::Type, name: &str) -> &'t mailflow::value::Type {
    match ty {
        mailflow::value::Type::Object(types) => &types[name],
        other => panic!("no object: {other:?}"),
    }
}

/// Refreshes and plans in a process of its own.
pub(crate) async fn plan(service: &Service, objects: &[Object], state: &State) -> Plan {
    let host = Host::start(service).await;
    let plan = host.planned(objects, state).await;
    host.end().await;
    plan
}

/// Plans in one process, and makes the changes in another one.
pub(crate) async fn apply(service: &Service, objects: &[Object], state: &State) -> Applied {
    let plan = plan(service, objects, state).await;
    let mut after = plan.refreshed.clone();
    if !errors(&plan.said).is_empty() || plan.actions.is_empty() {
        return Applied { plan, state: after, said: Vec::new() };
    }
    let host = Host::start(service).await;
    let changes = stream::iter(&plan.actions).map(|(address, action)| {
        let (host, plan) = (&host, &plan);
        async move {
            let prior = plan.refreshed.get(address);
            let wanted = objects.iter().find(|object| object.address == *address);
            let resource = wanted.map_or_else(|| prior.expect("it is in the state").resource, |wanted| wanted.resource);
            let config = wanted.map(|wanted| &wanted.config);
            (address, host.change(address, *action, resource, prior, config).await)
        }
    });
    let mut all = Vec::new();
    for (address, (stored, said)) in changes.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        all.extend(said);
        match stored {
            Some(stored) => drop(after.insert(address.clone(), stored)),
            None => drop(after.remove(address)),
        }
    }
    host.end().await;
    Applied { plan, state: after, said: all }
}

/// Ends the test unless a plan is empty and silent about errors.
pub(crate) async fn plans_nothing(service: &Service, objects: &[Object], state: &State, when: &str) {
    let plan = plan(service, objects, state).await;
    assert!(
        errors(&plan.said).is_empty() && plan.actions.is_empty(),
        "{when}: {:#?} {:#?}",
        plan.changes_of_all(),
        errors(&plan.said)
    );
}

/// The objects of a state as the service stores them, without their GUIDs.
pub(crate) fn standing(service: &Service, state: &State) -> BTreeMap<String, Json> {
    let standing = state.iter().map(|(address, stored)| {
        let mut object =
            service.object(noun(stored.resource), &id(service, stored)).unwrap_or_else(|| panic!("{address} does not stand"));
        object.as_object_mut().expect("an object").remove("Guid");
        (address.clone(), object)
    });
    standing.collect()
}

/// The noun of a resource's cmdlets.
pub(crate) fn noun(resource: &Resource) -> &'static str {
    mailflow::exchange::resources::named(resource.name).expect("a resource of Exchange Online").noun
}

/// What the service knows an object of the state by.
pub(crate) fn id(service: &Service, stored: &Stored) -> String {
    let id = match stored.resource.import {
        // There is one, whatever it is called.
        Import::Singleton { .. } => service.snapshot()[noun(stored.resource)][0]["Guid"].as_str().map(str::to_owned),
        _ => stored.record.text("id").map(str::to_owned),
    };
    id.expect("an id")
}
