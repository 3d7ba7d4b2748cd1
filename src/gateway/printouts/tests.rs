//! Properties: a table that is printed and understood is the same table, whatever its spacing, case, blank lines and column order.

use proptest::prelude::*;

use super::*;
use crate::gateway::table::{Printout, Rows};
use crate::schema::Record;
use crate::value::Value;

/// How a release prints: blanks between columns, blank lines, line ends, case, the order of columns.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of printing of its own")]
struct Layout {
    gap: usize,
    indent: usize,
    blank_lines: bool,
    carriage_returns: bool,
    upper: bool,
    turn: usize,
    counts: bool,
}

fn layouts() -> impl Strategy<Value = Layout> {
    (2..9_usize, 0..5_usize, any::<bool>(), any::<bool>(), any::<bool>(), 0..5_usize, any::<bool>()).prop_map(
        |(gap, indent, blank_lines, carriage_returns, upper, turn, counts)| Layout {
            gap,
            indent,
            blank_lines,
            carriage_returns,
            upper,
            turn,
            counts,
        },
    )
}

impl Layout {
    fn word(&self, word: &str) -> String {
        if self.upper { word.to_uppercase() } else { word.to_owned() }
    }

    fn row(&self, cells: &[String]) -> String {
        let mut cells = cells.to_vec();
        let turn = self.turn % cells.len();
        cells.rotate_left(turn);
        format!("{}{}", " ".repeat(self.indent), cells.join(&" ".repeat(self.gap)))
    }

    fn text(&self, lines: &[String]) -> String {
        let end = match (self.carriage_returns, self.blank_lines) {
            (true, true) => "\r\n\r\n",
            (true, false) => "\r\n",
            (false, true) => "\n  \n",
            (false, false) => "\n",
        };
        lines.iter().flat_map(|line| [line.as_str(), end]).collect()
    }
}

fn read(printout: &Printout, printed: &[String]) -> Rows {
    let said: Vec<Said> =
        printed.iter().map(|text| Said { opening: text.clone(), after: vec![String::new(), text.clone()] }).collect();
    printout.parse(&said).unwrap_or_else(|error| panic!("{error}\n{printed:?}"))
}

/// Distinct names with a prefix.
fn names(prefix: &'static str, most: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set("[a-z]{1,6}[0-9]?", 0..most)
        .prop_map(move |names| names.into_iter().map(|name| format!("{prefix}{name}")).collect())
}

fn domains(most: usize) -> impl Strategy<Value = Vec<String>> {
    (names("d", most), any::<bool>()).prop_map(|(names, dot)| {
        let dot = if dot { "." } else { "" };
        names.into_iter().map(|name| format!("{dot}{name}.example")).collect()
    })
}

proptest! {
    #[test]
    fn destinations_are_what_was_printed(layout in layouts(), domains in domains(6), limits in proptest::collection::vec((1..500_i64, 0..3_i64, 0..6_usize), 6)) {
        const MODES: [(&str, &str); 6] = [
            ("Default", "default"), ("Off", "none"), ("Preferred", "preferred"), ("Required", "required"), ("Preferred (Verify)", "preferred_verify"),
            ("Required (Verify)", "required_verify"),
        ];
        let pad = " ".repeat(layout.indent);
        let mut lines = Vec::new();
        for (domain, (concurrency, recipients, mode)) in domains.iter().zip(&limits) {
            lines.push(layout.word(domain));
            let recipients = match recipients { 0 => "No recipient limit".to_owned(), limit => format!("{limit} recipients per 30 minutes") };
            let mut settings = vec![
                format!("{pad}Maximum messages per connection:{}7", " ".repeat(layout.gap)),
                layout.word(&format!("{pad}TLS:{}{}", " ".repeat(layout.gap), MODES[*mode].0)),
                layout.word(&format!("{pad}Rate Limiting:\n{pad}{concurrency} concurrent connections\n{pad}{recipients}")),
                format!("{pad}Bounce Verification Tagging: On"),
            ];
            settings.rotate_left(layout.turn % 4);
            lines.extend(settings);
        }
        if layout.counts {
            lines.push(format!("There are currently {} entries configured.", domains.len()));
        }
        let rows = read(&Printout::Destinations, &[layout.text(&lines)]);
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        prop_assert_eq!(rows.rows.len(), domains.len());
        for ((row, domain), (concurrency, recipients, mode)) in rows.rows.iter().zip(&domains).zip(&limits) {
            prop_assert_eq!(&row.id, domain);
            prop_assert_eq!(row.record.integer("concurrency_limit"), Some(*concurrency));
            prop_assert_eq!(row.record.integer("recipient_limit"), (*recipients > 0).then_some(*recipients));
            prop_assert_eq!(row.record.integer("max_messages_per_connection"), Some(7));
            prop_assert_eq!(row.record.text("tls"), Some(MODES[*mode].1));
            prop_assert_eq!(row.record.text("bounce_verification"), Some("on"));
        }
    }

    #[test]
    fn the_list_of_destinations_is_what_was_printed(layout in layouts(), domains in domains(6)) {
        let titles = ["Domain", "Rate Limiting", "TLS", "Bounce Verification", "Bounce Profile"].map(|title| layout.word(title));
        let mut lines = vec![layout.row(&titles), layout.row(&titles.clone().map(|title| "=".repeat(title.len())))];
        lines.extend(domains.iter().map(|domain| layout.row(&[domain.clone(), "On".to_owned(), layout.word("Required"), "Off".to_owned(), "Default".to_owned()])));
        let rows = read(&Printout::Destinations, &[layout.text(&lines)]);
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        prop_assert_eq!(rows.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), domains);
        for row in &rows.rows {
            prop_assert_eq!((row.record.text("tls"), row.record.text("bounce_verification")), (Some("required"), Some("off")));
        }
    }

    #[test]
    fn routes_are_what_was_printed(
        layout in layouts(), domains in domains(6), separator in proptest::sample::select(vec!["", "=", ":", "->", ","]),
        hosts in proptest::collection::vec(proptest::collection::vec((names("h", 2), 1..65_536_i64, 0..3_i64), 1..3), 6),
    ) {
        let mut lines = vec![format!("Domain{}Destination Hosts", " ".repeat(layout.gap))];
        let mut expected = Vec::new();
        for (domain, hosts) in domains.iter().zip(&hosts) {
            let mut typed = Vec::new();
            let mut values = Vec::new();
            for (name, port, priority) in hosts {
                let host = format!("h{}.example.net", name.concat());
                typed.push(if *priority == 0 { format!("{host}:{port}") } else { format!("{host}:{port}/pri={priority}") });
                values.push(Value::object([("host", Value::text(host)), ("port", Value::integer(*port)), ("priority", Value::integer(*priority))]));
            }
            let gap = " ".repeat(layout.gap);
            lines.push(layout.word(&format!("{}{domain}{gap}{separator}{gap}{}", " ".repeat(layout.indent), typed.join(", "))));
            expected.push((domain.clone(), Value::List(values)));
        }
        let rows = read(&Printout::Routes, &[layout.text(&lines)]);
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        prop_assert_eq!(rows.rows.iter().map(|row| (row.id.clone(), row.record.get("destination").clone())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn recipients_are_what_was_printed(layout in layouts(), domains in domains(6), actions in proptest::collection::vec(any::<bool>(), 7)) {
        let entries: Vec<(String, bool)> = domains.iter().map(|domain| domain.trim_start_matches('.')).flat_map(|domain| [format!("user@{domain}"), domain.to_owned()])
            .zip(actions.iter().copied().cycle()).chain([("ALL".to_owned(), false)]).collect();
        let mut lines = vec!["Recipient Access Table".to_owned()];
        lines.extend(entries.iter().map(|(entry, accept)| layout.row(&[layout.word(entry), layout.word(if *accept { "Accept" } else { "Reject" })])));
        let rows = read(&Printout::Recipients("L".to_owned()), &[layout.text(&lines)]);
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        let found: Vec<(String, bool)> = rows.rows.iter().map(|row| (row.record.text("recipient").unwrap_or_default().to_owned(), row.record.text("action") == Some("accept"))).collect();
        prop_assert_eq!(found, entries);
    }

    #[test]
    fn host_access_is_what_was_printed(
        layout in layouts(), policies in names("P", 4), groups in names("G", 5), senders in domains(4), limit in -1..100_i64, inline in any::<bool>(),
    ) {
        let pad = " ".repeat(layout.indent);
        let mut lines = vec!["$FIRST".to_owned(), format!("{pad}{}", layout.word("reject"))];
        for policy in &policies {
            let gap = " ".repeat(layout.gap);
            let mut parameters = vec![format!("max_rcpts_per_hour{gap}={gap}{limit}"), "tls = \"required\"".to_owned(), "spam_check=\"off\"".to_owned(), "future_key = \"x } y\"".to_owned()];
            parameters.rotate_left(layout.turn % 4);
            if inline {
                lines.push(format!("${policy} {} {{ {} }}", layout.word("relay"), parameters.join(" ")));
            } else {
                lines.extend([format!("${policy}"), format!("{pad}{} {{", layout.word("relay"))]);
                lines.extend(parameters);
                lines.push("}".to_owned());
            }
        }
        for group in &groups {
            lines.push(format!("{group}:"));
            lines.extend(senders.iter().map(|sender| format!("{pad}{sender}")));
            lines.push(format!("{pad}$FIRST (a (nested) comment)"));
        }
        lines.extend(["ALL".to_owned(), format!("{pad}$FIRST")]);
        if layout.counts {
            lines.push(format!("There are currently {} policies defined.", policies.len() + 1));
            lines.push(format!("There are currently {} sender groups.", groups.len() + 1));
        }
        let rows = read(&Printout::Hosts("L".to_owned()), &[layout.text(&lines)]);
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        // The policy FIRST, the group ALL, and the defaults.
        prop_assert_eq!(rows.rows.len(), policies.len() + groups.len() + 3);
        for policy in &policies {
            let record = rows.find("gateway_mail_flow_policy", &format!("L/{policy}")).map(|row| row.record.clone()).unwrap_or_default();
            prop_assert_eq!((record.text("behavior"), record.text("tls"), record.integer("max_rcpts_per_hour"), record.truth("spam_check")), (Some("relay"), Some("required"), Some(limit), Some(false)));
        }
        for (at, group) in groups.iter().enumerate() {
            let record = rows.find("gateway_sender_group", &format!("L/{group}")).map(|row| row.record.clone()).unwrap_or_default();
            prop_assert_eq!(record.get("senders"), &Value::texts(senders.clone()));
            prop_assert_eq!((record.text("policy"), record.text("comment")), (Some("FIRST"), Some("a (nested) comment")));
            prop_assert_eq!(record.text("before"), Some(groups.get(at + 1).map_or("ALL", String::as_str)));
        }
    }

    #[test]
    fn filters_are_what_was_printed(layout in layouts(), filters in names("f_", 5), flags in proptest::collection::vec((any::<bool>(), any::<bool>()), 5)) {
        let yes = |truth: bool| if truth { "Y" } else { "N" }.to_owned();
        let titles = ["Num", "Active", "Valid", "Name"].map(|title| layout.word(title));
        let mut list = vec![layout.row(&titles), layout.row(&titles.clone().map(|title| "-".repeat(title.len())))];
        let mut detail = Vec::new();
        for (at, (name, (active, valid))) in filters.iter().zip(&flags).enumerate() {
            let row = layout.row(&[(at + 1).to_string(), yes(*active), yes(*valid), name.clone()]);
            list.push(row.clone());
            if layout.counts {
                detail.extend([layout.row(&titles), row]);
            }
            let mark = if *active { "" } else { "!" };
            detail.push(format!("{name}{mark}: if subject == \"f_x: {{ {at}\" {{\n  drop();\n}}"));
        }
        let rows = read(&Printout::Filters, &[layout.text(&list), layout.text(&detail)]);
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        prop_assert_eq!(rows.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), filters);
        for (at, (row, (active, valid))) in rows.rows.iter().zip(&flags).enumerate() {
            prop_assert_eq!((row.record.truth("active"), row.record.truth("valid")), (Some(*active), Some(*valid)));
            let wanted = format!("if subject == \"f_x: {{ {at}\" {{ drop(); }}");
            prop_assert_eq!(crate::gateway::filters::meaning(row.record.text("script").unwrap_or_default()), crate::gateway::filters::meaning(&wanted));
        }
    }

    #[test]
    fn ciphers_are_what_was_printed(layout in layouts(), ciphers in proptest::collection::vec("[!+-]?[A-Z][A-Z0-9-]{1,9}", 1..9), wrapped in any::<bool>()) {
        let pad = " ".repeat(layout.indent);
        let sides: Vec<String> = ["GUI HTTPS", "Inbound SMTP", "Outbound SMTP"].iter().flat_map(|side| {
            let mut lines = vec![layout.word(&format!("{pad}{side} method:{}tlsv1/tlsv1.2", " ".repeat(layout.gap)))];
            if wrapped {
                lines.push(format!("{pad}{side} ciphers:"));
                lines.extend(ciphers.iter().map(|cipher| format!("{pad}   {cipher}")));
            } else {
                lines.push(format!("{pad}{side} ciphers: {}", ciphers.join(":")));
            }
            lines
        }).collect();
        let rows = read(&Printout::Tls, &[layout.text(&sides)]);
        prop_assert_eq!(&rows.not_understood, &Vec::<String>::new());
        let record = rows.rows.first().map(|row| row.record.clone()).unwrap_or_default();
        let joined = ciphers.join(":");
        prop_assert_eq!((record.text("inbound_ciphers"), record.text("outbound_ciphers")), (Some(joined.as_str()), Some(joined.as_str())));
        prop_assert_eq!(record.texts("outbound_methods"), ["TLSv1", "TLSv1.2"]);
    }

    #[test]
    fn no_printout_makes_a_parser_stop(text in "(.|\n){0,200}", lists in "([0-9A-Za-z$:.(){}\"'=!\\[\\] -]{0,12}\n){0,12}") {
        let listener = "L".to_owned();
        let all = [Printout::Listeners, Printout::Destinations, Printout::Routes, Printout::Filters, Printout::Tls, Printout::Recipients(listener.clone()), Printout::Hosts(listener)];
        for printed in [&text, &lists] {
            let said = vec![Said { opening: printed.clone(), after: vec![String::new(), printed.clone()] }; 2];
            for printout in &all {
                let _ = printout.dialog(&said[..1]);
                let _: Record = printout.parse(&said).ok().and_then(|rows| rows.rows.into_iter().next()).map(|row| row.record).unwrap_or_default();
            }
        }
        let _ = crate::gateway::filters::meaning(&text);
        let _ = crate::gateway::filters::check(&lists);
    }
}

#[test]
fn a_count_is_read_with_and_without_currently() {
    assert_eq!(announced("There are currently 4 routes configured."), Some((4, "routes configured.".to_owned())));
    assert_eq!(announced("There are no routes configured."), Some((0, "routes configured.".to_owned())));
    assert_eq!(announced("There is currently 1 entry configured."), Some((1, "entry configured.".to_owned())));
    assert_eq!(announced("example.com ACCEPT"), None);
}

#[test]
fn the_menu_around_a_table_is_noise_and_its_rows_are_not() {
    for line in [
        "",
        "====  ===",
        "- NEW - Create a new entry.",
        "(NEW, EDIT, DELETE, SETUP)",
        "[]>",
        "Choose the operation you want to perform:",
    ] {
        assert!(is_noise(line), "{line}");
    }
    for line in ["example.com ACCEPT", "$ACCEPTED", "ALL", "- example.com", "Default"] {
        assert!(!is_noise(line), "{line}");
    }
}
