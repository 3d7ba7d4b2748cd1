//! The thirty objects, as they stand before and as they are wished for, and what stands on a device in a form that can be compared.

use std::collections::BTreeMap;

use mailflow::gateway::resources;
use mailflow::schema::{Record, Resource, engine};
use mailflow::value::{Number, Type, Value};
use serde_json::{Value as Json, json};

/// One object of the configuration.
#[derive(Debug)]
pub(crate) struct Object {
    /// Its address.
    pub(crate) label: &'static str,
    pub(crate) resource: &'static Resource,
    /// Its arguments before; none: it is made.
    pub(crate) before: Option<Record>,
    /// Its arguments afterwards; none: it is deleted.
    pub(crate) after: Option<Record>,
    /// What must be done first.
    pub(crate) needs: &'static [&'static str],
    /// Where it stands among [`parts`].
    pub(crate) part: String,
}

fn value(json: &Json, ty: &Type) -> Value {
    match (json, ty) {
        (Json::Object(given), Type::Object(types)) => Value::Object(
            types.iter().map(|(name, ty)| (name.clone(), value(given.get(name).unwrap_or(&Json::Null), ty))).collect(),
        ),
        (Json::Array(items), Type::List(ty)) => Value::List(items.iter().map(|item| value(item, ty)).collect()),
        (Json::Array(items), Type::Set(ty)) => Value::set(items.iter().map(|item| value(item, ty)).collect::<Vec<_>>()),
        (Json::String(text), _) => Value::text(text),
        (Json::Bool(truth), _) => Value::Bool(*truth),
        (Json::Number(number), _) => Value::Number(number.to_string().parse::<Number>().expect("a number")),
        (Json::Null, _) => Value::Null,
        other => panic!("does not fit: {other:?}"),
    }
}

/// The arguments of an object, as a configuration has them.
pub(crate) fn record(resource: &'static Resource, arguments: &Json) -> Record {
    Record::from_value(value(arguments, &engine::resource_type(resource)))
}

fn object(label: &'static str, name: &str, before: &Json, after: &Json, needs: &'static [&'static str]) -> Object {
    let resource = *resources::ALL.iter().find(|resource| resource.name == format!("gateway_{name}")).expect("a resource");
    let part = {
        let known = if before.is_null() { after } else { before };
        let text = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
        match name {
            "destination_control" => format!("destination {}", text("domain")),
            "smtp_route" => format!("route {}", text("domain")),
            "recipient_access" => format!("recipient {} {}", text("listener"), text("recipient")),
            "mail_flow_policy" => format!("policy {} {}", text("listener"), text("name")),
            "sender_group" => format!("group {} {}", text("listener"), text("name")),
            "message_filter" => format!("filter {}", text("name")),
            _ => "tls".to_owned(),
        }
    };
    let arguments = |json: &Json| (!json.is_null()).then(|| record(resource, json));
    Object { label, resource, before: arguments(before), after: arguments(after), needs, part }
}

/// The thirty objects.
pub(crate) fn all() -> Vec<Object> {
    let none = Json::Null;
    let control = |label, before: Json, after: Json| object(label, "destination_control", &before, &after, &[]);
    let route = |label, before: Json, after: Json| object(label, "smtp_route", &before, &after, &[]);
    let to = |domain: &str, host: &str| json!({ "domain": domain, "destination": [{ "host": host }] });
    let rat = |label, before: Json, after: Json| object(label, "recipient_access", &before, &after, &[]);
    let accept = |recipient: &str| json!({ "listener": "IncomingMail", "recipient": recipient, "action": "accept" });
    let policy = |name: &str, tls: &str, size: u32| json!({ "listener": "OutgoingMail", "name": name, "behavior": "relay", "tls": tls, "max_message_size": size });
    let group = |name: &str, policy: &str, senders: &[&str]| json!({ "listener": "OutgoingMail", "name": name, "policy": policy, "senders": senders });
    let filter = |name: &str, script: &str| json!({ "name": name, "script": script });
    vec![
        control("c_new1", none.clone(), json!({ "domain": "c1.example", "concurrency_limit": 10, "tls": "required" })),
        control("c_new2", none.clone(), json!({ "domain": "c2.example", "recipient_limit": 100, "recipient_limit_minutes": 30 })),
        control(
            "c_changed1",
            json!({ "domain": "c3.example", "concurrency_limit": 10 }),
            json!({ "domain": "c3.example", "concurrency_limit": 20, "tls": "preferred" }),
        ),
        control("c_changed2", json!({ "domain": "c4.example", "tls": "required" }), json!({ "domain": "c4.example" })),
        control("c_gone", json!({ "domain": "c5.example", "concurrency_limit": 10 }), none.clone()),
        control(
            "c_default",
            none.clone(),
            json!({ "domain": "DEFAULT", "concurrency_limit": 400, "max_messages_per_connection": 40, "tls": "preferred", "bounce_verification": "off" }),
        ),
        route("r_new1", none.clone(), to("r1.example", "one.example.net")),
        route(
            "r_new2",
            none.clone(),
            json!({ "domain": "r2.example", "destination": [{ "host": "one.example.net", "priority": 10 }, { "host": "two.example.net", "port": 2525, "priority": 20 }] }),
        ),
        route("r_new3", none.clone(), to("ALL", "smart.example.net")),
        route("r_changed1", to("r3.example", "one.example.net"), to("r3.example", "two.example.net")),
        route("r_changed2", to("r4.example", "one.example.net"), to("r4.example", "USEDNS")),
        route("r_gone", to("r5.example", "one.example.net"), none.clone()),
        rat("a_new1", none.clone(), accept("a1.example")),
        rat(
            "a_new2",
            none.clone(),
            json!({ "listener": "IncomingMail", "recipient": "a2.example", "action": "reject", "smtp_response_code": 551, "smtp_response_text": "Not here" }),
        ),
        rat(
            "a_changed",
            accept("a3.example"),
            json!({ "listener": "IncomingMail", "recipient": "a3.example", "action": "accept", "bypass_ldap_accept": true }),
        ),
        rat("a_gone", accept("a4.example"), none.clone()),
        rat(
            "a_all",
            none.clone(),
            json!({ "listener": "IncomingMail", "recipient": "ALL", "action": "reject", "smtp_response_code": 550, "smtp_response_text": "No such user" }),
        ),
        object("p_new", "mail_flow_policy", &none, &policy("P_NEW", "required", 20_971_520), &[]),
        object(
            "p_changed",
            "mail_flow_policy",
            &policy("P_CHANGED", "preferred", 10_485_760),
            &policy("P_CHANGED", "required", 20_971_520),
            &[],
        ),
        object("p_gone", "mail_flow_policy", &policy("P_GONE", "preferred", 10_485_760), &none, &["g_gone"]),
        object(
            "g_new",
            "sender_group",
            &none,
            &json!({ "listener": "OutgoingMail", "name": "G_NEW", "policy": "P_NEW", "senders": [".outbound.example.com"], "before": "RELAYLIST" }),
            &["p_new"],
        ),
        object(
            "g_changed",
            "sender_group",
            &group("G_CHANGED", "RELAYED", &["192.0.2.1", ".g.example"]),
            &group("G_CHANGED", "P_CHANGED", &["192.0.2.2", ".g.example"]),
            &["p_changed"],
        ),
        object(
            "g_comment",
            "sender_group",
            &group("G_COMMENT", "RELAYED", &["192.0.2.9"]),
            &json!({ "listener": "OutgoingMail", "name": "G_COMMENT", "policy": "RELAYED", "senders": ["192.0.2.9"], "comment": "ours (now)" }),
            &[],
        ),
        object("g_gone", "sender_group", &group("G_GONE", "P_GONE", &["192.0.2.20"]), &none, &[]),
        object("f_new1", "message_filter", &none, &filter("f_new1", "if (header('X-One') == '^one$') { drop(); }"), &[]),
        object(
            "f_new2",
            "message_filter",
            &none,
            &json!({ "name": "f_new2", "script": "if (true) { skip-filters(); }", "active": false, "before": "f_new1" }),
            &["f_new1"],
        ),
        object(
            "f_changed",
            "message_filter",
            &filter("f_changed", "if (true) { skip-filters(); }"),
            &filter("f_changed", "if (true) { drop(); }"),
            &[],
        ),
        object(
            "f_active",
            "message_filter",
            &filter("f_active", "if (true) { skip-filters(); }"),
            &json!({ "name": "f_active", "script": "if (true) { skip-filters(); }", "active": false }),
            &[],
        ),
        object("f_gone", "message_filter", &filter("f_gone", "if (true) { skip-filters(); }"), &none, &[]),
        object("tls", "tls_settings", &none, &json!({ "inbound_methods": ["TLSv1.2"], "inbound_ciphers": "HIGH:!aNULL" }), &[]),
    ]
}

/// What stands on a device, each object by its name. Neither the order nor what nobody here changes is in it twice.
pub(crate) fn parts(snapshot: &Json) -> BTreeMap<String, Json> {
    let mut parts = BTreeMap::new();
    let mut rest = snapshot.clone();
    let mut take = |prefix: &str, list: &mut Json, key: &str| {
        for item in std::mem::take(list).as_array().into_iter().flatten() {
            let name = format!("{prefix}{}", item[key].as_str().unwrap_or_default());
            assert!(parts.insert(name.clone(), item.clone()).is_none(), "{name} stands there twice");
        }
    };
    take("destination ", &mut rest["destination_controls"]["entries"], "domain");
    take("route ", &mut rest["smtp_routes"], "domain");
    take("filter ", &mut rest["filters"], "name");
    for listener in rest["listeners"].as_array_mut().into_iter().flatten() {
        let name = listener["name"].as_str().unwrap_or_default().to_owned();
        take(&format!("policy {name} "), &mut listener["hat"]["policies"], "name");
        take(&format!("group {name} "), &mut listener["hat"]["groups"], "name");
        if listener["rat"].is_object() {
            take(&format!("recipient {name} "), &mut listener["rat"]["entries"], "address");
        }
    }
    for listener in rest["listeners"].as_array_mut().into_iter().flatten() {
        let name = listener["name"].as_str().unwrap_or_default().to_owned();
        if listener["rat"].is_object() {
            parts.insert(format!("recipient {name} ALL"), std::mem::take(&mut listener["rat"]["all"]));
        }
    }
    parts.insert("destination DEFAULT".to_owned(), std::mem::take(&mut rest["destination_controls"]["default"]));
    parts.insert("tls".to_owned(), std::mem::take(&mut rest["tls_settings"]));
    parts.insert("rest".to_owned(), rest);
    parts
}

/// The order in which groups and filters stand.
pub(crate) fn orders(snapshot: &Json) -> Vec<Vec<String>> {
    let names = |list: &Json| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let hats = snapshot["listeners"].as_array().into_iter().flatten().map(|listener| names(&listener["hat"]["groups"]));
    hats.chain([names(&snapshot["filters"])]).collect()
}
