//! Settings and the one list of resources. Wires, decides nothing.
//!
//! A side is there when its block is. Each `ConfigureProvider` makes clients of its own, so that what one run has read never
//! serves another.

mod catalog;
mod environment;
mod exchange_settings;
mod gateway_settings;
mod side;
mod standalone;

use std::sync::Arc;

use async_trait::async_trait;

pub use catalog::CATALOG;
pub use environment::Environment;
pub use standalone::{Found, sides, standalone};

use crate::crosscheck;
use crate::dns;
use crate::exchange::Exchange;
use crate::gateway::objects::Gateway;
use crate::gateway::resources::TABLES;
use crate::gateway::rest::Rest;
use crate::gateway::session::Connector;
use crate::gateway::ssh;
use crate::plugin::{Configured, Provider};
use crate::remote::{Board, Call, CutOvers, Domains, Enumerate, Enumeration, Error, ExpectsMx, Facts, Kind, Objects, read_one};
use crate::schema::{Catalog, DataSource, Record, Resource, engine};
use crate::takeover;
use crate::value::{Diagnostic, Diagnostics, Path};
use side::Side;

/// The provider `mailflow`.
#[derive(Debug)]
pub struct Mailflow {
    environment: Environment,
}

impl Mailflow {
    /// Makes the provider, with this environment to fall back to.
    pub fn new(environment: Environment) -> Mailflow {
        Mailflow { environment }
    }
}

impl Provider for Mailflow {
    fn catalog(&self) -> &'static Catalog {
        &CATALOG
    }

    fn validate(&self, config: &Record) -> Diagnostics {
        let mut found = exchange_settings::check(config);
        found.extend(gateway_settings::check(config));
        found
    }

    fn configure(&self, config: &Record) -> Result<Arc<dyn Configured>, Diagnostics> {
        let mut problems = Vec::new();
        let board = Arc::new(Board::default());
        let cut_overs = Arc::new(CutOvers::new(Arc::new(crosscheck::Looks)));
        let exchange = client(
            exchange_settings::read(config, &self.environment),
            "exchange",
            |settings| {
                Ok(Exchange::new(&settings)?.on(Arc::clone(&board)).looking_up(Arc::new(dns::Dns), Arc::clone(&cut_overs)))
            },
            &mut problems,
        );
        let gateway = client(
            gateway_settings::read(config, &self.environment),
            "gateway",
            |settings| {
                ssh::check(&settings.login)?;
                let api = settings.api.as_ref().map(|api| Rest::new(api, &settings.cluster)).transpose()?;
                let connect = Arc::new(Connector::new(settings.clone()));
                Ok(Gateway::new(settings, connect, TABLES).with_api(api).on(Arc::clone(&board)))
            },
            &mut problems,
        );
        if let Side::Ready(exchange) = &exchange {
            let domains: Arc<dyn Domains> = Arc::<Exchange>::clone(exchange);
            board.ask_for_domains(Arc::downgrade(&domains));
            let facts: Arc<dyn Facts> = Arc::<Exchange>::clone(exchange);
            board.ask_for_facts(Arc::downgrade(&facts));
        }
        if let Side::Ready(gateway) = &gateway {
            let facts: Arc<dyn Facts> = Arc::<Gateway>::clone(gateway);
            board.ask_for_facts(Arc::downgrade(&facts));
        }
        if problems.is_empty() { Ok(Arc::new(Clients { exchange, gateway, cut_overs })) } else { Err(problems) }
    }
}

/// Makes a side's client of its settings, and puts what is wrong with the settings on the side's block.
fn client<S, C>(
    settings: Result<Side<S>, Diagnostics>,
    block: &str,
    make: impl FnOnce(S) -> Result<C, Error>,
    problems: &mut Diagnostics,
) -> Side<Arc<C>> {
    let client = settings.and_then(|side| {
        side.try_map(|settings| {
            make(settings).map(Arc::new).map_err(|error| {
                let path = error.path.clone().unwrap_or_else(|| Path::dotted(block));
                vec![error.diagnostic(&format!("use the provider's \"{block}\" block")).at(path)]
            })
        })
    });
    client.unwrap_or_else(|found| {
        problems.extend(found);
        Side::Absent
    })
}

struct Clients {
    exchange: Side<Arc<Exchange>>,
    gateway: Side<Arc<Gateway>>,
    cut_overs: Arc<CutOvers>,
}

#[async_trait]
impl Configured for Clients {
    fn objects(&self, resource: &'static Resource) -> Result<Arc<dyn Objects>, Diagnostic> {
        if resource.name.starts_with("exchange_") {
            objects(&self.exchange, "exchange", resource)
        } else {
            objects(&self.gateway, "gateway", resource)
        }
    }

    async fn contact(&self, call: &Call) -> Diagnostics {
        let exchange = async {
            match &self.exchange {
                Side::Ready(exchange) => exchange.contact(call).await,
                Side::Absent | Side::Unknown(_) => Ok(()),
            }
        };
        let gateway = async {
            let Side::Ready(gateway) = &self.gateway else { return (Ok(()), Ok(())) };
            // One after the other: what keeps one login out often keeps out the other, and each attempt counts against the account.
            match gateway.contact(call).await {
                Ok(()) => (Ok(()), gateway.contact_api(call).await),
                refused => (refused, Ok(())),
            }
        };
        let (exchange, (gateway, api)) = tokio::join!(exchange, gateway);
        let failed = [
            (exchange, "exchange", "connect to Microsoft 365"),
            (gateway, "gateway", "connect to the gateway"),
            (api, "gateway.api", "connect to the AsyncOS API"),
        ];
        let on_block = |(outcome, block, action): (Result<(), Error>, &str, &str)| {
            let error = outcome.err()?;
            let path = error.path.clone().unwrap_or_else(|| Path::dotted(block));
            Some(error.diagnostic(action).at(path))
        };
        failed.into_iter().filter_map(on_block).collect()
    }

    fn announce(&self, resource: &'static Resource, planned: &Record) {
        if let Side::Ready(gateway) = &self.gateway
            && resource.name.starts_with("gateway_")
        {
            gateway.announce(resource, planned);
        }
    }

    async fn enumerate(&self, resource: &'static Resource, filters: &Record, call: &Call) -> Result<Enumeration, Error> {
        let side: Arc<dyn Enumerate> = if resource.name.starts_with("exchange_") {
            Arc::<Exchange>::clone(client_of(&self.exchange, "exchange", resource.name, resource.noun).map_err(unusable)?)
        } else {
            Arc::<Gateway>::clone(client_of(&self.gateway, "gateway", resource.name, resource.noun).map_err(unusable)?)
        };
        takeover::enumerate(side.as_ref(), resource, filters, call).await
    }

    async fn read_data(&self, source: &'static DataSource, config: &Record, call: &Call) -> Result<Record, Error> {
        let arguments = engine::with_defaults(source.attributes, config);
        let read = self.data(source, &arguments, call).await?;
        let (answer, problems) = engine::answer(source, config, &read);
        match problems.into_iter().next() {
            None => Ok(answer),
            Some(problem) => Err(Error { path: problem.path, ..Error::new(Kind::Unexpected, problem.detail) }),
        }
    }

    async fn close(&self) {
        if let Side::Ready(gateway) = &self.gateway {
            gateway.close().await;
        }
    }
}

impl Clients {
    /// Both sides, as far as they can be asked.
    fn sides(&self) -> crosscheck::Sides<'_> {
        let exchange = match &self.exchange {
            Side::Ready(exchange) => Some(exchange.as_ref()),
            Side::Absent | Side::Unknown(_) => None,
        };
        let gateway = match &self.gateway {
            Side::Ready(gateway) => Some(gateway.as_ref()),
            Side::Absent | Side::Unknown(_) => None,
        };
        crosscheck::Sides {
            exchange: exchange.map(|side| side as &dyn Enumerate),
            gateway: gateway.map(|side| side as &dyn Enumerate),
            expects: exchange.map(|side| side as &dyn ExpectsMx),
            resource: |name| CATALOG.resources.iter().copied().find(|resource| resource.name == name),
            cut_overs: &self.cut_overs,
        }
    }

    /// Reads what a data source is about: an object of the resource of the same name, or something of its own kind.
    async fn data(&self, source: &'static DataSource, config: &Record, call: &Call) -> Result<Record, Error> {
        if let Some(resource) = CATALOG.resources.iter().copied().find(|resource| resource.name == source.name) {
            let objects = self.objects(resource).map_err(unusable)?;
            return read_one(objects.as_ref(), resource, config, call).await;
        }
        if source.name.starts_with("dns_") {
            return dns::read(source, config, call).await;
        }
        if crosscheck::SOURCES.iter().any(|own| own.name == source.name) {
            return crosscheck::read(source, &self.sides(), config, call).await;
        }
        if source.name.starts_with("exchange_") {
            let exchange = client_of(&self.exchange, "exchange", source.name, source.noun).map_err(unusable)?;
            exchange.read_data(source, config, call).await
        } else {
            client_of(&self.gateway, "gateway", source.name, source.noun).map_err(unusable)?.read_data(source, config, call).await
        }
    }
}

fn unusable(diagnostic: Diagnostic) -> Error {
    Error::new(Kind::Invalid, format!("{}.", diagnostic.summary)).hint(diagnostic.detail)
}

/// The operations of a side, or what keeps them from being there.
fn objects<C: Objects + 'static>(side: &Side<Arc<C>>, block: &str, resource: &Resource) -> Result<Arc<dyn Objects>, Diagnostic> {
    client_of(side, block, resource.name, resource.noun).map(|client| Arc::clone(client) as Arc<dyn Objects>)
}

/// The client of a side, or what keeps it from being there. `name` and `noun` are those of what is asked for.
fn client_of<'a, C>(side: &'a Side<Arc<C>>, block: &str, name: &str, noun: &str) -> Result<&'a Arc<C>, Diagnostic> {
    match side {
        Side::Ready(client) => Ok(client),
        Side::Unknown(path) => Err(Diagnostic::error(
            format!("The provider setting \"{path}\" is not known yet"),
            format!(
                "The {noun} cannot be read before the provider's \"{block}\" block is known. The setting comes from something that this run \
                 has still to create: create that first (terraform apply -target=…), or give the setting a value that is known at plan.",
            ),
        )),
        Side::Absent => Err(Diagnostic::error(
            format!("The provider has no \"{block}\" block"),
            format!(
                "mailflow_{name} needs it. Add `{block} {{ … }}` to the block provider \"mailflow\"; `{block} {{}}` takes everything from \
                 the environment.",
            ),
        )),
    }
}
