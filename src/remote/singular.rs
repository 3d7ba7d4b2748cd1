//! One existing object, read for a data source: found as an import would find it, and shown as an import would show it.

use super::{Call, Error, Kind, Objects};
use crate::schema::{Import, Record, Resource, engine};
use crate::value::{Path, Value};

/// Reads the object that the arguments of a resource's data source ([`crate::schema::singular`]) name. An object that is not there is an
/// error, never an empty answer.
pub async fn read_one(objects: &dyn Objects, resource: &'static Resource, config: &Record, call: &Call) -> Result<Record, Error> {
    let (argument, id) = wanted(resource, config)?;
    let found = objects.find(resource, &id, call).await.map_err(|error| on_argument(error, argument))?;
    let read = objects.read(resource, &found, call).await?;
    let Some(read) = read else { return Err(on_argument(missing(resource, &id), argument)) };
    let shown = engine::settle(resource, &Record::new(), &read);
    // A lookup takes names and IDs alike; what was asked for by the one must not be found by the other.
    if let Import::Lookup { .. } = resource.import
        && let Some(argument) = argument
        && !is_alike(shown.get(argument), &id)
    {
        return Err(on_argument(missing(resource, &id), Some(argument)));
    }
    Ok(shown)
}

/// The import ID of the object, and the argument that it comes from if it is one.
fn wanted(resource: &Resource, config: &Record) -> Result<(Option<&'static str>, String), Error> {
    if let Import::Lookup { .. } = resource.import {
        let named =
            ["id", resource.title].into_iter().find_map(|name| Some((name, config.text(name).filter(|text| !text.is_empty())?)));
        return match named {
            Some(("id", text)) => Ok((Some("id"), text.to_owned())),
            Some((_, text)) => Ok((Some(resource.title), text.to_owned())),
            None => Err(Error::new(
                Kind::Invalid,
                format!("Neither `id` nor `{}` says which {} is meant.", resource.title, resource.noun),
            )),
        };
    }
    let argument = match resource.import {
        Import::Key { attributes: [only], .. } => Some(*only),
        _ => None,
    };
    let id = engine::key(resource, config)
        .ok_or_else(|| Error::new(Kind::Invalid, format!("The arguments cannot be the name of any {}.", resource.noun)))?;
    Ok((argument, id))
}

/// Names and GUIDs mean the same in any case.
fn is_alike(shown: &Value, wanted: &str) -> bool {
    shown.as_text().is_some_and(|shown| shown.to_lowercase() == wanted.to_lowercase())
}

fn missing(resource: &Resource, id: &str) -> Error {
    Error::new(Kind::NotFound, format!("There is no {} {id:?}.", resource.noun))
}

fn on_argument(error: Error, argument: Option<&str>) -> Error {
    match argument {
        Some(name) if error.kind == Kind::NotFound && error.path.is_none() => error.at(Path::root().attribute(name)),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::remote::{Change, Failure};
    use crate::schema::{Timeouts, string};

    static THING: Resource = Resource {
        name: "test_thing",
        noun: "thing",
        about: "Is a thing.",
        attributes: &[string("name", "Its name.").required(), string("mode", "Its mode.").filled_text("Enforce")],
        rules: &[],
        identity: &["id"],
        import: Import::Lookup { about: "the name or the GUID", example: "thing" },
        title: "name",
        version: 0,
        timeouts: Timeouts { write: 60, read: 30 },
    };

    static ENTRY: Resource = Resource {
        name: "test_entry",
        attributes: &[string("domain", "Its domain.").required().replaces()],
        identity: &["domain"],
        import: Import::Key { attributes: &["domain"], example: "example.com" },
        title: "domain",
        ..THING
    };

    /// A side with one object, which is found by anything that names it, and is perhaps gone when it is read.
    struct Side {
        gone: bool,
    }

    #[async_trait]
    impl Objects for Side {
        async fn check(&self, _: Change<'_>, _: &Call) -> Result<(), Error> {
            Ok(())
        }

        async fn create(&self, _: Change<'_>, _: &Call) -> Result<Record, Failure> {
            panic!("nothing is written")
        }

        async fn read(&self, _: &'static Resource, state: &Record, _: &Call) -> Result<Option<Record>, Error> {
            Ok((!self.gone).then(|| state.clone().with("name", "Main").with("domain", "example.com")))
        }

        async fn update(&self, _: Change<'_>, _: &Call) -> Result<Record, Failure> {
            panic!("nothing is written")
        }

        async fn delete(&self, _: &'static Resource, _: &Record, _: &Call) -> Result<(), Error> {
            panic!("nothing is written")
        }

        async fn find(&self, _: &'static Resource, id: &str, _: &Call) -> Result<Record, Error> {
            match id {
                "main" | "Guid-1" | "example.com" => Ok(Record::new().with("id", "guid-1")),
                _ => Err(Error::new(Kind::NotFound, "Not there.")),
            }
        }
    }

    async fn read(resource: &'static Resource, name: &str, value: &str, gone: bool) -> Result<Record, Error> {
        let call = Call::new(CancellationToken::new(), Duration::from_secs(5));
        read_one(&Side { gone }, resource, &Record::new().with(name, value), &call).await
    }

    #[tokio::test]
    async fn an_object_is_read_by_its_name_or_its_id_with_every_default() {
        for (name, value) in [("name", "main"), ("id", "Guid-1")] {
            let found = read(&THING, name, value, false).await.unwrap();
            assert_eq!(
                (found.text("name"), found.text("id"), found.text("mode")),
                (Some("Main"), Some("guid-1"), Some("Enforce"))
            );
        }
        assert_eq!(read(&ENTRY, "domain", "example.com", false).await.unwrap().text("id"), Some("guid-1"));
    }

    #[tokio::test]
    async fn what_is_not_there_is_an_error_on_the_argument() {
        for (resource, name, value, gone) in [
            (&THING, "name", "other", false),
            (&THING, "id", "other", false),
            (&THING, "name", "main", true),
            (&ENTRY, "domain", "example.net", false),
            // The service takes either for either.
            (&THING, "id", "main", false),
            (&THING, "name", "Guid-1", false),
        ] {
            let error = read(resource, name, value, gone).await.unwrap_err();
            assert_eq!((error.kind, error.path), (Kind::NotFound, Some(Path::root().attribute(name))), "{name} {value}");
        }
    }

    #[tokio::test]
    async fn arguments_that_name_nothing_are_an_error() {
        assert_eq!(read(&THING, "name", "", false).await.unwrap_err().kind, Kind::Invalid);
        assert_eq!(read(&ENTRY, "domain", "", false).await.unwrap_err().kind, Kind::Invalid);
    }
}
