//! Sessions against written conversations.

use super::*;
use crate::gateway::settings::{CommitSettings, PendingChanges};
use crate::gateway::testing::{Device as Played, Heard, quick};

fn settings(cluster: Level) -> Settings {
    let login = Login {
        host: "esa1.example.com".into(),
        port: 22,
        username: "terraform".into(),
        password: Some("swordfish".into()),
        private_key: None,
        private_key_passphrase: None,
        host_keys: Vec::new(),
        legacy_algorithms: false,
        jump_host: None,
    };
    let commit = CommitSettings {
        comment: "x".into(),
        quiet_period: Duration::from_millis(250),
        timeout: Duration::from_mins(5),
        rollback_snapshot: false,
    };
    Settings { login, cluster, commit, pending_changes: PendingChanges::Error, read_only: false, api: None }
}

const BANNER: &str = "Last login: Wed Apr 11 16:07:43 2018 from 192.0.2.7\nAsyncOS 15.0.0 for Cisco C100V build 104\n\
    Welcome to the Cisco C100V Secure Email Gateway(tm)\nNOTE: This session will expire if left idle for 30 minutes. Any uncommitted \
    configuration changes will be lost. Commit the configuration changes as soon as they are made.\n";

/// What every session begins with.
fn login() -> String {
    format!("{BANNER}esa.local> «setttymode 0 1»\nesa.local> ")
}

async fn opened(script: &str, level: Level) -> (Result<Session, Error>, Heard) {
    opened_at(script, level, quick()).await
}

async fn opened_at(script: &str, level: Level, timing: Timing) -> (Result<Session, Error>, Heard) {
    let device = Played::saying(script);
    let heard = device.heard();
    (Session::open(device.line(), &settings(level), timing).await, heard)
}

async fn session(rest: &str) -> (Session, Heard) {
    let (session, heard) = opened(&format!("{}{rest}", login()), Level::Standalone).await;
    (session.expect("a session"), heard)
}

#[tokio::test(start_paused = true)]
async fn the_banner_tells_release_and_idle_limit() {
    let (session, heard) = session("«»").await;
    assert_eq!((session.release(), session.idle_limit), (Some("15.0.0-104"), Duration::from_mins(30)));
    assert_eq!(heard.all(), Ok(vec!["setttymode 0 1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn g16_the_message_of_the_day_is_skipped_in_any_chunking() {
    let motd = "*** Authorized use only ***\nmail> is how the prompt of our lab looks\n1. Be kind [always]\n-Press Any Key For More-« »\r\n(Test) \u{1b}[1mhost\u{1b}[0m>\n\n";
    for chunk in [1, 9, 100_000] {
        let script = format!(
            "{motd}(mail-1.example.com)> «setttymode 0 1»\nUnknown command: setttymode\n(mail-1.example.com)> «version»\nVersion: 14.2.1-015\n(mail-1.example.com)> «»"
        );
        let device = Played::saying(&script).in_chunks_of(chunk);
        let session = Session::open(device.line(), &settings(Level::Standalone), quick()).await.expect("a session");
        assert_eq!(session.release(), Some("14.2.1-015"), "{chunk}");
    }
}

#[tokio::test(start_paused = true)]
async fn g16_a_line_of_the_banner_that_looks_like_a_prompt_is_not_kept_as_one() {
    let script = "lab> «setttymode 0 1»\nmore of the banner\nesa.local> «setttymode 0 1»\nesa.local> «version»\nVersion: 14.2.1-015\nesa.local> «show»\nx\nesa.local> «»";
    let (session, heard) = opened(script, Level::Standalone).await;
    let shown = session.expect("a session").show("show").await;
    assert_eq!(shown, Ok("x".to_owned()), "{:?}", heard.all());
}

#[tokio::test(start_paused = true)]
async fn g04_a_question_at_login_is_not_answered() {
    for question in ["Your passphrase has expired.\nOld passphrase: ", "Would you like to run the setup wizard? [Y]> "] {
        let (session, heard) = opened(&format!("{BANNER}{question}«»"), Level::Standalone).await;
        let error = session.err().expect("denied");
        assert_eq!((error.kind, error.retryable), (Kind::Denied, false));
        assert!(
            error
                .message
                .contains(question.lines().last().unwrap_or_default().split(['[', ':']).next().unwrap_or_default().trim()),
            "{error}"
        );
        assert_eq!(heard.all(), Ok(Vec::new()));
    }
}

#[tokio::test(start_paused = true)]
async fn g14_the_configured_level_is_chosen_and_its_prompt_is_learnt() {
    let script = format!(
        "{}«clustermode cluster»\n(Cluster Main)> «show»\nx\n(Cluster Main)> «»",
        login().replace("esa.local", "(Machine esa1)")
    );
    let (session, _) = opened(&script, Level::Cluster).await;
    assert_eq!(session.expect("a session").show("show").await, Ok("x".to_owned()));

    let script = format!("{}«clustermode group Asia»\nThis command is only available on cluster system\nesa.local> «»", login());
    let script = script.replace("This command is", "The command is");
    let error = opened(&script, Level::Group("Asia".into())).await.0.err().expect("refused");
    assert!(error.to_string().contains("gateway.cluster"), "{error}");

    let script = format!("{}«clustermode group Asia»\n(Machine esa1)> «»", login());
    let error = opened(&script, Level::Group("Asia".into())).await.0.err().expect("refused");
    assert!(error.message.contains("did not change to the level group Asia"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn g14_a_printout_that_wants_another_level_is_refused() {
    let (mut session, _) = session("«interfaceconfig»\nThis command is restricted to run in machine mode.\nDo you want to switch to machine mode? [Y]> «^C»\nesa.local> «»").await;
    let error = session.show("interfaceconfig").await.expect_err("refused");
    assert_eq!(error.kind, Kind::Invalid);
    assert!(error.to_string().contains("gateway.cluster"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_printout_is_given_without_echo_and_prompt() {
    let (mut session, _) = session("«filters list»\n\nNum Active Valid Name\n  1 Y      Y     relay\n\nesa.local> «status»\nUnknown command: status\nesa.local> «x»\nPick [1]> «^C»\nesa.local> «»").await;
    assert_eq!(session.show("filters list").await, Ok("Num Active Valid Name\n  1 Y      Y     relay".to_owned()));
    assert_eq!(session.show("status").await.expect_err("unknown").kind, Kind::Invalid);
    assert_eq!(session.show("x").await.expect_err("a question").kind, Kind::Unexpected);
    assert!(session.show("x; commit").await.expect_err("two commands").message.contains("another command"));
}

#[tokio::test(start_paused = true)]
async fn g06_a_session_that_was_idle_too_long_is_given_up_before_anything_is_typed() {
    let (mut session, heard) = session("«»").await;
    assert!(!session.is_stale());
    tokio::time::advance(Duration::from_secs(1780)).await;
    assert!(session.is_stale());
    let error = session.show("version").await.expect_err("stale");
    assert_eq!((error.kind, error.retryable), (Kind::Unavailable, true));
    assert_eq!(heard.all(), Ok(vec!["setttymode 0 1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn pending_changes_are_told_in_the_devices_words_or_not_at_all() {
    for nothing in ["There are no changes.", "There is no data to commit.", "", "No uncommitted changes were found.\n"] {
        let (mut session, _) = session(&format!("«showchanges»\n{nothing}\nesa.local> «»")).await;
        assert_eq!(session.pending().await, Ok(None), "{nothing}");
    }
    let (mut session, _) = session("«showchanges»\nsmtp_routes\n  example.com\n    + mx.example.com\nesa.local> «»").await;
    assert_eq!(session.pending().await, Ok(Some("smtp_routes\n  example.com\n    + mx.example.com".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn clearing_is_confirmed_and_verified() {
    let asked =
        "«clearchanges»\nAre you sure you want to clear all changes since the last commit? [N]> «Y»\nesa.local> «showchanges»\n";
    let (mut first, _) = session(&format!(
        "{asked}There are no changes.\nesa.local> «clearchanges»\nesa.local> «showchanges»\nThere are no changes.\nesa.local> «»"
    ))
    .await;
    assert_eq!((first.clear().await, first.clear().await), (Ok(()), Ok(())));
    let (mut second, _) = session(&format!("{asked}smtp_routes\n  example.com\n  + a\nesa.local> «»")).await;
    assert!(second.clear().await.expect_err("still there").message.contains("smtp_routes"));
}

const COMMENT: &str = "«commit»\nPlease enter some comments describing your changes:\n[]> ";

async fn committed(rest: &str, comment: &str, rollback: bool) -> Result<Commit, Error> {
    let (mut session, heard) = session(rest).await;
    let outcome = session.commit(comment, rollback).await;
    assert!(heard.all().is_ok(), "{:?}", heard.all());
    if outcome.is_ok() {
        assert!(session.shell.is_open());
    }
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_commit_answers_its_questions_and_says_how_it_ended() {
    let question = "Do you want to save the current configuration for rollback? [Y]> ";
    let done = "Changes committed: Thu May 01 12:00:00 2025 GMT\nesa.local> «»";
    let ok = Ok(Commit::Done { notices: Vec::new() });
    assert_eq!(committed(&format!("{COMMENT}«run 1 two»\n{question}«N»\n{done}"), "run 1\r\n\ttwo\u{7}", false).await, ok);
    assert_eq!(committed(&format!("{COMMENT}«x»\n{question}«Y»\n{done}"), "x", true).await, ok);
    assert_eq!(committed(&format!("{COMMENT}«Terraform»\n{done}"), "\n", true).await, ok);
    assert_eq!(committed("«commit»\nThere is no data to commit.\nesa.local> «»", "x", true).await, Ok(Commit::NothingStaged));
}

#[tokio::test(start_paused = true)]
async fn g10_a_collision_is_answered_so_that_nothing_is_lost() {
    let words = "Another administrator has committed changes.\nAre you ready to discard all of your changes? [N]> ";
    let outcome = committed(&format!("{COMMENT}«x»\n{words}«N»\nesa.local> «»"), "x", false).await;
    let Ok(Commit::Collision(said)) = outcome else { panic!("{outcome:?}") };
    assert!(said.contains("Another administrator") && said.contains("discard all of your changes?"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn g15_a_peer_that_is_away_is_a_notice() {
    let away = "Warning: machine esa2.example.com is disconnected;\nit gets the changes when it is back.";
    let outcome = committed(&format!("{COMMENT}«x»\n{away}\n\nChanges committed: now\nesa.local> «»"), "x", false).await;
    assert_eq!(outcome, Ok(Commit::Done { notices: vec![away.replace('\n', " ")] }));
    let outcome = committed(&format!("{COMMENT}«x»\nThe machine esa2 is unreachable. Do you want to continue? [Y]> «Y»\nChanges committed: now\nesa.local> «»"), "x", false).await;
    assert_eq!(outcome, Ok(Commit::Done { notices: vec!["The machine esa2 is unreachable. Do you want to continue?".into()] }));
}

#[tokio::test(start_paused = true)]
async fn g24_any_other_ending_is_a_refusal_in_the_devices_words() {
    for (rest, message) in [
        ("«x»\nConfiguration filesystem is full.\nesa.local> «»", "Configuration filesystem is full."),
        ("«x»\nAnother commit is in progress.\nesa.local> «»", "Another commit is in progress."),
        ("«x»\nYour feature key has expired. Send the fleet? [Y]> «^C»\nesa.local> «»", "Send the fleet?"),
        ("«x»\nesa.local> «»", "did not say"),
    ] {
        let outcome = committed(&format!("{COMMENT}{rest}"), "x", false).await;
        let Ok(Commit::Refused(said)) = outcome else { panic!("{outcome:?}") };
        assert!(said.contains(message), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn g25_a_commit_may_take_as_long_as_the_setting_says() {
    let outcome =
        committed(&format!("{COMMENT}«x»\nCommitting, please wait:⏳⏳\nChanges committed: now\nesa.local> «»"), "x", false)
            .await;
    assert!(matches!(outcome, Ok(Commit::Done { .. })), "{outcome:?}");
    let error =
        committed(&format!("{COMMENT}«x»\n⏳⏳⏳⏳⏳⏳Changes committed: now\nesa.local> "), "x", false).await.expect_err("late");
    assert_eq!((error.kind, error.retryable), (Kind::Unavailable, false));
    assert!(error.to_string().contains("gateway.commit.timeout"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn g08_a_line_that_is_lost_during_a_commit_is_unavailable() {
    let error = committed(&format!("{COMMENT}«x»\nHANGUP"), "x", false).await.expect_err("lost");
    assert_eq!((error.kind, error.retryable), (Kind::Unavailable, true));
}

#[tokio::test(start_paused = true)]
async fn g17_nothing_is_committed_on_a_release_that_is_not_known() {
    let script = login().replace("AsyncOS 15.0.0", "AsyncOS 11.0.1");
    let (session, heard) = opened(&format!("{script}«»"), Level::Standalone).await;
    let error = session.expect("a session").commit("x", false).await.expect_err("refused");
    assert!(error.message.contains("AsyncOS 11.0.1"), "{error}");
    assert_eq!(heard.all(), Ok(vec!["setttymode 0 1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_left_by_exit_and_a_warning_commits_nothing() {
    for (rest, typed) in [
        ("«exit»\nHANGUP", vec!["exit"]),
        ("«exit»\nYou have uncommitted changes that will be lost. Are you sure you want to exit? [N]> «»", vec!["exit"]),
        ("«exit»\nDo you want to commit your changes before you leave? [Y]> «»", vec!["exit"]),
    ] {
        let (mut session, heard) = session(rest).await;
        session.close().await;
        assert!(!session.shell.is_open());
        let all = heard.all().expect("as written");
        assert_eq!(all.get(1..).unwrap_or_default(), typed, "{rest}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_the_device_prints_stays_out_of_errors() {
    let (mut session, _) = session("«x»\nYour password swordfish is odd. Change? [Y]> «^C»\nesa.local> «»").await;
    let error = session.show("x").await.expect_err("a question");
    assert!(!error.diagnostic("read").detail.contains("swordfish"), "{error}");
}

#[test]
fn g26_another_release_in_the_middle_of_the_run_stops_it() {
    let connector = Connector::new(settings(Level::Cluster));
    assert_eq!(connector.another_release(Some("15.0.0-104")), None);
    assert_eq!(connector.another_release(None), None);
    assert_eq!(connector.another_release(Some("15.0.0-104")), None);
    assert_eq!(connector.another_release(Some("15.5.1")), Some(("15.0.0-104".into(), "15.5.1".into())));
    assert_eq!(connector.name(), "esa1.example.com:22 (cluster)");
}

/// The limits that are in force, on a clock that is paused: how long it takes until the error is there.
#[tokio::test(start_paused = true)]
async fn rs7_a_command_a_dialog_and_a_commit_have_limits_of_their_own() {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum What {
        Command,
        Dialog,
        Commit,
    }
    let minutes = Duration::from_mins;
    let trickle = "a row\n⏳".repeat(30);
    let cases = [
        (What::Command, "«smtproutes»\n", "", minutes(2)),
        (What::Command, "«smtproutes»\n", &trickle, minutes(15)),
        (What::Command, "«smtproutes»\n", "HANGUP", Duration::ZERO),
        (What::Dialog, "«destconfig»\nChoose the operation:\n- NEW - Create.\n[]> «NEW»\n", "", minutes(2)),
        (What::Dialog, "«destconfig»\nChoose the operation:\n- NEW - Create.\n[]> «NEW»\n", &trickle, minutes(15)),
        (What::Dialog, "«destconfig»\nChoose the operation:\n- NEW - Create.\n[]> «NEW»\n", "HANGUP", Duration::ZERO),
        // The settings of these tests: `commit.timeout` is 5 minutes.
        (What::Commit, &format!("{COMMENT}«x»\n"), "", minutes(5)),
        (What::Commit, &format!("{COMMENT}«x»\n"), &trickle, minutes(5)),
        (What::Commit, &format!("{COMMENT}«x»\n"), "HANGUP", Duration::ZERO),
    ];
    for (what, begin, rest, limit) in cases {
        let script = format!("{}{begin}{rest}", login());
        let (session, _) = opened_at(&script, Level::Standalone, Timing::default()).await;
        let mut session = session.expect("a session");
        let began = Instant::now();
        let error = match what {
            What::Command => session.show("smtproutes").await.err(),
            What::Dialog => session.walk(&Dialog::of("destconfig").choose("NEW")).await.err(),
            What::Commit => session.commit("x", false).await.err(),
        };
        let took = began.elapsed();
        let error = error.unwrap_or_else(|| panic!("{what:?} {rest:?}: it came to an end"));
        assert_eq!(error.kind, Kind::Unavailable, "{what:?} {rest:?}: {error}");
        assert!(took >= limit && took <= limit + Duration::from_secs(1), "{what:?} {rest:?} {took:?}: {error}");
        assert!(!session.shell.is_open(), "{what:?} {rest:?}");
        // A line that was cut is taken up again; a device that does not answer is not asked the same once more.
        assert_eq!(error.retryable, rest == "HANGUP", "{what:?} {rest:?}: {error}");
    }
}
