//! The destination control table: `destconfig`, then `DETAIL` of `ALL` (or `LIST`, `PRINT` on releases without it).
//!
//! A detail block, of which only the labels are known; other layouts with the same meaning are read, too:
//!
//! ```text
//! example.com
//!  Maximum messages per connection: 20
//!  Rate Limiting:
//!    10 concurrent connections
//!    No recipient limit
//!    Limits applied to entire domain, across all virtual gateways
//!  TLS: Preferred
//!  Bounce Verification Tagging: Default
//!  Bounce Profile: Default
//! ```
//!
//! The list has the columns Domain, Rate Limiting, TLS, Bounce Verification and Bounce Profile; its cells have no numbers, so a row
//! that only the list shows has no limits that could be told. The file form is made of INI sections (`[example.com]`,
//! `max_host_concurrency = 10`, `table_tls = on`).

use super::{banner, cells, cells_of, complete, count_of, is_noise, label, lines, numbers, unquote, whole, words};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::resources::forms::domain_meaning;
use crate::gateway::table::{Row, Rows};
use crate::remote::Error;
use crate::schema::Record;
use crate::value::Value;

/// The name of the resource that these rows belong to.
const RESOURCE: &str = "gateway_destination_control";

/// The dialog that prints the table; then the one for the entry `DEFAULT`, where it was not among all.
pub(in crate::gateway) fn dialog(said: &[Said]) -> Option<Dialog> {
    match said {
        [] => Some(super::printing(Dialog::of("destconfig").choose_if_offered(&["DETAIL", "LIST", "PRINT"]).key_if_asked("ALL"))),
        [all] if !read(&[all]).entries.iter().any(Entry::is_default) => {
            Some(super::printing(Dialog::of("destconfig").choose_if_offered(&["DETAIL"]).key_if_asked("DEFAULT")))
        }
        _ => None,
    }
}

/// Understands the table.
pub(in crate::gateway) fn parse(said: &[Said]) -> Result<Rows, Error> {
    let Some(first) = said.first() else { return Ok(Rows::default()) };
    let table = read(&said.iter().collect::<Vec<_>>());
    let announced = count_of(&whole(first), &["entr", "destination"]).or_else(|| count_of(&banner(first), &["configured"]));
    complete("destination control table", table.entries.len(), announced)?;
    let rows = table.entries.iter().map(Entry::row).collect();
    Ok(Rows { rows, not_understood: table.not_understood })
}

fn read(said: &[&Said]) -> Table {
    let mut table = Table::default();
    for said in said {
        table.current = None;
        table.columns.clear();
        for line in lines(super::last(said)) {
            table.line(line);
        }
    }
    table
}

/// The words of a value have no known meaning.
struct NotUnderstood;

/// What is known of one entry. What is not said is `None`, which means the table's default.
#[derive(Debug, Default)]
struct Entry {
    domain: String,
    concurrency: Option<i64>,
    messages: Option<i64>,
    recipients: Option<i64>,
    minutes: Option<i64>,
    limit_type: Option<&'static str>,
    limit_apply: Option<&'static str>,
    tls: Option<&'static str>,
    bounce_verification: Option<&'static str>,
    bounce_profile: Option<String>,
    ip_sort: Option<&'static str>,
    dane: Option<&'static str>,
}

impl Entry {
    fn is_default(&self) -> bool {
        self.domain == "DEFAULT"
    }

    fn row(&self) -> Row {
        // The entry DEFAULT inherits from nothing: what a release does not show of it is off.
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::integer);
        let record = Record::new()
            .with("id", self.domain.as_str())
            .with("domain", self.domain.as_str())
            .with("concurrency_limit", number(self.concurrency))
            .with("max_messages_per_connection", number(self.messages))
            .with("recipient_limit", number(self.recipients))
            .with("recipient_limit_minutes", self.minutes.unwrap_or(60))
            .with("concurrency_limit_type", self.limit_type.unwrap_or("host"))
            .with("concurrency_limit_apply", self.limit_apply.unwrap_or("system"))
            .with("tls", self.tls.unwrap_or(if self.is_default() { "none" } else { "default" }))
            .with("bounce_verification", self.bounce_verification.unwrap_or(if self.is_default() { "off" } else { "default" }))
            .with("bounce_profile", self.bounce_profile.clone().map_or(Value::Null, Value::text))
            .with("ip_sort_preference", self.ip_sort.unwrap_or("default"))
            .with("dane", self.dane.unwrap_or(if self.is_default() { "none" } else { "default" }));
        Row { resource: RESOURCE, id: self.domain.clone(), record }
    }
}

#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    not_understood: Vec<String>,
    /// The entry whose block is being read.
    current: Option<usize>,
    /// The headings of the list that is being read.
    columns: Vec<Column>,
    /// A label stood alone on the line before: the next line may be its value.
    label_before: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Domain,
    Rate,
    Tls,
    BounceVerification,
    BounceProfile,
    IpSort,
    Dane,
    Other,
}

impl Table {
    fn line(&mut self, line: &str) {
        let line = line.split_once(" ;").map_or(line, |(before, _)| before).trim();
        let label_before = std::mem::take(&mut self.label_before);
        if line.starts_with('#') || is_noise(line) || self.heading_row(line) {
            return;
        }
        if !self.columns.is_empty() && self.list_row(line) {
            return;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return self.open(section);
        }
        let lower = line.to_lowercase();
        if let Some((label, value)) = label(line) {
            let name = label.to_lowercase();
            let names_entry =
                ["domain", "destination", "destination domain", "host", "entry", "profile", "name"].contains(&name.as_str());
            if names_entry && !value.is_empty() {
                return self.open(value);
            }
            if value.is_empty() {
                if let Some(domain) =
                    name.rsplit_once(" for ").map(|(_, domain)| domain).or(Some(name.as_str())).filter(|name| is_domain(name))
                {
                    return self.open(domain);
                }
                self.label_before = true;
                if name.contains("rate limit") || name == "limits" || name == "limiting" {
                    return;
                }
            }
            if !self.setting(&name, value) {
                self.not_understood.push(line.to_owned());
            }
            return;
        }
        if label_before && (is_default_word(line) || ["on", "off", "none"].contains(&lower.as_str())) {
            return;
        }
        if is_domain(&lower) {
            return self.open(line);
        }
        if !self.limit(&lower) {
            self.not_understood.push(line.to_owned());
        }
    }

    /// Begins (or goes on with) the block of an entry.
    fn open(&mut self, domain: &str) {
        self.columns.clear();
        let domain = if is_default_word(domain) { "DEFAULT".to_owned() } else { domain_meaning(unquote(domain)) };
        let known = self.entries.iter().position(|entry| entry.domain == domain);
        self.current = Some(known.unwrap_or_else(|| {
            self.entries.push(Entry { domain, ..Entry::default() });
            self.entries.len() - 1
        }));
    }

    /// Takes a line of column headings. A heading may be spread over two lines; the line with "Domain" counts.
    fn heading_row(&mut self, line: &str) -> bool {
        const HEADINGS: [&str; 20] = [
            "domain",
            "destination",
            "rate",
            "limiting",
            "limit",
            "limits",
            "tls",
            "support",
            "bounce",
            "verification",
            "tagging",
            "profile",
            "ip",
            "version",
            "sort",
            "preference",
            "address",
            "dane",
            "name",
            "host",
        ];
        let found = words(line);
        // A domain may be made of these words, too: `domain.name`.
        if line.contains([':', '=', '[', '.']) || found.is_empty() || !found.iter().all(|word| HEADINGS.contains(&word.as_str()))
        {
            return false;
        }
        let names_entries = found.iter().any(|word| ["domain", "destination", "host"].contains(&word.as_str()));
        if names_entries && found.len() > 1 {
            let apart = cells(line);
            let titles: Vec<&str> = if apart.len() > 1 { apart } else { line.split_whitespace().collect() };
            self.columns = titles.into_iter().map(column).collect();
            self.current = None;
        }
        // The upper half of a heading of two lines; a block's line of one of these words alone would have a colon.
        names_entries || found.len() > 1
    }

    /// Takes a row of the list.
    fn list_row(&mut self, line: &str) -> bool {
        let Some(row) = cells_of(line, self.columns.len()) else { return false };
        let columns = self.columns.clone();
        let Some(domain) = columns.iter().position(|column| *column == Column::Domain).and_then(|at| row.get(at)) else {
            return false;
        };
        if !is_domain(&domain.to_lowercase()) {
            return false;
        }
        self.open(domain);
        let mut understood = true;
        for (column, cell) in columns.iter().zip(&row) {
            understood &= match column {
                Column::Domain | Column::Other | Column::Rate => true,
                Column::Tls => self.setting("tls", cell),
                Column::BounceVerification => self.setting("bounce verification", cell),
                Column::BounceProfile => self.setting("bounce profile", cell),
                Column::IpSort => self.setting("ip sort preference", cell),
                Column::Dane => self.setting("dane", cell),
            };
        }
        if !understood {
            self.not_understood.push(line.to_owned());
        }
        self.columns = columns;
        self.current = None;
        true
    }

    /// Takes a setting with its label. Tells whether it was understood.
    fn setting(&mut self, label: &str, value: &str) -> bool {
        let label = label.replace(['_', '-'], " ");
        let lower = unquote(value).to_lowercase();
        let Some(entry) = self.current.and_then(|at| self.entries.get_mut(at)) else { return false };
        let has = |word: &str| label.contains(word);
        if has("alert") || has("certificate") {
            return true;
        }
        if has("dane") {
            return dane(&lower).map(|mode| entry.dane = Some(mode)).is_some();
        }
        if has("limit") && (has("type") || has("appl") || has("enforce")) {
            return entry.scope(&lower);
        }
        if has("concurren") || (has("connections") && !has("message")) {
            return entry.number(&lower).map(|number| entry.concurrency = number).is_ok();
        }
        if has("recipient") && (has("minute") || has("period") || has("interval")) {
            return entry.number(&lower).map(|number| entry.minutes = number).is_ok();
        }
        if has("recipient") {
            return entry.recipients(&lower);
        }
        if has("message") {
            return entry.number(&lower).map(|number| entry.messages = number).is_ok();
        }
        if has("rate limit") || has("limits") || has("limiting") {
            // Releases that keep it on one line part the pieces by commas or semicolons.
            return is_default_word(&lower) || super::truth(&lower).is_some() || self.limit(&lower) || self.scope(&lower);
        }
        if has("tls") {
            return tls(&lower).map(|mode| entry.tls = Some(mode)).is_some();
        }
        if has("profile") {
            entry.bounce_profile = (!is_default_word(&lower) && !["none", "", "system default"].contains(&lower.as_str()))
                .then(|| unquote(value).to_owned());
            return true;
        }
        if has("bounce") || has("tagging") {
            entry.bounce_verification = match super::truth(&lower) {
                Some(true) => Some("on"),
                Some(false) => Some("off"),
                None if words(&lower).first().is_some_and(|word| word == "default") => Some("default"),
                None => return false,
            };
            return true;
        }
        if has("ip ") && (has("sort") || has("preference") || has("version")) || has("sort pref") {
            return ip_sort(&lower).map(|preference| entry.ip_sort = Some(preference)).is_some();
        }
        false
    }

    /// Takes a line that says a limit in words.
    fn limit(&mut self, lower: &str) -> bool {
        let Some(entry) = self.current.and_then(|at| self.entries.get_mut(at)) else { return false };
        if lower.contains(',') && !lower.contains("applied") && !lower.contains("entire") {
            let parts: Vec<String> = lower.split([',', ';']).map(|part| part.trim().to_owned()).collect();
            let understood: Vec<bool> = parts.iter().map(|part| self.limit(part)).collect();
            return !understood.contains(&false);
        }
        if lower.contains("concurren") || (lower.contains("connections") && !lower.contains("message")) {
            entry.number(lower).map(|number| entry.concurrency = number).is_ok()
        } else if lower.contains("recipient") {
            entry.recipients(lower)
        } else if lower.contains("message") {
            entry.number(lower).map(|number| entry.messages = number).is_ok()
        } else {
            lower.contains("limit") && entry.scope(lower)
        }
    }
}

impl Table {
    /// What the limits of the current entry count, and for whom.
    fn scope(&mut self, lower: &str) -> bool {
        self.current.and_then(|at| self.entries.get_mut(at)).is_some_and(|entry| entry.scope(lower))
    }
}

impl Entry {
    /// A number, or the word for "as the default says" or "no limit".
    fn number(&self, lower: &str) -> Result<Option<i64>, NotUnderstood> {
        if lower.contains("default") && !self.is_default() {
            return Ok(None);
        }
        match numbers(lower).first() {
            Some(number) => Ok(Some(*number)),
            None if words(lower)
                .iter()
                .any(|word| ["default", "no", "none", "off", "unlimited", "undefined"].contains(&word.as_str())) =>
            {
                Ok(None)
            }
            None => Err(NotUnderstood),
        }
    }

    /// `No recipient limit`, `1000 recipients per 60 minutes`, `1000`.
    fn recipients(&mut self, lower: &str) -> bool {
        let Ok(limit) = self.number(lower) else { return false };
        self.recipients = limit;
        if limit.is_some() {
            let minutes = numbers(lower).get(1).copied();
            self.minutes = minutes.or(self.minutes).or(lower.contains("hour").then_some(60));
        }
        true
    }

    /// What a limit counts, and for whom.
    fn scope(&mut self, lower: &str) -> bool {
        let counted = words(lower);
        let exact = |word: &str| counted.iter().any(|found| found == word);
        let limit_type = if lower.contains("mail exchanger") || exact("mxip") || exact("mx") || lower.contains("each ip") {
            Some("MXIP")
        } else if lower.contains("entire") || lower.contains("whole") || exact("host") {
            Some("host")
        } else {
            None
        };
        let apply = if lower.contains("across all") || exact("system") || exact("wide") {
            Some("system")
        } else if exact("vg") || lower.contains("virtual gateway") {
            Some("VG")
        } else {
            None
        };
        self.limit_type = limit_type.or(self.limit_type);
        self.limit_apply = apply.or(self.limit_apply);
        limit_type.is_some() || apply.is_some()
    }
}

fn column(title: &str) -> Column {
    let title = title.to_lowercase();
    let has = |word: &str| title.contains(word);
    if has("profile") {
        Column::BounceProfile
    } else if has("verification") || has("tagging") {
        Column::BounceVerification
    } else if has("dane") {
        Column::Dane
    } else if has("tls") {
        Column::Tls
    } else if has("limit") || has("rate") {
        Column::Rate
    } else if has("preference") || has("version") || has("sort") {
        Column::IpSort
    } else if has("domain") || has("destination") || has("host") {
        Column::Domain
    } else {
        Column::Other
    }
}

/// Tells whether a text that stands alone names an entry.
fn is_domain(lower: &str) -> bool {
    let name = unquote(lower);
    let looks_like_one = name.contains('.')
        && name.split('.').next_back().is_some_and(|top| top.starts_with(|letter: char| letter.is_alphabetic()));
    is_default_word(lower) || (looks_like_one && crate::gateway::resources::forms::domain(name).is_ok())
}

fn is_default_word(text: &str) -> bool {
    let found = words(text);
    // `default.entry` is a domain.
    let text = text.trim_end_matches('.');
    !text.contains('.') && (found == ["default"] || found == ["default", "entry"])
}

/// Understands a way to use TLS, by its words: `Preferred (Verify)`, `Req`, `on_verify`, `2`.
pub(in crate::gateway) fn tls(text: &str) -> Option<&'static str> {
    let found = words(text);
    let has = |prefix: &str| found.iter().any(|word| word.starts_with(prefix));
    if found.first().is_some_and(|word| word == "default") {
        return Some("default");
    }
    let required = has("req") || has("mandatory");
    let preferred = has("pref") || found.iter().any(|word| word == "on" || word == "yes");
    if has("hosted") {
        Some("required_verify_hosted_domains")
    } else if has("verif") {
        if required { Some("required_verify") } else { preferred.then_some("preferred_verify") }
    } else if required {
        Some("required")
    } else if preferred {
        Some("preferred")
    } else {
        match found.first().map(String::as_str)? {
            "off" | "none" | "no" | "not" | "0" => Some("none"),
            "1" => Some("preferred"),
            "2" => Some("required"),
            "3" => Some("preferred_verify"),
            "4" => Some("required_verify"),
            _ => None,
        }
    }
}

/// Understands a way to use DANE: `No`, `Opportunistic`, `Mandatory`.
pub(in crate::gateway) fn dane(text: &str) -> Option<&'static str> {
    let found = words(text);
    let has = |prefix: &str| found.iter().any(|word| word.starts_with(prefix));
    if found.first().is_some_and(|word| word == "default") {
        Some("default")
    } else if has("opportun") {
        Some("opportunistic")
    } else if has("mandator") || has("requir") {
        Some("mandatory")
    } else {
        ["no", "none", "off", "disabled", "not"].contains(&found.first()?.as_str()).then_some("none")
    }
}

/// Understands which IP version is tried first: `PREFER_V6`, `Require IPv4`, `Prefer IPv6`.
pub(in crate::gateway) fn ip_sort(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let six = lower.contains("v6") || lower.contains("ip6");
    let four = lower.contains("v4") || lower.contains("ip4");
    match (lower.contains("require") || lower.contains("only"), lower.contains("prefer"), six, four) {
        (true, _, true, false) => Some("require_v6"),
        (true, _, false, true) => Some("require_v4"),
        (false, true, true, false) => Some("prefer_v6"),
        (false, true, false, true) => Some("prefer_v4"),
        _ if is_default_word(text) => Some("default"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(opening: &str, printed: &str) -> Vec<Said> {
        vec![Said { opening: opening.to_owned(), after: vec![String::new(), printed.to_owned()] }]
    }

    fn entry(rows: &Rows, id: &str) -> Record {
        rows.find(RESOURCE, id).unwrap_or_else(|| panic!("no {id} in {rows:?}")).record.clone()
    }

    const DETAIL: &str = "
example.com
 Maximum messages per connection: 20
 Rate Limiting:
   10 concurrent connections
   1000 recipients per 30 minutes
   Limits applied to each mail exchanger IP address, per virtual gateway
 TLS: Preferred (Verify)
 DANE Support: Opportunistic
 Bounce Verification Tagging: On
 Bounce Profile: tagging

partner.com
 Maximum messages per connection: Default
 Rate Limiting: Default
 TLS: Req
 Bounce Verification Tagging: Default
 Bounce Profile: Default

Default
 Maximum messages per connection: 50
 Rate Limiting:
   500 concurrent connections
   No recipient limit
   Limits applied to entire domain, across all virtual gateways
 TLS: Off
 Bounce Verification Tagging: Off
 IP Sort Preference: Prefer IPv6

There are currently 2 entries configured.
";

    #[test]
    fn a_detail_block_says_every_limit() {
        let rows = parse(&said("There are currently 2 entries configured.", DETAIL)).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let example = entry(&rows, "example.com");
        assert_eq!(example.integer("concurrency_limit"), Some(10));
        assert_eq!(example.integer("max_messages_per_connection"), Some(20));
        assert_eq!(example.integer("recipient_limit"), Some(1000));
        assert_eq!(example.integer("recipient_limit_minutes"), Some(30));
        assert_eq!(example.text("concurrency_limit_type"), Some("MXIP"));
        assert_eq!(example.text("concurrency_limit_apply"), Some("VG"));
        assert_eq!(example.text("tls"), Some("preferred_verify"));
        assert_eq!(example.text("dane"), Some("opportunistic"));
        assert_eq!(example.text("bounce_verification"), Some("on"));
        assert_eq!(example.text("bounce_profile"), Some("tagging"));
        let partner = entry(&rows, "partner.com");
        assert_eq!(partner.get("concurrency_limit"), &Value::Null);
        assert_eq!(partner.text("tls"), Some("required"));
        assert_eq!(partner.get("bounce_profile"), &Value::Null);
        let default = entry(&rows, "DEFAULT");
        assert_eq!(default.integer("concurrency_limit"), Some(500));
        assert_eq!(default.text("tls"), Some("none"));
        assert_eq!((partner.text("dane"), default.text("dane")), (Some("default"), Some("none")));
        assert_eq!(default.text("ip_sort_preference"), Some("prefer_v6"));
    }

    #[test]
    fn other_layouts_say_the_same() {
        let check = |printed: &str| {
            let rows = parse(&said("", printed)).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            let example = entry(&rows, "example.com");
            assert_eq!(example.integer("concurrency_limit"), Some(10), "{printed}");
            assert_eq!(example.text("tls"), Some("preferred"), "{printed}");
            assert_eq!(entry(&rows, "DEFAULT").integer("concurrency_limit"), Some(500), "{printed}");
        };
        check("[DEFAULT]\nip_sort_pref = PREFER_V6\nmax_host_concurrency = 500\nlimit_type = host\nlimit_apply = VG\ntable_tls = off ; note\nsend_tls_req_alert = 0\n[example.com]\nmax_host_concurrency = 10\nlimit_type = 1\n".replace("limit_type = 1", "limit_type = MXIP\ntable_tls = on").as_str());
        check(
            "Domain: EXAMPLE.COM\n  Concurrency limit: 10\n  TLS Support: Preferred\n\nDomain: (Default)\n  Concurrency limit: 500\n  TLS support: No\n",
        );
        check(
            "\"example.com\":\n\tmaximum concurrent connections : 10\n\ttls=pref\nDEFAULT:\n\tmaximum concurrent connections : 500\n",
        );
        check(
            "Domain: example.com\nConnections: 10\nMessages per connection: 20\nLimits: entire domain, system wide\nTLS: Preferred\nBounce verification: Default (Off)\n\nDomain: DEFAULT\nConnections: 500\n",
        );
        check("Details for example.com:\n 10 CONCURRENT CONNECTIONS\n Tls: ON\n(Default)\n 500 concurrent connections\n");
        check(
            "Destination: example.com\nRate limiting: 10 concurrent connections, no recipient limit\nUse TLS: Preferred\nDefault\nConcurrent connections: 500\n",
        );
    }

    #[test]
    fn a_domain_that_is_made_of_the_words_of_headings_is_a_domain() {
        for domain in ["domain.name", "host.name", "default.entry", "bounce.profile"] {
            let rows = parse(&said("There are currently 1 entries configured.", &format!("{domain}\n TLS: On\n"))).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{domain}");
            assert_eq!(entry(&rows, domain).text("tls"), Some("preferred"));
        }
    }

    #[test]
    fn the_list_shows_what_it_can() {
        let one = "
                Rate               Bounce         Bounce
Domain          Limiting  TLS      Verification   Profile
==============  ========  =======  ============   ========
example.com     On        Required Default        (Default)
(Default)       On        Off      Off            (Default)
";
        let other = "Domain  Bounce Profile  TLS  Rate Limiting  Bounce Verification\nexample.com  Default  Required  On  Default\n(Default)  Default  Off  On  Off\n";
        for printed in [one, other] {
            let rows = parse(&said("There are currently 1 entries configured.", printed)).unwrap();
            assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
            assert_eq!(entry(&rows, "example.com").text("tls"), Some("required"), "{printed}");
            assert_eq!(entry(&rows, "example.com").get("concurrency_limit"), &Value::Null);
            assert_eq!(entry(&rows, "DEFAULT").text("bounce_verification"), Some("off"), "{printed}");
            assert_eq!(rows.rows.len(), 2);
        }
    }

    #[test]
    fn the_entry_default_is_asked_for_where_it_is_not_among_all() {
        let first = said("There are currently 1 entries configured.", "example.com\n 10 concurrent connections\n");
        let again = dialog(&first).expect("a second dialog");
        let keys: Vec<String> = again
            .sections
            .iter()
            .flat_map(|section| &section.answers)
            .filter_map(|answer| match &answer.reply {
                crate::gateway::dialog::Reply::Key(key) => Some(key.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(keys, ["DEFAULT"]);
        let both = [first[0].clone(), said("", "DEFAULT\n 500 concurrent connections\n")[0].clone()];
        assert!(dialog(&both).is_none());
        let rows = parse(&both).unwrap();
        assert_eq!(entry(&rows, "DEFAULT").integer("concurrency_limit"), Some(500));
        assert_eq!(entry(&rows, "example.com").integer("concurrency_limit"), Some(10));
        assert!(dialog(&said("", DETAIL)).is_none());
        assert!(parse(&[said("", "No entries are configured.").remove(0), Said::default()]).unwrap().not_understood.is_empty());
    }

    #[test]
    fn g21_fewer_entries_than_announced_is_an_error_and_a_strange_line_is_kept() {
        let error = parse(&said("There are currently 3 entries configured.", "example.com\n TLS: On\n")).unwrap_err();
        assert!(error.message.contains("not printed whole"), "{error}");
        let rows = parse(&said("", "example.com\n TLS: On\n Quantum Mode: maybe\n")).unwrap();
        assert_eq!(rows.not_understood, ["Quantum Mode: maybe"]);
    }
}
