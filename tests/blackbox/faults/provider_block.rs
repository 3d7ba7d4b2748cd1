//! The provider block: what is missing, wrong or not known yet, and logins that fail.

use mailflow::sandbox::exchange;
use mailflow::sandbox::gateway::{Fault, Login, Options};

use super::run::{Runs, connector, domains, routes, world};
use crate::support::World;

#[tokio::test]
async fn a_side_without_its_block_is_named_and_a_missing_credential_too() {
    let world = World::start();
    let workspace = world.workspace("blocks").await;
    let both = format!("{}{}", connector("c", "c", ""), routes(&[("r", "a.example", "mx.example.net")]));
    workspace.write(&both);
    workspace.set_provider("  gateway {", "  read_only = false\n}\nprovider \"mailflow\" {\n  alias = \"unused\"\n  gateway {");
    let run = workspace.try_plan().await;
    run.error_of("mailflow_gateway_smtp_route.r").holds(&["The provider has no \"gateway\" block", "`gateway {}`"]);
    assert_eq!(run.errors().len(), 1, "{}", run.printed);
    // The other side's object was planned.
    world.stand_ins.exchange.reset_counts();

    // C16: an empty block takes everything from the environment, and there is nothing in it.
    let header = "terraform {\n  required_providers {\n    mailflow = { source = \"mailflow/mailflow\" }\n  }\n}\n";
    let provider = |body: &str| {
        std::fs::write(workspace.folder.join("provider.tf"), format!("{header}provider \"mailflow\" {{\n  {body}\n}}\n"))
            .expect("written");
    };
    provider("exchange {}\n  gateway {}");
    let run = workspace.try_plan().await;
    let errors = run.errors();
    let about = |part: &str| {
        let found: Vec<_> = errors.iter().filter(|said| format!("{} {}", said.summary, said.detail).contains(part)).collect();
        assert_eq!(found.len(), 1, "{part}: {}", run.printed);
        *found[0]
    };
    about("exchange.tenant_id").holds(&["ARM_TENANT_ID", "AZURE_TENANT_ID"]).marks("exchange");
    about("exchange.client_id").holds(&["ARM_CLIENT_ID", "AZURE_CLIENT_ID"]).marks("exchange");
    about("exchange.client_secret").holds(&["ARM_CLIENT_SECRET"]).marks("exchange");
    about("gateway.host").holds(&["MAILFLOW_GATEWAY_HOST"]).marks("gateway");
    about("gateway.username").holds(&["MAILFLOW_GATEWAY_USERNAME"]).marks("gateway");
    about("The login has no credential")
        .holds(&["password", "private_key", "MAILFLOW_GATEWAY_PASSWORD", "MAILFLOW_GATEWAY_PRIVATE_KEY"])
        .marks("gateway");
    assert_eq!(errors.len(), 6, "{}", run.printed);

    provider(
        "gateway {\n    host = \"127.0.0.1\"\n    username = \"u\"\n    private_key = \"-----BEGIN OPENSSH PRIVATE KEY-----\\nSecretMaterial99\\n-----END OPENSSH PRIVATE KEY-----\"\n  }",
    );
    workspace.write(&routes(&[("r", "a.example", "mx.example.net")]));
    let run = workspace.try_plan().await;
    run.error().holds(&["gateway.private_key", "MAILFLOW_GATEWAY_PRIVATE_KEY", "cannot be read"]);
    assert!(!run.error().detail.contains("SecretMaterial99"));

    provider(
        "gateway {\n    host = \"127.0.0.1\"\n    username = \"u\"\n    password = \"p\"\n    host_keys = [\"MD5:aa:bb\"]\n  }",
    );
    let run = workspace.try_plan().await;
    run.error().holds(&["gateway.host_keys", "MD5"]);

    // What a table can say is refused at validate.
    provider(
        "exchange {\n    login_url = \"http://login.example.com\"\n    environment = \"mars\"\n  }\n  gateway {\n    port = 70000\n    commit {\n      timeout = \"soon\"\n    }\n    cluster {\n      mode = \"machine\"\n    }\n  }",
    );
    let run = workspace.json(&["validate"]).await;
    for (parts, marked) in [
        (&["login_url", "https"][..], "login_url"),
        (&["environment", "\"usgovernment\"", "\"mars\""], "environment"),
        (&["port", "65535"], "port"),
        (&["duration"], "timeout"),
        (&["gateway.cluster.name"], "cluster"),
    ] {
        let errors = run.errors();
        let found =
            errors.iter().find(|said| parts.iter().all(|part| format!("{} {}", said.summary, said.detail).contains(part)));
        found.unwrap_or_else(|| panic!("{parts:?} is not in {}", run.printed)).marks(marked);
    }
    assert_eq!(run.errors().len(), 5, "{}", run.printed);
    assert_eq!(world.stand_ins.gateway.counters().connections, 0, "nobody was asked");
    assert_eq!(world.stand_ins.exchange.counts().token_requests, 0, "nobody was asked");
}

#[tokio::test]
async fn g01_g02_a_host_key_that_is_not_pinned_stops_before_the_login() {
    let world = World::start();
    let gateway = &world.stand_ins.gateway;
    let key = gateway.host_key_fingerprint().to_owned();
    let workspace = world.workspace("keys").await;
    workspace.write(&routes(&[("a", "a.example", "mx.example.net"), ("b", "b.example", "mx.example.net")]));

    gateway.fault(Fault::WrongHostKey { times: 3 });
    let run = workspace.try_plan().await;
    for said in run.errors() {
        said.marks("gateway");
        said.holds(&["not the one that is pinned", &key, "Nothing was sent", "gateway.host_keys", "MAILFLOW_GATEWAY_HOST_KEYS"]);
        assert!(said.detail.matches("SHA256:").count() >= 2, "both keys are shown: {}", said.detail);
    }
    assert_eq!(run.errors().len(), 1, "one error for two resources\n{}", run.printed);
    assert_eq!(gateway.counters().connections, 1, "one attempt");
    gateway.clear_faults();

    workspace.set_provider(&format!("host_keys = [\"{key}\"]"), "");
    let run = workspace.try_plan().await;
    let said = run.errors()[0];
    said.holds(&["is not known", &key, "gateway.host_keys", &format!("host_keys = [\"{key}\"]")]);
    let counters = gateway.counters();
    assert_eq!((counters.connections, counters.logins, counters.failed_logins), (2, 0, 0), "no credential was sent");

    // What the message says to set works.
    workspace.set_provider("    password  =", &format!("    host_keys = [\"{key}\"]\n    password  ="));
    workspace.converges("with the key from the message").await;
}

/// A login that fails: its name, what goes wrong, by which methods it is possible, what the message says, and how many logins the device
/// counts as failed.
type FailedLogin = (&'static str, Option<Fault>, Login, &'static [&'static str], u64);

#[tokio::test]
async fn g04_a_login_that_fails_is_tried_once() {
    let sound = |login: Login| Options { login, ..Options::default() };
    let cases: [FailedLogin; 6] = [
        ("wrong", None, Login::Both, &["refused the login of \"admin\" by the password", "gateway.password"], 1),
        ("wrong-asked", None, Login::KeyboardInteractive, &["refused the login of \"admin\" by the password"], 1),
        ("locked", Some(Fault::RejectLogins { times: 9 }), Login::Password, &["refused the login", "locked or expired"], 1),
        ("second", Some(Fault::SecondFactor { times: 9 }), Login::Both, &["second factor"], 0),
        ("second-asked", Some(Fault::SecondFactor { times: 9 }), Login::KeyboardInteractive, &["passcode"], 0),
        ("expired", Some(Fault::PassphraseExpired { times: 9 }), Login::Both, &["asks something at login", "passphrase"], 0),
    ];
    for (name, fault, login, parts, failed) in cases {
        let world = world(exchange::Options::default(), sound(login));
        let gateway = &world.stand_ins.gateway;
        let workspace = world.workspace(name).await;
        workspace.write(&routes(&[
            ("a", "a.example", "mx.example.net"),
            ("b", "b.example", "mx.example.net"),
            ("c", "c.example", "mx.example.net"),
        ]));
        let right = format!("{:?}", gateway.password());
        match fault {
            Some(fault) => gateway.fault(fault),
            None => workspace.set_provider(&right, "\"Wrong-Passphrase-77\""),
        }
        let run = workspace.try_plan().await;
        assert_eq!(run.errors().len(), 1, "{name}: one error for three resources\n{}", run.printed);
        for said in run.errors() {
            said.holds(parts).holds(&["127.0.0.1"]).marks("gateway");
            assert!(!said.detail.contains("Wrong-Passphrase-77") && !said.detail.contains(gateway.password()), "{said:?}");
        }
        let counters = gateway.counters();
        assert_eq!((counters.connections, counters.failed_logins), (1, failed), "{name}: one attempt for three resources");
    }
}

#[tokio::test]
async fn e14_a_wrong_client_secret_asks_for_one_token() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("secret").await;
    let three: String = ["a", "b", "c"].iter().map(|name| connector(name, name, "")).collect();
    workspace.write(&three);
    let right = format!("{:?}", exchange.client_secret());
    workspace.set_provider(&right, "\"wrong-secret-value-77\"");
    let run = workspace.try_apply().await;
    assert_eq!(run.errors().len(), 1, "one error for three resources\n{}", run.printed);
    for said in run.errors() {
        said.holds(&["client_secret", "phase: login"]).marks("exchange");
        assert!(!said.detail.contains("wrong-secret-value-77"), "{said:?}");
    }
    assert_eq!(exchange.counts().token_requests, 1, "one request for three resources");
    assert!(workspace.stored().is_empty());

    // Another tenant: the message says that, and which setting.
    workspace.set_provider("\"wrong-secret-value-77\"", &right);
    workspace.set_provider(&format!("{:?}", exchange.tenant()), "\"nowhere.onmicrosoft.com\"");
    let run = workspace.try_apply().await;
    run.errors()[0].holds(&["nowhere.onmicrosoft.com", "tenant_id"]);
    assert_eq!(exchange.counts().token_requests, 2);
    workspace.set_provider("\"nowhere.onmicrosoft.com\"", &format!("{:?}", exchange.tenant()));
    workspace.converges("with the right secret").await;
}

#[tokio::test]
async fn p10_settings_that_are_not_known_yet_let_creates_be_planned_and_name_themselves_in_a_read() {
    let world = World::start();
    let (exchange, gateway) = (&world.stand_ins.exchange, &world.stand_ins.gateway);
    let workspace = world.workspace("unknown").await;
    workspace.set_provider(&format!("{:?}", exchange.client_secret()), "terraform_data.later.output.secret");
    workspace.set_provider(&format!("{:?}", gateway.password()), "terraform_data.later.output.password");
    let later = |turn: &str| {
        format!(
            "resource \"terraform_data\" \"later\" {{\n  triggers_replace = \"{turn}\"\n  input = {{ secret = {:?}, password = {:?} }}\n}}\n{}{}",
            exchange.client_secret(),
            gateway.password(),
            connector("c", "c", ""),
            routes(&[("r", "a.example", "mx.example.net")])
        )
    };
    workspace.write(&later("1"));
    let before = world.stand_ins.counts();
    workspace.try_plan().await.good();
    assert_eq!(world.stand_ins.counts().exchange_calls, before.exchange_calls);
    assert_eq!(gateway.counters().connections, 0, "a plan without settings asks nobody");
    workspace.converges("after the settings came to be known").await;

    workspace.write(&later("2"));
    let state = workspace.state_text();
    let run = workspace.try_plan().await;
    run.error_of("mailflow_exchange_inbound_connector.c")
        .holds(&["The provider setting \"exchange.client_secret\" is not known yet", "-target"]);
    run.error_of("mailflow_gateway_smtp_route.r")
        .holds(&["The provider setting \"gateway.password\" is not known yet", "-target"]);
    assert_eq!(workspace.state_text(), state);
    workspace.json(&["apply", "-auto-approve", "-target=terraform_data.later"]).await.good();
    workspace.must_plan_nothing("after what the settings come from").await;
}

#[tokio::test]
async fn read_only_refuses_every_write_before_it_is_sent() {
    let world = World::start();
    let workspace = world.workspace("read-only").await;
    let objects = |host: &str, comment: &str| {
        format!("{}{}", connector("c", "c", &format!("comment = \"{comment}\"")), routes(&[("r", "a.example", host)]))
    };
    workspace.write(&objects("one.example.net", "one"));
    workspace.apply().await;
    let stood = world.stand_ins.snapshot();
    let state = workspace.stored();
    workspace.set_provider("provider \"mailflow\" {", "provider \"mailflow\" {\n  read_only = true");
    workspace.must_plan_nothing("reading is allowed").await;

    let writes = || {
        let exchange = world.stand_ins.exchange.counts();
        let gateway = world.stand_ins.gateway.counters();
        let cmdlets: u64 = exchange.calls.iter().filter(|(name, _)| !name.starts_with("Get-")).map(|(_, count)| count).sum();
        (
            cmdlets,
            gateway.commits,
            gateway.failed_commits,
            gateway.commands.get("commit").copied(),
            gateway.commands.get("clearchanges").copied(),
        )
    };
    let before = writes();
    let check = async |arguments: &[&str], words: &str| {
        let run = workspace.json(arguments).await;
        assert_eq!(run.errors().len(), 2, "{words}: {}", run.printed);
        for said in run.errors() {
            said.holds(&["read_only", "othing was sent", words]);
        }
        assert_eq!(writes(), before, "{words}");
        assert_eq!(world.stand_ins.snapshot(), stood, "{words}");
        assert_eq!(workspace.stored(), state, "{words}");
        assert!(!world.stand_ins.gateway.pending());
    };
    workspace.write(&objects("two.example.net", "two"));
    check(&["apply", "-auto-approve"], "Unable to update").await;
    check(&["destroy", "-auto-approve"], "Unable to delete").await;
    workspace.write(&format!(
        "{}{}{}",
        objects("one.example.net", "one"),
        connector("d", "d", ""),
        routes(&[("s", "b.example", "mx.example.net")])
    ));
    check(&["apply", "-auto-approve"], "Unable to create").await;
    assert_eq!(domains(&world), ["a.example"]);
}

#[tokio::test]
async fn p08_started_by_hand_it_says_what_it_is() {
    let binary = env!("CARGO_BIN_EXE_terraform-provider-mailflow");
    let run = |arguments: &'static [&'static str]| async move {
        let output = tokio::process::Command::new(binary).args(arguments).output().await.expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, errors) = run(&[]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    for part in ["This is terraform-provider-mailflow", "required_providers", "source = \"mailflow/mailflow\"", "demo", "--help"]
    {
        assert!(errors.contains(part), "{part}: {errors}");
    }
    let (code, out, _) = run(&["--help"]).await;
    assert_eq!(code, Some(0));
    assert!(out.contains("demo") && out.contains("sandbox"), "{out}");
    let (code, out, errors) = run(&["dmeo"]).await;
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(errors.contains("dmeo") && errors.contains("demo"), "{errors}");
    assert_eq!(run(&["demo", "--sideways"]).await.0, Some(2));
    let (code, out, _) = run(&["--version"]).await;
    assert_eq!(code, Some(0));
    assert!(out.contains(env!("CARGO_PKG_VERSION")), "{out}");
}
