//! The plugin as a process of its own: handshake, mutual TLS, signals, its end, and the real Terraform.
//!
//! This program is the plugin when `MAILFLOW_TEST_PLUGIN` is set, and runs itself again for that. Because standard output
//! then belongs to the handshake, it brings its own small harness.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support_plugin;

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mailflow::plugin::wire::host::Empty;
use mailflow::plugin::wire::host::grpc_controller_client::GrpcControllerClient;
use mailflow::plugin::wire::tfplugin6 as wire;
use mailflow::plugin::{Refusal, serve_debug, serve_plugin, serve_reattach};
use support_plugin::process::{AS_PLUGIN, COOKIE, Identity, Plugin, plugin_command};
use support_plugin::terraform::{SOURCE, Terraform};
use support_plugin::{Fake, THING, notes, object, settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn main() -> ExitCode {
    if std::env::var_os(AS_PLUGIN).is_some() {
        let by_hand = std::env::args().nth(1).as_deref() == Some("--debug");
        let served = if by_hand { serve_debug(Arc::new(Fake), SOURCE, || ()) } else { serve_plugin(Arc::new(Fake)) };
        return match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(Refusal::ByHand) => ExitCode::from(1),
            Err(refusal) => {
                eprintln!("{refusal}");
                ExitCode::from(2)
            }
        };
    }
    run(&std::env::args().skip(1).collect::<Vec<_>>())
}

const TESTS: &[(&str, fn())] = &[
    ("p08_started_by_hand_it_says_nothing_on_standard_output_and_fails", p08_by_hand),
    ("a_host_of_protocol_5_is_refused_in_words", protocol_5),
    ("the_handshake_is_one_line_in_the_hosts_form", handshake),
    ("the_client_that_was_announced_is_let_in_whatever_its_key", announced_clients),
    ("a_client_with_no_certificate_another_one_or_another_key_is_refused", strangers),
    ("shutdown_ends_the_process_at_once_and_removes_the_socket", shutdown),
    ("an_interrupt_is_ignored", interrupt),
    ("rt4_sigterm_ends_an_idle_process_at_once", terminate_idle),
    ("rt4_a_second_sigterm_ends_a_process_that_is_writing_at_once", terminate_twice),
    ("the_process_ends_when_its_host_is_killed", host_killed),
    ("without_tls_it_speaks_plaintext", plaintext),
    ("p09_p12_a_logged_run_keeps_standard_output_clean_and_secrets_out", p09_trace),
    ("terraform_plans_applies_imports_and_destroys", terraform_whole),
    ("terraform_without_plugin_tls_works", terraform_plaintext),
    ("terraform_reattaches_to_a_running_provider_with_several_settings", terraform_reattach),
    ("terraform_uses_a_provider_that_a_person_started_with_debug", terraform_debug),
    ("terraform_uses_the_binary_started_with_debug", terraform_debug_binary),
    ("p02_an_interrupted_terraform_has_the_object_in_its_state", terraform_interrupt),
    ("rt4_sigterm_to_the_process_group_leaves_the_object_in_the_state", terraform_terminated),
    ("p01_a_killed_terraform_takes_the_plugin_with_it_after_the_write", terraform_killed),
    ("p14_a_panic_is_shown_as_a_diagnostic_and_not_as_a_crash", terraform_panic),
    ("p12_terraform_logs_the_providers_lines_without_secrets", terraform_trace),
    ("p07_terraform_stores_an_attribute_of_6_mb", terraform_large),
];

/// A few at a time: most of them wait for processes.
fn run(arguments: &[String]) -> ExitCode {
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let chosen: Vec<_> =
        TESTS.iter().filter(|(name, _)| filters.is_empty() || filters.iter().any(|filter| name.contains(*filter))).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in &chosen {
            say(&format!("{name}: test"));
        }
        return ExitCode::SUCCESS;
    }
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((name, test)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
                    failed.fetch_add(usize::from(!passed), Ordering::Relaxed);
                    say(&format!("test {name} ... {}", if passed { "ok" } else { "FAILED" }));
                }
            });
        }
    });
    let failed = failed.into_inner();
    let passed = chosen.len() - failed;
    say(&format!("\ntest result: {passed} passed; {failed} failed"));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::print_stdout, reason = "this is the harness, not the plugin")]
fn say(line: &str) {
    println!("{line}");
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(work)
}

/// Does work in a runtime that goes on with what was spawned.
fn block_on_and_keep(work: impl Future<Output = ()>) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(work);
    runtime
}

fn signal(name: &str, process: &str) {
    let status = Command::new("kill").args([name, "--", process]).status().unwrap();
    assert!(status.success(), "kill {name} {process}");
}

/// Waits until something holds; the limit is for a machine under load.
fn until(what: &str, limit: Duration, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "not after {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A process that has ended may stay as a zombie where nobody collects it.
fn is_running(process: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with(['Z', 'X']),
        Err(_) if std::path::Path::new("/proc/self").exists() => false,
        Err(_) => Command::new("kill").args(["-0", &process.to_string()]).status().is_ok_and(|status| status.success()),
    }
}

fn p08_by_hand() {
    let mut command = plugin_command();
    command.env_remove(COOKIE.0);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}

fn protocol_5() {
    let mut command = plugin_command();
    command.env("PLUGIN_PROTOCOL_VERSIONS", "5,4");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("5,4") && said.contains("protocol 6"), "{said}");
}

fn handshake() {
    let plugin = Plugin::with_client(&Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256));
    let fields = plugin.fields();
    assert_eq!(fields.len(), 6);
    assert_eq!((fields[0], fields[1], fields[2], fields[4]), ("1", "6", "unix", "grpc"));
    assert!(plugin.line.ends_with('\n') && !plugin.line.contains('='), "{}", plugin.line);
    assert!(plugin.socket().exists());
    // DER of a certificate: a sequence.
    assert_eq!(plugin.certificate().first(), Some(&0x30));

    let directory = tempfile::tempdir().unwrap();
    let mut command = plugin_command();
    command.env("PLUGIN_UNIX_SOCKET_DIR", directory.path()).env("PLUGIN_MULTIPLEX_GRPC", "1");
    let plugin = Plugin::start(command);
    assert_eq!(plugin.fields()[5..], ["", "false"]);
    assert_eq!(plugin.socket().parent(), Some(directory.path()));
}

/// Tells whether the plugin answers: with its first HTTP/2 frame.
fn is_let_in(
    plugin: &Plugin,
    identity: Option<&Identity>,
    version: &'static rustls::SupportedProtocolVersion,
) -> Result<(), std::io::Error> {
    block_on(async {
        let mut stream = plugin.connect(identity, version).await?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await?;
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await?;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        assert_eq!(frame[3], 4, "settings come first");
        Ok(())
    })
}

fn announced_clients() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let identity = Identity::new(algorithm);
        let plugin = Plugin::with_client(&identity);
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            is_let_in(&plugin, Some(&identity), version).unwrap_or_else(|error| panic!("{algorithm:?} {version:?}: {error}"));
        }
    }
}

fn strangers() {
    let host = Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let stranger = Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let thief = host.with_key_of(&stranger);
    let plugin = Plugin::with_client(&host);
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        assert!(is_let_in(&plugin, None, version).is_err(), "no certificate, {version:?}");
        assert!(is_let_in(&plugin, Some(&stranger), version).is_err(), "another certificate, {version:?}");
        assert!(is_let_in(&plugin, Some(&thief), version).is_err(), "another key, {version:?}");
        assert!(is_let_in(&plugin, Some(&host), version).is_ok(), "the host itself, {version:?}");
    }
    // Plaintext is no way around it.
    block_on(async {
        let mut stream = tokio::net::UnixStream::connect(plugin.socket()).await.unwrap();
        // The plugin may have hung up before all was sent.
        let _ = stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_ne!(answer.get(3), Some(&4), "no settings frame");
    });
}

fn shutdown() {
    let host = Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let plugin = Plugin::with_client(&host);
    let socket = plugin.socket();
    let asked = block_on(async {
        let mut client = plugin.client(&host).await;
        client.provider.get_provider_schema(wire::get_provider_schema::Request {}).await.unwrap();
        GrpcControllerClient::new(client.channel).shutdown(Empty {}).await.unwrap();
        Instant::now()
    });
    let (code, out, _) = plugin.ended(Duration::from_secs(2));
    let after = asked.elapsed();
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert!(after < Duration::from_millis(500), "{after:?}");
    assert!(!socket.exists());
}

fn interrupt() {
    let host = Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let plugin = Plugin::with_client(&host);
    block_on(async {
        let mut client = plugin.client(&host).await;
        for _ in 0..3 {
            signal("-INT", &plugin.child.id().to_string());
            client.provider.get_metadata(wire::get_metadata::Request {}).await.unwrap();
        }
    });
}

/// Creates a thing, without waiting for the answer.
fn create(client: &support_plugin::process::Client, store: &std::path::Path, behave: &str) {
    let mut provider = client.provider.clone();
    let wanted = mailflow::schema::Record::new()
        .with("name", "spoon")
        .with("behave", behave)
        .with("tags", mailflow::value::Value::set(Vec::new()));
    let config = settings(store.to_str().unwrap());
    tokio::spawn(async move {
        let request = wire::configure_provider::Request { config, ..Default::default() };
        provider.configure_provider(request).await.unwrap();
        let request = wire::apply_resource_change::Request {
            type_name: "fake_thing".to_owned(),
            planned_state: object(&THING, &wanted),
            config: object(&THING, &wanted),
            ..Default::default()
        };
        // A process that ends gives no answer.
        let _ = provider.apply_resource_change(request).await;
    });
}

fn terminate_idle() {
    let host = Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let plugin = Plugin::with_client(&host);
    let socket = plugin.socket();
    // A connection that stands is no work.
    let _runtime = block_on_and_keep(async {
        let mut client = plugin.client(&host).await;
        client.provider.get_metadata(wire::get_metadata::Request {}).await.unwrap();
    });
    signal("-TERM", &plugin.child.id().to_string());
    let begin = Instant::now();
    let (code, out, _) = plugin.ended(Duration::from_secs(2));
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert!(begin.elapsed() < Duration::from_millis(700), "{:?}", begin.elapsed());
    assert!(!socket.exists());
}

fn terminate_twice() {
    let host = Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let store = tempfile::tempdir().unwrap();
    let plugin = Plugin::with_client(&host);
    let process = plugin.child.id().to_string();
    let _runtime = block_on_and_keep(async {
        let client = plugin.client(&host).await;
        create(&client, store.path(), "slow");
    });
    until("the create began", Duration::from_secs(10), || notes(store.path()).contains(&"create spoon".to_owned()));
    signal("-TERM", &process);
    std::thread::sleep(Duration::from_millis(500));
    assert!(is_running(plugin.child.id()), "a write is finished first");
    signal("-TERM", &process);
    let (code, ..) = plugin.ended(Duration::from_secs(2));
    assert_eq!(code, Some(0));
    assert!(!store.path().join("id-spoon.object").exists(), "it did not wait for the write");
}

fn host_killed() {
    // A shell is the host; its standard output, which the plugin inherits, closes when both are gone.
    let mut command = Command::new("sh");
    command.args(["-c", "\"$0\" & wait", std::env::current_exe().unwrap().to_str().unwrap()]);
    command.env(AS_PLUGIN, "1").env(COOKIE.0, COOKIE.1).env("PLUGIN_PROTOCOL_VERSIONS", "6").env_remove("PLUGIN_CLIENT_CERT");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut plugin = Plugin::start(command);
    let socket = plugin.socket();
    assert!(socket.exists());
    plugin.child.kill().unwrap();
    let killed = Instant::now();
    let mut rest = String::new();
    plugin.child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(killed.elapsed() < Duration::from_secs(6), "{:?}", killed.elapsed());
    assert!(!socket.exists());
}

fn plaintext() {
    let plugin = Plugin::start(plugin_command());
    assert_eq!(plugin.fields()[5], "");
    block_on(async {
        let mut stream = tokio::net::UnixStream::connect(plugin.socket()).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4);
    });
}

fn p09_trace() {
    let host = Identity::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let store = tempfile::tempdir().unwrap();
    let mut command = plugin_command();
    command.env("PLUGIN_CLIENT_CERT", &host.pem).env("TF_LOG", "TRACE");
    let plugin = Plugin::start(command);
    block_on(async {
        let mut client = plugin.client(&host).await;
        let config = settings(store.path().to_str().unwrap());
        let request = wire::configure_provider::Request { config, ..Default::default() };
        client.provider.configure_provider(request).await.unwrap();
        for behave in ["none", "panic", "lost"] {
            let wanted = mailflow::schema::Record::new()
                .with("name", behave)
                .with("behave", behave)
                .with("note", "hunter22")
                .with("secret", "hunter23")
                .with("tags", mailflow::value::Value::set(Vec::new()));
            let request = wire::apply_resource_change::Request {
                type_name: "fake_thing".to_owned(),
                planned_state: object(&THING, &wanted),
                config: object(&THING, &wanted),
                ..Default::default()
            };
            client.provider.apply_resource_change(request).await.unwrap();
        }
        GrpcControllerClient::new(client.channel).shutdown(Empty {}).await.unwrap();
    });
    let (_, out, log) = plugin.ended(Duration::from_secs(2));
    assert_eq!(out, "");
    assert!(log.lines().count() > 5, "{log}");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(line["@message"].is_string() && line["@timestamp"].is_string() && line["@level"].is_string(), "{line}");
    }
    assert!(log.contains("ApplyResourceChange"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");

    let quiet = Plugin::with_client(&host);
    block_on(async {
        let client = quiet.client(&host).await;
        GrpcControllerClient::new(client.channel).shutdown(Empty {}).await.unwrap();
    });
    assert_eq!(quiet.ended(Duration::from_secs(2)).2, "", "without TF_LOG nothing is written");
}

const SPOON: &str = "resource \"fake_thing\" \"spoon\" {\n  name = \"spoon\"\n  size = 1\n}\n";

fn terraform_whole() {
    let terraform = Terraform::new(SPOON);
    let schema: serde_json::Value = serde_json::from_str(&terraform.run(&["providers", "schema", "-json"])).unwrap();
    let provider = &schema["provider_schemas"][SOURCE];
    assert!(provider["resource_schemas"]["fake_thing"].is_object(), "{schema}");
    assert!(provider["functions"]["shout"].is_object(), "{schema}");

    terraform.run(&["apply", "-auto-approve", "-no-color"]);
    let plan = terraform.run(&["plan", "-detailed-exitcode", "-no-color"]);
    assert!(plan.contains("No changes"), "{plan}");

    terraform.write(&SPOON.replace("size = 1", "size = 2\n  timeouts {\n    update = \"5m\"\n  }"));
    let applied = terraform.run(&["apply", "-auto-approve", "-no-color"]);
    assert!(applied.contains("1 changed"), "{applied}");

    terraform.write(&SPOON.replace("\"spoon\"\n", "\"fork\"\n"));
    let applied = terraform.run(&["apply", "-auto-approve", "-no-color"]);
    assert!(applied.contains("1 added, 0 changed, 1 destroyed"), "{applied}");

    terraform.run(&["state", "rm", "fake_thing.spoon"]);
    terraform.run(&["import", "-no-color", "fake_thing.spoon", "fork"]);
    let plan = terraform.run(&["plan", "-detailed-exitcode", "-no-color"]);
    assert!(plan.contains("No changes"), "{plan}");

    let output =
        "output \"loud\" {\n  value = \"${provider::fake::shout(data.fake_echo.e.text)}${data.fake_echo.e.length}\"\n}\n";
    terraform.write(&format!(
        "{}data \"fake_echo\" \"e\" {{\n  text = \"hi\"\n}}\n{output}",
        SPOON.replace("\"spoon\"\n", "\"fork\"\n")
    ));
    let applied = terraform.run(&["apply", "-auto-approve", "-no-color"]);
    assert!(applied.contains("loud = \"HI2\""), "{applied}");

    let destroyed = terraform.run(&["destroy", "-auto-approve", "-no-color"]);
    assert!(destroyed.contains("1 destroyed"), "{destroyed}");
    assert!(!terraform.store().join("id-fork.object").exists());
}

fn terraform_plaintext() {
    let terraform = Terraform::new(SPOON);
    let mut command = terraform.command(&["apply", "-auto-approve", "-no-color"]);
    let output = command.env("TF_DISABLE_PLUGIN_TLS", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(terraform.store().join("id-spoon.object").exists());
}

fn terraform_reattach() {
    let terraform = Terraform::new("");
    let other = terraform.path("other");
    std::fs::create_dir_all(&other).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(serve_reattach(Arc::new(Fake))).unwrap();
    let variable = server.variable(SOURCE);
    let run = |arguments: &[&str]| {
        let output = terraform.command(arguments).env("TF_REATTACH_PROVIDERS", &variable).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    terraform.write(SPOON);
    run(&["apply", "-auto-approve", "-no-color"]);
    // The same process gets other settings.
    let main = terraform.path("work/main.tf");
    let moved = std::fs::read_to_string(&main).unwrap().replace("/store\"", "/other\"").replace("\"spoon\"\n", "\"fork\"\n");
    std::fs::write(&main, moved).unwrap();
    run(&["apply", "-auto-approve", "-no-color"]);
    runtime.block_on(server.end());
    assert!(terraform.store().join("id-spoon.object").exists() && other.join("id-fork.object").exists());
}

/// Starts a program that serves until it is stopped, and gives the variable that it prints, as a shell takes it.
fn debugged(mut command: Command) -> (Plugin, String) {
    command.env_remove(COOKIE.0).env_remove("PLUGIN_PROTOCOL_VERSIONS").arg("--debug");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let plugin = Plugin::start(command);
    let printed = Command::new("sh").args(["-c", &format!("{}\nprintf %s \"$TF_REATTACH_PROVIDERS\"", plugin.line)]).output();
    let variable = String::from_utf8(printed.unwrap().stdout).unwrap();
    assert!(variable.starts_with('{') && plugin.line.lines().count() == 1, "{}", plugin.line);
    (plugin, variable)
}

fn stopped(mut plugin: Plugin) {
    let socket = plugin.line.split('"').find(|part| part.contains("plugin.sock")).map(std::path::PathBuf::from).unwrap();
    assert!(socket.exists());
    signal("-INT", &plugin.child.id().to_string());
    let begin = Instant::now();
    let status = plugin.child.wait().unwrap();
    assert!(status.success() && begin.elapsed() < Duration::from_secs(2), "{status} after {:?}", begin.elapsed());
    assert!(!socket.exists());
}

fn terraform_debug() {
    let terraform = Terraform::new(SPOON);
    let (plugin, variable) = debugged(plugin_command());
    for _ in 0..2 {
        let mut command = terraform.command(&["apply", "-auto-approve", "-no-color"]);
        let output = command.env("TF_REATTACH_PROVIDERS", &variable).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // The same process served both runs.
    assert_eq!(terraform.processes(), [plugin.child.id()]);
    assert!(terraform.store().join("id-spoon.object").exists());
    stopped(plugin);
}

fn terraform_debug_binary() {
    let terraform = Terraform::new("");
    let (plugin, variable) = debugged(Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow")));
    std::fs::write(
        terraform.path("work/main.tf"),
        "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n\
         output \"script\" {\n  value = provider::mailflow::relay_filter_script(\"RELAYLIST\", \"X-AUTH\", [\"Secret12345\"])\n}\n",
    )
    .unwrap();
    // Nothing is installed: without the process there is no such provider.
    let mut command = terraform.command(&["apply", "-auto-approve", "-no-color"]);
    let output = command.env("TF_REATTACH_PROVIDERS", &variable).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("RELAYLIST"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    stopped(plugin);
}

fn slow() -> String {
    SPOON.replace("size = 1", "behave = \"slow\"")
}

fn creating(terraform: &Terraform) {
    until("the create began", Duration::from_secs(30), || notes(&terraform.store()).contains(&"create spoon".to_owned()));
}

fn terraform_interrupt() {
    let terraform = Terraform::new(&slow());
    // A terminal sends the interrupt to the whole group.
    let child = terraform.command(&["apply", "-auto-approve", "-no-color"]).process_group(0).spawn().unwrap();
    creating(&terraform);
    signal("-INT", &format!("-{}", child.id()));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Interrupt received"), "{said}");
    let state = terraform.run(&["show", "-no-color"]);
    assert!(state.contains("id-spoon") && !state.contains("tainted"), "{state}");
}

fn terraform_terminated() {
    let terraform = Terraform::new(&slow());
    // As a supervisor does it: the host and its plugins are told to end.
    let child = terraform.command(&["apply", "-auto-approve", "-no-color"]).process_group(0).spawn().unwrap();
    creating(&terraform);
    let process = terraform.process().unwrap();
    signal("-TERM", &format!("-{}", child.id()));
    std::thread::sleep(Duration::from_millis(300));
    assert!(is_running(process), "the write is finished first");
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("did not respond"), "{said}");
    assert!(terraform.store().join("id-spoon.object").exists(), "{said}");
    let state = terraform.run(&["show", "-no-color"]);
    assert!(state.contains("id-spoon") && !state.contains("tainted"), "{state}");
    until("the plugin ended", Duration::from_secs(7), || !is_running(process));
}

fn terraform_killed() {
    let terraform = Terraform::new(&slow());
    let mut child = terraform.command(&["apply", "-auto-approve", "-no-color"]).spawn().unwrap();
    creating(&terraform);
    let process = terraform.process().unwrap();
    assert!(is_running(process));
    child.kill().unwrap();
    child.wait().unwrap();
    until("the plugin ended", Duration::from_secs(7), || !is_running(process));
    assert!(terraform.store().join("id-spoon.object").exists(), "the write in flight was finished");
}

fn terraform_panic() {
    let terraform = Terraform::new(&SPOON.replace("size = 1", "behave = \"panic\""));
    let said = terraform.fail(&["apply", "-auto-approve", "-no-color"]);
    assert!(said.contains("The provider failed") && said.contains("support_plugin"), "{said}");
    for wrong in ["crashed", "Stack trace", "Request cancelled", "did not respond", "hunter2"] {
        assert!(!said.contains(wrong), "{wrong}: {said}");
    }
}

fn terraform_trace() {
    let terraform = Terraform::new(&SPOON.replace("size = 1", "secret_wo = \"hunter22\"\n  secret_wo_version = 1"));
    let log = terraform.path("log");
    let mut command = terraform.command(&["apply", "-auto-approve", "-no-color"]);
    let output = command.env("TF_LOG", "TRACE").env("TF_LOG_PATH", &log).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = std::fs::read_to_string(log).unwrap();
    let ours: Vec<_> = log.lines().filter(|line| line.contains("tf_rpc=")).collect();
    assert!(ours.iter().any(|line| line.contains("ApplyResourceChange") && line.contains("[DEBUG]")), "{ours:#?}");
    // A timestamp in another form, or plain text, would not be parsed into these.
    assert!(ours.iter().all(|line| line.contains("tf_req_id=") && !line.contains("@timestamp")), "{ours:#?}");
    assert!(!log.contains("hunter22"));
}

fn terraform_large() {
    let terraform = Terraform::new("");
    // One text of that size is refused when it is validated.
    std::fs::write(terraform.path("work/note"), "x".repeat(99_000)).unwrap();
    terraform.write(&SPOON.replace("size = 1", "tags = [for number in range(62) : \"${number}${file(\"note\")}\"]"));
    terraform.run(&["apply", "-auto-approve", "-no-color"]);
    let stored = std::fs::metadata(terraform.store().join("id-spoon.object")).unwrap().len();
    assert!(stored > 6_000_000, "{stored}");
    let plan = terraform.run(&["plan", "-detailed-exitcode", "-no-color"]);
    assert!(plan.contains("No changes"));
}
