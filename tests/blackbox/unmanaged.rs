//! What stands at Exchange Online and has no argument, and what an answer leaves out.

use mailflow::sandbox::exchange::Oddity;
use serde_json::json;

use crate::faults::run::{Run, Runs, Said};
use crate::support::{Must as _, Release, Workspace, World};

const RULE: &str = "mailflow_exchange_transport_rule.block";
const CONNECTOR: &str = "mailflow_exchange_inbound_connector.c";
const NEW: &str = "has changed where no argument shows it";

/// A rule that refuses programs, with more arguments.
fn block(more: &str) -> String {
    rule("  conditions {\n    attachment_has_executable_content = true\n  }\n", more)
}

fn rule(conditions: &str, more: &str) -> String {
    format!(
        "resource \"mailflow_exchange_transport_rule\" \"block\" {{\n  name = \"Block\"\n{conditions}  actions {{\n    quarantine = true\n  }}\n{more}}}\n"
    )
}

fn connector(more: &str) -> String {
    format!(
        "resource \"mailflow_exchange_inbound_connector\" \"c\" {{\n  name = \"C\"\n  connector_type = \"OnPremises\"\n  sender_domains = [\"*\"]\n{more}}}\n"
    )
}

/// The warnings whose summary has these words.
fn warnings<'r>(run: &'r Run, words: &str) -> Vec<&'r Said> {
    run.warnings().into_iter().filter(|said| said.summary.contains(words)).collect()
}

#[track_caller]
fn silent(run: &Run) {
    assert!(run.warnings().is_empty(), "{:#?}", run.warnings());
}

fn unmanaged(workspace: &Workspace<'_>, address: &str) -> serde_json::Value {
    workspace.stored()[address]["unmanaged"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_an_exception_that_was_added_by_hand_is_warned_of_and_can_be_accepted_or_refused() {
    for release in Release::BOTH {
        let world = World::start();
        let exchange = &world.stand_ins.exchange;
        let workspace = world.workspace_on(release, &format!("hand-{release}")).await;
        workspace.write(&block(""));
        workspace.apply().await;
        silent(&workspace.try_plan().await.good());
        assert_eq!(unmanaged(&workspace, RULE), json!([]));

        exchange.show("TransportRule", "Block", Oddity::exception("ContentMatchesPrompt")).expect("it is there");
        for more in [&["plan"][..], &["plan"], &["plan", "-detailed-exitcode"]] {
            let run = workspace.json(more).await.good();
            let said = warnings(&run, NEW);
            assert_eq!(said.len(), 1, "{}", run.printed);
            said[0].holds(&[
                "these were added:\n  - exceptions: ContentMatchesPrompt\n",
                "unmanaged = [\"exceptions: ContentMatchesPrompt\"]",
            ]);
            assert_eq!(said[0].address, RULE);
        }
        // An apply without a change accepts nothing.
        workspace.apply().await;
        assert_eq!(warnings(&workspace.try_plan().await.good(), NEW).len(), 1);

        // It is refused: a planned change, which apply does not even try.
        workspace.write(&block("  unmanaged = []\n  comments = \"refused\"\n"));
        assert_eq!(workspace.plan().await.get(RULE).map(String::as_str), Some("update"));
        let run = workspace.try_plan().await.good();
        assert_eq!(warnings(&run, "apply cannot remove").len(), 1, "{}", run.printed);
        exchange.reset_counts();
        workspace.try_apply().await.error().holds(&["  - exceptions: ContentMatchesPrompt\n", "Nothing was sent", "by hand"]);
        assert_eq!((exchange.count("Set-TransportRule"), exchange.count("New-TransportRule")), (0, 0));

        // It is listed, with one that does not stand: nothing to do, and nothing to say.
        workspace.write(&block("  unmanaged = [\"exceptions: ContentMatchesPrompt\", \"exceptions: Other\"]\n"));
        silent(&workspace.try_plan().await.good());
        workspace.must_plan_nothing("with all of it listed").await;

        // A change of the object accepts what its plan showed.
        workspace.write(&block("  comments = \"accepted\"\n"));
        workspace.apply().await;
        silent(&workspace.try_plan().await.good());
        workspace.must_plan_nothing("after a change").await;
        assert_eq!(unmanaged(&workspace, RULE), json!(["exceptions: ContentMatchesPrompt"]));

        // That it is gone is told, too.
        exchange.show("TransportRule", "Block", Oddity::default()).expect("it is there");
        let run = workspace.try_plan().await.good();
        warnings(&run, NEW)[0].holds(&["these were removed:\n  - exceptions: ContentMatchesPrompt\n"]);
        workspace.write(&block("  comments = \"accepted\"\n  unmanaged = []\n"));
        silent(&workspace.try_plan().await.good());
        workspace.must_plan_nothing("when it is gone").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_a_rule_whose_only_condition_is_unknown_is_not_said_to_act_on_all_mail() {
    for release in Release::BOTH {
        let world = World::start();
        let exchange = &world.stand_ins.exchange;
        let workspace = world.workspace_on(release, &format!("import-{release}")).await;
        exchange.put("TransportRule", "Block", &json!({ "Quarantine": true })).expect("made");
        exchange.show("TransportRule", "Block", Oddity::condition("ContentMatchesPrompt")).expect("it is there");
        let import = format!("import {{\n  to = {RULE}\n  id = \"Block\"\n}}\n");

        workspace.write(&format!("{import}{}", rule("", "")));
        let run = workspace.try_plan().await.good();
        let found = warnings(&run, "has settings without an argument");
        assert_eq!(found.len(), 1, "{}", run.printed);
        found[0].holds(&["  - conditions: ContentMatchesPrompt\n"]);
        assert!(warnings(&run, "acts on all mail").is_empty(), "{}", run.printed);
        workspace.apply().await;
        silent(&workspace.try_plan().await.good());
        workspace.must_plan_nothing("after the import").await;

        // Without its condition it does act on all mail.
        exchange.show("TransportRule", "Block", Oddity::default()).expect("it is there");
        let run = workspace.try_plan().await.good();
        assert_eq!(warnings(&run, "acts on all mail").len(), 1, "{}", run.printed);
        assert_eq!(warnings(&run, NEW).len(), 1, "{}", run.printed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_what_a_destroy_or_a_new_object_loses_is_told_at_plan() {
    for release in Release::BOTH {
        let world = World::start();
        let exchange = &world.stand_ins.exchange;
        let workspace = world.workspace_on(release, &format!("lost-{release}")).await;
        workspace.write(&connector(""));
        workspace.apply().await;
        exchange.show("InboundConnector", "C", Oddity::members(&json!({ "EFTestMode": true }))).expect("it is there");

        let run = workspace.json(&["plan", "-destroy"]).await.good();
        let said = warnings(&run, "is removed with settings that have no argument");
        assert_eq!(said.len(), 1, "{}", run.printed);
        said[0].holds(&["  - EFTestMode = true\n"]);

        // Of a rule, one condition can only be removed with the rule.
        let conditions = |more: &str| format!("  conditions {{\n    from_scope = \"NotInOrganization\"\n{more}  }}\n");
        let patterned = conditions("    from_address_matches_patterns = [\"a\"]\n");
        workspace.write(&format!("{}{}", connector(""), rule(&patterned, "")));
        workspace.apply().await;
        exchange.show("TransportRule", "Block", Oddity::exception("ContentMatchesPrompt")).expect("it is there");
        workspace.write(&format!("{}{}", connector(""), rule(&conditions(""), "")));
        assert_eq!(workspace.plan().await.get(RULE).map(String::as_str), Some("replace"));
        let run = workspace.try_plan().await.good();
        let said = warnings(&run, "is made anew with settings that have no argument");
        assert_eq!(said.len(), 1, "{}", run.printed);
        said[0].holds(&["  - exceptions: ContentMatchesPrompt\n"]);
        workspace.apply().await;
        workspace.must_plan_nothing("after it was made anew").await;
        assert_eq!(unmanaged(&workspace, RULE), json!([]));

        // A new object cannot be asked to have them, also not one that takes the place of another.
        workspace.write(&connector("  unmanaged = [\"EFTestMode = true\"]\n"));
        silent(&workspace.try_plan().await.good());
        let replace = format!("-replace={CONNECTOR}");
        workspace
            .json(&["plan", &replace])
            .await
            .error()
            .holds(&["A new object has no unmanaged settings", "import it"])
            .marks("unmanaged");
        workspace.run(&["state", "rm", CONNECTOR]).await.must("state rm");
        workspace.write(&connector("  unmanaged = [\"EFTestMode = true\"]\n").replace("\"C\"", "\"Other\""));
        workspace.try_plan().await.error().holds(&["A new object has no unmanaged settings"]).marks("unmanaged");
        workspace.write(&connector("  unmanaged = []\n").replace("\"C\"", "\"Other\""));
        workspace.try_plan().await.good();
        workspace.apply().await;
        workspace.must_plan_nothing("after the create").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_a_secret_is_in_no_text_and_a_change_of_it_shows() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("secret").await;
    workspace.write(&connector(""));
    workspace.apply().await;
    let shows =
        |value: &str| Oddity::members(&json!({ "ApiToken": value, "Novelty": format!("{value}-x"), "NewHeader": [value] }));
    exchange.show("InboundConnector", "C", shows("hunter2hunter2")).expect("it is there");
    let run = workspace.try_plan().await.good();
    let said = warnings(&run, NEW)[0].clone();
    said.holds(&["  - ApiToken\n", "  - NewHeader\n", "  - Novelty = #"]);
    workspace.write(&connector("  comment = \"c\"\n"));
    workspace.apply().await;
    silent(&workspace.try_plan().await.good());
    exchange.show("InboundConnector", "C", shows("hunter3hunter3")).expect("it is there");
    let run = workspace.try_plan().await.good();
    assert_eq!(warnings(&run, NEW).len(), 1, "{}", run.printed);
    for text in [workspace.state_text(), run.printed, format!("{said:?}")] {
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx3_a_rule_that_is_not_supported_says_why() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("unsupported").await;
    exchange.put("TransportRule", "Block", &json!({ "Quarantine": true, "AttachmentHasExecutableContent": true })).expect("made");
    exchange.show("TransportRule", "Block", Oddity::unsupported("It asks for a prompt.")).expect("it is there");
    workspace.write(&format!("import {{\n  to = {RULE}\n  id = \"Block\"\n}}\n{}", block("")));
    for _ in 0..2 {
        let run = workspace.try_plan().await.good();
        let said = warnings(&run, "is not supported by the service");
        assert_eq!(said.len(), 1, "{}", run.printed);
        said[0].holds(&["It asks for a prompt."]);
        workspace.apply().await;
    }
    workspace.must_plan_nothing("after the import").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx4_a_member_that_is_not_shown_keeps_its_state_and_is_no_value_at_an_import() {
    for release in Release::BOTH {
        let world = World::start();
        let exchange = &world.stand_ins.exchange;
        let workspace = world.workspace_on(release, &format!("absent-{release}")).await;
        let arguments = "  require_tls = false\n  comment = \"c\"\n  sender_ip_addresses = [\"203.0.113.10\"]\n";
        workspace.write(&connector(arguments));
        workspace.apply().await;
        let before = workspace.stored()[CONNECTOR].clone();
        let left_out = ["RequireTls", "Comment", "SenderIPAddresses", "TlsSenderCertificateName", "EFUsers"];
        exchange.show("InboundConnector", "C", Oddity::without(&left_out)).expect("it is there");

        let run = workspace.try_plan().await.good();
        let said = warnings(&run, "is not shown whole");
        assert_eq!(said.len(), 1, "{}", run.printed);
        said[0].holds(&["`RequireTls` (`require_tls`)", "`Comment` (`comment`)", "`SenderIPAddresses` (`sender_ip_addresses`)"]);
        assert!(!said[0].detail.contains("EFUsers"), "what was unset is no news: {}", said[0].detail);
        workspace.must_plan_nothing("while members are left out").await;
        workspace.run(&["apply", "-refresh-only", "-auto-approve"]).await.must("refresh");
        assert_eq!(workspace.stored()[CONNECTOR], before);

        // A change of another argument, and of one that is not shown, can be made.
        workspace.write(&connector(&arguments.replace("\"c\"", "\"d\"").replace("= false", "= true")));
        workspace.apply().await;
        let connector_now = exchange.object("InboundConnector", "C").expect("it is there");
        assert_eq!((&connector_now["Comment"], &connector_now["RequireTls"]), (&json!("d"), &json!(true)));
        workspace.must_plan_nothing("after a change").await;

        // Nothing is known of it at an import.
        workspace.run(&["state", "rm", CONNECTOR]).await.must("state rm");
        let import = format!("import {{\n  to = {CONNECTOR}\n  id = \"C\"\n}}\n");
        workspace.write(&format!("{import}{}", connector(arguments)));
        let run = workspace.try_plan().await;
        run.error().holds(&["does not show `SenderIPAddresses`", "`RequireTls` (`require_tls`)", "`EFUsers`"]);
        // What may be left out by a tenant is no reason to refuse.
        exchange
            .show("InboundConnector", "C", Oddity::without(&["CloudServicesMailEnabled", "Comment", "EFSkipLastIP"]))
            .expect("it is there");
        workspace.try_plan().await.good();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rx4_what_was_not_shown_when_it_was_taken_over_is_written_and_not_put_back() {
    let world = World::start();
    let exchange = &world.stand_ins.exchange;
    let workspace = world.workspace("adopted").await;
    let organization = exchange.organization();
    exchange.show("OrganizationConfig", &organization, Oddity::without(&["RejectDirectSend"])).expect("it is there");
    let of = |member: &str| exchange.object("OrganizationConfig", &organization).expect("it is there")[member].clone();

    workspace.write(
        "resource \"mailflow_exchange_organization_mail_flow\" \"o\" {\n  reject_direct_send = true\n  send_from_alias_enabled = true\n}\n",
    );
    workspace.apply().await;
    assert_eq!((of("RejectDirectSend"), of("SendFromAliasEnabled")), (json!(true), json!(true)));
    let run = workspace.try_plan().await.good();
    warnings(&run, "is not shown whole")[0].holds(&["`RejectDirectSend`"]);
    workspace.must_plan_nothing("after it was taken over").await;

    // What it was before is known of one of the two only.
    workspace.destroy().await;
    assert_eq!((of("RejectDirectSend"), of("SendFromAliasEnabled")), (json!(true), json!(null)));
}
