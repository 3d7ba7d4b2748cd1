//! Generated tables: rows and settings of forms that no table knows, anywhere in every printout and layout.
//!
//! Each table has some rows whose names validate takes, with a value each, and among them rows that nobody can read and settings that no argument is
//! for. Whatever these are: each row that can be read has its own value and nothing of another, what validate takes is found, and the count that the
//! device announces holds.

use super::*;

/// How many tables of each printout and layout are made: ten thousand in the profile of `.ci/run`, and as many as `MAILFLOW_TABLES` says.
fn tables() -> u64 {
    let wanted = std::env::var("MAILFLOW_TABLES").ok().and_then(|number| number.parse().ok());
    wanted.unwrap_or(if cfg!(debug_assertions) { 250 } else { 10_000 })
}

/// Numbers in an order that a seed decides (`SplitMix64`).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(sides.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.roll(items.len())]
    }

    fn word(&mut self) -> String {
        let length = 3 + self.roll(6);
        (0..length).map(|_| char::from(b'a' + u8::try_from(self.roll(26)).unwrap_or_default())).collect()
    }
}

/// Labels that are no setting's, some with words of settings, and their values.
const LABELS: &[&str] = &[
    "Delivery Class",
    "Message Tracking",
    "TLS Reporting",
    "Recipient Verification",
    "Bounce Address Rewrite",
    "DANE Reporting",
    "Connection Reuse",
    "Adaptive Throttle",
    "Retry Schedule",
    "Receiving Quota",
    "Geo Fence",
];
const VALUES: &[&str] = &["Bulk", "Fast", "5", "strict", "Yes", "a b"];

/// What stands in the place of a name, and is none that this provider knows.
const ODD_NAMES: &[&str] = &[
    "2001:db8::/64",
    "*.odd.example",
    "odd!odd",
    "10.0.0.0/8",
    "odd_@_odd!",
    "<unnamed>",
    "{odd}",
    "^.*\\.odd$",
    "@odd@odd",
    "%odd%",
    "odd/odd",
    "\"odd",
    "~odd",
    "?",
    "øđđ!",
    "odd..example",
];

/// A row that nobody can read, as the others of the layout are printed.
fn odd_row(kind: &Kind, form: &Form, dice: &mut Dice) -> Printed {
    let name = *dice.pick(ODD_NAMES);
    match (&kind.printout, kind.resource) {
        (Printout::Hosts(_), "gateway_mail_flow_policy") => {
            let name = dice.pick(&["ODD", "odd name", "?"]);
            let block: &[&str] = match dice.roll(3) {
                0 => &["QUARANTINE"],
                1 => &["QUARANTINE {", "tls = \"required\"", "max_concurrency = 9", "}"],
                _ => &["???"],
            };
            std::iter::once(format!("${name}")).chain(block.iter().map(|line| format!("    {line}"))).collect()
        }
        (Printout::Hosts(_), _) => {
            let pad = if form.name == "flush" { "" } else { "    " };
            let heading = if dice.roll(3) == 0 { "?? odd words" } else { name };
            // A group is known by the colon behind its name.
            let heading = heading.replace(':', ";");
            vec![heading, format!("{pad}{}", dice.pick(&["REJECT (odd)", "$P", "TCPREFUSE (odd, too)"]))]
        }
        (Printout::Listeners, _) => {
            let line = dice.pick(&["(on Data 9) LMTP Socket 9 public?", "(on Data 9) SMTP TCP Port 25", "over carrier pigeons"]);
            vec![format!("9. {name} {line}")]
        }
        _ => (form.row)(name, 9),
    }
}

/// A table of a kind in a layout, with what must be read of it.
fn check(kind: &Kind, form: &Form, seed: u64) {
    let mut dice = Dice(seed);
    let mut names: Vec<(String, usize)> = Vec::new();
    for _ in 0..=dice.roll(5) {
        let word = dice.word();
        let name = name_of(kind, &(word, dice.roll(70)));
        assert_eq!((kind.validate)(&name), Ok(()), "{name}");
        if names.iter().all(|(other, _)| (kind.meaning)(other) != (kind.meaning)(&name)) {
            names.push((name, 200 + dice.roll(3)));
        }
    }
    let mut rows: Vec<Printed> = names.iter().map(|(name, value)| (form.row)(name, *value)).collect();
    // A setting of one of them that no argument is for.
    let (label, shown) = (*dice.pick(LABELS), *dice.pick(VALUES));
    let mut above = form.above.to_owned();
    let owner = (dice.roll(2) == 0 && !matches!(form.inside, Inside::Nowhere)).then(|| dice.roll(rows.len()));
    if let Some(owner) = owner {
        form.put_inside(&mut rows, &mut above, owner, (label, shown), &mut dice);
    }
    let has_column = owner.is_some() && matches!(form.inside, Inside::Column(_));
    for _ in 0..=dice.roll(3) {
        let mut odd = odd_row(kind, form, &mut dice);
        if has_column {
            let between = if form.above.contains("  ") { "  -" } else { " -" };
            for line in &mut odd {
                line.push_str(between);
            }
        }
        let at = dice.roll(rows.len() + 1);
        rows.insert(at, odd);
    }
    let counts = dice.roll(2) == 0;
    let mut text = printed(&Form { above: "", ..*form }, &rows, counts);
    text = format!("{above}{}{text}", if above.is_empty() { "" } else { "\n" });
    // The listeners stand above the menu.
    let opening = |text: &str| if kind.printout == Printout::Listeners { text.to_owned() } else { String::new() };
    let read = |text: &str| kind.printout.parse(&[Said { opening: opening(text), after: vec![String::new(), text.to_owned()] }]);
    let found = read(&text).unwrap_or_else(|error| panic!("{} {seed}: {error}\n{text}", form.name));
    for (at, (name, value)) in names.iter().enumerate() {
        let meaning = (kind.meaning)(name);
        assert_eq!(
            (kind.value)(&found, &meaning),
            Some((kind.expected)(*value)),
            "{} {seed}: {name}\n{text}\n{found:#?}",
            form.name
        );
        let told =
            found.rows.iter().find(|row| row.resource == kind.resource && row.id.rsplit('/').next() == Some(meaning.as_str()));
        let told = told.map(|row| row.record.texts("unmanaged").join("; ")).unwrap_or_default();
        let expected = if owner == Some(at) { squeezed(&format!("{label}={shown}")) } else { String::new() };
        assert_eq!(squeezed(&told), expected, "{} {seed}: {name}\n{text}", form.name);
    }
    assert!(!found.may_hide(["absent.example"]) || found.nameless > 0, "{} {seed}\n{text}", form.name);
    if counts && form.counts_exactly {
        let (honest, more) = (rows.len(), rows.len() + 1);
        let cut = text.replace(&format!("currently {honest} entries"), &format!("currently {more} entries"));
        assert!(read(&cut).is_err(), "{} {seed}: a row less than announced\n{cut}", form.name);
    }
}

/// A told setting without case, blanks and marks.
fn squeezed(told: &str) -> String {
    told.chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '=')
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .replace('=', "")
}

fn check_all(kind: &Kind) {
    for (at, form) in kind.forms.iter().enumerate() {
        for table in 0..tables() {
            check(kind, form, table.wrapping_mul(0x0100_0000_01b3) ^ (u64::try_from(at).unwrap_or_default() << 56));
        }
    }
}

#[test]
fn rg2_rows_and_settings_that_nobody_knows_change_no_destination() {
    check_all(&destinations());
    check_all(&list());
}

#[test]
fn rg2_rows_and_settings_that_nobody_knows_change_no_route() {
    check_all(&routes());
}

#[test]
fn rg2_rows_and_settings_that_nobody_knows_change_no_recipient() {
    check_all(&recipients());
}

#[test]
fn rg2_rows_and_settings_that_nobody_knows_change_no_sender_group() {
    check_all(&hosts());
}

#[test]
fn rg2_rows_and_settings_that_nobody_knows_change_no_policy() {
    check_all(&policies());
}

#[test]
fn rg2_rows_that_nobody_knows_change_no_listener() {
    check_all(&listeners());
}

/// The list and the text of filters, of which some have a row that nobody can read, or none.
#[test]
fn rg2_rows_that_nobody_knows_change_no_filter() {
    const TITLES: [[&str; 4]; 2] = [["Num", "Active", "Valid", "Name"], ["Name", "Num", "Active", "Valid"]];
    for titles in TITLES {
        for with_rows in [false, true] {
            for seed in 0..tables() {
                let mut dice = Dice(seed);
                let count = 1 + dice.roll(5);
                let (mut list, mut detail, mut known) = (vec![titles.join("  ")], Vec::new(), Vec::new());
                for number in 1..=count {
                    let name = format!("{}_{number}", dice.word());
                    let is_odd = dice.roll(3) == 0;
                    let yes = if is_odd { "maybe" } else { "Y" };
                    let cells = titles.map(|title| match title {
                        "Num" => number.to_string(),
                        "Name" => name.clone(),
                        "Active" => yes.to_owned(),
                        _ => "Y".to_owned(),
                    });
                    let row = cells.join("  ");
                    if !is_odd || dice.roll(2) == 0 {
                        list.push(row.clone());
                    }
                    if with_rows {
                        detail.extend([titles.join("  "), row]);
                    }
                    let script = format!("if subject == \"{number}: {{\" {{\n  drop();\n}}");
                    detail.push(format!("{name}: {script}"));
                    if !is_odd {
                        known.push((name, script));
                    }
                }
                let said = [list, detail]
                    .map(|lines| Said { opening: String::new(), after: vec![String::new(), lines.join("\n") + "\n"] });
                let found = Printout::Filters.parse(&said).unwrap_or_else(|error| panic!("{seed}: {error}\n{said:#?}"));
                let read: Vec<(String, String)> = found
                    .rows
                    .iter()
                    .map(|row| (row.id.clone(), row.record.text("script").unwrap_or_default().to_owned()))
                    .collect();
                assert_eq!(read, known, "{seed}\n{said:#?}");
            }
        }
    }
}
