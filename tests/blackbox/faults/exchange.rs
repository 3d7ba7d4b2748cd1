//! Faults of Exchange Online.

use std::time::{Duration, Instant};

use mailflow::sandbox::exchange::{Fault, RetryAfter, What};
use serde_json::json;

use super::run::{Runs, connector, until};
use crate::support::World;

/// A call whose answer is lost.
fn lost(call: &str, acts: bool) -> Fault {
    Fault::new(call, What::Dropped { acts })
}

fn throttled(call: &str, seconds: &str) -> Fault {
    Fault::new(call, What::Throttled { retry_after: RetryAfter::Seconds(seconds.to_owned()), plain_text_status: None })
}

/// Two connectors with short time limits.
fn two() -> String {
    let limits = "timeouts {\n    read   = \"4s\"\n    create = \"20s\"\n  }";
    format!("{}{}", connector("a", "First", limits), connector("b", "Second", limits))
}

#[tokio::test]
async fn e01_e03_throttling_is_waited_for_and_named_when_it_is_too_long() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("throttled").await;
    workspace.write(&two());
    exchange.script(throttled("New-InboundConnector", "2.1"));
    let begin = Instant::now();
    workspace.try_apply().await.good();
    assert!(begin.elapsed() >= Duration::from_millis(2100), "Retry-After was not waited for: {:?}", begin.elapsed());
    assert_eq!(exchange.count("New-InboundConnector"), 3);

    let state = workspace.stored();
    exchange.script(throttled("Get-*", "600").times(100));
    let run = workspace.try_plan().await;
    assert!(!run.errors().is_empty(), "{}", run.printed);
    for said in run.errors() {
        said.holds(&["throttles this tenant", "timeouts"]);
    }
    assert_eq!(workspace.stored(), state);
    exchange.clear_faults();
    workspace.must_plan_nothing("after the throttling").await;
}

#[tokio::test]
async fn e04_e07_e08_what_cannot_be_read_is_never_gone() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("unread").await;
    workspace.write(&two());
    workspace.apply().await;
    let state = workspace.state_text();
    let check = async |what: &str, fault: Fault, parts: &[&str]| {
        exchange.script(fault);
        let run = workspace.try_apply().await;
        assert_eq!(run.code, Some(1), "{what}: {}", run.printed);
        assert!(!run.errors().is_empty(), "{what}: {}", run.printed);
        for said in run.errors() {
            said.holds(parts);
        }
        assert!(!run.printed.contains("planned_change\""), "{what}: nothing is planned\n{}", run.printed);
        assert_eq!(workspace.state_text(), state, "{what}");
        exchange.clear_faults();
    };
    check("E04", Fault::status("Get-*", 503).times(1000), &["Unable to read inbound connector", "503"]).await;
    check(
        "E04, a gateway in between",
        Fault::new(
            "Get-*",
            What::Answer { status: 502, headers: [].into(), body: "<html>Bad Gateway</html>".into(), acts: false },
        )
        .times(1000),
        &["502"],
    )
    .await;
    check("E07", Fault::new("Get-*", What::EmptyList).times(1000), &["shows none of the 2 objects", "terraform state rm"]).await;
    exchange.set_options(|options| options.page_size = 1);
    // Each list begins with a good page.
    check("E08", Fault::status("Get-*", 400).after(1).times(1000), &["Unable to read"]).await;
    exchange.set_options(|options| options.page_size = 1000);

    // E11 and a short trouble: reading goes on as if nothing had been.
    exchange.script(Fault::new("Get-*", What::Truncated { bytes: 40 }));
    workspace.must_plan_nothing("after a cut answer").await;
    exchange.script(lost("Get-*", false));
    workspace.must_plan_nothing("after a lost answer").await;
    exchange.script(Fault::new("Get-*", What::EmptyList));
    workspace.must_plan_nothing("after one empty list").await;
    assert!(exchange.faults().is_empty(), "all happened");

    // E06: one that is really gone is told of, and made anew.
    exchange.remove("InboundConnector", "First").expect("a noun");
    let run = workspace.try_plan().await.good();
    run.warnings()[0].holds(&["\"First\"", "is gone"]);
    workspace.converges("after one was removed by hand").await;
}

#[tokio::test]
async fn e09_e11_e22_a_lost_answer_is_settled_by_reading() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let before = exchange.snapshot();
    let workspace = world.workspace("lost").await;
    workspace.write(&connector("c", "Lost", "comment = \"one\""));
    let check = async |what: &str, fault: Fault, calls: &str, count: u64| {
        exchange.reset_counts();
        exchange.script(fault);
        workspace.try_apply().await.good();
        assert!(exchange.faults().is_empty(), "{what} happened");
        assert_eq!(exchange.count(calls), count, "{what}: {calls}");
        workspace.must_plan_nothing(what).await;
    };
    check("a create that was done", lost("New-InboundConnector", true), "New-InboundConnector", 1).await;
    let made = exchange.object("InboundConnector", "Lost").expect("it is there");
    assert_eq!(made["Comment"], "one");
    workspace.write(&connector("c", "Lost", "comment = \"two\""));
    check("a change that was done", lost("Set-InboundConnector", true), "Set-InboundConnector", 1).await;
    workspace.write(&connector("c", "Lost", "comment = \"three\""));
    check("a change that was not done", lost("Set-InboundConnector", false), "Set-InboundConnector", 2).await;
    workspace.write("");
    check("a delete that was done", lost("Remove-InboundConnector", true), "Remove-InboundConnector", 1).await;
    assert_eq!(exchange.snapshot(), before);

    // A create that was not done is not here: it takes the whole time in which the service's servers may come to agree.
    workspace.write(&connector("c", "Lost", ""));
    workspace.apply().await;
    workspace.write("");
    check("a delete that was not done", lost("Remove-InboundConnector", false), "Remove-InboundConnector", 2).await;
    workspace.write(&connector("c", "Lost", ""));
    check(
        "a create with a cut answer",
        Fault::new("New-InboundConnector", What::Truncated { bytes: 30 }),
        "New-InboundConnector",
        1,
    )
    .await;

    // E21: somebody else deleted it in the meantime.
    exchange.remove("InboundConnector", "Lost").expect("a noun");
    workspace.json(&["destroy", "-auto-approve", "-refresh=false"]).await.good();
    assert!(workspace.stored().is_empty());
    assert_eq!(exchange.snapshot(), before);
}

#[tokio::test]
async fn e10_a_taken_name_is_an_error_with_the_block_that_imports_it() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let theirs = connector("theirs", "Taken by hand", "comment = \"by hand\"");
    let other = world.workspace("theirs").await;
    other.write(&theirs);
    other.apply().await;
    let before = exchange.snapshot();

    let workspace = world.workspace("ours").await;
    // Names differ in case only.
    workspace.write(&connector("ours", "TAKEN by hand", "comment = \"ours\""));
    let run = workspace.try_apply().await;
    let said = run
        .error()
        .holds(&["already exists", "Nothing is overwritten", "import {", "to = mailflow_exchange_inbound_connector."])
        .marks("name");
    assert_eq!(exchange.snapshot(), before);
    assert!(workspace.stored().is_empty());

    // The block from the message, with the label of the resource.
    let block = said.detail.split("\n\n").find(|part| part.starts_with("import {")).expect("a block");
    let (first, rest) = block.split_once("mailflow_exchange_inbound_connector.").expect("the target");
    let (_, rest) = rest.split_once('\n').expect("a line");
    let end = rest.find('}').expect("its end");
    workspace.write(&format!(
        "{first}mailflow_exchange_inbound_connector.ours\n{}\n}}\n{}",
        &rest[..end],
        connector("ours", "TAKEN by hand", "comment = \"ours\"")
    ));
    workspace.converges("after the import").await;
    assert_eq!(exchange.object("InboundConnector", "Taken by hand").expect("there")["Comment"], "ours");
}

#[tokio::test]
async fn c17_two_resources_for_one_object_are_an_error_for_the_second() {
    let world = World::start();
    let workspace = world.workspace("twice").await;
    workspace.write(&format!(
        "{}{}",
        connector("one", "Same", "comment = \"one\""),
        connector("two", "same", "comment = \"two\"")
    ));
    let run = workspace.try_plan().await;
    let said = run.error();
    said.holds(&["Another resource of this configuration is inbound connector"]).marks("name");
    // Both are named: each in its spelling, and by what sets it apart.
    said.holds(&["\"Same\"", "\"same\"", "`comment`", "\"one\"", "\"two\""]);

    workspace.write(&super::run::routes(&[("one", "a.example", "mx.example.net"), ("two", "A.example", "mx.example.net")]));
    let run = workspace.try_apply().await;
    run.error().holds(&["a.example", "Another resource of this configuration"]);
    assert!(workspace.stored().is_empty() && super::run::domains(&world).is_empty(), "it is said at plan");
    super::run::nothing_staged(&world);
}

#[tokio::test]
async fn e12_an_error_inside_of_a_good_answer_is_an_error_and_a_warning_a_warning() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let before = exchange.snapshot();
    let workspace = world.workspace("inside").await;
    workspace.write(&connector("c", "Inside", ""));
    exchange.script(Fault::new(
        "New-InboundConnector",
        What::Errors { errors: vec!["The moon is in the wrong phase.".into()], acts: true },
    ));
    let run = workspace.try_apply().await.good();
    // It was made all the same, as it was sent: it is neither lost nor made anew.
    let said =
        run.warnings().into_iter().find(|said| said.summary.contains("Created inbound connector \"Inside\"")).expect("a warning");
    said.holds(&["The moon is in the wrong phase."]);
    assert!(workspace.stored()["mailflow_exchange_inbound_connector.c"]["tainted"].is_null());
    workspace.must_plan_nothing("after an error inside of a good answer").await;
    workspace.destroy().await;
    assert_eq!(exchange.snapshot(), before);
    // A refusal is looked after once and not waited for: two looks, where the limit would have many.
    exchange.reset_counts();
    let words = "|System.ArgumentException|The moon is too thin.";
    exchange.script(Fault::new("New-InboundConnector", What::Errors { errors: vec![words.into()], acts: false }));
    let run = workspace.try_apply().await;
    run.error().holds(&["Unable to create inbound connector \"Inside\"", "The moon is too thin."]);
    assert_eq!(exchange.count("New-InboundConnector"), 1);
    let looks = exchange.count("Get-InboundConnector");
    assert!(looks <= 4, "{looks} looks at plan and apply");
    assert!(workspace.stored().is_empty());
    exchange.script(Fault::new("New-InboundConnector", What::Warnings { warnings: vec!["Mind the step.".into()] }));
    let run = workspace.try_apply().await.good();
    run.warnings()[0].holds(&["New-InboundConnector", "Mind the step."]);
    workspace.must_plan_nothing("after a warning").await;
}

#[tokio::test]
async fn e13_a_token_that_ends_in_the_middle_is_renewed_once_for_all() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("token").await;
    let many: String = (0..8).map(|index| connector(&format!("c{index}"), &format!("Token {index}"), "")).collect();
    workspace.write(&many);
    exchange.script(Fault::new("New-InboundConnector", What::Nothing).after(2).delay_ms(300));
    let running = workspace.begin(&["apply", "-auto-approve"]);
    until("the third connector came", || exchange.count("New-InboundConnector") >= 3).await;
    exchange.expire_tokens();
    running.end().await.good();
    assert_eq!(exchange.counts().token_requests, 3, "one for the plan, one for the apply, and one instead of that");
    workspace.must_plan_nothing("after the token ended").await;

    let tokens = exchange.counts().token_requests;
    exchange.script(Fault::status("Get-*", 401).times(1000));
    let run = workspace.try_plan().await;
    assert!(!run.errors().is_empty());
    for said in run.errors() {
        said.holds(&["401"]);
    }
    let more = exchange.counts().token_requests - tokens;
    assert!(more <= 10, "{more} tokens for a service that takes none");
    exchange.clear_faults();
    workspace.must_plan_nothing("when tokens are taken again").await;
}

#[tokio::test]
async fn e15_e27_a_missing_role_names_the_cmdlet_and_a_tenant_that_forbids_it_is_named() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("role").await;
    workspace.write(&connector("c", "Role", ""));
    exchange.revoke("New-InboundConnector");
    // The service does not tell which cmdlets the login has: the refusal itself does.
    exchange.script(Fault::status("EXOModuleFile", 404).times(2));
    let run = workspace.try_apply().await;
    run.error().holds(&["New-InboundConnector", "\"Remote and Accepted Domains\"", "Exchange Administrator"]);
    assert!(workspace.stored().is_empty());
    assert_eq!(exchange.count("New-InboundConnector"), 1, "it is not tried again");
    exchange.clear_faults();
    exchange.grant("New-InboundConnector");

    exchange.set_options(|options| options.developer_tenant = true);
    let run = workspace.try_apply().await;
    run.error().holds(&["Unable to create inbound connector \"Role\"", "developer"]);
    exchange.set_options(|options| options.developer_tenant = false);
    workspace.converges("with the role").await;

    // Without the right to read, nothing is gone.
    exchange.revoke("Get-InboundConnector");
    let state = workspace.state_text();
    let run = workspace.try_plan().await;
    run.error().holds(&["Get-InboundConnector", "Reader"]);
    assert_eq!(workspace.state_text(), state);
}

#[tokio::test]
async fn e15_a_right_that_is_missing_is_said_at_plan_and_asked_for_once_and_only_for_a_change() {
    const LIST: &str = "EXOModuleFile";
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("rights").await;
    let before = exchange.snapshot();
    workspace.write(&two());
    for (cmdlet, role) in [("New-InboundConnector", "\"Remote and Accepted Domains\"")] {
        exchange.revoke(cmdlet);
        let run = workspace.try_plan().await;
        assert_eq!(run.errors().len(), 2, "{}", run.printed);
        for said in run.errors() {
            said.holds(&["Unable to plan inbound connector", cmdlet, role, "Exchange Administrator", "Get-ManagementRole"]);
        }
        assert_eq!(exchange.count(LIST), 1, "one list serves all");
        exchange.grant(cmdlet);
    }
    assert_eq!(exchange.snapshot(), before);
    workspace.apply().await;

    // Each plan lists each kind at most once, and without a change nothing is asked.
    exchange.reset_counts();
    workspace.must_plan_nothing("with all rights").await;
    assert_eq!((exchange.count(LIST), exchange.count("Get-InboundConnector")), (0, 1));

    // A right that no planned change needs is no matter.
    exchange.revoke("New-InboundConnector");
    exchange.revoke("Remove-InboundConnector");
    workspace.write(&two().replace("203.0.113.10", "203.0.113.11"));
    workspace.json(&["plan"]).await.good();
    assert_eq!((exchange.count(LIST), exchange.count("Get-InboundConnector")), (1, 2));
    exchange.revoke("Set-InboundConnector");
    let run = workspace.try_plan().await;
    assert_eq!(run.errors().len(), 2, "{}", run.printed);
    run.errors()[0].holds(&["`Set-InboundConnector`"]);
    workspace.write(&two());
    let run = workspace.json(&["plan", "-destroy"]).await;
    assert_eq!(run.errors().len(), 2, "{}", run.printed);
    run.errors()[0].holds(&["Unable to plan to delete inbound connector", "`Remove-InboundConnector`"]);

    // A list in a form of its own is no error.
    workspace.write(&two().replace("203.0.113.10", "203.0.113.11"));
    for body in ["{}", "{\"value\":[{\"exportedCmdlets\":null}]}", "<html>"] {
        let answer = What::Answer { status: 200, headers: [].into(), body: body.into(), acts: false };
        exchange.script(Fault::new(LIST, answer));
        workspace.try_plan().await.good();
        assert!(exchange.faults().is_empty(), "{body}");
    }
}

#[tokio::test]
async fn e20_a_connector_that_is_gone_is_made_anew_and_is_destroyed_after_its_rule() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let before = exchange.snapshot();
    let workspace = world.workspace("used").await;
    let rule = |reference: &str| {
        format!(
            "resource \"mailflow_exchange_outbound_connector\" \"c\" {{
  name                     = \"To gateway\"
  connector_type           = \"Partner\"
  use_mx_record            = false
  smart_hosts              = [\"203.0.113.20\"]
  is_transport_rule_scoped = true
}}
resource \"mailflow_exchange_transport_rule\" \"r\" {{
  name = \"By the gateway\"
  conditions {{
    from_scope = \"InOrganization\"
  }}
  actions {{
    route_message_outbound_connector = mailflow_exchange_outbound_connector.c.{reference}
  }}
}}
"
        )
    };
    for reference in ["name", "id"] {
        workspace.write(&rule(reference));
        workspace.converges(reference).await;
        exchange.remove("OutboundConnector", "To gateway").expect("a noun");
        exchange.reset_counts();
        let run = workspace.try_apply().await.good();
        run.warnings()[0].holds(&["\"To gateway\"", "is gone"]);
        assert_eq!(exchange.count("New-OutboundConnector"), 1, "{reference}");
        assert_eq!(exchange.count("New-TransportRule"), 0, "{reference}: the rule is changed at most");
        workspace.must_plan_nothing(reference).await;
        let connector = exchange.object("OutboundConnector", "To gateway").expect("there");
        let rule = exchange.object("TransportRule", "By the gateway").expect("there");
        assert_eq!(rule["RouteMessageOutboundConnector"], connector["Name"], "{reference}");

        exchange.reset_counts();
        workspace.destroy().await;
        let removed: Vec<String> =
            exchange.calls().into_iter().map(|call| call.cmdlet).filter(|name| name.starts_with("Remove-")).collect();
        assert_eq!(removed, ["Remove-TransportRule", "Remove-OutboundConnector"], "{reference}");
        assert_eq!(exchange.snapshot(), before, "{reference}");
    }
}

#[tokio::test]
async fn e23_what_somebody_changed_since_the_plan_is_not_written_over() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("since").await;
    workspace.write(&connector("c", "Since", "comment = \"one\""));
    workspace.apply().await;
    workspace.write(&connector("c", "Since", "comment = \"two\""));
    workspace.json(&["plan", "-out=saved.plan"]).await.good();
    exchange.put("InboundConnector", "Since", &json!({ "Comment": "theirs" })).expect("a noun");
    let run = workspace.json(&["apply", "saved.plan"]).await;
    run.error()
        .holds(&["changed by somebody else since the plan", "\"theirs\"", "\"one\"", "Nothing was written"])
        .marks("comment");
    assert_eq!(exchange.object("InboundConnector", "Since").expect("there")["Comment"], "theirs");
    workspace.converges("after somebody else's change").await;
    assert_eq!(exchange.object("InboundConnector", "Since").expect("there")["Comment"], "two");
}

#[tokio::test]
async fn e24_a_slow_answer_is_waited_for_and_a_time_limit_keeps_what_was_made() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("slow").await;
    workspace.write(&connector("c", "Slow", ""));
    exchange.script(Fault::new("New-InboundConnector", What::Nothing).delay_ms(3000));
    workspace.try_apply().await.good();
    assert_eq!(exchange.count("New-InboundConnector"), 1, "no second request");

    // The limit is reached while the answer is on its way: what was made is found, and nothing is made twice.
    workspace.write(
        &connector("c", "Slow", "")
            .replace("\"c\"", "\"d\"")
            .replace("Slow", "Slower")
            .replace("  \n}", "  timeouts {\n    create = \"1s\"\n  }\n}"),
    );
    exchange.script(Fault::new("New-InboundConnector", What::Nothing).delay_ms(3000));
    let run = workspace.try_apply().await;
    assert_eq!(exchange.count("New-InboundConnector"), 2, "{}", run.printed);
    let stored = workspace.stored();
    assert!(stored.contains_key("mailflow_exchange_inbound_connector.d"), "it is in the state: {stored:#?}\n{}", run.printed);
    workspace.converges("after a slow create").await;
    assert!(exchange.object("InboundConnector", "Slow").is_none() && exchange.object("InboundConnector", "Slower").is_some());
}
