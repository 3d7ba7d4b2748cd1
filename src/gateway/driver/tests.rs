//! Dialogs against written conversations, in several chunkings, with and without echo.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::gateway::testing::{Device, quick};

/// Walks a dialog against a conversation in every chunking; the outcomes must be the same.
async fn walked(script: &str, dialog: &Dialog, level: &Level) -> (Result<Said, Error>, bool) {
    let mut outcomes = Vec::new();
    for (chunk, echo, gap) in [(100_000, true, 0), (1, true, 0), (17, true, 0), (100_000, false, 0), (5, true, 50)] {
        let device = Device::saying(script).in_chunks_of(chunk);
        let device = device.slowly(Duration::from_millis(gap), Duration::from_millis(2 * gap));
        let device = if echo { device } else { device.without_echo() };
        let heard = device.heard();
        let mut shell = Shell::new(device.line(), quick());
        let limit = shell.patience();
        shell.turn(limit).await.expect("the first prompt");
        shell.learn();
        shell.end();
        let outcome = walk(&mut shell, dialog, level).await;
        if let Err(wrong) = heard.all() {
            panic!("{wrong}: {outcome:?} (chunks of {chunk}, echo {echo})");
        }
        outcomes.push((outcome, shell.is_open()));
    }
    let first = outcomes.first().cloned().expect("an outcome");
    for other in &outcomes {
        assert_eq!((&other.0.as_ref().ok(), other.1), (&first.0.as_ref().ok(), first.1));
        assert_eq!(other.0.as_ref().err().map(|e| (e.kind, &e.message)), first.0.as_ref().err().map(|e| (e.kind, &e.message)));
    }
    first
}

async fn said(script: &str, dialog: &Dialog) -> Said {
    let (outcome, open) = walked(script, dialog, &Level::Standalone).await;
    assert!(open, "the session is closed");
    outcome.expect("the dialog is walked")
}

/// The dialog fails with this kind and message, and the session is at its main prompt.
async fn fails(script: &str, dialog: &Dialog, kind: Kind, message: &str) -> Error {
    let (outcome, open) = walked(script, dialog, &Level::Standalone).await;
    let error = outcome.expect_err("the dialog fails");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(message), "{:?} does not contain {message:?}", error.message);
    assert!(open, "the session is closed");
    error
}

const MENU: &str = "Choose the operation you want to perform:\n- NEW - Create a new entry.\n- EDIT - Modify an entry.\n- DELETE - Remove an entry.\n- PRINT - Display all entries.\n[]> ";

fn new_entry() -> Dialog {
    Dialog::of("destconfig")
        .choose("NEW")
        .key("example.com")
        .yes_no("concurrency limit", true)
        .answer("max concurrency limit", "100")
        .yes_no("specific TLS setting", true)
        .pick("use TLS support", &["Preferred"])
        .keep_all(&["bounce verification", "bounce profile", "recipient limit"])
}

/// A dialog of a release, with the menu before and behind it.
fn entry(questions: &str) -> String {
    format!(
        "esa.local> «destconfig»\n\nThere are currently 2 entries configured.\n\n{MENU}«NEW»\n\n{questions}\n\nThere are currently 3 entries configured.\n\n{MENU}«»\n\nesa.local> «»"
    )
}

#[tokio::test(start_paused = true)]
async fn questions_are_answered_by_their_words_whatever_their_order() {
    let old = "Enter the domain you wish to limit.\n[]> «example.com»\n\nDo you wish to configure a concurrency limit for example.com? [Y]> «Y»\n\n\
        Enter the max concurrency limit for \"example.com\".\n[500]> «100»\n\nDo you wish to apply a recipient limit to this domain? [N]> «»\n\n\
        Do you wish to apply a specific TLS setting for this domain? [N]> «Y»\n\nDo you want to use TLS support?\n1. No\n2. Preferred\n3. Required\n\
        4. Preferred (Verify)\n[1]> «2»\n\nDo you wish to apply a specific bounce profile to this domain? [N]> «»";
    let new = "Enter the domain that you wish to configure:\n[]> «example.com»\n\nDo you wish to apply a specific TLS setting for this domain? [N]> «Y»\n\n\
        Do you want to use TLS support?\n1. No\n2. Required\n3. preferred\n[1]> «3»\nDo you wish to configure a concurrency limit for example.com? [Y]> «Y»\n\
        Enter the max concurrency limit for \"example.com\".\n[500]> «100»\n";
    for questions in [old, new] {
        let said = said(&entry(questions), &new_entry()).await;
        assert_eq!(said.opening.trim(), "There are currently 2 entries configured.");
        assert_eq!(
            said.after.iter().map(|text| text.trim()).collect::<Vec<_>>(),
            ["", "There are currently 3 entries configured."]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_each_section_printed_is_told_without_echo_and_menu() {
    let script = format!(
        "esa.local> «listenerconfig»\nCurrently configured listeners:\n1. In (on Management, 192.0.2.1) SMTP TCP Port 25 Public\n\n{MENU}«EDIT»\n\
         Enter the name or number of the listener you wish to edit.\n[]> «In»\nName: In\nTLS: No\n\nChoose the operation you want to perform:\n- HOSTACCESS - Edit.\n- SETUP - Set up.\n[]> «HOSTACCESS»\n\
         There are currently 2 policies defined.\n\n{MENU}«PRINT»\n$RELAYED\n    RELAY\nALL\n    $BLOCKED\n\nThere are currently 2 policies defined.\n\n{MENU}«»\nName: In\n\n\
         Choose the operation you want to perform:\n- HOSTACCESS - Edit.\n- SETUP - Set up.\n[]> «»\n\n{MENU}«»\nesa.local> «»"
    );
    let dialog = Dialog::of("listenerconfig").choose("EDIT").key("In").choose("HOSTACCESS").choose_first(&["SHOW", "print"]);
    let told = said(&script.replace("«PRINT»", "«print»"), &dialog).await;
    assert_eq!(told.opening, "Currently configured listeners:\n1. In (on Management, 192.0.2.1) SMTP TCP Port 25 Public");
    assert_eq!(
        told.after,
        [
            "",
            "Name: In\nTLS: No",
            "There are currently 2 policies defined.",
            "$RELAYED\n    RELAY\nALL\n    $BLOCKED\n\nThere are currently 2 policies defined."
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_script_is_typed_and_its_end_is_a_dot() {
    let script = format!(
        "esa.local> «filters»\n\n{MENU}«NEW»\nEnter filter script.  Enter '.' on its own line to end.\n«relay: if sendergroup == \"RELAY\" {{»\n«    drop();»\n«}}»\n«.»\n1 filters added.\n\n{MENU}«»\nesa.local> «»"
    );
    let dialog = Dialog::of("filters").choose("NEW").script(vec![
        "relay: if sendergroup == \"RELAY\" {".into(),
        "\tdrop();".into(),
        "}".into(),
    ]);
    assert_eq!(said(&script, &dialog).await.after.get(1).map(String::as_str), Some("1 filters added."));
}

#[tokio::test(start_paused = true)]
async fn a_text_that_ends_in_a_blank_line_is_ended_by_one() {
    for prompt in ["", "[]> "] {
        let script = format!(
            "esa.local> «x»\nEnter the SMTP response. Press Enter on a blank line to finish.\n{prompt}«No thanks»\n{prompt}«»\nesa.local> «»"
        );
        said(&script, &Dialog::of("x").answer("SMTP response", "No thanks")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn questions_that_are_worded_alike_are_told_apart_by_the_one_that_led_to_them() {
    let response = |what: &str, yes: &str, code: &str, text: &str| {
        format!(
            "Would you like to specify a custom SMTP {what} response? [Y]> «{yes}»\n\nEnter the SMTP code to use.\n[550]> «{code}»\n\n\
             Enter your custom SMTP response. Press Enter on a blank line to finish.\n{text}\n"
        )
    };
    let (accepted, rejected) = (response("acceptance", "", "", "«»"), response("rejection", "Y", "554", "«Go away»\n«»"));
    let dialog = Dialog::of("x").keep("custom").keep("code").keep("response").yes_no("custom rejection", true);
    let dialog = dialog
        .answer_behind("rejection", "code", "554", true)
        .answer_behind("rejection", "response", "Go away", true)
        .keep_behind("rejection", "response");
    for questions in [format!("{accepted}\n{rejected}"), format!("{rejected}\n{accepted}")] {
        said(&format!("esa.local> «x»\n{questions}esa.local> «»"), &dialog).await;
    }
}

#[tokio::test(start_paused = true)]
async fn g16_an_unknown_question_is_left_without_an_answer() {
    let script = format!(
        "esa.local> «destconfig»\n{MENU}«NEW»\nEnter the domain you wish to limit.\n[]> «example.com»\nDo you wish to teleport mail for this domain? [N]> «^C»\nesa.local> «»"
    );
    let error = fails(
        &script,
        &Dialog::of("destconfig").choose("NEW").key("example.com"),
        Kind::Unexpected,
        "Do you wish to teleport mail for this domain?",
    )
    .await;
    let detail = error.diagnostic("create").detail;
    assert!(detail.contains("doctor") && detail.contains("[]> example.com"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn g16_where_the_prompt_does_not_come_back_the_session_is_closed() {
    let (outcome, open) =
        walked("esa.local> «destconfig»\nOdd? [maybe]> «^C»\n", &Dialog::of("destconfig"), &Level::Standalone).await;
    assert_eq!(outcome.expect_err("unknown").kind, Kind::Unexpected);
    assert!(!open);
}

#[tokio::test(start_paused = true)]
async fn g16_a_stop_without_a_known_prompt_is_an_error_with_its_words() {
    let (outcome, open) = walked(
        "esa.local> «destconfig»\nEnter your passphrase: «^C»\nesa.local> ",
        &Dialog::of("destconfig"),
        &Level::Standalone,
    )
    .await;
    let error = outcome.expect_err("unknown");
    assert!(error.message.contains("Enter your passphrase:"), "{error}");
    assert!(open);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_in_the_devices_words() {
    let start = format!("esa.local> «destconfig»\n{MENU}«NEW»\nEnter the domain you wish to limit.\n[]> «example.com»\n");
    let limit = "Enter the max concurrency limit.\n[500]> ";
    let dialog = Dialog::of("destconfig").choose("NEW").key("example.com").answer("max concurrency limit", "9999");
    for (device, message) in [
        (
            format!("{limit}«9999»\nThe value must be an integer from 1 to 1000.\n{limit}«^C»\nesa.local> «»"),
            "The value must be an integer from 1 to 1000.",
        ),
        (format!("{limit}«9999»\nToo many of them.\n{limit}«^C»\nesa.local> «»"), "Too many of them."),
        (format!("{limit}«9999»\nToo many of them.\n[500]> «^C»\nesa.local> «»"), "Too many of them."),
        (format!("{limit}«9999»\n{limit}«^C»\nesa.local> «»"), "asked again"),
        (
            format!("\"example.com\" was not found in the destination control table.\n\n{MENU}«»\nesa.local> «»"),
            "was not found in the destination",
        ),
    ] {
        fails(&format!("{start}{device}"), &dialog, Kind::Invalid, message).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_never_asked_for_is_an_error_that_names_it() {
    let script = entry(
        "Enter the domain you wish to limit.\n[]> «example.com»\nDo you wish to configure a concurrency limit for example.com? [Y]> «Y»\n\
        Enter the max concurrency limit.\n[500]> «100»",
    );
    fails(&script, &new_entry(), Kind::Unexpected, "\"specific tls setting\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_the_menu_does_not_offer_types_nothing() {
    let script = format!("esa.local> «destconfig»\n{MENU}«»\nesa.local> «»");
    fails(
        &script,
        &Dialog::of("destconfig").choose("SETUP"),
        Kind::Invalid,
        "does not offer SETUP. It offers NEW, EDIT, DELETE, PRINT.",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_command_that_ends_early_is_an_error_with_its_words() {
    let script = "esa.local> «sslconfig»\nNothing to configure here.\nesa.local> «»";
    fails(script, &Dialog::of("sslconfig").choose("INBOUND"), Kind::Unexpected, "Nothing to configure here.").await;
}

#[tokio::test(start_paused = true)]
async fn g20_a_read_only_account_is_denied_in_the_devices_words() {
    let script = "esa.local> «destconfig»\nYou are not in the correct access group to use \"destconfig\".\nesa.local> «»";
    fails(script, &Dialog::of("destconfig").choose("NEW"), Kind::Denied, "correct access group").await;
}

#[tokio::test(start_paused = true)]
async fn g14_another_level_than_the_configured_one_is_refused() {
    let script = "esa.local> «destconfig»\nNOTICE: This configuration command is restricted to \"cluster\" mode.\nWould you like to switch to \"cluster\" mode? [Y]> «^C»\nesa.local> «»";
    let error =
        fails(script, &Dialog::of("destconfig").yes_no("would you like", true), Kind::Invalid, "another level than standalone")
            .await;
    assert!(error.to_string().contains("gateway.cluster"));
    let (outcome, _) = walked(&script.replace("«^C»", "«Y»\ndone"), &Dialog::of("destconfig"), &Level::Cluster).await;
    outcome.expect("the configured level is taken");
}

#[tokio::test(start_paused = true)]
async fn g19_nothing_is_typed_if_an_answer_holds_a_control_character() {
    let dialogs = [
        Dialog::of("destconfig").choose("NEW").key("example.com\ncommit"),
        Dialog::of("destconfig\r"),
        Dialog::of("destconfig; commit"),
        Dialog::of("destconfig").choose("NEW\u{3}"),
        Dialog::of("destconfig").answer("limit", "1\u{1b}[A"),
        Dialog::of("filters").choose("NEW").script(vec!["a".into(), ".".into()]),
        Dialog::of("filters").choose("NEW").script(vec!["a\tb".into()]),
        Dialog::of("filters").choose("NEW").script(vec!["a\nb".into()]),
    ];
    for dialog in dialogs {
        fails("esa.local> «»", &dialog, Kind::Invalid, "").await;
    }
}

#[tokio::test(start_paused = true)]
async fn secrets_stay_out_of_errors_where_the_device_echoes_them_too() {
    let line = "relay: if header(\"X-AUTH\") == \"^mysecretkey$\" { drop(); }";
    let script = format!(
        "esa.local> «filters»\n{MENU}«NEW»\nEnter filter script.  Enter '.' on its own line to end.\n«{line}»\n«.»\nInvalid filter syntax near mysecretkey in {line}\n{MENU}«»\nesa.local> «»"
    );
    let dialog = Dialog::of("filters").choose("NEW").script(vec![line.to_owned()]);
    let error = fails(&script, &dialog, Kind::Invalid, "Invalid filter syntax near (sensitive)").await;
    assert!(!format!("{:?} {:?}", error.diagnostic("create"), error).contains("mysecretkey"), "{error:?}");

    let mut dialog = Dialog::of("x").answer("Enter the key", "swordfish");
    dialog.sections.iter_mut().flat_map(|section| &mut section.answers).for_each(|answer| answer.secret = true);
    let script = "esa.local> «x»\nEnter the key.\n[]> «swordfish»\nUnheard of: swordfish. What now? [x]> «^C»\nesa.local> «»";
    let error = fails(script, &dialog, Kind::Unexpected, "(sensitive). What now?").await;
    assert!(!format!("{:?} {:?}", error.diagnostic("create"), error).contains("swordfish"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_label_is_picked_by_its_words_or_by_a_function() {
    let script = "esa.local> «x»\nChoose the method:\n1. TLS v1.0/TLS v1.2\n2. TLS v1.2\n3. TLS v1.3\n[1]> «2»\nesa.local> «»";
    said(script, &Dialog::of("x").pick("method", &["tlsv1.2"])).await;
    let by = |pick: fn(&[String]) -> Result<usize, String>| Dialog::of("x").pick_by("method", Arc::new(pick));
    said(script, &by(|labels| labels.iter().position(|label| label == "TLS v1.2").ok_or_else(String::new))).await;
    let refused = script.replace("«2»", "«^C»");
    fails(
        &refused,
        &by(|labels| Err(format!("none of {}", labels.join(", ")))),
        Kind::Invalid,
        "none of TLS v1.0/TLS v1.2, TLS v1.2, TLS v1.3",
    )
    .await;
    fails(&refused, &Dialog::of("x").pick("method", &["SSL v3"]), Kind::Invalid, "does not offer \"SSL v3\"").await;
}

#[tokio::test(start_paused = true)]
async fn the_key_answers_the_first_question_that_is_not_yes_or_no() {
    let script = format!(
        "esa.local> «x»\n{MENU}«DELETE»\nAre you sure? [N]> «Y»\nWhich entry?\n[]> «example.com»\n{MENU}«»\nesa.local> «»"
    );
    said(
        &script,
        &Dialog::of("x").choose("DELETE").key("example.com").yes_no_if_asked("sure", true).answer_if_asked("entry", "not this"),
    )
    .await;
    let list = format!(
        "esa.local> «x»\n{MENU}«EDIT»\nWhat?\n1. Sender Group\n2. Policy\n[1]> «1»\nThe name?\n[]> «RELAY»\n{MENU}«»\nesa.local> «»"
    );
    said(&list, &Dialog::of("x").choose("EDIT").pick_if_asked("what", &["sender group"]).key("RELAY")).await;
    let numbered =
        format!("esa.local> «x»\n{MENU}«EDIT»\nWhich policy?\n1. ACCEPTED\n2. RELAYED\n[1]> «2»\n{MENU}«»\nesa.local> «»");
    said(&numbered, &Dialog::of("x").choose("EDIT").key("RELAYED")).await;
}

#[tokio::test(start_paused = true)]
async fn two_questions_that_ask_each_others_turn_come_to_an_end() {
    let round = "One? [a]> «1»\nTwo? [b]> «2»\n";
    let script = format!("esa.local> «x»\n{}One? [a]> «^C»\nesa.local> «»", round.repeat(MOST_TURNS / 2))
        .replace("»\nOne? [a]> «^C»", "»\nOne? [a]> «^C»");
    let (outcome, _) = walked(&script, &Dialog::of("x").answer("one?", "1").answer("two?", "2"), &Level::Standalone).await;
    assert_eq!(outcome.expect_err("no end").kind, Kind::Unexpected);
}

#[tokio::test(start_paused = true)]
async fn a_script_that_the_device_stops_taking_is_not_typed_on() {
    for end in ["esa.local> «»", "What now? [x]> «^C»\nesa.local> «»"] {
        let script = format!(
            "esa.local> «filters»\n{MENU}«NEW»\nEnter filter script.  Enter '.' on its own line to end.\n«a: if true {{»\nOut of memory.\n{end}"
        );
        let dialog = Dialog::of("filters").choose("NEW").script(vec!["a: if true {".into(), "commit".into(), "}".into()]);
        let device = Device::saying(&script);
        let heard = device.heard();
        let mut shell = Shell::new(device.line(), quick());
        let limit = shell.patience();
        shell.turn(limit).await.expect("the first prompt");
        shell.learn();
        shell.end();
        let error = walk(&mut shell, &dialog, &Level::Standalone).await.expect_err("stopped");
        assert!(error.message.contains("Out of memory."), "{error} {:?}", heard.all());
        assert!(heard.all().is_ok(), "{:?}", heard.all());
    }
}

#[tokio::test(start_paused = true)]
async fn words_in_the_objects_own_name_answer_nothing() {
    let dialog = || {
        Dialog::of("destconfig")
            .choose("NEW")
            .key("number-of.messages.example")
            .answer_if_asked("number messages", "20")
            .answer("number recipients", "300")
            .keep("sort")
    };
    let questions = "Enter the domain.\n[]> «number-of.messages.example»\nEnter the max number of recipients for \"number-of.messages.example\".\n[]> «300»\n";
    said(&entry(questions), &dialog()).await;
    let confirmed = Dialog::of("destconfig").choose("DELETE").key("sort.example").yes_no_if_asked("sort.example", true);
    let script = format!(
        "esa.local> «destconfig»\n{MENU}«DELETE»\nWhich?\n[]> «sort.example»\nGet rid of sort.example? [N]> «Y»\n{MENU}«»\nesa.local> «»"
    );
    said(&script, &confirmed).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_picked_from_a_list_by_its_exact_name() {
    for (list, number) in [
        ("1. IN\n2. In\n3. Out", "2"),
        ("1. IN (on Data 1, 192.0.2.1) SMTP\n2. In (on Data 2, 192.0.2.2) SMTP", "2"),
        ("1. Listener: OUT\n2. Listener: in", "2"),
        ("1. I_n\n2. Out", "In"),
    ] {
        let script =
            format!("esa.local> «destconfig»\n{MENU}«EDIT»\nWhich one?\n{list}\n[1]> «{number}»\n{MENU}«»\nesa.local> «»");
        let script = if number == "In" { script.replace("1. I_n", "1. IN\n2. iN").replace("2. Out", "3. Out") } else { script };
        said(&script, &Dialog::of("destconfig").choose("EDIT").key("In")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_must_be_answered_and_is_not_is_refused() {
    let menu = "Choose the operation you want to perform:\n- INBOUND - Edit.\n- VERIFY - Verify and show ssl cipher list.\n[]> ";
    let dialog = || Dialog::of("sslconfig").choose_if_offered(&["VERIFY"]).key("HIHG").must_say("The gateway knows no cipher.");
    let script = |said: &str| {
        format!(
            "esa.local> «sslconfig»\n{menu}«VERIFY»\nEnter the ssl cipher you want to verify.\n[]> «HIHG»\n{said}\n{menu}«»\nesa.local> «»"
        )
    };
    said(&script("AES256-SHA  TLSv1 Kx=RSA"), &dialog()).await;
    fails(&script(""), &dialog(), Kind::Invalid, "The gateway knows no cipher.").await;
    fails(&script("Error in cipher string: no cipher match"), &dialog(), Kind::Invalid, "no cipher match").await;
    let older = menu.replace("- VERIFY - Verify and show ssl cipher list.", "- OUTBOUND - Edit.");
    said(&format!("esa.local> «sslconfig»\n{older}«»\nesa.local> «»"), &dialog()).await;
}

#[tokio::test(start_paused = true)]
async fn g27_a_filter_that_cannot_run_is_an_error_with_the_devices_reason() {
    let reason = "Filter f has been marked invalid for these reasons: Interface 'x' unknown;.";
    let script = format!(
        "esa.local> «filters»\n\n{MENU}«NEW»\nEnter filter script.  Enter '.' on its own line to end.\n«f: drop();»\n«.»\n1 filters added.\n{reason}\n\n{MENU}«»\nesa.local> «»"
    );
    let dialog = Dialog::of("filters").choose("NEW").script(vec!["f: drop();".into()]);
    fails(&script, &dialog, Kind::Invalid, "Interface 'x' unknown").await;
    let printed = format!("esa.local> «filters»\n{MENU}«PRINT»\n{reason}\n{MENU}«»\nesa.local> «»");
    said(&printed, &Dialog::of("filters").choose("PRINT")).await;
}
