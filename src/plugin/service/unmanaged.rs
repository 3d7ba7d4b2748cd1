//! What stands at the service and has no attribute: what of it was accepted is kept beside the state.
//!
//! The private data holds `"unmanaged": [...]`, what the last apply or import saw. Nothing is kept where there was nothing. The state itself holds
//! what stands, so a read changes no note.

use serde_json::{Value as Json, json};

use super::private::Private;
use crate::remote::Call;
use crate::schema::engine::{self, Lost};
use crate::schema::{Record, Resource};
use crate::value::{Diagnostic, Path};

/// Under which name the private data holds the note.
const NOTE: &str = "unmanaged";

/// The private data of a call, with what an apply or an import saw: from here on it is what counts as known.
pub(super) fn accepted(resource: &Resource, record: &Record, call: &Call) -> Private {
    let mut private = call.all_private();
    accept(resource, record, &mut private);
    private
}

/// The same for private data that no call had.
pub(super) fn accept(resource: &Resource, record: &Record, private: &mut Private) {
    match engine::unmanaged(resource, record) {
        Some(standing) if standing.is_empty() => drop(private.remove(NOTE)),
        Some(standing) => drop(private.insert(NOTE.to_owned(), json!(standing))),
        None => {}
    }
}

/// What a plan says of an object that exists. `config` is nothing where it is to be removed; `replace` is what makes a new one of it.
///
/// (Where the user alone asks for a new object, by `-replace` or a taint, the first plan does not know, and the host drops the warnings of the
/// second.)
pub(super) fn planned(
    resource: &Resource,
    prior: Option<&Record>,
    config: Option<&Record>,
    replace: &[Path],
    stored: &Private,
) -> Option<Diagnostic> {
    let prior = prior?;
    let lost = |how: Lost| engine::unmanaged_lost(resource, &engine::unmanaged(resource, prior)?, prior, how);
    match config {
        None => lost(Lost::Removed),
        Some(_) if !replace.is_empty() => lost(Lost::Replaced),
        Some(config) => engine::unmanaged_planned(resource, prior, config, &seen(stored)),
    }
}

fn seen(stored: &Private) -> Vec<String> {
    let items = stored.get(NOTE).and_then(Json::as_array);
    items.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Import, Timeouts, UNMANAGED, string};
    use crate::value::Value;

    static THING: Resource = Resource {
        name: "thing",
        noun: "thing",
        about: "A thing.",
        attributes: &[string("name", "Name.").required(), UNMANAGED],
        rules: &[],
        identity: &["id"],
        import: Import::Lookup { about: "The name.", example: "a" },
        title: "name",
        version: 0,
        timeouts: Timeouts { write: 60, read: 60 },
    };

    #[test]
    fn what_was_accepted_comes_back_and_nothing_leaves_no_note() {
        let with = |texts: &[&str]| Record::new().with("unmanaged", Value::texts(texts.iter().copied()));
        let mut private = Private::new();
        for texts in [&["a", "b"][..], &["b"]] {
            accept(&THING, &with(texts), &mut private);
            assert_eq!(seen(&private), texts);
        }
        // What is not known is no news.
        accept(&THING, &Record::new(), &mut private);
        assert_eq!(seen(&private), ["b"]);
        accept(&THING, &with(&[]), &mut private);
        assert_eq!(private, Private::new());
        // What somebody wrote into the state file by hand is no note.
        for odd in [json!(null), json!("a"), json!([1]), json!({"seen": ["a"]})] {
            assert!(seen(&Private::from([(NOTE.to_owned(), odd)])).is_empty());
        }
    }

    #[test]
    fn a_plan_says_one_thing_of_it() {
        let record = |texts: &[&str]| Record::new().with("name", "t").with("unmanaged", Value::texts(texts.iter().copied()));
        let (prior, config) = (record(&["a"]), Record::new().with("name", "t"));
        let path = [Path::root().attribute("name")];
        let said = |prior: Option<&Record>, config: Option<&Record>, replace: &[Path], stored: &Private| {
            planned(&THING, prior, config, replace, stored).map(|one| one.summary).unwrap_or_default()
        };
        let (none, known) = (Private::new(), Private::from([(NOTE.to_owned(), json!(["a"]))]));
        assert_eq!(said(None, Some(&config), &[], &known), "");
        assert_eq!(said(Some(&prior), Some(&config), &[], &known), "");
        assert!(said(Some(&prior), Some(&config), &[], &none).contains("has changed"));
        for stored in [&none, &known] {
            assert!(said(Some(&prior), Some(&config), &path, stored).contains("is made anew"));
            assert!(said(Some(&prior), None, &[], stored).contains("is removed"));
        }
    }
}
