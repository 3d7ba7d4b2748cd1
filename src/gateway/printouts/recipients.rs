//! The recipient access table of a listener: `listenerconfig`, `EDIT`, the listener, `RCPTACCESS`, `PRINT`.
//!
//! After the title `Recipient Access Table`, one entry a line: the address and `ACCEPT` or `REJECT`. How the options of an entry (its
//! custom response, what it bypasses) are printed is not documented; words that name them are understood wherever they stand behind
//! the action, and what nobody knows is kept with its entry. The table always ends with the entry `ALL`: without it, it was cut off.

use super::labels::{self, Words};
use super::{cells_below, complete, count_of, cut_off, foreign, is_noise, lines, starts, unquote, whole};
use crate::gateway::batch_form::{Form, Line};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::resources::forms::{recipient, recipient_meaning};
use crate::gateway::resources::recipient_access;
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;

const RESOURCE: &str = "gateway_recipient_access";

/// The dialog that prints the table of a listener.
pub(in crate::gateway) fn dialog(listener: &str, said: &[Said]) -> Option<Dialog> {
    let ask = || {
        super::printing(Dialog::of("listenerconfig").choose("EDIT").key(listener).choose("RCPTACCESS").choose("PRINT"))
            .or_line(Line::of(&PRINT_LINE, [listener]))
    };
    said.is_empty().then(ask)
}

const PRINT_LINE: Form =
    Form { command: "listenerconfig", words: &["listenerconfig", "edit", "<listener>", "rcptaccess", "print"] };

/// Understands the table of a listener.
pub(in crate::gateway) fn parse(listener: &str, said: &[Said]) -> Result<Rows, Error> {
    let Some(said) = said.first() else { return Ok(Rows::default()) };
    let mut table = Rows::default();
    let (mut columns, mut places) = (Vec::new(), Vec::new());
    let mut unread = 0;
    for line in lines(super::last(said)) {
        if is_comment(line) || is_noise(line) || says_default(line) {
            continue;
        }
        if is_heading(line) {
            columns = super::cells(line).into_iter().map(str::to_owned).collect();
            places = starts(line);
            continue;
        }
        let Some((addresses, entry, foreign)) = row_of_columns(line, &columns, &places).or_else(|| entry(line)) else {
            unread += 1;
            table.nameless += usize::from(shows_no_name(line));
            table.not_understood.push(line.trim().to_owned());
            continue;
        };
        for address in addresses {
            let position = i64::try_from(table.rows.len()).unwrap_or(i64::MAX).saturating_add(1);
            let id = format!("{listener}/{}", recipient_meaning(&address));
            let mut record = entry
                .clone()
                .with("id", id.as_str())
                .with("listener", listener)
                .with("recipient", address)
                .with("position", position);
            record.set_unmanaged(&recipient_access::RESOURCE, foreign.clone());
            table.rows.push(Row { resource: RESOURCE, id, record });
        }
    }
    let title = format!("recipient access table of \"{listener}\"");
    complete(&title, table.rows.len() + unread, count_of(&whole(said), &["recipient access table entr", "rat entr"]))?;
    if table.find(RESOURCE, &format!("{listener}/ALL")).is_none() {
        return Err(cut_off(&title, "its last entry, ALL, is missing"));
    }
    Ok(table)
}

/// Tells whether a row shows nothing in the place of its address.
fn shows_no_name(row: &str) -> bool {
    let mut words = row.split_whitespace().skip_while(|word| word.trim_end_matches(['.', ')']).parse::<usize>().is_ok());
    words.next().is_none_or(|first| action(first).is_some() && words.next().is_none_or(|second| action(second).is_none()))
}

/// Tells whether a line is a comment. A user name may begin as one: `#1@example.com`.
fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#') && !line.split_whitespace().next().is_some_and(|word| word.contains('@'))
}

/// What is known of an entry: its addresses, its settings, and what of it nobody knows.
type Known = (Vec<String>, Record, Vec<String>);

/// A row of a table with columns for the options: each cell is read as if it stood behind its title.
fn row_of_columns(line: &str, columns: &[String], places: &[usize]) -> Option<Known> {
    if columns.len() < 3 {
        return None;
    }
    let below = || cells_below(line, places).filter(|row| row.len() == columns.len());
    let row = super::cells_of(line, columns.len()).or_else(below)?;
    let at = |words: &[&str]| {
        columns.iter().position(|column| super::words(column).iter().any(|found| words.contains(&found.as_str())))
    };
    let (address, verdict) = (at(&["recipient", "address", "addresses", "domain"])?, at(&["action", "access", "policy"])?);
    action(row.get(verdict)?)?;
    let (mut options, mut unknown) = (Vec::new(), Vec::new());
    for (position, (title, cell)) in columns.iter().zip(&row).enumerate() {
        if position == address || position == verdict || foreign::says_nothing(cell) && super::truth(cell).is_none() {
            continue;
        }
        let is_response = super::words(title).iter().any(|word| ["response", "code", "text"].contains(&word.as_str()));
        match response(cell) {
            Some((code, text)) if is_response => options.push(format!("{code} \"{text}\"")),
            _ if super::truth(cell).is_some() && labels::field(BYPASSES, title).is_some() => {
                options.push(format!("{title}: {cell}"));
            }
            _ if is_response && super::truth(cell) == Some(false) => {}
            _ if ["option", "options"].contains(&title.to_lowercase().as_str()) => options.push((*cell).to_owned()),
            _ => unknown.extend(foreign::option(title, cell)),
        }
    }
    let (addresses, record, mut foreign) = entry(&format!("{} {} {}", row.get(address)?, row.get(verdict)?, options.join(", ")))?;
    foreign.extend(unknown);
    Some((addresses, record, foreign))
}

fn is_heading(line: &str) -> bool {
    let found = super::words(line);
    let known = [
        "recipient",
        "recipients",
        "access",
        "table",
        "rat",
        "address",
        "addresses",
        "action",
        "policy",
        "domain",
        "for",
        "listener",
        "options",
        "response",
        "smtp",
        "entry",
        "entries",
        "bypass",
        "ldap",
        "accept",
        "receiving",
        "control",
        "call",
        "ahead",
        "custom",
        "code",
        "text",
    ];
    // With titles that nobody knows it is known by those of the first columns.
    let titles: Vec<Vec<String>> = super::cells(line).into_iter().map(super::words).collect();
    let has = |title: &[String], words: &[&str]| title.iter().any(|word| words.contains(&word.as_str()));
    let names = titles.iter().any(|title| has(title, &["recipient", "address", "domain"]));
    let is_titles = titles.len() > 2
        && names
        && titles.iter().any(|title| has(title, &["action", "access", "policy"]))
        && !titles.iter().any(|title| title.len() == 1 && action(&title[0]).is_some());
    line.to_lowercase().contains("recipient access table")
        || (is_titles && !line.contains(['.', '@', '"']))
        || (!found.is_empty()
            && (found.len() > 2 || !found.iter().any(|word| word == "accept"))
            && !line.contains(['.', '@'])
            && found.iter().all(|word| known.contains(&word.as_str())))
}

/// Tells whether a line says above the menu what the entry ALL says in the table: `Default Access: REJECT`.
fn says_default(line: &str) -> bool {
    super::label(line).is_some_and(|(name, value)| {
        let words = super::words(name);
        words.len() > 1 && words.first().is_some_and(|word| word == "default") && action(value).is_some()
    })
}

/// Understands one entry.
fn entry(line: &str) -> Option<Known> {
    let line = line.trim().trim_start_matches("| ");
    let line = line
        .split_once(". ")
        .filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(line, |(_, rest)| rest.trim());
    let words: Vec<&str> = line.split_whitespace().collect();
    // A domain may be called as an action is: the first word is an address if the second is an action.
    let from = usize::from(words.get(1).is_some_and(|second| action(second).is_some()));
    let (at, action) = words.iter().enumerate().skip(from).find_map(|(at, word)| action(word).map(|action| (at, action)))?;
    // The action may be the first column: then the address is the second.
    let (addresses, options) =
        if at == 0 { (words.get(1..2)?, words.get(2..)?) } else { (words.get(..at)?, words.get(at + 1..)?) };
    let joined = addresses.iter().copied().filter(|word| *word != "|").collect::<Vec<_>>().join(" ");
    let joined = joined.trim_end_matches([':', '=', '>', '-', ' ']);
    let addresses: Vec<String> = if joined.to_lowercase().starts_with("all ") || joined.eq_ignore_ascii_case("(default)") {
        vec!["ALL".to_owned()]
    } else {
        let parts = joined.split([',', ' ']).map(unquote).filter(|part| !part.is_empty());
        parts.map(|part| recipient(part).ok().map(|()| spelled(part))).collect::<Option<_>>()?
    };
    let (record, foreign) = options_of(&options.join(" "));
    (!addresses.is_empty()).then(|| (addresses, record.with("action", action), foreign))
}

fn action(word: &str) -> Option<&'static str> {
    match word.trim_matches([',', ':', ';', '(', ')', '"', '=']).to_ascii_lowercase().as_str() {
        "accept" | "accepted" => Some("accept"),
        "reject" | "rejected" => Some("reject"),
        _ => None,
    }
}

/// The address in the spelling in which it is compared; the tag of an IPv6 literal is kept, as the device's dialogs want it back.
fn spelled(address: &str) -> String {
    let lower = address.to_lowercase();
    if lower.contains("[ipv6:") { lower.replace("[ipv6:", "[IPv6:") } else { recipient_meaning(address) }
}

/// The words for what an entry bypasses: in menus, in commands and in titles of columns.
const BYPASSES: &[Words<&str>] = &[
    labels::words(
        "bypass_ldap_accept",
        &[&["ldap"], &["bypass", "la"], &["bypass_la"]],
        &["bypass", "accept", "query", "queries", "this", "entry", "recipient"],
    ),
    labels::words(
        "bypass_receiving_control",
        &[&["receiving"], &["bypass", "rc"]],
        &["bypass", "control", "this", "entry", "recipient"],
    ),
    labels::words(
        "bypass_smtp_call_ahead",
        &[&["call", "ahead"], &["callahead"], &["bypass", "ca"]],
        &["bypass", "smtp", "this", "entry", "recipient"],
    ),
];

/// Understands what stands behind the action, piece by piece, and gives what nobody knows.
fn options_of(text: &str) -> (Record, Vec<String>) {
    let mut record = BYPASSES.iter().fold(Record::new(), |record, bypass| record.with(bypass.field, false));
    let mut unknown = Vec::new();
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    for piece in pieces(text) {
        // The text of a response may have any words.
        if let Some((code, response)) = response(&piece) {
            record.set("smtp_response_code", code);
            if !response.is_empty() {
                record.set("smtp_response_text", response);
            }
        } else if let Some((name, bypassed)) = bypass(&piece) {
            record.set(name, bypassed);
        } else {
            let lower = piece.to_lowercase();
            let has_no_response =
                lower.contains("response") && super::truth(lower.rsplit([':', '=']).next().unwrap_or_default()) == Some(false);
            unknown.extend(foreign::line(piece.trim_start_matches('-')).filter(|_| !has_no_response));
        }
    }
    (record, unknown)
}

/// What is bypassed, and whether it is: `bypass LDAP ACCEPT`, `bypass_rc: yes`, `--bypass_la no`.
fn bypass(piece: &str) -> Option<(&'static str, bool)> {
    let lower = piece.to_lowercase();
    let (label, value) = match lower.rsplit_once([':', '=', ' ']) {
        Some((label, value)) if super::truth(value).is_some() => (label, super::truth(value)),
        _ => (lower.as_str(), None),
    };
    Some((labels::field(BYPASSES, label)?, value.unwrap_or(true)))
}

/// Tells whether a text is an option as a whole, so that the text of a response ends before it: it says "bypass", or yes or no.
fn is_option(text: &str) -> bool {
    const WORDS: [&str; 22] = [
        "bypass",
        "bypass_rc",
        "bypass_la",
        "bypass_ca",
        "rc",
        "la",
        "ca",
        "ldap",
        "accept",
        "receiving",
        "control",
        "smtp",
        "call",
        "ahead",
        "for",
        "this",
        "entry",
        "recipient",
        "yes",
        "no",
        "on",
        "off",
    ];
    let lower = text.to_lowercase();
    if is_key(lower.trim()) {
        return true;
    }
    let says_so = lower.trim_start().trim_start_matches('-').starts_with("bypass")
        || lower.rsplit_once([':', '=']).is_some_and(|(_, value)| super::truth(value).is_some());
    let mut found = lower.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    says_so && bypass(text).is_some() && found.all(|word| WORDS.contains(&word))
}

/// Tells whether a text is the name of an option as commands have it, with a value or without, known or not: `bypass_xy`, `scan_mode=fast`.
fn is_key(text: &str) -> bool {
    let (key, value) = text.trim_start_matches('-').split_once([':', '=']).unwrap_or((text.trim_start_matches('-'), ""));
    let key = key.trim();
    key.contains('_')
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && key.split('_').all(|word| !word.is_empty())
        && value.split_whitespace().count() < 2
}

/// What may stand between the pieces of an entry.
const MARKS: [char; 5] = [',', ';', '|', '(', ')'];

/// Splits at commas, semicolons and bars outside the text of a response.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut rest = text.trim_start_matches(MARKS).trim();
    while !rest.is_empty() {
        let end = if response(rest).is_some() { end_of_response(rest) } else { rest.find(MARKS).unwrap_or(rest.len()) };
        let (piece, behind) = rest.split_at(end);
        pieces.push(piece.trim().to_owned());
        rest = behind.trim_start_matches(|letter: char| MARKS.contains(&letter) || letter.is_whitespace());
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Where a response ends that a text begins with: behind its text in quotes, or, without quotes around it, before a known option or at the end.
/// Quotes within the text are not escaped: from the first to the last one is one text, if nothing but options stands behind.
fn end_of_response(text: &str) -> usize {
    let are_options = |behind: &str| {
        let mut options = behind.split(MARKS).map(str::trim);
        options.next().is_some_and(is_option) && options.all(|piece| piece.is_empty() || is_option(piece))
    };
    if let (Some(first), Some(last)) = (text.find('"'), text.rfind('"'))
        && first < last
        && response_begins(&text[..first])
    {
        let behind = text[last + 1..].trim();
        if behind.chars().all(|letter| MARKS.contains(&letter)) || behind.strip_prefix(MARKS).is_some_and(are_options) {
            return last + 1;
        }
    }
    let mut ends = text.match_indices(MARKS).map(|(at, _)| at);
    ends.find(|at| text.get(at + 1..).is_some_and(are_options)).unwrap_or(text.len())
}

/// Tells whether a text is what stands before the text of a response in quotes: its code, and words for it.
fn response_begins(text: &str) -> bool {
    let words = text.trim().to_lowercase();
    response(text.trim()).is_some_and(|(_, text)| text.is_empty()) || words.trim_end_matches([':', '=']).ends_with("response")
}

/// `550 No such user`, `custom response: 550 "No such user"`.
fn response(piece: &str) -> Option<(i64, String)> {
    let from = piece.find(|letter: char| letter.is_ascii_digit())?;
    let (before, rest) = piece.split_at(from);
    let known = ["", "response", "custom response", "smtp response", "custom smtp response", "custom", "with"];
    if !known.contains(&before.trim().trim_end_matches([':', '=', '"']).trim().to_lowercase().as_str()) {
        return None;
    }
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, text) = rest.split_at(end);
    let code: i64 = digits.parse().ok().filter(|code| (200..600).contains(code))?;
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    Some((code, text.trim().to_owned()))
}

/// Tells whether an entry also takes the recipients of another: `example.com` those of `user@example.com`.
pub(in crate::gateway) fn is_wider(wide: &str, narrow: &str) -> bool {
    let (wide, narrow) = (recipient_meaning(wide), recipient_meaning(narrow));
    if wide == narrow {
        return false;
    }
    if wide == "ALL" {
        return true;
    }
    let (local, host) = narrow.rsplit_once('@').unwrap_or(("", &narrow));
    if let Some(user) = wide.strip_suffix('@') {
        return user == local && !local.is_empty();
    }
    if wide.contains('@') || host.is_empty() {
        return false;
    }
    match wide.strip_prefix('.') {
        Some(_) => host.ends_with(&wide),
        None => !local.is_empty() && host == wide,
    }
}

/// Tells whether two entries fit a recipient in common.
pub(in crate::gateway) fn overlaps(one: &str, other: &str) -> bool {
    let is_user = |entry: &str| entry.ends_with('@');
    let is_host = |entry: &str| !entry.contains('@');
    one == other
        || is_wider(one, other)
        || is_wider(other, one)
        || is_user(one) && is_host(other)
        || is_host(one) && is_user(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(printed: &str) -> Result<Rows, Error> {
        parse("In", &[Said { opening: String::new(), after: vec![String::new(), printed.to_owned()] }])
    }

    #[test]
    fn the_documented_lines_are_entries_in_order() {
        let check = |printed: &str| {
            let rows = read(printed).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            let found: Vec<(&str, &str, i64)> = rows
                .rows
                .iter()
                .map(|row| (row.id.as_str(), row.record.text("action").unwrap(), row.record.integer("position").unwrap()))
                .collect();
            assert_eq!(
                found,
                [("In/.example.com", "accept", 1), ("In/user@example.com", "reject", 2), ("In/ALL", "reject", 3)],
                "{printed}"
            );
        };
        check("Recipient Access Table\n.example.com ACCEPT\nuser@example.com REJECT\nALL REJECT\n");
        check(
            "# File exported by the GUI at 20060530T220526\n.Example.com   accept\n\n  User@example.com   Reject\nall\treject\n",
        );
        check(
            "Recipient Access Table for listener In\n\nAddress            Action\n-------            ------\n.example.com       Accept\nuser@example.com   Reject\nAll Other Recipients   Reject\n",
        );
        check("Action  Recipient\nACCEPT  .example.com\nREJECT  user@example.com\nREJECT  ALL\n");
        check("1. .example.com: ACCEPT\n2. \"user@example.com\": REJECT\n3. ALL: REJECT\nThere are currently 3 RAT entries.\n");
    }

    #[test]
    fn counts_and_empty_texts_in_other_words_are_no_rows() {
        let rows =
            read("2 entries are configured.\n\n\texample.com\t\tAccepted\n\tALL\t\tRejected\n\nTotal entries: 2\n").unwrap();
        assert_eq!((rows.not_understood.as_slice(), rows.rows.len()), ([].as_slice(), 2));
    }

    #[test]
    fn options_are_read_where_they_are_printed() {
        let rows = read("a.example ACCEPT (bypass LDAP ACCEPT, bypass receiving control: no)\nb.example REJECT, 550 \"No such, user\"\nALL REJECT\n").unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let first = &rows.rows[0].record;
        assert_eq!((first.truth("bypass_ldap_accept"), first.truth("bypass_receiving_control")), (Some(true), Some(false)));
        let second = &rows.rows[1].record;
        assert_eq!((second.integer("smtp_response_code"), second.text("smtp_response_text")), (Some(550), Some("No such, user")));
    }

    #[test]
    fn the_text_of_a_response_and_a_user_name_may_have_any_words_and_marks() {
        for text in ["call LDAP, receiving", "say \"hi\"", "\"a\" (b); c", "550 | ACCEPT", "ends,", ", (begins"] {
            let lines = format!(
                "a.example REJECT (bypass LDAP ACCEPT, custom SMTP response 551 \"{text}\")\n#1@b.example ACCEPT\na|b@c.example ACCEPT\nALL REJECT\n"
            );
            let rows = read(&lines).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{text}");
            let record = &rows.rows[0].record;
            assert_eq!((record.integer("smtp_response_code"), record.text("smtp_response_text")), (Some(551), Some(text)));
            assert_eq!((record.truth("bypass_ldap_accept"), record.truth("bypass_smtp_call_ahead")), (Some(true), Some(false)));
            let names: Vec<_> = rows.rows.iter().filter_map(|row| row.record.text("recipient")).collect();
            assert_eq!(names, ["a.example", "#1@b.example", "a|b@c.example", "ALL"]);
        }
    }

    #[test]
    fn a_text_without_quotes_around_it_runs_to_the_end_or_to_an_option() {
        let check = |printed: &str, text: &str, bypassed: bool| {
            let rows = read(&format!("a.example REJECT {printed}\nALL REJECT\n")).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            let record = &rows.rows[0].record;
            assert_eq!(record.text("smtp_response_text"), Some(text), "{printed}");
            assert_eq!(record.truth("bypass_receiving_control"), Some(bypassed), "{printed}");
        };
        for text in [
            "\"quoted\" and more",
            "\"a\", it's",
            "ends in a comma,",
            "call ldap, receiving;",
            "one \"two\" three \"",
            "(a) b)",
            "x (",
            "response \"a\" b",
        ] {
            check(&format!("550 {text}"), text, false);
            check(&format!("bypass_rc, 550 {text}"), text, true);
            check(&format!("550 {text}, bypass_rc"), text, true);
            check(&format!("550 {text}; bypass receiving control: yes"), text, true);
        }
    }

    #[test]
    fn columns_for_the_options_are_read_by_their_titles() {
        let rows = read("Recipient  Action  Bypass LDAP Accept  Bypass Receiving Control  Response\na.example  Accept  Yes  No  None\nALL  Reject  No  No  550 Not here\n").unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let (first, last) = (&rows.rows[0].record, &rows.rows[1].record);
        assert_eq!((first.truth("bypass_ldap_accept"), first.truth("bypass_receiving_control")), (Some(true), Some(false)));
        assert_eq!((last.integer("smtp_response_code"), last.text("smtp_response_text")), (Some(550), Some("Not here")));
    }

    #[test]
    fn rg2_rg10_an_option_that_no_argument_is_for_stays_with_its_entry_in_every_layout() {
        for printed in [
            "a.example ACCEPT (bypass LDAP ACCEPT, delivery class: bulk)\nALL REJECT\n",
            "a.example ACCEPT bypass_la, delivery_class=bulk, 550 no; one, here\nALL REJECT\n",
            "a.example ACCEPT 550 no; one, here; delivery_class=bulk; bypass_la\nALL REJECT\n",
            "Recipient  Action  Bypass LDAP Accept  Delivery Class\na.example  Accept  Yes  Bulk\nALL  Reject  No  -\n",
            "Recipient  Delivery Class  Action  Bypass LDAP Accept\na.example  Bulk            Accept  Yes\nALL                        Reject  No\n",
        ] {
            let rows = read(printed).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            let (first, last) = (&rows.rows[0].record, &rows.rows[1].record);
            assert_eq!(first.truth("bypass_ldap_accept"), Some(true), "{printed}");
            let told = first.texts("unmanaged").concat().to_lowercase().replace('_', " ");
            assert_eq!((told.as_str(), last.texts("unmanaged").len()), ("delivery class = bulk", 0), "{printed}");
        }
        // What shares a word with an option is not that one.
        let rows = read("a.example ACCEPT (bypass LDAP group query, receiving quota: 5)\nALL REJECT\n").unwrap();
        let record = &rows.rows[0].record;
        assert_eq!((record.truth("bypass_ldap_accept"), record.truth("bypass_receiving_control")), (Some(false), Some(false)));
        assert_eq!(record.texts("unmanaged"), ["bypass LDAP group query", "receiving quota = 5"]);
    }

    #[test]
    fn what_the_menu_says_of_the_default_is_no_entry() {
        let rows = read("a.example ACCEPT\nALL REJECT\n\nThere are currently 2 recipients.\nDefault Access: REJECT\n").unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        assert_eq!(rows.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["In/a.example", "In/ALL"]);
        assert!(read("a.example ACCEPT\nDefault Access: REJECT\n").is_err(), "the entry ALL itself is missing");
    }

    #[test]
    fn g21_a_table_without_all_is_an_error_and_a_strange_line_is_kept() {
        assert!(read("example.com ACCEPT\n").unwrap_err().message.contains("ALL"));
        let rows = read("example.com ACCEPT\nexample.org TARPIT\nc.example ACCEPT quantum\nALL REJECT").unwrap();
        assert_eq!(rows.not_understood, ["example.org TARPIT"]);
        assert_eq!(rows.find(RESOURCE, "In/c.example").unwrap().record.texts("unmanaged"), ["quantum"]);
    }

    #[test]
    fn a_domain_is_wider_than_its_users_and_its_hosts_with_a_dot() {
        let check =
            |wide: &str, narrow: &str, expected: bool| assert_eq!(is_wider(wide, narrow), expected, "{wide} over {narrow}");
        check("example.com", "postmaster@example.com", true);
        check(".example.com", "mail.example.com", true);
        check(".example.com", "a@mail.example.com", true);
        check("postmaster@", "postmaster@example.com", true);
        check("ALL", "example.com", true);
        check("example.com", "example.com", false);
        check("example.com", "mail.example.com", false);
        check("example.com", ".example.com", false);
        check("user@example.com", "example.com", false);
    }

    #[test]
    fn entries_that_fit_a_recipient_in_common_overlap() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!((overlaps(one, other), overlaps(other, one)), (expected, expected), "{one} and {other}");
        };
        check("example.com", "postmaster@example.com", true);
        check("postmaster@", "example.com", true);
        check("postmaster@", ".example.com", true);
        check("postmaster@", "abuse@", false);
        check("postmaster@", "abuse@example.com", false);
        check(".example.com", ".mail.example.com", true);
        check("example.com", ".example.com", false);
        check("example.com", "example.net", false);
        check("a@example.com", "b@example.com", false);
    }
}
