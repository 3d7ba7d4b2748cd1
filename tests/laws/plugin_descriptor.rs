//! The compiled wire definitions are the protocol's, fact by fact.
//!
//! `proto/facts.txt` lists every call, message, field and enum value with its number and type, as the protocol has them. Two
//! sides that disagree on one of these misread each other without any error.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

const FACTS: &str = include_str!("../../proto/facts.txt");
const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

fn compiled() -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(DESCRIPTOR).expect("the descriptor is written by build.rs");
    let mut facts = BTreeSet::new();
    for file in files.file.iter().filter(|file| !file.package().starts_with("google.")) {
        let package = file.package();
        file.enum_type.iter().for_each(|kind| values(package, kind, &mut facts));
        file.message_type.iter().for_each(|message| fields(package, message, &mut facts));
        for service in &file.service {
            for rpc in &service.method {
                let side = |streams: bool, name: &str| {
                    format!("{}{}", if streams { "stream " } else { "" }, name.trim_start_matches('.'))
                };
                facts.insert(format!(
                    "rpc {package}.{}.{} {} -> {}",
                    service.name(),
                    rpc.name(),
                    side(rpc.client_streaming(), rpc.input_type()),
                    side(rpc.server_streaming(), rpc.output_type())
                ));
            }
        }
    }
    facts
}

fn values(scope: &str, kind: &EnumDescriptorProto, facts: &mut BTreeSet<String>) {
    for value in &kind.value {
        facts.insert(format!("value {scope}.{}.{} = {}", kind.name(), value.name(), value.number()));
    }
}

fn fields(scope: &str, message: &DescriptorProto, facts: &mut BTreeSet<String>) {
    let name = format!("{scope}.{}", message.name());
    let is_map = message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry);
    facts.insert(format!("message {name}{}", if is_map { " map" } else { "" }));
    for field in &message.field {
        let ty =
            field.type_name.as_deref().map_or_else(|| scalar(field.r#type()), |name| name.trim_start_matches('.').to_owned());
        let label = label(message, field);
        facts.insert(format!("field {name}.{} = {} {ty} {label}", field.name(), field.number()));
    }
    message.enum_type.iter().for_each(|kind| values(&name, kind, facts));
    message.nested_type.iter().for_each(|inner| fields(&name, inner, facts));
}

fn scalar(ty: Type) -> String {
    ty.as_str_name().trim_start_matches("TYPE_").to_ascii_lowercase()
}

fn label(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    if field.label() == Label::Repeated {
        "repeated".to_owned()
    } else if field.proto3_optional() {
        "optional".to_owned()
    } else if let Some(group) = field.oneof_index.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?)) {
        format!("oneof {}", group.name())
    } else {
        "singular".to_owned()
    }
}

#[test]
fn every_call_message_field_and_value_is_the_protocols_and_none_is_missing() {
    let facts: BTreeSet<String> = FACTS.lines().map(str::to_owned).collect();
    let compiled = compiled();
    let missing: Vec<_> = facts.difference(&compiled).collect();
    let surplus: Vec<_> = compiled.difference(&facts).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:#?}\nsurplus: {surplus:#?}");
}

#[test]
fn the_provider_service_has_the_36_calls_of_minor_version_11() {
    let calls = FACTS.lines().filter(|fact| fact.starts_with("rpc tfplugin6.Provider.")).count();
    let messages =
        FACTS.lines().filter_map(|fact| fact.strip_prefix("message tfplugin6.")).filter(|name| !name.contains('.')).count();
    assert_eq!((calls, messages), (36, 53));
}
