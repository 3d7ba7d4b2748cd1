//! Bad input, at `validate`: before anything is asked of a service, and without a configured provider.

use std::fmt::Write as _;

use crate::run::{Runs, Said};
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
    ("c13_gateway", ROUTE, "domain = \"a.*.example\"\n  destinations = [{ host = \"mx.example.net\" }]", &["wildcard"], "domain"),
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
        "domain = \"a.example\"\n  destinations = [{ host = \"mx.example.net\" }, { host = \"MX.example.net\" }]",
        &["twice"],
        "destinations",
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
        "name = \"n\"\n  conditions = { from_scope = \"Inside\" }\n  actions = { set_scl = 1 }",
        &["from_scope", "\"InOrganization\"", "\"NotInOrganization\""],
        "conditions",
    ),
    (
        "empty_list",
        RULE,
        "name = \"n\"\n  conditions = { sender_ip_ranges = [] }\n  actions = { set_scl = 1 }",
        &["\"sender_ip_ranges\" is empty", "leave it out"],
        "conditions",
    ),
    ("empty_text", CONNECTOR, "SOUND\n  comment = \"\"", &["\"comment\" is empty", "leave it out"], "comment"),
    (
        "empty_object",
        RULE,
        "name = \"n\"\n  conditions = {}\n  actions = { set_scl = 1 }",
        &["\"conditions\" is empty", "leave it out"],
        "conditions",
    ),
    ("c15_zero", DESTINATION, "domain = \"a.example\"\n  concurrency_limit = 0", &["\"concurrency_limit\""], "concurrency_limit"),
    (
        "c15_negative",
        DESTINATION,
        "domain = \"a.example\"\n  max_messages_per_connection = -1",
        &["\"max_messages_per_connection\""],
        "max_messages_per_connection",
    ),
    ("c15_duration", DESTINATION, "domain = \"a.example\"\n  timeouts = { create = \"soon\" }", &["soon"], "timeouts"),
    ("c15_no_time", CONNECTOR, "SOUND\n  timeouts = { read = \"0s\" }", &["0s"], "timeouts"),
    ("c09", ROUTE, "domain = \"a.example\"\n  destinations = [{ host = \"A.example\" }]", &["leads back to the gateway"], "host"),
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
        "name = \"n\"\n  conditions = { from_scope = \"InOrganization\" }\n  actions = { set_header_name = \"Message-ID\", set_header_value = \"v\" }",
        &["set_header_name", "mail itself needs"],
        "actions",
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
    let mut hcl = String::new();
    for (label, resource, arguments, ..) in WRONG {
        let arguments = arguments.replace("SOUND", SOUND);
        write!(hcl, "resource \"mailflow_{resource}\" \"{label}\" {{\n  {arguments}\n}}\n").expect("a text");
    }
    workspace.write(&hcl);
    let run = workspace.json(&["validate"]).await;
    assert_eq!(run.code, Some(1), "{}", run.printed);
    let mut missed = Vec::new();
    for (label, resource, arguments, parts, attribute) in WRONG {
        let address = format!("mailflow_{resource}.{label}");
        let about: Vec<&Said> = run.errors().into_iter().filter(|said| said.address == address).collect();
        let fits = |said: &&&Said| {
            let all = format!("{}\n{}", said.summary, said.detail);
            parts.iter().all(|part| all.contains(part)) && said.line.contains(attribute)
        };
        if about.len() != 1 || about.iter().filter(fits).count() != 1 {
            missed.push(format!("{label}: {arguments}\n  wanted {parts:?} at {attribute}\n  got {about:#?}"));
        }
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), WRONG.len(), missed.join("\n"));
    assert_eq!(run.errors().len(), WRONG.len(), "nothing else is wrong\n{}", run.printed);
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
    workspace.write(&crate::run::routes(&[("idn", "B\u{fc}cher.Example.", "MX.Example.Net."), ("upper", "SHOUT.Example", "mx")]));
    workspace.converges("after names in other spellings").await;
    assert_eq!(crate::run::domains(&world), ["shout.example", "xn--bcher-kva.example"]);
    workspace.destroy().await;
}
