//! Objects that show more than any page lists, or less.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::exchange::Oddity;

#[tokio::test]
async fn an_object_shows_what_it_is_told_to_show_as_long_as_it_lives() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("R")).await;
    let classes = session.named("TransportRule", "R").await["Exceptions"].clone();
    let oddity = Oddity { without: vec!["Mode".into()], ..Oddity::exception("ContentMatchesPrompt") };
    service.show("TransportRule", "R", oddity).unwrap();
    let shown = session.named("TransportRule", "R").await;
    assert_eq!(classes, Value::Null);
    assert_eq!(shown["Exceptions"], json!(["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.ContentMatchesPromptPredicate"]));
    assert!(shown.get("Mode").is_none(), "{shown}");

    // A change keeps it; an object that is made anew does not have it.
    session.ok("Set-TransportRule", json!({ "Identity": "R", "Comments": "c" })).await;
    assert!(session.named("TransportRule", "R").await["Exceptions"].is_array());
    session.ok("Remove-TransportRule", json!({ "Identity": "R", "Confirm": false })).await;
    session.ok("New-TransportRule", rule("R")).await;
    let anew = session.named("TransportRule", "R").await;
    assert_eq!((&anew["Exceptions"], &anew["Mode"]), (&Value::Null, &json!("Enforce")));

    service.show("TransportRule", "R", Oddity::unsupported("It asks for a prompt.")).unwrap();
    let shown = session.named("TransportRule", "R").await;
    assert_eq!(shown["IsRuleConfigurationSupported"], false);
    assert_eq!(shown["RuleConfigurationUnsupportedReason"], "It asks for a prompt.");
    service.show("TransportRule", "R", Oddity::members(&json!({ "Novelty": "Strict" }))).unwrap();
    assert_eq!(session.named("TransportRule", "R").await["Novelty"], "Strict");
    assert!(service.show("TransportRule", "nobody", Oddity::default()).is_err());
    assert!(service.show("Nonsense", "R", Oddity::default()).is_err());
}
