//! Mail flow policies (Mail Policies > Mail Flow Policies; `listenerconfig`, `HOSTACCESS`): what a listener does with a connection.
//!
//! A policy stands in the host access table as `$NAME`, a behavior and a block of the parameters that differ from the listener's defaults.
//! Its parameters are those of [`super::policy_parameters`].

use super::host_access::{self, Choices};
use super::policy_parameters::{self, DEFAULTS, PARAMETERS, Parameter};
use super::policy_questions::{self, Wanted};
use super::{TIMEOUTS, UNMANAGED, forms, keep_unmanaged, required, typable};
use crate::gateway::dialog::Dialog;
use crate::gateway::table::{Edit, Neighbours, Printout, Row, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Attribute, Import, Record, Resource, Rule, keyword, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table of mail flow policies.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |record| Printout::Hosts(record.text("listener").unwrap_or_default().to_owned()),
    listener: super::its_listener,
    resettable: false,
    neighbours: Neighbours::None,
    stage,
    check,
};

/// What a mail flow policy has.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: "gateway_mail_flow_policy",
    noun: "mail flow policy",
    about: "Says what a listener does with the connections of a sender group (Mail Policies > Mail Flow Policies). A parameter that is left out \
            is inherited from the listener's Default Policy Parameters.",
    attributes: &ATTRIBUTES,
    rules: &RULES,
    identity: &["listener", "name"],
    import: Import::Key { attributes: &["listener", "name"], example: "OutgoingMail/RELAYED_O365" },
    title: "name",
    version: 0,
    timeouts: TIMEOUTS,
};

const OWN: [Attribute; 4] = [
    string("listener", "The listener that the policy belongs to, by name; upper and lower case are different.")
        .required()
        .replaces()
        .format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::listener),
    string("name", "Name, unique on the listener.")
        .required()
        .replaces()
        .length(1, 128)
        .format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::policy),
    keyword(
        "behavior",
        "Connection Behavior: `accept` takes mail for the domains of the recipient access table, `relay` for any recipient, `reject` answers with \
         an error, `tcp_refuse` lets no connection come about, `continue` goes on with the next entry of the table.",
        &["accept", "relay", "reject", "tcp_refuse", "continue"],
    )
    .required(),
    UNMANAGED,
];

const ATTRIBUTES: [Attribute; OWN.len() + PARAMETERS.len()] = policy_parameters::attributes(OWN, false);

const RULES: [Rule; policy_parameters::RULES.len() + 1] = {
    let mut all =
        [Rule::Hook("`tcp_refuse` and `continue` take no parameters.", parameters_fit); policy_parameters::RULES.len() + 1];
    let mut index = 1;
    while index < all.len() {
        all[index] = policy_parameters::RULES[index - 1];
        index += 1;
    }
    all
};

/// Gives a policy's record as it is known, where both mean the same: the gateway need not print a parameter that only repeats the
/// listener's default, and a parameter that was given back may stand in the policy with the default's value. What has no effect is
/// not there.
pub(in crate::gateway) fn with_inherited(rows: &Rows, row: &Row, known: &Record) -> Record {
    let mut record = row.record.clone();
    let nothing = Record::new();
    let listener = row.record.text("listener").unwrap_or_default();
    let defaults = rows.find(DEFAULTS, listener).map_or(&nothing, |row| &row.record);
    for parameter in PARAMETERS {
        let name = parameter.name();
        let (shown, wanted, inherited) = (row.record.get(name), known.get(name), defaults.get(name));
        let is_inherited =
            !inherited.is_null() && (shown.is_null() && wanted == inherited || wanted.is_null() && shown == inherited);
        let is_idle = policy_parameters::is_idle(name, |name| super::held(&[known, &row.record, defaults], name));
        if is_inherited || wanted.is_null() && !takes(parameter, &row.record) || is_idle && wanted.is_wholly_known() {
            record.set(name, wanted.clone());
        }
    }
    record
}

/// Tells whether a policy of its behavior has a parameter: what the dialog does not ask any more may be left standing.
fn takes(parameter: &Parameter, policy: &Record) -> bool {
    match policy.text("behavior") {
        Some("tcp_refuse" | "continue") => false,
        Some("reject") => ["reject_banner_code", "reject_banner_text", "override_hostname"].contains(&parameter.name()),
        _ => true,
    }
}

fn parameters_fit(config: &Record) -> Diagnostics {
    let mut found = Vec::new();
    if let Some(behavior @ ("tcp_refuse" | "continue")) = config.text("behavior") {
        for parameter in PARAMETERS {
            let name = parameter.name();
            if !config.get(name).is_null() {
                let detail = "No mail comes through a policy of this behavior, so it has no parameters.";
                found.push(
                    Diagnostic::error(format!("{name} has no effect with the behavior \"{behavior}\""), detail)
                        .at(Path::root().attribute(name)),
                );
            }
        }
    }
    found
}

/// Refuses to give back what the dialog cannot give back: a question with a few answers, where the listener's default is not known.
fn check(planned: &Record, rows: &Rows) -> Diagnostics {
    let Some(row) = super::id(&RESOURCE, planned).and_then(|id| rows.find(RESOURCE.name, &id)) else { return Vec::new() };
    if !takes_mail(planned) {
        return Vec::new();
    }
    let standing = with_inherited(rows, row, planned);
    let stuck = PARAMETERS.iter().filter(|parameter| {
        let name = parameter.name();
        parameter.is_choice()
            && planned.get(name).is_null()
            && !standing.get(name).is_null()
            && inherited(rows, planned, name).is_null()
    });
    stuck
        .map(|parameter| {
            let name = parameter.name();
            let detail = format!("{} Keep it, or set it to the value that is wanted.", policy_questions::NO_WAY_BACK);
            Diagnostic::error(format!("Unable to remove \"{name}\""), detail).at(Path::root().attribute(name))
        })
        .collect()
}

fn inherited<'a>(rows: &'a Rows, policy: &Record, name: &str) -> &'a Value {
    let defaults = policy.text("listener").and_then(|listener| rows.find(DEFAULTS, listener));
    defaults.map_or(&Value::Null, |row| row.record.get(name))
}

fn takes_mail(policy: &Record) -> bool {
    matches!(policy.text("behavior"), Some("accept" | "relay"))
}

fn stage(edit: Edit<'_>, rows: &Rows) -> Result<Vec<Dialog>, Error> {
    let dialog = match edit {
        Edit::Create(to) => {
            typable(&RESOURCE, to)?;
            let (listener, name) = (required(to, "listener")?, required(to, "name")?);
            let dialog = host_access::table(listener).choose("NEW");
            let dialog = parameters(dialog, to, &[], rows)?.keep("comment").answer("name", name);
            host_access::lists(dialog, &choices(to, None)?)
        }
        Edit::Update { from, to, changed } => {
            typable(&RESOURCE, to)?;
            let (listener, name) = (required(to, "listener")?, required(to, "name")?);
            let dialog = host_access::table(listener).choose("EDIT");
            let dialog = keep_unmanaged(parameters(dialog, to, changed, rows)?, &from.record);
            host_access::entry(host_access::lists(dialog, &choices(to, Some(name))?), name)
        }
        Edit::Delete(row) => {
            let (listener, name) = (required(&row.record, "listener")?, required(&row.record, "name")?);
            refuse_if_used(name, row, rows)?;
            host_access::deleted(host_access::table(listener), host_access::Kind::Policy, name)
        }
    };
    Ok(vec![dialog])
}

fn choices(to: &Record, entry: Option<&str>) -> Result<Choices, Error> {
    let behavior = required(to, "behavior")?.to_owned();
    Ok(Choices { kind: host_access::Kind::Policy, entry: entry.map(str::to_owned), behavior: Some(behavior), policy: None })
}

/// A sender group without its policy would do what the device makes of it: that is refused.
fn refuse_if_used(name: &str, row: &Row, rows: &Rows) -> Result<(), Error> {
    let users: Vec<&str> =
        rows.rows.iter().filter(|other| other.record.text("policy") == Some(name)).map(|other| other.id.as_str()).collect();
    if users.is_empty() {
        return Ok(());
    }
    let message = format!("The mail flow policy \"{}\" is in use by: {}.", row.id, users.join(", "));
    Err(Error::new(Kind::Conflict, message).hint("Give these sender groups another policy, or delete them, first."))
}

/// The questions of a policy.
fn parameters(dialog: Dialog, to: &Record, changed: &[Path], rows: &Rows) -> Result<Dialog, Error> {
    let nothing = Record::new();
    let defaults = to.text("listener").and_then(|listener| rows.find(DEFAULTS, listener));
    let inherited = Some(defaults.map_or(&nothing, |row| &row.record));
    policy_questions::parameters(dialog, Wanted { to, changed, inherited, takes_mail: takes_mail(to) })
}
