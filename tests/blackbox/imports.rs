//! Import blocks as the docs print them, and `moved` blocks from another provider.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use crate::support::{Must as _, Release, Workspace, World};
use crate::takeover::{full, only_imports, skips};
use mailflow::provider::CATALOG;

const SECRET: &str = "mysecretkey1";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes the configuration of the guide.
pub(crate) fn write_guide(workspace: &Workspace<'_>) {
    for file in ["variables.tf", "inbound.tf", "outbound.tf"] {
        fs::write(workspace.folder.join(file), read(&format!("examples/guide/{file}"))).expect("written");
    }
    let values = json!({
        "domain": "example.com",
        "gateway_inbound_addresses": ["203.0.113.10"],
        "gateway_outbound_hosts": ["203.0.113.20"],
        "test_recipient": "postmaster@example.net",
        "relay_secret": SECRET,
        "mx_moved": true,
    });
    fs::write(workspace.folder.join("terraform.tfvars.json"), values.to_string()).expect("written");
}

/// Removes the arguments that write secrets, as the page says.
fn keep_secrets(workspace: &Workspace<'_>) {
    let file = workspace.folder.join("outbound.tf");
    let text = fs::read_to_string(&file).expect("read");
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines() {
        let starts = ["script_wo", "set_header_value_wo"].iter().any(|name| line.trim_start().starts_with(name));
        if !starts && !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        // A call over several lines ends at its own bracket.
        inside = (starts && line.ends_with('(')) || (inside && line.trim() != ")");
    }
    assert!(!kept.contains("_wo"), "{kept}");
    fs::write(&file, kept).expect("written");
}

fn releases() -> impl Iterator<Item = Release> {
    Release::BOTH.into_iter().filter(|release| *release == Release::Oldest || !skips())
}

/// RN11: the blocks of docs/guides/import.md beside the configuration of the guide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_import_guide_pasted_as_it_is_printed_plans_only_imports() {
    let world = World::start();
    let first = world.workspace("guide").await;
    write_guide(&first);
    first.apply().await;
    let before = world.stand_ins.snapshot();
    let page = read("docs/guides/import.md");
    let blocks = page.split("```terraform\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let blocks: Vec<&str> = blocks.filter(|block| block.starts_with("import {")).collect();
    let imports = blocks.join("\n") + "\n";
    let count = imports.matches("import {").count();
    assert_eq!(count, first.state().keys().filter(|address| !address.starts_with("data.")).count(), "one block for each object");
    for release in releases() {
        let pasted = world.workspace_on(release, &format!("pasted_{release}")).await;
        write_guide(&pasted);
        keep_secrets(&pasted);
        fs::write(pasted.folder.join("imports.tf"), &imports).expect("written");
        let planned = pasted.run(&["plan", "-no-color"]).await.must("plan");
        only_imports(&planned.stdout, count, &format!("as pasted, on {release}"));
        assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_import_block_and_every_import_command_of_the_examples_imports() {
    let world = World::start();
    let first = world.workspace("guide").await;
    write_guide(&first);
    first.apply().await;
    let config = json!({ "Name": "contoso.com", "DomainName": "contoso.com", "Enabled": true });
    world.stand_ins.exchange.put("DkimSigningConfig", "contoso.com", &config).expect("made");
    let before = world.stand_ins.snapshot();
    let blocks: String =
        CATALOG.resources.iter().map(|resource| read(&format!("examples/resources/{}/import.tf", full(resource)))).collect();
    for release in releases() {
        let workspace = world.workspace_on(release, &format!("examples_{release}")).await;
        fs::write(workspace.folder.join("imports.tf"), &blocks).expect("written");
        let planned = workspace.run(&["plan", "-no-color", "-generate-config-out=generated.tf"]).await.must("plan");
        only_imports(&planned.stdout, CATALOG.resources.len(), &format!("the examples, on {release}"));
        assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    }
    // The commands beside them, each in a folder with the configuration of its page.
    for resource in CATALOG.resources {
        let example = format!("examples/resources/{}", full(resource));
        let workspace = world.workspace(&full(resource)).await;
        workspace.write(&read(&format!("{example}/resource.tf")));
        let mut command = Command::new("sh");
        command.arg("-eu").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(&example).join("import.sh"));
        command.current_dir(&workspace.folder).env("CHECKPOINT_DISABLE", "1").env("TF_INPUT", "0");
        command.env("TF_VAR_relay_secret", SECRET);
        let output = command.output().await.expect("it runs");
        let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(output.status.success() && told.contains("Import successful!"), "{example}:\n{told}");
        assert_eq!(workspace.state().keys().filter(|address| !address.starts_with("data.")).count(), 1, "{example}");
    }
    assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
}

/// What `terraprovider/exo` stores of objects that stand.
fn foreign_state(world: &World) -> String {
    let exchange = &world.stand_ins.exchange;
    let inbound = exchange
        .put(
            "InboundConnector",
            "From elsewhere",
            &json!({ "ConnectorType": "OnPremises", "SenderDomains": ["smtp:*;1"], "SenderIPAddresses": ["203.0.113.10"], "RequireTls": true }),
        )
        .expect("made");
    let outbound = exchange
        .put(
            "OutboundConnector",
            "To elsewhere",
            &json!({ "ConnectorType": "Partner", "RecipientDomains": ["partner.example"], "UseMXRecord": true }),
        )
        .expect("made");
    let rule = exchange
        .put(
            "TransportRule",
            "Tags",
            &json!({ "FromScope": "InOrganization", "SetHeaderName": "X-Tag", "SetHeaderValue": SECRET, "SetSCL": "-1" }),
        )
        .expect("made");
    let object = |kind: &str, attributes: serde_json::Value| {
        json!({
            "mode": "managed", "type": kind, "name": "a",
            "provider": "provider[\"registry.terraform.io/terraprovider/exo\"]",
            "instances": [{ "schema_version": 0, "attributes": attributes, "sensitive_attributes": [] }],
        })
    };
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "0ab1e768-08b0-4768-81e2-64d6f990c552", "outputs": {},
        "resources": [
            object("exo_inbound_connector", json!({
                "id": inbound, "identity": "From elsewhere", "name": "From elsewhere", "connector_type": "OnPremises", "sender_domains": ["smtp:*;1"],
                "sender_ip_addresses": ["203.0.113.10"], "require_tls": true, "enabled": true, "comment": "", "ef_skip_i_ps": [], "client_host_names": null,
            })),
            object("exo_outbound_connector", json!({
                "id": outbound, "identity": "To elsewhere", "name": "To elsewhere", "connector_type": "Partner", "recipient_domains": ["partner.example"],
                "use_mx_record": true, "link_for_modified_connector": null,
            })),
            object("exo_transport_rule", json!({
                "id": rule, "identity": "Tags", "name": "Tags", "from_scope": "InOrganization", "set_header_name": "X-Tag", "set_header_value": SECRET,
                "set_scl": "-1", "priority": 0, "mode": "Enforce",
            })),
        ],
        "check_results": null,
    })
    .to_string()
}

/// Puts a program into the mirror that stands for the other provider: Terraform wants its schemas as long as its objects are in the state.
fn stand_in_for_exo(workspace: &Workspace<'_>) {
    let host = workspace.folder.parent().expect("a home").join("mirror/registry.terraform.io");
    let platform = mailflow::tool::terraform::platform();
    let version = env!("CARGO_PKG_VERSION");
    let ours = host.join(format!("mailflow/mailflow/{version}/{platform}/terraform-provider-mailflow_v{version}"));
    let theirs = host.join(format!("terraprovider/exo/{version}/{platform}"));
    fs::create_dir_all(&theirs).expect("a folder");
    fs::copy(ours, theirs.join(format!("terraform-provider-exo_v{version}"))).expect("copied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_of_terraprovider_exo_are_moved_here_without_a_change() {
    let world = World::start();
    let state = foreign_state(&world);
    let before = world.stand_ins.snapshot();
    let workspace = world.workspace("moved").await;
    stand_in_for_exo(&workspace);
    let mut configuration = String::new();
    for kind in ["inbound_connector", "outbound_connector", "transport_rule"] {
        let _ = write!(configuration, "moved {{\n  from = exo_{kind}.a\n  to   = mailflow_exchange_{kind}.a\n}}\n");
    }
    let _ = write!(
        configuration,
        r#"
resource "mailflow_exchange_inbound_connector" "a" {{
  name                = "From elsewhere"
  connector_type      = "OnPremises"
  sender_domains      = ["*"]
  sender_ip_addresses = ["203.0.113.10"]
  require_tls         = true
}}
resource "mailflow_exchange_outbound_connector" "a" {{
  name              = "To elsewhere"
  connector_type    = "Partner"
  recipient_domains = ["partner.example"]
}}
resource "mailflow_exchange_transport_rule" "a" {{
  name = "Tags"
  conditions {{
    from_scope = "InOrganization"
  }}
  actions {{
    set_header_name  = "X-Tag"
    set_header_value = "{SECRET}"
    set_scl          = -1
  }}
}}
"#
    );
    workspace.write(&configuration);
    let provider = fs::read_to_string(workspace.folder.join("provider.tf")).expect("a file");
    let both = "required_providers {\n    exo = { source = \"terraprovider/exo\" }\n";
    fs::write(workspace.folder.join("provider.tf"), provider.replacen("required_providers {\n", both, 1)).expect("written");
    workspace.run(&["init", "-no-color"]).await.must("init");
    fs::write(workspace.folder.join("terraform.tfstate"), state).expect("written");
    let planned = workspace.run(&["plan", "-no-color"]).await.must("plan");
    assert!(planned.stdout.contains("0 to add, 0 to change, 0 to destroy"), "{}{}", planned.stdout, planned.stderr);
    for kind in ["inbound_connector", "outbound_connector", "transport_rule"] {
        assert!(planned.stdout.contains(&format!("exo_{kind}.a has moved to mailflow_exchange_{kind}.a")), "{}", planned.stdout);
    }
    workspace.apply().await;
    assert_eq!(world.stand_ins.snapshot(), before, "nothing is written");
    workspace.must_plan_nothing("after the move").await;
    assert_eq!(workspace.state().len(), 3);
}
