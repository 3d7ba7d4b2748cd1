use std::collections::BTreeSet;

use super::*;
use crate::exchange::cmdlet::Life;
use crate::schema::{Attribute, Kind, Presence, Remote, Rule, engine};
use crate::value::{Diagnostics, Path};

/// Every attribute with its dotted name and the attributes beside it.
fn lines(resource: &'static Resource) -> Vec<(String, &'static Attribute, &'static [Attribute])> {
    let mut lines = Vec::new();
    for attribute in resource.attributes {
        lines.push((attribute.name.to_owned(), attribute, resource.attributes));
        if let Kind::Block(members) = attribute.kind {
            lines.extend(members.iter().map(|member| (format!("{}.{}", attribute.name, member.name), member, members)));
        }
    }
    lines
}

#[test]
fn every_attribute_is_of_a_kind_that_the_cmdlets_can_carry() {
    for resource in ALL {
        for (name, attribute, _) in lines(resource) {
            let flat = matches!((attribute.kind, attribute.remote), (Kind::Block(_), Remote::Flattened(_)));
            let plain = matches!(attribute.kind, Kind::Scalar(_) | Kind::Set(_) | Kind::List(_));
            // What the service sets and several members say together is put together by a function of the resource.
            let completed = attribute.presence == Presence::Computed
                && named(resource.name).is_some_and(|cmdlets| cmdlets.completes.is_some());
            assert!(flat || plain || completed, "{} {name}", resource.name);
            assert!(attribute.about.ends_with('.'), "{} {name}", resource.name);
        }
    }
}

#[test]
fn every_name_that_a_table_or_its_cmdlets_mention_exists() {
    for cmdlets in CMDLETS {
        let lines = lines(cmdlets.resource);
        let names: BTreeSet<&str> = lines.iter().map(|(name, ..)| name.as_str()).collect();
        let mut mentioned: Vec<&str> = cmdlets.set_only.to_vec();
        mentioned.extend(cmdlets.quiet);
        mentioned.extend(cmdlets.new_names.iter().map(|(name, _)| *name));
        mentioned.extend(cmdlets.rotation.into_iter().flat_map(|rotation| [rotation.size, rotation.version]));
        mentioned.extend(cmdlets.restricts.into_iter().flat_map(|restricts| [restricts.excuse, restricts.about]));
        if let Life::Switched(switch) = cmdlets.life {
            mentioned.push(switch.resolvers);
        }
        mentioned.extend(cmdlets.toggle.map(|toggle| toggle.attribute));
        mentioned.extend(cmdlets.forms.iter().map(|(name, _)| *name));
        mentioned.extend(cmdlets.only_when.iter().map(|(name, _)| *name));
        mentioned.extend(cmdlets.references.iter().map(|reference| reference.attribute));
        if let Some(validation) = cmdlets.validation {
            mentioned.extend([validation.switch, validation.recipients, validation.outcome]);
            mentioned.extend(validation.relevant);
        }
        for rule in cmdlets.resource.rules {
            match rule {
                Rule::Requires(one, other) => mentioned.extend([*one, *other]),
                Rule::Conflicts(all) | Rule::AtLeastOne(all, _) | Rule::ExactlyOne(all, _) | Rule::Together(all) => {
                    mentioned.extend(*all);
                }
                Rule::Hook(..) | Rule::Advice(..) => {}
            }
        }
        for name in mentioned {
            assert!(names.contains(name), "{}: {name}", cmdlets.resource.name);
        }
        for (name, attribute, beside) in &lines {
            for partner in attribute.partners {
                assert!(beside.iter().any(|other| other.name == *partner), "{name} with {partner}");
            }
            if let Some(&(sibling, _)) = attribute.implied {
                assert!(beside.iter().any(|other| other.name == sibling), "{name} beside {sibling}");
            }
        }
        for reference in cmdlets.references {
            assert!(named(reference.to).is_some());
        }
    }
}

fn said(resource: &str, config: &Record) -> Diagnostics {
    let rules = named(resource).unwrap().resource.rules.iter();
    rules
        .flat_map(|rule| match rule {
            Rule::Hook(_, test) => test(config),
            Rule::Advice(_, test) => test(None, config),
            _ => Vec::new(),
        })
        .collect()
}

/// Checks on which attributes the rules of a resource speak, errors and warnings apart.
fn check(resource: &str, config: &Record, errors: &[&str], warnings: &[&str]) {
    let said = said(resource, config);
    let at = |is_error: bool| -> Vec<String> {
        let found = said.iter().filter(|one| one.is_error() == is_error);
        found.map(|one| one.path.as_ref().map(Path::to_string).unwrap_or_default()).collect()
    };
    assert_eq!(
        (at(true), at(false)),
        (errors.iter().map(ToString::to_string).collect(), warnings.iter().map(ToString::to_string).collect()),
        "{config:?}"
    );
}

#[test]
fn c05_a_partner_connector_without_a_restriction_leaves_the_tenant_open() {
    let resource = "exchange_inbound_connector";
    let partner = || Record::new().with("connector_type", "Partner");
    check(resource, &partner(), &[], &["restrict_domains_to_ip_addresses"]);
    check(resource, &partner().with("restrict_domains_to_ip_addresses", true), &[], &[]);
    check(resource, &partner().with("restrict_domains_to_certificate", true), &[], &[]);
    check(resource, &partner().with("restrict_domains_to_certificate", Value::UNKNOWN), &[], &[]);
    check(resource, &partner().with("enabled", false), &[], &[]);
    check(resource, &Record::new().with("connector_type", "OnPremises"), &[], &[]);
    check(resource, &Record::new().with("connector_type", Value::UNKNOWN), &[], &[]);
}

#[test]
fn rx3_a_rule_with_a_condition_that_no_argument_shows_is_not_said_to_act_on_all_mail() {
    let rule = named("exchange_transport_rule").unwrap().resource;
    let said = |standing: Option<&Record>, config: &Record| engine::judge(rule, standing, config).len();
    let actions = Value::object([("quarantine".to_owned(), Value::Bool(true))]);
    let config = Record::new().with("name", "r").with("actions", actions);
    let with = |unmanaged: &[&str]| config.clone().with("unmanaged", Value::texts(unmanaged.iter().copied()));
    assert_eq!(said(None, &config), 1);
    for (standing, warnings) in [
        (&[][..], 1),
        (&["exceptions: ContentMatchesPrompt"], 1),
        (&["conditions: ContentMatchesPrompt"], 0),
        (&["actions: A", "conditions: B = true"], 0),
    ] {
        assert_eq!(said(Some(&with(standing)), &config), warnings, "{standing:?}");
    }
}

#[test]
fn c11_a_name_has_64_characters_at_most() {
    for resource in ALL {
        // What is always there, or has no name of its own.
        let Some(name) = resource.attributes.iter().find(|attribute| attribute.name == "name").copied() else { continue };
        let wrong = |length: usize| {
            let config = Record::new().with("name", "n".repeat(length));
            crate::schema::engine::validate(&[name], &[], &config, true).len()
        };
        assert_eq!((wrong(64), wrong(65)), (0, 1), "{}", resource.name);
    }
}

#[test]
fn an_inbound_connectors_settings_fit_together() {
    let resource = "exchange_inbound_connector";
    let both = Record::new().with("restrict_domains_to_ip_addresses", true).with("restrict_domains_to_certificate", true);
    check(resource, &both, &[], &["restrict_domains_to_certificate"]);
    let skipped = || {
        let addresses = Value::texts(["198.51.100.7"]);
        Record::new().with("connector_type", "OnPremises").with("ef_skip_ips", addresses)
    };
    check(resource, &skipped(), &[], &[]);
    check(resource, &skipped().with("ef_skip_last_ip", true), &[], &["ef_skip_ips"]);
    let internal =
        Record::new().with("connector_type", "Partner").with("enabled", false).with("treat_messages_as_internal", true);
    check(
        resource,
        &internal.with("cloud_services_mail_enabled", true),
        &["treat_messages_as_internal", "treat_messages_as_internal"],
        &[],
    );
}

#[test]
fn an_outbound_connectors_settings_fit_together() {
    let resource = "exchange_outbound_connector";
    let hosts = || Value::texts(["203.0.113.20"]);
    check(resource, &Record::new().with("use_mx_record", false), &["smart_hosts"], &[]);
    check(resource, &Record::new().with("use_mx_record", false).with("smart_hosts", hosts()), &[], &[]);
    check(resource, &Record::new().with("use_mx_record", false).with("smart_hosts", Value::UNKNOWN), &[], &[]);
    check(resource, &Record::new().with("smart_hosts", hosts()), &[], &["smart_hosts"]);
    check(resource, &Record::new().with("tls_domain", "contoso.com"), &["tls_domain"], &[]);
    check(resource, &Record::new().with("tls_domain", "contoso.com").with("tls_settings", "DomainValidation"), &[], &[]);
    check(resource, &Record::new().with("tls_domain", "contoso.com").with("tls_settings", Value::UNKNOWN), &[], &[]);
    let partner = Record::new().with("connector_type", "Partner").with("all_accepted_domains", true);
    check(resource, &partner, &["all_accepted_domains"], &[]);
}

#[test]
fn a_rules_settings_fit_together() {
    let resource = "exchange_transport_rule";
    let rule = |actions: Value| {
        Record::new().with("conditions", Value::object([("from_scope", "InOrganization".into())])).with("actions", actions)
    };
    let scl = || Value::object([("set_scl", Value::integer(-1))]);
    check(resource, &rule(scl()), &[], &[]);
    check(resource, &rule(scl()).with("conditions", Value::Null), &[], &["conditions"]);
    check(resource, &rule(scl()).with("conditions", Value::UNKNOWN), &[], &[]);
    check(resource, &rule(Value::object([("set_scl", Value::Null)])), &["actions"], &[]);
    let none = || rule(Value::object([("set_scl", Value::Null)]));
    check(resource, &none().with("stop_rule_processing", true), &[], &[]);
    check(resource, &none().with("stop_rule_processing", Value::UNKNOWN), &[], &[]);
    check(resource, &none().with("stop_rule_processing", false), &["actions"], &[]);
    check(resource, &rule(Value::object([("delete_message", false.into())])), &["actions.delete_message"], &[]);
    let unvalued = rule(Value::object([("set_header_name", "X-A".into())])).with("name", "r");
    let said = engine::judge(named(resource).unwrap().resource, None, &unvalued);
    assert_eq!(said.iter().map(|one| one.path.as_ref().unwrap().to_string()).collect::<Vec<_>>(), ["actions.set_header_value"]);
    check(resource, &rule(Value::object([("set_header_value", "v".into())])), &["actions.set_header_name"], &[]);
    let write_only = [("set_header_name", Value::from("X-A")), ("set_header_value_wo", Value::from("v"))];
    check(resource, &rule(Value::object(write_only)), &[], &[]);
    check(resource, &rule(Value::UNKNOWN), &[], &[]);
    let both = [("reject_message_reason_text", Value::from("no")), ("redirect_message_to", Value::texts(["a@contoso.com"]))];
    check(resource, &rule(Value::object(both)), &["actions.redirect_message_to"], &[]);
    let half = Value::object([("header_contains_words", Value::texts(["a"]))]);
    check(resource, &rule(scl()).with("exceptions", half), &["exceptions.header_contains_message_header"], &[]);
}

#[test]
fn e17_a_domain_that_nobody_spelled_is_shown_without_the_services_marks() {
    for (resource, name) in
        [(&inbound_connector::RESOURCE, "sender_domains"), (&outbound_connector::RESOURCE, "recipient_domains")]
    {
        let remote = Record::new().with(name, Value::Set(vec!["smtp:*;1".into(), "smtp:Contoso.com;1".into()]));
        let shown = engine::settle(resource, &Record::new(), &remote);
        assert_eq!(shown.texts(name), ["*", "contoso.com"], "{}", resource.name);
        let known = Record::new().with(name, Value::Set(vec!["*".into(), "CONTOSO.com".into()]));
        let mut kept =
            engine::settle(resource, &known, &remote).texts(name).iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        kept.sort();
        assert_eq!(kept, ["*", "CONTOSO.com"], "{}", resource.name);
    }
}

#[test]
fn a_rule_has_every_condition_that_the_service_takes() {
    let named = |group: &str| {
        let attribute = transport_rule::RESOURCE.attributes.iter().find(|attribute| attribute.name == group).unwrap();
        attribute.kind.members().unwrap().len()
    };
    // Of 61 parameters two are for servers on-premises.
    assert_eq!((named("conditions"), named("exceptions")), (59, 59));
}

#[test]
fn a_rules_conditions_come_in_pairs() {
    let resource = "exchange_transport_rule";
    let rule = |group: &str, members: Value| {
        let scl = Value::object([("set_scl", Value::integer(-1))]);
        Record::new()
            .with("conditions", Value::object([("from_scope", "InOrganization".into())]))
            .with("actions", scl)
            .with(group, members)
    };
    let one = |name: &str, value: Value| Value::object([(name, value)]);
    let people = || Value::texts(["a@contoso.com"]);
    check(resource, &rule("exceptions", one("between_member_of_1", people())), &["exceptions.between_member_of_2"], &[]);
    check(resource, &rule("conditions", one("manager_addresses", people())), &["conditions.manager_for_evaluated_user"], &[]);
    check(
        resource,
        &rule("conditions", one("ad_comparison_operator", "Equal".into())),
        &["conditions.ad_comparison_attribute"],
        &[],
    );
    check(resource, &rule("conditions", one("ad_comparison_attribute", "City".into())), &[], &[]);
    check(resource, &rule("conditions", one("manager_addresses", Value::UNKNOWN)), &[], &[]);
}

#[test]
fn a_rule_that_is_certainly_too_long_is_refused() {
    let resource = "exchange_transport_rule";
    let rule = |words: usize| {
        let words: Vec<String> = (0..words).map(|word| format!("{word:0>128}")).collect();
        let conditions = Value::object([("subject_contains_words", Value::set(words.into_iter().map(Value::String).collect()))]);
        Record::new()
            .with("name", "a")
            .with("conditions", conditions)
            .with("actions", Value::object([("set_scl", Value::integer(1))]))
    };
    check(resource, &rule(63), &[], &[]);
    check(resource, &rule(64), &[""], &[]);
}

#[test]
fn the_limits_of_an_organization_are_counted_at_plan() {
    use crate::exchange::answer::Object;
    let beside = transport_rule::CMDLETS.beside.unwrap();
    let others = |count: usize, pattern: &str| -> Vec<Object> {
        let object = |place: usize| serde_json::json!({"Guid": format!("guid-{place}"), "SubjectMatchesPatterns": [pattern]});
        (0..count).map(|place| Object::new(object(place).as_object().unwrap().clone())).collect()
    };
    let planned =
        Record::new().with("conditions", Value::object([("subject_matches_patterns", Value::texts(["x".repeat(1000)]))]));
    assert!(beside(&planned, None, &others(10, "short")).is_empty());
    assert_eq!(beside(&planned, None, &others(300, "short")).len(), 1);
    let prior = |id: &str| Record::new().with("id", id);
    assert!(beside(&planned, Some(&prior("guid-7")), &others(300, "short")).is_empty());
    assert_eq!(beside(&planned, Some(&prior("other")), &others(20, &"y".repeat(1000))).len(), 1);
    assert!(beside(&planned, Some(&prior("guid-7")), &others(20, &"y".repeat(1000))).is_empty());
    // What stands already is not counted against a change elsewhere.
    let stands = planned.clone().with("id", "other");
    assert!(beside(&planned, Some(&stands), &others(20, &"y".repeat(1000))).is_empty());
}

#[test]
fn settings_around_mail_flow_fit_together() {
    let domain =
        |kind: Value| Record::new().with("domain", "contoso.com").with("match_sub_domains", true).with("domain_type", kind);
    check("exchange_accepted_domain", &domain("InternalRelay".into()), &[], &[]);
    check("exchange_accepted_domain", &domain(Value::Null), &["match_sub_domains"], &[]);
    check("exchange_accepted_domain", &domain(Value::UNKNOWN), &[], &[]);
    let lists =
        Record::new().with("ip_allow_list", Value::texts(["192.0.2.1"])).with("ip_block_list", Value::texts(["192.0.2.1/32"]));
    check("exchange_connection_filter", &lists, &[], &["ip_block_list"]);
    let legacy = Record::new().with("allowed_oof_type", "InternalLegacy");
    check("exchange_remote_domain", &legacy, &["allowed_oof_type"], &[]);
    check("exchange_remote_domain", &legacy.with("is_internal", true), &[], &[]);
}
