//! What the login may do: which cmdlets it has, and the roles that hold the others.
//!
//! Roles: the pages of the management roles (<https://learn.microsoft.com/exchange/permissions-exo/permissions-exo>), and what Microsoft's own
//! configuration tool (`Microsoft365DSC`) states as needed for each kind of object.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Exchange;
use super::cmdlet::Cmdlets;
use super::parameters::nouns;
use crate::remote::{Call, Error, Kind};

/// How long a plan waits for the list. Without it, the first refusal says what is missing.
const PATIENCE: Duration = Duration::from_secs(20);

/// The cmdlets of the login, asked for at most once by each client. Nothing inside if they could not be learnt.
#[derive(Debug, Default)]
pub(super) struct Rights(OnceCell<Option<BTreeSet<String>>>);

/// What the service tells of the login's cmdlets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// The cmdlets that the provider may run to change something and that the login does not have.
    pub lacking: Vec<Lack>,
    /// The nouns of whose cmdlets nothing is told.
    pub untold: Vec<&'static str>,
}

/// A cmdlet that the login does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// Its name: `New-TransportRule`.
    pub cmdlet: String,
    /// The Exchange role that holds it, if it is known.
    pub role: Option<&'static str>,
}

impl Grants {
    /// Says how the login comes to what it lacks; nothing if it lacks nothing.
    pub fn advice(&self) -> Option<String> {
        self.lacking.first().map(|lack| advice(&lack.cmdlet))
    }
}

impl Exchange {
    /// Which cmdlets the login has of all that change something; `refused` names the nouns whose Get it was refused.
    pub(super) async fn grants(&self, refused: &[&str], call: &Call) -> Result<Grants, Error> {
        let granted = self.http.granted(call).await?.unwrap_or_default();
        let mut found = Grants { lacking: Vec::new(), untold: Vec::new() };
        for noun in nouns() {
            let has = |verb: &str| granted.contains(&format!("{verb}-{}", noun.name).to_ascii_lowercase());
            // A list that lacks what was read a moment ago is not about this noun, or not whole.
            if granted.is_empty() || (!has("Get") && !refused.contains(&noun.name)) {
                found.untold.push(noun.name);
                continue;
            }
            for verb in noun.verbs.iter().filter(|verb| !has(verb)) {
                let cmdlet = format!("{verb}-{}", noun.name);
                found.lacking.push(Lack { role: role(&cmdlet), cmdlet });
            }
        }
        Ok(found)
    }

    /// Tells whether the login has a cmdlet of a noun, as far as that is known: where nothing is, it is taken to have it.
    pub(in crate::exchange) async fn offers(&self, cmdlets: &Cmdlets, verb: &str, call: &Call) -> bool {
        self.may(cmdlets, &[verb], call).await.is_ok()
    }

    /// Says if the login is known to lack one of these cmdlets of a noun. That nothing is known is no error: the service's own refusal
    /// names the cmdlet then.
    pub(in crate::exchange) async fn may(&self, cmdlets: &Cmdlets, verbs: &[&str], call: &Call) -> Result<(), Error> {
        if verbs.is_empty() || self.read_only {
            return Ok(());
        }
        let asked = self.rights.0.get_or_init(|| async {
            let short = Call::new(call.stop.clone(), call.time_left().min(PATIENCE));
            match self.http.granted(&short).await {
                Ok(granted) => granted,
                Err(error) => {
                    tracing::debug!(%error, "which cmdlets the login has could not be learnt");
                    None
                }
            }
        });
        let Some(granted) = asked.await else { return Ok(()) };
        // A list that lacks what is read all the time is not about this noun, or not whole.
        let has = |verb: &str| granted.contains(&cmdlets.cmdlet(verb).to_ascii_lowercase());
        if !has("Get") {
            return Ok(());
        }
        let missing: Vec<String> =
            verbs.iter().filter(|verb| !has(verb)).map(|verb| format!("`{}`", cmdlets.cmdlet(verb))).collect();
        let Some(first) = missing.first() else { return Ok(()) };
        let article = if missing.len() == 1 { "it is" } else { "they are" };
        Err(Error::new(
            Kind::Denied,
            format!(
                "The application may not run {}: {article} not among the cmdlets that Exchange Online grants to this login.",
                missing.join(" and ")
            ),
        )
        .hint(advice(first.trim_matches('`'))))
    }
}

/// The Exchange role that holds the cmdlets which change objects of this kind.
fn role(cmdlet: &str) -> Option<&'static str> {
    let (_, noun) = cmdlet.split_once('-')?;
    Some(match noun {
        "TransportRule" => "Transport Rules",
        "InboundConnector" | "OutboundConnector" | "AcceptedDomain" | "RemoteDomain" => "Remote and Accepted Domains",
        "HostedConnectionFilterPolicy" | "DkimSigningConfig" => "Transport Hygiene",
        "TransportConfig" => "Organization Transport Settings",
        _ => return None,
    })
}

/// Says how an application comes to a cmdlet that changes something.
pub(super) fn advice(cmdlet: &str) -> String {
    let role = match role(cmdlet) {
        Some(role) => format!("The Exchange role \"{role}\", which the role group Organization Management has, includes it. "),
        None => String::new(),
    };
    format!(
        "{role}Assign the application's service principal the Entra role Exchange Administrator, or put it into an Exchange role group with such a role \
         (New-ServicePrincipal, Add-RoleGroupMember); `Get-ManagementRole -Cmdlet {cmdlet}` lists the roles. A fresh assignment takes an hour and \
         sometimes more."
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exchange::testing::{Said, Service, call};
    use crate::exchange::{PACE, resources};

    /// Nouns whose role no page of the vendor's names.
    const WITHOUT_ROLE: &[&str] = &["ArcConfig", "OrganizationConfig"];

    #[test]
    fn the_role_of_every_noun_is_known_or_known_to_be_unknown() {
        for noun in nouns() {
            let has_role = role(&format!("Set-{}", noun.name)).is_some();
            assert_eq!(!has_role, WITHOUT_ROLE.contains(&noun.name), "src/exchange/rights.rs names no role for {}", noun.name);
        }
    }

    async fn asked(status: u16, body: &'static str, verbs: &[&str]) -> (Service, Arc<Exchange>, Result<(), Error>) {
        let service = Service::start(move |_| Said::of(status, body)).await;
        let exchange = Arc::new(Exchange::with_pace(&service.settings(), PACE).unwrap());
        let rules = resources::named("exchange_transport_rule").unwrap();
        let outcome = exchange.may(rules, verbs, &call(5)).await;
        (service, exchange, outcome)
    }

    const READER: &str = r#"{"value":[{"exportedCmdlets":"Get-TransportRule, get-inboundconnector,New-InboundConnector"}]}"#;

    #[tokio::test]
    async fn e15_a_cmdlet_that_the_login_lacks_is_named_with_its_role() {
        let (_service, _, outcome) = asked(200, READER, &["New", "Set"]).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind, Kind::Denied);
        for word in ["`New-TransportRule` and `Set-TransportRule`", "\"Transport Rules\"", "Exchange Administrator"] {
            assert!(error.to_string().contains(word), "{word}: {error}");
        }
    }

    #[tokio::test]
    async fn the_list_is_asked_for_once_and_in_any_case() {
        let (service, exchange, _) = asked(200, READER, &["New"]).await;
        let connectors = resources::named("exchange_inbound_connector").unwrap();
        assert_eq!(exchange.may(connectors, &["New"], &call(5)).await, Ok(()));
        assert_eq!(service.modules(), 1);
    }

    #[tokio::test]
    async fn e15_a_list_that_is_not_understood_says_nothing() {
        for (status, body) in [
            (200, r#"{"value":[]}"#),
            (200, r#"{"value":[{"exportedCmdlets":""}]}"#),
            (200, r#"{"value":[{"exportedCmdlets":["New-TransportRule"]}]}"#),
            (200, r#"{"value":"Get-TransportRule"}"#),
            // It lacks what was read a moment ago.
            (200, r#"{"value":[{"exportedCmdlets":"Get-Mailbox,Set-Mailbox"}]}"#),
            (200, "<html>"),
            (403, ""),
            (404, r#"{"error":{"code":"NotFound","message":"Resource not found."}}"#),
            (500, ""),
        ] {
            let (_service, _, outcome) = asked(status, body, &["New"]).await;
            assert_eq!(outcome, Ok(()), "{status} {body}");
        }
    }

    async fn granted(cmdlets: &str, refused: &[&str]) -> Grants {
        let body = serde_json::json!({"value": [{"exportedCmdlets": cmdlets}]}).to_string();
        let service = Service::start(move |_| Said::of(200, body.clone())).await;
        let exchange = Exchange::with_pace(&service.settings(), PACE).unwrap();
        exchange.grants(refused, &call(5)).await.unwrap()
    }

    #[tokio::test]
    async fn what_the_login_lacks_of_all_that_the_provider_runs_is_listed() {
        let lacking = |grants: &Grants| grants.lacking.iter().map(|lack| lack.cmdlet.clone()).collect::<Vec<_>>();
        let found =
            granted("Get-TransportRule,set-transportrule,Enable-TransportRule,Disable-TransportRule,Get-AcceptedDomain", &[])
                .await;
        assert_eq!(lacking(&found), ["New-TransportRule", "Remove-TransportRule", "Set-AcceptedDomain"]);
        assert_eq!(found.lacking[0].role, Some("Transport Rules"));
        assert!(found.untold.contains(&"InboundConnector") && !found.untold.contains(&"TransportRule"), "{found:?}");
        assert!(found.advice().unwrap().contains("Get-ManagementRole -Cmdlet New-TransportRule"));

        // It was refused, so that the list lacks it says something.
        let found = granted("New-InboundConnector", &["InboundConnector"]).await;
        assert_eq!(lacking(&found), ["Set-InboundConnector", "Remove-InboundConnector"]);
        let found = granted("", &["InboundConnector"]).await;
        assert_eq!((found.lacking.len(), found.untold.len()), (0, nouns().len()), "an empty list tells nothing");
    }

    #[tokio::test]
    async fn where_nothing_is_to_be_run_nothing_is_asked() {
        let (service, ..) = asked(200, READER, &[]).await;
        assert_eq!(service.modules(), 0);
    }
}
