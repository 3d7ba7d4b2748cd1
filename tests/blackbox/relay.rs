//! Open relays: a sender group that relays for everybody is made, and kept, only with a message filter that guards it.

use mailflow::sandbox::gateway::Edit;
use serde_json::json;

use crate::faults::run::{Run, Runs, Said, nothing_staged};
use crate::support::{Release, Workspace, World};

const FILTER: &str = "mailflow_gateway_message_filter";
const GROUP: &str = "mailflow_gateway_sender_group";

/// A policy, as the guide has it.
fn policy(behavior: &str) -> String {
    format!(
        "resource \"mailflow_gateway_mail_flow_policy\" \"p\" {{\n  listener = \"OutgoingMail\"\n  name     = \"RELAYED_O365\"\n  behavior = \"{behavior}\"\n}}\n"
    )
}

fn group(policy: &str, more: &str) -> String {
    senders(policy, ".protection.outlook.com", more)
}

fn senders(policy: &str, sender: &str, more: &str) -> String {
    format!(
        "resource \"{GROUP}\" \"g\" {{\n  listener = \"OutgoingMail\"\n  name     = \"RELAY_O365\"\n  policy   = {policy}\n  senders  = [\"{sender}\"]\n{more}}}\n"
    )
}

const POLICY: &str = "mailflow_gateway_mail_flow_policy.p.name";
const GUARDED: &str = "  guarded_by = mailflow_gateway_message_filter.guard.name\n";

fn filter(script: &str, more: &str) -> String {
    format!("resource \"{FILTER}\" \"guard\" {{\n  name   = \"guard\"\n  script = {script}\n{more}}}\n")
}

const SCRIPT: &str = "provider::mailflow::relay_filter_script(\"RELAY_O365\", \"X-AUTH\", [\"Secret123\"])";

fn groups(world: &World) -> Vec<String> {
    let configuration = world.stand_ins.gateway.configuration();
    let listener = configuration.listeners.iter().find(|one| one.name == "OutgoingMail").expect("the listener is there");
    listener.hat.groups.iter().map(|group| group.name.clone()).collect()
}

fn filters(world: &World) -> Vec<String> {
    world.stand_ins.gateway.configuration().filters.iter().map(|filter| filter.name.clone()).collect()
}

fn text(said: &Said) -> String {
    format!("{}\n{}", said.summary, said.detail)
}

async fn plan(workspace: &Workspace<'_>) -> Run {
    workspace.json(&["plan"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_group_needs_a_guard_which_comes_first_and_goes_last() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("open-{release}")).await;
        let before = world.stand_ins.snapshot();

        workspace.write(&format!("{}{}", policy("relay"), group(POLICY, "")));
        plan(&workspace)
            .await
            .error()
            .holds(&[
                "would be an open relay",
                ".protection.outlook.com",
                "guarded_by = mailflow_gateway_message_filter",
                "open_relay_reason",
            ])
            .marks("senders");
        assert_eq!(world.stand_ins.snapshot(), before);

        let guide = || format!("{}{}{}", policy("relay"), group(POLICY, GUARDED), filter(SCRIPT, ""));
        workspace.write(&guide());
        workspace.apply().await;
        workspace.must_plan_nothing("after the guide").await;
        assert_eq!(workspace.state()[&format!("{GROUP}.g")]["guarded_by"], json!("guard"));

        // A filter that does not guard: the plan says so where it is named.
        workspace.write(&format!(
            "{}{}{}",
            policy("relay"),
            group(POLICY, GUARDED),
            filter("\"if (true) { notify(\\\"a@example.com\\\"); }\"", "")
        ));
        let refused = workspace.try_apply().await;
        refused.error().holds(&["RELAY_O365"]);
        workspace.write(&guide());
        workspace.must_plan_nothing("after a change that was refused").await;

        // Left out, the guard is the one that stands.
        workspace.write(&format!("{}{}{}", policy("relay"), group(POLICY, ""), filter(SCRIPT, "")));
        workspace.must_plan_nothing("with the guard left out").await;
        workspace.write(&guide());
        workspace.destroy().await;
        assert_eq!(world.stand_ins.snapshot(), before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_takes_the_guard_or_opens_the_group_is_refused_before_the_commit_and_the_others_go_on() {
    let world = World::start();
    let workspace = world.workspace("refused").await;
    let route = |name: &str| {
        format!(
            "resource \"mailflow_gateway_smtp_route\" \"{name}\" {{\n  domain = \"{name}.example\"\n  destination {{\n    host = \"mx.example.net\"\n  }}\n}}\n"
        )
    };
    let all = |policy_: String, group_: String, filter_: String| format!("{policy_}{group_}{filter_}");
    let literal = "\"RELAYED_O365\"";
    workspace.write(&all(policy("relay"), group(POLICY, GUARDED), filter(SCRIPT, "")));
    workspace.apply().await;
    let breaks = [
        ("inactive", all(policy("relay"), group(literal, ""), filter(SCRIPT, "  active = false\n"))),
        ("removed", all(policy("relay"), group(literal, ""), String::new())),
        ("another group", all(policy("relay"), group(literal, ""), filter(&SCRIPT.replace("RELAY_O365", "ANOTHER"), ""))),
        (
            "skipped",
            all(policy("relay"), group(literal, ""), filter(SCRIPT, ""))
                + &format!(
                    "resource \"{FILTER}\" \"skip\" {{\n  name   = \"skip\"\n  script = \"if (true) {{ skip-filters(); }}\"\n  before = \"guard\"\n}}\n"
                ),
        ),
    ];
    for (word, broken) in breaks {
        let route = route(&word.replace(' ', "-"));
        workspace.write(&format!("{broken}{route}"));
        let run = workspace.try_apply().await;
        let said = run.errors();
        assert!(said.iter().any(|said| text(said).contains("RELAY_O365")), "{word}: {}", run.printed);
        assert_eq!(filters(&world), ["guard"], "{word}");
        assert!(world.stand_ins.gateway.configuration().filters[0].active, "{word}");
        nothing_staged(&world);
    }

    // A filter that drops all of the group asks for no secret, and is a guard as well.
    let drops_all = "\"if (sendergroup == \\\"^RELAY_O365$\\\") { drop(); }\"";
    workspace.write(&all(policy("relay"), group(POLICY, GUARDED), filter(drops_all, "")));
    workspace.apply().await;
    workspace.write(&all(policy("relay"), group(literal, ""), String::new()));
    workspace.try_apply().await.error().holds(&["RELAY_O365"]);
    assert_eq!(filters(&world), ["guard"]);

    // By its policy.
    // The guard goes once nothing is relayed any more.
    workspace.write(&all(policy("accept"), group(POLICY, ""), filter(SCRIPT, "")));
    workspace.apply().await;
    workspace.write(&all(policy("accept"), group(POLICY, ""), String::new()));
    workspace.apply().await;
    assert!(filters(&world).is_empty());
    workspace.write(&all(policy("relay"), group(literal, ""), String::new()));
    workspace.try_apply().await.error().holds(&["RELAY_O365"]);
    // By its senders.
    workspace.write(&all(policy("relay"), senders(literal, "203.0.113.7", ""), String::new()));
    workspace.apply().await;
    workspace.write(&all(policy("relay"), group(literal, ""), String::new()));
    workspace.try_apply().await.error().holds(&["RELAY_O365"]);
    // The reason makes it a warning.
    let reason = "  open_relay_reason = \"a closed network\"\n";
    workspace.write(&all(policy("relay"), group(literal, reason), String::new()));
    let run = workspace.try_apply().await.good();
    assert!(run.warnings().iter().any(|said| text(said).contains("open relay")), "{}", run.printed);
    workspace.must_plan_nothing("with a reason").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_group_and_its_guard_the_one_that_is_planned_second_is_refused_at_plan() {
    let world = World::start();
    let workspace = world.workspace("second").await;
    let all = |group_more: &str, filter: &str| {
        workspace.write(&format!("{}{}{filter}", policy("relay"), group(POLICY, group_more)));
    };
    let harmless = "\"if (true) { notify(\\\"a@example.com\\\"); }\"";
    let (behind_filter, behind_group) = (format!("  depends_on = [{FILTER}.guard]\n"), format!("  depends_on = [{GROUP}.g]\n"));
    all(GUARDED, &filter(SCRIPT, ""));
    workspace.apply().await;
    let before = world.stand_ins.snapshot();

    // The group does not change, and is planned behind the filter, or before it.
    all(&behind_filter, &filter(harmless, ""));
    let run = plan(&workspace).await;
    run.error_of(&format!("{GROUP}.g")).holds(&["RELAY_O365", "\"guard\"", "guards it no more"]).marks("senders");
    all("", &filter(harmless, &behind_group));
    let run = plan(&workspace).await;
    run.error_of(&format!("{FILTER}.guard")).holds(&["would not guard", "RELAY_O365"]);
    // Whichever comes second.
    all("", "");
    plan(&workspace).await.error().holds(&["RELAY_O365", "\"guard\""]);
    assert_eq!(world.stand_ins.snapshot(), before);

    // A reason makes a warning of it, though the group does not change.
    let reason = "  open_relay_reason = \"a closed network\"\n";
    all(reason, &filter(SCRIPT, ""));
    workspace.apply().await;
    all(reason, "");
    let run = workspace.try_apply().await.good();
    assert!(run.warnings().iter().any(|said| text(said).contains("RELAY_O365")), "{}", run.printed);
    assert!(filters(&world).is_empty());
    workspace.must_plan_nothing("open, with a reason").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_stood_open_before_stops_nothing() {
    let world = World::start();
    let workspace = world.workspace("stood").await;
    let gateway = &world.stand_ins.gateway;
    let listeners = gateway.configuration().listeners;
    let at = listeners.iter().position(|one| one.name == "OutgoingMail").expect("the listener is there");
    let senders = json!([".protection.outlook.com"]);
    gateway
        .edit_paths(&[Edit::Replace { path: format!("/listeners/{at}/hat/groups/0/senders"), value: senders }])
        .expect("it fits");
    let name = groups(&world)[0].clone();
    workspace.write(&format!(
        "{}import {{\n  to = {GROUP}.g\n  id = \"OutgoingMail/{name}\"\n}}\nresource \"{GROUP}\" \"g\" {{\n  listener = \"OutgoingMail\"\n  name     = \"{name}\"\n  policy   = \"RELAYED\"\n  senders  = [\".protection.outlook.com\", \"203.0.113.9\"]\n}}\n",
        policy("relay"),
    ));
    let run = plan(&workspace).await.good();
    assert!(run.warnings().iter().any(|said| text(said).contains("is an open relay")), "{}", run.printed);
    workspace.apply().await;
    workspace.must_plan_nothing("after a change of a group that stood open").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_changes_in_three_steps_and_both_sides_at_once_are_an_error_with_the_next_step() {
    for release in Release::BOTH {
        let world = World::start();
        let workspace = world.workspace_on(release, &format!("steps-{release}")).await;
        let both = |stamped: &str, accepted: &[&str]| {
            let accepted = serde_json::to_string(accepted).expect("JSON");
            let filter = filter(&format!("provider::mailflow::relay_filter_script(\"RELAY_O365\", \"X-AUTH\", {accepted})"), "");
            format!(
                "{filter}resource \"mailflow_exchange_transport_rule\" \"r\" {{\n  name = \"Outbound\"\n  conditions {{\n    from_scope = \"InOrganization\"\n  }}\n  actions {{\n    set_header_name  = \"X-AUTH\"\n    set_header_value = \"{stamped}\"\n  }}\n  depends_on = [{FILTER}.guard]\n}}\n"
            )
        };
        workspace.write(&both("oldsecret1", &["oldsecret1"]));
        workspace.apply().await;
        let before = world.stand_ins.snapshot();

        // One variable for both sides: the mail that is sent meanwhile would be dropped.
        workspace.write(&both("newsecret2", &["newsecret2"]));
        let run = plan(&workspace).await;
        run.error().holds(&["\"Outbound\"", "three steps", "[var.old_secret, var.new_secret]"]);
        let shown = text(run.error());
        assert!(!shown.contains("oldsecret1") && !shown.contains("newsecret2"), "{shown}");
        // The rule first: nothing accepts it yet.
        workspace.write(&both("newsecret2", &["oldsecret1"]));
        plan(&workspace).await.error().holds(&["No message filter accepts", "three steps"]).marks("set_header_value");
        assert_eq!(world.stand_ins.snapshot(), before);

        for (stamped, accepted) in [
            ("oldsecret1", &["oldsecret1", "newsecret2"][..]),
            ("newsecret2", &["newsecret2", "oldsecret1"]),
            ("newsecret2", &["newsecret2"]),
        ] {
            workspace.write(&both(stamped, accepted));
            workspace.apply().await;
            workspace.must_plan_nothing("after a step").await;
        }
    }
}
