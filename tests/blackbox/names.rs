//! Names at plan: taken ones, those that are given twice, and those that nobody has. Each on the oldest and on a recent release of Terraform.

use mailflow::sandbox::gateway::Edit;
use serde_json::{Value as Json, json};

use crate::faults::run::{Run, Runs, connector, domains, nothing_staged, routes};
use crate::support::{Must as _, Release, Workspace, World};

const ROUTE: &str = "mailflow_gateway_smtp_route";
const CONNECTOR: &str = "mailflow_exchange_inbound_connector";

fn theirs(world: &World, domain: &str) {
    let value = json!({ "domain": domain, "destinations": ["theirs.example.net"], "authentication": null });
    world.stand_ins.gateway.edit_paths(&[Edit::Add { path: "/smtp_routes/-".into(), value }]).expect("it fits");
}

fn route(label: &str, domain: &str) -> String {
    routes(&[(label, domain, "mx.example.net")])
}

/// The warnings that a name is there already.
fn in_use(run: &Run) -> usize {
    run.warnings().iter().filter(|said| said.summary.contains("is there already")).count()
}

async fn plan(workspace: &Workspace<'_>, more: &[&str]) -> Run {
    workspace.json(&[&["plan"], more].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e10_rg11_a_taken_name_is_an_error_at_plan_and_the_block_takes_the_object_over() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        theirs(&world, "a.example");
        let before = world.stand_ins.snapshot();
        workspace.write(&route("ours", "A.example"));
        for more in [&[][..], &["-refresh=false"]] {
            let run = plan(&workspace, more).await;
            let said = run
                .error()
                .holds(&["SMTP route \"A.example\" already exists", "Nothing is overwritten", "`moved`"])
                .marks("domain");
            assert!(said.detail.contains("to = mailflow_gateway_smtp_route.a_example"), "{}", said.detail);
            workspace.write(&format!("{}\n{}", said.block(&format!("{ROUTE}.ours")), route("ours", "A.example")));
            plan(&workspace, &[]).await.good();
            workspace.write(&route("ours", "A.example"));
        }
        let run = plan(&workspace, &[]).await;
        workspace.write(&format!("{}\n{}", run.error().block(&format!("{ROUTE}.ours")), route("ours", "A.example")));
        assert_eq!(world.stand_ins.snapshot(), before);
        workspace.converges("after the import").await;

        // The same at the other side, where a block names the object by its GUID. Three more looks are made, and only then.
        let exchange = &world.stand_ins.exchange;
        workspace.write(&connector("ours", "Ours", ""));
        exchange.reset_counts();
        plan(&workspace, &[]).await.good();
        assert_eq!(exchange.count("Get-InboundConnector"), 1, "a free name costs no look of its own");
        let guid = exchange.put("InboundConnector", "Taken by Hand", &json!({ "SenderDomains": ["smtp:*;1"] })).expect("made");
        workspace.write(&connector("ours", "taken by hand", ""));
        exchange.reset_counts();
        let run = plan(&workspace, &[]).await;
        let said =
            run.error().holds(&["already exists", &guid, "to = mailflow_exchange_inbound_connector.taken_by_hand"]).marks("name");
        assert_eq!(exchange.count("Get-InboundConnector"), 4);
        workspace.write(&format!("{}\n{}", said.block(&format!("{CONNECTOR}.ours")), connector("ours", "taken by hand", "")));
        workspace.converges("after the import").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c17_two_new_resources_of_one_name_are_an_error_for_the_second() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        let before = world.stand_ins.snapshot();
        for (text, word) in [
            (format!("{}{}", route("one", "a.example"), route("two", "A.example")), "SMTP route"),
            (format!("{}{}", connector("one", "Same", ""), connector("two", "same", "")), "inbound connector"),
        ] {
            workspace.write(&text);
            plan(&workspace, &[]).await.error().holds(&["Another resource of this configuration is", word]);
        }
        assert_eq!(world.stand_ins.snapshot(), before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e10_an_object_that_is_made_anew_may_keep_its_name() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        let text = |lifecycle: &str| {
            let lifecycle = if lifecycle.is_empty() { String::new() } else { format!("  lifecycle {{\n    {lifecycle}\n  }}\n") };
            let route = route("r", "a.example").replace("]\n}", &format!("]\n{lifecycle}}}"));
            format!("{route}{}", connector("c", "Ours", &lifecycle))
        };
        let addresses = [format!("{ROUTE}.r"), format!("{CONNECTOR}.c")];
        workspace.write(&text(""));
        workspace.apply().await;

        let replaces = addresses.clone().map(|address| format!("-replace={address}"));
        let replaces: Vec<&str> = replaces.iter().map(String::as_str).collect();
        let run = plan(&workspace, &replaces).await.good();
        assert_eq!(in_use(&run), 0, "{}", run.printed);
        plan(&workspace, &[&replaces[..], &["-refresh=false"]].concat()).await.good();
        workspace.write(&text("create_before_destroy = true"));
        plan(&workspace, &replaces).await.good();

        // Nothing but the state says whose the name is.
        workspace.write(&text(""));
        for address in &addresses {
            workspace.run(&["taint", address]).await.must("taint");
        }
        plan(&workspace, &["-refresh=false"]).await.good();
        plan(&workspace, &[]).await.good();
        workspace.converges("after both were made anew").await;

        // Another type of connector is another connector.
        workspace
            .write(&text("").replace("\"Partner\"", "\"OnPremises\"").replace("restrict_domains_to_ip_addresses = true", ""));
        plan(&workspace, &[]).await.good();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e10_a_resource_that_has_another_address_now_keeps_its_object() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        let text = |label: &str| format!("{}{}", route(label, "a.example"), connector(label, "Ours", ""));
        workspace.write(&text("old"));
        workspace.apply().await;
        let before = world.stand_ins.snapshot();
        // Terraform removes the one and makes the other, in an order of its own: a warning.
        workspace.write(&text("new"));
        for more in [&[][..], &["-refresh=false"]] {
            let run = plan(&workspace, more).await.good();
            assert_eq!(in_use(&run), 2, "{}", run.printed);
        }
        let moved = |kind: &str| format!("moved {{\n  from = {kind}.old\n  to   = {kind}.new\n}}\n");
        workspace.write(&format!("{}{}{}", text("new"), moved(ROUTE), moved(CONNECTOR)));
        assert!(workspace.plan().await.is_empty());
        workspace.converges("after the move").await;
        assert_eq!(world.stand_ins.snapshot(), before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e10_a_rename_to_a_taken_name_is_never_more_than_a_warning() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        let text = |one: &str, two: &str| {
            format!("{}{}{}{}", route("one", one), route("two", two), connector("one", one, ""), connector("two", two, ""))
        };
        workspace.write(&text("a.example", "b.example"));
        workspace.apply().await;
        // a becomes b while b becomes c.
        workspace.write(&text("b.example", "c.example"));
        let run = plan(&workspace, &[]).await.good();
        assert!(in_use(&run) >= 1, "{}", run.printed);
        plan(&workspace, &["-refresh=false"]).await.good();

        // A stranger has the name: the service will refuse it, and until then it may be given up.
        theirs(&world, "d.example");
        world.stand_ins.exchange.put("InboundConnector", "d.example", &json!({})).expect("made");
        workspace.write(&text("d.example", "b.example"));
        let run = plan(&workspace, &[]).await.good();
        assert!(in_use(&run) >= 2, "{}", run.printed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg11_a_name_that_nobody_has_is_an_error_at_plan_that_tells_how_to_refer() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        let policy = "resource \"mailflow_gateway_mail_flow_policy\" \"p\" {\n  listener = \"OutgoingMail\"\n  name     = \"OURS\"\n  behavior = \"relay\"\n}\n";
        let group = |policy: &str, before: &str| {
            format!(
                "resource \"mailflow_gateway_sender_group\" \"g\" {{\n  listener = \"OutgoingMail\"\n  name     = \"G\"\n  policy   = {policy}\n  senders  = [\"203.0.113.7\"]\n{before}}}\n"
            )
        };
        let rule = |connector: &str| {
            format!(
                "resource \"mailflow_exchange_transport_rule\" \"r\" {{\n  name       = \"R\"\n  conditions {{\n    from_scope = \"InOrganization\"\n  }}\n  actions {{\n    route_message_outbound_connector = {connector}\n  }}\n}}\n"
            )
        };
        let before = world.stand_ins.snapshot();
        let check = async |text: String, parts: &[&str], mark: &str| {
            workspace.write(&text);
            plan(&workspace, &[]).await.error().holds(parts).marks(mark);
        };
        check(
            group("\"OURS\"", ""),
            &["There is no mail flow policy \"OURS\"", "policy = mailflow_gateway_mail_flow_policy.ours.name"],
            "policy",
        )
        .await;
        check(group("\"RELAYED\"", "  before = \"NOWHERE\"\n"), &["There is no sender group \"NOWHERE\""], "before").await;
        check(
            rule("\"Nowhere\""),
            &["There is no outbound connector \"Nowhere\"", "mailflow_exchange_outbound_connector.nowhere.name"],
            "route_message",
        )
        .await;
        assert_eq!(world.stand_ins.snapshot(), before);

        // A reference is planned before, and what stands is not judged.
        workspace.write(&format!("{policy}{}", group("mailflow_gateway_mail_flow_policy.p.name", "")));
        workspace.converges("with a reference").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt5_a_provider_that_may_only_read_says_so_of_each_planned_change() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        let text = |host: &str| {
            format!("{}{}", routes(&[("r", "a.example", host)]), connector("c", "Ours", &format!("comment = \"{host}\"")))
        };
        workspace.write(&text("one.example.net"));
        workspace.apply().await;
        workspace.set_provider("provider \"mailflow\" {", "provider \"mailflow\" {\n  read_only = true");
        let said = |run: &Run| run.warnings().iter().filter(|said| said.detail.contains("`read_only`")).count();
        workspace.must_plan_nothing("without a change").await;
        workspace.write(&text("two.example.net"));
        assert_eq!(said(&plan(&workspace, &[]).await.good()), 2);
        workspace.write("");
        assert_eq!(said(&plan(&workspace, &[]).await.good()), 2, "of what is to be deleted");

        workspace.write(&text("two.example.net"));
        let before = world.stand_ins.snapshot();
        let (exchange, gateway) = (&world.stand_ins.exchange, &world.stand_ins.gateway);
        let typed = gateway.counters().commands.get("commit").copied();
        exchange.reset_counts();
        let run = workspace.try_apply().await;
        assert_eq!(run.errors().len(), 2, "{}", run.printed);
        let written: Vec<String> =
            exchange.calls().into_iter().map(|call| call.cmdlet).filter(|name| !name.starts_with("Get-")).collect();
        assert_eq!((written, gateway.counters().commands.get("commit").copied()), (Vec::new(), typed));
        assert_eq!(world.stand_ins.snapshot(), before);
        nothing_staged(&world);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rt5_a_plan_shows_what_follows_from_the_configuration_and_no_more() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("ours-{release}")).await;

        let filter = |active: bool| {
            format!(
                "resource \"mailflow_gateway_message_filter\" \"f\" {{\n  name   = \"f\"\n  script = \"if (true) {{ skip-filters(); }}\"\n  active = {active}\n}}\n"
            )
        };
        workspace.write(&format!("{}{}", route("r", "A.example"), filter(true)));
        let unknown = async || {
            workspace.run(&["plan", "-no-color", "-out=plan.bin"]).await.must("plan");
            let shown = workspace.run(&["show", "-json", "plan.bin"]).await.must("show");
            let plan: Json = serde_json::from_str(&shown.stdout).expect("JSON");
            let changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
            let names = |change: &Json| {
                let unknown = change["change"]["after_unknown"].as_object().cloned().unwrap_or_default();
                unknown.into_iter().filter(|(_, value)| *value == json!(true)).map(|(name, _)| name).collect::<Vec<_>>()
            };
            changes
                .iter()
                .map(|change| (change["address"].as_str().unwrap_or_default().to_owned(), names(change)))
                .collect::<Vec<_>>()
        };
        let created = unknown().await;
        assert!(created.iter().all(|(_, names)| !names.contains(&"id".to_owned())), "{created:?}");
        workspace.apply().await;
        assert_eq!(workspace.state()[&format!("{ROUTE}.r")]["id"], "a.example");
        assert_eq!(domains(&world), ["a.example"]);

        workspace.write(&format!("{}{}", route("r", "A.example"), filter(false)));
        let changed = unknown().await;
        let of_filter =
            changed.iter().find(|(address, _)| address == "mailflow_gateway_message_filter.f").map(|(_, names)| names.clone());
        assert_eq!(of_filter, Some(vec!["invalid_reason".to_owned(), "valid".to_owned()]));
        workspace.converges("after the filter was switched off").await;
    }
}

/// Only a recent release takes an identity.
#[tokio::test]
async fn rt5_the_identity_of_a_single_object_is_its_word_and_no_other() {
    let world = World::start();
    let workspace = world.workspace_on(Release::Newest, "identity").await;
    let text = |id: &str| {
        format!(
            "import {{\n  to = mailflow_gateway_tls_settings.t\n  identity = {{ id = \"{id}\" }}\n}}\nresource \"mailflow_gateway_tls_settings\" \"t\" {{}}\n"
        )
    };
    workspace.write(&text("bogus"));
    plan(&workspace, &[]).await.error().holds(&["\"bogus\"", "its ID is always \"tls_settings\""]);
    workspace.write(&text("tls_settings"));
    plan(&workspace, &[]).await.good();
}
