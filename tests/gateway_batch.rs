//! What changes of many objects cost on the gateway, with the real `terraform` and the real binary: commits, commands, and time.
//!
//! The times are upper bounds for a debug build on a busy machine: they catch a wait per object, not a slow processor.

mod support;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use mailflow::sandbox::gateway::Counters;
use mailflow::sandbox::gateway::tables::route::SmtpRoute;
use support::{Must, Workspace, World};

/// Writes a configuration with this many SMTP routes.
fn write_routes(workspace: &Workspace<'_>, routes: usize) {
    let mut hcl = String::new();
    for number in 0..routes {
        let _ = writeln!(
            hcl,
            "resource \"mailflow_gateway_smtp_route\" \"r{number}\" {{\n  domain       = \"d{number}.example\"\n  destinations = [{{ host = \"mx{number}.example\" }}]\n}}"
        );
    }
    workspace.write(&hcl);
}

fn commands(counters: &Counters, name: &str) -> u64 {
    counters.commands.get(name).copied().unwrap_or_default()
}

/// Applies this many routes on a new gateway, and gives the commits, the commands `smtproutes` and the time.
async fn apply(routes: usize, parallelism: usize) -> (u64, u64, Duration) {
    let world = World::start();
    let workspace = world.workspace("routes").await;
    write_routes(&workspace, routes);
    let began = Instant::now();
    workspace.run(&["apply", "-auto-approve", "-no-color", &format!("-parallelism={parallelism}")]).await.must("apply");
    let took = began.elapsed();
    assert_eq!(world.stand_ins.gateway.configuration().smtp_routes.len(), routes);
    assert!(!world.stand_ins.gateway.pending());
    let counters = world.stand_ins.gateway.counters();
    let count = commands(&counters, "smtproutes");
    eprintln!("{routes} routes, {parallelism} at a time: {} commits, {count} times smtproutes, {took:.1?}", counters.commits);
    (counters.commits, count, took)
}

#[tokio::test]
async fn g29_fifty_routes_take_six_commits() {
    let (commits, commands, took) = apply(50, 10).await;
    assert!(commits <= 6, "{commits} commits");
    // One dialog each; each batch reads before and after, and each of Terraform's two processes may read once.
    assert!(commands <= 50 + 2 * commits + 2, "{commands} commands");
    assert!(took < Duration::from_secs(25), "{took:?}");
}

#[tokio::test]
async fn g29_a_hundred_routes_take_eleven_commits() {
    let (commits, commands, _) = apply(100, 10).await;
    assert!(commits <= 11, "{commits} commits");
    assert!(commands <= 100 + 2 * commits + 2, "{commands} commands");
}

#[tokio::test]
async fn g29_one_at_a_time_waits_for_nobody() {
    let routes = 8;
    let (commits, _, took) = apply(routes, 1).await;
    assert_eq!(commits, routes as u64);
    assert!(took < Duration::from_secs(routes as u64), "{took:?}");
}

#[tokio::test]
async fn a_plan_over_a_thousand_routes_reads_the_table_once() {
    let routes = 1000;
    let world = World::start();
    world.stand_ins.gateway.edit(|configuration| {
        configuration.smtp_routes = (0..routes)
            .map(|number| SmtpRoute {
                domain: format!("d{number}.example"),
                destinations: vec![format!("mx{number}.example")],
                authentication: None,
            })
            .collect();
    });
    let workspace = world.workspace("routes").await;
    write_routes(&workspace, routes);
    let imports = (0..routes).map(|number| (format!("mailflow_gateway_smtp_route.r{number}"), format!("d{number}.example")));
    workspace.write_imports(&imports.collect());
    workspace.run(&["apply", "-auto-approve", "-no-color"]).await.must("import");
    assert_eq!(world.stand_ins.gateway.counters().commits, 0);
    std::fs::remove_file(workspace.folder.join("imports.tf")).expect("removed");

    let before = world.stand_ins.gateway.counters();
    let began = Instant::now();
    workspace.must_plan_nothing("over a thousand routes").await;
    let took = began.elapsed();
    let after = world.stand_ins.gateway.counters();
    eprintln!("a plan over {routes} routes: {took:.1?}");
    assert_eq!(commands(&after, "smtproutes") - commands(&before, "smtproutes"), 1);
    assert_eq!(after.logins - before.logins, 1);
    assert!(took < Duration::from_secs(10), "{took:?}");
}
