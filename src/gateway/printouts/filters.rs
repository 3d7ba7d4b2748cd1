//! The message filters: `filters`, then `LIST`, then `DETAIL` of all that the list has.
//!
//! ```text
//! Num Active Valid Name
//!   1   Y      Y   office365_outbound
//! office365_outbound: if sendergroup == "RELAY_O365" {
//!   …
//! }
//! ```
//!
//! The list has the columns Num, Active, Valid and Name. The detail shows a filter's text behind its label, `name:` or, if it is
//! inactive, `name!:`. A gateway without filters does not offer `LIST`. The text of a filter may hold a secret: no line of
//! it is ever kept as "not understood", only where it stood.

use super::{cells_of, complete, count_of, cut_off, is_noise, lines, truth, unquote, whole};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::filter_script::Scanner;
use crate::gateway::filters::masked;
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;
use crate::value::Value;

const RESOURCE: &str = "gateway_message_filter";

/// The next dialog: the list, then the detail of what is listed.
pub(in crate::gateway) fn dialog(said: &[Said]) -> Option<Dialog> {
    match said {
        [] => Some(super::printing(Dialog::of("filters").choose_if_offered(&["LIST"]))),
        [list] => {
            let listed = listed(list).0;
            let (first, end) = (listed.first()?, listed.last()?);
            let range = if listed.len() == 1 { first.number.to_string() } else { format!("{}-{}", first.number, end.number) };
            Some(super::printing(Dialog::of("filters").choose("DETAIL").key_if_asked(range)))
        }
        _ => None,
    }
}

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    number: i64,
    active: bool,
    valid: bool,
    name: String,
}

/// What the detail shows of one filter.
#[derive(Debug, Default)]
struct Detail {
    name: String,
    text: String,
    inactive: bool,
    reason: Option<String>,
}

/// Understands the list and the detail.
pub(in crate::gateway) fn parse(said: &[Said]) -> Result<Rows, Error> {
    let Some(list) = said.first() else { return Ok(Rows::default()) };
    let (listed, mut not_understood) = listed(list);
    // A line of the list that cannot be read is a filter all the same.
    complete("list of message filters", listed.len() + not_understood.len(), count_of(&whole(list), &["filter"]))?;
    if listed.is_empty() {
        return Ok(Rows { not_understood, ..Rows::default() });
    }
    let Some(detail) = said.get(1) else { return Err(cut_off("text of the message filters", "the device was not asked for it")) };
    let details = details(super::last(detail), &listed, &mut not_understood)?;
    let mut rows = Vec::new();
    for (at, filter) in listed.iter().enumerate() {
        let Some(detail) = details.iter().find(|detail| detail.name == filter.name && !detail.text.trim().is_empty()) else {
            return Err(cut_off(
                "text of the message filters",
                &format!("\"{}\" is listed, and its text is missing", filter.name),
            )
            .retryable());
        };
        let follower = listed.get(at + 1).map_or(Value::Null, |next| Value::text(next.name.as_str()));
        let record = Record::new()
            .with("id", filter.name.as_str())
            .with("name", filter.name.as_str())
            .with("script", detail.text.trim())
            .with("masked_script", masked(detail.text.trim()))
            .with("active", filter.active && !detail.inactive)
            .with("valid", filter.valid)
            .with("invalid_reason", detail.reason.clone().map_or(Value::Null, Value::text))
            .with("position", filter.number)
            .with("before", follower);
        rows.push(Row { resource: RESOURCE, id: filter.name.clone(), record });
    }
    Ok(Rows { rows, not_understood, ..Rows::default() })
}

/// The rows of the list, in order, and the lines that are none.
fn listed(said: &Said) -> (Vec<Listed>, Vec<String>) {
    let mut columns = default_columns();
    let (mut listed, mut not_understood) = (Vec::new(), Vec::new());
    for line in lines(super::last(said)) {
        if is_noise(line) {
            continue;
        }
        if let Some(found) = heading(line) {
            columns = found;
            continue;
        }
        match list_row(line, &columns) {
            Some(row) => listed.push(row),
            None => not_understood.push(line.trim().to_owned()),
        }
    }
    (listed, not_understood)
}

/// A line with one blank between its words.
fn spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name in a filter's label, `name:` or `name!:`.
fn label_of(line: &str) -> Option<&str> {
    let (name, _) = line.trim_start().split_once(':')?;
    let name = name.strip_suffix('!').unwrap_or(name);
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    is_name.then_some(name)
}

/// Tells whether a line is the label of a filter that the list does not show, behind one that has ended.
fn begins_unlisted(line: &str, above: Option<&Detail>, listed: &[Listed]) -> bool {
    above.is_none_or(|detail| detail.text.trim_end().ends_with('}'))
        && label_of(line).is_some_and(|name| listed.iter().all(|filter| !filter.name.eq_ignore_ascii_case(name)))
}

fn default_columns() -> Vec<String> {
    ["num", "active", "valid", "name"].map(str::to_owned).to_vec()
}

/// The columns that a line of headings names, in lower case.
fn heading(line: &str) -> Option<Vec<String>> {
    let found: Vec<String> = line
        .split(|letter: char| letter.is_whitespace() || letter == '|')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let names = |word: &str| found.iter().any(|column| column.starts_with(word));
    (names("name") && names("active") && names("valid")).then_some(found)
}

fn list_row(line: &str, columns: &[String]) -> Option<Listed> {
    let row = cells_of(line, columns.len())?;
    let cell = |name: &str| columns.iter().position(|column| column.starts_with(name)).and_then(|at| row.get(at)).copied();
    let number = cell("num").or_else(|| cell("order")).or_else(|| cell("seq")).or_else(|| cell("#"))?;
    let name = unquote(cell("name")?).trim_end_matches(':');
    Some(Listed {
        number: number.trim_end_matches(['.', ')']).parse().ok()?,
        active: truth(cell("active")?)?,
        valid: truth(cell("valid")?)?,
        name: (!name.is_empty()).then(|| name.to_owned())?,
    })
}

/// The texts of the listed filters. A filter begins with its row of the list, or with its label, outside braces and quotes.
fn details(text: &str, listed: &[Listed], not_understood: &mut Vec<String>) -> Result<Vec<Detail>, Error> {
    let mut columns = default_columns();
    let mut details: Vec<Detail> = Vec::new();
    let mut scanner = Scanner::default();
    let odd: Vec<String> = not_understood.iter().map(|line| spaced(line)).collect();
    let mut unread = false;
    let mut behind_heading = false;
    for line in lines(text) {
        if !scanner.is_inside() {
            // Behind a heading stands the row of a filter; one that is not listed has its text below.
            let is_listed = |row: &Listed| listed.contains(row);
            if std::mem::take(&mut behind_heading)
                && !is_noise(line)
                && !list_row(line, &columns).as_ref().is_some_and(is_listed)
                && !listed.iter().any(|filter| labelled(line, &filter.name).is_some())
                && !odd.contains(&spaced(line))
            {
                not_understood.push(line.trim().to_owned());
                unread = true;
                continue;
            }
            // The filter of a row that could not be read: its text belongs to no filter of the list.
            if odd.contains(&spaced(line)) || begins_unlisted(line, details.last(), listed) {
                if let Some(name) = label_of(line).filter(|name| !odd.iter().any(|row| row.contains(name))) {
                    not_understood.push(format!("{name}: (a message filter that the list does not show)"));
                }
                unread = true;
                scanner.line(line);
                continue;
            }
            if let Some(found) = heading(line) {
                columns = found;
                behind_heading = true;
                continue;
            }
            if let Some(row) = list_row(line, &columns).filter(|row| listed.contains(row)) {
                unread = false;
                details.push(Detail { name: row.name, ..Detail::default() });
                continue;
            }
            if let Some(reason) = invalid_reason(line) {
                // It names its filter; else it is about the one above.
                let about = listed
                    .iter()
                    .rev()
                    .find(|filter| super::words(line).contains(&filter.name.to_lowercase()))
                    .map(|filter| filter.name.as_str());
                let last = details.len().saturating_sub(1);
                let at = about.and_then(|name| details.iter().position(|detail| detail.name == name)).unwrap_or(last);
                match details.get_mut(at) {
                    Some(detail) => detail.reason = Some(reason),
                    None => not_understood.push(line.trim().to_owned()),
                }
                continue;
            }
            if let Some((name, inactive, rest)) = listed.iter().find_map(|filter| labelled(line, &filter.name)) {
                unread = false;
                if details.last().is_none_or(|detail| detail.name != name || !detail.text.is_empty()) {
                    details.push(Detail { name: name.to_owned(), ..Detail::default() });
                }
                if let Some(detail) = details.last_mut() {
                    detail.inactive = inactive;
                    detail.text.push_str(rest.trim());
                }
                scanner.line(rest);
                continue;
            }
        }
        let is_empty = details.last().is_none_or(|detail| detail.text.is_empty());
        if !scanner.is_inside() && (line.trim().is_empty() || is_noise(line)) {
            continue;
        }
        match details.last_mut() {
            _ if unread => scanner.line(line),
            Some(detail) => {
                if !is_empty {
                    detail.text.push('\n');
                }
                detail.text.push_str(line);
                scanner.line(line);
            }
            None => not_understood.push(format!(
                "a line of {} characters before the first filter (not shown: it may hold a secret)",
                line.trim().chars().count()
            )),
        }
    }
    if scanner.is_inside() {
        return Err(cut_off("text of the message filters", "the last filter does not end"));
    }
    Ok(details)
}

/// Takes the label off a line: `name:` or `name!:`.
fn labelled<'a, 'b>(line: &'a str, name: &'b str) -> Option<(&'b str, bool, &'a str)> {
    let line = line.trim_start();
    let rest = line.strip_prefix(name).or_else(|| line.strip_prefix('"')?.strip_prefix(name)?.strip_prefix('"'))?.trim_start();
    let (inactive, rest) = match rest.strip_prefix('!') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest),
    };
    Some((name, inactive, rest.strip_prefix(':')?))
}

/// `Filter f3 has been marked invalid for these reasons: Interface 'x' unknown;.`
fn invalid_reason(line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let known = ["marked invalid", "invalid reason", "reason:"];
    if !known.iter().any(|words| lower.contains(words)) || lower.contains(['"', '{', '(']) {
        return None;
    }
    let reason = line.split_once(':').map_or(line, |(_, reason)| reason);
    Some(reason.trim().trim_end_matches(['.', ';', ' ']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(printed: &str) -> Said {
        Said { opening: String::new(), after: vec![String::new(), printed.to_owned()] }
    }

    const LIST: &str = "Num Active Valid Name\n--- ------ ----- ----\n  1   Y      Y   first\n  2   N      N   second-one\n  3   Y      Y   office365_outbound\n";

    const DETAIL: &str = r#"Num Active Valid Name
  1   Y      Y   first
first: if true { skip-filters(); }

Num Active Valid Name
  2   N      N   second-one
second-one!: if (recv-int == "notmain1: {") {
  first: x
  drop();
}
Filter second-one has been marked invalid for these reasons: Interface 'notmain1' unknown;.

office365_outbound: if sendergroup == "RELAY_O365" {

  drop();
}
"#;

    #[test]
    fn list_and_detail_make_the_filters_in_order() {
        let rows = parse(&[said(LIST), said(DETAIL)]).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let found: Vec<_> = rows
            .rows
            .iter()
            .map(|row| (row.id.as_str(), row.record.truth("active"), row.record.truth("valid"), row.record.integer("position")))
            .collect();
        assert_eq!(
            found,
            [
                ("first", Some(true), Some(true), Some(1)),
                ("second-one", Some(false), Some(false), Some(2)),
                ("office365_outbound", Some(true), Some(true), Some(3))
            ]
        );
        assert_eq!(rows.rows[0].record.text("script"), Some("if true { skip-filters(); }"));
        assert_eq!(rows.rows[1].record.text("invalid_reason"), Some("Interface 'notmain1' unknown"));
        assert!(rows.rows[1].record.text("script").unwrap().starts_with("if (recv-int"));
        assert_eq!(rows.rows[1].record.text("before"), Some("office365_outbound"));
        assert!(rows.rows[2].record.text("script").unwrap().ends_with('}'));
        assert!(rows.rows[2].record.get("before").is_null());
    }

    #[test]
    fn other_layouts_say_the_same() {
        let check = |list: &str, detail: &str| {
            let rows = parse(&[said(list), said(detail)]).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{list}");
            let found: Vec<_> = rows
                .rows
                .iter()
                .map(|row| (row.id.as_str(), row.record.truth("active"), row.record.text("script").unwrap()))
                .collect();
            assert_eq!(found, [("a", Some(true), "if true {\n drop();\n}"), ("b", Some(false), "drop();")], "{detail}");
        };
        check("Num  Active  Valid  Name\n1  Y  Y  a\n2  N  Y  b\n", "a: if true {\n drop();\n}\nb!: drop();\n");
        check(
            "NAME   NUM   ACTIVE   VALID\na      1   yes   yes\nb   2   no   yes\n",
            "\na : if true {\n drop();\n}\n\n\nb !:\ndrop();\n",
        );
        check("1. on on \"a\"\n2. off on \"b\"\n", "1. on on \"a\"\nif true {\n drop();\n}\n2. off on \"b\"\n\"b\"!: drop();\n");
        check(
            "Num | Active | Valid | Name\n----+---\n1 | Active | Valid | a\n2 | Inactive | Valid | b\n",
            "a:\nif true {\n drop();\n}\nb!: drop();\n- NEW - Create a new filter.\n",
        );
    }

    #[test]
    fn the_detail_is_asked_for_what_the_list_has() {
        let key = |said: &[Said]| dialog(said).map(|dialog| format!("{:?}", dialog.sections[1].choices));
        assert_eq!(key(&[]).as_deref(), Some("[\"LIST\"]"));
        assert_eq!(key(&[said(LIST)]).as_deref(), Some("[\"DETAIL\"]"));
        assert_eq!(key(&[said(LIST), said(DETAIL)]), None);
        assert_eq!(key(&[said("There are no filters.\n")]), None);
        assert_eq!(key(&[Said { opening: String::new(), after: vec![String::new()] }]), None);
        assert_eq!(parse(&[Said::default()]).unwrap(), Rows::default());
    }

    #[test]
    fn g21_a_filter_without_text_or_without_end_is_an_error() {
        assert!(parse(&[said(LIST), said("first: if true { skip-filters(); }\n")]).is_err());
        for (at, _) in DETAIL.match_indices('\n').filter(|(at, _)| *at < DETAIL.len() - 3) {
            assert!(parse(&[said(LIST), said(&DETAIL[..at])]).is_err(), "{}", &DETAIL[..at]);
        }
        assert!(parse(&[said(LIST)]).is_err());
    }

    #[test]
    fn a_line_that_is_not_understood_is_never_shown() {
        let rows = parse(&[said("1 Y Y a\nsomething\n"), said("header == \"sesame\"\na: drop();\n")]).unwrap();
        assert_eq!(rows.not_understood.len(), 2);
        assert!(!rows.not_understood.concat().contains("sesame"));
    }
}
