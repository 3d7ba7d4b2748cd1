//! The first contact: what cannot be reached is told once, on the provider block, before anything is asked for.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::run::{Runs, connector, routes};
use crate::support::World;

/// A port on which nobody listens.
fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

#[tokio::test]
async fn rs7_rn17_each_side_that_cannot_be_reached_is_one_error_on_its_block() {
    let world = World::start();
    let workspace = world.workspace("nobody").await;
    let names = ["a", "b", "c"];
    let connectors: String = names.iter().map(|name| connector(name, name, "")).collect();
    workspace.write(&format!("{connectors}{}", routes(&names.map(|name| (name, "a.example", "mx.example.net"))[..1])));
    let (gateway, login) = (closed(), closed());
    let block = std::fs::read_to_string(workspace.folder.join("provider.tf")).expect("the provider block");
    let line = |name: &str| block.lines().find(|line| line.trim_start().starts_with(name)).expect("the setting").to_owned();
    workspace.set_provider(&line("port"), &format!("    port = {gateway}"));
    workspace.set_provider(&line("login_url"), &format!("    login_url = \"http://127.0.0.1:{login}\""));

    let begin = Instant::now();
    let run = workspace.try_plan().await;
    assert!(begin.elapsed() < Duration::from_mins(1), "{:?}", begin.elapsed());
    assert_eq!(run.errors().len(), 2, "one for each side\n{}", run.printed);
    let about = |port: u16| {
        let port = format!("127.0.0.1:{port}");
        let found: Vec<_> = run.errors().into_iter().filter(|said| said.detail.contains(&port)).collect();
        assert_eq!(found.len(), 1, "{port}: {}", run.printed);
        found[0]
    };
    about(gateway).holds(&["connect to the gateway", "phase: connection", "gateway.port"]).marks("gateway");
    about(login).holds(&["connect to Microsoft 365", "phase: connection", "exchange.login_url"]).marks("exchange");
    assert_eq!(world.stand_ins.gateway.counters().connections, 0);
}
