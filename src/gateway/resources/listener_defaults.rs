//! A listener's Default Policy Parameters (Mail Policies > Mail Flow Policies > Default Policy Parameters; `listenerconfig`, `HOSTACCESS`,
//! `DEFAULT`): what holds in every mail flow policy that does not say otherwise.
//!
//! Releases print most of them above the menu of the host access table. What a release does not print is set and never read: the
//! questions of the dialog show it, but nobody knows what Enter does to the text of a response, and a reading must not change anything.

use super::policy_parameters::{self, DEFAULTS, PARAMETERS};
use super::policy_questions::{self, Wanted};
use super::{TIMEOUTS, UNMANAGED, forms, host_access, keep_unmanaged, required, typable};
use crate::gateway::dialog::Dialog;
use crate::gateway::table::{Edit, Neighbours, Printout, Row, Rows, Table};
use crate::remote::{Error, Kind};
use crate::schema::{Attribute, Import, Record, Resource, string};
use crate::value::{Diagnostic, Diagnostics};

/// The table of listener defaults.
pub(in crate::gateway) const TABLE: Table = Table {
    resource: &RESOURCE,
    printout: |record| Printout::Hosts(record.text("listener").unwrap_or_default().to_owned()),
    listener: super::its_listener,
    resettable: false,
    neighbours: Neighbours::None,
    stage,
    check,
};

const OWN: [Attribute; 2] = [
    string("listener", "The listener whose defaults they are, by name; upper and lower case are different.")
        .required()
        .always_there(|_| true)
        .replaces()
        .format("a name of letters, digits, `_`, `-`, `.` and blanks", forms::listener),
    UNMANAGED,
];

const ATTRIBUTES: [Attribute; OWN.len() + PARAMETERS.len()] = policy_parameters::attributes(OWN, true);

/// What a listener's defaults have.
pub(in crate::gateway) const RESOURCE: Resource = Resource {
    name: DEFAULTS,
    noun: "set of default policy parameters",
    about: "Sets the Default Policy Parameters of a listener (Mail Policies > Mail Flow Policies), which hold in every mail flow policy that does not \
            say otherwise. They always exist: create adopts them, destroy restores what was there before. What is left out stays as it is. \
            The gateway does not print every parameter; what it does not print is set, but neither compared nor restored, and a warning \
            says so. Policies that are changed in the same run should take `listener` from this resource, so that they come after it.",
    attributes: &ATTRIBUTES,
    rules: &policy_parameters::RULES,
    identity: &["listener"],
    import: Import::Key { attributes: &["listener"], example: "IncomingMail" },
    title: "listener",
    version: 0,
    timeouts: TIMEOUTS,
};

/// Gives the record with what is known of the parameters that the gateway does not print.
pub(in crate::gateway) fn with_unprinted(row: &Row, known: &Record) -> Record {
    let mut record = row.record.clone();
    for parameter in PARAMETERS {
        let value = known.get(parameter.name());
        if record.get(parameter.name()).is_null() && value.is_wholly_known() {
            record.set(parameter.name(), value.clone());
        }
    }
    record
}

/// Tells whether a parameter means nothing beside the others that are wanted or shown.
pub(in crate::gateway) fn is_idle(name: &str, records: &[&Record]) -> bool {
    policy_parameters::is_idle(name, |name| super::held(records, name))
}

/// Warns of what will be set and cannot be read.
fn check(planned: &Record, rows: &Rows) -> Diagnostics {
    let Some(row) = planned.text("listener").and_then(|listener| rows.find(RESOURCE.name, listener)) else { return Vec::new() };
    let unprinted: Vec<&str> = PARAMETERS
        .iter()
        .map(policy_parameters::Parameter::name)
        .filter(|name| !planned.get(name).is_null() && planned.get(name).is_wholly_known() && row.record.get(name).is_null())
        .collect();
    if unprinted.is_empty() {
        return Vec::new();
    }
    let detail = format!(
        "This gateway does not print these Default Policy Parameters of the listener: {}. They are set, but a change by somebody else is not \
         noticed, and destroy leaves them as they are.",
        unprinted.join(", ")
    );
    vec![Diagnostic::warning("Some default policy parameters cannot be read", detail)]
}

fn stage(edit: Edit<'_>, _: &Rows) -> Result<Vec<Dialog>, Error> {
    let nothing = Record::new();
    let (from, to, changed) = match edit {
        Edit::Create(to) => (&nothing, to, &[][..]),
        Edit::Update { from, to, changed } => (&from.record, to, changed),
        Edit::Delete(_) => return Err(Error::new(Kind::Invalid, "A listener's default policy parameters cannot be deleted.")),
    };
    typable(&RESOURCE, to)?;
    let dialog = host_access::table(required(to, "listener")?).choose("DEFAULT");
    let dialog = policy_questions::parameters(dialog, Wanted { to, changed, inherited: None, takes_mail: true })?;
    Ok(vec![keep_unmanaged(dialog, from)])
}
