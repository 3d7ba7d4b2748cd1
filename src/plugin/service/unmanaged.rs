//! What stands at the service and has no attribute: what of it was accepted is kept beside the state.
//!
//! The private data holds `"unmanaged": {"seen": […], "stands": […]}`: what the last apply or import saw, and, where it differs, what the last
//! read found. (The plan of an object that is made anew gets no state of the old one, but its private data.) Nothing is kept where there is
//! nothing.

use serde_json::{Value as Json, json};

use super::private::Private;
use crate::remote::Call;
use crate::schema::engine::{self, Lost};
use crate::schema::{Record, Resource};
use crate::value::{Diagnostic, Diagnostics, Path};

/// Under which name the private data holds the note.
const NOTE: &str = "unmanaged";

#[derive(Debug, Default, PartialEq)]
struct Note {
    seen: Vec<String>,
    stands: Vec<String>,
}

impl Note {
    fn of(stored: Option<&Json>) -> Note {
        let texts = |name: &str| -> Option<Vec<String>> {
            let items = stored?.get(name)?.as_array()?;
            Some(items.iter().filter_map(Json::as_str).map(str::to_owned).collect())
        };
        let seen = texts("seen").unwrap_or_default();
        let stands = texts("stands").unwrap_or_else(|| seen.clone());
        Note { seen, stands }
    }

    fn json(&self) -> Option<Json> {
        match (self.seen.is_empty(), self.seen == self.stands) {
            (true, true) => None,
            (false, true) => Some(json!({ "seen": self.seen })),
            (_, false) => Some(json!({ "seen": self.seen, "stands": self.stands })),
        }
    }

    fn keep(&self, private: &mut Private) {
        match self.json() {
            Some(json) => private.insert(NOTE.to_owned(), json),
            None => private.remove(NOTE),
        };
    }
}

/// The private data of a call, with what an apply or an import saw: from here on it is what counts as known.
pub(super) fn accepted(resource: &Resource, record: &Record, call: &Call) -> Private {
    let mut private = call.all_private();
    accept(resource, record, &mut private);
    private
}

/// The same for private data that no call had.
pub(super) fn accept(resource: &Resource, record: &Record, private: &mut Private) {
    if let Some(standing) = engine::unmanaged(resource, record) {
        Note { seen: standing.clone(), stands: standing }.keep(private);
    }
}

/// The private data of a read, with what stands now.
pub(super) fn read(resource: &Resource, record: &Record, call: &Call) -> Private {
    let mut private = call.all_private();
    if let Some(standing) = engine::unmanaged(resource, record) {
        Note { stands: standing, ..Note::of(private.get(NOTE)) }.keep(&mut private);
    }
    private
}

/// What a plan says of it. `config` is nothing where the object is to be removed; the object is new to Terraform where `prior` is nothing,
/// and then the private data is that of the object that it takes the place of, if there is one.
pub(super) fn planned(
    resource: &Resource,
    prior: Option<&Record>,
    config: Option<&Record>,
    replace: &[Path],
    stored: &Private,
) -> Diagnostics {
    let note = Note::of(stored.get(NOTE));
    let said: Option<Diagnostic> = match (prior, config) {
        (Some(prior), None) => {
            let standing = engine::unmanaged(resource, prior).unwrap_or_default();
            engine::unmanaged_lost(resource, &standing, prior, Lost::Removed)
        }
        (None, Some(config)) => engine::unmanaged_lost(resource, &note.stands, config, Lost::Replaced),
        // The plan of the new object is asked for next, and says it.
        (Some(_), Some(_)) if !replace.is_empty() => None,
        (Some(prior), Some(config)) => engine::unmanaged_planned(resource, prior, config, &note.seen),
        (None, None) => None,
    };
    said.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_as_it_was_and_nothing_leaves_none() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (seen, stands) in [(&[][..], &["a"][..]), (&["a"], &["a"]), (&["a"], &[]), (&[], &[])] {
            let note = Note { seen: texts(seen), stands: texts(stands) };
            assert_eq!(Note::of(note.json().as_ref()), note);
            assert_eq!(note.json().is_none(), seen.is_empty() && stands.is_empty());
        }
        // What somebody wrote into the state file by hand is no note.
        for odd in [json!(null), json!([]), json!({"seen": "a"}), json!({"seen": [1]})] {
            assert_eq!(Note::of(Some(&odd)), Note::default());
        }
    }
}
