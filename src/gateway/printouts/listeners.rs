//! The listeners: the banner of `listenerconfig`.
//!
//! ```text
//! Currently configured listeners:
//! 1. Bidirectional (on Management, 192.0.2.1) SMTP TCP Port 25 Public
//! ```

use super::{banner, is_noise, lines, unquote};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::table::{Row, Rows};
use crate::schema::Record;
use crate::value::Value;

/// The dialog that prints the banner.
pub(in crate::gateway) fn dialog(said: &[Said]) -> Option<Dialog> {
    said.is_empty().then(|| Dialog::of("listenerconfig"))
}

/// Understands the banner. A row has `name`, `interface`, `addresses`, `protocol`, `port` and `type` (`public`, `private` or `blackhole`).
pub(in crate::gateway) fn parse(said: &[Said]) -> Rows {
    let Some(said) = said.first() else { return Rows::default() };
    let mut table = Rows::default();
    for line in lines(&banner(said)) {
        let lower = line.trim().to_lowercase();
        if is_noise(line) || (lower.contains("listener") && lower.ends_with(':')) || lower.contains("no listeners") {
            continue;
        }
        match listener(line.trim()) {
            Some(record) => {
                let id = record.text("name").unwrap_or_default().to_owned();
                if table.find("", &id).is_none() {
                    table.rows.push(Row { resource: "", id, record });
                }
            }
            None => table.not_understood.push(line.trim().to_owned()),
        }
    }
    table
}

/// `1. <name> (on <interface>, <address>, …) <type> <protocol> Port <port> <scope>`
fn listener(line: &str) -> Option<Record> {
    let line = match line.split_once(['.', ')', ':']) {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => rest.trim(),
        _ => line,
    };
    let lower = line.to_ascii_lowercase();
    let (name, place, rest) = if let Some(at) = lower.find("(on ") {
        let end = line.get(at..)?.find(')')? + at;
        (line.get(..at)?.trim(), line.get(at + 4..end)?, line.get(end + 1..)?)
    } else {
        let (name, rest) = line.split_once(char::is_whitespace)?;
        (name, "", rest)
    };
    let found = super::words(rest);
    let scope = found.iter().find_map(|word| match word.as_str() {
        "public" => Some("public"),
        "private" => Some("private"),
        "black" | "blackhole" => Some("blackhole"),
        _ => None,
    })?;
    let mut place = place.split(',').map(str::trim).filter(|part| !part.is_empty());
    let interface = place.next().map_or(Value::Null, Value::text);
    let port =
        found.iter().position(|word| word == "port").and_then(|at| found.get(at + 1)).and_then(|port| port.parse::<u16>().ok());
    let protocol = found.iter().find(|word| ["smtp", "qmqp"].contains(&word.as_str()));
    let record = Record::new()
        .with("name", unquote(name))
        .with("interface", interface)
        .with("addresses", Value::List(place.map(Value::text).collect()))
        .with("protocol", protocol.map_or(Value::Null, |protocol| Value::text(protocol.to_uppercase())))
        .with("port", port.map_or(Value::Null, |port| Value::integer(port.into())))
        .with("type", scope);
    (!unquote(name).is_empty()).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(banner: &str) -> Rows {
        parse(&[Said { opening: banner.to_owned(), after: vec![String::new()] }])
    }

    #[test]
    fn the_banner_names_every_listener() {
        let rows = read(
            "Currently configured listeners:\n1. Bidirectional (on Management, 192.0.2.1) SMTP TCP Port 25 Public\n2. MailFlow-Ext (on Data 1, 192.0.2.2, 2001:db8::2) Standard SMTP Port 587 private\n3. Sink (ON Data 2) QMQP Port 628 Black hole\n",
        );
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let found: Vec<_> = rows
            .rows
            .iter()
            .map(|row| {
                (
                    row.id.as_str(),
                    row.record.text("type").unwrap(),
                    row.record.text("interface").unwrap(),
                    row.record.integer("port"),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("Bidirectional", "public", "Management", Some(25)),
                ("MailFlow-Ext", "private", "Data 1", Some(587)),
                ("Sink", "blackhole", "Data 2", Some(628))
            ]
        );
        assert_eq!(rows.rows[1].record.texts("addresses"), ["192.0.2.2", "2001:db8::2"]);
    }

    #[test]
    fn a_gateway_without_listeners_has_no_rows_and_a_strange_line_is_kept() {
        assert_eq!(read("There are no listeners configured.\n"), Rows::default());
        assert_eq!(read("Currently configured listeners:\nsomething else\n").not_understood, ["something else"]);
    }
}
