//! The cut-over of MX records through the real `terraform`: what is read, and the connector that would refuse mail which still comes another way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::dns::{Line, Said, Server};
use crate::support::{Must as _, Workspace, World};

/// What the DNS server says.
#[derive(Clone, Copy)]
enum Now {
    Before,
    Moved,
    Silent,
}

/// A DNS server whose answer may change while it runs.
fn server() -> (Server, Arc<AtomicUsize>) {
    let now = Arc::new(AtomicUsize::new(Now::Before as usize));
    let answer = Arc::clone(&now);
    let server = Server::start_of_kinds(move |name, _| match (name, answer.load(Ordering::SeqCst)) {
        ("example.com", 0) => Said::Of(vec![Line::mx(0, "example-com.mail.protection.outlook.com")]),
        ("example.com", 1) => Said::Of(vec![Line::mx(10, "mx1.gateway.example")]),
        ("example.com", _) => Said::Code(2),
        _ => Said::Code(3),
    });
    (server, now)
}

fn configuration(dns: &Server, restricts: bool, more: &str, looks: bool) -> String {
    let look = format!(
        "data \"mailflow_mx_cutover\" \"this\" {{\n  domain = \"example.com\"\n  gateway_hosts = [\"mx1.gateway.example\"]\n  resolvers = [\"{}\"]\n}}\n",
        dns.address
    );
    format!(
        "{}resource \"mailflow_exchange_inbound_connector\" \"this\" {{\n  name = \"In\"\n  connector_type = \"Partner\"\n  sender_domains = [\"*\"]\n  \
         sender_ip_addresses = [\"203.0.113.10\"]\n  restrict_domains_to_ip_addresses = {restricts}\n  {more}\n}}\n",
        if looks { look } else { String::new() }
    )
}

#[track_caller]
fn must_say(text: &str, words: &[&str]) {
    let flat = text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "{word:?} is not in:\n{text}");
    }
}

async fn plan_fails(workspace: &Workspace<'_>) {
    let outcome = workspace.run(&["plan", "-no-color"]).await;
    assert!(!outcome.succeeded(), "the plan was to fail\n{}", outcome.stdout);
    must_say(
        &outcome.stderr,
        &[
            "The MX records of example.com do not lead to the gateways",
            "example.com MX 0 example-com.mail.protection.outlook.com",
        ],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_that_takes_all_is_not_restricted_while_records_lead_elsewhere() {
    let world = World::start();
    let (dns, now) = server();
    let workspace = world.workspace("cutover").await;
    // A new connector, and one that stands.
    workspace.write(&configuration(&dns, true, "", true));
    plan_fails(&workspace).await;
    workspace.write(&configuration(&dns, false, "", true));
    let open = workspace.apply().await;
    must_say(&open.stdout, &["Close it **after** the MX records have moved"]);
    workspace.write(&configuration(&dns, true, "", true));
    plan_fails(&workspace).await;

    // A domain that nothing reads is not judged, and the error can be turned off.
    workspace.write(&configuration(&dns, true, "", false));
    workspace.run(&["plan", "-no-color"]).await.must("plan");
    workspace.write(&configuration(&dns, true, "skip_mx_check = true", true));
    let excused = workspace.run(&["plan", "-no-color"]).await.must("plan");
    must_say(&excused.stdout, &["The MX records of example.com do not lead to the gateways"]);

    // No answer is a warning.
    workspace.write(&configuration(&dns, true, "", true));
    now.store(Now::Silent as usize, Ordering::SeqCst);
    let silent = workspace.run(&["plan", "-no-color"]).await.must("plan");
    must_say(&silent.stdout, &["No DNS server answered about example.com"]);

    now.store(Now::Moved as usize, Ordering::SeqCst);
    workspace.apply().await;
    workspace.must_plan_nothing("after the records were moved").await;
    let state = workspace.state();
    let connector = &state["mailflow_exchange_inbound_connector.this"];
    assert_eq!(connector["restrict_domains_to_ip_addresses"], serde_json::json!(true));

    // Moved back: what restricts already is not opened by the DNS, and no plan fails for it.
    now.store(Now::Before as usize, Ordering::SeqCst);
    workspace.must_plan_nothing("after the records were moved back").await;
}

/// The plan is applied by another process, which reads no data source that was read at plan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_move_back_between_plan_and_apply_stop_the_connector_before_anything_is_sent() {
    let world = World::start();
    let (dns, now) = server();
    now.store(Now::Moved as usize, Ordering::SeqCst);
    let workspace = world.workspace("later").await;
    let after = "depends_on = [data.mailflow_mx_cutover.this]";
    workspace.write(&configuration(&dns, false, after, true));
    workspace.apply().await;
    workspace.write(&configuration(&dns, true, after, true));
    workspace.run(&["plan", "-no-color", "-out=later.tfplan"]).await.must("plan");
    now.store(Now::Before as usize, Ordering::SeqCst);
    let before = world.stand_ins.snapshot();
    let applied = workspace.run(&["apply", "-no-color", "later.tfplan"]).await;
    assert!(!applied.succeeded(), "{}", applied.stdout);
    must_say(&applied.stderr, &["The MX records of example.com do not lead to the gateways", "Nothing was sent."]);
    assert_eq!(world.stand_ins.snapshot(), before);
}
