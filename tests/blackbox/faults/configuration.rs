//! Bad input: its form at `validate`, before anything is asked of a service and without a configured provider; what the service does not
//! take of it at plan.

use std::fmt::Write as _;

use serde_json::json;

use super::run::{Runs, Said};
use crate::support::World;

/// One wrong object: the fault, its type, its arguments, what the message says, and what it points at.
type Wrong = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

const CONNECTOR: &str = "exchange_inbound_connector";
const RULE: &str = "exchange_transport_rule";
const ROUTE: &str = "gateway_smtp_route";
const DESTINATION: &str = "gateway_destination_control";
const GROUP: &str = "gateway_sender_group";
const FILTER: &str = "gateway_message_filter";

/// What is right with the connector of a case about something else.
const SOUND: &str = "name = \"n\"\n  connector_type = \"OnPremises\"\n  sender_domains = [\"*\"]";

const WRONG: &[Wrong] = &[
    (
        "c01_ipv6",
        CONNECTOR,
        "SOUND\n  sender_ip_addresses = [\"2001:db8::1\"]",
        &["sender_ip_addresses", "\"2001:db8::1\"", "IPv4 only"],
        "sender_ip_addresses",
    ),
    ("c02_wide", CONNECTOR, "SOUND\n  sender_ip_addresses = [\"203.0.0.0/16\"]", &["/16", "/24 to /32"], "sender_ip_addresses"),
    ("c02_none", CONNECTOR, "SOUND\n  sender_ip_addresses = [\"203.0.113.0/33\"]", &["/24 to /32"], "sender_ip_addresses"),
    ("c03", CONNECTOR, "SOUND\n  ef_skip_ips = [\"10.1.2.3\"]", &["private address"], "ef_skip_ips"),
    (
        "c11_long",
        CONNECTOR,
        "name = \"a name that is far too long for any connector that this service would ever take\"\n  connector_type = \"OnPremises\"\n  sender_domains = [\"*\"]",
        &["\"name\"", "64"],
        "name",
    ),
    (
        "c13",
        CONNECTOR,
        "name = \"n\"\n  connector_type = \"OnPremises\"\n  sender_domains = [\"a.*.example\"]",
        &["a.*.example", "wildcard"],
        "sender_domains",
    ),
    (
        "c13_gateway",
        ROUTE,
        "domain = \"a.*.example\"\n  destination {\n    host = \"mx.example.net\"\n  }",
        &["wildcard"],
        "domain",
    ),
    (
        "c14",
        CONNECTOR,
        "name = \"n\"\n  connector_type = \"OnPremises\"\n  sender_domains = [\"contoso.example\", \"CONTOSO.example\"]",
        &["Duplicate element of \"sender_domains\"", "twice"],
        "sender_domains",
    ),
    (
        "c14_list",
        ROUTE,
        "domain = \"a.example\"\n  destination {\n    host = \"mx.example.net\"\n  }\n  destination {\n    host = \"MX.example.net\"\n  }",
        &["twice"],
        "destination {",
    ),
    (
        "c14_senders",
        GROUP,
        "listener = \"OutgoingMail\"\n  name = \"G\"\n  policy = \"RELAYED\"\n  senders = [\".a.example\", \".A.example\"]",
        &["Duplicate element of \"senders\"", "twice"],
        "senders",
    ),
    (
        "enumeration",
        CONNECTOR,
        "name = \"n\"\n  connector_type = \"partner\"\n  sender_domains = [\"*\"]",
        &["\"connector_type\"", "\"Partner\"", "\"OnPremises\"", "The configuration says \"partner\""],
        "connector_type",
    ),
    (
        "enumeration_gateway",
        DESTINATION,
        "domain = \"a.example\"\n  tls = \"Preferred\"",
        &["\"tls\"", "\"preferred\"", "\"required_verify\""],
        "tls",
    ),
    (
        "enumeration_inside",
        RULE,
        "name = \"n\"\n  conditions {\n    from_scope = \"Inside\"\n  }\n  actions {\n    set_scl = 1\n  }",
        &["from_scope", "\"InOrganization\"", "\"NotInOrganization\""],
        "from_scope",
    ),
    (
        "empty_list",
        RULE,
        "name = \"n\"\n  conditions {\n    sender_ip_ranges = []\n  }\n  actions {\n    set_scl = 1\n  }",
        &["\"sender_ip_ranges\" is empty", "leave it out"],
        "sender_ip_ranges",
    ),
    ("empty_text", CONNECTOR, "SOUND\n  comment = \"\"", &["\"comment\" is empty", "leave it out"], "comment"),
    (
        "empty_conditions",
        RULE,
        "name = \"n\"\n  conditions {}\n  actions {\n    set_scl = 1\n  }",
        &["The conditions say nothing", "leave the block out"],
        "conditions",
    ),
    (
        "empty_actions",
        RULE,
        "name = \"n\"\n  conditions {\n    from_scope = \"InOrganization\"\n  }\n  actions {}",
        &["The rule does nothing", "stop_rule_processing = true"],
        "actions {",
    ),
    (
        "no_actions",
        RULE,
        "name = \"n\"\n  conditions {\n    from_scope = \"InOrganization\"\n  }",
        &["The rule does nothing", "stop_rule_processing = true"],
        "resource",
    ),
    ("c15_zero", DESTINATION, "domain = \"a.example\"\n  concurrency_limit = 0", &["\"concurrency_limit\""], "concurrency_limit"),
    (
        "c15_negative",
        DESTINATION,
        "domain = \"a.example\"\n  max_messages_per_connection = -1",
        &["\"max_messages_per_connection\""],
        "max_messages_per_connection",
    ),
    ("c15_duration", DESTINATION, "domain = \"a.example\"\n  timeouts {\n    create = \"soon\"\n  }", &["soon"], "create"),
    ("c15_no_time", CONNECTOR, "SOUND\n  timeouts {\n    read = \"0s\"\n  }", &["0s"], "read"),
    (
        "c09",
        ROUTE,
        "domain = \"a.example\"\n  destination {\n    host = \"A.example\"\n  }",
        &["leads back to the gateway"],
        "host",
    ),
    (
        "c06_special",
        FILTER,
        "name = \"f\"\n  script = provider::mailflow::relay_filter_script(\"RELAY\", \"X-AUTH\", [\"pa$sw.rd*x\"])",
        &["Secret 1 has a character other than A-Z, a-z and 0-9"],
        "relay_filter_script",
    ),
    (
        "c06_short",
        FILTER,
        "name = \"f\"\n  script = provider::mailflow::relay_filter_script(\"RELAY\", \"X-AUTH\", [\"longenough\", \"short\"])",
        &["Secret 2 is shorter than 8 characters"],
        "relay_filter_script",
    ),
    (
        "c06_header",
        FILTER,
        "name = \"f\"\n  script = provider::mailflow::relay_filter_script(\"RELAY\", \"Subject\", [\"longenough\"])",
        &["Subject is a header that mail systems use themselves"],
        "relay_filter_script",
    ),
    (
        "c06_header_rule",
        RULE,
        "name = \"n\"\n  conditions {\n    from_scope = \"InOrganization\"\n  }\n  actions {\n    set_header_name  = \"Message-ID\"\n    set_header_value = \"v\"\n  }",
        &["set_header_name", "mail itself needs"],
        "set_header_name",
    ),
    ("label", FILTER, "name = \"f\"\n  script = \"f: if (true) { drop(); }\"", &["script", "label"], "script"),
    (
        "g19_newline",
        GROUP,
        "listener = \"OutgoingMail\"\n  name = \"G\"\n  policy = \"RELAYED\"\n  comment = \"one\\ncommit\"",
        &["comment"],
        "comment",
    ),
    (
        "g19_name",
        GROUP,
        "listener = \"OutgoingMail\"\n  name = \"G; commit\"\n  policy = \"RELAYED\"",
        &["name of a sender group"],
        "name",
    ),
    (
        "g19_interrupt",
        "gateway_recipient_access",
        "listener = \"IncomingMail\"\n  recipient = \"a.example\\u0003\"\n  action = \"accept\"",
        &["recipient"],
        "recipient",
    ),
    (
        "together",
        "gateway_recipient_access",
        "listener = \"IncomingMail\"\n  recipient = \"a.example\"\n  action = \"reject\"\n  smtp_response_code = 550",
        &["smtp_response_text"],
        "smtp_response",
    ),
    (
        "requires",
        CONNECTOR,
        "SOUND\n  restrict_domains_to_ip_addresses = true",
        &["restrict_domains_to_ip_addresses", "sender_ip_addresses"],
        "restrict_domains_to_ip_addresses",
    ),
    ("required", CONNECTOR, "name = \"n\"\n  sender_domains = [\"*\"]", &["connector_type"], "resource"),
    ("computed", FILTER, "name = \"f\"\n  script = \"drop();\"\n  position = 1", &["position"], "position"),
    (
        "write_only",
        FILTER,
        "name = \"f\"\n  script_wo = \"drop();\"",
        &["\"script_wo\" requires \"script_wo_version\""],
        "script_wo",
    ),
    (
        "both_forms",
        FILTER,
        "name = \"f\"\n  script = \"drop();\"\n  script_wo = \"drop();\"\n  script_wo_version = 1",
        &["\"script_wo\" conflicts with \"script\""],
        "script_wo",
    ),
];

/// The cases that break a rule of the service: an object that stands may be like that, so they are refused at plan, where it is new.
const AT_PLAN: &[&str] = &[
    "c01_ipv6",
    "c02_wide",
    "c02_none",
    "c03",
    "c11_long",
    "c13",
    "c13_gateway",
    "c14",
    "c14_list",
    "c14_senders",
    "enumeration",
    "empty_conditions",
    "empty_actions",
    "no_actions",
    "c15_zero",
    "c15_negative",
    "c09",
    "c06_header_rule",
    "g19_name",
    "together",
    "requires",
];

/// The cases that the service may have learnt meanwhile: they are warned of at plan.
const WARNED: &[&str] = &["enumeration_inside"];

/// Writes the cases of which that holds; gives them.
fn written(workspace: &crate::support::Workspace<'_>, holds: impl Fn(&str) -> bool) -> Vec<&'static Wrong> {
    let cases: Vec<&Wrong> = WRONG.iter().filter(|case| holds(case.0)).collect();
    let mut hcl = String::new();
    for (label, resource, arguments, ..) in &cases {
        let arguments = arguments.replace("SOUND", SOUND);
        write!(hcl, "resource \"mailflow_{resource}\" \"{label}\" {{\n  {arguments}\n}}\n").expect("a text");
    }
    workspace.write(&hcl);
    cases
}

/// Holds what was said against the cases: one message for each, on its attribute.
fn told(cases: &[&Wrong], said: &[&Said]) {
    let mut missed = Vec::new();
    for (label, resource, arguments, parts, attribute) in cases {
        let address = format!("mailflow_{resource}.{label}");
        let about: Vec<&&Said> = said.iter().filter(|said| said.address == address).collect();
        let fits = |said: &&&&Said| {
            let all = format!("{}\n{}", said.summary, said.detail);
            parts.iter().all(|part| all.contains(part)) && said.line.contains(attribute)
        };
        if about.len() != 1 || about.iter().filter(fits).count() != 1 {
            missed.push(format!("{label}: {arguments}\n  wanted {parts:?} at {attribute}\n  got {about:#?}"));
        }
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), cases.len(), missed.join("\n"));
    assert_eq!(said.len(), cases.len(), "nothing else is wrong\n{said:#?}");
}

#[tokio::test]
async fn c01_to_c15_what_the_service_does_not_take_is_refused_at_plan_on_its_attribute() {
    let world = World::start();
    let workspace = world.workspace("refused").await;
    let cases = written(&workspace, |label| AT_PLAN.contains(&label));
    assert_eq!(cases.len(), AT_PLAN.len());
    workspace.json(&["validate"]).await.good();
    told(&cases, &workspace.try_plan().await.errors());
    let cases = written(&workspace, |label| WARNED.contains(&label));
    let run = workspace.try_plan().await.good();
    told(&cases, &run.warnings());
}

#[tokio::test]
async fn c01_to_c15_wrong_input_is_refused_at_validate_on_its_attribute() {
    let world = World::start();
    let workspace = world.workspace("wrong").await;
    // The provider block is not needed to validate.
    std::fs::write(
        workspace.folder.join("provider.tf"),
        "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n",
    )
    .expect("written");
    let cases = written(&workspace, |label| !AT_PLAN.contains(&label) && !WARNED.contains(&label));
    let run = workspace.json(&["validate"]).await;
    assert_eq!(run.code, Some(1), "{}", run.printed);
    told(&cases, &run.errors());
    for secret in ["pa$sw.rd*x", "\"short\""] {
        let shown = run.said.iter().any(|said| said.summary.contains(secret) || said.detail.contains(secret));
        assert!(!shown, "a message shows the secret {secret}");
    }
    assert_eq!(world.stand_ins.counts().exchange_calls + world.stand_ins.counts().gateway_commands, 0, "nothing was asked");
}

#[tokio::test]
async fn c05_an_open_partner_connector_is_a_warning_on_the_restriction() {
    let world = World::start();
    let workspace = world.workspace("open").await;
    workspace.write(
        "resource \"mailflow_exchange_inbound_connector\" \"c\" {\n  name = \"n\"\n  connector_type = \"Partner\"\n  sender_domains = [\"*\"]\n}\n",
    );
    let run = workspace.json(&["validate"]).await.good();
    assert_eq!(run.warnings().len(), 1, "{}", run.printed);
    run.warnings()[0].holds(&["open to direct delivery", "restrict_domains_to_ip_addresses"]);
}

/// An inbound connector of one's own servers.
fn own(label: &str, more: &str) -> String {
    format!(
        "resource \"mailflow_exchange_inbound_connector\" \"{label}\" {{\n  name = \"{label}\"\n  connector_type = \"OnPremises\"\n  sender_domains = [\"*\"]\n  {more}\n}}\n"
    )
}

fn bypass(label: &str, more: &str) -> String {
    format!(
        "resource \"mailflow_exchange_transport_rule\" \"{label}\" {{\n  name = \"{label}\"\n  conditions {{\n    from_scope = \"NotInOrganization\"\n  }}\n  actions {{\n    set_scl = -1\n  }}\n  {more}\n}}\n"
    )
}

fn allowed(addresses: &str) -> String {
    format!("resource \"mailflow_exchange_connection_filter\" \"f\" {{\n  ip_allow_list = [{addresses}]\n}}\n")
}

/// Plans a configuration, and gives the warnings that hold these words; the plan is without errors.
async fn warned(workspace: &crate::support::Workspace<'_>, hcl: &str, words: &str) -> Vec<Said> {
    workspace.write(hcl);
    let run = workspace.try_plan().await.good();
    let found = run.warnings().into_iter().filter(|said| format!("{}\n{}", said.summary, said.detail).contains(words));
    found.cloned().collect()
}

#[tokio::test]
async fn c04_a_rule_with_scl_minus_1_beside_enhanced_filtering_is_a_warning() {
    const WORDS: &str = "Enhanced Filtering for Connectors";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("scl").await;
    let filtered = own("filtered", "ef_skip_last_ip = true");
    // Both are new: whichever is planned second sees the first, and so do both if they are planned at once.
    let found = warned(&workspace, &format!("{filtered}{}", bypass("around", "")), WORDS).await;
    assert!(matches!(found.len(), 1..=2), "{found:#?}");
    found[0].holds(&["-1", "unless this plan changes that"]);
    // Neither a rule that is off, nor one that only records, nor a connector without it.
    for hcl in [
        format!("{filtered}{}", bypass("around", "enabled = false")),
        format!("{filtered}{}", bypass("around", "mode = \"Audit\"")),
        format!("{}{}", own("plain", ""), bypass("around", "")),
    ] {
        assert_eq!(warned(&workspace, &hcl, WORDS).await.len(), 0, "{hcl}");
    }
    // One of them is somebody else's; a plan lists each kind once.
    exchange
        .put("InboundConnector", "Theirs", &json!({ "SenderDomains": ["smtp:*;1"], "EFSkipIPs": ["203.0.113.10"] }))
        .expect("made");
    exchange.reset_counts();
    let found = warned(&workspace, &bypass("around", ""), WORDS).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].holds(&["\"Theirs\""]).marks("set_scl");
    assert_eq!((exchange.count("Get-InboundConnector"), exchange.count("Get-TransportRule")), (1, 1));
    exchange.remove("InboundConnector", "Theirs").expect("a noun");
    exchange.put("TransportRule", "Their rule", &json!({ "SetSCL": "-1", "FromScope": "NotInOrganization" })).expect("made");
    let found = warned(&workspace, &filtered, WORDS).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].holds(&["\"Their rule\""]).marks("ef_skip_last_ip");
    // What cannot be read is not warned of, and is no error.
    exchange.revoke("Get-TransportRule");
    assert_eq!(warned(&workspace, &filtered, WORDS).await.len(), 0);
}

#[tokio::test]
async fn c20_a_connectors_addresses_in_the_allow_list_are_a_warning() {
    const WORDS: &str = "spam filtering";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("allowed").await;
    let connector = own("gateway", "sender_ip_addresses = [\"203.0.113.10\"]");
    let found = warned(&workspace, &format!("{connector}{}", allowed("\"203.0.113.0/28\"")), WORDS).await;
    assert!(matches!(found.len(), 1..=2), "{found:#?}");
    found[0].holds(&["203.0.113.0/28", "allow list"]);
    assert_eq!(warned(&workspace, &format!("{connector}{}", allowed("\"198.51.100.7\"")), WORDS).await.len(), 0);
    // What stands in the tenant counts, unless this plan changes it.
    exchange.put("HostedConnectionFilterPolicy", "Default", &json!({ "IPAllowList": ["203.0.113.10"] })).expect("changed");
    let found = warned(&workspace, &connector, WORDS).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].holds(&["203.0.113.10"]).marks("sender_ip_addresses");
    let both = connector.replace("{\n", "{\n  depends_on = [mailflow_exchange_connection_filter.f]\n");
    assert_eq!(warned(&workspace, &format!("{both}{}", allowed("\"198.51.100.7\"")), WORDS).await.len(), 0);
}

#[tokio::test]
async fn c18_c09_what_is_not_of_the_tenants_domains_or_leads_back_to_them() {
    const WORDS: &str = "names no domain of the organization";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("domains").await;
    let certificate = |name: &str| own("c", &format!("require_tls = true\n  tls_sender_certificate_name = \"{name}\""));
    let found = warned(&workspace, &certificate("*.iphmx.com"), WORDS).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].holds(&["\"*.iphmx.com\""]).marks("tls_sender_certificate_name");
    for name in ["contoso.com", "*.Example.net", "mail.contoso.com"] {
        assert_eq!(warned(&workspace, &certificate(name), WORDS).await.len(), 0, "{name}");
    }
    assert_eq!(exchange.count("Get-AcceptedDomain"), 4, "once for each plan");

    let to = |host: &str| {
        format!(
            "resource \"mailflow_exchange_outbound_connector\" \"o\" {{\n  name = \"o\"\n  connector_type = \"Partner\"\n  use_mx_record = false\n  smart_hosts = [\"{host}\"]\n}}\n"
        )
    };
    workspace.write(&to("contoso-com.mail.protection.outlook.com"));
    workspace.try_plan().await.error().holds(&["loop", "contoso-com.mail.protection.outlook.com"]).marks("smart_hosts");
    workspace.write(&to("fabrikam-com.mail.protection.outlook.com"));
    workspace.try_plan().await.good();
}

#[tokio::test]
async fn c08_a_secret_that_differs_between_the_sides_is_a_warning_and_is_not_told() {
    const WORDS: &str = "does not accept the header";
    let world = World::start();
    let workspace = world.workspace("secret").await;
    let both = |stamped: &str, accepted: &str| {
        format!(
            "resource \"mailflow_exchange_transport_rule\" \"r\" {{
  name = \"Stamp\"
  conditions {{
    from_scope = \"InOrganization\"
  }}
  actions {{
    set_header_name  = \"X-Auth\"
    set_header_value = \"{stamped}\"
  }}
}}
resource \"mailflow_gateway_message_filter\" \"f\" {{
  name   = \"guard\"
  script = provider::mailflow::relay_filter_script(\"RELAY\", \"X-AUTH\", [{accepted}])
}}
"
        )
    };
    let found = warned(&workspace, &both("onesecret1", "\"othersecret2\""), WORDS).await;
    assert_eq!(found.len(), 1, "whichever is planned second\n{found:#?}");
    found[0].holds(&["Take both from one value"]);
    let shown = format!("{}{}", found[0].summary, found[0].detail);
    assert!(!shown.contains("onesecret1") && !shown.contains("othersecret2"), "{shown}");
    assert_eq!(warned(&workspace, &both("onesecret1", "\"othersecret2\", \"onesecret1\""), WORDS).await.len(), 0);
    // Write-only, too.
    let hidden = both("onesecret1", "\"othersecret2\"")
        .replace("set_header_value =", "set_header_value_wo_version = 1\n    set_header_value_wo =");
    assert_eq!(warned(&workspace, &hidden, WORDS).await.len(), 1);
    // A rule that is off stamps nothing.
    let off = both("onesecret1", "\"othersecret2\"").replace("\"Stamp\"", "\"Stamp\"\n  enabled = false");
    assert_eq!(warned(&workspace, &off, WORDS).await.len(), 0);
}

#[tokio::test]
async fn c10_a_route_to_the_tenant_for_a_domain_that_it_does_not_take_is_a_warning() {
    const WORDS: &str = "does not take mail for this domain";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("one-sided").await;
    let host = "contoso-com.mail.protection.outlook.com";
    let routes = super::run::routes(&[
        ("taken", "contoso.com", host),
        ("foreign", "elsewhere.example", host),
        ("below", "mail.contoso.com", host),
        ("all", "ALL", host),
        ("other", "other.example", "fabrikam-com.mail.protection.outlook.com"),
    ]);
    let found = warned(&workspace, &routes, WORDS).await;
    let about: Vec<&str> = found.iter().map(|said| said.address.as_str()).collect();
    assert_eq!(about.len(), 2, "{found:#?}");
    for label in ["foreign", "below"] {
        assert!(about.contains(&format!("mailflow_gateway_smtp_route.{label}").as_str()), "{found:#?}");
    }
    assert_eq!(exchange.count("Get-AcceptedDomain"), 1);
    // A tenant that takes all below the domain, and one that does not answer.
    exchange
        .put("AcceptedDomain", "contoso.com", &json!({ "DomainType": "InternalRelay", "MatchSubDomains": true }))
        .expect("changed");
    assert_eq!(warned(&workspace, &routes, WORDS).await.len(), 1);
    exchange.revoke("Get-AcceptedDomain");
    assert_eq!(warned(&workspace, &routes, WORDS).await.len(), 0);
}

#[tokio::test]
async fn an_unknown_listener_is_refused_at_plan_with_the_listeners_that_there_are() {
    let world = World::start();
    let workspace = world.workspace("listener").await;
    workspace.write(
        "resource \"mailflow_gateway_recipient_access\" \"r\" {\n  listener = \"incomingmail\"\n  recipient = \"a.example\"\n  action = \"accept\"\n}\n",
    );
    let run = workspace.try_plan().await;
    run.error().holds(&["Unknown listener \"incomingmail\"", "IncomingMail", "OutgoingMail"]).marks("listener");
    assert_eq!(run.error().address, "mailflow_gateway_recipient_access.r");
}

#[tokio::test]
async fn c12_names_in_other_spellings_are_the_same_name() {
    let world = World::start();
    let workspace = world.workspace("spellings").await;
    workspace.write(&super::run::routes(&[("idn", "B\u{fc}cher.Example.", "MX.Example.Net."), ("upper", "SHOUT.Example", "mx")]));
    workspace.converges("after names in other spellings").await;
    assert_eq!(super::run::domains(&world), ["shout.example", "xn--bcher-kva.example"]);
    workspace.destroy().await;
}
