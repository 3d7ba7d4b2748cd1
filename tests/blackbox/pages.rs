//! Every command of the guides, pasted into an empty home, does what the page says.
//!
//! A block that is marked `shell` is run here, all of a page in one shell, in their order; the stand-ins' settings are in the environment. What cannot
//! be run (a download, another system, a registry) is marked otherwise.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use mailflow::tool::terraform::{minimum, platform};

use crate::support::{Must as _, Release, World};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs/guides").join(name)).expect("a page")
}

/// The commands of a page.
fn commands(text: &str) -> Vec<&str> {
    text.split("```shell\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let target = to.join(entry.file_name().expect("a name"));
        if entry.is_dir() {
            copy_all(&entry, &target);
        } else {
            fs::copy(&entry, &target).expect("copied");
        }
    }
}

/// A home in which the binary is on the `PATH`, the examples are in the folder at hand, and the archive of a release beside them.
struct Home {
    place: tempfile::TempDir,
    bin: PathBuf,
}

impl Home {
    /// With `installed`, Terraform finds the provider.
    fn new(installed: bool) -> Home {
        let place = tempfile::tempdir().expect("a folder");
        let bin = place.path().join("tools");
        fs::create_dir_all(&bin).expect("a folder");
        let script = bin.join("terraform-provider-mailflow");
        fs::write(&script, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_terraform-provider-mailflow")))
            .expect("written");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it may be run");
        copy_all(&root().join("examples"), &place.path().join("work/examples"));
        let archive = place.path().join(format!("work/terraform-provider-mailflow_{VERSION}_linux_amd64.zip"));
        let zip = "import sys, zipfile\ne = zipfile.ZipInfo('terraform-provider-mailflow_v' + sys.argv[3])\ne.external_attr = 0o100755 << 16\nzipfile.ZipFile(sys.argv[1], 'w').writestr(e, open(sys.argv[2]).read())";
        let made = Command::new("python3").args(["-c", zip]).args([&archive, &script]).arg(VERSION).status().expect("python3");
        assert!(made.success());
        if installed {
            Release::Oldest.install(place.path());
            fs::copy(place.path().join("cli.tfrc"), place.path().join(".terraformrc")).expect("copied");
        }
        Home { place, bin }
    }

    /// Runs commands as one script; the question of an apply is answered with yes.
    fn paste(&self, script: &str, stand_ins: &StandIns) -> String {
        let file = self.place.path().join("pasted");
        fs::write(&file, script).expect("written");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell.arg("-eu").arg(&file).current_dir(self.place.path().join("work")).env_clear();
        shell.env("HOME", self.place.path()).env("PATH", format!("{}:{path}", self.bin.display())).env("CHECKPOINT_DISABLE", "1");
        shell.envs(stand_ins.environment());
        // What a person answers: a program reads all that was typed ahead, and leaves nothing for the next.
        shell.env("TF_CLI_ARGS_apply", "-auto-approve").env("TF_CLI_ARGS_destroy", "-auto-approve");
        let output = shell.stdin(Stdio::null()).output().expect("a shell");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\nended with {:?}:\n{said}", output.status.code());
        said
    }
}

/// Runs all commands of a page.
fn run(name: &str, installed: bool) -> (String, StandIns) {
    let stand_ins = StandIns::start().expect("the stand-ins start");
    let text = page(name);
    let commands = commands(&text);
    assert!(!commands.is_empty(), "{name} has no commands");
    let said = Home::new(installed).paste(&commands.join("\n"), &stand_ins);
    (said, stand_ins)
}

#[test]
fn rn1_rn2_install() {
    let (said, _) = run("install.md", false);
    assert!(said.contains(&format!("terraform-provider-mailflow {VERSION}")), "{said}");
    assert!(said.contains("Provider development overrides are in effect"), "{said}");
    let text = page("install.md");
    assert!(
        text.contains(&format!("_{VERSION}_")) && text.contains(&format!("Terraform {} or later", minimum())),
        "the versions"
    );
    let rust = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let rust =
        rust.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("a version").trim_matches('"').to_owned();
    assert!(text.contains(&format!("Rust {rust} or later")), "Rust");
    assert_eq!(platform(), "linux_amd64", "the page's archive is for another platform");
}

#[test]
fn getting_started() {
    let (said, stand_ins) = run("getting-started.md", true);
    assert!(said.contains("11 added, 0 changed, 0 destroyed") && said.contains("0 added, 1 changed, 0 destroyed"), "{said}");
    let connector = stand_ins.exchange.object("InboundConnector", "Inbound from Cisco CES").expect("a connector");
    assert_eq!(connector["RestrictDomainsToIPAddresses"], true);
}

#[test]
fn changing_the_secret() {
    let stand_ins = StandIns::start().expect("the stand-ins start");
    let home = Home::new(true);
    let begin = commands_until(&page("getting-started.md"), "terraform apply");
    let text = page("changing-the-secret.md");
    let said = home.paste(
        &format!("{begin}\n{}\nterraform plan -detailed-exitcode -var relay_secret_version=4\n", commands(&text).join("\n")),
        &stand_ins,
    );
    assert_eq!(said.matches("0 added, 2 changed, 0 destroyed").count(), 3, "{said}");
}

/// The commands of a page up to the first block that has this one.
fn commands_until(text: &str, command: &str) -> String {
    let all = commands(text);
    let end = all.iter().position(|block| block.contains(command)).expect("the command");
    all[..=end].join("\n")
}

#[test]
fn decommission() {
    let stand_ins = StandIns::start().expect("the stand-ins start");
    let before = stand_ins.snapshot();
    let home = Home::new(true);
    let begin = commands_until(&page("getting-started.md"), "terraform apply");
    let text = page("decommission.md");
    let said = home.paste(&format!("{begin}\n{}\n", commands(&text).join("\n")), &stand_ins);
    assert!(
        said.contains("Destroy complete! Resources: 1 destroyed.") && said.contains("Destroy complete! Resources: 10 destroyed."),
        "{said}"
    );
    assert_eq!(stand_ins.snapshot(), before);
    // What the page says of the order: the group goes before its guard.
    let place = |words: &str| said.rfind(words).unwrap_or_else(|| panic!("no {words}: {said}"));
    assert!(
        place("sender_group.relay_o365: Destruction complete") < place("message_filter.office365_outbound: Destroying"),
        "{said}"
    );
}

#[test]
fn hcp_terraform() {
    let (said, _) = run("hcp-terraform.md", true);
    assert!(said.contains("11 added, 0 changed, 0 destroyed"), "{said}");
}

#[test]
fn testing() {
    let (said, _) = run("testing.md", true);
    assert!(said.contains(" 7 passed, 0 failed.") && said.contains(" 2 passed, 0 failed."), "{said}");
    assert!(said.contains("Resources: 11 added") && said.contains("11 destroyed"), "{said}");
}

#[test]
fn the_other_pages() {
    for name in ["cloud-gateway.md", "upgrading.md", "troubleshooting.md"] {
        run(name, true);
    }
    // No OpenTofu can be had: that its folder is laid out is all that is run.
    run("opentofu.md", false);
}

#[test]
fn every_guide_is_run() {
    // The import guide's blocks are held by `imports::`, and its command by `export::`; the commands of the page on tests by `verify::`.
    let known = [
        "changing-the-secret.md",
        "cloud-gateway.md",
        "decommission.md",
        "getting-started.md",
        "hcp-terraform.md",
        "import.md",
        "install.md",
        "opentofu.md",
        "testing.md",
        "troubleshooting.md",
        "upgrading.md",
        "verify.md",
    ];
    for entry in fs::read_dir(root().join("docs/guides")).expect("the guides") {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        let has_commands = !commands(&page(&name)).is_empty();
        assert!(!has_commands || known.contains(&name.as_str()), "{name} has commands that no test runs");
    }
}

/// The commands of the README, and what holds each.
#[test]
fn every_command_of_the_readme_is_held() {
    let held = [
        ("cargo install --path . --locked", "built by every test"),
        ("terraform-provider-mailflow demo", ".ci/run"),
        ("terraform-provider-mailflow sandbox --write lab", "sandbox_folder"),
        ("terraform-provider-mailflow doctor", "doctor"),
        ("terraform-provider-mailflow doctor --report", "doctor"),
        ("terraform-provider-mailflow doctor --record DIR", "doctor"),
    ];
    let text = fs::read_to_string(root().join("README.md")).expect("a page");
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let lines: Vec<&str> = blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    assert_eq!(lines, held.map(|(command, _)| command));
}

#[test]
fn the_configuration_of_the_readme_is_valid() {
    let text = fs::read_to_string(root().join("README.md")).expect("a page");
    let blocks: Vec<&str> = text.split("```hcl\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert!(!blocks.is_empty(), "the README has no configuration");
    let stand_ins = StandIns::start().expect("the stand-ins start");
    for block in blocks {
        let script = format!(
            "cat > main.tf <<'END'\n{block}\nEND\nterraform fmt -check\nterraform init\nterraform validate\nrm -r .terraform .terraform.lock.hcl\n"
        );
        Home::new(true).paste(&script, &stand_ins);
    }
    // In a guide, configuration is that of an example, or is pasted by a command.
    for entry in fs::read_dir(root().join("docs/guides")).expect("the guides") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a page");
        let mut blocks = text.split("```hcl\n").skip(1).filter_map(|rest| rest.split("\n```").next());
        // The zone is managed by another provider, which cannot be had here.
        assert!(blocks.all(|block| block.contains("aws_route53_record")), "{} has a block that no test runs", path.display());
    }
}

/// The sources, with texts that go on in the next line put together.
fn sources() -> String {
    let mut all = String::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a text");
                let mut lines = text.lines();
                while let Some(line) = lines.next() {
                    match line.strip_suffix('\\') {
                        Some(begun) => {
                            all.push_str(begun);
                            for next in lines.by_ref() {
                                let next = next.trim_start();
                                all.push_str(next.strip_suffix('\\').unwrap_or(next));
                                if !next.ends_with('\\') {
                                    break;
                                }
                            }
                        }
                        None => all.push_str(line),
                    }
                    all.push('\n');
                }
            }
        }
    }
    all.replace("\\\"", "\"")
}

/// A reader searches the page for the words on the screen.
#[test]
fn errors_that_a_page_quotes_are_errors_of_the_provider() {
    let sources = sources();
    let text = page("troubleshooting.md");
    let quoted = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let own = quoted.filter(|words| !words.starts_with("AADSTS") && !words.starts_with("Failed to query"));
    let mut seen = 0;
    for part in own.flat_map(|words| words.split('…')).map(str::trim).filter(|part| !part.is_empty()) {
        seen += 1;
        assert!(sources.contains(&part.replace("\"gateway\"", "\"{block}\"")), "no error has the words {part:?}");
    }
    assert!(seen > 10, "{seen}");
}

/// Versions that a reader copies are those of this release.
#[test]
fn rn2_examples_ask_for_this_version() {
    let line = VERSION.rsplit_once('.').expect("three numbers").0;
    let mut folders = vec![root().join("examples"), root().join("docs/guides")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a text");
            for asked in text.split("version = \"~> ").skip(1).filter_map(|rest| rest.split('"').next()) {
                seen += 1;
                assert_eq!(asked, line, "{}", path.display());
            }
            for asked in text.split("required_version = \">= ").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert_eq!(asked, minimum(), "{}", path.display());
            }
        }
    }
    assert!(seen > 3, "{seen}");
    for place in ["README.md", "src/provider/front_page.md", "docs/guides/install.md"] {
        let text = fs::read_to_string(root().join(place)).expect("a page");
        assert!(text.contains(&format!("OpenTofu {} or later", minimum())), "{place}");
    }
}

/// Two gateways by alias: each gets every domain, and nothing else of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_domains_go_through_two_gateways() {
    let world = World::start();
    let other = gateway::Appliance::start(gateway::Options::default()).expect("a second gateway");
    let workspace = world.workspace("many").await;
    fs::remove_file(workspace.folder.join("provider.tf")).expect("removed");
    copy_all(&root().join("examples/many-domains"), &workspace.folder);
    let gateway = |appliance: &gateway::Appliance| serde_json::json!({ "host": "127.0.0.1", "port": appliance.port(), "host_keys": [appliance.host_key_fingerprint()] });
    let values = serde_json::json!({
        "domains": { "example.com": "example-com.mail.protection.outlook.com", "example.net": "example-net.a-v1.mx.microsoft" },
        "gateways": { "east": gateway(&world.stand_ins.gateway), "west": gateway(&other) },
        "gateway_username": other.username(),
        "gateway_password": other.password(),
    });
    fs::write(workspace.folder.join("terraform.tfvars.json"), values.to_string()).expect("written");
    workspace.run(&["init", "-no-color"]).await.must("init");
    workspace.apply().await;
    workspace.must_plan_nothing("after the apply").await;
    for appliance in [&world.stand_ins.gateway, &other] {
        assert_eq!(appliance.configuration().smtp_routes.len(), 2);
    }
    workspace.destroy().await;
}

/// Through a jump host, to a cluster, as the example has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cloud_gateway_is_reached_through_its_proxy() {
    let cluster = gateway::Options { cluster: Some(gateway::Cluster::of_two()), ..gateway::Options::default() };
    let world = World::with(StandIns::with(exchange::Options::default(), cluster).expect("the stand-ins start"));
    let options = gateway::Options {
        forwards: true,
        username: "proxy".into(),
        password: "Another-Passphrase-2".into(),
        ..gateway::Options::default()
    };
    let proxy = gateway::Appliance::start(options).expect("a proxy");
    let workspace = world.workspace("cloud").await;
    fs::remove_file(workspace.folder.join("provider.tf")).expect("removed");
    copy_all(&root().join("examples/cloud-gateway"), &workspace.folder);
    let appliance = &world.stand_ins.gateway;
    let values = serde_json::json!({
        "domain": "example.com",
        "delivery_host": "example-com.mail.protection.outlook.com",
        "inbound_listener": "IncomingMail",
        "gateway_host": "127.0.0.1", "gateway_port": appliance.port(),
        "gateway_username": appliance.username(), "gateway_password": appliance.password(),
        "gateway_host_keys": [appliance.host_key_fingerprint()],
        "proxy_host": "127.0.0.1", "proxy_port": proxy.port(),
        "proxy_username": proxy.username(), "proxy_password": proxy.password(),
        "proxy_host_keys": [proxy.host_key_fingerprint()],
    });
    fs::write(workspace.folder.join("terraform.tfvars.json"), values.to_string()).expect("written");
    workspace.run(&["init", "-no-color"]).await.must("init");
    workspace.apply().await;
    workspace.must_plan_nothing("after the apply").await;
    assert!(proxy.counters().logins >= 2, "the proxy was used");
    assert_eq!(appliance.configuration().smtp_routes.len(), 1);
    workspace.destroy().await;
}
