//! What `sandbox` and the binary itself print is pasted into an empty home, and works.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use mailflow::tool::terraform::{MINIMUM, minimum};

const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-mailflow");

/// A person's first impression: from the start of the sandbox to all objects of the guide.
const IMPRESSION: Duration = Duration::from_mins(3);

/// A running `sandbox`, and what it printed before it began to wait.
struct Sandbox {
    child: Child,
    printed: String,
}

impl Sandbox {
    fn start(arguments: &[&str]) -> Sandbox {
        let mut child = Command::new(BINARY)
            .arg("sandbox")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut printed = String::new();
        for line in BufReader::new(child.stdout.take().expect("its output")).lines() {
            let line = line.expect("a line");
            printed.push_str(&line);
            printed.push('\n');
            if line.starts_with("Press Ctrl-C") {
                return Sandbox { child, printed };
            }
        }
        let status = child.wait().expect("it ended");
        panic!("the sandbox ended ({status}): {printed}");
    }

    /// What stands between two texts.
    fn between(&self, from: &str, to: &str) -> &str {
        let rest = self.printed.split_once(from).unwrap_or_else(|| panic!("no {from:?} in:\n{}", self.printed)).1;
        rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} in:\n{}", self.printed)).0
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell in an empty home, with nothing but the `PATH`.
fn shell(home: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-eu").current_dir(home).env_clear().env("HOME", home).env("CHECKPOINT_DISABLE", "1");
    shell.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::piped());
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// Runs what was pasted, and types `typed` where a command asks.
fn paste(home: &Path, script: &str, typed: &str) -> String {
    let file = home.join("pasted");
    fs::write(&file, script).expect("written");
    let mut child = shell(home).arg(&file).spawn().expect("a shell");
    child.stdin.take().expect("its input").write_all(typed.as_bytes()).expect("typed");
    told(&child.wait_with_output().expect("it ends"), script)
}

#[track_caller]
fn told(output: &Output, what: &str) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}\nended with {:?}:\n{text}", output.status.code());
    text
}

/// The first of as many free ports in a row as a sandbox may take. They lie below those that the kernel gives to whoever asks for any, so
/// no other test takes one in between.
fn free_ports() -> u16 {
    const IN_A_ROW: u16 = 10;
    const LOWEST: u16 = 11_000;
    let process = u16::try_from(std::process::id() % 900).expect("a small number");
    (0..900)
        .map(|turn| LOWEST + (process + turn) % 900 * IN_A_ROW)
        .find(|first| (*first..first + IN_A_ROW).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()))
        .expect("free ports")
}

/// A program of this name in a folder of its own, which prints this.
fn fake(home: &Path, name: &str, printed: &str) -> PathBuf {
    let folder = home.join(format!("fake-{name}"));
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), format!("#!/bin/sh\nprintf '%s\\n' '{printed}'\n")).expect("written");
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("it may be run");
    folder
}

/// RN5, RN6, RN7 and RN13 as well.
#[test]
fn rn4_to_rn8_what_the_sandbox_prints_is_pasted_and_works() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("it's mine");
    let begun = Instant::now();
    let sandbox = Sandbox::start(&["--write", folder.to_str().expect("text")]);
    let steps = sandbox.between("In another shell:\n\n", "\nWhat is there:");
    assert!(steps.lines().count() <= 5, "{steps}");
    let applied = paste(home.path(), steps, "yes\n");
    assert!(applied.contains("Apply complete! Resources: 11 added, 0 changed, 0 destroyed."), "{applied}");
    assert!(begun.elapsed() < IMPRESSION, "{:?}", begun.elapsed());
    let settings = steps.lines().find(|line| line.starts_with("export ")).expect("the CLI configuration");
    paste(
        home.path(),
        &format!("{settings}\ncd \"$HOME/it's mine\"\nterraform plan -detailed-exitcode\nterraform fmt -check\n"),
        "",
    );
    // Without the variable, too: Terraform looks into the folder by itself.
    paste(&folder, "rm -r .terraform .terraform.lock.hcl\nterraform init\nterraform validate\n", "");

    // RN13: the environment needs no more.
    let environment = sandbox.between("the environment of the provider:\n\n", "\nand with it:");
    let looked = paste(home.path(), &format!("{environment}\n'{BINARY}' doctor\n"), "");
    assert!(looked.contains("What to do: nothing"), "{looked}");
    let block = sandbox.between("and with it:\n\n", "Press Ctrl-C");
    let own = home.path().join("own");
    fs::create_dir(&own).expect("a folder");
    let route = "resource \"mailflow_gateway_smtp_route\" \"own\" {\n  domain = \"own.example\"\n  destination {\n    host = \"mx.own.example\"\n  }\n}\n";
    fs::write(own.join("main.tf"), format!("{block}{route}")).expect("written");
    paste(home.path(), &format!("{environment}\n{settings}\ncd own\nterraform init\nterraform apply\n"), "yes\n");

    // RN6: what is named is there.
    for name in ["example.com", "IncomingMail", "OutgoingMail", "RELAYLIST", "RELAYED"] {
        assert!(sandbox.between("What is there:", "To look at").contains(name), "{name}");
    }
    // The line for ssh, with the password that is printed beside it.
    let password = sandbox.between("(the password is ", "):");
    let line = sandbox.between("):\n\n", "\n").trim();
    assert!(line.starts_with("ssh -p "), "{line}");
    let asked = home.path().join("ask");
    fs::write(&asked, format!("#!/bin/sh\necho '{password}'\n")).expect("written");
    fs::set_permissions(&asked, fs::Permissions::from_mode(0o755)).expect("it may be run");
    let strict = "-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=known -o NumberOfPasswordPrompts=1";
    let script = format!(
        "export SSH_ASKPASS=\"$HOME/ask\" SSH_ASKPASS_REQUIRE=force\n(sleep 1; echo version; sleep 1; echo exit) | {} -tt\n",
        line.replacen("ssh ", &format!("ssh {strict} "), 1)
    );
    let seen = paste(home.path(), &script, "");
    assert!(seen.contains("15.5.3-022"), "{seen}");
}

#[test]
fn rn8_fixed_ports_keep_what_was_written_true() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("lab");
    let (folder, port) = (folder.to_str().expect("text"), free_ports().to_string());
    let arguments = ["--write", folder, "--port", &port];
    let first = Sandbox::start(&arguments);
    let written = fs::read_to_string(Path::new(folder).join("providers.tf")).expect("written");
    // Its ports are taken: the second says which, and writes nothing.
    let other = home.path().join("other");
    let taken = Command::new(BINARY).args(["sandbox", "--port", &port, "--write"]).arg(&other).output().expect("it runs");
    let said = String::from_utf8_lossy(&taken.stderr);
    assert!(taken.status.code() == Some(1) && said.contains(&format!("on port {port}")) && !other.exists(), "{said}");
    drop(first);
    // One of mail alone is named, too, and ports that do not exist are a wrong argument.
    let mail: u16 = port.parse::<u16>().expect("a port") + 3;
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, mail)).expect("free again");
    let taken = Command::new(BINARY).args(["sandbox", "--port", &port, "--write"]).arg(&other).output().expect("it runs");
    let said = String::from_utf8_lossy(&taken.stderr);
    assert!(taken.status.code() == Some(1) && said.contains(&format!("on port {mail}")) && !other.exists(), "{said}");
    drop(held);
    let beyond = Command::new(BINARY).args(["sandbox", "--port", "65535"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&beyond.stderr);
    assert!(beyond.status.code() == Some(2) && said.contains("--port"), "{said}");
    // What a person changed stays.
    let values = Path::new(folder).join("terraform.tfvars");
    let changed = fs::read_to_string(&values)
        .expect("written")
        .replace("mx_moved                  = false", "mx_moved                  = true");
    fs::write(&values, &changed).expect("written");
    let second = Sandbox::start(&arguments);
    assert_eq!(fs::read_to_string(Path::new(folder).join("providers.tf")).expect("written"), written);
    assert_eq!(fs::read_to_string(&values).expect("written"), changed);
    let next = second.between("In another shell:\n\n", "\nWhat is there:");
    assert!(next.contains(folder), "{next}");
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("providers.tf"), "# mine\n").expect("written");
    let output = Command::new(BINARY).args(["sandbox", "--write"]).arg(home.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("nothing was written"), "{said}");
    assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), 1);
}

#[test]
fn rn9_a_program_that_is_too_old_or_is_none_is_named_by_the_demo() {
    let home = tempfile::tempdir().expect("a folder");
    assert_eq!(minimum(), format!("{}.{}", MINIMUM.0, MINIMUM.1));
    let old = fake(home.path(), "terraform", r#"{"terraform_version":"1.8.5"}"#);
    let strange = fake(home.path(), "tofu", "hello");
    let nothing = home.path().join("nothing");
    let checks = [
        (old, vec!["is version 1.8.5", "/terraform"]),
        (strange, vec!["does not tell a version", "/tofu"]),
        (nothing, vec!["neither terraform nor tofu is on the PATH"]),
    ];
    for (path, words) in checks {
        let output = Command::new(BINARY).arg("demo").env("PATH", &path).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for word in words.into_iter().chain([minimum().as_str()]) {
            assert!(said.contains(word), "{word} is not in: {said}");
        }
    }
}

#[test]
fn rn1_rn3_what_the_binary_prints_by_itself_installs_it() {
    let home = tempfile::tempdir().expect("a folder");
    let output = Command::new(BINARY).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    let commands: String = said
        .lines()
        .filter(|line| line.starts_with("  mkdir") || line.starts_with("  cp"))
        .fold(String::new(), |all, line| all + line + "\n");
    let block = said.split_once("`terraform init`:\n\n").and_then(|(_, rest)| rest.split_once("\n\n")).expect("a block").0;
    fs::write(home.path().join("main.tf"), block).expect("written");
    paste(home.path(), &format!("{commands}terraform init\nterraform providers\n"), "");
    assert!(home.path().join(".terraform.lock.hcl").is_file());
}

/// Each setting of the provider block: what the variable is, and that the page says so.
#[test]
fn rn13_every_setting_has_a_variable_on_the_front_page() {
    use mailflow::provider::CATALOG;
    use mailflow::schema::{Attribute, Kind};

    fn below(prefix: &str, members: &[Attribute], all: &mut Vec<String>) {
        for member in members {
            let path = format!("{prefix}{}", member.name);
            match member.kind {
                Kind::Block(inner) => below(&format!("{path}."), inner, all),
                _ => all.push(path),
            }
        }
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/provider/front_page.md")).expect("a page");
    let odd: BTreeMap<&str, &str> = BTreeMap::from([
        ("read_only", "MAILFLOW_READ_ONLY"),
        ("exchange.organization", "MAILFLOW_ORGANIZATION"),
        ("exchange.login_url", "MAILFLOW_LOGIN_URL"),
        ("exchange.exchange_url", "MAILFLOW_EXCHANGE_URL"),
        ("exchange.graph_url", "MAILFLOW_GRAPH_URL"),
        ("exchange.ca_certificate", "MAILFLOW_CA_CERTIFICATE"),
        ("gateway.cluster.mode", "MAILFLOW_GATEWAY_CLUSTER"),
        ("gateway.cluster.name", "MAILFLOW_GATEWAY_CLUSTER"),
        ("gateway.jump_host.host", "MAILFLOW_GATEWAY_JUMP_HOST"),
    ]);
    let mut all = Vec::new();
    below("", CATALOG.settings, &mut all);
    for path in all {
        let variable = match (odd.get(path.as_str()), path.strip_prefix("exchange.")) {
            (Some(variable), _) => (*variable).to_owned(),
            // The names of Azure's own providers.
            (None, Some(name)) => format!("ARM_{}", name.to_uppercase()),
            (None, None) => format!("MAILFLOW_{}", path.replace('.', "_").to_uppercase()),
        };
        assert!(page.contains(&format!("`{variable}`")), "{path}: the front page does not name {variable}");
    }
}

/// Each variable of a gateway does something: set to a value of its own, it is seen in the settings.
#[test]
fn rn13_the_variables_of_a_gateway_reach_its_settings() {
    use mailflow::provider::{Environment, Found, standalone};
    use mailflow::schema::Record;

    let read = |changes: &[(&str, &str)]| {
        let base = [
            ("MAILFLOW_GATEWAY_HOST", "esa1.example.com"),
            ("MAILFLOW_GATEWAY_USERNAME", "u"),
            ("MAILFLOW_GATEWAY_PASSWORD", "pass-phrase-1"),
        ];
        let all = base.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        standalone(&Record::new(), &Environment::of(all)).1
    };
    let Found::Ready(plain) = read(&[]) else { panic!("complete") };
    let plain = format!("{plain:?}");
    for (variable, value, seen) in [
        ("MAILFLOW_GATEWAY_PORT", "2222", "port: 2222"),
        ("MAILFLOW_GATEWAY_HOST_KEYS", "SHA256:a", "SHA256:a"),
        ("MAILFLOW_GATEWAY_PRIVATE_KEY", "key", "private_key: Some"),
        ("MAILFLOW_GATEWAY_PRIVATE_KEY_PASSPHRASE", "words", "private_key_passphrase: Some"),
        ("MAILFLOW_GATEWAY_LEGACY_ALGORITHMS", "true", "legacy_algorithms: true"),
        ("MAILFLOW_GATEWAY_PENDING_CHANGES", "discard", "Discard"),
        ("MAILFLOW_GATEWAY_CLUSTER", "cluster", "cluster: Cluster"),
        ("MAILFLOW_GATEWAY_CLUSTER", "group Main Group", "Group(\"Main Group\")"),
        ("MAILFLOW_GATEWAY_CLUSTER", "machine esa1", "Machine(\"esa1\")"),
        ("MAILFLOW_GATEWAY_COMMIT_COMMENT", "Change 7", "Change 7"),
        ("MAILFLOW_GATEWAY_COMMIT_QUIET_PERIOD", "7s", "quiet_period: 7s"),
        ("MAILFLOW_GATEWAY_COMMIT_TIMEOUT", "9m", "timeout: 540s"),
        ("MAILFLOW_GATEWAY_COMMIT_ROLLBACK_SNAPSHOT", "1", "rollback_snapshot: true"),
        ("MAILFLOW_READ_ONLY", "true", "read_only: true"),
    ] {
        let Found::Ready(settings) = read(&[(variable, value)]) else { panic!("{variable} is refused") };
        let settings = format!("{settings:?}");
        assert!(settings.contains(seen) && !plain.contains(seen), "{variable}: {settings}");
    }
    for (variable, value) in [
        ("MAILFLOW_GATEWAY_PORT", "ssh"),
        ("MAILFLOW_GATEWAY_PORT", "0"),
        ("MAILFLOW_GATEWAY_LEGACY_ALGORITHMS", "perhaps"),
        ("MAILFLOW_GATEWAY_PENDING_CHANGES", "keep"),
        ("MAILFLOW_GATEWAY_CLUSTER", "group"),
        ("MAILFLOW_GATEWAY_CLUSTER", "Cluster Main"),
        ("MAILFLOW_GATEWAY_COMMIT_TIMEOUT", "soon"),
        ("MAILFLOW_READ_ONLY", "maybe"),
        // A jump host needs a login of its own.
        ("MAILFLOW_GATEWAY_JUMP_HOST", "jump.example.com"),
    ] {
        let Found::Unusable(problems) = read(&[(variable, value)]) else { panic!("{variable}={value} is taken") };
        let told: Vec<String> = problems.iter().map(|one| format!("{} {}", one.summary, one.detail)).collect();
        let told = told.join("\n");
        let named = told.contains(variable) || variable == "MAILFLOW_GATEWAY_COMMIT_TIMEOUT";
        assert!(named && !told.contains("pass-phrase-1"), "{variable}: {told}");
    }
    let jump = [
        ("MAILFLOW_GATEWAY_JUMP_HOST", "jump.example.com"),
        ("MAILFLOW_GATEWAY_JUMP_HOST_PORT", "2200"),
        ("MAILFLOW_GATEWAY_JUMP_HOST_USERNAME", "through"),
        ("MAILFLOW_GATEWAY_JUMP_HOST_PASSWORD", "another-one-2"),
        ("MAILFLOW_GATEWAY_JUMP_HOST_HOST_KEYS", "SHA256:b"),
        ("MAILFLOW_GATEWAY_API_URL", "https://esa1.example.com:6443"),
        ("MAILFLOW_GATEWAY_API_USERNAME", "rest"),
        ("MAILFLOW_GATEWAY_API_PASSWORD", "third-one-3"),
    ];
    let Found::Ready(settings) = read(&jump) else { panic!("a jump host by the environment") };
    let through = settings.login.jump_host.as_deref().expect("a jump host");
    assert_eq!((through.host.as_str(), through.port, through.username.as_str()), ("jump.example.com", 2200, "through"));
    assert_eq!(through.host_keys, ["SHA256:b"]);
    assert_eq!(settings.api.as_ref().map(|api| api.username.as_str()), Some("rest"));
}
