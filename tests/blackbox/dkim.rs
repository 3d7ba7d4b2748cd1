//! Signing with DKIM: keys that are made disabled, records that are waited for, rotations, and what stands already.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::dns::{Line, Said, Server};
use crate::support::{Must as _, Workspace, World};
use serde_json::{Value as Json, json};

const CONFIG: &str = "mailflow_exchange_dkim_signing_config";
const ACTIVATION: &str = "mailflow_exchange_dkim_activation";
const NOUN: &str = "DkimSigningConfig";
const APPLY: &[&str] = &["apply", "-auto-approve", "-no-color"];

/// A DNS server that has the two records of contoso.com from the n-th question on.
pub(crate) fn server(from: usize) -> Server {
    let asked = Arc::new(AtomicUsize::new(0));
    Server::start_of_kinds(move |name, _| {
        let is_there = asked.fetch_add(1, Ordering::SeqCst) >= from;
        match name.strip_suffix("._domainkey.contoso.com") {
            Some(selector) if is_there => {
                Said::Of(vec![Line::cname(&format!("{selector}-contoso-com._domainkey.contoso.n-v1.dkim.mail.microsoft"))])
            }
            _ => Said::Code(3),
        }
    })
}

fn write(workspace: &Workspace<'_>, config: Json, activation: Option<Json>) {
    let mut resources = vec![(CONFIG, "this", config)];
    if let Some(mut activation) = activation {
        activation["domain"] = json!(format!("${{{CONFIG}.this.domain}}"));
        resources.push((ACTIVATION, "this", activation));
    }
    workspace.write_resources(resources);
}

#[track_caller]
fn must_say(text: &str, words: &[&str]) {
    let flat = text.replace(['│', '╷', '╵'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "{word:?} is not in:\n{text}");
    }
}

async fn must_fail(workspace: &Workspace<'_>, arguments: &[&str], words: &[&str]) {
    let outcome = workspace.run(arguments).await;
    assert!(!outcome.succeeded(), "{arguments:?} was to fail\n{}", outcome.stdout);
    must_say(&outcome.stderr, words);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_made_disabled_and_signing_is_enabled_once_the_records_are_published() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let before = exchange.snapshot();
    let workspace = world.workspace("signing").await;
    let dns = server(3);
    let resolvers = json!({ "resolvers": [dns.address.to_string()] });
    write(&workspace, json!({ "domain": "Contoso.com", "key_size": 2048 }), None);
    workspace.apply().await;
    workspace.must_plan_nothing("after the keys were made").await;
    let state = workspace.state();
    let config = &state[&format!("{CONFIG}.this")];
    assert_eq!((&config["enabled"], &config["id"], &config["key_size"]), (&json!(false), &json!("contoso.com"), &json!(2048)));
    assert_eq!(config["cname_records"][1]["name"], "selector2._domainkey.contoso.com");
    assert_eq!(config["cname_records"][0]["target"], config["selector1_cname"]);
    assert_eq!(config["unmanaged"], json!([]));

    write(&workspace, json!({ "domain": "Contoso.com", "key_size": 2048 }), Some(resolvers.clone()));
    workspace.apply().await;
    workspace.must_plan_nothing("after signing was enabled").await;
    assert_eq!(exchange.object(NOUN, "contoso.com").expect("it stands")["Enabled"], json!(true));

    // Switched off by hand: the plan switches it on again.
    exchange.put(NOUN, "contoso.com", &json!({ "Enabled": false })).expect("changed");
    workspace.apply().await;
    assert_eq!(exchange.object(NOUN, "contoso.com").expect("it stands")["Enabled"], json!(true));

    let fresh = world.workspace("imported").await;
    write(&fresh, json!({ "domain": "contoso.com", "key_size": 2048 }), Some(resolvers));
    fresh.write_imports(&[CONFIG, ACTIVATION].map(|kind| (format!("{kind}.this"), "contoso.com".to_owned())).into());
    let planned = fresh.plan().await;
    assert_eq!(planned.get(&format!("{CONFIG}.this")).map(String::as_str), Some("import"), "{planned:?}");

    write(&workspace, json!({ "domain": "Contoso.com", "key_size": 2048 }), None);
    workspace.apply().await;
    assert_ne!(exchange.object(NOUN, "contoso.com").expect("it stands")["Enabled"], json!(true), "only disabled");
    workspace.destroy().await;
    assert_eq!(exchange.snapshot(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_is_not_enabled_without_the_records_and_the_error_shows_them() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("unpublished").await;
    let activation = |dns: &Server| json!({ "resolvers": [dns.address.to_string()], "timeouts": { "create": "4s" } });
    let (never, always) = (server(usize::MAX), server(0));
    write(&workspace, json!({ "domain": "contoso.com" }), Some(activation(&never)));
    let words = ["not published", "selector1._domainkey.contoso.com CNAME selector1-contoso-com._domainkey"];
    must_fail(&workspace, APPLY, &words).await;
    assert_eq!(exchange.count("Set-DkimSigningConfig"), 0, "nothing was sent");

    exchange.set_options(|options| options.dkim_unpublished.extend(["contoso.com".to_owned()]));
    write(&workspace, json!({ "domain": "contoso.com" }), Some(activation(&always)));
    must_fail(&workspace, APPLY, &["CNAME record does not exist for this config", "The service looks for the records by itself"])
        .await;
    assert!(exchange.count("Set-DkimSigningConfig") > 1, "it was tried again");
    exchange.set_options(|options| options.dkim_unpublished.clear());
    workspace.apply().await;
    workspace.must_plan_nothing("after the service saw the records").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_size_or_version_rotates_the_keys_and_not_twice_within_four_days() {
    const ROTATE: &str = "Rotate-DkimSigningConfig";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("rotation").await;
    let dns = server(0);
    let on = || Some(json!({ "resolvers": [dns.address.to_string()] }));
    let config = |size: i64, version: Json| json!({ "domain": "contoso.com", "key_size": size, "rotate_version": version });
    write(&workspace, config(1024, json!(1)), on());
    workspace.apply().await;
    workspace.must_plan_nothing("after the keys were made").await;
    assert_eq!(exchange.count(ROTATE), 0);

    write(&workspace, config(2048, json!(1)), on());
    let planned = workspace.run(&["plan", "-no-color"]).await.must("plan");
    must_say(&planned.stdout, &["The DKIM keys will be rotated", "96 hours later"]);
    workspace.apply().await;
    workspace.must_plan_nothing("after the rotation").await;
    let state = workspace.state();
    let rotated = &state[&format!("{CONFIG}.this")];
    assert_eq!((&rotated["selector2_key_size"], &rotated["selector1_key_size"]), (&json!(2048), &json!(1024)));
    assert_eq!((exchange.count(ROTATE), &rotated["selector_after_rotate_on_date"]), (1, &json!("selector2")));

    write(&workspace, config(2048, json!(2)), on());
    must_fail(&workspace, APPLY, &["being rotated already", "not again before the last rotation has taken effect"]).await;
    exchange.advance_clock(Duration::from_hours(24 * 5));
    workspace.apply().await;
    workspace.must_plan_nothing("after the second rotation").await;
    let state = workspace.state();
    assert_eq!(state[&format!("{CONFIG}.this")]["selector1_key_size"], json!(2048));
    write(&workspace, config(512, json!(2)), on());
    must_fail(&workspace, &["plan", "-no-color"], &["1024 or 2048"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_config_is_taken_over_an_enabled_one_is_imported_and_what_cannot_be_removed_is_disabled() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("standing").await;
    exchange.put(NOUN, "contoso.com", &json!({ "Enabled": true })).expect("made");
    write(&workspace, json!({ "domain": "contoso.com" }), None);
    must_fail(&workspace, &["plan", "-no-color"], &["already exists", "import {", "contoso.com"]).await;

    exchange.put(NOUN, "contoso.com", &json!({ "Enabled": false, "BodyCanonicalization": "Simple" })).expect("changed");
    let planned = workspace.run(&["plan", "-no-color"]).await.must("plan");
    must_say(&planned.stdout, &["is taken over", "`body_canonicalization` is \"Simple\" and is to be \"Relaxed\""]);
    workspace.apply().await;
    workspace.must_plan_nothing("after it was taken over").await;

    exchange.put(NOUN, "contoso.com", &json!({ "Enabled": true })).expect("changed");
    exchange.revoke("Remove-DkimSigningConfig");
    let destroyed = workspace.run(&["destroy", "-auto-approve", "-no-color"]).await.must("destroy");
    must_say(&destroyed.stdout, &["is only disabled, and stays", "Remove-DkimSigningConfig"]);
    let stays = exchange.object(NOUN, "contoso.com").expect("it stays");
    assert_ne!(stays["Enabled"], json!(true));
    workspace.apply().await;
    workspace.must_plan_nothing("after it was taken over again").await;
}
