//! The settings of both sides for a run without Terraform: from the environment, as the provider takes them, and from what else is given.

use super::environment::Environment;
use super::side::Side;
use super::{exchange_settings, gateway_settings};
use crate::exchange;
use crate::gateway;
use crate::schema::Record;
use crate::value::{Diagnostic, Diagnostics, Value};

/// What is known of a side's settings.
#[derive(Debug)]
pub enum Found<S> {
    /// Nothing: the side is not configured.
    Absent,
    /// Something is missing or wrong.
    Unusable(Diagnostics),
    /// Everything.
    Ready(S),
}

/// Reads the settings of both sides. `config` is the provider block, as far as it is given: a side that it does not name is there if
/// one of the environment variables is set that say whose it is.
pub fn standalone(
    config: &Record,
    environment: &Environment,
) -> (Found<exchange::settings::Settings>, Found<gateway::settings::Settings>) {
    let exchange = with_block(config, environment, "exchange", exchange_settings::VARIABLES);
    let gateway = with_block(config, environment, "gateway", gateway_settings::VARIABLES);
    (
        found(exchange_settings::check(&exchange), exchange_settings::read(&exchange, environment)),
        found(gateway_settings::check(&gateway), gateway_settings::read(&gateway, environment)),
    )
}

/// The provider block for each side that is configured, by the side's name; with what is given and what else is not of a side.
pub fn sides(config: &Record, environment: &Environment) -> Vec<(&'static str, Record)> {
    let sides = [("exchange", "gateway", exchange_settings::VARIABLES), ("gateway", "exchange", gateway_settings::VARIABLES)];
    let block = |(name, other, variables): (&'static str, &str, &[&str])| {
        let mut block = with_block(config, environment, name, variables);
        block.set(other, Value::Null);
        (!block.get(name).is_null()).then_some((name, block))
    };
    sides.into_iter().filter_map(block).collect()
}

fn with_block(config: &Record, environment: &Environment, name: &str, variables: &[&str]) -> Record {
    let mut config = config.clone();
    if config.get(name).is_null() && environment.first(variables).is_some() {
        config.set(name, Value::object::<&str>([]));
    }
    config
}

fn found<S>(problems: Diagnostics, side: Result<Side<S>, Diagnostics>) -> Found<S> {
    if problems.iter().any(Diagnostic::is_error) {
        return Found::Unusable(problems);
    }
    match side {
        Ok(Side::Absent) => Found::Absent,
        Ok(Side::Ready(settings)) => Found::Ready(settings),
        // Nothing is unknown outside of a plan; if it were, it could not be used.
        Ok(Side::Unknown(path)) => {
            Found::Unusable(vec![Diagnostic::error(format!("The setting \"{path}\" is not known"), "").at(path)])
        }
        Err(problems) => Found::Unusable(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_side_is_there_when_a_variable_says_whose_it_is() {
        let (exchange, gateway) = standalone(&Record::new(), &environment(&[("ARM_USE_OIDC", "true")]));
        assert!(matches!((exchange, gateway), (Found::Absent, Found::Absent)));
        let (exchange, gateway) = standalone(&Record::new(), &environment(&[("MAILFLOW_GATEWAY_HOST", "esa.example.com")]));
        let Found::Unusable(problems) = gateway else { panic!("no account is given") };
        assert!(problems.iter().any(|problem| problem.detail.contains("MAILFLOW_GATEWAY_USERNAME")), "{problems:?}");
        assert!(matches!(exchange, Found::Absent));
        let all = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")];
        let (exchange, _) = standalone(&Record::new(), &environment(&all));
        assert!(matches!(exchange, Found::Ready(_)));
    }

    #[test]
    fn what_is_given_adds_to_the_environment() {
        let variables = [("MAILFLOW_GATEWAY_HOST", "h"), ("MAILFLOW_GATEWAY_USERNAME", "u"), ("MAILFLOW_GATEWAY_PASSWORD", "p")];
        let given = Record::new().with("gateway", Value::object([("port", Value::integer(2222))]));
        let (_, gateway) = standalone(&given, &environment(&variables));
        let Found::Ready(settings) = gateway else { panic!("everything is given") };
        assert_eq!((settings.login.host.as_str(), settings.login.port), ("h", 2222));
    }
}
