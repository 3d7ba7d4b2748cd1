//! No moment is open: whatever a run does with the guide's relay, and wherever it is refused or killed, no configuration that came to be live relays mail
//! of other tenants. The stand-ins' oracle says what becomes of such mail, not the client.

use mailflow::sandbox::gateway::{Break, Configuration, Fault, Point};
use mailflow::sandbox::oracle::{Content, Entry, Message, Outcome, Peer, Tenant, World as Moment, deliver};
use mailflow::tool::sandbox::network;

use crate::faults::run::{Runs, until};
use crate::support::{Must as _, Workspace, World};

/// The step that is refused: the guard of an open group is not made anew.
const ALONE: &str = "replace the filter";

const GUARD: &str = "mailflow_gateway_message_filter.guard";

/// What stands in a configuration.
#[derive(Clone, Copy)]
struct Relay {
    /// The name of the filter that guards the group.
    filter: &'static str,
    /// The secrets that it accepts, as HCL.
    secrets: &'static str,
    /// The order of the filters, as HCL.
    order: &'static str,
    /// What else the group and the policy say.
    group: &'static str,
    policy: &'static str,
}

const GUIDE: Relay =
    Relay { filter: "guard", secrets: "[\"Secret123\"]", order: "[\"guard\", \"other\"]", group: "", policy: "" };

impl Relay {
    fn text(self) -> String {
        let Relay { filter, secrets, order, group, policy } = self;
        format!(
            r#"
resource "mailflow_gateway_mail_flow_policy" "relayed" {{
  listener = "OutgoingMail"
  name     = "RELAYED_O365"
  behavior = "relay"
  {policy}
}}

resource "mailflow_gateway_message_filter" "guard" {{
  name   = "{filter}"
  script = provider::mailflow::relay_filter_script("RELAY_O365", "X-AUTH", {secrets})
}}

resource "mailflow_gateway_message_filter" "other" {{
  name   = "other"
  script = "if (mail-from == \"@partner\\\\.example$\") {{ insert-header(\"X-Partner\", \"yes\"); }}"
}}

resource "mailflow_gateway_message_filter_order" "all" {{
  names      = {order}
  depends_on = [mailflow_gateway_message_filter.guard, mailflow_gateway_message_filter.other]
}}

resource "mailflow_gateway_sender_group" "relay" {{
  listener   = "OutgoingMail"
  name       = "RELAY_O365"
  policy     = mailflow_gateway_mail_flow_policy.relayed.name
  senders    = [".protection.outlook.com"]
  guarded_by = mailflow_gateway_message_filter.guard.name
  {group}
}}
"#
        )
    }
}

/// What becomes of mail that another tenant sends to the outside through the gateway.
fn foreign(gateway: Configuration, tenant: &Tenant) -> Outcome {
    let moment = Moment { gateway, tenant: tenant.clone(), network: network(), broken: None };
    let message = Message {
        entry: Entry::Listener("OutgoingMail".to_owned()),
        peer: Peer::new("40.107.22.60".parse().expect("an address"), Some("mail-x.outbound.protection.outlook.com")),
        sender: "eve@foreign.example".to_owned(),
        recipients: vec!["kim@partner.example".to_owned()],
        content: Content::new(&[("Subject", "hello")], "hello"),
    };
    deliver(&moment, &message).ends.remove(0).outcome
}

fn is_closed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Dropped { .. } | Outcome::Rejected { .. } | Outcome::ConnectionRefused { .. })
}

/// Holds every configuration that came to be live since the last look.
fn hold(world: &World, when: &str) -> usize {
    let tenant = Tenant::of(&world.stand_ins.exchange.snapshot());
    let moments = world.stand_ins.gateway.take_journal();
    let count = moments.len();
    for (number, moment) in moments.into_iter().enumerate() {
        let outcome = foreign(moment, &tenant);
        assert!(is_closed(&outcome), "{when}, commit {}: mail of another tenant is {outcome}", number + 1);
    }
    count
}

/// Kills the run at this point of its first commit, if it comes to one.
async fn kill(world: &World, workspace: &Workspace<'_>, arguments: &[&str], at: Point) {
    let gateway = &world.stand_ins.gateway;
    gateway.fault(Fault::Break { how: Break::Hang, at, nth: 1 });
    let mut running = workspace.begin(&[arguments, &["-lock=false"]].concat());
    until("it commits or ends", || gateway.faults_waiting() == 0 || running.ended()).await;
    if !running.ended() {
        running.signal("-KILL");
    }
    running.end().await;
    gateway.clear_faults();
    until("the session of the killed run ended", || gateway.sessions() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_commit_of_any_run_opens_the_relay_of_the_guide_one_at_a_time() {
    each_step("-parallelism=1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_commit_of_any_run_opens_the_relay_of_the_guide_ten_at_a_time() {
    each_step("-parallelism=10").await;
}

/// Takes each step of the guide's life, refused once and killed once before.
async fn each_step(parallelism: &str) {
    let both = "[\"Secret123\", \"Secret456\"]";
    let turned = "[\"other\", \"guard\"]";
    let replace = |address: &'static str| vec!["apply", "-auto-approve", address];
    let apply = vec!["apply", "-auto-approve"];
    let steps: Vec<(&str, Relay, Vec<&str>)> = vec![
        ("create", GUIDE, apply.clone()),
        ("rotate: both", Relay { secrets: both, ..GUIDE }, apply.clone()),
        ("rotate: the new one", Relay { secrets: "[\"Secret456\"]", ..GUIDE }, apply.clone()),
        (
            "another policy and comment",
            Relay { policy: "max_rcpts_per_hour = 4000", group: "comment = \"by hand\"", ..GUIDE },
            apply.clone(),
        ),
        ("reorder", Relay { order: turned, ..GUIDE }, apply.clone()),
        ("rename", Relay { filter: "guard_2", order: "[\"guard_2\", \"other\"]", ..GUIDE }, apply.clone()),
        (ALONE, GUIDE, replace("-replace=mailflow_gateway_message_filter.guard")),
        ("replace the group", GUIDE, replace("-replace=mailflow_gateway_sender_group.relay")),
        ("destroy", GUIDE, vec!["destroy", "-auto-approve"]),
    ];
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    gateway.keep_journal();
    let workspace = world.workspace("relay").await;
    let mut commits = 0;
    for (number, (name, relay, arguments)) in steps.iter().enumerate() {
        let when = format!("{name}, {parallelism}");
        let arguments = [arguments.as_slice(), &[parallelism]].concat();
        workspace.write(&relay.text());
        gateway.fault(Fault::RefuseCommit { nth: 1, text: "The commit failed.".to_owned() });
        workspace.json(&arguments).await;
        gateway.clear_faults();
        commits += hold(&world, &format!("{when}, refused"));
        let at = if number % 2 == 0 { Point::CommitAfter } else { Point::CommitBefore };
        kill(&world, &workspace, &arguments, at).await;
        commits += hold(&world, &format!("{when}, killed"));
        take_over(&world, &workspace, &relay.text()).await;
        let outcome = workspace.run(&[&arguments[..], &["-no-color"]].concat()).await;
        commits += hold(&world, &when);
        if *name == ALONE {
            // Between the old filter and the new one, nothing would guard the group.
            assert!(!outcome.succeeded() && outcome.stderr.contains("open relay"), "{when}: {}", outcome.stderr);
            workspace.run(&[&apply[..], &[parallelism, "-no-color"]].concat()).await.must(&format!("after {when}"));
            commits += hold(&world, &format!("after {when}"));
        } else {
            outcome.must(&when);
        }
        if *name == "another policy and comment" {
            let mut open = gateway.configuration();
            open.filters.clear();
            let outcome = foreign(open, &Tenant::of(&world.stand_ins.exchange.snapshot()));
            assert!(!is_closed(&outcome), "the judge finds nothing: {outcome}");
        }
    }
    assert!(commits >= steps.len(), "{commits} commits");
}

/// Imports what a killed run made, or renamed, and the state does not know.
async fn take_over(world: &World, workspace: &Workspace<'_>, text: &str) {
    let ids = [
        ("mailflow_gateway_mail_flow_policy.relayed", "OutgoingMail/RELAYED_O365"),
        ("mailflow_gateway_message_filter.other", "other"),
        ("mailflow_gateway_sender_group.relay", "OutgoingMail/RELAY_O365"),
    ];
    let configuration = world.stand_ins.gateway.configuration();
    let listener = configuration.listeners.iter().find(|one| one.name == "OutgoingMail").expect("the listener");
    let guard = configuration.filters.iter().find(|filter| filter.name.starts_with("guard")).map(|filter| filter.name.clone());
    let stands = |id: &str| match id.rsplit('/').next().unwrap_or(id) {
        "RELAYED_O365" => listener.hat.policies.iter().any(|policy| policy.name == "RELAYED_O365"),
        "RELAY_O365" => listener.hat.groups.iter().any(|group| group.name == "RELAY_O365"),
        name => configuration.filters.iter().any(|filter| filter.name == name),
    };
    let mut known = workspace.stored();
    if let (Some(live), Some(stored)) = (&guard, known.get(GUARD))
        && stored["name"] != live.as_str()
    {
        workspace.run(&["state", "rm", "-no-color", GUARD]).await.must("state rm");
        known.remove(GUARD);
    }
    let mut left: Vec<(&str, String)> =
        ids.iter().filter(|(_, id)| stands(id)).map(|(address, id)| (*address, (*id).to_owned())).collect();
    left.extend(guard.map(|name| (GUARD, name)));
    let blocks: String = left
        .iter()
        .filter(|(address, _)| !known.contains_key(*address))
        .fold(String::new(), |text, (to, id)| text + &format!("import {{\n  to = {to}\n  id = \"{id}\"\n}}\n"));
    workspace.write(&format!("{blocks}{text}"));
}
