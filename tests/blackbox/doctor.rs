//! `doctor`: the real binary against the stand-ins. What it prints and records, what it types, and what it never shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use mailflow::gateway::examination::{CHOICES, COMMANDS};
use mailflow::gateway::recording::Recording;
use mailflow::sandbox::gateway::tables::destination::Destination;
use mailflow::sandbox::gateway::tables::filter::Filter;
use mailflow::sandbox::gateway::tables::recipient::{Access, Recipient, Treatment};
use mailflow::sandbox::gateway::tables::route::SmtpRoute;
use mailflow::sandbox::gateway::{ChangeSets, Cluster, Options, Release};
use mailflow::sandbox::{exchange, gateway};
use mailflow::tool::sandbox::StandIns;
use serde_json::json;

const ODD_DOMAIN: &str = "%odd-10.77.66.55%.partner.contoso.test";

/// What must never be seen: addresses, names, accounts, secrets, as they stand on the stand-ins.
const PRIVATE: &[&str] = &[
    "127.0.0.1",
    "10.20.30.40",
    "10.77.66.55",
    "2001:db8:77::25",
    "contoso",
    "fabrikam",
    "boss",
    "esa7.",
    "jdoe",
    "swordfish",
    "hunter-2-hunter",
    "Passphrase-1",
    "X-OUTBOUND-AUTH",
    "3d2c1b0a",
    "7b6a5948",
    "sandbox-client-secret",
    "420D",
];

fn options() -> Options {
    Options { hostname: "esa7.contoso.test".into(), username: "jdoe".into(), seed: Some(7), ..Options::default() }
}

/// Stand-ins with something in every table.
fn stand_ins(options: Options) -> StandIns {
    let stand_ins = StandIns::with(exchange::Options::default(), options).expect("the stand-ins start");
    stand_ins.gateway.edit(|configuration| {
        configuration.smtp_routes = vec![
            SmtpRoute {
                domain: "contoso.test".into(),
                destinations: vec!["contoso-test.mail.protection.outlook.com".into(), "10.20.30.40:2525".into()],
                authentication: None,
            },
            SmtpRoute { domain: ".fabrikam.test".into(), destinations: vec!["USEDNS".into()], authentication: None },
        ];
        configuration.destination_controls.entries =
            vec![Destination { concurrency: Some(20), ..Destination::new("fabrikam.test") }, Destination::new("contoso.test")];
        configuration.filters = vec![Filter {
            name: "outbound_only".into(),
            active: true,
            body: "if (header(\"X-OUTBOUND-AUTH\") == \"^swordfish-in-a-filter$\") { strip-header(\"X-OUTBOUND-AUTH\"); }".into(),
        }];
        let listener = configuration.listener_mut("IncomingMail").expect("the listener");
        for address in ["contoso.test", "boss@contoso.test", "boss@", "[10.20.30.40]"] {
            listener
                .rat
                .as_mut()
                .expect("a public listener has one")
                .entries
                .push(Recipient { address: address.into(), treatment: Treatment::plain(Access::Accept) });
        }
        let group = listener.hat.groups.first_mut().expect("a group");
        group.senders =
            ["10.20.30.40", "10.77.66.55-60", "10.20.", "2001:db8:77::25", ".fabrikam.test", ".protection.outlook.com"]
                .map(str::to_owned)
                .to_vec();
    });
    let put = |noun: &str, name: &str, fields: serde_json::Value| stand_ins.exchange.put(noun, name, &fields).expect("put");
    put(
        "InboundConnector",
        "From Fabrikam",
        json!({"ConnectorType": "Partner", "SenderIPAddresses": ["10.20.30.40"], "SenderDomains": ["smtp:*;1"]}),
    );
    put(
        "OutboundConnector",
        "To Contoso",
        json!({"ConnectorType": "Partner", "SmartHosts": ["mx.contoso.test"], "UseMXRecord": false}),
    );
    put("TransportRule", "Contoso out", json!({"SetHeaderName": "X-Anything", "SetHeaderValue": "swordfish-in-a-rule"}));
    stand_ins
}

#[derive(Clone, Copy, PartialEq)]
enum Sides {
    Both,
    Gateway,
    Exchange,
}

struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn doctor(stand_ins: &StandIns, sides: Sides, changes: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let mut command = command();
    if sides != Sides::Exchange {
        let gateway = &stand_ins.gateway;
        command
            .arg(format!("--set=gateway.port={}", gateway.port()))
            .env("MAILFLOW_GATEWAY_HOST", "127.0.0.1")
            .env("MAILFLOW_GATEWAY_USERNAME", gateway.username())
            .env("MAILFLOW_GATEWAY_PASSWORD", gateway.password())
            .env("MAILFLOW_GATEWAY_HOST_KEYS", gateway.host_key_fingerprint());
    }
    if sides != Sides::Gateway {
        let service = &stand_ins.exchange;
        for name in ["login_url", "exchange_url", "graph_url"] {
            command.arg(format!("--set=exchange.{name}={}", service.url()));
        }
        command
            .env("ARM_TENANT_ID", service.tenant())
            .env("ARM_CLIENT_ID", service.client_id())
            .env("ARM_CLIENT_SECRET", service.client_secret());
    }
    command.args(arguments).envs(changes.iter().copied());
    Outcome::of(command.output().expect("the binary runs"))
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terraform-provider-mailflow"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).arg("doctor");
    command
}

impl Outcome {
    fn of(output: Output) -> Outcome {
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    fn last(&self) -> &str {
        self.stdout.trim_end().lines().last().unwrap_or_default()
    }

    /// The line of the table on the screen that begins with this name, its words.
    fn row(&self, name: &str) -> Vec<&str> {
        let line = self.stdout.lines().find_map(|line| line.trim_start().strip_prefix(name));
        line.unwrap_or_else(|| panic!("no line {name:?}:\n{}", self.stdout)).split_whitespace().collect()
    }

    #[track_caller]
    fn must(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

#[track_caller]
fn shows_nothing_private(text: &str) {
    for private in PRIVATE {
        assert!(!text.to_lowercase().contains(&private.to_lowercase()), "{private} is shown:\n{text}");
    }
}

/// What must never be seen on the screen either.
const SECRETS: &[&str] = &["swordfish", "hunter-2-hunter", "Passphrase-1", "sandbox-client-secret"];

/// The screen names what its reader needs, and no secret; the report, which is for others, nothing private.
#[track_caller]
fn shows_no_more_than_it_may(text: &str) {
    for secret in SECRETS {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret} is shown:\n{text}");
    }
    if let Some((_, report)) = text.split_once("\n## report\n") {
        shows_nothing_private(report);
    }
}

/// The transcripts in a folder, by name.
fn transcripts(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            (entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path()).expect("text"))
        })
        .collect();
    found.sort();
    found
}

/// What was typed in a transcript.
fn typed(transcript: &str) -> Vec<&str> {
    transcript.split('«').skip(1).filter_map(|part| part.split_once('»')).map(|(typed, _)| typed).collect()
}

#[test]
fn both_sides_are_read_and_nothing_is_changed_or_shown() {
    let stand_ins = stand_ins(options());
    let before = stand_ins.snapshot();
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("transcripts");
    let outcome = doctor(&stand_ins, Sides::Both, &[], &["--record", folder.to_str().expect("text")]).must(0);

    assert_eq!(outcome.row("SMTP routes"), ["2", "0"]);
    assert_eq!(outcome.row("destination controls"), ["3", "0"]);
    assert_eq!(outcome.row("message filters"), ["1", "0"]);
    assert_eq!(outcome.row("Get-InboundConnector"), ["1", "0"]);
    assert_eq!(outcome.row("Get-TransportRule"), ["1", "0"]);
    assert!(outcome.stdout.contains("AsyncOS 15.5.3-022; supported"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("C600V") && outcome.stdout.contains("switched off"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("## report") && outcome.last().contains("What to do: nothing"), "{}", outcome.stdout);
    assert!(outcome.last().contains("--report"), "{}", outcome.last());
    for noun in ["Get-TransportRule", "Get-AcceptedDomain"] {
        let rows = outcome.stdout.lines().filter(|line| line.trim_start().starts_with(noun)).count();
        assert_eq!(rows, 1, "{noun}: {}", outcome.stdout);
    }
    assert!(outcome.stdout.contains("groups of the account: admin, operators"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("the login has every cmdlet that the provider runs"), "{}", outcome.stdout);

    let files = transcripts(&folder);
    assert!(files.len() > 15, "{files:?}");
    for (_, text) in &files {
        shows_nothing_private(text);
    }
    shows_no_more_than_it_may(&outcome.stdout);
    shows_no_more_than_it_may(&outcome.stderr);
    for told in ["127.0.0.1", "jdoe", "esa7.contoso.test", "3d2c1b0a"] {
        assert!(outcome.stdout.contains(told), "the screen does not name {told}:\n{}", outcome.stdout);
    }
    let hosts = &files.iter().find(|(name, _)| name.contains("hosts-incomingmail")).expect("a transcript").1;
    assert!(hosts.contains(".protection.outlook.com"), "what is the same for everybody stays:\n{hosts}");

    assert_eq!(stand_ins.snapshot(), before);
    assert!(!stand_ins.gateway.pending());
    let counters = stand_ins.gateway.counters();
    assert_eq!((counters.commits, counters.failed_commits, counters.logins), (0, 0, 1));
    let commands: BTreeSet<&str> = counters.commands.keys().map(String::as_str).collect();
    let allowed: BTreeSet<&str> = COMMANDS.iter().copied().collect();
    assert!(commands.is_subset(&allowed), "{commands:?}");
    for writes in ["commit", "clearchanges", "loadconfig", "saveconfig"] {
        assert!(!allowed.contains(writes), "{writes}");
    }
    // Below the main prompt: menu choices that only look, which entry is meant, and Enter.
    for (name, text) in files.iter().filter(|(name, _)| !name.contains("exchange")) {
        for line in typed(text) {
            let command = line.split(' ').next().unwrap_or_default();
            let looks = COMMANDS.contains(&command)
                || CHOICES.contains(&line)
                || ["", "ALL", "IncomingMail", "OutgoingMail"].contains(&line)
                || line.parse::<u32>().is_ok();
            assert!(looks, "{name}: typed {line:?}");
        }
    }
    let calls: Vec<String> = stand_ins.exchange.calls().iter().map(|call| call.cmdlet.clone()).collect();
    assert!(!calls.is_empty() && calls.iter().all(|cmdlet| cmdlet.starts_with("Get-")), "{calls:?}");
    for noun in ["Get-TransportRule", "Get-AcceptedDomain"] {
        assert_eq!(calls.iter().filter(|cmdlet| *cmdlet == noun).count(), 1, "{calls:?}");
    }
}

/// RN18: and only there, names are masked.
#[test]
fn the_report_is_printed_where_it_is_asked_for_or_needed() {
    let stand_ins = stand_ins(options());
    let outcome = doctor(&stand_ins, Sides::Both, &[], &["--report"]).must(0);
    assert!(outcome.stdout.contains("\n## report\n") && outcome.last().contains("What to do: nothing"), "{}", outcome.stdout);
    assert!(!outcome.last().contains("--report"), "{}", outcome.last());
    shows_no_more_than_it_may(&outcome.stdout);
    let outcome = doctor(&stand_ins, Sides::Gateway, &[("MAILFLOW_GATEWAY_PASSWORD", "hunter-2-hunter")], &[]).must(1);
    assert!(outcome.stdout.contains("\n## report\n"), "{}", outcome.stdout);
}

#[test]
fn what_the_account_may_not_change_is_told_and_is_no_failure() {
    let check = |options: Options, rights: &[&str], last: &str| {
        let outcome = doctor(&stand_ins(options), Sides::Gateway, &[], &[]).must(0);
        let row = outcome.row("rights").join(" ");
        for words in rights {
            assert!(row.contains(words), "{words}: {row}");
        }
        assert!(outcome.last().contains(last), "{}", outcome.last());
        shows_no_more_than_it_may(&outcome.stdout);
    };
    let refused = "Changes will be refused by Secure Email Gateway";
    let refusing = |commands: &[&str]| Options {
        refused_commands: commands.iter().map(|&command| command.to_owned()).collect(),
        ..options()
    };
    check(Options { groups: "guest, Help Desk Users".into(), ..options() }, &["guest, Help Desk", "may only look"], refused);
    check(refusing(&["commit"]), &["groups of the account: admin", "may not commit"], refused);
    check(refusing(&["whoami"]), &["not known (`whoami`: refused)", "it is told about `commit`"], "What to do: nothing");
    check(Options { groups: String::new(), ..options() }, &["does not tell the groups"], "What to do: nothing");
}

#[test]
fn each_cmdlet_that_the_login_lacks_is_named_with_its_role() {
    let stand_ins = stand_ins(options());
    for cmdlet in ["New-InboundConnector", "Set-TransportRule", "Set-AcceptedDomain"] {
        stand_ins.exchange.revoke(cmdlet);
    }
    let outcome = doctor(&stand_ins, Sides::Exchange, &[], &[]).must(0);
    let row = outcome.row("rights").join(" ");
    assert!(row.contains("lacks New-InboundConnector, Set-AcceptedDomain (role \"Remote and Accepted Domains\")"), "{row}");
    assert!(row.contains("lacks Set-TransportRule (role \"Transport Rules\")"), "{row}");
    assert!(!row.contains("Set-InboundConnector") && !row.contains("every cmdlet"), "{row}");
    assert!(outcome.last().contains("Changes will be refused by Exchange Online"), "{}", outcome.last());
    assert!(outcome.stdout.contains("Add-RoleGroupMember"), "how to mend it is told:\n{}", outcome.stdout);
}

#[test]
fn a_line_that_nobody_understands_is_told_with_table_and_number() {
    let stand_ins = stand_ins(options());
    stand_ins.gateway.edit(|configuration| {
        let listener = configuration.listener_mut("IncomingMail").expect("the listener");
        listener.hat.groups.first_mut().expect("a group").senders.push("%other%.contoso.test".to_owned());
        let destinations = vec!["10.77.66.55".to_owned()];
        configuration.smtp_routes.push(SmtpRoute { domain: ODD_DOMAIN.to_owned(), destinations, authentication: None });
    });
    let place = tempfile::tempdir().expect("a folder");
    let outcome = doctor(&stand_ins, Sides::Gateway, &[], &["--record", place.path().to_str().expect("text")]).must(1);
    let row = outcome.row("SMTP routes");
    assert_eq!(row.last(), Some(&"1"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("**not understood in SMTP routes**"), "{}", outcome.stdout);
    // What stands in an object is told with it.
    assert!(outcome.stdout.contains("settings without an argument in host access of IncomingMail"), "{}", outcome.stdout);
    assert!(outcome.last().contains("1 line was not understood"), "{}", outcome.last());
    shows_no_more_than_it_may(&outcome.stdout);

    let told = outcome.stdout.lines().find(|line| line.contains("%odd-")).expect("the line");
    let number: usize =
        told.trim_start_matches("line ").split(':').next().and_then(|number| number.parse().ok()).expect("a number");
    let files = transcripts(place.path());
    let routes = &files.iter().find(|(name, _)| name.contains("routes")).expect("a transcript").1;
    let recording = Recording::read(routes).expect("well-formed");
    assert!(recording.text.lines().nth(number - 1).is_some_and(|line| line.contains("%odd-")), "line {number} of\n{routes}");
    assert_eq!(recording.not_understood, 1);
}

#[test]
fn a_wrong_password_is_tried_once_and_named() {
    let stand_ins = stand_ins(options());
    let outcome = doctor(&stand_ins, Sides::Both, &[("MAILFLOW_GATEWAY_PASSWORD", "hunter-2-hunter")], &[]).must(1);
    let counters = stand_ins.gateway.counters();
    assert_eq!((counters.connections, counters.logins), (1, 0));
    assert!(outcome.stdout.contains("gateway.password"), "{}", outcome.stdout);
    assert_eq!(outcome.row("Get-TransportRule"), ["1", "0"]);
    assert!(outcome.last().contains("mend what failed"), "{}", outcome.last());
    shows_no_more_than_it_may(&outcome.stdout);
    shows_no_more_than_it_may(&outcome.stderr);

    let outcome = doctor(&stand_ins, Sides::Exchange, &[("ARM_CLIENT_SECRET", "hunter-2-hunter")], &[]).must(1);
    assert!(outcome.stdout.contains("AADSTS7000215"), "{}", outcome.stdout);
    shows_no_more_than_it_may(&outcome.stdout);
}

#[test]
fn an_unknown_host_key_is_shown_and_nothing_is_sent() {
    let stand_ins = stand_ins(options());
    let outcome = doctor(&stand_ins, Sides::Gateway, &[("MAILFLOW_GATEWAY_HOST_KEYS", "")], &[]).must(1);
    assert!(outcome.stdout.contains(stand_ins.gateway.host_key_fingerprint()), "{}", outcome.stdout);
    let counters = stand_ins.gateway.counters();
    assert_eq!((counters.logins, counters.failed_logins), (0, 0));
    shows_no_more_than_it_may(&outcome.stdout);
}

#[test]
fn what_is_refused_to_the_login_is_named_and_the_rest_is_read() {
    let refused = Options { refused_commands: vec!["destconfig".into(), "showchanges".into()], ..options() };
    let stand_ins = stand_ins(refused);
    stand_ins.exchange.revoke("Get-TransportRule");
    let outcome = doctor(&stand_ins, Sides::Both, &[], &[]).must(1);
    assert_eq!(outcome.row("destination controls"), ["-", "-", "refused"]);
    assert_eq!(outcome.row("SMTP routes"), ["2", "0"]);
    assert_eq!(outcome.row("Get-TransportRule"), ["-", "-", "refused"]);
    assert_eq!(outcome.row("Get-InboundConnector"), ["1", "0"]);
    assert!(outcome.stdout.contains("refused to this login: destination controls"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("refused to this login: Get-TransportRule"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("not in the correct access group"), "{}", outcome.stdout);
    shows_no_more_than_it_may(&outcome.stdout);
    let counters = stand_ins.gateway.counters();
    assert_eq!(counters.logins, 1);
}

#[test]
fn rx3_what_has_no_argument_is_named_for_each_object() {
    let stand_ins = stand_ins(options());
    let tenant = &stand_ins.exchange;
    tenant.put("TransportRule", "Prompted", &json!({ "Quarantine": true })).expect("made");
    let oddity = exchange::Oddity {
        conditions: vec!["ContentMatchesPrompt".into()],
        ..exchange::Oddity::unsupported("The prompt is not supported any more.")
    };
    tenant.show("TransportRule", "Prompted", oddity).expect("it is there");
    let outcome = doctor(&stand_ins, Sides::Exchange, &[], &["--report"]).must(0);
    for line in [
        "\"Prompted\": conditions: ContentMatchesPrompt",
        "\"Prompted\": Exchange Online marks it as unsupported: The prompt is not",
    ] {
        assert!(outcome.stdout.contains(line), "{line} is not in {}", outcome.stdout);
    }
    // Nothing else of a tenant that nobody touched has any.
    let told = outcome.stdout.matches("settings without an argument in Get-").count();
    let of_rules = outcome.stdout.matches("settings without an argument in Get-TransportRule").count();
    assert!(of_rules > 0 && told == of_rules, "{}", outcome.stdout);
    shows_no_more_than_it_may(&outcome.stdout);
}

#[test]
fn rx11_a_permission_that_only_looks_right_is_named() {
    let stand_ins = stand_ins(options());
    stand_ins.exchange.set_options(|options| {
        options.manage_as_app = false;
        options.other_permissions = vec!["Exchange.ManageAsAppV2".into(), "Exchange.AdminAPI.ManageAsApp".into()];
    });
    let outcome = doctor(&stand_ins, Sides::Exchange, &[], &[]).must(1);
    for part in ["Exchange.ManageAsAppV2, Exchange.AdminAPI.ManageAsApp", "Exchange.ManageAsApp of"] {
        assert!(outcome.stdout.contains(part), "{part} is not in {}", outcome.stdout);
    }
    shows_no_more_than_it_may(&outcome.stdout);
}

#[test]
fn uncommitted_changes_are_shown_and_left_alone() {
    let stand_ins = stand_ins(Options { change_sets: ChangeSets::PerUser, ..options() });
    stand_ins.gateway.stage(|configuration| {
        configuration.smtp_routes.push(SmtpRoute {
            domain: "staged.contoso.test".into(),
            destinations: vec!["10.77.66.55".into()],
            authentication: None,
        });
    });
    let before = stand_ins.snapshot();
    let outcome = doctor(&stand_ins, Sides::Gateway, &[], &[]).must(0);
    assert!(outcome.stdout.contains("changes that are not ours"), "{}\n{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("  uncommitted changes in the session:\n"), "{}", outcome.stdout);
    shows_no_more_than_it_may(&outcome.stdout);
    assert!(stand_ins.gateway.pending());
    assert_eq!(stand_ins.snapshot(), before);
}

#[test]
fn a_side_that_is_not_configured_is_said_to_be_so() {
    let stand_ins = stand_ins(options());
    let outcome = doctor(&stand_ins, Sides::Gateway, &[], &[]).must(0);
    assert!(outcome.stdout.contains("not configured (ARM_TENANT_ID is not set)"), "{}", outcome.stdout);
    assert_eq!(stand_ins.counts().exchange_calls, 0);
    let outcome = doctor(&stand_ins, Sides::Exchange, &[], &[]).must(0);
    assert!(outcome.stdout.contains("not configured (MAILFLOW_GATEWAY_HOST is not set)"), "{}", outcome.stdout);
    assert_eq!(stand_ins.gateway.counters().logins, 1);
}

#[test]
fn a_line_without_sense_ends_with_two_before_anything_is_sent() {
    let place = tempfile::tempdir().expect("a folder");
    fs::write(place.path().join("letter.txt"), "dear reader").expect("written");
    let folder = place.path().to_str().expect("text");
    for (arguments, variables, said) in [
        (vec![], vec![], "nothing is configured"),
        (vec!["--nonsense"], vec![], "unexpected argument"),
        (vec!["--set", "gateway.prt=1"], vec![], "there is no setting"),
        (vec!["--set", "gateway.password=swordfish"], vec![], "environment variable"),
        (vec!["--record", folder], vec![("MAILFLOW_GATEWAY_HOST", "esa.invalid")], "letter.txt"),
    ] {
        let outcome = Outcome::of(command().args(&arguments).envs(variables).output().expect("the binary runs")).must(2);
        assert!(outcome.stderr.contains(said) && outcome.stderr.contains("--help"), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
    }
    let help = Outcome::of(command().arg("--help").output().expect("the binary runs")).must(0);
    assert!(
        help.stdout.contains("--record <DIR>") && help.stdout.contains("--report") && help.stdout.contains("Exits with 0"),
        "{}",
        help.stdout
    );
    let outcome = Outcome::of(command().env("MAILFLOW_GATEWAY_HOST", "esa.invalid").output().expect("the binary runs")).must(1);
    assert!(outcome.stdout.contains("MAILFLOW_GATEWAY_USERNAME"), "{}", outcome.stdout);
}

/// Writes the transcripts of the stand-in anew: `MAILFLOW_WRITE_TRANSCRIPTS=1 cargo test --test blackbox doctor::`.
#[test]
fn every_release_of_the_stand_in_is_understood() {
    let write = std::env::var_os("MAILFLOW_WRITE_TRANSCRIPTS").is_some();
    let cluster = Cluster { groups: vec!["Main".into()], machines: vec!["esa7".into()], ..Cluster::of_two() };
    for (name, options, arguments) in [
        ("13.0", Options { release: Release::V13_0, setttymode: false, ..options() }, vec![]),
        ("15.5", options(), vec![]),
        (
            "16.0-cluster",
            Options { release: Release::V16_0, cluster: Some(cluster), ..options() },
            vec!["--set=gateway.cluster.mode=cluster"],
        ),
    ] {
        let stand_ins = stand_ins(gateway::Options { ..options });
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("t");
        let arguments = [arguments, vec!["--record", folder.to_str().expect("text")]].concat();
        let outcome = doctor(&stand_ins, Sides::Both, &[], &arguments).must(0);
        assert_eq!(outcome.stdout.contains("could not be switched off"), name == "13.0", "{}", outcome.stdout);
        let files = transcripts(&folder);
        for (_, text) in &files {
            shows_nothing_private(text);
        }
        if write {
            let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(format!("stand-in-{name}"));
            let _ = fs::remove_dir_all(&to);
            fs::create_dir_all(&to).expect("a folder");
            for (file, text) in files {
                let source = "# source: the stand-in of this repository, recorded by `doctor --record`; not an appliance";
                let text: Vec<&str> =
                    text.lines().map(|line| if line.starts_with("# source: ") { source } else { line }).collect();
                fs::write(to.join(file), text.join("\n") + "\n").expect("written");
            }
        }
    }
}
