//! Exchange Online as real tenants have it: sizes and priorities, connectors that are hidden or kept disabled, values that would cost time, what stands
//! between us and the service, and limits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mailflow::sandbox::exchange::{Fault, Options, What};
use mailflow::sandbox::gateway;
use serde_json::{Value as Json, json};

use crate::faults::run::{Run, Runs, connector, world};
use crate::support::{Workspace, World};

const INBOUND: &str = "mailflow_exchange_inbound_connector";
const OUTBOUND: &str = "mailflow_exchange_outbound_connector";
const RULE: &str = "mailflow_exchange_transport_rule";

/// What the two warnings of MC1226222 say.
const ALONE: &str = "addresses alone";
const FOREIGN: &str = "names no domain of the organization";

/// The service waits for 45 s until its servers agree: what takes less was not waited for.
const AT_ONCE: Duration = Duration::from_secs(40);

/// A page of a proxy.
fn page(on: &str, status: u16) -> Fault {
    let body = "<!DOCTYPE html><html><head><title>Blocked by Example Proxy</title></head><body>No.</body></html>".to_owned();
    let headers = [("Content-Type".to_owned(), "text/html".to_owned())].into();
    Fault::new(on, What::Answer { status, headers, body, acts: false }).times(1000)
}

/// Ends the test unless nothing was written.
#[track_caller]
fn nothing_written(world: &World, what: &str) {
    let written: Vec<String> =
        world.stand_ins.exchange.calls().into_iter().map(|call| call.cmdlet).filter(|name| !name.starts_with("Get-")).collect();
    assert!(written.is_empty(), "{what}: {written:?}");
}

fn rule(conditions: &Json, actions: &Json) -> Json {
    json!({ "name": "rule", "conditions": conditions, "actions": actions })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx7_rx6_sizes_and_priorities_are_imported_set_and_planned_empty_in_every_grouping() {
    for grouping in [",", "\u{202f}"] {
        let world = world(Options { size_grouping: grouping.into(), ..Options::default() }, gateway::Options::default());
        let exchange = &world.stand_ins.exchange;
        let made = json!({ "FromScope": "InOrganization", "SetSCL": 1, "MessageSizeOver": "97.66 KB (100,000 bytes)", "AttachmentSizeOver": "Unlimited" });
        exchange.put("TransportRule", "by hand", &made).expect("made");
        let connected =
            json!({ "ConnectorType": "OnPremises", "Enabled": true, "SenderDomains": ["smtp:Partner.example;10", "smtp:*;1"] });
        exchange.put("InboundConnector", "by hand", &connected).expect("made");
        let workspace = world.workspace("sizes").await;
        let resources = |comment: Json| {
            let conditions =
                json!({ "from_scope": "InOrganization", "message_size_over": "100000 B", "attachment_size_over": "unlimited" });
            let mut sized = rule(&conditions, &json!({ "set_scl": 1 }));
            (sized["name"], sized["comments"]) = (json!("by hand"), comment.clone());
            let domains = json!(["partner.example;10", "*"]);
            let prior = json!({ "name": "by hand", "connector_type": "OnPremises", "sender_domains": domains, "require_tls": false, "comment": comment });
            [(RULE, "r", sized), (INBOUND, "c", prior)]
        };
        workspace.write_resources(resources(Json::Null));
        let ids = [(format!("{RULE}.r"), "by hand".to_owned()), (format!("{INBOUND}.c"), "by hand".to_owned())];
        workspace.write_imports(&BTreeMap::from(ids));
        workspace.apply().await;
        nothing_written(&world, "an import of what stands");
        std::fs::remove_file(workspace.folder.join("imports.tf")).expect("removed");
        workspace.must_plan_nothing("after the import").await;
        workspace.write_resources(resources(json!("changed")));
        workspace.try_apply().await.good();
        let object = exchange.object("TransportRule", "by hand").expect("there");
        assert_eq!((&object["MessageSizeOver"], &object["Comments"]), (&json!("97.66 KB (100,000 bytes)"), &json!("changed")));

        // The same sizes and priorities can be set, in the service's words and in other ones.
        let words = format!("97.66 KB (100{grouping}000 bytes)");
        let set = |size: &str, cost: u32| {
            let mut one =
                rule(&json!({ "message_size_over": size, "attachment_size_over": "10240 KB" }), &json!({ "set_scl": 1 }));
            one["name"] = json!("ours");
            let domains = json!([format!("smtp:a.example;{cost}"), "b.example"]);
            [
                (RULE, "r", one),
                (INBOUND, "c", json!({ "name": "ours", "connector_type": "OnPremises", "sender_domains": domains })),
            ]
        };
        let other = world.workspace("set").await;
        for (size, cost, stored) in [
            (words.as_str(), 7, "97.66 KB (100,000 bytes)"),
            ("100001", 8, "97.66 KB (100,001 bytes)"),
            ("Unlimited", 100, "Unlimited"),
        ] {
            other.write_resources(set(size, cost));
            other.try_apply().await.good();
            other.must_plan_nothing(&format!("with {size}")).await;
            assert_eq!(exchange.object("TransportRule", "ours").expect("there")["MessageSizeOver"], stored);
            let domains = exchange.object("InboundConnector", "ours").expect("there")["SenderDomains"].clone();
            assert_eq!(domains, json!([format!("smtp:a.example;{cost}"), "smtp:b.example;1"]));
        }
        exchange.reset_counts();
        other.write_resources(set("97.66 KB", 101));
        let run = other.try_plan().await;
        run.error_of(&format!("{RULE}.r")).holds(&["whole bytes", "Unlimited"]);
        run.error_of(&format!("{INBOUND}.c")).holds(&["1 to 100"]);
        nothing_written(&world, "what is refused at plan");
    }
}

#[tokio::test]
async fn rx8_both_restrictions_of_a_connector_are_a_warning_and_are_in_force() {
    let world = World::start();
    let workspace = world.workspace("both").await;
    let more = "restrict_domains_to_certificate = true\n  tls_sender_certificate_name = \"mail.partner.example\"";
    workspace.write(&connector("c", "Both", more));
    let run = workspace.try_apply().await.good();
    assert!(run.warnings().iter().any(|said| said.summary.contains("Two restrictions")), "{}", run.printed);
    workspace.must_plan_nothing("with both restrictions").await;
    let made = world.stand_ins.exchange.object("InboundConnector", "Both").expect("there");
    assert_eq!((&made["RestrictDomainsToCertificate"], &made["RestrictDomainsToIPAddresses"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn rx9_a_connector_that_is_for_tests_and_for_rules_is_made_read_imported_and_named_by_a_rule() {
    let world = world(Options { hide_scoped_connectors: true, ..Options::default() }, gateway::Options::default());
    let exchange = &world.stand_ins.exchange;
    let arguments = |comment: Json| {
        json!({
            "name": "hidden twice", "connector_type": "Partner", "use_mx_record": false, "smart_hosts": ["203.0.113.20"],
            "is_transport_rule_scoped": true, "test_mode": true, "comment": comment,
        })
    };
    let workspace = world.workspace("made").await;
    let routed = rule(
        &json!({ "from_scope": "InOrganization" }),
        &json!({ "route_message_outbound_connector": format!("${{{OUTBOUND}.c.name}}") }),
    );
    workspace.write_resources([(OUTBOUND, "c", arguments(Json::Null)), (RULE, "r", routed.clone())]);
    let begin = Instant::now();
    workspace.try_apply().await.good();
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    workspace.must_plan_nothing("after the create").await;

    let other = world.workspace("imported").await;
    other.write_resources([(OUTBOUND, "c", arguments(Json::Null))]);
    other.write_imports(&BTreeMap::from([(format!("{OUTBOUND}.c"), "hidden twice".to_owned())]));
    other.apply().await;
    std::fs::remove_file(other.folder.join("imports.tf")).expect("removed");
    other.must_plan_nothing("after the import").await;
    other.write_resources([(OUTBOUND, "c", arguments(json!("changed")))]);
    other.try_apply().await.good();
    assert_eq!(exchange.object("OutboundConnector", "hidden twice").expect("there")["Comment"], "changed");

    // A name that it has is taken.
    let third = world.workspace("taken").await;
    third.write_resources([(OUTBOUND, "c", arguments(Json::Null))]);
    third.try_plan().await.error().holds(&["\"hidden twice\" already exists"]);
    workspace.write_resources([(OUTBOUND, "c", arguments(json!("changed"))), (RULE, "r", routed)]);
    workspace.destroy().await;
    assert!(exchange.object("OutboundConnector", "hidden twice").is_none(), "it is not left behind");
}

#[tokio::test]
async fn rx2_a_connector_that_is_made_disabled_is_told_with_the_way_out_and_not_waited_for() {
    let world = world(Options { connectors_kept_disabled: true, ..Options::default() }, gateway::Options::default());
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("disabled").await;
    workspace.write(&connector("c", "New", ""));
    let run = workspace.try_apply().await.good();
    let said: Vec<_> =
        run.warnings().into_iter().filter(|said| said.detail.contains("open a case with Microsoft support")).collect();
    assert!(said.iter().any(|said| said.detail.contains("disabled state")), "{}", run.printed);
    assert!(said.iter().any(|said| said.summary.contains("not all of it is as planned")), "{}", run.printed);
    assert_eq!(exchange.count("Set-InboundConnector"), 0, "no second write is tried");
    let looks = exchange.count("Get-InboundConnector");
    assert!(looks <= 8, "{looks} looks");
    let stored = workspace.stored();
    assert!(stored[&format!("{INBOUND}.c")]["tainted"].is_null());

    // To enable it by Terraform is refused by the service, which is said at once, too.
    exchange.reset_counts();
    let run = workspace.try_apply().await;
    run.error().holds(&["open a case with Microsoft support"]);
    let looks = exchange.count("Get-InboundConnector");
    assert!(looks <= 8, "{looks} looks");
    assert_eq!(exchange.count("Remove-InboundConnector") + exchange.count("New-InboundConnector"), 0);

    // What else changes is changed, and a connector that is to be disabled has no trouble.
    workspace.write(&connector("c", "New", "enabled = false\n  comment = \"later\""));
    workspace.converges("disabled by the configuration").await;
    assert_eq!(exchange.object("InboundConnector", "New").expect("there")["Comment"], "later");

    // Support enables it.
    exchange.put("InboundConnector", "New", &json!({ "Enabled": true })).expect("changed");
    workspace.write(&connector("c", "New", "comment = \"later\""));
    workspace.converges("after support enabled it").await;
    assert_eq!(exchange.count("Remove-InboundConnector"), 0);
}

/// Plans one resource, and gives the one error; nothing was written.
async fn refused(world: &World, workspace: &Workspace<'_>, kind: &str, arguments: Json) -> Run {
    world.stand_ins.exchange.reset_counts();
    workspace.write_resources([(kind, "x", arguments)]);
    let run = workspace.try_apply().await;
    assert!(!run.errors().is_empty(), "{}", run.printed);
    nothing_written(world, &run.printed);
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx10_what_would_be_waited_for_in_vain_is_refused_at_plan() {
    let recipients =
        [("All Employees".to_owned(), "all@contoso.com".to_owned()), ("Alle".to_owned(), "alle@contoso.com".to_owned())];
    let world = world(Options { recipients: recipients.into(), ..Options::default() }, gateway::Options::default());
    let workspace = world.workspace("vain").await;
    let scl = || json!({ "set_scl": 1 });
    for (kind, arguments, parts) in [
        (
            RULE,
            rule(&json!({ "sent_to_member_of": ["all employees"] }), &scl()),
            &["\"all employees\" is not an email address", "Use `all@contoso.com`"][..],
        ),
        (RULE, rule(&json!({ "from": ["Nobody Known"] }), &scl()), &["is not an email address", "primary email address"]),
        (
            RULE,
            rule(&json!({ "from_scope": "InOrganization" }), &json!({ "blind_copy_to": ["All Employees"] })),
            &["`all@contoso.com`", "blind_copy_to"],
        ),
        (RULE, rule(&json!({ "subject_contains_words": ["Invoice", "invoice"] }), &scl()), &["twice, or in two spellings"]),
        (RULE, rule(&json!({ "subject_matches_patterns": ["^Invoice", "^invoice"] }), &scl()), &["differ in case only"]),
        (RULE, rule(&json!({ "from": ["a@contoso.com", "A@Contoso.com"] }), &scl()), &["twice, or in two spellings"]),
        (RULE, rule(&json!({ "from": [""] }), &scl()), &["An element is empty", "leave it out"]),
        (
            RULE,
            rule(&json!({ "from_scope": "InOrganization" }), &json!({ "route_message_outbound_connector": "Nowhere" })),
            &["There is no outbound connector \"Nowhere\""],
        ),
        (
            INBOUND,
            json!({ "name": "x", "connector_type": "Partner", "sender_domains": [] }),
            &["takes mail from nowhere", "[\"*\"]"],
        ),
        (INBOUND, json!({ "name": "x\u{200b}", "connector_type": "Partner", "sender_domains": ["*"] }), &["U+200B"]),
        (INBOUND, json!({ "name": "x\u{202e}", "connector_type": "Partner", "sender_domains": ["*"] }), &["U+202E"]),
        (
            INBOUND,
            json!({ "name": "x", "comment": "a\u{1b}[2Jb", "connector_type": "Partner", "sender_domains": ["*"] }),
            &["U+001B"],
        ),
        (INBOUND, json!({ "name": "n".repeat(20_000), "connector_type": "Partner", "sender_domains": ["*"] }), &["characters"]),
        (
            INBOUND,
            json!({ "name": "x", "connector_type": "Partner", "sender_domains": ["*", "smtp:*;1"] }),
            &["twice, or in two spellings"],
        ),
    ] {
        let run = refused(&world, &workspace, kind, arguments.clone()).await;
        let all: Vec<String> = run.errors().iter().map(|said| format!("{}\n{}", said.summary, said.detail)).collect();
        let all = all.join("\n");
        for part in parts {
            assert!(all.contains(part), "{part}: {arguments}\n{all}");
        }
    }
    // Patterns whose case says something, and addresses, go through.
    let good =
        rule(&json!({ "subject_matches_patterns": ["^\\S+$", "^\\s+$"], "sent_to_member_of": ["all@contoso.com"] }), &scl());
    workspace.write_resources([(RULE, "x", good)]);
    workspace.converges("with what the service takes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx11_a_proxy_and_its_pages_are_named_at_once_and_are_no_matter_of_roles() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("proxy").await;
    workspace.write(&connector("c", "Behind a proxy", ""));
    workspace.apply().await;
    let state = workspace.state_text();
    for on in ["Get-*", "Token"] {
        for status in [200, 403, 407] {
            exchange.reset_counts();
            exchange.script(page(on, status));
            let run = workspace.try_plan().await;
            let said = run.error().holds(&[&format!("HTTP {status}"), "HTTPS_PROXY", "NO_PROXY", "no matter of the rights"]);
            assert!(status == 407 || said.detail.contains("Blocked by Example Proxy"), "{}", said.detail);
            assert!(!said.detail.contains("Global Reader") && !said.detail.contains("Exchange Administrator"), "{}", said.detail);
            let tried = if on == "Token" { exchange.counts().token_requests } else { exchange.count("Get-InboundConnector") };
            assert_eq!(tried, 1, "{on} {status}: it is said at once");
            assert_eq!(workspace.state_text(), state);
            exchange.clear_faults();
        }
    }
    // A write that a proxy keeps back is not waited for, and was not done.
    exchange.script(page("Set-InboundConnector", 403));
    workspace.write(&connector("c", "Behind a proxy", "comment = \"x\""));
    let begin = Instant::now();
    workspace.try_apply().await.error().holds(&["HTTP 403", "HTTPS_PROXY"]);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    exchange.clear_faults();
    workspace.converges("without the proxy").await;
}

#[tokio::test]
async fn rx11_refusals_are_shown_in_plain_words_with_what_is_missing() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("words").await;
    workspace.write(&connector("c", "Words", ""));
    let fault = |status: u16, text: &str| {
        let body = json!({ "error": { "code": "BadRequest", "message": "Error executing cmdlet", "details": [{ "code": "Context", "message": text }] } }).to_string();
        Fault::new("New-InboundConnector", What::Answer { status, headers: BTreeMap::new(), body, acts: false }).times(10)
    };
    for (status, text, parts) in [
        (400, "||The moon is too thin.", &["The moon is too thin."][..]),
        (400, "||You don't have sufficient permissions to run this.", &["sufficient permissions", "Remote and Accepted Domains"]),
        (
            401,
            "User is not allowed to call New-InboundConnector",
            &["is not allowed to call", "Remote and Accepted Domains", "permissions of the token: Exchange.ManageAsApp"],
        ),
    ] {
        exchange.script(fault(status, text));
        let run = workspace.try_apply().await;
        let said = run.error().holds(parts);
        assert!(!said.detail.contains("||"), "{}", said.detail);
        exchange.clear_faults();
    }
    assert!(workspace.stored().is_empty());
}

#[tokio::test]
async fn rx11_a_permission_that_only_looks_right_is_named_by_the_first_contact() {
    let other_permissions = vec!["Exchange.ManageAsAppV2".to_owned(), "Exchange.AdminAPI.ManageAsApp".to_owned()];
    let world = world(Options { manage_as_app: false, other_permissions, ..Options::default() }, gateway::Options::default());
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("alike").await;
    workspace.write(&format!("{}{}", connector("a", "First", ""), connector("b", "Second", "")));
    let run = workspace.try_plan().await;
    run.error()
        .holds(&["Exchange.ManageAsAppV2, Exchange.AdminAPI.ManageAsApp", "add Exchange.ManageAsApp of"])
        .marks("exchange");
    assert_eq!((exchange.counts().token_requests, exchange.count("Get-InboundConnector")), (1, 0), "no cmdlet is tried");
    // Both together are good.
    exchange.set_options(|options| options.manage_as_app = true);
    workspace.converges("with the right permission").await;
}

#[tokio::test]
async fn rx11_a_setting_that_was_copied_with_a_line_end_or_a_blank_is_named_before_the_network() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("copied").await;
    workspace.write(&connector("c", "Copied", ""));
    let block = std::fs::read_to_string(workspace.folder.join("provider.tf")).expect("the provider block");
    let line = |name: &str| block.lines().find(|line| line.trim_start().starts_with(name)).expect("the setting").to_owned();
    exchange.reset_counts();
    let secret = exchange.client_secret();
    for (name, value, said) in [
        ("client_secret", format!("{secret}\\n"), "a line break at its end"),
        ("client_id", format!(" {}", exchange.client_id()), "a blank at its beginning"),
        ("tenant_id", format!("{}\\u200b", exchange.tenant()), "a character that nobody sees"),
    ] {
        workspace.set_provider(&line(name), &format!("    {name} = \"{value}\""));
        for command in ["validate", "plan"] {
            let run = workspace.json(&[command]).await;
            let error = run.error().holds(&[&format!("exchange.{name}"), said, "Remove it"]).marks(name);
            assert!(!error.detail.contains(&secret), "{}", error.detail);
        }
        std::fs::write(workspace.folder.join("provider.tf"), &block).expect("written");
    }
    // From the environment it is named with the variable.
    workspace.set_provider(&line("client_secret"), "");
    let outcome = workspace.run_with(&["plan", "-no-color"], &[("ARM_CLIENT_SECRET", &format!("{secret}\r\n"))]).await;
    assert!(
        !outcome.succeeded() && outcome.stderr.contains("ARM_CLIENT_SECRET") && !outcome.stderr.contains(&secret),
        "{}",
        outcome.stderr
    );
    assert_eq!(exchange.counts().token_requests, 0, "nobody was asked");
}

#[tokio::test]
async fn rx12_mail_that_is_told_by_shared_addresses_or_by_a_foreign_certificate_is_warned_of_once() {
    let world = World::start();
    let workspace = world.workspace("own").await;
    let own = |more: Json| {
        let mut arguments = json!({ "name": "own", "connector_type": "OnPremises", "sender_domains": ["*"] });
        arguments.as_object_mut().expect("arguments").extend(more.as_object().expect("more").clone());
        [(INBOUND, "c", arguments)]
    };
    let warned = |run: &Run, part: &str| {
        run.warnings().iter().filter(|said| format!("{} {}", said.summary, said.detail).contains(part)).count()
    };
    workspace.write_resources(own(json!({ "sender_ip_addresses": ["203.0.113.10"] })));
    let run = workspace.try_apply().await.good();
    assert!(warned(&run, ALONE) > 0 && warned(&run, "MC1226222") > 0, "{}", run.printed);
    for (more, is_warned) in [
        (json!({ "sender_ip_addresses": ["203.0.113.10"] }), false),
        (json!({ "sender_ip_addresses": ["203.0.113.10/32"], "comment": "other" }), false),
        (json!({ "sender_ip_addresses": ["203.0.113.10", "203.0.113.11"] }), true),
        (json!({ "sender_ip_addresses": ["203.0.113.10"], "tls_sender_certificate_name": "mail.contoso.com" }), false),
    ] {
        workspace.write_resources(own(more.clone()));
        let run = workspace.try_plan().await.good();
        assert_eq!(warned(&run, ALONE) > 0, is_warned, "{more}: {}", run.printed);
        assert_eq!(warned(&run, FOREIGN), 0, "{more}");
    }
    workspace.write_resources(own(json!({ "tls_sender_certificate_name": "relay.example.org" })));
    let run = workspace.try_plan().await.good();
    assert!(warned(&run, FOREIGN) > 0, "{}", run.printed);
}

#[tokio::test]
async fn rx12_what_the_rules_of_an_organization_add_and_how_long_they_are_is_counted_as_the_service_counts() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let copies = |count: usize| (0..count).map(|index| format!("a{index}@contoso.com")).collect::<Vec<_>>();
    exchange.put("TransportRule", "theirs", &json!({ "SetSCL": 1, "CopyTo": copies(60) })).expect("made");
    let workspace = world.workspace("limits").await;
    let ours = |count: usize, comments: &str| {
        let mut ours = rule(&json!({ "from_scope": "InOrganization" }), &json!({ "blind_copy_to": copies(count) }));
        ours["comments"] = json!(comments);
        [(RULE, "r", ours)]
    };
    let warned =
        |run: &Run, part: &str| run.warnings().iter().any(|said| format!("{} {}", said.summary, said.detail).contains(part));
    workspace.write_resources(ours(40, "x"));
    let run = workspace.try_apply().await.good();
    assert!(!warned(&run, "more recipients"), "{}", run.printed);
    workspace.write_resources(ours(41, "x"));
    let run = workspace.try_plan().await.good();
    assert!(warned(&run, "TransportRuleCollectionAddedRecipientsLimit"), "{}", run.printed);
    // The service counts more than the texts: it says how long the rule is.
    let counted = mailflow::sandbox::exchange::Oddity::members(&json!({ "Size": 8100, "RegexSize": 0 }));
    exchange.show("TransportRule", "rule", counted).expect("shown");
    workspace.write_resources(ours(40, &"c".repeat(200)));
    let run = workspace.try_plan().await.good();
    assert!(warned(&run, "counts 8100 characters"), "{}", run.printed);
    workspace.write_resources(ours(39, "x"));
    assert!(!warned(&workspace.try_plan().await.good(), "8100"), "what makes it shorter is no matter");
}
