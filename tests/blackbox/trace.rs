//! `data "mailflow_gateway_trace"` through the real `terraform`: with the secret, without it, in a cluster, and what is refused.

use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::{Cluster, Layout, Options, TraceForm};
use mailflow::tool::sandbox::StandIns;

use crate::support::World;

/// A relay with its guard.
pub(crate) const RELAY: &str = r#"
resource "mailflow_gateway_mail_flow_policy" "relayed" {
  listener = "OutgoingMail"
  name     = "RELAYED_O365"
  behavior = "relay"
}

resource "mailflow_gateway_message_filter" "guard" {
  name   = "office365_outbound"
  script = provider::mailflow::relay_filter_script("RELAY_O365", "X-OUTBOUND-AUTH", ["relaysecret1234"])
}

resource "mailflow_gateway_sender_group" "relay" {
  listener   = "OutgoingMail"
  name       = "RELAY_O365"
  policy     = mailflow_gateway_mail_flow_policy.relayed.name
  senders    = [".protection.outlook.com"]
  guarded_by = mailflow_gateway_message_filter.guard.name
}
"#;

fn trace(name: &str, listener: &str, headers: &str) -> String {
    format!(
        r#"
data "mailflow_gateway_trace" "{name}" {{
  listener    = "{listener}"
  source_ip   = "40.107.22.104"
  source_host = "mail-x.outbound.protection.outlook.com"
  mail_from   = "ann@example.com"
  rcpt_to     = ["kim@partner.example", "joe@other.example"]
  headers     = {headers}
  body        = "first line\n\n  last line"
  depends_on  = [mailflow_gateway_sender_group.relay]
}}
"#
    )
}

const WITH: &str = r#"{ X-OUTBOUND-AUTH = "relaysecret1234", Subject = "Hello" }"#;
const WITHOUT: &str = r#"{ X-OUTBOUND-AUTH = "anothersecret99", Subject = "Hello" }"#;

fn flat(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_says_what_becomes_of_a_message_with_and_without_the_secret() {
    let newer = Layout { trace: TraceForm::Newer, ..Layout::default() };
    for options in [Options::default(), Options { layout: newer, ..Options::default() }] {
        let stand_ins = StandIns::with(exchange::Options::default(), options).expect("the stand-ins start");
        let world = World::with(stand_ins);
        let workspace = world.workspace("trace").await;
        let all = [
            RELAY,
            &trace("with", "OutgoingMail", WITH),
            &trace("without", "OutgoingMail", WITHOUT),
            &trace("inbound", "IncomingMail", "{}"),
        ];
        workspace.write(&all.concat());
        workspace.apply().await;
        let state = workspace.state();
        let of = |name: &str| state[&format!("data.mailflow_gateway_trace.{name}")].clone();
        let with = of("with");
        assert_eq!(
            (&with["outcome"], &with["sender_group"], &with["policy"], &with["behavior"]),
            (&"enqueued".into(), &"RELAY_O365".into(), &"RELAYED_O365".into(), &"relay".into())
        );
        assert_eq!(with["filters"][0]["name"], "office365_outbound");
        assert_eq!(with["filters"][0]["actions"], serde_json::json!(["strip-header"]));
        assert_eq!(with["recipients"][1]["address"], "joe@other.example");
        let message = with["message"].as_str().expect("a message");
        assert!(
            message.contains("Subject: Hello") && message.contains("last line") && !message.contains("relaysecret1234"),
            "{message}"
        );
        assert!(with["machine"].is_null());
        let without = of("without");
        assert_eq!((&without["outcome"], &without["message"]), (&"dropped".into(), &serde_json::Value::Null));
        assert_eq!(without["filters"][0]["actions"], serde_json::json!(["drop"]));
        assert_eq!(of("inbound")["outcome"], "rejected");
        let shown = workspace.run(&["show", "-no-color"]).await.stdout;
        assert!(!shown.contains("relaysecret1234") && !shown.contains("anothersecret99"), "a secret is shown:\n{shown}");
        workspace.must_plan_nothing("with a trace").await;
        assert!(!world.stand_ins.gateway.pending(), "a trace stages nothing");

        workspace.write(&[RELAY, &trace("nowhere", "Nowhere", WITH)].concat());
        let said = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
        assert!(
            said.contains("no listener \"Nowhere\"") && said.contains("OutgoingMail") && !said.contains("relaysecret1234"),
            "{said}"
        );
        workspace.write(&[RELAY, &trace("dot", "OutgoingMail", "{ \"a b\" = \"x\" }").replace("first line", ".")].concat());
        let said = flat(&workspace.run(&["validate", "-no-color"]).await.stderr);
        assert!(said.contains("is not the name of a header") && said.contains("single dot"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_cluster_the_answer_is_that_of_one_machine_and_the_session_comes_back() {
    let cluster = Cluster { machines: vec!["esa.example.com".into()], ..Cluster::of_two() };
    let options = Options { cluster: Some(cluster), ..Options::default() };
    let world = World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"));
    let workspace = world.workspace("cluster").await;
    let route = "resource \"mailflow_gateway_smtp_route\" \"behind\" {\n  domain = data.mailflow_gateway_trace.with.outcome == \"enqueued\" ? \"example.net\" : \"example.org\"\n  destination {\n    host = \"mx.example.net\"\n  }\n}\n";
    workspace.write(&[RELAY, &trace("with", "OutgoingMail", WITH), route].concat());
    workspace.apply().await;
    let state = workspace.state();
    assert_eq!(state["data.mailflow_gateway_trace.with"]["machine"], "esa.example.com");
    assert_eq!(state["mailflow_gateway_smtp_route.behind"]["domain"], "example.net");
    // What is written behind the trace is written at the level of the settings.
    assert_eq!(world.stand_ins.gateway.levels_written(), std::collections::BTreeSet::from(["Cluster Mail".to_owned()]));
}
