//! The order of named objects among themselves, whatever stands between and around them.
//!
//! Only those are moved that do not stand in a longest run that is in order already, so that there are as few moves as can be.

use time::OffsetDateTime;
use tokio::time::Instant;

use super::binding::{Cmdlets, PLAIN};
use super::lists::{List, Way};
use super::order::{neighbour, place};
use super::own_writes::{OwnWrite, changed};
use super::send::AGAIN;
use super::words::behind;
use crate::exchange::Exchange;
use crate::exchange::answer::{Failed, Object};
use crate::remote::order::moves;
use crate::remote::{Call, Error, Failure, Kind, Masks, pause};
use crate::schema::Record;
use crate::value::{Diagnostic, Path, Value};

/// The attribute with the names, top to bottom.
pub(super) const RULES: &str = "rules";
/// The `id` of every order, and the import ID that stands for all rules as they are.
const WORD: &str = "transport_rule_order";

impl Exchange {
    /// Brings the named objects into their order. The caller holds the turn of the noun.
    pub(super) async fn put_in_order(&self, cmdlets: &'static Cmdlets, wanted: &Record, call: &Call) -> Result<Record, Failure> {
        let names = wanted.texts(RULES);
        let (list, wanted_ids) = self.list_with(cmdlets, call, |list| resolved(&names, list)).await?;
        for (id, name) in wanted_ids.iter().zip(&names) {
            if self.places.knows(cmdlets.noun, id) {
                call.report(
                    Diagnostic::warning(
                        format!("The rule {name:?} has two orders"),
                        "It has a `priority` of its own and is named in an order: each moves it away from the other. Leave its `priority` out.",
                    )
                    .at(Path::dotted(RULES)),
                );
            }
        }
        let late = self.late(call);
        let mut before = vec![shown(&names, &list).join("\n")];
        if let Err(failed) = self.move_all(cmdlets, &names, &wanted_ids, &list, &mut before, call).await {
            return Err(Failure { error: failed.error, object: self.seen(cmdlets, &names, &late).await });
        }
        let (limit, mut after) = (Instant::now() + self.pace.consistency, 0);
        for (look, wait) in self.polls().enumerate() {
            let list = match self.listed(cmdlets, PLAIN, after, &late).await {
                Ok(list) => list,
                Err(error) => return Err(Failure { error, object: Some(order_of(&names)) }),
            };
            if in_order(&list, &wanted_ids) {
                OwnWrite::new(self.http.now(), newest(&names, &list), &before, Some(&names.join("\n"))).keep(call);
                return Ok(order_of(&names));
            }
            // The list that said where they stood may have been an old one.
            if look % AGAIN == AGAIN - 1
                && let Err(failed) = self.move_all(cmdlets, &names, &wanted_ids, &list, &mut before, &late).await
            {
                return Err(Failure { error: failed.error, object: self.seen(cmdlets, &names, &late).await });
            }
            if Instant::now() + wait >= limit {
                break;
            }
            after = list.began;
            if pause(&late, wait).await.is_err() {
                break;
            }
        }
        let error = Error::new(Kind::Conflict, "The rules were brought into their order, and do not stand in it now.")
            .hint("Somebody else moves them at the same time, or another resource gives one of them a place. Plan again.")
            .at(Path::dotted(RULES));
        Err(Failure { error, object: self.seen(cmdlets, &names, &late).await })
    }

    /// Moves the named objects into their order, as far as they do not stand in it by this list; adds each order on the way.
    async fn move_all(
        &self,
        cmdlets: &'static Cmdlets,
        names: &[&str],
        ids: &[String],
        list: &List,
        before: &mut Vec<String>,
        call: &Call,
    ) -> Result<(), Failed> {
        let mut now = standing(list);
        for (id, to) in moves(&now.clone(), ids) {
            now.retain(|other| *other != id);
            now.insert(to.min(now.len()), id.clone());
            before.push(in_places(names, ids, &now).join("\n"));
            let to = i64::try_from(to).unwrap_or(i64::MAX);
            self.move_to(cmdlets, &id, to, &Masks::new(), call).await?;
        }
        Ok(())
    }

    /// Reads in which order the named objects stand. Those that are gone are left out.
    pub(super) async fn read_order(&self, cmdlets: &'static Cmdlets, state: &Record, call: &Call) -> Result<Record, Error> {
        let names = state.texts(RULES);
        let mut list = self.listed(cmdlets, PLAIN, 0, call).await?;
        if shown(&names, &list) == names {
            return Ok(order_of(&names));
        }
        let own = OwnWrite::of(call).filter(|own| own.is_young(self.http.now()));
        let (limit, mut asked_again) = (self.patience(call), false);
        for wait in self.polls() {
            let standing = shown(&names, &list);
            let newest = newest(&names, &list);
            let replaced = own.as_ref().is_some_and(|own| own.replaced(&standing.join("\n")) && !own.is_before(newest));
            let is_behind = standing != names && (replaced || self.lacks_own_writes(cmdlets, &list, call).await);
            if !is_behind && (asked_again || standing.len() == names.len()) {
                return Ok(order_of(&standing));
            }
            if Instant::now() + wait >= limit {
                break;
            }
            pause(call, if is_behind { wait } else { self.pace.looks }).await?;
            asked_again = true;
            list = self.listed_by(Way::Anew, cmdlets, PLAIN, list.began, call).await?;
        }
        call.report(behind(cmdlets, state, true, own.map_or_else(|| self.http.now(), |own| own.ends())));
        Ok(order_of(&names))
    }

    /// Finds the order that an import ID names: the word for all rules, or names with a slash between them.
    pub(super) async fn find_order(&self, cmdlets: &'static Cmdlets, id: &str, call: &Call) -> Result<Record, Error> {
        let list = self.listed(cmdlets, PLAIN, 0, call).await?;
        if id == WORD {
            let mut objects: Vec<&Object> = list.objects.iter().collect();
            objects.sort_by_key(|object| place(object));
            let names: Vec<&str> = objects.iter().filter_map(|object| object.text("Name")).collect();
            return Ok(order_of(&names));
        }
        let names = parted(id, &list).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("Not all parts of {id:?} are the name or GUID of a rule."))
                .hint("The import ID is `transport_rule_order` for all rules as they stand, or the rules' names or GUIDs with `/` between them. `Get-TransportRule` shows what there is.")
        })?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(order_of(&shown(&names, &list)))
    }

    /// The order of all objects as they stand; nothing where there are none.
    pub(super) async fn find_whole_order(&self, cmdlets: &'static Cmdlets, call: &Call) -> Result<Option<Record>, Error> {
        let order = self.find_order(cmdlets, WORD, call).await?;
        Ok(Some(order).filter(|order| !order.texts(RULES).is_empty()))
    }

    async fn seen(&self, cmdlets: &'static Cmdlets, names: &[&str], call: &Call) -> Option<Record> {
        let list = self.listed(cmdlets, PLAIN, 0, call).await.ok()?;
        Some(order_of(&shown(names, &list)))
    }
}

fn order_of(names: &[&str]) -> Record {
    let names = names.iter().map(|name| Value::text(*name)).collect();
    Record::new().with("id", WORD).with(RULES, Value::List(names))
}

/// The names of those that are there, in the order in which they stand.
fn shown<'a>(names: &[&'a str], list: &List) -> Vec<&'a str> {
    let mut there: Vec<(Option<i64>, &str)> =
        names.iter().filter_map(|name| neighbour(list, name).map(|object| (place(object), *name))).collect();
    there.sort_by_key(|(place, _)| *place);
    there.into_iter().map(|(_, name)| name).collect()
}

/// When the last of the named objects was changed, where the service says so.
fn newest(names: &[&str], list: &List) -> Option<OffsetDateTime> {
    names.iter().filter_map(|name| neighbour(list, name)).filter_map(changed).max()
}

/// The names in the order of places, each of which is a GUID's; `ids` are those of the names.
fn in_places<'a>(names: &[&'a str], ids: &[String], places: &[String]) -> Vec<&'a str> {
    let name_of = |place: &String| ids.iter().position(|own| own == place).and_then(|index| names.get(index).copied());
    places.iter().filter_map(name_of).collect()
}

/// The GUIDs of the named objects.
fn resolved(names: &[&str], list: &List) -> Result<Vec<String>, Error> {
    let mut ids: Vec<String> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let at = || Path::dotted(RULES).index(index);
        let Some(id) = neighbour(list, name).and_then(Object::guid) else {
            return Err(Error::new(
                Kind::Invalid,
                format!("There is no rule with the name or GUID {name:?} to bring into an order."),
            )
            .hint("Refer to the rule (`mailflow_exchange_transport_rule.….name`), so that it is made first.")
            .at(at()));
        };
        if let Some(other) = ids.iter().position(|known| *known == id) {
            let other = names.get(other).copied().unwrap_or_default();
            return Err(Error::new(Kind::Invalid, format!("{name:?} and {other:?} are the same rule.")).at(at()));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// The GUIDs of all objects, top to bottom.
fn standing(list: &List) -> Vec<String> {
    let mut all: Vec<(Option<i64>, String)> =
        list.objects.iter().filter_map(|object| object.guid().map(|id| (place(object), id))).collect();
    all.sort();
    all.into_iter().map(|(_, id)| id).collect()
}

fn in_order(list: &List, wanted: &[String]) -> bool {
    moves(&standing(list), wanted).is_empty()
}

/// Takes names apart that are joined by slashes, and may hold slashes themselves.
fn parted(joined: &str, list: &List) -> Option<Vec<String>> {
    let parts: Vec<&str> = joined.split('/').collect();
    let mut names = Vec::new();
    let mut begin = 0;
    while begin < parts.len() {
        let longest = (begin + 1..=parts.len()).rev().find_map(|end| {
            let name = parts.get(begin..end)?.join("/");
            neighbour(list, &name).map(|_| (end, name))
        });
        let (end, name) = longest?;
        names.push(name);
        begin = end;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list(names: &[&str]) -> List {
        let objects = names.iter().enumerate().map(|(place, name)| {
            let object = json!({"Name": name, "Guid": format!("guid-{name}"), "Priority": place});
            Object::new(object.as_object().unwrap().clone())
        });
        List { objects: objects.collect(), began: 1, anew: false }
    }

    #[test]
    fn names_are_shown_as_they_stand_and_in_the_spelling_that_is_known() {
        assert_eq!(shown(&["B", "a", "gone", "guid-c"], &list(&["c", "x", "a", "b"])), ["guid-c", "a", "B"]);
    }

    #[test]
    fn an_import_id_may_hold_names_with_slashes() {
        let list = list(&["a", "b/c", "b", "d"]);
        assert_eq!(parted("a/b/c/d", &list), Some(vec!["a".to_owned(), "b/c".to_owned(), "d".to_owned()]));
        assert_eq!(parted("d", &list), Some(vec!["d".to_owned()]));
        assert_eq!(parted("a/x", &list), None);
        assert_eq!(parted("", &list), None);
    }

    #[test]
    fn a_rule_that_is_named_twice_or_is_not_there_is_an_error_on_its_place() {
        let list = list(&["a", "b"]);
        for (names, index) in [(["a", "guid-a"], 1), (["x", "a"], 0)] {
            let error = resolved(&names, &list).unwrap_err();
            assert_eq!(error.path, Some(Path::dotted(RULES).index(index)));
        }
    }
}
