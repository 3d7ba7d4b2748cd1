//! Every data source through the real binary and the real `terraform`: what it reads, and what it says when there is nothing to read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::dns::{Said, Server};
use crate::support::{Must as _, World};
use mailflow::provider::CATALOG;
use serde_json::{Value as Json, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// An object of each resource.
const OBJECTS: &str = r#"
resource "mailflow_exchange_inbound_connector" "one" {
  name                = "Inbound from Cisco CES"
  connector_type      = "Partner"
  sender_domains      = ["*"]
  sender_ip_addresses = ["203.0.113.10", "203.0.113.11"]
  require_tls         = true
}

resource "mailflow_exchange_outbound_connector" "one" {
  name                     = "Outbound to Cisco CES"
  connector_type           = "Partner"
  is_transport_rule_scoped = true
  use_mx_record            = false
  smart_hosts              = ["203.0.113.20"]
  tls_settings             = "EncryptionOnly"
}

resource "mailflow_exchange_transport_rule" "one" {
  name = "Outbound to Cisco CES"
  conditions {
    from_scope    = "InOrganization"
    sent_to_scope = "NotInOrganization"
  }
  actions {
    route_message_outbound_connector = mailflow_exchange_outbound_connector.one.name
    set_header_name                  = "X-OUTBOUND-AUTH"
    set_header_value                 = "relaysecret1234"
  }
}

resource "mailflow_gateway_destination_control" "one" {
  domain            = "example.com"
  concurrency_limit = 10
  tls               = "preferred"
}

resource "mailflow_gateway_recipient_access" "one" {
  listener  = "IncomingMail"
  recipient = "example.com"
  action    = "accept"
}

resource "mailflow_gateway_smtp_route" "one" {
  domain = "example.com"
  destination {
    host = "example-com.mail.protection.outlook.com"
  }
}

resource "mailflow_gateway_mail_flow_policy" "one" {
  listener = "OutgoingMail"
  name     = "RELAYED_O365"
  behavior = "relay"
  tls      = "preferred"
}

resource "mailflow_gateway_sender_group" "one" {
  listener = "OutgoingMail"
  name     = "RELAY_O365"
  policy   = mailflow_gateway_mail_flow_policy.one.name
  senders  = [".protection.outlook.com"]

  guarded_by = mailflow_gateway_message_filter.one.name
}

resource "mailflow_gateway_message_filter" "one" {
  name   = "office365_outbound"
  script = provider::mailflow::relay_filter_script("RELAY_O365", "X-OUTBOUND-AUTH", ["relaysecret1234"])
}

resource "mailflow_gateway_tls_settings" "one" {
  outbound_methods = ["TLSv1.2"]
  outbound_ciphers = "HIGH:!aNULL"
}
"#;

/// The data source of each resource, by every way to name the object.
const SINGULAR: &[(&str, &str, &str)] = &[
    ("exchange_inbound_connector", "by_name", r#"name = "INBOUND from Cisco CES""#),
    ("exchange_inbound_connector", "by_id", "id = mailflow_exchange_inbound_connector.one.id"),
    ("exchange_outbound_connector", "by_name", r#"name = "Outbound to Cisco CES""#),
    ("exchange_outbound_connector", "by_id", "id = mailflow_exchange_outbound_connector.one.id"),
    ("exchange_transport_rule", "by_name", r#"name = "Outbound to Cisco CES""#),
    ("exchange_transport_rule", "by_id", "id = mailflow_exchange_transport_rule.one.id"),
    ("gateway_destination_control", "one", r#"domain = "Example.COM""#),
    ("gateway_recipient_access", "one", "listener = \"IncomingMail\"\n  recipient = \"example.com\""),
    ("gateway_smtp_route", "one", r#"domain = "example.com""#),
    ("gateway_mail_flow_policy", "one", "listener = \"OutgoingMail\"\n  name = \"RELAYED_O365\""),
    ("gateway_sender_group", "one", "listener = \"OutgoingMail\"\n  name = \"RELAY_O365\""),
    ("gateway_message_filter", "one", r#"name = "office365_outbound""#),
    ("gateway_tls_settings", "one", ""),
];

fn block(kind: &str, name: &str, arguments: &str) -> String {
    format!("data \"mailflow_{kind}\" \"{name}\" {{\n  {arguments}\n}}\n")
}

/// A stand-in whose clock is right, with messages in the last hour.
fn world(messages: usize) -> (World, OffsetDateTime) {
    let world = World::start();
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).expect("a moment");
    world.stand_ins.exchange.set_clock(now);
    let messages: Vec<Json> = (0..messages)
        .map(|number| {
            // Four to a moment.
            let at = now - Duration::milliseconds(i64::try_from(number / 4).expect("few") * 500) - Duration::minutes(1);
            json!({"Received": at.format(&Rfc3339).expect("a text"), "MessageTraceId": format!("00000000-0000-0000-0000-{number:012}"),
                "MessageId": format!("<{number}@contoso.com>"), "SenderAddress": format!("s{}@contoso.com", number % 3),
                "RecipientAddress": format!("r{number:05}@example.net"), "Subject": "Hello", "Status": if number == 7 { "Failed" } else { "Delivered" },
                "Size": number})
        })
        .collect();
    world.stand_ins.exchange.set_messages(&messages).expect("messages");
    (world, now)
}

fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).expect("a text")
}

/// What terraform printed, with the boxes around errors and the line breaks in them taken off.
fn flat(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_read_as_the_resource_has_it() {
    let world = World::start();
    let workspace = world.workspace("singular").await;
    workspace.write(OBJECTS);
    workspace.apply().await;
    let blocks: String = SINGULAR.iter().map(|(kind, name, arguments)| block(kind, name, arguments)).collect();
    workspace.write(&format!("{OBJECTS}\n{blocks}"));
    let applied = workspace.apply().await;
    assert!(applied.stdout.contains("0 added, 0 changed, 0 destroyed"), "{}", applied.stdout);
    workspace.must_plan_nothing("with data sources").await;
    let state = workspace.state();
    for (kind, name, _) in SINGULAR {
        let managed = &state[&format!("mailflow_{kind}.one")];
        let read = &state[&format!("data.mailflow_{kind}.{name}")];
        let source = CATALOG.data_source(&format!("mailflow_{kind}")).expect("a data source");
        let resource = CATALOG.resource(&format!("mailflow_{kind}")).expect("a resource");
        for attribute in source.attributes {
            // The user's spelling is kept by the resource alone; what is read means the same.
            let line = resource.attributes.iter().find(|line| line.name == attribute.name);
            let meaning = line.and_then(|line| line.meaning).unwrap_or(str::to_lowercase);
            let (mine, theirs) = (plain(&managed[attribute.name], meaning), plain(&read[attribute.name], meaning));
            assert_eq!(theirs, mine, "{kind}.{name}: {}", attribute.name);
        }
    }
    let shown = workspace.run(&["show", "-no-color"]).await.must("show");
    assert!(!shown.stdout.contains("relaysecret1234"), "a secret is shown:\n{}", shown.stdout);
    workspace.destroy().await;
}

/// Without write-only forms, in one order, and each text as it is meant.
fn plain(json: &Json, meaning: fn(&str) -> String) -> Json {
    match json {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(|item| plain(item, meaning)).collect();
            items.sort_by_key(Json::to_string);
            Json::Array(items)
        }
        Json::Object(members) => {
            let own = members.iter().filter(|(name, _)| !name.ends_with("_wo") && !name.ends_with("_wo_version"));
            Json::Object(own.map(|(name, value)| (name.clone(), plain(value, meaning))).collect())
        }
        Json::String(text) => Json::String(meaning(text)),
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_this_run_makes_is_read_once_it_is_there() {
    let world = World::start();
    let workspace = world.workspace("deferred").await;
    workspace.write(
        r#"
resource "mailflow_exchange_inbound_connector" "one" {
  name                = "Inbound"
  connector_type      = "Partner"
  sender_domains      = ["*"]
  sender_ip_addresses = ["203.0.113.10"]
}

data "mailflow_exchange_inbound_connector" "one" {
  id = mailflow_exchange_inbound_connector.one.id
}

resource "mailflow_gateway_smtp_route" "one" {
  domain = "example.net"
  destination {
    host = "mx.example.net"
  }
}

data "mailflow_gateway_smtp_route" "one" {
  domain     = "example.net"
  depends_on = [mailflow_gateway_smtp_route.one]
}
"#,
    );
    workspace.apply().await;
    let state = workspace.state();
    assert_eq!(state["data.mailflow_exchange_inbound_connector.one"]["name"], "Inbound");
    assert_eq!(state["data.mailflow_gateway_smtp_route.one"]["destination"][0]["host"], "mx.example.net");
    workspace.destroy().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_data_sources_say_what_stands_there() {
    let (world, now) = world(5200);
    let server = Server::start(|name| match name {
        "example.com" => Said::Records(vec![(20, "second.example.com"), (10, "first.example.com")]),
        "null.example.com" => Said::Records(vec![(0, "")]),
        _ => Said::Code(3),
    });
    let workspace = world.workspace("others").await;
    let (start, end) = (text(now - Duration::days(25)), text(now));
    let window = format!("start = \"{start}\"\n  end = \"{end}\"");
    let resolver = format!("resolver = \"{}\"", server.address);
    let blocks = [
        block("exchange_domain", "old", r#"domain = "example.com""#),
        block("exchange_domain", "new", r#"domain = "example.net""#),
        block("exchange_accepted_domains", "all", ""),
        block("exchange_message_trace", "all", &format!("{window}\n  most = 6000")),
        block("exchange_message_trace", "few", &format!("{window}\n  most = 5100")),
        block("exchange_message_trace", "failed", &format!("{window}\n  status = \"Failed\"\n  sender = \"s1@contoso.com\"")),
        block("gateway_listeners", "all", ""),
        block("gateway_version", "this", ""),
        block("dns_mx", "this", &format!("domain = \"example.com\"\n  {resolver}")),
        block("dns_mx", "null", &format!("domain = \"null.example.com\"\n  {resolver}")),
    ];
    workspace.write(&blocks.concat());
    workspace.apply().await;
    let state = workspace.state();
    let of = |address: &str| state[&format!("data.mailflow_{address}")].clone();

    let domain = of("exchange_domain.old");
    assert_eq!((&domain["is_verified"], &domain["is_initial"]), (&json!(true), &json!(false)));
    assert_eq!(domain["mx_records"], json!([{"host": "example-com.mail.protection.outlook.com", "preference": 0, "ttl": 3600}]));
    let spf = domain["dns_records"].as_array().expect("records").iter().find(|record| record["record_type"] == "Txt");
    assert!(spf.expect("a record")["text"].as_str().expect("a text").starts_with("v=spf1"));
    assert!(!domain["verification_records"].as_array().expect("records").is_empty());
    let host = of("exchange_domain.new")["mx_records"][0]["host"].clone();
    assert!(host.as_str().expect("a host").ends_with(".mx.microsoft"), "{host}");

    let accepted = of("exchange_accepted_domains.all");
    let names: Vec<&str> =
        accepted["domains"].as_array().expect("domains").iter().filter_map(|one| one["domain_name"].as_str()).collect();
    assert_eq!(names, ["contoso.com", "contoso.onmicrosoft.com", "example.com", "example.net"]);

    let all = of("exchange_message_trace.all");
    let ids: BTreeMap<&str, &Json> = all["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|one| Some((one["message_trace_id"].as_str()?, &one["recipient_address"])))
        .collect();
    assert_eq!((ids.len(), all["messages"].as_array().map(Vec::len), &all["truncated"]), (5200, Some(5200), &json!(false)));
    let few = of("exchange_message_trace.few");
    assert_eq!((few["messages"].as_array().map(Vec::len), &few["truncated"]), (Some(5100), &json!(true)));
    let failed = of("exchange_message_trace.failed");
    assert_eq!(failed["messages"].as_array().map(Vec::len), Some(1), "{failed}");
    assert_eq!(failed["messages"][0]["message_id"], "<7@contoso.com>");

    let listeners = of("gateway_listeners.all");
    let kinds: Vec<(&Json, &Json)> =
        listeners["listeners"].as_array().expect("listeners").iter().map(|one| (&one["name"], &one["type"])).collect();
    assert_eq!(kinds, [(&json!("IncomingMail"), &json!("public")), (&json!("OutgoingMail"), &json!("private"))]);
    assert_eq!((&listeners["listeners"][0]["port"], &listeners["listeners"][0]["protocol"]), (&json!(25), &json!("SMTP")));

    let version = of("gateway_version.this");
    assert_eq!(version["release"], "15.5.3-022");
    assert!(version["model"].is_string() && version["properties"]["Version"] == "15.5.3-022", "{version}");

    let mx = of("dns_mx.this");
    assert_eq!(
        mx["mx_records"],
        json!([{"host": "first.example.com", "preference": 10}, {"host": "second.example.com", "preference": 20}])
    );
    assert_eq!((&mx["null_mx"], &of("dns_mx.null")["null_mx"]), (&json!(false), &json!(true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_or_not_allowed_is_an_error_and_never_null() {
    let (world, now) = world(0);
    let server = Server::start(|name| match name {
        "silent.example.com" => Said::Silence,
        "broken.example.com" => Said::Code(2),
        _ => Said::Code(3),
    });
    let workspace = world.workspace("errors").await;
    let resolver = format!("resolver = \"{}\"", server.address);
    let old = format!("start = \"{}\"\n  end = \"{}\"", text(now - Duration::days(92)), text(now - Duration::days(91)));
    let cases = [
        ("exchange_inbound_connector", r#"name = "Nobody""#, "There is no inbound connector with the name or GUID \"Nobody\""),
        (
            "exchange_transport_rule",
            r#"id = "0ab1e768-08b0-4768-81e2-64d6f990c552""#,
            "There is no transport rule with the name or GUID \"0ab1e768-08b0-4768-81e2-64d6f990c552\"",
        ),
        ("gateway_smtp_route", r#"domain = "nobody.example""#, "has no SMTP route \"nobody.example\""),
        ("gateway_sender_group", "listener = \"Nowhere\"\n  name = \"RELAYLIST\"", "no listener \"Nowhere\""),
        ("gateway_message_filter", r#"name = "nothing""#, "has no message filter \"nothing\""),
        ("exchange_domain", r#"domain = "fabrikam.com""#, "The tenant has no domain \"fabrikam.com\""),
        ("exchange_message_trace", old.as_str(), "remembers messages for 90 days"),
    ];
    let mut blocks: String =
        cases.iter().enumerate().map(|(index, (kind, arguments, _))| block(kind, &format!("e{index}"), arguments)).collect();
    let dns = [
        ("gone", "does not exist (NXDOMAIN)"),
        ("silent", "gave no answer about silent.example.com within 1 s"),
        ("broken", "failed to find out about broken.example.com (SERVFAIL)"),
    ];
    for (name, _) in dns {
        blocks += &block("dns_mx", name, &format!("domain = \"{name}.example.com\"\n  timeout = \"1s\"\n  {resolver}"));
    }
    workspace.write(&blocks);
    let outcome = workspace.run(&["plan", "-no-color"]).await;
    let said = flat(&outcome.stderr);
    assert_eq!(outcome.code, Some(1), "{said}");
    for (kind, _, wanted) in cases {
        assert!(said.contains(wanted), "{kind}: {wanted}\n{}", outcome.stderr);
    }
    for (name, wanted) in dns {
        assert!(said.contains(wanted), "{name}: {wanted}\n{}", outcome.stderr);
    }

    world.stand_ins.exchange.set_options(|options| options.domain_read = false);
    workspace.write(&block("exchange_domain", "denied", r#"domain = "example.com""#));
    let denied = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
    assert!(denied.contains("Unable to read domain") && denied.contains("Domain.Read.All"), "{denied}");

    world.stand_ins.exchange.revoke("Get-MessageTraceV2");
    let recent = format!("start = \"{}\"\n  end = \"{}\"", text(now - Duration::days(1)), text(now));
    workspace.write(&block("exchange_message_trace", "denied", &recent));
    let denied = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
    assert!(denied.contains("Get-MessageTraceV2"), "{denied}");

    workspace.write(
        &[
            block("exchange_inbound_connector", "none", ""),
            block("exchange_inbound_connector", "both", "id = \"a\"\n  name = \"b\""),
            block(
                "exchange_message_trace",
                "turned",
                &format!("end = \"{}\"\n  start = \"{}\"", text(now - Duration::days(1)), text(now)),
            ),
            block("dns_mx", "odd", "domain = \"192.0.2.1\"\n  resolver = \"dns.example\""),
        ]
        .concat(),
    );
    let invalid = flat(&workspace.run(&["validate", "-no-color"]).await.stderr);
    for wanted in [
        "Exactly one of `id` and `name` must be set",
        "is one too many",
        "`end` must be after `start`",
        "it is an address",
        "is not an IP address",
    ] {
        assert!(invalid.contains(wanted), "{wanted}\n{invalid}");
    }

    std::fs::write(
        workspace.folder.join("provider.tf"),
        "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n\nprovider \"mailflow\" {}\n",
    )
    .expect("written");
    workspace.write(
        &[
            block("exchange_accepted_domains", "all", ""),
            block("gateway_listeners", "all", ""),
            block("dns_mx", "gone", &format!("domain = \"gone.example\"\n  {resolver}")),
        ]
        .concat(),
    );
    let missing = flat(&workspace.run(&["plan", "-no-color"]).await.stderr);
    for wanted in ["The provider has no \"exchange\" block", "The provider has no \"gateway\" block", "NXDOMAIN"] {
        assert!(missing.contains(wanted), "{wanted}\n{missing}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_data_source_has_an_example_that_validates() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data-sources");
    let world = World::start();
    let workspace = world.workspace("examples").await;
    for source in CATALOG.data_sources {
        let name = format!("mailflow_{}", source.name);
        let text = std::fs::read_to_string(examples.join(&name).join("data-source.tf"))
            .unwrap_or_else(|error| panic!("{name} has no example: {error}"));
        assert!(text.contains(&format!("data \"{name}\"")), "{name}: its example is about something else");
        // Two examples may be about the same resource.
        let folder = workspace.folder.join(&name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(
            folder.join("main.tf"),
            format!(
                "terraform {{\n  required_providers {{\n    mailflow = {{ source = \"mailflow/mailflow\" }}\n  }}\n}}\n\n{text}"
            ),
        )
        .expect("written");
    }
    let module = |name: &str| format!("module \"{name}\" {{\n  source = \"./mailflow_{name}\"\n}}\n");
    let modules = CATALOG.data_sources.iter().map(|source| module(source.name)).collect::<Vec<_>>().concat();
    workspace.write(&modules);
    workspace.run(&["init", "-no-color"]).await.must("init");
    workspace.run(&["validate", "-no-color"]).await.must("validate");
}
