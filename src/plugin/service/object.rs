//! What several operations want to know of an object.

use super::dynamic;
use crate::plugin::wire::tfplugin6::ResourceIdentityData;
use crate::remote;
use crate::schema::{Attribute, Record, Resource, engine};
use crate::value::Value;

/// The name of an object in messages: `transport rule "Block exe"`. Never quotes what is sensitive.
pub(super) fn title(resource: &Resource, record: &Record) -> String {
    let public = resource.attributes.iter().any(|attribute| attribute.name == resource.title && !attribute.sensitive);
    let title = if public || resource.title == "id" { record.text(resource.title) } else { None };
    match title.or_else(|| record.text("id")).filter(|title| !title.is_empty()) {
        Some(title) => format!("{} {title:?}", resource.noun),
        None => resource.noun.to_owned(),
    }
}

/// Tells whether anything of an object is to change at the service.
pub(super) fn changes(resource: &Resource, prior: &Record, planned: &Record) -> bool {
    !engine::differences(resource, prior, planned).is_empty()
        // A write-only value is not stored: its version says that it changed.
        || versions(resource, prior) != versions(resource, planned)
        || !planned.iter().all(|(_, value)| value.is_wholly_known())
}

/// Takes care that no value which may be written without being stored is shown, whatever the service repeats.
pub(super) fn withhold(resource: &Resource, effective: &Record) {
    for attribute in resource.attributes {
        withhold_value(attribute, effective.get(attribute.name));
    }
}

fn withhold_value(attribute: &Attribute, value: &Value) {
    if attribute.write_only_form
        && let Some(text) = value.as_text()
    {
        remote::never_show_value(text);
    }
    let Some(members) = attribute.kind.members() else { return };
    for object in value.as_elements().unwrap_or(std::slice::from_ref(value)) {
        for member in members {
            withhold_value(member, object.as_members().and_then(|members| members.get(member.name)).unwrap_or(&Value::Null));
        }
    }
}

/// The versions of all write-only values, in the order of the table.
fn versions<'a>(resource: &Resource, record: &'a Record) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for attribute in resource.attributes {
        collect(attribute, &|name| record.get(name), &mut found);
    }
    found
}

fn collect<'a>(attribute: &Attribute, member: &dyn Fn(&str) -> &'a Value, found: &mut Vec<&'a Value>) {
    if attribute.write_only_form {
        found.push(member(&format!("{}_wo_version", attribute.name)));
    }
    let Some(members) = attribute.kind.members() else { return };
    let within = |object: &'a Value, found: &mut Vec<&'a Value>| {
        let inner = |name: &str| object.as_members().and_then(|members| members.get(name)).unwrap_or(&Value::Null);
        for attribute in members {
            collect(attribute, &inner, found);
        }
    };
    let value = member(attribute.name);
    match value.as_elements() {
        Some(elements) => elements.iter().for_each(|element| within(element, found)),
        None => within(value, found),
    }
}

/// The identity of an object, if all of it is known.
pub(super) fn identity(resource: &Resource, record: &Record) -> Option<ResourceIdentityData> {
    let identity = engine::identity(resource, record)?;
    // An identity that does not fit its own type is as good as none: the object is what counts.
    let identity_data = dynamic::encode(identity, &engine::identity_type(resource)).ok()?;
    Some(ResourceIdentityData { identity_data: Some(identity_data) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Import, Timeouts, list_of, object, string};

    static RESOURCE: Resource = Resource {
        name: "thing",
        noun: "thing",
        about: "A thing.",
        attributes: &[
            string("name", "Name.").required(),
            string("secret", "Secret.").write_only_form(),
            object("inner", "Inner.", &[string("key", "Key.").write_only_form()]),
            list_of("many", "Many.", &[string("key", "Key.").write_only_form()]),
        ],
        rules: &[],
        identity: &["id"],
        import: Import::Lookup { about: "The name.", example: "a" },
        title: "name",
        version: 0,
        timeouts: Timeouts { write: 60, read: 60 },
    };

    #[test]
    fn an_object_is_named_by_its_title_then_its_id_then_its_kind() {
        let record = Record::new().with("id", "7");
        assert_eq!(title(&RESOURCE, &record.clone().with("name", "a \"b\"")), r#"thing "a \"b\"""#);
        assert_eq!(title(&RESOURCE, &record.with("name", Value::UNKNOWN)), "thing \"7\"");
        assert_eq!(title(&RESOURCE, &Record::new()), "thing");
    }

    #[test]
    fn p12_a_sensitive_title_is_not_quoted() {
        static SECRETIVE: Resource = Resource {
            name: "s",
            noun: "key",
            about: "",
            attributes: &[string("name", "Name.").sensitive()],
            rules: &[],
            identity: &[],
            import: Import::Singleton { word: "s" },
            title: "name",
            version: 0,
            timeouts: Timeouts { write: 1, read: 1 },
        };
        assert_eq!(title(&SECRETIVE, &Record::new().with("name", "hunter2")), "key");
    }

    #[test]
    fn point_23_a_new_version_of_a_write_only_value_is_a_change_at_any_depth() {
        let at = |version: i64| {
            let inner = Value::object([("key_wo_version", Value::integer(version))]);
            [
                Record::new().with("secret_wo_version", version),
                Record::new().with("inner", inner.clone()),
                Record::new().with("many", Value::List(vec![inner])),
            ]
        };
        for (before, after) in at(1).iter().zip(&at(2)) {
            assert_ne!(versions(&RESOURCE, before), versions(&RESOURCE, after));
            assert_eq!(versions(&RESOURCE, before), versions(&RESOURCE, before));
        }
    }
}
