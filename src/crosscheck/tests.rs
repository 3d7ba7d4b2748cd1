//! The cut-over against a DNS server on loopback: each way in which records can lead, and servers that say different things.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::macros::datetime;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::dns::MxServer;
use crate::dns::testing::{Line, Said, Server};
use crate::remote::{Listing, Restricting};
use crate::schema::{Attribute, Import, Timeouts, string};
use crate::value::Value;

const DOMAIN: &str = "contoso.com";
const GATEWAYS: &[&str] = &["mx1.gateway.example", "192.0.2.7"];

fn call() -> Call {
    Call::new(CancellationToken::new(), Duration::from_mins(1))
}

/// A server with these MX records; hosts below `.by-address` have the address of a gateway.
fn server(records: &'static [(u16, &'static str)]) -> Server {
    Server::start_of_kinds(move |name, _| match name {
        DOMAIN => Said::Of(records.iter().map(|(preference, host)| Line::mx(*preference, host)).collect()),
        "by-address.example" => Said::Of(vec![Line::a([192, 0, 2, 7])]),
        "same-as-mx1.example" | "mx1.gateway.example" => Said::Of(vec![Line::a([192, 0, 2, 1])]),
        "alias.example" => Said::Of(vec![Line::cname("mx1.gateway.example"), Line::a([192, 0, 2, 1])]),
        "old.example" => Said::Of(vec![Line::a([198, 51, 100, 1])]),
        _ => Said::Code(3),
    })
}

fn config(servers: &[&Server]) -> Record {
    let texts = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::String).collect());
    Record::new()
        .with("domain", DOMAIN)
        .with("gateway_hosts", texts(GATEWAYS.iter().map(|host| (*host).to_owned()).collect()))
        .with("resolvers", texts(servers.iter().map(|server| server.address.to_string()).collect()))
}

fn alone(cut_overs: &Arc<CutOvers>) -> Sides<'_> {
    Sides { exchange: None, gateway: None, expects: None, resource: |_| None, cut_overs }
}

async fn look(servers: &[&Server]) -> (Record, crate::value::Diagnostics) {
    let (cut_overs, call) = (Arc::default(), call());
    let found = cutover::read(&alone(&cut_overs), &config(servers), &call).await.expect("it is read");
    (found, call.take_reports())
}

#[tokio::test]
async fn the_state_says_where_the_records_lead() {
    for (records, state) in [
        (&[(0, "contoso-com.mail.protection.outlook.com")][..], "before"),
        (&[(0, "old.example")], "before"),
        (&[(10, "mx1.gateway.example"), (20, "old.example")], "mixed"),
        (&[(10, "MX1.Gateway.Example")], "moved"),
        // Several gateways: one by its name, one by its address, one that has the address of a named one, and an alias of it.
        (&[(10, "mx1.gateway.example"), (10, "by-address.example"), (20, "same-as-mx1.example"), (30, "alias.example")], "moved"),
        // Moved back.
        (&[(0, "contoso-com.mail.protection.outlook.com"), (10, "contoso-com.mail.protection.outlook.com")], "before"),
    ] {
        let server = server(records);
        let (found, said) = look(&[&server]).await;
        assert_eq!((found.text("state"), found.truth("moved")), (Some(state), Some(state == "moved")), "{records:?}");
        assert_eq!(found.get("records").as_elements().unwrap().len(), records.len(), "{records:?}");
        assert!(found.get("settled_at").is_null(), "one server agrees with itself: {records:?}");
        assert!(said.is_empty(), "{said:?}");
    }
}

#[tokio::test]
async fn a_domain_that_is_an_alias_has_the_records_of_its_target() {
    let server = Server::start(|name| match name {
        DOMAIN => Said::Alias("contoso.net", vec![(5, "mx1.gateway.example")]),
        _ => Said::Code(3),
    });
    assert_eq!(look(&[&server]).await.0.text("state"), Some("moved"));
}

#[tokio::test]
async fn a_null_mx_and_no_mx_are_told() {
    let null = server(&[(0, "")]);
    let (found, _) = look(&[&null]).await;
    assert_eq!((found.text("state"), found.truth("null_mx")), (Some("before"), Some(true)));
    let blockers = found.get("blockers").as_elements().unwrap();
    assert!(blockers[0].as_text().unwrap().contains("null MX"), "{blockers:?}");
    let none = server(&[]);
    let (found, _) = look(&[&none]).await;
    assert_eq!((found.text("state"), found.truth("null_mx")), (Some("before"), Some(false)));
    assert_eq!(Record::from_value(found.get("records").as_elements().unwrap()[0].clone()).text("host"), Some(DOMAIN));
}

#[tokio::test]
async fn one_server_that_disagrees_makes_it_mixed_and_not_settled() {
    let (moved, old) = (server(&[(10, "mx1.gateway.example")]), server(&[(0, "old.example")]));
    let (found, _) = look(&[&moved, &old]).await;
    assert_eq!(found.text("state"), Some("mixed"));
    assert!(found.text("settled_at").is_some());
    // Both lead to gateways, and are not the same.
    let other = server(&[(10, "by-address.example")]);
    let (found, _) = look(&[&moved, &other]).await;
    assert_eq!(found.text("state"), Some("moved"));
    assert!(found.text("settled_at").is_some());
}

#[tokio::test]
async fn no_answer_is_a_warning_and_one_answer_is_enough() {
    let (silent, moved) = (Server::start(|_| Said::Code(2)), server(&[(10, "mx1.gateway.example")]));
    let (found, said) = look(&[&silent]).await;
    assert!(found.get("state").is_null() && found.truth("moved") == Some(false) && found.text("settled_at").is_some());
    assert!(said.len() == 1 && !said[0].is_error(), "{said:?}");
    let (found, said) = look(&[&silent, &moved]).await;
    assert_eq!((found.text("state"), said.len()), (Some("moved"), 0));
    let problem = Record::from_value(found.get("servers").as_elements().unwrap()[0].clone());
    assert!(problem.text("problem").unwrap().contains("SERVFAIL") && problem.get("state").is_null());
}

#[tokio::test]
async fn a_domain_that_no_server_knows_is_an_error() {
    let gone = Server::start(|_| Said::Code(3));
    let error = cutover::read(&alone(&Arc::default()), &config(&[&gone]), &call()).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound, "{error}");
}

#[tokio::test]
async fn a_connector_that_was_planned_before_is_judged_by_what_is_read() {
    let restricting = |is_excused| Some(Restricting { called: "inbound connector \"a\"".to_owned(), is_excused });
    let (old, moved) = (server(&[(0, "old.example")]), server(&[(10, "mx1.gateway.example")]));
    let cut_overs = Arc::new(CutOvers::default());
    cut_overs.plans("a", restricting(false));
    let error = cutover::read(&alone(&cut_overs), &config(&[&old]), &call()).await.unwrap_err();
    for words in ["inbound connector \"a\"", "contoso.com MX 0 old.example", "skip_mx_check"] {
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    assert!(cutover::read(&alone(&cut_overs), &config(&[&moved]), &call()).await.is_ok());
    cut_overs.plans("a", restricting(true));
    let call = call();
    assert!(cutover::read(&alone(&cut_overs), &config(&[&old]), &call).await.is_ok());
    assert_eq!(call.take_reports().len(), 1, "a warning");
}

#[tokio::test]
async fn it_is_looked_again_before_a_change_is_sent() {
    let records = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let now = Arc::clone(&records);
    let dns = Server::start(move |name| match name {
        DOMAIN if now.load(std::sync::atomic::Ordering::SeqCst) => Said::Records(vec![(10, "mx1.gateway.example")]),
        DOMAIN => Said::Records(vec![(0, "old.example")]),
        _ => Said::Code(3),
    });
    let cut_overs = Arc::new(CutOvers::new(Arc::new(Looks)));
    cutover::read(&alone(&cut_overs), &config(&[&dns]), &call()).await.unwrap();
    assert!(!cut_overs.look_again(Vec::new(), &call()).await[0].leads_elsewhere());
    records.store(false, std::sync::atomic::Ordering::SeqCst);
    assert!(cut_overs.look_again(Vec::new(), &call()).await[0].leads_elsewhere());
}

#[test]
fn it_is_settled_when_the_longest_life_is_over_in_steps_of_five_minutes() {
    let line = |host: &str, ttl| crate::dns::MxLine { preference: 0, host: host.to_owned(), ttl, is_gateway: false };
    let server = |lines| MxServer { server: "s".to_owned(), records: Ok(lines), is_null: false };
    let now = datetime!(2026-07-24 19:01:00 UTC);
    let differing = [server(vec![line("a", 60)]), server(vec![line("b", 3600)])];
    assert_eq!(cutover::settled_at(&differing, now).as_deref(), Some("2026-07-24T20:05:00Z"));
    assert_eq!(cutover::settled_at(&differing, datetime!(2026-07-24 19:05:00 UTC)).as_deref(), Some("2026-07-24T20:05:00Z"));
    // The time to live runs down at a server that remembers, and is no difference.
    let same = [server(vec![line("a", 60)]), server(vec![line("a", 3600)])];
    assert_eq!(cutover::settled_at(&same, now), None);
}

/// A side with these objects, by resource.
struct Side(Vec<(&'static str, Record)>);

#[async_trait]
impl Enumerate for Side {
    async fn list(&self, resource: &'static Resource, _: &Record, _: &Call) -> Result<Listing, Error> {
        let own = self.0.iter().filter(|(name, _)| *name == resource.name).map(|(_, record)| record.clone());
        Ok(Listing { objects: own.collect(), ..Listing::default() })
    }
}

const LINES: &[Attribute] = &[string("domain", "Its domain.").required().replaces()];

const fn kind(name: &'static str) -> Resource {
    Resource {
        name,
        noun: "thing",
        about: "Is a thing.",
        attributes: LINES,
        rules: &[],
        identity: &["domain"],
        import: Import::Key { attributes: &["domain"], example: "example.com" },
        title: "domain",
        version: 0,
        timeouts: Timeouts { write: 60, read: 30 },
    }
}

static KINDS: [Resource; 5] = [
    kind("gateway_recipient_access"),
    kind("gateway_smtp_route"),
    kind("gateway_message_filter"),
    kind("exchange_inbound_connector"),
    kind("exchange_accepted_domain"),
];

#[tokio::test]
async fn what_is_missing_on_either_side_is_a_blocker_until_it_is_there() {
    let dns = server(&[(0, "old.example")]);
    let destination = Value::List(vec![Value::object([("host", Value::text("contoso-com.mail.protection.outlook.com"))])]);
    let parts = [
        ("gateway_recipient_access", Record::new().with("recipient", ".com").with("action", "accept"), "takes no mail"),
        ("gateway_smtp_route", Record::new().with("domain", DOMAIN).with("destination", destination), "does not hand mail"),
        (
            "exchange_inbound_connector",
            Record::new()
                .with("enabled", true)
                .with("sender_domains", Value::texts(["*"]))
                .with("sender_ip_addresses", Value::texts(["192.0.2.7"])),
            "No enabled inbound connector",
        ),
    ];
    let filter = |active: bool| {
        (
            "gateway_message_filter",
            Record::new().with("name", "f").with("active", active).with("script", "if (sendergroup == \"^R$\") { drop(); }"),
        )
    };
    let blockers = async |objects: Vec<(&'static str, Record)>| {
        let (side, cut_overs) = (Side(objects), Arc::default());
        let sides = Sides {
            exchange: Some(&side),
            gateway: Some(&side),
            expects: None,
            resource: |name| KINDS.iter().find(|kind| kind.name == name),
            cut_overs: &cut_overs,
        };
        let found = cutover::read(&sides, &config(&[&dns]), &call()).await.expect("it is read");
        found.get("blockers").as_elements().unwrap().iter().map(|one| one.as_text().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = || parts.iter().map(|(kind, record, _)| (*kind, record.clone())).chain([filter(true)]).collect::<Vec<_>>();
    assert_eq!(blockers(all()).await, Vec::<String>::new());
    for (kind, _, words) in &parts {
        let mut without = all();
        without.retain(|(own, _)| own != kind);
        let found = blockers(without).await;
        assert!(found.len() == 1 && found[0].contains(words), "{kind}: {found:?}");
    }
    let mut inactive = all();
    inactive.pop();
    inactive.push(filter(false));
    assert!(blockers(inactive).await[0].contains("not live"));
}
