//! Message filters against a gateway that writes them back in its own manner.

use std::collections::BTreeMap;

use crate::support::{Must as _, World};
use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::tables::filter::Filter;
use mailflow::sandbox::gateway::{Layout, Options, Reprint};
use mailflow::tool::sandbox::StandIns;
use serde_json::{Value as Json, json};

/// Filters that have every rule and every action of the admin manual's tables.
const FILTERS: &str = include_str!("../data/message_filters.txt");

fn world(reprint: Reprint) -> World {
    let options = Options { layout: Layout { reprint, ..Layout::default() }, ..Options::default() };
    World::with(StandIns::with(exchange::Options::default(), options).expect("the stand-ins start"))
}

fn resources() -> Vec<(&'static str, String, Json)> {
    let filters = FILTERS.split("\n%%\n").skip(1).enumerate();
    filters
        .map(|(at, script)| {
            let name = format!("f{at:02}");
            ("mailflow_gateway_message_filter", name.clone(), json!({ "name": name, "script": script }))
        })
        .collect()
}

fn standing(world: &World) -> Vec<Filter> {
    world.stand_ins.gateway.configuration().filters
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg4_filters_that_the_gateway_writes_back_in_its_own_manner_are_no_change() {
    let world = world(Reprint::all());
    let workspace = world.workspace("reprint").await;
    let all = resources();
    assert!(all.len() >= 40, "{}", all.len());
    workspace.write_resources(all.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    workspace.apply().await;
    assert!(!workspace.state_text().contains("tainted"), "nothing is tainted");
    for (_, name, arguments) in &all {
        let state = &workspace.state()[&format!("mailflow_gateway_message_filter.{name}")];
        assert_eq!((&state["script"], &state["valid"]), (&arguments["script"], &json!(true)), "the text stays as it was written");
    }
    workspace.must_plan_nothing("with every manner at once").await;
    for (name, manner) in Reprint::each() {
        world.stand_ins.gateway.reprint(manner);
        workspace.must_plan_nothing(name).await;
    }

    // Somebody changes one point of one filter: that is a change, and its place is told.
    world.stand_ins.gateway.edit(|configuration| {
        let filter = configuration.filters.iter_mut().find(|filter| filter.name == "f04").expect("it is there");
        filter.body = filter.body.replace("100k", "101k");
    });
    let planned = workspace.run(&["plan", "-no-color"]).await.must("plan");
    let flat = planned.stdout.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("Its script has `103424` (line 1, column"), "{}", planned.stdout);
    assert!(flat.contains("and `102400` (line 1, column"), "{}", planned.stdout);
    assert!(flat.contains("1 to change, 0 to destroy"), "{}", planned.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg4_filters_of_others_are_imported_without_a_change() {
    let world = world(Reprint::all());
    let all = resources();
    world.stand_ins.gateway.edit(|configuration| {
        for (_, name, arguments) in &all {
            let plain: Vec<&str> =
                arguments["script"].as_str().unwrap_or_default().lines().filter(|line| !line.starts_with('#')).collect();
            let body = plain.join("\n").replace(" # in the line", "");
            configuration.filters.push(Filter { name: name.clone(), active: true, body });
        }
    });
    let workspace = world.workspace("import").await;
    workspace.write_resources(all.iter().map(|(kind, name, arguments)| (*kind, name.as_str(), arguments.clone())));
    let addresses = all.iter().map(|(kind, name, _)| (format!("{kind}.{name}"), name.clone()));
    workspace.write_imports(&addresses.collect::<BTreeMap<_, _>>());
    let planned = workspace.run(&["plan", "-no-color"]).await.must("plan").stdout;
    assert!(planned.contains(&format!("{} to import, 0 to add, 0 to change, 0 to destroy", all.len())), "{planned}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rg9_a_reviewer_reads_the_masked_text_at_plan_and_the_names_in_errors() {
    let world = world(Reprint::default());
    let workspace = world.workspace("masked").await;
    let hcl = |script: &str| {
        format!("resource \"mailflow_gateway_message_filter\" \"one\" {{\n  name = \"one\"\n  script = {script}\n}}\n")
    };
    // The group is not there yet: `sendergroup` is a pattern.
    workspace.write(&hcl("provider::mailflow::relay_filter_script(\"RELAY_LATER\", \"X-AUTH\", [\"s3cretvalue1\"])"));
    let planned = workspace.run(&["plan", "-no-color", "-out=plan.bin"]).await.must("plan").stdout;
    assert!(planned.contains("masked_script") && planned.contains("^RELAY_LATER$"), "{planned}");
    assert!(planned.contains("header(\"X-AUTH\") == \"(sensitive)\"") && !planned.contains("s3cretvalue1"), "{planned}");
    workspace.run(&["apply", "-no-color", "plan.bin"]).await.must("apply");
    assert_eq!(standing(&world).len(), 1);
    let one = workspace.state()["mailflow_gateway_message_filter.one"].clone();
    assert_eq!(one["valid"], json!(true));
    workspace.must_plan_nothing("after the create").await;

    // A write-only text is shown in the same way.
    workspace.write(&hcl(
        "null\n  script_wo = \"if header(\\\"X-AUTH\\\") == \\\"^s3cretvalue2$\\\" { drop(); }\"\n  script_wo_version = 1",
    ));
    let planned = workspace.run(&["plan", "-no-color"]).await.must("plan").stdout;
    assert!(planned.contains("header(\"X-AUTH\") == \"(sensitive)\" { drop(); }"), "{planned}");
    workspace.apply().await;
    workspace.must_plan_nothing("after the text was written write-only").await;

    // A listener that is not there is an error at plan that names it, and its place.
    workspace.write(&hcl("\"if true {\\n  if recv-listener == \\\"Nowhere\\\" { drop(); }\\n}\""));
    let refused = workspace.run(&["plan", "-no-color"]).await;
    assert!(!refused.succeeded() && refused.stderr.contains("Unknown listener \"Nowhere\""), "{}", refused.stderr);
    assert!(refused.stderr.contains("line 2, column 23"), "{}", refused.stderr);

    // What cannot be a filter is an error at validate.
    workspace.write(&hcl("\"if true {\\n  drop()\\n}\""));
    let refused = workspace.run(&["validate", "-no-color"]).await;
    assert!(!refused.succeeded() && refused.stderr.contains("line 2, column 9"), "{}", refused.stderr);
}
