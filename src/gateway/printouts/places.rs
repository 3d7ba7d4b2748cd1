//! Properties of all tables in all layouts: what may be configured is read back; a row that cannot be read changes no other row; and it never
//! makes another object "gone".

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::Said;
use crate::gateway::resources::forms;
use crate::gateway::table::{Printout, Rows};

/// A row as it is printed, one or more lines.
type Printed = Vec<String>;

/// One way to print a table.
struct Form {
    name: &'static str,
    /// What stands above the rows, and below them.
    above: &'static str,
    below: &'static str,
    /// What stands between two rows.
    between: &'static str,
    /// A row with this name. The number is a value of the row.
    row: fn(&str, usize) -> Printed,
    /// Where a row may show a setting that nobody knows.
    inside: Inside,
    /// Whether a row less than announced must be noticed.
    counts_exactly: bool,
}

/// Where a row shows settings.
#[derive(Clone, Copy)]
enum Inside {
    Nowhere,
    /// On a line of its own below the first one, in this manner.
    Line(fn(&str, &str) -> String),
    /// In a column, with this manner of writing its title and its cells.
    Column(fn(&str) -> String),
    /// Somewhere in its first line.
    Option(fn(&str, &str, &str) -> String),
}

const fn form(name: &'static str, above: &'static str, row: fn(&str, usize) -> Printed) -> Form {
    Form { name, above, below: "", between: "", row, inside: Inside::Nowhere, counts_exactly: true }
}

impl Form {
    const fn inside(self, inside: Inside) -> Form {
        Form { inside, ..self }
    }

    const fn uncounted(self) -> Form {
        Form { counts_exactly: false, ..self }
    }

    /// Puts a setting that nobody knows into a row.
    fn put_inside(&self, rows: &mut [Printed], above: &mut String, owner: usize, told: (&str, &str), dice: &mut generated::Dice) {
        let (label, value) = told;
        match self.inside {
            Inside::Nowhere => {}
            Inside::Line(written) => {
                let at = 1 + dice.roll(rows[owner].len().max(2) - 1);
                let at = at.min(rows[owner].len());
                rows[owner].insert(at, written(label, value));
            }
            Inside::Column(written) => {
                let (first, rest) = above.split_once('\n').map_or((above.as_str(), ""), |(first, rest)| (first, rest));
                // Titles of one word each stand one blank apart.
                let between = if first.contains("  ") { "  " } else { " " };
                *above = format!("{first}{between}{}\n{rest}", written(label)).trim_end().to_owned();
                for (at, row) in rows.iter_mut().enumerate() {
                    let cell = if at == owner { written(value) } else { "-".to_owned() };
                    row[0] = format!("{}{between}{cell}", row[0]);
                }
            }
            Inside::Option(written) => rows[owner][0] = written(&rows[owner][0], label, value),
        }
    }
}

/// A label as a key: `delivery_class`.
fn key(label: &str) -> String {
    label.to_lowercase().replace([' ', '/'], "_")
}

/// One word.
fn joined(text: &str) -> String {
    text.replace(' ', "")
}

fn lines(text: &str) -> Printed {
    text.lines().map(str::to_owned).collect()
}

/// A table: where it is read, how it may be printed, and what its rows say.
struct Kind {
    printout: Printout,
    resource: &'static str,
    forms: Vec<Form>,
    /// The value of a row, as it is read.
    value: fn(&Rows, &str) -> Option<usize>,
    /// What is read of a row that was printed with a value.
    expected: fn(usize) -> usize,
    /// What validate says of a name.
    validate: fn(&str) -> Result<(), String>,
    meaning: fn(&str) -> String,
}

fn record<'a>(rows: &'a Rows, resource: &str, id: &str) -> Option<&'a crate::schema::Record> {
    rows.find(resource, id).map(|row| &row.record)
}

fn destinations() -> Kind {
    fn block(heading: String, pad: &str, limit: usize) -> Printed {
        let text = format!(
            "Maximum messages per connection: 7\nRate Limiting:\n{limit} concurrent connections\nNo recipient limit\nTLS: Required\n\
             Bounce Profile: Default"
        );
        std::iter::once(heading).chain(text.lines().map(|line| format!("{pad}{line}"))).collect()
    }
    Kind {
        printout: Printout::Destinations,
        resource: "gateway_destination_control",
        forms: vec![
            form("flush", "", |name, limit| block(name.to_owned(), "", limit))
                .inside(Inside::Line(|label, value| format!("{label}: {value}"))),
            form("indented", "", |name, limit| block(format!("  {name}"), "    ", limit))
                .inside(Inside::Line(|label, value| format!("    {label}: {value}"))),
            Form { between: "\n", ..form("spaced", "", |name, limit| block(name.to_owned(), "", limit)) }
                .inside(Inside::Line(|label, value| format!("{label}: {value}"))),
            form("labelled", "", |name, limit| block(format!("Domain: {name}"), "", limit))
                .inside(Inside::Line(|label, value| format!("{label}: {value}"))),
            form("sections", "", |name, limit| lines(&format!("[{name}]\nmax_host_concurrency = {limit}\ntable_tls = on")))
                .inside(Inside::Line(|label, value| format!("{} = {value}", key(label)))),
        ],
        expected: |value| value,
        value: |rows, name| {
            let limit = record(rows, "gateway_destination_control", name)?.integer("concurrency_limit")?;
            usize::try_from(limit).ok()
        },
        validate: forms::destination_domain,
        meaning: forms::domain_meaning,
    }
}

/// The list has no numbers: its value is a TLS setting.
fn list() -> Kind {
    const MODES: [(&str, &str); 3] = [("Off", "none"), ("On", "preferred"), ("Required", "required")];
    Kind {
        forms: vec![
            form("list", "Domain  Rate Limiting  TLS  Bounce Verification  Bounce Profile\n======  ====", |name, limit| {
                vec![format!("{name}  On  {}  Default  Default", MODES[limit % 3].0)]
            })
            .inside(Inside::Column(str::to_owned)),
            form("words", "Domain RateLimiting TLS Dane BounceVerification BounceProfile IPVersion", |name, limit| {
                vec![format!("{name} On {} Default Default Default Default", MODES[limit % 3].0)]
            })
            .inside(Inside::Column(joined)),
        ],
        expected: |value| value % 3,
        value: |rows, name| {
            let tls = record(rows, "gateway_destination_control", name)?.text("tls")?;
            MODES.iter().position(|(_, mode)| *mode == tls)
        },
        ..destinations()
    }
}

fn routes() -> Kind {
    const NOTE: Inside = Inside::Option(|line, label, value| format!("{line} ({label}: {value})"));
    Kind {
        printout: Printout::Routes,
        resource: "gateway_smtp_route",
        forms: vec![
            form("columns", "Domain    Destination Hosts", |name, port| {
                vec![format!("{name}    mx.example.net:{port}, [b.example.net]")]
            })
            .inside(Inside::Column(str::to_owned)),
            form("blank", "", |name, port| vec![format!("{name} mx.example.net:{port}, [b.example.net]")]).inside(NOTE),
            form("commas", "", |name, port| vec![format!("{name}, mx.example.net:{port}, [b.example.net]")]).inside(NOTE),
            form("marks", "", |name, port| vec![format!("{name} = mx.example.net:{port},[b.example.net]")]).inside(NOTE),
            form("notes", "", |name, port| vec![format!("{name} mx.example.net:{port} (pri=0), [b.example.net] (pri=0)")])
                .inside(NOTE),
            form("below", "", |name, port| lines(&format!("{name}\n    mx.example.net:{port}\n    [b.example.net]")))
                .inside(Inside::Line(|label, value| format!("    {label}: {value}"))),
            form("profiles", "Domain  Destination Hosts  SMTP Auth Profile", |name, port| {
                vec![format!("{name}  mx.example.net:{port}, [b.example.net]  None")]
            })
            .inside(Inside::Column(str::to_owned)),
        ],
        expected: |value| value,
        value: |rows, name| {
            let hosts = record(rows, "gateway_smtp_route", name)?.get("destination").as_elements()?;
            let first = crate::schema::Record::from_value(hosts.first()?.clone());
            usize::try_from(first.integer("port")?).ok().filter(|_| hosts.len() == 2)
        },
        validate: forms::route_domain,
        meaning: forms::domain_meaning,
    }
}

fn recipients() -> Kind {
    fn code(limit: usize) -> usize {
        200 + limit % 400
    }
    Kind {
        printout: Printout::Recipients("L".to_owned()),
        resource: "gateway_recipient_access",
        forms: vec![
            Form {
                below: "ALL REJECT",
                ..form("plain", "Recipient Access Table", |name, limit| {
                    vec![format!("{name} ACCEPT (bypass LDAP ACCEPT, custom SMTP response {} \"no; one, here\")", code(limit))]
                })
            }
            .inside(Inside::Option(|line, label, value| line.replace("(bypass", &format!("({label}: {value}, bypass"))))
            .uncounted(),
            Form {
                below: "ALL REJECT",
                ..form("keys", "", |name, limit| {
                    vec![format!("{name} ACCEPT bypass_la, bypass_rc: no, {} no; one, here", code(limit))]
                })
            }
            .inside(Inside::Option(|line, label, value| {
                line.replace("ACCEPT ", &format!("ACCEPT {}={}, ", key(label), joined(value)))
            }))
            .uncounted(),
            Form {
                below: "ALL REJECT",
                ..form("behind", "", |name, limit| vec![format!("{name} ACCEPT {} no; one, here; bypass_la", code(limit))])
            }
            .inside(Inside::Option(|line, label, value| format!("{line}; {}={}", key(label), joined(value))))
            .uncounted(),
            Form {
                below: "ALL  Reject  No  No  None",
                ..form("columns", "Recipient  Action  Bypass LDAP Accept  Bypass Receiving Control  Response", |name, limit| {
                    vec![format!("{name}  Accept  Yes  No  {} no; one, here", code(limit))]
                })
            }
            .uncounted(),
        ],
        expected: code,
        value: |rows, name| {
            let record = record(rows, "gateway_recipient_access", &format!("L/{name}"))?;
            let told = record.text("smtp_response_text") == Some("no; one, here")
                && (record.truth("bypass_ldap_accept"), record.truth("bypass_receiving_control")) == (Some(true), Some(false));
            usize::try_from(record.integer("smtp_response_code")?).ok().filter(|_| told)
        },
        validate: forms::recipient,
        meaning: forms::recipient_meaning,
    }
}

fn hosts() -> Kind {
    const SENDER: Inside = Inside::Line(|label, value| format!("    {label}[{value}]"));
    const TOP: &str = "$P\n    ACCEPT {\n        tls = \"on\"\n    }";
    Kind {
        printout: Printout::Hosts("L".to_owned()),
        resource: "gateway_sender_group",
        forms: vec![
            Form {
                below: "ALL\n    $P",
                ..form("indented", TOP, |name, limit| {
                    lines(&format!("{name}:\n    192.0.2.{limit}\n    10.1.1-5\n        $P (c)"))
                })
            }
            .inside(SENDER)
            .uncounted(),
            Form {
                below: "ALL\n$P",
                ..form("flush", TOP, |name, limit| lines(&format!("{name}:\n192.0.2.{limit}\n10.1.1-5\n$P (c)")))
            }
            .inside(SENDER)
            .uncounted(),
            Form {
                below: "ALL\n    $P",
                ..form("policy first", TOP, |name, limit| {
                    lines(&format!("{name}:\n    $P (c)\n    192.0.2.{limit}\n    10.1.1-5"))
                })
            }
            .uncounted(),
            Form {
                below: "ALL $P",
                ..form("short", TOP, |name, limit| vec![format!("{name}: 192.0.2.{limit}, 10.1.1-5"), "    $P (c)".to_owned()])
            }
            .inside(SENDER)
            .uncounted(),
        ],
        expected: |value| value,
        value: |rows, name| {
            let record = record(rows, "gateway_sender_group", &format!("L/{name}"))?;
            let told = (record.text("policy"), record.text("comment")) == (Some("P"), Some("c"));
            let senders = record.texts("senders");
            let [one, two] = senders.as_slice() else { return None };
            let limit = [one, two].iter().find_map(|sender| sender.strip_prefix("192.0.2."))?;
            limit.parse().ok().filter(|_| told && senders.contains(&"10.1.1-5"))
        },
        validate: forms::sender_group,
        meaning: str::to_owned,
    }
}

/// The policies of a host access table: their value is a limit.
fn policies() -> Kind {
    const KEY: Inside = Inside::Line(|label, value| format!("        {} = \"{value}\"", key(label)));
    const END: &str = "$P\n    ACCEPT\nALL\n    $P";
    Kind {
        printout: Printout::Hosts("L".to_owned()),
        resource: "gateway_mail_flow_policy",
        forms: vec![
            Form {
                below: END,
                ..form("policies", "", |name, limit| {
                    lines(&format!("${name}\n    ACCEPT {{\n        max_concurrency = {limit}\n        tls = \"on\"\n    }}"))
                })
            }
            .uncounted(),
            Form {
                below: END,
                ..form("open policies", "", |name, limit| {
                    lines(&format!("${name} RELAY {{\n        tls = \"on\"\n        max_concurrency = {limit}\n}}"))
                })
            }
            .inside(KEY)
            .uncounted(),
        ],
        expected: |value| value,
        value: |rows, name| {
            let record = record(rows, "gateway_mail_flow_policy", &format!("L/{name}"))?;
            let limit = record.integer("max_concurrency").filter(|_| record.text("tls") == Some("preferred"))?;
            usize::try_from(limit).ok()
        },
        validate: forms::policy,
        meaning: str::to_owned,
    }
}

/// The listeners: their value is a port.
fn listeners() -> Kind {
    Kind {
        printout: Printout::Listeners,
        resource: "",
        forms: vec![
            form("numbered", "Currently configured listeners:", |name, port| {
                vec![format!("1. {name} (on Data 1, 192.0.2.1) SMTP TCP Port {port} Public")]
            })
            .uncounted(),
            form("bare", "", |name, port| vec![format!("{name} (on Management) QMQP Port {port} private")]).uncounted(),
        ],
        expected: |value| value,
        value: |rows, name| usize::try_from(record(rows, "", name)?.integer("port")?).ok(),
        validate: forms::listener,
        meaning: str::to_owned,
    }
}

fn kinds() -> Vec<Kind> {
    vec![destinations(), list(), routes(), recipients(), hosts()]
}

fn printed(form: &Form, rows: &[Printed], counts: bool) -> String {
    let mut text: Vec<String> = lines(form.above);
    for row in rows {
        text.extend(row.iter().cloned());
        text.extend(lines(form.between).iter().cloned());
        if !form.between.is_empty() {
            text.push(String::new());
        }
    }
    text.extend(lines(form.below));
    if counts {
        text.push(format!("\nThere are currently {} entries of recipient access table entries, routes configured.", rows.len()));
    }
    text.join("\n") + "\n"
}

fn read(kind: &Kind, text: &str) -> Result<Rows, TestCaseError> {
    let said = Said { opening: String::new(), after: vec![String::new(), text.to_owned()] };
    kind.printout.parse(&[said]).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))
}

fn name_of(kind: &Kind, seed: &(String, usize)) -> String {
    let (word, shape) = seed;
    match (&kind.printout, shape % 7) {
        (Printout::Hosts(_) | Printout::Listeners, _) => word.to_uppercase(),
        (Printout::Recipients(_), 0) => format!("{word}@"),
        (Printout::Recipients(_), 1) => format!("{word}@{word}.example"),
        (Printout::Recipients(_), 2) => format!("[192.0.2.{}]", word.len()),
        (Printout::Recipients(_), 3) => format!("[IPv6:2001:db8::{}]", word.len()),
        (Printout::Destinations, 0) => format!("191.1.1.{}", word.len()),
        (Printout::Destinations, 1) => format!("2001:db8::{}", word.len()),
        (_, 4) => word.clone(),
        (_, 5) => format!(".{word}.example"),
        _ => format!("{word}.example"),
    }
}

fn odd_name(kind: &Kind, choice: usize) -> &'static str {
    let names: &[&str] = match kind.printout {
        Printout::Hosts(_) => &["10.1.1/odd", "*.odd.example", "odd!odd", "2001:db8::/odd"],
        _ => &["2001:db8::/64", "*.odd.example", "odd!odd", "10.0.0.0/8", "odd_@_odd!"],
    };
    names[choice % names.len()]
}

/// A row with a name that cannot be read, printed as the others are.
fn odd_row(kind: &Kind, form: &Form, choice: usize) -> Printed {
    if !matches!(kind.printout, Printout::Hosts(_)) {
        return (form.row)(odd_name(kind, choice), 9);
    }
    let verdict = if choice.is_multiple_of(2) { "    REJECT (odd)" } else { "    $P" };
    let verdict = if form.name == "flush" { verdict.trim_start() } else { verdict };
    let heading = if choice.is_multiple_of(3) { "?? odd words" } else { odd_name(kind, choice) };
    vec![heading.to_owned(), verdict.to_owned()]
}

fn seeds() -> impl Strategy<Value = Vec<(String, usize)>> {
    let word =
        prop_oneof![5 => "[a-z][a-z0-9]{2,7}", 1 => select(vec!["host", "corp", "localhost", "lists"]).prop_map(str::to_owned)];
    proptest::collection::vec((word, 0..70_usize), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rg2_what_may_be_configured_is_read_back_and_an_odd_row_at_any_place_changes_no_other(
        seeds in seeds(), at in any::<Index>(), choice in 0..12_usize, counts in any::<bool>(),
    ) {
        for kind in kinds() {
            let mut names: Vec<(String, usize)> = Vec::new();
            for seed in &seeds {
                let name = name_of(&kind, seed);
                prop_assert_eq!((kind.validate)(&name), Ok(()), "{}", name);
                if names.iter().all(|(other, _)| (kind.meaning)(other) != (kind.meaning)(&name)) {
                    names.push((name, seed.1 % 3 + 200));
                }
            }
            for form in &kind.forms {
                let rows: Vec<Printed> = names.iter().map(|(name, limit)| (form.row)(name, *limit)).collect();
                let plain = read(&kind, &printed(form, &rows, counts))?;
                prop_assert_eq!(&plain.not_understood, &Vec::<String>::new(), "{} {:#?}", form.name, rows);
                let values = |rows: &Rows| -> Vec<Option<usize>> { names.iter().map(|(name, _)| (kind.value)(rows, &(kind.meaning)(name))).collect() };
                let found = values(&plain);
                prop_assert!(found.iter().all(Option::is_some), "{} {:#?} {:?} {:#?}", form.name, rows, found, plain);
                prop_assert!(!plain.may_hide(["absent.example"]));

                // An odd row at any place.
                let mut with_odd = rows.clone();
                let place = at.index(rows.len() + 1);
                with_odd.insert(place, odd_row(&kind, form, choice));
                let text = printed(form, &with_odd, counts);
                let odd = read(&kind, &text)?;
                prop_assert_eq!(values(&odd), found.clone(), "{}\n{}", form.name, text);
                prop_assert!(!odd.not_understood.is_empty(), "{}\n{}", form.name, text);
                prop_assert_eq!(odd.nameless, 0, "{}\n{}", form.name, text);
                prop_assert!(!odd.may_hide(["absent.example"]), "{}\n{}", form.name, text);
                let of = |rows: &Rows| rows.rows.iter().filter(|row| row.resource == kind.resource).count();
                prop_assert_eq!(of(&odd), of(&plain), "{}\n{}", form.name, text);
            }
        }
    }

    #[test]
    fn rg2_an_object_whose_row_cannot_be_read_is_in_doubt_and_no_other_is(seeds in seeds(), at in any::<Index>()) {
        for kind in kinds().into_iter().filter(|kind| !matches!(kind.printout, Printout::Hosts(_))) {
            let names: Vec<String> = (0..seeds.len()).map(|at| format!("n{at}.{}.example", seeds[at].0)).collect();
            for form in &kind.forms {
                let lost = at.index(names.len());
                let rows: Vec<Printed> = names
                    .iter()
                    .enumerate()
                    .map(|(at, name)| if at == lost { (form.row)(&format!("<{}>*odd", name.to_uppercase()), 3) } else { (form.row)(name, 3) })
                    .collect();
                let text = printed(form, &rows, true);
                let read = read(&kind, &text)?;
                for (at, name) in names.iter().enumerate() {
                    prop_assert_eq!((kind.value)(&read, name).is_some(), at != lost, "{} {}\n{}", form.name, name, text);
                    prop_assert_eq!(read.may_hide([name.as_str()]), at == lost, "{} {}\n{}", form.name, name, text);
                }
            }
        }
    }
}

mod generated;

#[test]
fn a_row_without_a_name_puts_in_doubt_what_is_not_found_and_changes_nothing_else() {
    let check = |kind: &Kind, text: &str, id: &str| {
        let rows = read(kind, text).expect("read");
        assert_eq!(rows.nameless, 1, "{text}");
        assert!(rows.find(kind.resource, id).is_some() && rows.may_hide(["absent.example"]), "{text}");
    };
    let block = "TLS: Required\n10 concurrent connections\n";
    check(&destinations(), &format!("{block}\na.example\n{block}"), "a.example");
    check(&destinations(), &format!("a.example\n{block}{block}"), "a.example");
    check(&routes(), "a.example mx.example.net\n   = mx.example.net\n", "a.example");
    check(&recipients(), "a.example ACCEPT\nREJECT\nALL REJECT\n", "L/a.example");
    check(&hosts(), "$P\n ACCEPT\nG:\n 192.0.2.1\n $P\nREJECT (who?)\nALL\n $P\n", "L/G");
}

#[test]
fn rg1_what_stands_below_an_unknown_heading_is_never_given_to_the_entry_above() {
    let said = "example.com\nMaximum messages per connection: 99\nTLS: Required\n191.1.1.1\nMaximum messages per connection: 7\nTLS: Off\n\
                2001:db8::/64\nMaximum messages per connection: 6\nTLS: Off\nhost\nMaximum messages per connection: 5\nTLS: Off\n";
    let rows = read(&destinations(), said).expect("read");
    let messages = |id: &str| {
        record(&rows, "gateway_destination_control", id).and_then(|record| record.integer("max_messages_per_connection"))
    };
    assert_eq!((messages("example.com"), messages("191.1.1.1"), messages("host")), (Some(99), Some(7), Some(5)));
    assert_eq!(rows.not_understood, ["2001:db8::/64"]);
    let said =
        "corp mx.example.net\nlocalhost 192.0.2.1\n2001:db8::/64 mx.odd.example\n    mx2.odd.example\nb.example mx.example.net\n";
    let rows = read(&routes(), said).expect("read");
    let ids: Vec<&str> = rows.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["corp", "localhost", "b.example"]);
    assert_eq!(rows.not_understood, ["2001:db8::/64 mx.odd.example", "mx2.odd.example"]);
}

#[test]
fn rg10_no_further_destination_is_dropped() {
    let hosts = |said: &str| {
        let rows = read(&routes(), said).expect("read");
        let found = record(&rows, "gateway_smtp_route", "a.example").map(|record| record.get("destination").clone());
        let hosts: Vec<(String, i64)> = found
            .iter()
            .flat_map(|found| found.as_elements().unwrap_or_default())
            .map(|host| crate::schema::Record::from_value(host.clone()))
            .map(|host| (host.text("host").unwrap_or_default().to_owned(), host.integer("priority").unwrap_or_default()))
            .collect();
        (hosts, rows.not_understood)
    };
    let host = |name: &str, priority: i64| (name.to_owned(), priority);
    assert_eq!(
        hosts("a.example m1.example (pri=0), m2.example (pri=5), [IPv6:2001:db8::1]\n").0,
        [host("m1.example", 0), host("m2.example", 5), host("2001:db8::1", 0)]
    );
    assert_eq!(
        hosts("a.example m1.example (SMTP AUTH profile: out), m2.example\n").0,
        [host("m1.example", 0), host("m2.example", 0)]
    );
    let torn = hosts("a.example m1.example\n    host:port:x/y\n");
    assert_eq!((torn.0.len(), torn.1.contains(&"a.example m1.example".to_owned())), (0, true), "{torn:?}");
    assert!(hosts("a.example m1.example (or m2.example)\n").0.is_empty());
}

#[test]
fn a_filter_that_the_list_does_not_show_is_not_part_of_the_one_above() {
    let list = "Num Active Valid Name\n1 Y Y one\n2 ? Y odd\n3 Y Y two\n";
    let detail = "one: if true {\n drop();\n}\nodd: if true {\n bounce();\n}\ntwo: if true {\n deliver();\n}\n";
    let said = [list, detail].map(|text| Said { opening: String::new(), after: vec![text.to_owned()] });
    let rows = Printout::Filters.parse(&said).expect("read");
    let script =
        |id: &str| record(&rows, "gateway_message_filter", id).and_then(|record| record.text("script")).map(str::to_owned);
    assert_eq!(script("one").as_deref(), Some("if true {\n drop();\n}"));
    assert_eq!(script("two").as_deref(), Some("if true {\n deliver();\n}"));
    assert_eq!(rows.not_understood, ["2 ? Y odd"]);
    assert!(rows.may_hide(["odd"]) && !rows.may_hide(["gone"]));
}
