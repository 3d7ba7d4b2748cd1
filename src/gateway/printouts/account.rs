//! The account: the output of `whoami`.
//!
//! ```text
//! Username: terraform
//! Full Name: Terraform
//! Group: operators
//! ```
//!
//! That the command exists is all that is known of it; how it prints the groups is assumed. So only an account of which every group is
//! known to be one that may not change anything counts as such.

use super::{label, lines, whole};
use crate::gateway::dialog::Said;
use crate::gateway::table::{Row, Rows};
use crate::schema::Record;

/// The groups that may look and not change, in the words of the admin manual's chapter "Distributing Administrative Tasks".
const LOOK_ONLY: &[&str] = &["read only", "readonly", "guest", "help desk", "helpdesk"];

/// Understands the output. Its one row has `groups`, as printed, and `look_only`, if the groups are printed at all.
pub(in crate::gateway) fn parse(said: &[Said]) -> Rows {
    let text = said.iter().map(whole).collect::<Vec<_>>().join("\n");
    let named = |name: &str| {
        let name = name.to_lowercase();
        ["group", "role", "privilege", "access level", "user type"].iter().any(|word| name.contains(word))
    };
    let groups =
        lines(&text).filter_map(label).find(|(name, groups)| named(name) && !groups.is_empty()).map(|(_, groups)| groups);
    let Some(groups) = groups else { return Rows::default() };
    let looks = |group: &str| {
        let plain = super::words(group).join(" ");
        LOOK_ONLY.iter().any(|words| plain.contains(words))
    };
    let mut each = groups.split([',', ';', '/', '|']).map(str::trim).filter(|group| !group.is_empty()).peekable();
    let look_only = each.peek().is_some() && each.all(looks);
    let record = Record::new().with("groups", groups).with("look_only", look_only);
    Rows { rows: vec![Row { resource: "", id: "account".to_owned(), record }], ..Rows::default() }
}

/// The output without the name of the person: what stands behind a label such as `Full Name`.
pub(in crate::gateway) fn without_person(text: &str) -> String {
    let shown = |line: &str| match label(line) {
        Some((name, value)) if !value.is_empty() && is_of_person(name) => line.replacen(value, "(a name)", 1),
        _ => line.to_owned(),
    };
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

fn is_of_person(label: &str) -> bool {
    let label = label.to_lowercase();
    (label.contains("name") && !label.contains("user"))
        || ["description", "comment", "person"].iter().any(|word| label.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_person_is_left_out() {
        let printed = "esa> \u{ab}whoami\u{bb}\nUsername: tf\nFull Name: Ada Lovelace\r\nGroup: admin\n";
        assert_eq!(without_person(printed), printed.replace("Ada Lovelace", "(a name)"));
    }

    #[test]
    fn g20_an_account_whose_groups_may_only_look_is_known() {
        let check = |printed: &str, expected: Option<bool>| {
            let said = Said { opening: printed.to_owned(), after: Vec::new() };
            let rows = parse(&[said]);
            assert_eq!(rows.rows.first().and_then(|row| row.record.truth("look_only")), expected, "{printed}");
        };
        check("Username: admin\nFull Name: Administrator\nGroups: admin, operators, config, log, guest\n", Some(false));
        check("Username: tf\nFull Name: Guest of Honour\nGroup: operators\n", Some(false));
        check("Username: tf\nUser Role : Cloud Administrator\n", Some(false));
        check("Username: tf\nGroups: Read-Only Operators\n", Some(true));
        check("user name = tf\nrole = readonly_operator\n", Some(true));
        check("Username: tf\nGroup: guest, Help Desk Users\n", Some(true));
        check("You are tf.\n", None);
        check("", None);
    }
}
