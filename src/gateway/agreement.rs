//! What objects of the gateway have to agree on with the service at the other end.

use super::filters::demanded;
use crate::remote::{Error, Fact, three_steps};
use crate::schema::{Record, Resource};
use crate::value::{Diagnostic, Path};

/// What an object does that the other side has to agree with; nothing for an object that has no such thing.
pub(super) fn facts(resource: &Resource, record: &Record) -> Option<Vec<Fact>> {
    if resource.name != "gateway_message_filter" {
        return None;
    }
    let script = record.text("script").filter(|_| record.truth("active") == Some(true)).unwrap_or_default();
    let all = demanded(script).into_iter();
    Some(all.map(|(header, values)| Fact::Demands { header, values: values.into_iter().map(Into::into).collect() }).collect())
}

/// Said when a rule of the other side sets another value than the filter asks for.
pub(super) fn not_stamped(names: &str) -> Diagnostic {
    Diagnostic::warning(
        "The filter does not accept the header that the other side sets",
        format!(
            "The {names} sets another value of this header than the filter asks for, so that its mail is dropped. Take both from one value. To change the \
             value while mail flows, let the filter accept the old and the new one first, then change the rule, then take the old one from the filter."
        ),
    )
    .at(Path::dotted("script"))
}

/// What an object is called on the board.
pub(super) fn called(resource: &Resource, id: &str) -> String {
    format!("{} {id:?}", resource.noun)
}

/// Said when a filter would no longer accept what a rule that stands sets.
pub(super) fn outdated(rule: &str, header: &str) -> Diagnostic {
    Diagnostic::error(
        "The filter would drop the mail that is sent now",
        format!("The {rule} sets a value of {header} that the filter would not accept any more. {}", three_steps(header)),
    )
    .at(Path::dotted("script"))
}

/// Said when what stands at the other side could not be read.
pub(super) fn unjudged(error: &Error) -> Diagnostic {
    Diagnostic::warning(
        "Whether the rules and the filter still agree could not be judged",
        format!("The other side could not be read: {error} Make sure that the filter accepts what the rules set now."),
    )
    .at(Path::dotted("script"))
}

/// The hosts that mail for single domains is sent to, and where they are written.
pub(super) fn ways(resource: &Resource, record: &Record) -> Vec<(Path, String, String)> {
    let domain = record.text("domain").filter(|domain| !domain.starts_with('.') && !domain.eq_ignore_ascii_case("ALL"));
    let Some(domain) = domain.filter(|_| resource.name == "gateway_smtp_route") else { return Vec::new() };
    let destinations = record.get("destination").as_elements().unwrap_or_default();
    let hosts = destinations.iter().enumerate().filter_map(|(index, destination)| {
        let host = Record::from_value(destination.clone()).text("host")?.trim_matches(['[', ']']).to_owned();
        Some((Path::root().attribute("destination").index(index).attribute("host"), domain.to_owned(), host))
    });
    hosts.collect()
}

/// Said when the other side refuses mail for a domain.
pub(super) fn refused(words: &str) -> Diagnostic {
    Diagnostic::warning(
        "The other side does not take mail for this domain",
        format!("{words} Add the domain to the organization, or route it elsewhere."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::resources::TABLES;
    use secrecy::ExposeSecret;

    fn resource(name: &str) -> &'static Resource {
        TABLES.iter().map(|table| table.resource).find(|resource| resource.name == name).unwrap()
    }

    #[test]
    fn c08_a_filter_tells_which_values_of_a_header_it_asks_for() {
        let check = |script: &str, wanted: &[(&str, &[&str])]| {
            let record = Record::new().with("script", script).with("active", true);
            let found: Vec<(String, Vec<String>)> = facts(resource("gateway_message_filter"), &record)
                .unwrap()
                .into_iter()
                .map(|fact| match fact {
                    Fact::Demands { header, values } => {
                        (header, values.iter().map(|value| value.expose_secret().to_owned()).collect())
                    }
                    Fact::Stamps { .. } => unreachable!("a filter asks"),
                })
                .collect();
            let wanted: Vec<(String, Vec<String>)> = wanted
                .iter()
                .map(|(header, values)| ((*header).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()))
                .collect();
            assert_eq!(found, wanted, "{script}");
        };
        check(r#"if header("X-A") == "^abc12345$" { strip-header("X-A"); } else { drop(); }"#, &[("X-A", &["abc12345"])]);
        check(r"if (header('X-A') == '^(one|two)$') { drop(); }", &[("X-A", &["one", "two"])]);
        // What is no list of fixed values says nothing.
        check(r#"if header("X-A") == "abc" { drop(); }"#, &[]);
        check(r#"if header("X-A") == "^a.*$" { drop(); }"#, &[]);
        check(r#"if header("X-A") != "^abc$" { drop(); }"#, &[]);
    }
}
