//! What was clicked together over years is exported, checked, applied, destroyed and made again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mailflow::provider::CATALOG;
use mailflow::sandbox::exchange::Oddity;
use mailflow::sandbox::gateway::Behavior;
use mailflow::sandbox::gateway::Edit;
use mailflow::sandbox::gateway::tables::destination::Destination;
use mailflow::sandbox::gateway::tables::filter_script::Script;
use mailflow::sandbox::gateway::tables::hat::{Policy, SenderGroup, Verdict};
use mailflow::sandbox::gateway::tables::parameter::Parameters;
use mailflow::sandbox::gateway::tables::route::SmtpRoute;
use serde_json::{Value as Json, json};

use crate::export::{export, settings, texts};
use crate::support::{Must as _, Workspace, World};

/// What the rule sends and the filter accepts.
const SHARED: &str = "Zx81secretKEY";
/// What the filter accepts, too.
const FORMER: &str = "oldSecret22";
/// What another filter compares, which is not of the guide.
const OTHER: &str = "third-Secret7";
/// What another rule sends.
const ALONE: &str = "lonely Value 9";

/// A sender of no known form.
const UNREADABLE: &str = "10.1.1-5";

const GROUP: &str = "RELAY_O365";

/// Twelve rules, each of another shape: names and members.
fn rules() -> Vec<(&'static str, Json)> {
    let many: Vec<String> = (0..200).map(|number| format!("partner{number}.example")).collect();
    vec![
        ("Bypass spam  filtering - CES", json!({ "SenderIpRanges": ["203.0.113.10", "203.0.113.0/28"], "SetSCL": -1 })),
        (
            "Outbound to Cisco CES",
            json!({
                "FromScope": "InOrganization", "SentToScope": "NotInOrganization", "RouteMessageOutboundConnector": "Outbound to Cisco CES",
                "SetHeaderName": "X-OUTBOUND-AUTH", "SetHeaderValue": SHARED,
            }),
        ),
        (
            "Zwölfte Regel \"Überall\" ✉",
            json!({ "SubjectContainsWords": ["Geheim", "ЁЖ"], "ApplyHtmlDisclaimerText": "<p>${not} %{a} \\ \"template\"</p>", "ApplyHtmlDisclaimerLocation": "Append", "ApplyHtmlDisclaimerFallbackAction": "Wrap" }),
        ),
        ("Many partners", json!({ "SenderDomainIs": many, "PrependSubject": "[Partner] " })),
        (
            "switched OFF",
            json!({ "FromScope": "NotInOrganization", "SetHeaderName": "X-Tag", "SetHeaderValue": ALONE, "State": "Disabled" }),
        ),
        ("Audit only", json!({ "Mode": "Audit", "MessageSizeOver": "10 MB (10,485,760 bytes)", "DeleteMessage": true })),
        (
            "Reject programs",
            json!({ "AttachmentExtensionMatchesWords": ["exe", "bat"], "RejectMessageReasonText": "No programs, please.", "RejectMessageEnhancedStatusCode": "5.7.1" }),
        ),
        (
            "Header \\d+ patterns",
            json!({ "HeaderMatchesMessageHeader": "X-Spam", "HeaderMatchesPatterns": ["^\\d{3}\\s\"x\"$"], "Quarantine": true }),
        ),
        (
            "With exceptions",
            json!({ "FromScope": "NotInOrganization", "ExceptIfSenderDomainIs": ["contoso.com"], "ExceptIfSubjectMatchesPatterns": ["^AW: "], "SetSCL": 5, "StopRuleProcessing": true }),
        ),
        ("all mail", json!({ "SetAuditSeverity": "Low", "Comments": "acts on everything" })),
        (
            "Repeats the secret",
            json!({ "HeaderContainsMessageHeader": "X-OUTBOUND-AUTH", "HeaderContainsWords": [SHARED], "RemoveHeader": "X-OUTBOUND-AUTH" }),
        ),
        ("Has more than we know", json!({ "FromScope": "InOrganization", "SetSCL": 1 })),
    ]
}

fn connectors() -> Vec<(&'static str, &'static str, Json)> {
    vec![
        (
            "InboundConnector",
            "Inbound from Cisco CES",
            json!({ "ConnectorType": "Partner", "SenderDomains": ["smtp:*;1"], "SenderIPAddresses": ["203.0.113.10", "203.0.113.11/32"], "RestrictDomainsToIPAddresses": true, "RequireTls": true }),
        ),
        (
            "InboundConnector",
            "Partner  ÄÖ",
            json!({ "ConnectorType": "Partner", "SenderDomains": ["smtp:Partner.example;10", "smtp:b.example;1"], "TlsSenderCertificateName": "*.partner.example", "RestrictDomainsToCertificate": true, "RequireTls": true }),
        ),
        (
            "InboundConnector",
            "own servers",
            json!({ "ConnectorType": "OnPremises", "SenderDomains": ["smtp:*;1"], "SenderIPAddresses": ["198.51.100.0/24"], "Enabled": false, "Comment": "two\nlines" }),
        ),
        (
            "OutboundConnector",
            "Outbound to Cisco CES",
            json!({ "ConnectorType": "Partner", "IsTransportRuleScoped": true, "UseMXRecord": false, "SmartHosts": ["203.0.113.20", "[203.0.113.21]"], "TlsSettings": "EncryptionOnly" }),
        ),
        (
            "OutboundConnector",
            "To partner",
            json!({ "ConnectorType": "Partner", "RecipientDomains": ["partner.example", "*.partner.example"], "UseMXRecord": true, "TlsSettings": "DomainValidation", "TlsDomain": "*.partner.example" }),
        ),
        (
            "OutboundConnector",
            "In test",
            json!({ "ConnectorType": "OnPremises", "RecipientDomains": ["test.example"], "UseMXRecord": false, "SmartHosts": ["mx.test.example"], "TestMode": true }),
        ),
    ]
}

/// Sets both services up by hand.
fn furnish(world: &World) {
    let (exchange, gateway) = (&world.stand_ins.exchange, &world.stand_ins.gateway);
    for (noun, name, members) in connectors() {
        exchange.put(noun, name, &members).expect("made");
    }
    for (name, members) in rules() {
        exchange.put("TransportRule", name, &members).expect("made");
    }
    exchange
        .put("RemoteDomain", "Partner", &json!({ "DomainName": "*.Partner.example", "AutoReplyEnabled": false }))
        .expect("made");
    exchange.put("AcceptedDomain", "contoso.com", &json!({ "DomainType": "InternalRelay" })).expect("set");
    exchange.put("ArcConfig", "Default", &json!({ "ArcTrustedSealers": ["partner.example", "b.example"] })).expect("set");
    exchange
        .put("HostedConnectionFilterPolicy", "Default", &json!({ "IPAllowList": ["203.0.113.10"], "EnableSafeList": true }))
        .expect("set");
    exchange.put("OrganizationConfig", "contoso.onmicrosoft.com", &json!({ "RejectDirectSend": true })).expect("set");
    exchange.put("DkimSigningConfig", "contoso.com", &json!({ "DomainName": "contoso.com", "Enabled": true })).expect("made");
    exchange.show("TransportRule", "Has more than we know", Oddity::exception("ContentMatchesPrompt")).expect("it is there");
    exchange.show("InboundConnector", "own servers", Oddity::members(&json!({ "EFTestMode": true }))).expect("it is there");

    let script = |name: &str, body: &str| Edit::Add {
        path: "/filters/-".to_owned(),
        value: json!({ "name": name, "active": true, "body": body }),
    };
    gateway.edit_paths(&[
        script("tag_it", "if (recv-listener == \"IncomingMail\") {\n    insert-header(\"X-Came\", \"from ${outside} \\\\d\");\n}"),
        script(
            "office365_outbound",
            &format!(
                "if   (SENDERGROUP == '^{GROUP}$')\n{{\n  IF (header('X-OUTBOUND-AUTH')   == '^({SHARED}|{FORMER})$') {{ strip-header('X-OUTBOUND-AUTH'); }}\n  else {{ drop(); }}\n}}"
            ),
        ),
        script(
            "older_guard",
            &format!("if (sendergroup == \"^OLD$\") and (header(\"X-Old\") != \"^{OTHER}$\") {{\n    log(\"no {SHARED} there\");\n    drop();\n}}"),
        ),
        Edit::Add { path: "/filters/-".to_owned(), value: json!({ "name": "asleep", "active": false, "body": "if (true) {\n    skip-filters();\n}" }) },
    ])
    .expect("made");
    gateway.edit(|configuration| {
        let group = |name: &str, senders: &[&str], policy: &str, comment: &str| SenderGroup {
            name: name.to_owned(),
            senders: senders.iter().map(|sender| (*sender).to_owned()).collect(),
            countries: Vec::new(),
            verdict: Verdict::Policy(policy.to_owned()),
            comment: comment.to_owned(),
        };
        for listener in &mut configuration.listeners {
            let is_private = listener.rat.is_none();
            let policy = if is_private { "RELAYED" } else { "ACCEPTED" };
            let groups = &mut listener.hat.groups;
            groups.insert(
                0,
                group("BY_HAND", &["192.0.2.", "10.1.1.1-5", "mail.Example.com", ".example.net"], policy, "made by hand (2019)"),
            );
            let many: Vec<String> = (0..120).map(|number| format!("192.0.2.{number}")).collect();
            groups.insert(1, SenderGroup { senders: many, ..group("MANY", &[], policy, "") });
            // A sender that nobody can read.
            groups.push(group("TORN", &[UNREADABLE], policy, ""));
            listener.hat.policies.push(Policy {
                name: "HAND_MADE".to_owned(),
                behavior: if is_private { Behavior::Relay } else { Behavior::Accept },
                parameters: Parameters::of(&[("tls", "required".into()), ("max_rcpts_per_msg", 77.into())]),
            });
            // A row that nobody can read.
            let odd = Policy { name: "ODD NAME".to_owned(), behavior: Behavior::Accept, parameters: Parameters::default() };
            listener.hat.policies.push(odd);
            let groups = &mut listener.hat.groups;
            if is_private {
                groups.insert(0, group(GROUP, &[".protection.outlook.com"], "RELAYED", "Microsoft 365 outbound"));
                // An entry without a name: a row that nobody can name.
                groups.insert(2, group("", &["198.51.100.77"], "BLOCKED", ""));
            }
        }
        if let Some(rat) = configuration.listeners.iter_mut().find_map(|listener| listener.rat.as_mut()) {
            use mailflow::sandbox::gateway::tables::recipient::{Access, Recipient, Response, Treatment};
            let plain = Treatment::plain(Access::Accept);
            let refused = Treatment {
                response: Some(Response { code: 550, text: "Not \"here\" ".trim().to_owned() }),
                ..Treatment::plain(Access::Reject)
            };
            rat.entries.push(Recipient { address: "example.com".to_owned(), treatment: plain.clone() });
            rat.entries.push(Recipient { address: ".Example.org".to_owned(), treatment: plain });
            rat.entries.push(Recipient { address: "former@".to_owned(), treatment: refused });
        }
        let route = |domain: &str, destinations: &[&str]| SmtpRoute {
            domain: domain.to_owned(),
            destinations: destinations.iter().map(|one| (*one).to_owned()).collect(),
            authentication: None,
        };
        configuration.smtp_routes.push(route("example.com", &["example-com.mail.protection.outlook.com"]));
        configuration.smtp_routes.push(route(".example.org", &["[192.0.2.25]:2525/pri=10", "mx.example.org/pri=20"]));
        configuration.smtp_routes.push(route("ALL", &["USEDNS"]));
        configuration.smtp_routes.push(route("dead.example", &["/dev/null"]));
        let entry = Destination { concurrency: Some(10), messages_per_connection: Some(20), ..Destination::new("example.com") };
        configuration.destination_controls.entries.push(entry);
        configuration.destination_controls.default.concurrency = 321;
    });
}

/// The values of the variables, by the names that the export gave them: told by where they stand.
fn values(files: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let variables = &files["variables.tf"];
    let names: Vec<&str> = variables.split("variable \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let value = |name: &&str| {
        let about =
            variables.split(&format!("variable \"{name}\"")).nth(1).and_then(|rest| rest.split("\n}").next()).expect("a block");
        let value = if about.contains("Outbound to Cisco CES") {
            SHARED
        } else if about.contains("office365_outbound") {
            FORMER
        } else if about.contains("older_guard") {
            OTHER
        } else {
            assert!(about.contains("switched OFF"), "{about}");
            ALONE
        };
        (format!("TF_VAR_{name}"), value.to_owned())
    };
    let values: Vec<_> = names.iter().map(value).collect();
    let distinct: BTreeSet<_> = values.iter().map(|(_, value)| value).collect();
    assert_eq!(distinct.len(), 4, "one variable for each secret: {names:?}");
    assert_eq!(values.len(), 4, "equal ones are one: {names:?}");
    values
}

async fn workspace_of<'w>(world: &'w World, name: &str, files: &BTreeMap<String, String>) -> Workspace<'w> {
    let workspace = world.workspace(name).await;
    std::fs::remove_file(workspace.folder.join("provider.tf")).expect("removed");
    for (name, text) in files {
        std::fs::write(workspace.folder.join(name), text).expect("written");
    }
    workspace
}

fn holds_no_secret(files: &BTreeMap<String, String>, world: &World) {
    let own = [world.stand_ins.exchange.client_secret(), world.stand_ins.gateway.password().to_owned()];
    for secret in [SHARED, FORMER, OTHER, ALONE].into_iter().chain(own.iter().map(String::as_str)) {
        for (name, text) in files {
            assert!(!text.contains(secret), "{secret} stands in {name}:\n{text}");
        }
    }
}

fn refers(files: &BTreeMap<String, String>) {
    let all: String = files.values().flat_map(|text| text.split_whitespace()).collect::<Vec<_>>().join(" ");
    for wanted in [
        "route_message_outbound_connector = mailflow_exchange_outbound_connector.outbound_to_cisco_ces.name",
        "guarded_by = mailflow_gateway_message_filter.office365_outbound.name",
        "policy = mailflow_gateway_mail_flow_policy.relayed.name",
        "locals { relay_o365_group = \"RELAY_O365\" }",
        "name = local.relay_o365_group",
        "= provider::mailflow::relay_filter_script(local.relay_o365_group, \"X-OUTBOUND-AUTH\", [var.",
        "header(\"X-Old\") != \"^${var.older_guard_secret}$\"",
        "header_contains_words = [nonsensitive(var.outbound_to_cisco_ces_set_header_value)]",
    ] {
        assert!(
            all.contains(wanted),
            "{wanted}\n{}\n{}",
            files["gateway_message_filter.tf"],
            files["exchange_transport_rule.tf"]
        );
    }
    for file in ["exchange_transport_rule.tf", "gateway_message_filter.tf", "gateway_sender_group.tf"] {
        let text = &files[file];
        assert!(!text.contains("before ") && !text.contains("priority "), "{file}: places are said by the order\n{text}");
    }
}

fn command_line(workspace: &Path) -> BTreeMap<String, String> {
    let is_configuration = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "tf");
    texts(workspace).into_iter().filter(|(name, _)| is_configuration(name)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_grew_over_years_is_taken_over_destroyed_and_made_again() {
    let world = World::start();
    furnish(&world);
    let before = world.stand_ins.snapshot();
    let homes = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let checked = export(&world, homes[0].path(), &["--check"]).await;
    let told = String::from_utf8_lossy(&checked.stderr).into_owned();
    let files = texts(homes[0].path());
    let count = files["imports.tf"].matches("import {").count();
    assert!(told.contains(&format!("Plan: {count} to import, 0 to add, 0 to change, 0 to destroy.")), "{told}");
    assert_eq!(checked.status.code(), Some(0), "{told}");
    assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    assert!(files.keys().all(|name| [".tf", ".md"].iter().any(|end| name.ends_with(end))), "{:?}", files.keys());
    // The same bytes, and the folder that stands is left alone.
    assert!(export(&world, homes[1].path(), &[]).await.status.success());
    assert_eq!(files, texts(homes[1].path()), "the same objects make the same bytes");
    std::fs::write(homes[1].path().join("imports.tf"), "# mine\n").expect("written");
    let again = export(&world, homes[1].path(), &["--check"]).await;
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(texts(homes[1].path())["imports.tf"], "# mine\n");
    holds_no_secret(&files, &world);
    refers(&files);
    assert!(files["README.md"].contains("cannot read"), "{}", files["README.md"]);
    for resource in CATALOG.resources {
        let kind = format!("to = mailflow_{}.", resource.name);
        assert!(files["imports.tf"].contains(&kind), "there is one of the kind {}", resource.name);
    }
    // A user at any domain comes behind the domain that takes it, as it does where it stands.
    let recipients = files["gateway_recipient_access.tf"].split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(recipients.contains("depends_on = [mailflow_gateway_recipient_access.example_com"), "{recipients}");

    let workspace = workspace_of(&world, "brownfield", &files).await;
    let (own, _) = settings(&world);
    let environment: Vec<(String, String)> =
        own.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(values(&files)).collect();
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    workspace.run(&["fmt", "-check", "-diff", "-no-color"]).await.must("the layout");
    let applied = workspace.run_with(&["apply", "-auto-approve", "-no-color"], &environment).await.must("apply");
    assert!(applied.stdout.contains(&format!("{count} imported, 0 added, 0 changed, 0 destroyed")), "{}", applied.stdout);
    assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    let planned = workspace.run_with(&["plan", "-no-color", "-detailed-exitcode"], &environment).await;
    assert_eq!(planned.code, Some(0), "{}{}", planned.stdout, planned.stderr);

    // Exported against what is managed now, nothing is left.
    let shown = workspace.run(&["show", "-json"]).await.must("show");
    let state = homes[1].path().join("state.json");
    std::fs::write(&state, &shown.stdout).expect("written");
    for against in [state.as_path(), homes[0].path()] {
        let nothing = tempfile::tempdir().expect("a folder");
        let none = export(&world, &nothing.path().join("none"), &["--against", against.to_str().expect("a path")]).await;
        let told = String::from_utf8_lossy(&none.stderr).into_owned();
        assert!(told.contains("managed already") && !nothing.path().join("none").exists(), "{told}");
        assert_eq!(none.status.code(), Some(0), "{told}");
    }

    std::fs::remove_file(workspace.folder.join("imports.tf")).expect("removed");
    let leaving = workspace.run_with(&["plan", "-destroy", "-no-color"], &environment).await.must("the plan of destroy");
    for lost in ["exceptions: ContentMatchesPrompt", "EFTestMode", UNREADABLE] {
        assert!(leaving.stdout.contains(lost), "the plan names what is lost: {lost}\n{}", leaving.stdout);
    }
    // A policy that a group uses which stays (`ALL`, and rows that nobody can read) cannot be deleted; all else is gone.
    let destroyed = workspace.run_with(&["destroy", "-auto-approve", "-no-color"], &environment).await;
    let errors = destroyed.stderr.matches("Error: ").count();
    let kept = ["ACCEPTED", "BLOCKED"].map(|name| format!("Error: Unable to delete mail flow policy \"{name}\""));
    assert!(errors == kept.len() && kept.iter().all(|error| destroyed.stderr.contains(error)), "{}", destroyed.stderr);
    let gone = world.stand_ins.gateway.configuration();
    assert!(gone.filters.is_empty() && gone.smtp_routes.iter().all(|route| route.domain == "ALL"));
    assert!(world.stand_ins.exchange.object("TransportRule", "Many partners").is_none());
    // What is not known cannot be made again, which the plan says; taken out of the files, all else is.
    let refused = workspace.run_with(&["plan", "-no-color"], &environment).await;
    assert!(!refused.succeeded() && refused.stderr.contains("unmanaged"), "{}{}", refused.stdout, refused.stderr);
    // Signing waits for its records.
    let dns = crate::dkim::server(0);
    for (name, text) in command_line(&workspace.folder) {
        let text = if name == "exchange_dkim_activation.tf" {
            text.replacen("{\n", &format!("{{\n  resolvers = [\"{}\"]\n", dns.address), 1)
        } else {
            text
        };
        let kept: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("unmanaged ")).collect();
        std::fs::write(workspace.folder.join(name), kept.join("\n") + "\n").expect("written");
    }
    workspace.run_with(&["apply", "-auto-approve", "-no-color"], &environment).await.must("made again");
    // The files, which had nothing to change about what stood, have nothing to change now.
    let planned = workspace.run_with(&["plan", "-no-color", "-detailed-exitcode"], &environment).await;
    assert_eq!(planned.code, Some(0), "{}{}", planned.stdout, planned.stderr);
    stands_as_before(before, world.stand_ins.snapshot());
}

/// Ends the test unless all stands as it did, as far as it means something: neither identifiers of what was made anew, nor the spelling of a name or
/// an address, nor the order of a set.
#[track_caller]
fn stands_as_before(before: (Json, Json), after: (Json, Json)) {
    let mut differences = Vec::new();
    for (side, before, after) in [("exchange", before.0, after.0), ("gateway", before.1, after.1)] {
        differ(side, &meant(before), &meant(after), &mut differences);
    }
    // What is not known was named by the plan.
    differences.retain(|difference| !difference.contains(UNREADABLE));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// A snapshot in one spelling.
fn meant(value: Json) -> Json {
    match value {
        Json::Object(mut members) => {
            for own in ["Guid", "KeyCreationTime", "RotateOnDate", "Selector1KeySize", "Selector2KeySize"] {
                members.remove(own);
            }
            if let (Some(Json::String(name)), Some(Json::String(body))) = (members.get("name"), members.get("body")) {
                let script = Script::parse(&format!("{name}: {body}")).expect("a filter");
                let meaning = script[0].print().replace('\'', "\"");
                members.insert("body".to_owned(), meaning.into());
            }
            if let (Some(defaults), Some(Json::Array(policies))) = (members.get("defaults").cloned(), members.get_mut("policies"))
            {
                for policy in policies.iter_mut() {
                    in_force(&defaults, &mut policy["parameters"]);
                }
            }
            Json::Object(members.into_iter().map(|(name, value)| (name, meant(value))).collect())
        }
        Json::Array(elements) => {
            // A group without a name is none of ours; what is made anew comes behind it.
            let elements = elements.into_iter().filter(|element| element["name"] != "");
            let mut elements: Vec<Json> = elements.map(meant).collect();
            let key = |element: &Json| ["address", "domain"].iter().find_map(|key| element[*key].as_str().map(str::to_owned));
            // Policies, routes and the like are told by their names; of groups, filters and rules the order counts.
            if elements.iter().all(|element| !element.is_object()) {
                elements.sort_by_key(ToString::to_string);
            } else if elements.iter().all(|element| key(element).is_some()) {
                elements.sort_by_key(key);
            } else if elements.iter().all(|element| element["behavior"].is_string() && element["parameters"].is_object()) {
                elements.sort_by_key(|element| element["name"].to_string());
            }
            Json::Array(elements)
        }
        Json::Number(number) => Json::String(number.to_string()),
        Json::String(text) => {
            let text = text.to_lowercase().replace(['[', ']'], "");
            Json::String(text.trim_end_matches("/32").replace(":25/", "/"))
        }
        other => other,
    }
}

/// The parameters of a policy that it does not have itself are those of the listener.
fn in_force(defaults: &Json, parameters: &mut Json) {
    let own = parameters.as_object().cloned().unwrap_or_default();
    let mut all = defaults.as_object().cloned().unwrap_or_default();
    all.extend(own);
    *parameters = Json::Object(all);
}

fn differ(path: &str, one: &Json, other: &Json, found: &mut Vec<String>) {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            for name in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
                let absent = Json::Null;
                differ(&format!("{path}.{name}"), one.get(name).unwrap_or(&absent), other.get(name).unwrap_or(&absent), found);
            }
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differ(&format!("{path}[{index}]"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{path}: {one} -> {other}")),
    }
}
