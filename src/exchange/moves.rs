//! `moved` blocks that lead here from the provider `terraprovider/exo`, which drives the same cmdlets.
//!
//! Its resources are made of the cmdlets' parameters: each attribute is a parameter, spelled in small letters with `_` before each capital
//! (`ef_skip_i_ps` is `EFSkipIPs`), side by side (no blocks), texts where the parameter is no list. Its `id` is the object's GUID. So an attribute of
//! ours takes the value of the one whose name has the same letters. <https://registry.terraform.io/providers/terraprovider/exo/latest/docs>.

use serde_json::Value as Json;

use super::cmdlet::parameter;
use crate::schema::{Attribute, Kind, Move, Record, Remote, Resource, Scalar, Stored, engine};
use crate::value::Value;

/// What can be moved here.
pub const MOVES: &[Move] = &[
    of("exo_inbound_connector", "exchange_inbound_connector"),
    of("exo_outbound_connector", "exchange_outbound_connector"),
    of("exo_transport_rule", "exchange_transport_rule"),
];

const fn of(from: &'static str, to: &'static str) -> Move {
    Move { provider: "terraprovider/exo", from, to, change: taken_over }
}

fn taken_over(resource: &'static Resource, stored: &Stored) -> Result<Record, String> {
    let id = stored.get("id").and_then(Json::as_str).filter(|id| is_guid(id)).ok_or_else(|| {
        "Its state has no GUID of the object. Run `terraform apply -refresh-only` with the old provider first, or remove the object from the state \
         with `terraform state rm` and import it by its name."
            .to_owned()
    })?;
    let record = Record::from(members(resource.attributes, "", stored)).with("id", id);
    Ok(engine::settle(resource, &Record::new(), &record))
}

fn members(attributes: &[Attribute], prefix: &str, stored: &Stored) -> std::collections::BTreeMap<String, Value> {
    let value = |attribute: &Attribute| match (attribute.kind, attribute.remote) {
        (Kind::Block(inner), Remote::Flattened(prefix)) => {
            let inside = members(inner, prefix, stored);
            if inside.values().all(Value::is_null) { Value::Null } else { Value::Object(inside) }
        }
        (_, Remote::Derived) => found(attribute.kind, &format!("{prefix}{}", parameter(attribute.name)), stored),
        (_, Remote::Named(name)) => found(attribute.kind, &format!("{prefix}{name}"), stored),
        _ => Value::Null,
    };
    attributes.iter().map(|attribute| (attribute.name.to_owned(), value(attribute))).collect()
}

/// The value of a parameter, in the form of our attribute. What has another form is left to the next read.
fn found(kind: Kind, parameter: &str, stored: &Stored) -> Value {
    let wanted = parameter.to_ascii_lowercase();
    let same = |name: &str| name.chars().filter(|letter| *letter != '_').eq(wanted.chars());
    let Some((_, json)) = stored.iter().find(|(name, _)| same(name)) else { return Value::Null };
    match kind {
        Kind::Scalar(scalar) => single(scalar, json),
        Kind::List(scalar) | Kind::Set(scalar) => {
            let items = match json {
                Json::Array(items) => items.iter().map(|item| single(scalar, item)).filter(|item| !item.is_null()).collect(),
                one => Vec::from_iter(Some(single(scalar, one)).filter(|item| !item.is_null())),
            };
            match kind {
                _ if items.is_empty() => Value::Null,
                Kind::Set(_) => Value::set(items),
                _ => Value::List(items),
            }
        }
        _ => Value::Null,
    }
}

fn single(scalar: Scalar, json: &Json) -> Value {
    match (scalar, json) {
        (Scalar::String, Json::String(text)) if !text.is_empty() => Value::text(text.as_str()),
        (Scalar::String, Json::Number(number)) => Value::text(number.to_string()),
        (Scalar::Boolean, Json::Bool(truth)) => Value::Bool(*truth),
        (Scalar::Boolean, Json::String(text)) => text.to_ascii_lowercase().parse().map_or(Value::Null, Value::Bool),
        (Scalar::Integer | Scalar::Number, Json::Number(number)) => number.as_i64().map_or(Value::Null, Value::integer),
        (Scalar::Integer | Scalar::Number, Json::String(text)) => text.trim().parse().map_or(Value::Null, Value::integer),
        _ => Value::Null,
    }
}

fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(from: &str, state: &Json) -> Result<Record, String> {
        let entry = MOVES.iter().find(|entry| entry.from == from).expect("it can be moved");
        let resource =
            crate::exchange::resources::ALL.iter().copied().find(|resource| resource.name == entry.to).expect("a resource");
        (entry.change)(resource, state.as_object().expect("an object"))
    }

    const GUID: &str = "acc2eccd-550f-4efa-9905-46054a5f516a";

    #[test]
    fn each_attribute_takes_the_value_of_the_parameter_of_the_same_letters() {
        let connector = moved(
            "exo_inbound_connector",
            &serde_json::json!({
                "id": GUID, "identity": "in", "name": "in", "sender_domains": ["smtp:*;1"], "ef_skip_i_ps": ["203.0.113.9"], "comment": "",
                "restrict_domains_to_ip_addresses": true, "sender_ip_addresses": ["203.0.113.10/32"], "connector_type": "Partner",
                "client_host_names": null, "enabled": false,
            }),
        )
        .expect("moved");
        assert_eq!(connector.text("id"), Some(GUID));
        assert_eq!(connector.texts("sender_domains"), ["*"]);
        assert_eq!(connector.texts("ef_skip_ips"), ["203.0.113.9"]);
        assert_eq!((connector.truth("enabled"), connector.truth("restrict_domains_to_ip_addresses")), (Some(false), Some(true)));
        assert!(connector.get("comment").is_null());
        let rule = moved(
            "exo_transport_rule",
            &serde_json::json!({
                "id": GUID, "name": "r", "priority": 3, "set_scl": "-1", "from_scope": "InOrganization", "set_header_name": "X-A",
                "set_header_value": "mysecretkey", "except_if_sender_ip_ranges": ["203.0.113.10"], "remove_om_ev2": true, "stop_rule_processing": false,
            }),
        )
        .expect("moved");
        assert_eq!(rule.at("actions.set_scl").as_integer(), Some(-1));
        assert_eq!(rule.text("conditions.from_scope"), Some("InOrganization"));
        assert_eq!(rule.text("actions.set_header_value"), Some("mysecretkey"));
        assert_eq!(rule.truth("actions.remove_ome_v2"), Some(true));
        assert_eq!(rule.at("exceptions.sender_ip_ranges"), &Value::set(vec![Value::text("203.0.113.10")]));
        assert!(rule.get("conditions").as_members().is_some_and(|inner| inner["sender_ip_ranges"].is_null()));
    }

    #[test]
    fn what_cannot_be_found_again_is_not_moved() {
        for id in [Json::Null, Json::from("Inbound"), Json::from("acc2eccd-550f-4efa-9905-46054a5f516")] {
            assert!(moved("exo_outbound_connector", &serde_json::json!({ "id": id, "name": "out" })).is_err());
        }
    }
}
