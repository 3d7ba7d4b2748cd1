//! Recipients that are named otherwise than by their email address.
//!
//! The service takes a display name, an alias or a GUID, and shows the address: what is read back never equals what was sent. So it is said at plan, with the
//! address where it can be found: among the addresses of a list that is known anyway, or by asking for the recipient.

use serde_json::{Map, Value as Json, json};

use super::binding::{Cmdlets, PLAIN};
use super::shape::{Leaf, leaves};
use crate::exchange::Exchange;
use crate::exchange::answer::Object;
use crate::exchange::forms::{RECIPIENT, recipient_meaning};
use crate::exchange::http::Cmdlet;
use crate::remote::{Call, Change, Masks};
use crate::value::{Diagnostic, Value};

/// So many recipients of one object are looked for; each takes a call.
const MOST_LOOKED_FOR: usize = 10;

/// The most addresses that are proposed.
const MOST: usize = 5;

impl Exchange {
    /// Judges the recipients of a planned object that are new and no addresses.
    pub(super) async fn hold_recipients(&self, cmdlets: &'static Cmdlets, change: Change<'_>, call: &Call) {
        let mut looked = 0;
        for leaf in leaves(cmdlets.resource).into_iter().filter(is_recipient) {
            let before: Vec<String> = change
                .prior
                .map(|prior| texts(prior.at(&leaf.name)))
                .unwrap_or_default()
                .into_iter()
                .map(recipient_meaning)
                .collect();
            for name in texts(change.effective.at(&leaf.name)) {
                if is_address(name) || before.contains(&recipient_meaning(name)) {
                    continue;
                }
                looked += 1;
                let found = if looked > MOST_LOOKED_FOR { Vec::new() } else { self.addresses_of(cmdlets, name, call).await };
                call.report(no_address(&leaf, name, &found));
            }
        }
    }

    /// The addresses that a name may stand for.
    async fn addresses_of(&self, cmdlets: &'static Cmdlets, name: &str, call: &Call) -> Vec<String> {
        let masks = Masks::new();
        let parameters = Map::from_iter([("Anr".to_owned(), json!(name)), ("ResultSize".to_owned(), json!("Unlimited"))]);
        let get = Cmdlet { name: "Get-Recipient".to_owned(), parameters, writes: false, masks: &masks };
        let mut found = match Box::pin(self.http.list(&get, call)).await {
            Ok(objects) => objects.iter().filter(|object| is_called(object, name)).filter_map(address).collect(),
            Err(error) => {
                // The application may have no role for it: then the name alone has to do.
                tracing::debug!(%error, "the recipient could not be looked up");
                Vec::new()
            }
        };
        if found.is_empty()
            && let Ok(list) = self.listed(cmdlets, PLAIN, 0, call).await
        {
            found = list.objects.iter().flat_map(|object| alike(object, name)).collect();
        }
        found.sort();
        found.dedup();
        found.truncate(MOST);
        found
    }
}

fn is_recipient(leaf: &Leaf) -> bool {
    leaf.attribute.format.is_some_and(|format| format.about == RECIPIENT)
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        other => other.as_elements().unwrap_or_default().iter().filter_map(Value::as_text).collect(),
    }
}

/// Tells whether a text has the form of an address, with or without the service's `smtp:`.
fn is_address(text: &str) -> bool {
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains(char::is_whitespace))
}

fn is_called(object: &Object, name: &str) -> bool {
    let name = name.trim().to_lowercase();
    ["DisplayName", "Name", "Alias", "Guid", "ExchangeGuid", "Identity", "DistinguishedName"]
        .iter()
        .any(|member| object.text(member).is_some_and(|own| own.to_lowercase() == name))
}

fn address(object: &Object) -> Option<String> {
    object.text("PrimarySmtpAddress").filter(|address| is_address(address)).map(str::to_owned)
}

/// The addresses in an object whose first part is the name, or the first word of it.
fn alike(object: &Object, name: &str) -> Vec<String> {
    let plain =
        |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (whole, first) = (plain(name), plain(name.split_whitespace().next().unwrap_or_default()));
    let fits = |text: &&str| {
        text.split_once('@').is_some_and(|(local, _)| {
            let local = plain(local);
            !local.is_empty() && (local == whole || local == first)
        })
    };
    let items = object.members().flat_map(|(_, value)| match value {
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        Json::String(text) => vec![text.as_str()],
        _ => Vec::new(),
    });
    items.filter(|text| is_address(text) && !text.contains(char::is_whitespace)).filter(fits).map(str::to_owned).collect()
}

fn no_address(leaf: &Leaf, name: &str, found: &[String]) -> Diagnostic {
    let advice = match found {
        [] => "Write the recipient's primary email address.".to_owned(),
        [one] => format!("Use `{one}`."),
        several => format!(
            "Use the address that is meant, such as {}.",
            several.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" or ")
        ),
    };
    Diagnostic::error(
        format!("{name:?} is not an email address"),
        format!(
            "Exchange Online finds recipients by other names, too, and shows them by their address: what stands there would differ from `{}` at every plan. \
             {advice}",
            leaf.attribute.name
        ),
    )
    .at(leaf.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(members: &Json) -> Object {
        Object::new(members.as_object().unwrap().clone())
    }

    #[test]
    fn rx10_an_address_that_is_known_is_found_by_the_name() {
        let rule = object(
            &json!({"SentToMemberOf": ["all@contoso.com", "sales@contoso.com"], "From": "All.Employees@contoso.com", "Name": "x"}),
        );
        let mut found = alike(&rule, "All Employees");
        found.sort();
        assert_eq!(found, ["All.Employees@contoso.com", "all@contoso.com"]);
        assert!(alike(&rule, "Marketing").is_empty() && alike(&rule, " ").is_empty());
        for (text, wanted) in
            [("a@contoso.com", true), ("smtp:a@contoso.com", true), ("All Employees", false), ("@x", false), ("a@", false)]
        {
            assert_eq!(is_address(text), wanted, "{text}");
        }
    }
}
