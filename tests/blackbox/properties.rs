//! Properties of what is read from the gateway, through the real SSH client: a table that the stand-in prints is read as the same table,
//! and no way of sending a printout (chunks, widths, pages, escape sequences) changes what is read.
//!
//! A property holds a generator of configurations and the rows that they mean. Sessions are kept from case to case, so that a case costs
//! a dialog and not a login. What is wrong with one layout, byte by byte, is proven next to the parsers.

use std::sync::LazyLock;
use std::time::Duration;

use mailflow::gateway::device::{Connect, Device};
use mailflow::gateway::session::Connector;
use mailflow::gateway::settings::{CommitSettings, Level, Login, PendingChanges, Settings};
use mailflow::gateway::table::{Printout, Rows};
use mailflow::sandbox::gateway::tables::destination::{Dane, Destination, IpSort, RecipientLimit, Tls};
use mailflow::sandbox::gateway::tables::filter::Filter;
use mailflow::sandbox::gateway::tables::hat::{Policy, SenderGroup, Verdict};
use mailflow::sandbox::gateway::tables::listener::Scope;
use mailflow::sandbox::gateway::tables::parameter::{Parameters, Setting};
use mailflow::sandbox::gateway::tables::recipient::{Access, Recipient, Response, Treatment};
use mailflow::sandbox::gateway::tables::route::SmtpRoute;
use mailflow::sandbox::gateway::{
    Appliance, Behavior, Cluster, Configuration, DetailForm, FilterForm, HatForm, Layout, MenuForm, Options, RecipientForm,
    Release, RouteForm, TlsForm,
};
use mailflow::schema::Record;
use mailflow::value::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// How many tables are tried on each gateway.
const CASES: u32 = 12;

/// How many ways of sending are tried.
const WAYS: u32 = 12;

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime"));

/// A gateway with a session on it.
struct Gate {
    appliance: Appliance,
    device: Box<dyn Device>,
}

impl Gate {
    fn open(options: Options) -> Gate {
        let cluster = if options.cluster.is_some() { Level::Cluster } else { Level::Standalone };
        Gate::at(options, cluster)
    }

    fn at(options: Options, cluster: Level) -> Gate {
        let (appliance, device) = Gate::try_at(options, cluster);
        Gate { appliance, device: device.expect("a session") }
    }

    fn try_at(options: Options, cluster: Level) -> (Appliance, Result<Box<dyn Device>, mailflow::remote::Error>) {
        let appliance = Appliance::start(options).expect("a gateway");
        let login = Login {
            host: "127.0.0.1".to_owned(),
            port: appliance.port(),
            username: appliance.username().to_owned(),
            password: Some(appliance.password().to_owned().into()),
            private_key: None,
            private_key_passphrase: None,
            host_keys: vec![appliance.host_key_fingerprint().to_owned()],
            legacy_algorithms: false,
            jump_host: None,
        };
        let commit = CommitSettings {
            comment: "properties".to_owned(),
            quiet_period: Duration::ZERO,
            timeout: Duration::from_secs(10),
            rollback_snapshot: false,
        };
        let settings = Settings { login, cluster, commit, pending_changes: PendingChanges::Error, read_only: true, api: None };
        let device = RUNTIME.block_on(Connector::new(settings).connect());
        (appliance, device)
    }

    /// Reads a printout. Whatever cannot be read is the case's failure.
    fn read(&mut self, printout: &Printout) -> Result<Rows, TestCaseError> {
        let mut said = Vec::new();
        while let Some(dialog) = printout.dialog(&said) {
            said.push(RUNTIME.block_on(self.device.walk(&dialog)).map_err(|error| TestCaseError::fail(error.to_string()))?);
        }
        printout.parse(&said).map_err(|error| TestCaseError::fail(format!("{error}\n{said:#?}")))
    }
}

/// The gateways on which tables are printed: all forms of all printouts, on all releases.
fn gateways() -> Vec<Options> {
    let second = Layout {
        menus: MenuForm::Inline,
        detail: DetailForm::Labels,
        routes: RouteForm::Commas,
        recipients: RecipientForm::Columns,
        hosts: HatForm::Flush,
        filters: FilterForm::Bare,
        tls: TlsForm::Inline,
        default_parameters: false,
        ..Layout::default()
    };
    vec![
        Options { release: Release::V13_0, ..Options::default() },
        Options { release: Release::V15_5, layout: second.clone(), cluster: Some(Cluster::of_two()), ..Options::default() },
        Options {
            release: Release::V16_0,
            layout: Layout {
                destination_print: true,
                blank_lines: false,
                many_recipients: 3,
                routes: RouteForm::Priorities,
                recipients: RecipientForm::Keys,
                ..Layout::default()
            },
            setttymode: false,
            ansi_noise: true,
            output_chunk: 40,
            pager_rows: Some(7),
            columns: Some(80),
            ..Options::default()
        },
    ]
}

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() }
}

/// Holds a property of one printout on every gateway: `put` makes a table of a generated value, `check` holds what is read against it.
fn printed_and_read<T: std::fmt::Debug + Clone>(
    printout: &Printout,
    tables: impl Strategy<Value = T>,
    put: impl Fn(&mut Configuration, &T),
    check: impl Fn(&Rows, &T) -> Result<(), TestCaseError>,
) {
    for options in gateways() {
        let shown = format!("{:?} {:?}", options.release, options.layout);
        let gate = std::cell::RefCell::new(Gate::open(options));
        let outcome = TestRunner::new(config(CASES)).run(&tables, |table| {
            let mut gate = gate.borrow_mut();
            gate.appliance.edit(|configuration| put(configuration, &table));
            let rows = gate.read(printout)?;
            prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
            check(&rows, &table)
        });
        if let Err(failure) = outcome {
            panic!("{shown}\n{failure}");
        }
    }
}

/// Compares the attributes that `wanted` names.
fn same(found: &Record, wanted: &[(&str, Value)]) -> Result<(), TestCaseError> {
    for (name, wanted) in wanted {
        prop_assert_eq!(found.at(name), wanted, "{}", name);
    }
    Ok(())
}

fn number(number: Option<u32>) -> Value {
    number.map_or(Value::Null, |number| Value::integer(number.into()))
}

/// Words that mean something to one printout or another, and are legal parts of a name.
const WORDS: &[&str] = &[
    "default",
    "all",
    "domain",
    "name",
    "host",
    "tls",
    "bounce",
    "profile",
    "ip",
    "rate",
    "limits",
    "accept",
    "reject",
    "relay",
    "on",
    "off",
    "none",
    "usedns",
    "port",
    "y",
    "n",
    "xn--bcher-kva",
    "recipient",
    "destination",
    "1",
];

fn label() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?".prop_filter("no broken punycode", |label| !label.contains("--")), 3 => select(WORDS).prop_map(str::to_owned)]
}

/// A host name of two labels or more, the last one without digits.
fn host() -> impl Strategy<Value = String> {
    (vec(label(), 1..4), select(vec!["example", "com", "name", "host", "all", "default", "accept", "limit"]))
        .prop_map(|(labels, top)| format!("{}.{top}", labels.join(".")))
}

/// `host.example` or `.host.example`.
fn domain() -> impl Strategy<Value = String> {
    (any::<bool>(), host()).prop_map(|(dot, host)| if dot { format!(".{host}") } else { host })
}

/// A name of one label, as hosts of the own network have: also one that is a word of a heading, of a count or of a column.
fn single() -> impl Strategy<Value = String> {
    const MORE: &[&str] =
        &["hosts", "routes", "tables", "listeners", "entries", "filters", "policies", "yes", "not", "there", "total", "domains"];
    prop_oneof![2 => "[a-z][a-z0-9]{2,8}", 1 => select(MORE).prop_map(str::to_owned), 1 => select(WORDS).prop_map(str::to_owned)]
        // Where a setting and its value stand on two lines, the last three cannot be told from a value: such an entry is a row that is not read.
        .prop_filter("it is the name of an entry that is always there, or is printed as a value", |name| {
            !["all", "default", "1", "none", "on", "off"].contains(&name.as_str())
        })
}

/// Values with distinct keys.
fn distinct<T: std::fmt::Debug + Clone>(
    values: impl Strategy<Value = T>,
    most: usize,
    key: impl Fn(&T) -> String + Clone,
) -> impl Strategy<Value = Vec<T>> {
    vec(values, 0..most).prop_map(move |values| {
        let mut seen = std::collections::BTreeSet::new();
        values.into_iter().filter(|value| seen.insert(key(value))).collect()
    })
}

/// The name of a group, a policy, a filter.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z][A-Za-z0-9_-]{0,12}".prop_filter("ALL is no name", |name| !name.eq_ignore_ascii_case("ALL")),
        select(vec!["Default", "ACCEPT", "Reject", "tls", "on", "Policies", "Name", "Num", "There", "CONTINUE"])
            .prop_map(str::to_owned),
    ]
}

/// A text of one line, without blanks at its ends or two in a row.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => "[a-zA-Z0-9äß€]{1,8}",
        1 => select(vec!["call", "ldap,", "receiving", "550", "\"quoted\"", "it's", "a:b", "x=y", "$POLICY", "ACCEPT", "-", "#1", "100%", "{", "}", "response", "no", "[x]"])
            .prop_map(str::to_owned),
    ];
    vec(word, 1..6).prop_map(|words| words.join(" "))
}

/// A route, a comment of a group: parentheses in pairs.
fn comment() -> impl Strategy<Value = String> {
    prop_oneof![3 => text(), 1 => (text(), text()).prop_map(|(one, two)| format!("{one} ({two})")), 1 => text().prop_map(|text| format!("({text}) {text}"))]
}

fn entry() -> impl Strategy<Value = Destination> {
    let limit = || proptest::option::of(1_u32..1001);
    let recipients = proptest::option::of(
        (1_u32..61, 1_u32..100_000).prop_map(|(minutes, recipients)| RecipientLimit { minutes, recipients }),
    );
    let profile = proptest::option::of(prop_oneof!["[A-Za-z][A-Za-z0-9_.-]{0,8}( [a-z]{1,5})?", Just("Profile One".to_owned())]);
    let tls = proptest::option::of((select(Tls::ALL.to_vec()), proptest::option::of(select(Dane::ALL.to_vec()))));
    let ip = proptest::option::of(select(IpSort::ALL.to_vec()));
    let destination = prop_oneof![
        6 => domain(),
        1 => single(),
        1 => Just("host".to_owned()),
        1 => any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        1 => any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
    ];
    (destination, limit(), limit(), recipients, any::<(bool, bool)>(), tls, proptest::option::of(any::<bool>()), profile, ip)
        .prop_map(|(domain, concurrency, messages, recipients, (exchanger, gateway), tls, tagging, profile, ip_sort)| {
            let limited = concurrency.is_some() || messages.is_some() || recipients.is_some();
            Destination {
                concurrency,
                messages_per_connection: messages,
                recipient_limit: recipients,
                per_exchanger: limited && exchanger,
                per_virtual_gateway: limited && gateway,
                tls: tls.map(|(tls, _)| tls),
                dane: tls.and_then(|(_, dane)| dane),
                bounce_verification: tagging,
                bounce_profile: profile.filter(|name| !["default", "none"].contains(&name.to_lowercase().as_str())),
                ip_sort,
                ..Destination::new(&domain)
            }
        })
}

fn check_entry(rows: &Rows, entry: &Destination) -> Result<(), TestCaseError> {
    let Some(row) = rows.find("gateway_destination_control", &entry.domain) else {
        return Err(TestCaseError::fail(format!("{} is not among {rows:#?}", entry.domain)));
    };
    let tls = match entry.tls {
        None => "default",
        Some(Tls::No) => "none",
        Some(Tls::Preferred) => "preferred",
        Some(Tls::Required) => "required",
        Some(Tls::PreferredVerify) => "preferred_verify",
        Some(Tls::RequiredVerify) => "required_verify",
        Some(Tls::RequiredVerifyHosted) => "required_verify_hosted_domains",
    };
    let ip_sort = match entry.ip_sort {
        None => "default",
        Some(IpSort::PreferV6) => "prefer_v6",
        Some(IpSort::RequireV6) => "require_v6",
        Some(IpSort::PreferV4) => "prefer_v4",
        Some(IpSort::RequireV4) => "require_v4",
    };
    same(
        &row.record,
        &[
            ("concurrency_limit", number(entry.concurrency)),
            ("max_messages_per_connection", number(entry.messages_per_connection)),
            ("recipient_limit", number(entry.recipient_limit.map(|limit| limit.recipients))),
            ("recipient_limit_minutes", number(Some(entry.recipient_limit.map_or(60, |limit| limit.minutes)))),
            ("concurrency_limit_type", Value::text(if entry.per_exchanger { "MXIP" } else { "host" })),
            ("concurrency_limit_apply", Value::text(if entry.per_virtual_gateway { "VG" } else { "system" })),
            ("tls", Value::text(tls)),
            ("bounce_verification", Value::text(entry.bounce_verification.map_or("default", |on| if on { "on" } else { "off" }))),
            ("bounce_profile", entry.bounce_profile.clone().map_or(Value::Null, Value::text)),
            ("ip_sort_preference", Value::text(ip_sort)),
        ],
    )
}

#[test]
fn destination_controls_that_are_printed_and_read_are_the_same() {
    printed_and_read(
        &Printout::Destinations,
        distinct(entry(), 8, |entry| entry.domain.clone()),
        |configuration, entries| configuration.destination_controls.entries.clone_from(entries),
        |rows, entries| {
            prop_assert_eq!(rows.rows.len(), entries.len() + 1);
            entries.iter().try_for_each(|entry| check_entry(rows, entry))
        },
    );
}

/// A destination of a route: as it is typed, and what it means.
fn hop() -> impl Strategy<Value = (String, Value)> {
    let made = |host: &str, port: u16, priority: u16| {
        Value::object([
            ("host", Value::text(host)),
            ("port", Value::integer(port.into())),
            ("priority", Value::integer(priority.into())),
        ])
    };
    let target = prop_oneof![
        4 => host(),
        2 => host().prop_map(|host| format!("[{host}]")),
        1 => any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
    ];
    prop_oneof![
        4 => (target, proptest::option::of(1_u16..), proptest::option::of(any::<u16>())).prop_map(move |(host, port, priority)| {
            // A priority is only documented behind a port.
            let priority = priority.filter(|_| port.is_some());
            let typed = match (port, priority) {
                (Some(port), Some(priority)) => format!("{host}:{port}/pri={priority}"),
                (Some(port), None) => format!("{host}:{port}"),
                _ => host.clone(),
            };
            (typed, made(&host, port.unwrap_or(25), priority.unwrap_or(0)))
        }),
        1 => any::<std::net::Ipv6Addr>().prop_map(move |address| (address.to_string(), made(&address.to_string(), 25, 0))),
    ]
}

#[test]
fn routes_that_are_printed_and_read_are_the_same() {
    let alone = |host: &str| {
        let value = Value::object([("host", Value::text(host)), ("port", Value::integer(25)), ("priority", Value::integer(0))]);
        vec![(host.to_owned(), value)]
    };
    let hops = prop_oneof![
        6 => vec(hop(), 1..5),
        1 => Just(alone("USEDNS")),
        1 => Just(alone("/dev/null")),
        1 => vec(hop(), 30..40),
    ];
    let route = (prop_oneof![8 => domain(), 2 => single(), 1 => Just("ALL".to_owned())], hops);
    printed_and_read(
        &Printout::Routes,
        distinct(route, 8, |(domain, _)| domain.clone()),
        |configuration, routes| {
            configuration.smtp_routes = routes
                .iter()
                .map(|(domain, hops)| SmtpRoute {
                    domain: domain.clone(),
                    destinations: hops.iter().map(|(typed, _)| typed.clone()).collect(),
                    authentication: None,
                })
                .collect();
        },
        |rows, routes| {
            let found: Vec<(&str, &Value)> =
                rows.rows.iter().map(|row| (row.id.as_str(), row.record.get("destination"))).collect();
            let wanted: Vec<(&str, Value)> = routes
                .iter()
                .map(|(domain, hops)| (domain.as_str(), Value::List(hops.iter().map(|(_, value)| value.clone()).collect())))
                .collect();
            prop_assert_eq!(found, wanted.iter().map(|(domain, hops)| (*domain, hops)).collect::<Vec<_>>());
            Ok(())
        },
    );
}

fn recipient() -> impl Strategy<Value = String> {
    let user = "[a-z0-9#|&+=_'*/.!%-]{1,8}";
    prop_oneof![
        3 => domain(),
        3 => (user, host()).prop_map(|(user, host)| format!("{user}@{host}")),
        1 => user.prop_map(|user| format!("{user}@")),
        1 => any::<std::net::Ipv4Addr>().prop_map(|address| format!("[{address}]")),
        1 => any::<std::net::Ipv6Addr>().prop_map(|address| format!("[IPv6:{address}]")),
        1 => single(),
    ]
}

fn treatment() -> impl Strategy<Value = Treatment> {
    // Where a release prints responses in a column, a text that is all in quotes cannot be told from one that the release put into quotes.
    let response = text().prop_filter("quotes around all of it", |text| !(text.starts_with('"') && text.ends_with('"')));
    (any::<bool>(), proptest::option::of((200_u16..600, response)), any::<[bool; 3]>()).prop_map(
        |(accept, response, bypasses)| Treatment {
            access: if accept { Access::Accept } else { Access::Reject },
            response: response.map(|(code, text)| Response { code, text }),
            bypass_receiving_control: bypasses[0],
            bypass_ldap_accept: bypasses[1],
            bypass_call_ahead: bypasses[2],
        },
    )
}

#[test]
fn recipients_that_are_printed_and_read_are_the_same() {
    let entry = (recipient(), treatment()).prop_map(|(address, treatment)| Recipient { address, treatment });
    printed_and_read(
        &Printout::Recipients("IncomingMail".to_owned()),
        (distinct(entry, 8, |entry| entry.address.clone()), treatment()),
        |configuration, (entries, all)| {
            if let Some(rat) = configuration.listener_mut("IncomingMail").and_then(|listener| listener.rat.as_mut()) {
                rat.entries.clone_from(entries);
                rat.all = all.clone();
            }
        },
        |rows, (entries, all)| {
            let wanted = entries.iter().map(|entry| (entry.address.as_str(), &entry.treatment)).chain([("ALL", all)]);
            prop_assert_eq!(rows.rows.len(), entries.len() + 1);
            for (row, (address, treatment)) in rows.rows.iter().zip(wanted) {
                let response = treatment.response.as_ref();
                same(
                    &row.record,
                    &[
                        ("recipient", Value::text(address)),
                        ("action", Value::text(if treatment.access == Access::Accept { "accept" } else { "reject" })),
                        ("smtp_response_code", response.map_or(Value::Null, |response| Value::integer(response.code.into()))),
                        ("smtp_response_text", response.map_or(Value::Null, |response| Value::text(response.text.as_str()))),
                        ("bypass_receiving_control", Value::Bool(treatment.bypass_receiving_control)),
                        ("bypass_ldap_accept", Value::Bool(treatment.bypass_ldap_accept)),
                        ("bypass_smtp_call_ahead", Value::Bool(treatment.bypass_call_ahead)),
                    ],
                )?;
            }
            Ok(())
        },
    );
}

fn sender() -> impl Strategy<Value = String> {
    let six = any::<std::net::Ipv6Addr>();
    prop_oneof![
        3 => domain(),
        1 => any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        1 => any::<[u8; 3]>().prop_map(|[one, two, three]| format!("{one}.{two}.{three}.")),
        1 => any::<[u8; 3]>().prop_map(|[one, two, three]| format!("{one}.{two}.{}-{}", three / 2, three / 2 + 7)),
        1 => any::<[u8; 2]>().prop_map(|[one, two]| format!("{one}.{two}.")),
        1 => any::<[u8; 5]>().prop_map(|[a, b, c, d, e]| format!("{a}.{b}.{c}.{}-{}", d.min(e), d.max(e))),
        1 => (any::<[u8; 4]>(), 0_u8..33).prop_map(|([a, b, c, d], bits)| format!("{a}.{b}.{c}.{d}/{bits}")),
        1 => six.prop_map(|address| address.to_string()),
        1 => (any::<std::net::Ipv6Addr>(), 0_u8..129).prop_map(|(address, bits)| format!("{address}/{bits}")),
        1 => any::<[std::net::Ipv6Addr; 2]>().prop_map(|[one, two]| format!("{}-{}", one.min(two), one.max(two))),
        1 => (-100_i32..101, -100_i32..101).prop_map(|(one, two)| format!("SBRS[{:.1}:{:.1}]", f64::from(one.min(two)) / 10.0, f64::from(one.max(two)) / 10.0)),
        1 => Just("SBRS[none]".to_owned()),
        1 => any::<u32>().prop_map(|owner| format!("SBO:{owner}")),
        1 => host().prop_map(|host| format!("dnslist[{host}]")),
    ]
}

/// What a policy sets, as the HAT spells it and as the attribute means it.
const SETTINGS: &[(&str, &str)] = &[
    ("max_message_size", "max_message_size"),
    ("max_concurrency", "max_concurrency"),
    ("max_msgs_per_session", "max_msgs_per_session"),
    ("max_rcpts_per_msg", "max_rcpts_per_msg"),
    ("max_rcpts_per_hour", "max_rcpts_per_hour"),
    ("dhap_limit", "dhap_limit"),
];

fn policy() -> impl Strategy<Value = Policy> {
    let numbers = vec(proptest::option::of(0_i64..1_000_000_000), SETTINGS.len());
    let switches = vec(proptest::option::of(any::<bool>()), 3);
    let tls = proptest::option::of(select(vec!["off", "on", "required"]));
    let banner = proptest::option::of(text().prop_map(|text| format!("{text}\nsecond }} line \\")));
    (name(), select(Behavior::ALL.to_vec()), numbers, switches, tls, banner).prop_map(
        |(name, behavior, numbers, switches, tls, banner)| {
            let mut parameters = Parameters::default();
            if behavior.takes_mail() {
                for ((key, _), number) in SETTINGS.iter().zip(numbers) {
                    if let Some(number) = number {
                        parameters.set(key, number);
                    }
                }
                for (key, on) in ["spam_check", "virus_check", "use_sb"].iter().zip(switches) {
                    if let Some(on) = on {
                        parameters.set(key, if on { "on" } else { "off" });
                    }
                }
                if let Some(tls) = tls {
                    parameters.set("tls", tls);
                }
                if let Some(banner) = banner {
                    parameters.set("smtp_banner_text", Setting::Text(banner));
                    parameters.set("smtp_banner_code", 220);
                }
            }
            Policy { name, behavior, parameters }
        },
    )
}

fn check_policy(rows: &Rows, policy: &Policy) -> Result<(), TestCaseError> {
    let Some(row) = rows.find("gateway_mail_flow_policy", &format!("IncomingMail/{}", policy.name)) else {
        return Err(TestCaseError::fail(format!("{} is not among {rows:#?}", policy.name)));
    };
    let behavior = match policy.behavior {
        Behavior::Accept => "accept",
        Behavior::Relay => "relay",
        Behavior::Reject => "reject",
        Behavior::TcpRefuse => "tcp_refuse",
        Behavior::Continue => "continue",
    };
    let tls = policy.parameters.text("tls").map(|tls| match tls.as_str() {
        "on" => "preferred",
        "required" => "required",
        _ => "none",
    });
    let mut wanted = vec![("behavior", Value::text(behavior)), ("tls", tls.map_or(Value::Null, Value::text))];
    for (key, attribute) in SETTINGS {
        wanted.push((*attribute, policy.parameters.number(key).map_or(Value::Null, Value::integer)));
    }
    for key in ["spam_check", "virus_check", "use_sb"] {
        wanted.push((key, policy.parameters.text(key).map_or(Value::Null, |text| Value::Bool(text == "on"))));
    }
    same(&row.record, &wanted)
}

#[test]
fn host_access_tables_that_are_printed_and_read_are_the_same() {
    let policies = distinct(policy(), 5, |policy| policy.name.to_lowercase());
    let group = (
        name(),
        prop_oneof![5 => vec(sender(), 0..6), 1 => vec(sender(), 40..60)],
        proptest::option::of(comment()),
        any::<usize>(),
    );
    let groups = distinct(group, 6, |(name, ..)| name.to_lowercase());
    printed_and_read(
        &Printout::Hosts("IncomingMail".to_owned()),
        (policies, groups),
        |configuration, (policies, groups)| {
            let Some(listener) = configuration.listener_mut("IncomingMail") else { return };
            listener.hat.policies =
                [Policy { name: "Base".into(), behavior: Behavior::Accept, parameters: Parameters::default() }].to_vec();
            listener.hat.policies.extend(policies.iter().filter(|policy| policy.name != "Base").cloned());
            listener.hat.all = Verdict::Policy("Base".into());
            let names: Vec<String> = listener.hat.policies.iter().map(|policy| policy.name.clone()).collect();
            listener.hat.groups = groups
                .iter()
                .map(|(name, senders, comment, policy)| SenderGroup {
                    name: name.clone(),
                    senders: senders.clone(),
                    countries: Vec::new(),
                    verdict: Verdict::Policy(names[policy % names.len()].clone()),
                    comment: comment.clone().unwrap_or_default(),
                })
                .collect();
        },
        |rows, (policies, groups)| {
            policies.iter().filter(|policy| policy.name != "Base").try_for_each(|policy| check_policy(rows, policy))?;
            let found: Vec<&str> = rows
                .rows
                .iter()
                .filter(|row| row.resource == "gateway_sender_group")
                .filter_map(|row| row.record.text("name"))
                .collect();
            let wanted: Vec<&str> = groups.iter().map(|(name, ..)| name.as_str()).chain(["ALL"]).collect();
            prop_assert_eq!(found, wanted);
            for (name, senders, comment, policy) in groups {
                let names: Vec<&str> = ["Base"]
                    .into_iter()
                    .chain(policies.iter().map(|policy| policy.name.as_str()).filter(|name| *name != "Base"))
                    .collect();
                let record = rows.find("gateway_sender_group", &format!("IncomingMail/{name}")).map(|row| row.record.clone());
                same(
                    &record.unwrap_or_default(),
                    &[
                        ("senders", Value::texts(senders.clone())),
                        ("comment", comment.clone().map_or(Value::Null, Value::text)),
                        ("policy", Value::text(names[policy % names.len()])),
                    ],
                )?;
            }
            Ok(())
        },
    );
}

#[test]
fn filters_that_are_printed_and_read_are_the_same() {
    const BODIES: &[&str] = &[
        "if (true) {\n  skip-filters();\n}",
        "if (header(\"X-One\") == \"^a: {b}$\") {\n  drop();\n} else {\n  insert-header(\"X-Two\", \"Num Active Valid Name\");\n}",
        "if (sendergroup == \"RELAY)(LIST\") {\n  insert-header(\"X\", \"it's\\\\\");\n}",
        "drop();",
        "if (subject == \"-Press Any Key\") {\n  insert-header(\"Y\", \"esa.example.com> \");\n}",
        "if (subject == \"[]> \") {\n  bcc(\"a@b.example\", \"1. Y Y name: drop();\");\n}",
    ];
    let filter =
        (name(), any::<bool>(), select(BODIES)).prop_map(|(name, active, body)| Filter { name, active, body: body.to_owned() });
    printed_and_read(
        &Printout::Filters,
        distinct(filter, 6, |filter| filter.name.clone()),
        |configuration, filters| configuration.filters.clone_from(filters),
        |rows, filters| {
            prop_assert_eq!(rows.rows.len(), filters.len());
            let plain = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
            for (row, filter) in rows.rows.iter().zip(filters) {
                prop_assert_eq!(&row.id, &filter.name);
                prop_assert_eq!(row.record.truth("active"), Some(filter.active));
                prop_assert_eq!(row.record.text("script").map(plain), Some(plain(&filter.body)));
            }
            Ok(())
        },
    );
}

#[test]
fn listeners_that_are_printed_and_read_are_the_same() {
    let address = (any::<std::net::Ipv4Addr>(), proptest::option::of(any::<std::net::Ipv6Addr>()));
    let scopes = select(vec![(Scope::Public, "public"), (Scope::Private, "private"), (Scope::BlackHole, "blackhole")]);
    let names =
        prop_oneof![name(), select(vec!["Port 25", "on", "Public", "In-Mail.2", "Private listener"]).prop_map(str::to_owned)];
    let interfaces = prop_oneof![
        Just("Data 1".to_owned()),
        "[A-Za-z][A-Za-z0-9 _.-]{0,8}[a-z]".prop_filter("no two blanks", |name| !name.contains("  "))
    ];
    let listener = (names, interfaces, address, 1_u16.., scopes);
    printed_and_read(
        &Printout::Listeners,
        distinct(listener, 6, |(name, ..)| name.clone()),
        |configuration, listeners| {
            let base = Configuration::new_gateway(Release::V15_5).listeners.remove(1);
            configuration.listeners = listeners
                .iter()
                .map(|(name, interface, (four, six), port, (scope, _))| {
                    let mut listener = base.clone();
                    listener.name.clone_from(name);
                    listener.interface.clone_from(interface);
                    listener.address = six.map_or_else(|| four.to_string(), |six| format!("{four}, {six}"));
                    listener.port = *port;
                    listener.scope = *scope;
                    listener
                })
                .collect();
        },
        |rows, listeners| {
            prop_assert_eq!(rows.rows.len(), listeners.len());
            for (row, (name, interface, (four, six), port, (_, scope))) in rows.rows.iter().zip(listeners) {
                let addresses = [Some(four.to_string()), six.map(|six| six.to_string())].into_iter().flatten().map(Value::text);
                same(
                    &row.record,
                    &[
                        ("name", Value::text(name.as_str())),
                        ("interface", Value::text(interface.as_str())),
                        ("addresses", Value::List(addresses.collect())),
                        ("port", Value::integer((*port).into())),
                        ("type", Value::text(*scope)),
                        ("protocol", Value::text("SMTP")),
                    ],
                )?;
            }
            Ok(())
        },
    );
}

#[test]
fn tls_settings_that_are_printed_and_read_are_the_same() {
    const METHODS: &[(&str, &[&str])] = &[
        ("tlsv1.2", &["TLSv1.2"]),
        ("tlsv1.0", &["TLSv1"]),
        ("tlsv1/tlsv1.2", &["TLSv1", "TLSv1.2"]),
        ("sslv2/sslv3/tlsv1/tlsv1.2", &["SSLv2", "SSLv3", "TLSv1", "TLSv1.2"]),
        ("tlsv1.2/tlsv1.3", &["TLSv1.2", "TLSv1.3"]),
        ("tlsv1.1/tlsv1.2/tlsv1.3", &["TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    ];
    let ciphers = || {
        vec(
            prop_oneof![
                "[!+-]?[A-Z][A-Z0-9-]{1,20}",
                select(vec!["@STRENGTH", "!AESGCM+DH+aRSA", "ALL", "-EXPORT", "!TLSv1"]).prop_map(str::to_owned)
            ],
            1..30,
        )
    };
    let side = || (select(METHODS), ciphers());
    printed_and_read(
        &Printout::Tls,
        (side(), side(), side()),
        |configuration, sides| {
            let settings = &mut configuration.tls_settings;
            for (service, (method, ciphers)) in
                [(&mut settings.gui, &sides.0), (&mut settings.inbound, &sides.1), (&mut settings.outbound, &sides.2)]
            {
                method.0.clone_into(&mut service.method);
                service.ciphers = ciphers.join(":");
            }
        },
        |rows, (_, inbound, outbound)| {
            prop_assert_eq!(rows.rows.len(), 1);
            same(
                &rows.rows[0].record,
                &[
                    ("inbound_methods", Value::texts(inbound.0.1.iter().copied())),
                    ("inbound_ciphers", Value::text(inbound.1.join(":"))),
                    ("outbound_methods", Value::texts(outbound.0.1.iter().copied())),
                    ("outbound_ciphers", Value::text(outbound.1.join(":"))),
                ],
            )
        },
    );
}

#[test]
fn rg7_a_level_without_settings_of_its_own_is_told_and_gets_none() {
    let inherited = ["smtproutes", "destconfig", "sslconfig", "filters"].map(str::to_owned).to_vec();
    let options =
        || Options { cluster: Some(Cluster { inherited: inherited.clone(), ..Cluster::of_two() }), ..Options::default() };
    for level in [Level::Machine("esa.example.com".to_owned()), Level::Group("Main_Group".to_owned())] {
        let mut gate = Gate::at(options(), level.clone());
        let before = gate.appliance.configuration();
        for printout in [Printout::Routes, Printout::Destinations, Printout::Tls, Printout::Filters] {
            let error = gate.read(&printout).expect_err("it has none").to_string();
            assert!(error.contains("gateway.cluster") && error.contains("Cluster Mail"), "{level:?} {printout:?}: {error}");
        }
        assert!(gate.appliance.configuration() == before, "no settings were made at {level:?}");
        gate.read(&Printout::Version).expect("the session goes on");
    }
    let mut gate = Gate::open(options());
    gate.read(&Printout::Routes).expect("the cluster has them");
}

#[test]
fn rg13_a_manager_of_gateways_is_told_at_the_login_on_every_layout() {
    for options in gateways() {
        let (_manager, device) = Gate::try_at(Options { is_manager: true, ..options }, Level::Standalone);
        let Err(error) = device else { panic!("it is taken for a gateway") };
        assert!(error.message.contains("Secure Email and Web Manager"), "{error}");
    }
}

#[test]
fn versions_that_are_printed_and_read_are_the_same() {
    let release = (13_u32..17, 0_u32..9, 0_u32..20, 1_u32..999);
    let outcome = TestRunner::new(config(12)).run(&release, |(major, minor, fix, build)| {
        let version = format!("{major}.{minor}.{fix}-{build:03}");
        let mut gate = Gate::open(Options { version: Some(version.clone()), ..Options::default() });
        let rows = gate.read(&Printout::Version)?;
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        prop_assert_eq!(gate.device.release(), Some(version.as_str()));
        same(&rows.rows[0].record, &[("release", Value::text(version)), ("model", Value::text("C600V"))])
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// How a device sends: chunks, width, rows of a page, escape sequences.
type Sending = (usize, usize, Option<usize>, bool, bool);

fn sendings() -> impl Strategy<Value = Sending> {
    // Where rows come in pieces the client waits after each for more: small chunks are slow. Byte by byte is proven on the terminal itself.
    let chunks = prop_oneof![1 => 1_usize..24, 6 => 24_usize..400];
    (chunks, 80_usize..200, proptest::option::of(2_usize..30), any::<bool>(), any::<bool>())
}

const LONG: &str = "a comment of a sender group that goes over the width of every terminal that is tried here, with ä and € in it, and then goes on for a while, so that it ends in its third row";

fn every_printout() -> Vec<Printout> {
    vec![
        Printout::Listeners,
        Printout::Destinations,
        Printout::Routes,
        Printout::Filters,
        Printout::Tls,
        Printout::Version,
        Printout::Recipients("IncomingMail".to_owned()),
        Printout::Hosts("IncomingMail".to_owned()),
        Printout::Hosts("OutgoingMail".to_owned()),
    ]
}

#[test]
fn chunks_widths_pages_and_escape_sequences_change_no_table() {
    let entries = distinct(entry(), 5, |entry| entry.domain.clone());
    let routes = distinct((domain(), vec(hop(), 1..12)), 5, |(domain, _)| domain.clone());
    let recipients = distinct((recipient(), treatment()), 5, |(address, _)| address.clone());
    let groups = distinct((name(), vec(sender(), 0..5)), 4, |(name, _)| name.to_lowercase());
    let outcome = TestRunner::new(config(WAYS)).run(
        &(sendings(), entries, routes, recipients, groups),
        |((chunk, width, rows, noise, switchable), entries, routes, recipients, groups)| {
            let mut configuration = Configuration::new_gateway(Release::V15_5);
            configuration.destination_controls.entries = entries;
            configuration.smtp_routes = routes
                .into_iter()
                .map(|(domain, hops)| SmtpRoute {
                    domain,
                    destinations: hops.into_iter().map(|(typed, _)| typed).collect(),
                    authentication: None,
                })
                .collect();
            configuration.filters = vec![Filter {
                name: "long".to_owned(),
                active: true,
                body: format!("if (header(\"X-Long\") == \"{LONG}\") {{\n  drop();\n}}"),
            }];
            let listener = &mut configuration.listeners[0];
            if let Some(rat) = &mut listener.rat {
                rat.entries = recipients.into_iter().map(|(address, treatment)| Recipient { address, treatment }).collect();
            }
            listener.hat.groups.extend(groups.into_iter().map(|(name, senders)| SenderGroup {
                name,
                senders,
                countries: Vec::new(),
                verdict: Verdict::Policy("ACCEPTED".into()),
                comment: LONG.to_owned(),
            }));
            let plain = Options { configuration: Some(configuration), pager_rows: None, ..Options::default() };
            let odd = Options {
                output_chunk: chunk,
                columns: Some(width),
                pager_rows: rows,
                ansi_noise: noise,
                setttymode: switchable,
                ..plain.clone()
            };
            let (mut quiet, mut other) = (Gate::open(plain), Gate::open(odd));
            let few = if chunk < 24 { 2 } else { usize::MAX };
            for printout in every_printout().into_iter().rev().take(few) {
                prop_assert_eq!(quiet.read(&printout)?, other.read(&printout)?, "{:?}", printout);
            }
            Ok(())
        },
    );
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
