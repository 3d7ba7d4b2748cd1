//! What stands on the device, as a person would want to see it.

use super::options::Release;
use super::tables::destination::{Destination, RecipientLimit, Tls};
use super::tables::hat::Verdict;
use super::tables::parameter::Setting;
use super::tables::{Configuration, columns};

/// Writes all tables of a configuration; literals that filters compare with a header, which are secrets, are masked.
pub(super) fn describe(configuration: &Configuration, release: Release) -> String {
    let sections = [
        ("Destination controls", destinations(configuration)),
        ("Recipient access", recipients(configuration)),
        ("SMTP routes", routes(configuration)),
        ("Host access", hosts(configuration)),
        ("Mail flow policies that differ from the default", policies(configuration)),
        ("Message filters", filters(configuration)),
        ("TLS settings", tls(configuration)),
    ];
    let mut text = format!("AsyncOS {}\n", release.version());
    for (title, body) in sections {
        text.push_str(&format!("\n{title}\n{}\n", "-".repeat(title.len())));
        text.push_str(if body.is_empty() { "(none)\n" } else { &body });
    }
    text
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn limit(limit: Option<RecipientLimit>) -> String {
    limit.map_or_else(|| "none".into(), |limit| format!("{} in {} min", limit.recipients, limit.minutes))
}

fn destinations(configuration: &Configuration) -> String {
    let controls = &configuration.destination_controls;
    let or_default = |value: Option<u32>| value.map_or_else(|| "default".to_owned(), |value| value.to_string());
    let mut rows = vec![row(["Domain", "Connections", "Messages each", "Recipients", "TLS"])];
    rows.extend(controls.entries.iter().map(|entry: &Destination| {
        vec![
            entry.domain.clone(),
            or_default(entry.concurrency),
            or_default(entry.messages_per_connection),
            limit(entry.recipient_limit),
            entry.tls.map_or("default", Tls::label).to_owned(),
        ]
    }));
    let default = &controls.default;
    rows.push(vec![
        "(default)".into(),
        default.concurrency.to_string(),
        default.messages_per_connection.to_string(),
        limit(default.recipient_limit),
        default.tls.label().into(),
    ]);
    columns(&rows)
}

fn recipients(configuration: &Configuration) -> String {
    let mut rows = vec![row(["Listener", "Recipient", "Access"])];
    for listener in &configuration.listeners {
        if let Some(rat) = &listener.rat {
            let mut add = |address: &str, access: String| rows.push(vec![listener.name.clone(), address.to_owned(), access]);
            rat.entries.iter().for_each(|entry| add(&entry.address, entry.treatment.print(true)));
            add("ALL", rat.all.print(true));
        }
    }
    columns(&rows)
}

fn routes(configuration: &Configuration) -> String {
    if configuration.smtp_routes.is_empty() {
        return String::new();
    }
    let mut rows = vec![row(["Domain", "Destinations"])];
    rows.extend(configuration.smtp_routes.iter().map(|route| vec![route.domain.clone(), route.destinations.join(", ")]));
    columns(&rows)
}

fn hosts(configuration: &Configuration) -> String {
    let mut rows = vec![row(["Listener", "#", "Sender group", "Policy", "Senders", "Comment"])];
    for listener in &configuration.listeners {
        let lead = |verdict: &Verdict| match verdict {
            Verdict::Policy(name) => name.clone(),
            Verdict::Own { behavior, .. } => behavior.label().to_owned(),
        };
        let groups = listener.hat.groups.iter().map(|group| {
            let senders: Vec<String> = group.senders.iter().chain(&group.countries).cloned().collect();
            (group.name.as_str(), lead(&group.verdict), senders.join(", "), group.comment.as_str())
        });
        let all = [("ALL", lead(&listener.hat.all), String::new(), listener.hat.all_comment.as_str())];
        for (number, (name, policy, senders, comment)) in groups.chain(all).enumerate() {
            let dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
            rows.push(vec![
                listener.name.clone(),
                (number + 1).to_string(),
                dash(name),
                policy,
                dash(&senders),
                comment.to_owned(),
            ]);
        }
    }
    columns(&rows)
}

fn policies(configuration: &Configuration) -> String {
    let mut rows = vec![row(["Listener", "Policy", "Behavior", "Parameters"])];
    for listener in &configuration.listeners {
        let hat = &listener.hat;
        for policy in &hat.policies {
            let differing: Vec<String> = policy
                .parameters
                .iter()
                .filter(|(key, value)| hat.defaults.get(key) != Some(value))
                .map(|(key, value)| match value {
                    Setting::Number(number) => format!("{key}={number}"),
                    Setting::Text(text) => format!("{key}={}", text.lines().next().unwrap_or_default()),
                })
                .collect();
            if !differing.is_empty() {
                let behavior = policy.behavior.label().to_owned();
                rows.push(vec![listener.name.clone(), policy.name.clone(), behavior, differing.join(", ")]);
            }
        }
    }
    if rows.len() == 1 { String::new() } else { columns(&rows) }
}

fn filters(configuration: &Configuration) -> String {
    let mut text = String::new();
    for (number, filter) in configuration.filters.iter().enumerate() {
        let faults = filter.faults(configuration);
        let valid = if faults.is_empty() { "valid".to_owned() } else { format!("invalid: {}", faults.join("; ")) };
        let active = if filter.active { "active" } else { "inactive" };
        text.push_str(&format!("{}. {} ({active}, {valid})\n", number + 1, filter.name));
        for line in masked(&filter.print()).lines() {
            text.push_str(&format!("   {line}\n"));
        }
    }
    text
}

/// Masks the literals that a filter compares a header with, and the values of headers that it sets.
fn masked(text: &str) -> String {
    let mut result = String::new();
    for line in text.lines() {
        let secret = ["header(", "insert-header(", "edit-header-text("].iter().any(|word| line.contains(word));
        let mut literal = 0;
        let mut quoted = None;
        for letter in line.chars() {
            match quoted {
                Some(end) if letter == end => {
                    if secret && literal > 1 {
                        result.push_str("***");
                    }
                    quoted = None;
                    result.push(letter);
                }
                Some(_) if secret && literal > 1 => {}
                None if letter == '"' || letter == '\'' => {
                    literal += 1;
                    quoted = Some(letter);
                    result.push(letter);
                }
                _ => result.push(letter),
            }
        }
        result.push('\n');
    }
    result
}

fn tls(configuration: &Configuration) -> String {
    let settings = &configuration.tls_settings;
    let mut rows = vec![row(["Service", "Method", "Ciphers"])];
    for (name, service) in
        [("GUI HTTPS", &settings.gui), ("Inbound SMTP", &settings.inbound), ("Outbound SMTP", &settings.outbound)]
    {
        rows.push(vec![name.into(), service.method.clone(), service.ciphers.clone()]);
    }
    columns(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_filter_is_masked_and_its_header_is_not() {
        let text = masked("a: if (header(\"X-KEY\") == \"^topsecret$\") {\n       strip-header(\"X-KEY\");\n   }");
        assert!(!text.contains("topsecret"), "{text}");
        assert!(text.contains("header(\"X-KEY\") == \"***\"") && text.contains("strip-header(\"X-KEY\")"), "{text}");
    }
}
