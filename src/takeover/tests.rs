use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::remote::{Kind, Listing};
use crate::schema::{Import, Timeouts, boolean, filters, one_of, set, string};

static ENTRY: Resource = Resource {
    name: "test_entry",
    noun: "entry",
    about: "An entry.",
    attributes: &[
        string("listener", "Its listener.").required(),
        string("name", "Its name.").required(),
        string("policy", "Its policy.").refers_to("test_policy", &["listener"]),
        string("before", "Its follower.").refers_to("test_entry", &["listener"]),
        one_of("kind", "Its kind.", &["Big", "Small"]).filled_text("Big"),
        boolean("active", "Whether it acts.").filled(true),
        boolean("validate", "Whether it is to be validated.").local(),
        boolean("valid", "Whether it can act.").computed(),
        string("script", "Its text.").sensitive(),
        string("comment", "Its comment."),
        set("senders", "Its senders.").filled_empty(),
    ],
    rules: &[],
    identity: &["listener", "name"],
    import: Import::Key { attributes: &["listener", "name"], example: "In/one" },
    title: "name",
    version: 0,
    timeouts: Timeouts { write: 60, read: 30 },
};

/// A side that lists what it is given, and hears what was asked for.
struct Side(Vec<Record>);

#[async_trait]
impl Enumerate for Side {
    async fn list(&self, _: &'static Resource, within: &Record, _: &Call) -> Result<Listing, Error> {
        assert!(within.get("name").is_null(), "a pattern is no value");
        let mut listing = Listing { objects: self.0.clone(), ..Listing::default() };
        listing.trouble(&Error::new(Kind::Denied, "No."), "read a part");
        Ok(listing)
    }
}

fn entry(listener: &str, name: &str) -> Record {
    Record::new().with("listener", listener).with("name", name)
}

async fn names(wanted: Record) -> Vec<String> {
    let side = Side(vec![
        entry("In", "One").with("policy", "P").with("active", false),
        entry("Out", "Two").with("kind", "Small"),
        entry("Out", "One more"),
        Record::new().with("name", "No listener"),
    ]);
    let call = Call::new(CancellationToken::new(), Duration::from_secs(5));
    let enumeration = enumerate(&side, &ENTRY, &wanted, &call).await.expect("listed");
    assert!(enumeration.troubles.iter().all(|trouble| !trouble.is_error()), "{:?}", enumeration.troubles);
    assert!(!enumeration.troubles.is_empty());
    enumeration.found.into_iter().map(|found| found.display_name).collect()
}

#[test]
fn the_filters_of_a_list_follow_from_the_table() {
    let names: Vec<_> = filters(&ENTRY).iter().map(|attribute| attribute.name).collect();
    assert_eq!(names, ["listener", "name", "policy", "kind", "active"]);
    let single = Resource { import: Import::Singleton { word: "it" }, ..ENTRY };
    assert!(filters(&single).is_empty());
}

#[tokio::test]
async fn filters_let_through_what_has_all_of_the_wanted_values() {
    assert_eq!(names(Record::new()).await, ["In/One", "Out/Two", "Out/One more"]);
    assert_eq!(names(Record::new().with("name", "one*")).await, ["In/One", "Out/One more"]);
    assert_eq!(names(Record::new().with("name", "one*").with("listener", "Out")).await, ["Out/One more"]);
    assert_eq!(names(Record::new().with("listener", "out")).await, Vec::<String>::new());
    assert_eq!(names(Record::new().with("policy", "P")).await, ["In/One"]);
    assert_eq!(names(Record::new().with("kind", "Small")).await, ["Out/Two"]);
    // What the service leaves out is the default.
    assert_eq!(names(Record::new().with("active", true)).await, ["Out/Two", "Out/One more"]);
}
