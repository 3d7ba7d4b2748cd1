//! The SMTP routes: `smtproutes`, then `PRINT`.
//!
//! One route a line, of which only the documented pieces are known: a domain (`example.com`, `.example.com`, `ALL`), and its destinations
//! `host`, `[host]`, `host:port`, `host:port/pri=N`, `USEDNS` or `/dev/null`. What stands between them (blanks, `=`, `:`, `->`,
//! commas) is accepted in any form. A column, a note in parentheses or a line with a label that nobody knows is kept with its route, unless it has the
//! form of a host. An empty table does not offer `PRINT`.

use std::borrow::Cow;

use super::{cells_below, complete, count_of, foreign, is_noise, lines, starts, unquote, whole};
use crate::gateway::batch_form::{Form, Line};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::resources::forms::{domain, domain_meaning, route_host, route_host_meaning};
use crate::gateway::resources::smtp_route;
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;
use crate::value::Value;

const RESOURCE: &str = "gateway_smtp_route";

/// The dialog that prints the table.
pub(in crate::gateway) fn dialog(said: &[Said]) -> Option<Dialog> {
    let ask = || super::printing(Dialog::of("smtproutes").choose_if_offered(&["PRINT"])).or_line(Line::of(&PRINT_LINE, []));
    said.is_empty().then(ask)
}

const PRINT_LINE: Form = Form { command: "smtproutes", words: &["smtproutes", "print"] };

/// Understands the table.
pub(in crate::gateway) fn parse(said: &[Said]) -> Result<Rows, Error> {
    let Some(said) = said.first() else { return Ok(Rows::default()) };
    let mut table = Table::default();
    let mut printed = lines(super::last(said)).peekable();
    while let Some(line) = printed.next() {
        table.line(line, printed.peek().copied());
    }
    let unread = table.routes.iter().filter(|route| !route.is_read()).count() + table.unread;
    let (rows, lost): (Vec<Route>, Vec<Route>) = table.routes.into_iter().partition(Route::is_read);
    complete("SMTP routes", rows.len() + unread, count_of(&whole(said), &["route"]))?;
    let mut not_understood = table.not_understood;
    for line in lost.iter().flat_map(|route| &route.printed) {
        if !not_understood.contains(line) {
            not_understood.push(line.clone());
        }
    }
    Ok(Rows { rows: rows.into_iter().map(Route::row).collect(), not_understood, nameless: table.nameless, ..Rows::default() })
}

/// What is known of one route.
#[derive(Default)]
struct Route {
    domain: String,
    hosts: Vec<Value>,
    profile: Option<String>,
    /// What no attribute knows.
    foreign: Vec<String>,
    /// Its lines.
    printed: Vec<String>,
    /// Whether a line of it may have a destination that could not be read.
    is_torn: bool,
}

impl Route {
    /// A route leads to somewhere, and all of it is known.
    fn is_read(&self) -> bool {
        !self.hosts.is_empty() && !self.is_torn
    }

    fn row(self) -> Row {
        let mut record = Record::new()
            .with("id", self.domain.as_str())
            .with("domain", self.domain.as_str())
            .with("destination", Value::List(self.hosts))
            .with("smtp_auth_profile", self.profile.map_or(Value::Null, Value::text));
        record.set_unmanaged(&smtp_route::RESOURCE, self.foreign);
        Row { resource: RESOURCE, id: self.domain, record }
    }
}

#[derive(Default)]
struct Table {
    routes: Vec<Route>,
    not_understood: Vec<String>,
    unread: usize,
    nameless: usize,
    columns: Columns,
    /// The indent of the first row: a line with more goes on with the row above it.
    indent: Option<usize>,
    /// Whether the row above can be gone on with: it is a route, and no row that could not be read stands between.
    open: bool,
    /// Whether the line above ended in a comma.
    comma: bool,
}

/// The columns of a table.
#[derive(Default)]
struct Columns {
    /// Their titles, as they are printed.
    titles: Vec<String>,
    /// Where these begin.
    starts: Vec<usize>,
}

impl Columns {
    fn of(heading: &str) -> Columns {
        Columns { titles: super::cells(heading).into_iter().map(str::to_owned).collect(), starts: starts(heading) }
    }

    /// The place of the column whose title has one of these words.
    fn place(&self, words: &[&str]) -> Option<usize> {
        self.titles.iter().position(|title| words.iter().any(|word| title.to_lowercase().contains(word)))
    }
}

impl Table {
    /// Takes a line, and knows the one behind it.
    fn line(&mut self, line: &str, next: Option<&str>) {
        if line.starts_with('#') || is_noise(line) {
            return;
        }
        let is_first = self.routes.is_empty() && self.unread == 0;
        // What stands alone above deeper lines is a domain, whatever its name: its destinations follow.
        let is_above = super::cells(line).len() == 1 && next.is_some_and(|next| depth_of(next) > depth_of(line));
        if is_heading(line) && !is_above && (is_first || self.is_titles(line) || super::cells(line).len() == 1) {
            if is_first {
                self.columns = Columns::of(line);
            }
            return;
        }
        let depth = depth_of(line);
        let is_numbered = line.split_once(". ").is_some_and(|(number, _)| number.trim().parse::<usize>().is_ok());
        let is_deeper = self.indent.is_some_and(|indent| depth > indent) && !is_numbered;
        let is_nameless = line.trim_start().starts_with(['=', '|', '>', ':']) || line.trim_start().starts_with("->");
        let goes_on = !is_nameless && (is_deeper || self.comma || line.trim_start().starts_with(','));
        self.comma = line.ends_with(',');
        let printed = line.trim().to_owned();
        let (text, profile) = without_profile(line);
        if self.indent.is_some() && (goes_on || (profile.is_some() && text.trim().is_empty())) {
            return self.go_on(&text, profile, printed);
        }
        self.indent.get_or_insert(depth);
        let row = row_of_columns(line, &self.columns);
        match row.or_else(|| route(&text).map(|route| Route { profile, ..route })) {
            Some(route) => {
                self.routes.push(Route { printed: vec![printed], ..route });
                self.open = true;
            }
            None => self.odd(printed),
        }
    }

    /// A row that cannot be read.
    fn odd(&mut self, printed: String) {
        self.unread += 1;
        self.nameless += usize::from(shows_no_name(&printed));
        self.not_understood.push(printed);
        self.open = false;
    }

    /// A line with more of the row above it.
    fn go_on(&mut self, text: &str, profile: Option<String>, printed: String) {
        let text = text.trim().trim_start_matches([',', ' ', '\t']);
        let more = if text.is_empty() { Some((Vec::new(), Vec::new())) } else { destinations(text).or_else(|| setting(text)) };
        let Some(route) = self.routes.last_mut().filter(|_| self.open) else {
            return self.not_understood.push(printed);
        };
        if let Some((more, foreign)) = more {
            route.hosts.extend(more);
            route.foreign.extend(foreign);
            route.profile = profile.or(route.profile.take());
        } else {
            // What has the form of a host may be one.
            route.is_torn |= text.contains(['.', ':', '[', '/']);
            self.not_understood.push(printed.clone());
        }
        route.printed.push(printed);
    }

    /// Whether a heading is printed again, on another page.
    fn is_titles(&self, line: &str) -> bool {
        let titles = super::cells(line);
        titles.len() == self.columns.titles.len()
            && titles.iter().zip(&self.columns.titles).all(|(one, other)| one.eq_ignore_ascii_case(other))
    }
}

/// How far a line is indented.
fn depth_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Tells whether a row shows nothing in the place of its domain.
fn shows_no_name(row: &str) -> bool {
    let unnumbered = row.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let behind =
        if unnumbered.len() < row.len() { unnumbered.strip_prefix(['.', ')']).map_or(row, str::trim_start) } else { row };
    behind.is_empty() || behind.starts_with(['=', ':', '|', '>', ',']) || behind.starts_with("->")
}

/// A row of a table with more columns than the two that count.
fn row_of_columns(line: &str, columns: &Columns) -> Option<Route> {
    let count = columns.titles.len();
    let row = super::cells_of(line, count)
        .or_else(|| cells_below(line, &columns.starts).filter(|row| row.len() == count))
        .filter(|_| count > 2)?;
    let domain = columns.place(&["domain", "route", "receiving"])?;
    let hosts = columns.place(&["destination", "host"])?;
    let profile = columns.place(&["auth", "profile"]);
    let mut route = route(&format!("{} {}", row.get(domain)?, row.get(hosts)?))?;
    route.profile = profile.and_then(|at| named(row.get(at)?));
    for (at, (title, cell)) in columns.titles.iter().zip(&row).enumerate() {
        if ![Some(domain), Some(hosts), profile].contains(&Some(at)) {
            route.foreign.extend(foreign::option(title, cell));
        }
    }
    (!route.hosts.is_empty()).then_some(route)
}

/// A line with a label that nobody knows; nothing if it may be a host.
fn setting(text: &str) -> Option<(Vec<Value>, Vec<String>)> {
    let (label, value) = text.split_once([':', '='])?;
    let is_setting = foreign::is_label(label)
        && !label.contains(['.', '/'])
        && (value.is_empty() || value.starts_with([' ', '\t']) || label.contains(' ') || text.contains('='));
    (is_setting && !may_be_host(value)).then(|| (Vec::new(), foreign::option(label, value).into_iter().collect()))
}

/// Tells whether a text has the form of a host.
fn may_be_host(text: &str) -> bool {
    text.contains(['.', '[', '/']) || text.contains("::")
}

/// Takes an SMTP authentication profile off a line, in parentheses or behind its label: `(SMTP AUTH profile: out)`,
/// `SMTP authentication profile: out`. The line is otherwise left as it is.
fn without_profile(line: &str) -> (Cow<'_, str>, Option<String>) {
    let lower = line.to_ascii_lowercase();
    let labels = ["smtp auth profile", "smtp authentication profile", "smtp auth", "authentication profile", "auth profile"];
    let nothing = (Cow::Borrowed(line), None);
    let Some((at, label)) = labels.iter().find_map(|label| lower.find(label).map(|at| (at, label))) else { return nothing };
    let Some(behind) = line.get(at + label.len()..) else { return nothing };
    let Some(name) = behind.trim_start().strip_prefix([':', '=']) else { return nothing };
    let before = line.get(..at).unwrap_or_default();
    let is_inside = before.trim_end().ends_with(['(', '[']);
    let before = before.trim_end_matches([' ', '\t', '(', '[', ',', ';']);
    let end = name.find(if is_inside { [')', ']', ';'] } else { [',', ')', ';'] }).unwrap_or(name.len());
    let (name, rest) = name.split_at(end);
    let rest = rest.trim_start_matches([')', ']']);
    let whole = if rest.trim().is_empty() { Cow::Borrowed(before) } else { Cow::Owned(format!("{before} {rest}")) };
    (whole, named(name.trim_end_matches([' ', '.'])))
}

/// A profile's name; nothing if it says that there is none.
fn named(text: &str) -> Option<String> {
    let name = unquote(text);
    (!name.is_empty() && !["none", "-", "no", "n/a", "not set"].iter().any(|none| name.eq_ignore_ascii_case(none)))
        .then(|| name.to_owned())
}

fn is_heading(line: &str) -> bool {
    let found = super::words(line);
    let known = [
        "domain",
        "destination",
        "destinations",
        "host",
        "hosts",
        "receiving",
        "smtp",
        "route",
        "routes",
        "table",
        "current",
        "configured",
        "the",
        "s",
        "port",
        "priority",
        "auth",
        "authentication",
        "profile",
        "outgoing",
    ];
    // With titles that nobody knows it is known by those of the two columns that count.
    let titles: Vec<Vec<String>> = super::cells(line).into_iter().map(super::words).collect();
    let has = |title: &[String], words: &[&str]| title.iter().any(|word| words.contains(&word.as_str()));
    let are_titles = titles.len() > 2
        && titles.first().is_some_and(|first| has(first, &["domain", "receiving", "route"]))
        && titles.iter().skip(1).any(|title| has(title, &["destination", "destinations", "host", "hosts"]));
    !line.contains(['.', ':', ','])
        && !found.is_empty()
        && (are_titles || found.iter().all(|word| known.contains(&word.as_str())))
}

/// `example.com  mx.example.com, other.example.com:2525/pri=5`, with any separator; a domain alone opens a route.
fn route(line: &str) -> Option<Route> {
    let line = line.trim();
    // A row number in front is no part of the route.
    let line = line
        .split_once(". ")
        .filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(line, |(_, rest)| rest.trim());
    let end = line.find(|letter: char| letter.is_whitespace() || "=:|,".contains(letter)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let (name, separated) = match name.strip_suffix('-') {
        // `a->b` without blanks.
        Some(before) if rest.is_empty() => (before, true),
        _ => (unquote(name), false),
    };
    let is_all = name.eq_ignore_ascii_case("ALL");
    if !is_all && domain(name).is_err() {
        return None;
    }
    let mut rest = rest.trim();
    if is_all && rest.to_ascii_lowercase().starts_with("(default") {
        rest = rest.split_once(')')?.1.trim();
    }
    let rest = behind_separator(rest);
    let rest = behind_separator(rest.strip_prefix("->").unwrap_or(rest));
    let (hosts, foreign) = if rest.is_empty() && !separated { (Vec::new(), Vec::new()) } else { destinations(rest)? };
    // Two words may be a sentence.
    let is_sentence = !is_all && !name.contains('.') && line.ends_with(['.', '!', '?']);
    (!is_sentence).then(|| Route { domain: domain_meaning(name), hosts, foreign, ..Route::default() })
}

/// Takes separators off the front of a text. Two colons begin an IPv6 address.
fn behind_separator(text: &str) -> &str {
    let mut rest = text.trim();
    while let Some(after) = rest.strip_prefix(['=', ':', '|', '>', ',']).filter(|_| !rest.starts_with("::")) {
        rest = after.trim_start();
    }
    rest
}

/// Understands destinations in the forms that the device accepts, and gives what is said of them that nobody knows.
fn destinations(text: &str) -> Option<(Vec<Value>, Vec<String>)> {
    let (text, foreign) = without_notes(text)?;
    let by_comma = text.contains(',');
    let mut pieces: Vec<String> = Vec::new();
    for piece in
        text.split(|letter: char| letter.is_whitespace() || letter == ',' || letter == ';').filter(|piece| !piece.is_empty())
    {
        match pieces.last_mut() {
            // `host /pri=5` is one destination.
            Some(before) if piece.to_ascii_lowercase().starts_with("/pri") => before.push_str(piece),
            _ => pieces.push(piece.to_owned()),
        }
    }
    let alone = pieces.len() == 1;
    let hosts: Option<Vec<Value>> = pieces.iter().map(|piece| destination(unquote(piece), by_comma || alone)).collect();
    hosts.filter(|hosts| !hosts.is_empty()).map(|hosts| (hosts, foreign))
}

/// Takes what is said in parentheses out of a list of destinations: a priority goes to the host before it, and any other note is given. Nothing if
/// what is said may be a host.
fn without_notes(text: &str) -> Option<(String, Vec<String>)> {
    let (mut plain, mut notes) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(" (") {
        let (note, behind) = behind.split_once(')')?;
        plain.push_str(before);
        let lower = note.trim().to_ascii_lowercase();
        let priority = lower.trim_start_matches('/').strip_prefix("pri").map(|rest| rest.trim_start_matches("ority"));
        match priority.map(|rest| rest.trim_start_matches(['=', ':', ' ']).parse::<u16>()) {
            Some(Ok(priority)) => plain.extend(["/pri=", &priority.to_string()]),
            _ => match setting(note) {
                Some((_, told)) => notes.extend(told),
                None if may_be_host(note) || note.contains(':') => return None,
                None => notes.extend(foreign::line(note)),
            },
        }
        rest = behind;
    }
    plain.push_str(rest);
    Some((plain, notes))
}

/// `host`, `[host]`, `host:port`, `host:port/pri=N`.
pub(in crate::gateway) fn destination(text: &str, any_host: bool) -> Option<Value> {
    let make = |host: &str, port: i64, priority: i64| {
        Value::object([("host", Value::text(host)), ("port", Value::integer(port)), ("priority", Value::integer(priority))])
    };
    if ["usedns", "/dev/null"].contains(&text.to_ascii_lowercase().as_str()) {
        return Some(make(&route_host_meaning(text), 25, 0));
    }
    let lower = text.to_ascii_lowercase();
    let (text, priority) = match lower.find("/pri") {
        Some(at) => {
            let digits = lower.get(at + 4..)?.trim_start_matches(['=', ':', ' ']);
            (text.get(..at)?, digits.parse::<u16>().ok()?)
        }
        None => (text, 0),
    };
    let (host, port) = match text.rfind(']') {
        Some(end) => (text.get(..=end)?, text.get(end + 1..)?.strip_prefix(':')),
        // More than one colon and no bracket: an IPv6 address.
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port: u16 = port.map_or(Ok(25), str::parse).ok()?;
    let sound = route_host(host).is_ok() && (any_host || host.contains(['.', ':', '[']));
    sound.then(|| make(&route_host_meaning(host), port.into(), priority.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(opening: &str, printed: &str) -> Result<Rows, Error> {
        parse(&[Said { opening: opening.to_owned(), after: vec![String::new(), printed.to_owned()] }])
    }

    fn host(name: &str, port: i64, priority: i64) -> Value {
        Value::object([("host", Value::text(name)), ("port", Value::integer(port)), ("priority", Value::integer(priority))])
    }

    #[test]
    fn any_separator_makes_the_same_routes() {
        let expected = [
            ("example.com", vec![host("mx.example.net", 25, 0), host("[b.example.net]", 2525, 5)]),
            (".example.com", vec![host("USEDNS", 25, 0)]),
            ("gone.example", vec![host("/dev/null", 25, 0)]),
            ("ALL", vec![host("192.0.2.1", 25, 0)]),
        ];
        let check = |printed: &str| {
            let rows = read("There are currently 4 routes configured.", printed).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            let found: Vec<(&str, &Value)> =
                rows.rows.iter().map(|row| (row.id.as_str(), row.record.get("destination"))).collect();
            let wanted: Vec<(&str, Value)> =
                expected.iter().map(|(domain, hosts)| (*domain, Value::List(hosts.clone()))).collect();
            assert_eq!(found, wanted.iter().map(|(domain, hosts)| (*domain, hosts)).collect::<Vec<_>>(), "{printed}");
        };
        check(
            "example.com mx.example.net, [b.example.net]:2525/pri=5\n.example.com USEDNS\ngone.example /dev/null\nALL 192.0.2.1\n",
        );
        check(
            "example.com = mx.example.net,[b.example.net]:2525/pri=5\n.example.com = USEDNS\ngone.example = /dev/null\nALL = 192.0.2.1\n",
        );
        check(
            "EXAMPLE.com: MX.example.net  [b.example.net]:2525/pri=5\n\n.example.com: usedns\ngone.example: /dev/null\nall: 192.0.2.1:25\n",
        );
        check(
            "Domain          Destination Hosts\n======          =====\nexample.com     mx.example.net, [b.example.net]:2525 /pri=5\n.example.com    USEDNS\ngone.example  /dev/null\nALL (default)   192.0.2.1\n\nThere are currently 4 routes configured.\n",
        );
        check(
            "example.com -> mx.example.net, [b.example.net]:2525/PRI=5\n.example.com -> USEDNS\ngone.example -> /dev/null\nALL -> 192.0.2.1/pri=0\n",
        );
        check(
            "1. example.com, mx.example.net, [b.example.net]:2525/pri=5\n2. .example.com, USEDNS\n3. gone.example, /dev/null\n4. ALL, 192.0.2.1\n",
        );
        check(
            "example.com\n    mx.example.net\n    [b.example.net]:2525/pri=5\n.example.com\n    USEDNS\ngone.example\n  /dev/null\nALL\n  192.0.2.1\n",
        );
    }

    #[test]
    fn rg2_rg10_what_no_argument_is_for_stays_with_its_route_in_every_layout() {
        for printed in [
            "a.example mx.example.net (Delivery Class: Bulk)\nb.example mx.example.net\n",
            "a.example, mx.example.net (pri=5), [b.example.net] (delivery class=Bulk)\nb.example, mx.example.net\n",
            "a.example\n    mx.example.net\n    Delivery Class: Bulk\nb.example\n    mx.example.net\n",
            "Domain  Destination Hosts  Delivery Class\na.example  mx.example.net  Bulk\nb.example  mx.example.net  -\n",
            "Domain     Destination Hosts                Delivery Class\na.example  mx.example.net, m2.example.net   Bulk\nb.example  mx.example.net\n",
        ] {
            let rows = read("", printed).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            let told: Vec<String> = rows.rows.iter().map(|row| row.record.texts("unmanaged").join("; ").to_lowercase()).collect();
            assert!(told[0].ends_with("delivery class = bulk"), "{printed} {told:?}");
            assert_eq!((told.len(), told[1].as_str()), (2, ""), "{printed}");
        }
        // A note without a label stays with its route, too, and the hosts around it are read.
        let rows = read("", "a.example mx.example.net (kept for now), m2.example.net\n").unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        assert_eq!(rows.rows[0].record.get("destination").as_elements().map(<[Value]>::len), Some(2));
        assert_eq!(rows.rows[0].record.texts("unmanaged").len(), 1);
        // What may be a host is not passed over.
        let rows = read("", "a.example\n    mx.example.net\n    Backup: m2.example.net\n").unwrap();
        assert!(rows.rows.is_empty() && rows.may_hide(["a.example"]), "{rows:?}");
    }

    #[test]
    fn an_address_of_ipv6_is_no_separator() {
        for printed in ["a.example  ::1\n", "a.example: ::1\n", "a.example = ::1\n", "a.example, ::1\n", "a.example -> ::1\n"] {
            let rows = read("", printed).unwrap();
            assert_eq!(rows.rows[0].record.get("destination"), &Value::List(vec![host("::1", 25, 0)]), "{printed}");
        }
    }

    #[test]
    fn further_columns_are_passed_over() {
        let rows = read(
            "",
            "Domain  Destination Hosts  SMTP Auth Profile\nexample.com  a.example.net, b.example.net  None\nALL  USEDNS  None\n",
        )
        .unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        assert_eq!(
            rows.rows[0].record.get("destination"),
            &Value::List(vec![host("a.example.net", 25, 0), host("b.example.net", 25, 0)])
        );
        assert_eq!(rows.rows[1].record.get("destination"), &Value::List(vec![host("USEDNS", 25, 0)]));
    }

    #[test]
    fn an_authentication_profile_is_read_where_it_is_printed() {
        let check = |printed: &str| {
            let rows = read("", printed).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            let found: Vec<_> = rows.rows.iter().map(|row| (row.id.as_str(), row.record.text("smtp_auth_profile"))).collect();
            assert_eq!(found, [("a.example", Some("out")), ("b.example", None)], "{printed}");
            assert_eq!(rows.rows[0].record.get("destination"), &Value::List(vec![host("mx.example.net", 25, 0)]), "{printed}");
        };
        check("Domain  Destination Hosts  SMTP Auth Profile\na.example  mx.example.net  out\nb.example  USEDNS  None\n");
        check("a.example mx.example.net (SMTP AUTH profile: out)\nb.example USEDNS (SMTP AUTH profile: none)\n");
        check("a.example mx.example.net\n   SMTP authentication profile: out\nb.example USEDNS\n");
        check("a.example  mx.example.net, smtp auth=\"out\"\nb.example  USEDNS\n");
    }

    #[test]
    fn an_empty_table_has_no_rows_and_a_cut_off_one_is_an_error() {
        assert_eq!(read("There are no routes configured.", "").unwrap(), Rows::default());
        assert_eq!(
            parse(&[Said { opening: "There are currently 0 routes configured.".to_owned(), after: vec![String::new()] }])
                .unwrap(),
            Rows::default()
        );
        for empty in [
            "No SMTP routes are defined.",
            "The routing table is empty.",
            "There are no entries.",
            "No entries.",
            "None.",
            "Currently there are no routes",
            "No routes configured",
            "(none)",
            "Nothing is configured.",
            "SMTP routes: none",
        ] {
            assert_eq!(read(empty, empty).unwrap(), Rows::default(), "{empty}");
        }
        assert!(read("There are currently 3 routes configured.", "example.com mx.example.net\n").is_err());
    }

    #[test]
    fn counts_in_other_words_are_no_rows() {
        for count in [
            "2 routes configured.",
            "Total: 2",
            "Number of routes: 2",
            "2 entries.",
            "Currently configured routes: 2",
            "Showing 2 of 2 routes",
        ] {
            let rows = read("", &format!("{count}\n\nexample.com   mx.example.net\nALL   USEDNS\n\n{count}\n")).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{count}");
            assert_eq!(rows.rows.len(), 2, "{count}");
        }
    }

    #[test]
    fn a_strange_line_is_kept() {
        let rows = read("", "example.com mx.example.net\nSome words of another release\nbroken.example host:port:x/y\n").unwrap();
        assert_eq!(rows.not_understood, ["Some words of another release", "broken.example host:port:x/y"]);
        assert_eq!(rows.rows.len(), 1);
    }
}
