//! `export` writes a configuration for what exists, and its plan shows only imports.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::support::{Must as _, Release, World};
use crate::takeover::{full, furnished, only_imports, secrets, skips};
use mailflow::provider::CATALOG;
use mailflow::schema::engine::resource_columns;

/// Where the provider finds the stand-ins: environment, and settings that have no variable.
pub(crate) fn settings(world: &World) -> (Vec<(&'static str, String)>, Vec<String>) {
    let (exchange, gateway) = (&world.stand_ins.exchange, &world.stand_ins.gateway);
    let environment = vec![
        ("ARM_TENANT_ID", exchange.tenant()),
        ("ARM_CLIENT_ID", exchange.client_id()),
        ("ARM_CLIENT_SECRET", exchange.client_secret()),
        ("MAILFLOW_GATEWAY_HOST", "127.0.0.1".to_owned()),
        ("MAILFLOW_GATEWAY_USERNAME", gateway.username().to_owned()),
        ("MAILFLOW_GATEWAY_PASSWORD", gateway.password().to_owned()),
        ("MAILFLOW_GATEWAY_HOST_KEYS", gateway.host_key_fingerprint().to_owned()),
    ];
    let urls = ["login_url", "exchange_url", "graph_url"].map(|name| format!("exchange.{name}={}", exchange.url()));
    let set = [format!("gateway.port={}", gateway.port())].into_iter().chain(urls);
    (environment, set.flat_map(|setting| ["--set".to_owned(), setting]).collect())
}

/// Runs `export` with the stand-ins' settings.
pub(crate) async fn export(world: &World, folder: &std::path::Path, more: &[&str]) -> std::process::Output {
    let (environment, set) = settings(world);
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"));
    command.arg("export").arg("--output").arg(folder).args(set).args(more).envs(environment).kill_on_drop(true);
    command.output().await.expect("it runs")
}

/// The text of each file of a folder.
pub(crate) fn texts(folder: &std::path::Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect()
}

/// The variables that have to be given: header values that stand elsewhere, too, by the rules that their descriptions name.
fn needed(files: &BTreeMap<String, String>, state: &BTreeMap<String, serde_json::Value>) -> Vec<(String, String)> {
    let blocks = files["variables.tf"].split("variable \"").skip(1).filter(|block| !block.contains("default"));
    let value = |block: &str| {
        let name = block.split('"').next().expect("a name");
        let rule = |object: &&serde_json::Value| {
            object["name"].as_str().is_some_and(|rule| block.contains(&format!("of the transport rule {rule}")))
                && object["actions"]["set_header_value"].is_string()
        };
        let object = state.values().find(rule).unwrap_or_else(|| panic!("no rule has {block}"));
        (format!("TF_VAR_{name}"), object["actions"]["set_header_value"].as_str().expect("a text").to_owned())
    };
    blocks.map(value).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_every_kind_plans_only_imports_and_has_no_secret() {
    let world = World::start();
    let state = furnished(&world).await.state();
    let exchange = &world.stand_ins.exchange;
    let scoped = json!({
        "ConnectorType": "Partner",
        "IsTransportRuleScoped": true,
        "UseMXRecord": false,
        "SmartHosts": ["203.0.113.20"],
        "TlsSettings": "EncryptionOnly",
    });
    exchange.put("OutboundConnector", "Scoped", &scoped).expect("made");
    let routed = json!({ "FromScope": "InOrganization", "RouteMessageOutboundConnector": "Scoped" });
    exchange.put("TransportRule", "Zwölfte Regel \"routed\"", &routed).expect("made");
    let before = world.stand_ins.snapshot();
    let homes = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    for home in &homes {
        let output = export(&world, home.path(), &[]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let files = texts(homes[0].path());
    assert_eq!(files, texts(homes[1].path()), "the same objects make the same bytes");
    assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    let again = export(&world, homes[0].path(), &[]).await;
    assert!(
        !again.status.success() && String::from_utf8_lossy(&again.stderr).contains("--force"),
        "files that stand are an error"
    );
    let all: String = files.values().map(String::as_str).collect();
    let mut hidden = BTreeSet::from([world.stand_ins.exchange.client_secret(), world.stand_ins.gateway.password().to_owned()]);
    for resource in CATALOG.resources {
        for (_, object) in state.iter().filter(|(address, _)| address.starts_with(&format!("{}.", full(resource)))) {
            secrets(&resource_columns(resource), object, &mut hidden);
        }
    }
    // The text of a filter is no secret as a whole: `brownfield` looks for what is secret in it.
    let is_text = |secret: &&String| secret.contains('(');
    let printed: Vec<&String> =
        hidden.iter().filter(|secret| secret.len() > 5 && !is_text(secret) && all.contains(secret.as_str())).collect();
    assert!(printed.is_empty(), "in clear: {printed:?}");
    let references =
        ["route_message_outbound_connector = mailflow_exchange_outbound_connector.", "= mailflow_gateway_mail_flow_policy."];
    let flat = all.split_whitespace().collect::<Vec<_>>().join(" ");
    for reference in references {
        assert!(flat.contains(reference), "{reference}");
    }
    let count = files["imports.tf"].matches("import {").count();
    assert!(count > 200, "{count} objects");
    for release in Release::BOTH {
        if release == Release::Newest && skips() {
            continue;
        }
        let workspace = world.workspace_on(release, &format!("exported_{release}")).await;
        std::fs::remove_file(workspace.folder.join("provider.tf")).expect("removed");
        for (name, text) in &files {
            std::fs::write(workspace.folder.join(name), text).expect("written");
        }
        let (environment, _) = settings(&world);
        let needed = needed(&files, &state);
        let own = environment.iter().map(|(name, value)| (*name, value.as_str()));
        let environment: Vec<(&str, &str)> =
            own.chain(needed.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
        workspace.run(&["fmt", "-check", "-diff", "-no-color"]).await.must("the layout");
        workspace.run_with(&["validate", "-no-color"], &environment).await.must("validate");
        let planned = workspace.run_with(&["plan", "-no-color"], &environment).await.must("plan");
        only_imports(&planned.stdout, count, &format!("as exported, on {release}"));
        assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_what_can_be_reached_says_what_is_left_out() {
    let world = World::start();
    let home = tempfile::tempdir().expect("a folder");
    let output = export(&world, home.path(), &["--set", "exchange.tenant_id=nobody.example", "--include-defaults"]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let files = texts(home.path());
    assert!(files.contains_key("gateway_sender_group.tf") && !files.keys().any(|name| name.starts_with("exchange_")), "{told}");
    assert!(files["README.md"].contains("the side exchange"), "{}", files["README.md"]);
    // Only what is asked for; and where nothing is left, no file.
    let home = tempfile::tempdir().expect("a folder");
    let some = export(&world, home.path(), &["--only", "gateway", "--match", "*RELAY*", "--exclude", "*RELAYED*"]).await;
    assert!(some.status.success(), "{}", String::from_utf8_lossy(&some.stderr));
    let imports = texts(home.path())["imports.tf"].clone();
    assert!(imports.contains("RELAYLIST") && !imports.contains("RELAYED") && !imports.contains("exchange"), "{imports}");
    let home = tempfile::tempdir().expect("a folder");
    let none = export(&world, &home.path().join("none"), &["--match", "nothing has this name"]).await;
    assert_eq!(none.status.code(), Some(1));
    assert!(!home.path().join("none").exists());
    let known = home.path().join("state.json");
    std::fs::write(&known, r#"{"version": 4}"#).expect("written");
    let not_known = export(&world, &home.path().join("none"), &["--against", known.to_str().expect("a path")]).await;
    let told = String::from_utf8_lossy(&not_known.stderr).into_owned();
    assert!(not_known.status.code() == Some(1) && told.contains("terraform show -json"), "{told}");
    // A secret that came from a file is known to the check, and to no file.
    let (environment, set) = settings(&world);
    let password_file = home.path().join("password");
    std::fs::write(&password_file, world.stand_ins.gateway.password()).expect("written");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"));
    command
        .args(["export", "--check", "--only", "mailflow_gateway_sender_group", "--output"])
        .arg(home.path().join("by_file"))
        .args(set);
    command.arg("--set").arg(format!("gateway.password=@{}", password_file.display()));
    command.envs(environment.into_iter().filter(|(name, _)| *name != "MAILFLOW_GATEWAY_PASSWORD"));
    let checked = command.kill_on_drop(true).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && told.contains(" to import, 0 to add, 0 to change, 0 to destroy."), "{told}");
    assert!(texts(&home.path().join("by_file")).values().all(|text| !text.contains(world.stand_ins.gateway.password())));
    // Without the program there is no check, and that is said.
    let (environment, set) = settings(&world);
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"));
    command
        .args(["export", "--check", "--only", "gateway", "--output"])
        .arg(home.path().join("checked"))
        .args(set)
        .envs(environment);
    let lacking = command.env("PATH", home.path()).kill_on_drop(true).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&lacking.stderr).into_owned();
    assert!(lacking.status.code() == Some(1) && told.contains("neither terraform nor tofu is on the PATH"), "{told}");
    let wrong = export(&world, home.path(), &["--only", "gateways"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
}
