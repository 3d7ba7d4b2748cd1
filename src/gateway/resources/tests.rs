//! Laws over all tables, and the dialogs walked against the questions that are known of AsyncOS 11 to 16.

use super::*;
use crate::gateway::dialog::{Answer, Reply};
use crate::gateway::table::Edit;

#[test]
fn every_table_says_what_it_is_in_sentences() {
    for table in TABLES {
        let resource = table.resource;
        assert!(resource.about.ends_with('.'), "{}", resource.name);
        for attribute in resource.attributes {
            assert!(attribute.about.ends_with('.'), "{}.{}", resource.name, attribute.name);
        }
    }
    assert_eq!(
        TABLES.iter().map(|table| table.resource.name).collect::<Vec<_>>(),
        ALL.iter().map(|resource| resource.name).collect::<Vec<_>>()
    );
}

/// A question as a release asks it.
#[derive(Clone, Copy, Debug)]
enum Question {
    Text(&'static str),
    YesNo(&'static str),
    List(&'static str, &'static [&'static str]),
    Script,
}

use Question::{List, Script, Text, YesNo};

/// Walks a dialog: for each choice the questions that come. Gives what is typed, or says what has no answer.
fn walk(dialog: &Dialog, asked: &[(&str, Vec<Question>)]) -> Result<Vec<String>, String> {
    let mut typed = Vec::new();
    let chosen: Vec<&String> = dialog.sections.iter().skip(1).filter_map(|section| section.choices.first()).collect();
    if chosen != asked.iter().map(|(choice, _)| *choice).collect::<Vec<_>>() {
        return Err(format!("chooses {chosen:?}"));
    }
    for (section, (choice, questions)) in dialog.sections.iter().skip(1).zip(asked) {
        let mut given = vec![false; section.answers.len()];
        let mut subject = String::new();
        for question in questions {
            let key =
                section.answers.iter().enumerate().position(|(at, answer)| matches!(answer.reply, Reply::Key(_)) && !given[at]);
            let any_list =
                section.answers.iter().position(|answer| matches!(answer.reply, Reply::PickBy(_)) && answer.words.is_empty());
            // The most words win, then an answer that was not given yet, then the first.
            let fitting = section.answers.iter().enumerate().filter(|(_, answer)| {
                fits(answer, *question)
                    && (answer.behind.is_empty() || !matches!(question, YesNo(_)))
                    && answer.behind.iter().all(|word| subject.contains(word))
            });
            let by_words = fitting
                .min_by_key(|(at, answer)| (std::cmp::Reverse(answer.words.len() + answer.behind.len()), given[*at], *at))
                .map(|(at, _)| at);
            let at = match question {
                Text(_) => key.or(by_words),
                YesNo(_) | Script => by_words,
                List(..) => by_words.or(key).or(any_list),
            };
            let at = at.ok_or_else(|| format!("{choice}: nothing answers {question:?}"))?;
            given[at] = true;
            if let YesNo(text) = question {
                subject = text.to_lowercase();
            }
            typed.push(match (&section.answers[at].reply, question) {
                (Reply::Text(text) | Reply::Key(text), _) => text.clone(),
                (Reply::YesNo(yes), _) => if *yes { "y" } else { "n" }.to_owned(),
                (Reply::PickBy(picker), List(_, labels)) => {
                    let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
                    labels[picker(&labels)?].clone()
                }
                (Reply::PickSome(picker), List(_, labels)) => {
                    let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
                    picker(&labels)?.into_iter().map(|at| labels[at].clone()).collect::<Vec<_>>().join("|")
                }
                (Reply::Script(lines), _) => lines.join("|"),
                (Reply::Keep, _) => "-".to_owned(),
                (reply, question) => return Err(format!("{choice}: {reply:?} for {question:?}")),
            });
        }
        if let Some(answer) =
            section.answers.iter().zip(&given).find(|(answer, given)| answer.must && !**given).map(|(answer, _)| answer)
        {
            return Err(format!("{choice}: never asked: {answer:?}"));
        }
    }
    Ok(typed)
}

fn fits(answer: &Answer, question: Question) -> bool {
    let (kind, text) = match (&answer.reply, question) {
        (Reply::Script(_), Script) => return true,
        (Reply::Text(_) | Reply::Keep, Text(text))
        | (Reply::YesNo(_) | Reply::Keep, YesNo(text))
        | (Reply::Pick(_) | Reply::PickBy(_) | Reply::PickSome(_) | Reply::Keep, List(text, _)) => (true, text.to_lowercase()),
        _ => (false, String::new()),
    };
    kind && !answer.words.is_empty() && answer.words.iter().all(|word| text.contains(word.as_str()))
}

/// Walks the only dialog of a change.
fn check(table: &Table, edit: Edit<'_>, rows: &Rows, asked: &[(&str, Vec<Question>)], expected: &[&str]) {
    let dialogs = order::moved(table, edit, rows, &[], (table.stage)(edit, rows).unwrap()).unwrap();
    assert_eq!(dialogs.len(), 1, "{dialogs:?}");
    let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(walk(&dialogs[0], asked), Ok(expected));
}

fn changed(names: &[&str]) -> Vec<Path> {
    names.iter().map(|name| Path::dotted(name)).collect()
}

fn said(printed: &str) -> Said {
    Said { opening: String::new(), after: vec![printed.to_owned()] }
}

fn rows(printout: &Printout, printed: &[&str]) -> Rows {
    printout.parse(&printed.iter().map(|text| said(text)).collect::<Vec<_>>()).unwrap()
}

const TLS_LIST: Question = List(
    "Do you want to use TLS support?",
    &["No", "Preferred", "Required", "Preferred (Verify)", "Required (Verify)", "Required - Verify Hosted Domains"],
);
const TYPE_LIST: Question = List(
    "Select how you want to apply the limits for example.com:",
    &["One limit applies to the entire domain example.com", "Separate limit for each mail exchanger IP address"],
);
const APPLY_LIST: Question = List("Select how the limits will be enforced:", &["System Wide", "Per Virtual Gateway(tm)"]);

fn control() -> Record {
    Record::new()
        .with("domain", "Example.com.")
        .with("concurrency_limit", 10)
        .with("max_messages_per_connection", 20)
        .with("recipient_limit", Value::Null)
        .with("recipient_limit_minutes", 60)
        .with("concurrency_limit_type", Value::UNKNOWN)
        .with("concurrency_limit_apply", Value::UNKNOWN)
        .with("tls", "preferred")
        .with("bounce_verification", "default")
        .with("bounce_profile", Value::Null)
        .with("ip_sort_preference", Value::UNKNOWN)
}

#[test]
fn destconfig_new_is_answered_in_old_and_new_releases_in_any_order() {
    let mut newer = vec![
        YesNo("Do you wish to configure a concurrency limit for example.com? [Y]>"),
        Text("Enter the max concurrency limit for \"example.com\"."),
        YesNo("Do you wish to apply a messages-per-connection limit to this domain? [N]>"),
        Text("Enter the max number of messages per connection for \"example.com\"."),
        YesNo("Do you wish to apply a recipient limit to this domain? [N]>"),
        TYPE_LIST,
        APPLY_LIST,
        YesNo("Do you wish to apply a specific TLS setting for this domain? [N]>"),
        TLS_LIST,
        YesNo("You have not entered a certificate. Mail will be sent with the demo certificate. Continue? [Y]>"),
        YesNo("Do you wish to configure DANE Support? [N]>"),
        YesNo("Do you wish to apply a specific bounce verification address tagging setting for this domain? [N]>"),
        YesNo("Do you wish to apply a specific bounce profile to this domain? [N]>"),
        YesNo("Do you wish to apply a specific IP sort preference to this domain? [N]>"),
    ];
    let mut expected = vec!["y", "10", "y", "20", "n", "-", "-", "y", "Preferred", "y", "-", "n", "n", "-"];
    for _ in 0..newer.len() {
        newer.rotate_left(3);
        expected.rotate_left(3);
        let mut asked = vec![Text("Enter the domain you wish to configure.")];
        asked.extend(&newer);
        let typed: Vec<&str> = std::iter::once("example.com").chain(expected.iter().copied()).collect();
        check(&destination_control::TABLE, Edit::Create(&control()), &Rows::default(), &[("NEW", asked)], &typed);
    }
    // The transcript of the tech note: no limit of messages, no IP sort preference, and TLS as in DEFAULT.
    let older = control()
        .with("max_messages_per_connection", Value::Null)
        .with("tls", "default")
        .with("concurrency_limit", 100)
        .with("recipient_limit", 1000)
        .with("concurrency_limit_type", "MXIP")
        .with("concurrency_limit_apply", "system");
    let asked = vec![
        Text("Enter the domain you wish to limit."),
        YesNo("Do you wish to configure a concurrency limit for example.com? [Y]>"),
        Text("Enter the max concurrency limit for \"example.com\"."),
        YesNo("Do you wish to apply a recipient limit to this domain? [N]>"),
        Text("Enter the number of minutes used to measure the recipient limit."),
        Text("Enter the max number of recipients per 60 minutes for \"example.com\"."),
        TYPE_LIST,
        APPLY_LIST,
        YesNo("Do you wish to apply a specific TLS setting for this domain? [N]>"),
        YesNo("Do you wish to apply a specific bounce verification address tagging setting for this domain? [N]>"),
        YesNo("Do you wish to apply a specific bounce profile to this domain? [N]>"),
    ];
    let typed = [
        "example.com",
        "y",
        "100",
        "y",
        "60",
        "1000",
        "Separate limit for each mail exchanger IP address",
        "System Wide",
        "n",
        "n",
        "n",
    ];
    check(&destination_control::TABLE, Edit::Create(&older), &Rows::default(), &[("NEW", asked)], &typed);
}

#[test]
fn destconfig_answers_everything_that_is_managed() {
    let row =
        rows(&Printout::Destinations, &["example.com\n TLS: Default\nDefault\n 500 concurrent connections\n"]).rows[0].clone();
    let to = control()
        .with("tls", "required_verify_hosted_domains")
        .with("bounce_verification", "on")
        .with("bounce_profile", "tagging")
        .with("dane", "mandatory")
        .with("ip_sort_preference", "require_v4");
    let asked = vec![
        Text("Enter the domain you wish to edit."),
        YesNo("Do you wish to configure a concurrency limit for example.com? [Y]>"),
        Text("Enter the max concurrency limit for \"example.com\"."),
        YesNo("Do you wish to apply a messages-per-connection limit to this domain? [N]>"),
        Text("Enter the max number of messages per connection for \"example.com\"."),
        YesNo("Do you wish to apply a specific TLS setting for this domain? [N]>"),
        TLS_LIST,
        YesNo("Do you wish to configure DANE Support? [N]>"),
        List("Please choose a DANE option:", &["No", "Opportunistic", "Mandatory"]),
        YesNo("Do you wish to apply a specific bounce verification address tagging setting for this domain? [N]>"),
        YesNo("Do you wish to perform bounce verification address tagging? [N]>"),
        YesNo("Do you wish to apply a specific bounce profile to this domain? [N]>"),
        List("Choose a bounce profile to apply:", &["Default", "New Profile", "Tagging"]),
        YesNo("Do you wish to apply a specific IP sort preference to this domain? [N]>"),
        List(
            "Choose how to sort IP addresses within an MX preference:",
            &["Prefer IPv6", "Require IPv6", "Prefer IPv4", "Require IPv4"],
        ),
    ];
    let typed = [
        "example.com",
        "y",
        "10",
        "y",
        "20",
        "y",
        "Required - Verify Hosted Domains",
        "y",
        "Mandatory",
        "y",
        "y",
        "y",
        "Tagging",
        "y",
        "Require IPv4",
    ];
    let edit = Edit::Update { from: &row, to: &to, changed: &changed(&["tls"]) };
    check(&destination_control::TABLE, edit, &Rows::default(), &[("EDIT", asked)], &typed);
    let default = to
        .with("domain", "default")
        .with("recipient_limit", 300)
        .with("bounce_profile", Value::Null)
        .with("tls", "none")
        .with("dane", "none");
    let asked = vec![
        Text("Enter the default maximum concurrency limit."),
        Text("Enter the default maximum number of messages per connection."),
        YesNo("Do you wish to specify a default recipient limit? [N]>"),
        Text("Enter the number of minutes used to measure the recipient limit."),
        Text("Enter number of recipients per 60 minutes."),
        APPLY_LIST,
        TLS_LIST,
        YesNo("Do you want to use DANE Support? [N]>"),
        YesNo("Do you wish to perform bounce verification address tagging? [N]>"),
        List(
            "Choose how to sort IP addresses within an MX preference:",
            &["Prefer IPv6", "Require IPv6", "Prefer IPv4", "Require IPv4"],
        ),
    ];
    let typed = ["10", "20", "y", "60", "300", "-", "No", "n", "y", "Require IPv4"];
    check(&destination_control::TABLE, Edit::Create(&default), &Rows::default(), &[("DEFAULT", asked)], &typed);
    let confirmations =
        vec![Text("Enter the domain you wish to delete."), YesNo("Are you sure you want to delete \"example.com\"? [N]>")];
    check(&destination_control::TABLE, Edit::Delete(&row), &Rows::default(), &[("DELETE", confirmations)], &["example.com", "y"]);
    check(
        &destination_control::TABLE,
        Edit::Delete(&row),
        &Rows::default(),
        &[("DELETE", vec![Text("Enter the domain.")])],
        &["example.com"],
    );
}

#[test]
fn a_release_that_cannot_do_what_is_wanted_ends_the_dialog() {
    let dialogs = (destination_control::TABLE.stage)(Edit::Create(&control()), &Rows::default()).unwrap();
    let refused = |questions: Vec<Question>, word: &str| {
        let error = walk(&dialogs[0], &[("NEW", questions)]).unwrap_err();
        assert!(error.contains(word), "{error}");
    };
    let limits = [
        Text("domain"),
        YesNo("concurrency limit"),
        Text("max concurrency limit"),
        YesNo("messages-per-connection limit"),
        Text("max number of messages"),
    ];
    let with = |more: &[Question]| limits.iter().chain(more).copied().collect::<Vec<_>>();
    refused(with(&[]), "never asked");
    refused(with(&[YesNo("specific TLS setting"), List("use TLS support", &["No", "Quantum"])]), "Quantum");
    refused(with(&[YesNo("Do you wish to entangle this domain? [N]>")]), "nothing answers");
}

#[test]
fn smtproutes_get_change_and_lose_an_authentication_profile() {
    let record = |profile: Value| {
        let host = Value::object([
            ("host", Value::text("mx.example.net")),
            ("port", Value::integer(25)),
            ("priority", Value::integer(0)),
        ]);
        Record::new().with("domain", "a.example").with("destination", Value::List(vec![host])).with("smtp_auth_profile", profile)
    };
    let first =
        |question: Question| vec![Text("Enter the domain for the route."), Text("Enter the destination hosts."), question];
    let associate = YesNo("Do you want to associate an SMTP authentication profile to this route? [N]>");
    let profiles = List("Select the SMTP authentication profile to use:", &["smart", "OUT"]);
    let with = record(Value::text("out"));
    let asked = |more: &[Question]| first(associate).into_iter().chain(more.iter().copied()).collect::<Vec<_>>();
    check(
        &smtp_route::TABLE,
        Edit::Create(&with),
        &Rows::default(),
        &[("NEW", asked(&[profiles]))],
        &["a.example", "mx.example.net", "y", "OUT"],
    );
    let dialogs = (smtp_route::TABLE.stage)(Edit::Create(&with), &Rows::default()).unwrap();
    let error = walk(&dialogs[0], &[("NEW", asked(&[List("Select the SMTP authentication profile to use:", &["smart"])]))]);
    assert!(error.unwrap_err().contains("smart"));
    let row = |record: &Record| Row { resource: "gateway_smtp_route", id: "a.example".to_owned(), record: record.clone() };
    let edit = |question: Question, more: &[Question]| {
        let replace =
            [Text("Enter the destination hosts."), question].into_iter().chain(more.iter().copied()).collect::<Vec<_>>();
        [("EDIT", vec![Text("Enter the hostname you want to edit.")]), ("REPLACE", replace)]
    };
    let (had, none) = (row(&with), record(Value::Null));
    let names = changed(&["smtp_auth_profile"]);
    let lose = Edit::Update { from: &had, to: &none, changed: &names };
    let change = YesNo("Do you want to change or disassociate the SMTP authentication profile? [N]>");
    let which =
        List("Choose what to do:", &["Change the SMTP authentication profile", "Disassociate the SMTP authentication profile"]);
    let typed = ["a.example", "mx.example.net", "y", "Disassociate the SMTP authentication profile"];
    check(&smtp_route::TABLE, lose, &Rows::default(), &edit(change, &[which]), &typed);
    check(&smtp_route::TABLE, lose, &Rows::default(), &edit(associate, &[]), &["a.example", "mx.example.net", "n"]);
    let stays = Edit::Update { from: &had, to: &with, changed: &changed(&["destination"]) };
    check(&smtp_route::TABLE, stays, &Rows::default(), &edit(associate, &[]), &["a.example", "mx.example.net", "-"]);
}

#[test]
fn smtproutes_are_made_replaced_and_deleted() {
    let host = |host: &str, port: i64, priority: i64| {
        Value::object([("host", Value::text(host)), ("port", Value::integer(port)), ("priority", Value::integer(priority))])
    };
    let to = Record::new().with("domain", "EXAMPLE.com").with(
        "destination",
        Value::List(vec![host("MX.example.net.", 25, 0), host("[b.example.net]", 2525, 0), host("192.0.2.1", 25, 5)]),
    );
    let typed = "mx.example.net, [b.example.net]:2525, 192.0.2.1:25/pri=5";
    let auth = YesNo("Do you want to associate an SMTP authentication profile to this route? [N]>");
    let asked = vec![
        Text("Enter the domain for which you want to set up a permanent route."),
        Text("Enter the destination hosts, separated by commas, which you want mail for example.com to be delivered to."),
        auth,
    ];
    check(&smtp_route::TABLE, Edit::Create(&to), &Rows::default(), &[("NEW", asked)], &["example.com", typed, "n"]);
    let row = rows(&Printout::Routes, &["example.com mx.example.net\n"]).rows[0].clone();
    let asked = [
        (
            "EDIT",
            vec![
                Text("Enter the hostname you want to edit."),
                Text("Enter the new domain for which you want to set up a permanent route."),
            ],
        ),
        ("REPLACE", vec![Text("Enter the destination hosts, separated by commas."), auth]),
    ];
    let edit = Edit::Update { from: &row, to: &to, changed: &changed(&["destination"]) };
    check(&smtp_route::TABLE, edit, &Rows::default(), &asked, &["example.com", "-", typed, "-"]);
    let asked =
        vec![Text("Enter the hostname you want to delete."), YesNo("Are you sure you want to reset the default route? [N]>")];
    check(&smtp_route::TABLE, Edit::Delete(&row), &Rows::default(), &[("DELETE", asked)], &["example.com", "y"]);
}

fn recipient() -> Record {
    Record::new()
        .with("listener", "IncomingMail")
        .with("recipient", "Example.com")
        .with("action", "accept")
        .with("bypass_ldap_accept", false)
        .with("bypass_receiving_control", true)
        .with("bypass_smtp_call_ahead", false)
}

#[test]
fn rcptaccess_entries_are_made_changed_and_deleted() {
    let listener = || vec![Text("Enter the name or number of the listener you wish to edit.")];
    let rest = [
        List("Select the action to apply to this address:", &["Accept", "Reject"]),
        YesNo("Would you like to specify a custom SMTP response? [N]>"),
        YesNo("Would you like to bypass receiving control for this entry? [N]>"),
        YesNo("Would you like to bypass LDAP ACCEPT for this entry? [N]>"),
        YesNo("Would you like to bypass SMTP Call-Ahead for this entry? [N]>"),
    ];
    let new = std::iter::once(Text("Enter the recipient address for this entry.")).chain(rest).collect();
    let asked = [("EDIT", listener()), ("RCPTACCESS", vec![]), ("NEW", new)];
    check(
        &recipient_access::TABLE,
        Edit::Create(&recipient()),
        &Rows::default(),
        &asked,
        &["IncomingMail", "example.com", "Accept", "n", "y", "n", "n"],
    );
    let row = Row { resource: "gateway_recipient_access", id: "IncomingMail/example.com".to_owned(), record: recipient() };
    let to = recipient().with("action", "reject").with("smtp_response_code", 550).with("smtp_response_text", "No such user");
    let edit = vec![
        Text("Enter the address to edit"),
        List("What access for example.com:", &["Accept", "Reject"]),
        YesNo("Would you like to specify a custom SMTP response? [N]>"),
        Text("Enter the SMTP code to use in the response. [550]"),
        Text("Enter your custom SMTP response text. Press Enter on a blank line to finish."),
    ];
    let asked = [("EDIT", listener()), ("RCPTACCESS", vec![]), ("EDIT", edit)];
    let update = Edit::Update { from: &row, to: &to, changed: &changed(&["action"]) };
    check(
        &recipient_access::TABLE,
        update,
        &Rows::default(),
        &asked,
        &["IncomingMail", "example.com", "Reject", "y", "550", "No such user"],
    );
    let asked = [("EDIT", listener()), ("RCPTACCESS", vec![]), ("DELETE", vec![Text("Enter the address to delete")])];
    check(&recipient_access::TABLE, Edit::Delete(&row), &Rows::default(), &asked, &["IncomingMail", "example.com"]);
}

#[test]
fn a_wider_entry_before_a_recipient_is_told() {
    let rows = rows(&Printout::Recipients("In".to_owned()), &["example.com ACCEPT\nuser@example.com REJECT\nALL REJECT\n"]);
    let planned =
        |recipient: &str, action: &str| Record::new().with("listener", "In").with("recipient", recipient).with("action", action);
    let warnings = |recipient: &str, action: &str| (recipient_access::TABLE.check)(&planned(recipient, action), &rows).len();
    assert_eq!(warnings("user@example.com", "reject"), 1);
    assert_eq!(warnings("user@example.com", "accept"), 0);
    assert_eq!(warnings("new@example.com", "reject"), 1);
    assert_eq!(warnings("example.com", "reject"), 0);
    assert_eq!(warnings("other.example", "accept"), 0);
}

const BEHAVIORS: Question = List(
    "Select a behavior for this entry.",
    &["Accept", "Relay", "Reject", "TCP Refuse", "Continue", "Policy: ACCEPTED", "Policy: RELAYED"],
);
const KINDS: Question = List("", &["New Sender Group", "New Policy"]);

fn policy() -> Record {
    Record::new().with("listener", "OutgoingMail").with("name", "RELAYED_O365").with("behavior", "relay").with("tls", "preferred")
}

/// The parameter questions of 12.1, and what a policy that manages TLS only answers.
const PARAMETER_QUESTIONS: [(Question, &str); 36] = [
    (Text("Enter the maximum message size. Add a trailing k for kilobytes, M for megabytes."), "-"),
    (Text("Enter the maximum number of concurrent connections allowed from a single IP address."), "-"),
    (Text("Enter the maximum number of messages per connection."), "-"),
    (Text("Enter the maximum number of recipients per message."), "-"),
    (YesNo("Do you want to override the hostname in the SMTP banner? [N]>"), "-"),
    (YesNo("Would you like to specify a custom SMTP acceptance response? [N]>"), "-"),
    (YesNo("Would you like to specify a custom SMTP rejection response? [N]>"), "-"),
    (YesNo("Do you want to enable rate limiting per host? [N]>"), "-"),
    (Text("Enter the maximum number of recipients per hour from a remote host."), "-"),
    (YesNo("Would you like to specify a custom SMTP limit exceeded response? [Y]>"), "-"),
    (YesNo("Do you want to enable Directory Harvest Attack Prevention per host? [Y]>"), "-"),
    (Text("Enter the maximum number of invalid recipients per hour from a remote host."), "-"),
    (List("Select an action to apply when a recipient is rejected due to DHAP:", &["Drop", "Code"]), "-"),
    (YesNo("Would you like to specify a custom SMTP DHAP response? [Y]>"), "-"),
    (YesNo("Do you want to enable rate limiting per envelope sender? [N]>"), "-"),
    (Text("Enter the maximum number of recipients per time interval from an envelope sender."), "-"),
    (YesNo("Would you like to use SenderBase for flow control by default? [Y]>"), "-"),
    (YesNo("Would you like to group hosts by the similarity of their IP addresses? [N]>"), "-"),
    (Text("Enter the number of significant bits."), "-"),
    (YesNo("Would you like to enable anti-spam scanning? [Y]>"), "-"),
    (YesNo("Would you like to enable anti-virus scanning? [Y]>"), "-"),
    (List("Do you want to allow encrypted TLS connections?", &["No", "Preferred", "Required"]), "Preferred"),
    (List("Do you want to enforce TLS for an address list?", &["No", "list one"]), "-"),
    (YesNo("You have chosen to enable TLS. Confirm the use of the demo certificate. [Y]>"), "y"),
    (List("Would you like to enable SMTP authentication?", &["No", "Preferred", "Required"]), "-"),
    (YesNo("Do you want to require TLS to offer SMTP authentication? [N]>"), "-"),
    (YesNo("Do you want to enable DKIM/DomainKeys signing? [N]>"), "-"),
    (YesNo("Do you want to enable S/MIME gateway decryption/verification? [N]>"), "-"),
    (YesNo("Do you want to enable DKIM verification? [N]>"), "-"),
    (List("What Conformance Level would you like to use for SPF/SIDF verification?", &["SPF only", "SIDF compatible"]), "-"),
    (YesNo("Do you want to enable DMARC verification? [N]>"), "-"),
    (YesNo("Would you like to enable envelope sender verification? [N]>"), "-"),
    (YesNo("Would you like to enable use of the domain exception table? [N]>"), "-"),
    (YesNo("Do you wish to accept untagged bounces? [N]>"), "-"),
    (YesNo("Would you like to specify a malformed sender response (553)? [N]>"), "-"),
    (YesNo("Would you like to specify a response for non-existing domains and non-resolving domains? [N]>"), "-"),
];

#[test]
fn a_policy_is_made_whatever_parameters_a_release_asks_for() {
    let listener = || vec![Text("Enter the name or number of the listener you wish to edit.")];
    for shift in 0..PARAMETER_QUESTIONS.len() {
        let mut questions = PARAMETER_QUESTIONS;
        questions.rotate_left(shift);
        let mut new = vec![
            KINDS,
            Text("Enter a name for this policy."),
            BEHAVIORS,
            YesNo("Do you want to change the policy parameters? [N]>"),
        ];
        let mut typed = vec!["OutgoingMail", "New Policy", "RELAYED_O365", "Relay", "y"];
        new.extend(questions.iter().map(|(question, _)| *question));
        typed.extend(questions.iter().map(|(_, typed)| *typed));
        new.push(Text("Enter a comment for this policy."));
        typed.push("-");
        let asked = [("EDIT", listener()), ("HOSTACCESS", vec![]), ("NEW", new)];
        check(&mail_flow_policy::TABLE, Edit::Create(&policy()), &Rows::default(), &asked, &typed);
    }
    let plain = policy().with("tls", Value::Null);
    let new = vec![
        KINDS,
        Text("Enter a name for this policy."),
        BEHAVIORS,
        YesNo("Do you want to change the default parameters? [N]>"),
    ];
    let asked = [("EDIT", listener()), ("HOSTACCESS", vec![]), ("NEW", new)];
    check(
        &mail_flow_policy::TABLE,
        Edit::Create(&plain),
        &Rows::default(),
        &asked,
        &["OutgoingMail", "New Policy", "RELAYED_O365", "Relay", "n"],
    );
}

#[test]
fn a_parameter_that_nobody_knows_ends_the_dialog_of_a_policy() {
    let listener = || vec![Text("Enter the name or number of the listener you wish to edit.")];
    let row = Row { resource: "gateway_mail_flow_policy", id: "OutgoingMail/RELAYED_O365".to_owned(), record: policy() };
    let to = policy().with("tls", "required");
    let edit = Edit::Update { from: &row, to: &to, changed: &changed(&["tls"]) };
    let dialogs = (mail_flow_policy::TABLE.stage)(edit, &Rows::default()).unwrap();
    for unknown in [
        Text("Enter the maximum number of qubits for this policy."),
        YesNo("Do you want to entangle connections? [N]>"),
        List("Which policy of causality?", &["Weak", "Strong"]),
    ] {
        let asked = [
            ("EDIT", listener()),
            ("HOSTACCESS", vec![]),
            ("EDIT", vec![List("", &["Edit Sender Group", "Edit Policy"]), unknown]),
        ];
        assert!(walk(&dialogs[0], &asked).is_err(), "{unknown:?}");
    }
}

#[test]
fn a_policy_that_manages_every_parameter_answers_every_parameter() {
    let listener = || vec![Text("Enter the name or number of the listener you wish to edit.")];
    let to = policy()
        .with("tls", "required")
        .with("max_message_size", 1_048_576)
        .with("max_concurrency", 10)
        .with("max_msgs_per_session", Value::Null)
        .with("max_rcpts_per_msg", 25)
        .with("max_rcpts_per_hour", -1)
        .with("dhap_limit", 30)
        .with("spam_check", true)
        .with("virus_check", false)
        .with("use_sb", false);
    let from = Row {
        resource: "gateway_mail_flow_policy",
        id: "OutgoingMail/RELAYED_O365".to_owned(),
        record: policy().with("max_msgs_per_session", 5),
    };
    let wanted = [
        "1048576", "10", "default", "25", "-", "-", "-", "n", "-1", "-", "y", "30", "-", "-", "-", "-", "n", "-", "-", "y", "n",
        "Required",
    ];
    for shift in 0..PARAMETER_QUESTIONS.len() {
        let mut pairs: Vec<(Question, &str)> = PARAMETER_QUESTIONS
            .iter()
            .enumerate()
            .map(|(at, (question, kept))| (*question, *wanted.get(at).unwrap_or(kept)))
            .collect();
        pairs.rotate_left(shift);
        let mut edit = vec![
            List("", &["Edit Sender Group", "Edit Policy"]),
            Text("Enter the policy name or number you wish to edit."),
            BEHAVIORS,
            YesNo("Do you want to change the policy parameters? [N]>"),
        ];
        let mut typed = vec!["OutgoingMail", "Edit Policy", "RELAYED_O365", "Relay", "y"];
        edit.extend(pairs.iter().map(|(question, _)| *question));
        typed.extend(pairs.iter().map(|(_, typed)| *typed));
        let asked = [("EDIT", listener()), ("HOSTACCESS", vec![]), ("EDIT", edit)];
        let update = Edit::Update { from: &from, to: &to, changed: &changed(&["max_msgs_per_session", "tls"]) };
        check(&mail_flow_policy::TABLE, update, &Rows::default(), &asked, &typed);
    }
    let cleared = policy().with("tls", Value::Null);
    let update = Edit::Update { from: &from, to: &cleared, changed: &changed(&["tls"]) };
    assert!((mail_flow_policy::TABLE.stage)(update, &Rows::default()).is_err());
}

const ABOVE: &str =
    "Default Policy Parameters\n=====\nAllow TLS Connections: No\nSpam Detection Enabled: Yes\nMaximum Message Size: 10M\n";

/// The rows of a listener with this policy, and with printed defaults or without.
fn policy_rows(above: &str, block: &str) -> Rows {
    let printed = format!("$RELAYED_O365\n RELAY {{\n{block}\n}}\nALL\n $RELAYED_O365\n");
    let said = Said { opening: String::new(), after: vec![above.to_owned(), printed] };
    Printout::Hosts("OutgoingMail".to_owned()).parse(&[said]).unwrap()
}

#[test]
fn a_choice_is_given_back_by_the_value_of_the_listeners_default() {
    let rows = policy_rows(ABOVE, "tls = \"required\"\nspam_check = \"off\"\nmax_message_size = 5");
    let from = rows.find("gateway_mail_flow_policy", "OutgoingMail/RELAYED_O365").unwrap();
    let to = policy().with("tls", Value::Null);
    assert_eq!((mail_flow_policy::TABLE.check)(&to, &rows), []);
    let update = Edit::Update { from, to: &to, changed: &changed(&["tls", "spam_check", "max_message_size"]) };
    let asked = [
        ("EDIT", vec![Text("Enter the name or number of the listener you wish to edit.")]),
        ("HOSTACCESS", vec![]),
        (
            "EDIT",
            vec![
                List("", &["Edit Sender Group", "Edit Policy"]),
                Text("Enter the policy name or number you wish to edit."),
                BEHAVIORS,
                Text("Enter the maximum message size. Add a trailing k for kilobytes, M for megabytes."),
                YesNo("Would you like to enable anti-spam scanning? [N]>"),
                List("Do you want to allow encrypted TLS connections?", &["No", "Preferred", "Required"]),
            ],
        ),
    ];
    let typed = ["OutgoingMail", "Edit Policy", "RELAYED_O365", "Relay", "default", "y", "No"];
    check(&mail_flow_policy::TABLE, update, &rows, &asked, &typed);

    let unprinted = policy_rows("", "tls = \"required\"");
    let found = (mail_flow_policy::TABLE.check)(&to, &unprinted);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].summary.contains("tls") && found[0].detail.contains("Default Policy Parameters"), "{found:?}");
    let from = unprinted.find("gateway_mail_flow_policy", "OutgoingMail/RELAYED_O365").unwrap();
    let update = Edit::Update { from, to: &to, changed: &changed(&["tls"]) };
    assert!((mail_flow_policy::TABLE.stage)(update, &unprinted).is_err());
}

#[test]
fn what_a_policy_repeats_of_the_defaults_reads_as_it_is_known() {
    let check = |block: &str, known: &Record, name: &str, expected: Value| {
        let rows = policy_rows(ABOVE, block);
        let row = rows.find("gateway_mail_flow_policy", "OutgoingMail/RELAYED_O365").unwrap();
        assert_eq!(*as_known(&rows, row, known).get(name), expected, "{block} {name}");
    };
    let silent = Record::new();
    check("tls = \"off\"", &silent, "tls", Value::Null);
    check("tls = \"off\"", &policy().with("tls", "none"), "tls", Value::text("none"));
    check("", &policy().with("tls", "none"), "tls", Value::text("none"));
    check("", &silent, "tls", Value::Null);
    check("tls = \"required\"", &silent, "tls", Value::text("required"));
    check("virus_check = \"on\"", &silent, "virus_check", Value::Bool(true));
    let excess = "max_rcpts_per_hour_text = \"x\"\nmax_rcpts_per_hour = ";
    check(&format!("{excess}-1"), &silent, "max_rcpts_per_hour_text", Value::Null);
    check(&format!("{excess}5"), &silent, "max_rcpts_per_hour_text", Value::text("x"));
}

/// What the dialogs of the defaults ask, in part, with two responses that are worded alike.
const DEFAULT_QUESTIONS: [Question; 9] = [
    Text("Enter the maximum number of messages per connection."),
    YesNo("Would you like to specify a custom SMTP acceptance response? [Y]>"),
    Text("Enter the SMTP code to use in the response."),
    Text("Enter your custom SMTP response. Press Enter on a blank line to finish."),
    YesNo("Would you like to specify a custom SMTP rejection response? [N]>"),
    Text("Enter the SMTP code to use in the response."),
    Text("Enter your custom SMTP response. Press Enter on a blank line to finish."),
    YesNo("Would you like to enable anti-spam scanning? [Y]>"),
    List("Do you want to allow encrypted TLS connections?", &["No", "Preferred", "Required"]),
];

#[test]
fn defaults_are_changed_where_they_differ_and_what_is_not_printed_is_taken_as_it_was_set() {
    let rows = policy_rows(ABOVE, "");
    let from = rows.find("gateway_listener_defaults", "OutgoingMail").unwrap();
    let to = Record::new()
        .with("listener", "OutgoingMail")
        .with("tls", "required")
        .with("max_message_size", 10 << 20)
        .with("max_msgs_per_session", Value::UNKNOWN)
        .with("reject_banner_code", 550)
        .with("reject_banner_text", "Go away");
    let standing = as_standing(&rows, from, &to);
    assert!(standing.get("reject_banner_text").is_null(), "what is not printed is always set anew");
    assert_eq!(as_known(&rows, from, &to).text("reject_banner_text"), Some("Go away"));
    assert_eq!(as_known(&rows, from, &to).text("tls"), Some("none"), "what is printed counts");
    let found = (listener_defaults::TABLE.check)(&to, &rows);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].detail.contains("reject_banner_code, reject_banner_text.") && !found[0].detail.contains("tls"), "{found:?}");

    let asked = [
        ("EDIT", vec![Text("Enter the name or number of the listener you wish to edit.")]),
        ("HOSTACCESS", vec![]),
        ("DEFAULT", DEFAULT_QUESTIONS.to_vec()),
    ];
    let update = Edit::Update { from, to: &to, changed: &changed(&["tls", "reject_banner_code", "reject_banner_text"]) };
    let typed = ["OutgoingMail", "-", "-", "-", "-", "y", "550", "Go away", "-", "Required"];
    check(&listener_defaults::TABLE, update, &rows, &asked, &typed);
}

#[test]
fn three_responses_in_one_dialog_are_told_apart() {
    let rows = policy_rows(ABOVE, "");
    let from = rows.find("gateway_listener_defaults", "OutgoingMail").unwrap();
    let (mut to, mut names) =
        (Record::new().with("listener", "OutgoingMail").with("max_rcpts_per_hour", 100), vec!["max_rcpts_per_hour"]);
    for (code, text) in [
        ("max_rcpts_per_hour_code", "max_rcpts_per_hour_text"),
        ("smtp_banner_code", "smtp_banner_text"),
        ("reject_banner_code", "reject_banner_text"),
    ] {
        to.set(code, 400 + i64::try_from(names.len()).unwrap());
        to.set(text, text);
        names.extend([code, text]);
    }
    let response = |gate| {
        let text = "Enter your custom SMTP response. Press Enter on a blank line to finish.";
        [YesNo(gate), Text("Enter the SMTP code to use in the response. 220 is the standard code."), Text(text)]
    };
    let acceptance = response("Would you like to specify a custom SMTP acceptance response? [N]>");
    let rejection = response("Would you like to specify a custom SMTP rejection response? [N]>");
    let harvest = response("Would you like to specify a custom SMTP DHAP response? [Y]>");
    let excess = response("Would you like to specify a custom SMTP limit exceeded response? [N]>");
    let limit = [
        YesNo("Do you want to enable rate limiting per host? [N]>"),
        Text("Enter the maximum number of recipients per hour from a remote host."),
    ];
    let questions = [&acceptance[..], &rejection, &harvest, &limit, &excess].concat();
    let asked = [
        ("EDIT", vec![Text("Enter the name or number of the listener you wish to edit.")]),
        ("HOSTACCESS", vec![]),
        ("DEFAULT", questions),
    ];
    let typed = [
        "OutgoingMail",
        "y",
        "403",
        "smtp_banner_text",
        "y",
        "405",
        "reject_banner_text",
        "-",
        "-",
        "-",
        "y",
        "100",
        "y",
        "401",
        "max_rcpts_per_hour_text",
    ];
    check(&listener_defaults::TABLE, Edit::Update { from, to: &to, changed: &changed(&names) }, &rows, &asked, &typed);
}

const HAT: &str = "$RELAYED\n RELAY\n$BLOCKED\n REJECT\nFIRST:\n 192.0.2.1\n $BLOCKED\nRELAY_O365:\n .protection.outlook.com\n .example.com\n $RELAYED (old)\nLATER:\n $BLOCKED\nALL\n $BLOCKED\n";

fn hosts() -> Rows {
    rows(&Printout::Hosts("OutgoingMail".to_owned()), &[HAT])
}

fn group() -> Record {
    hosts().find("gateway_sender_group", "OutgoingMail/RELAY_O365").unwrap().record.clone()
}

#[test]
fn a_sender_group_is_made_in_its_place() {
    let listener = || vec![Text("Enter the name or number of the listener you wish to edit.")];
    let to = group().with("name", "NEWGROUP").with("comment", "Microsoft 365 (outbound)").with("before", "LATER");
    let new = vec![
        KINDS,
        Text("Enter a name for this sender group. (optional)"),
        Text("Enter the hosts to add. Hostnames such as crm.example.com are allowed. Separate multiple hosts with commas"),
        YesNo("The host .example.com is in RELAY_O365 already. Add anyway? [N]>"),
        BEHAVIORS,
        YesNo("Would you like to change policy parameters? [N]>"),
        Text("Enter a comment for this sender group."),
    ];
    let typed = [
        "OutgoingMail",
        "New Sender Group",
        "NEWGROUP",
        ".example.com, .protection.outlook.com",
        "y",
        "Policy: RELAYED",
        "n",
        "Microsoft 365 (outbound)",
    ];
    let place = vec![Text("Enter the sender group to move."), Text("Enter the sender group to insert before.")];
    let asked = [("EDIT", listener()), ("HOSTACCESS", vec![]), ("NEW", new.clone()), ("MOVE", place)];
    let all: Vec<&str> = typed.iter().copied().chain(["NEWGROUP", "LATER"]).collect();
    check(&sender_group::TABLE, Edit::Create(&to), &hosts(), &asked, &all);
    let anywhere = to.clone().with("before", Value::UNKNOWN);
    let asked = [("EDIT", listener()), ("HOSTACCESS", vec![]), ("NEW", new)];
    check(&sender_group::TABLE, Edit::Create(&anywhere), &hosts(), &asked, &typed);
    let missing = order::missing(&sender_group::TABLE, &to.with("before", "NOWHERE"), &hosts()).expect("it is not there");
    assert_eq!(missing.path, Some(Path::dotted("before")));
}

#[test]
fn a_sender_group_is_changed_with_what_differs_only() {
    let listener = || vec![Text("Enter the name or number of the listener you wish to edit.")];
    let mut rows = hosts();
    let to = rows.find("gateway_sender_group", "OutgoingMail/RELAY_O365").unwrap().record.clone().with("policy", "ACCEPTED");
    let update = Edit::Update { from: &rows.rows[0], to: &to, changed: &changed(&["policy"]) };
    let unknown = (sender_group::TABLE.stage)(update, &rows).unwrap_err();
    assert_eq!(unknown.message, "OutgoingMail has no mail flow policy \"ACCEPTED\"; it has: RELAYED, BLOCKED.");
    let accepted = Record::new().with("name", "ACCEPTED").with("listener", "OutgoingMail");
    rows.rows.push(Row { resource: "gateway_mail_flow_policy", id: "OutgoingMail/ACCEPTED".to_owned(), record: accepted });
    let from = rows.find("gateway_sender_group", "OutgoingMail/RELAY_O365").unwrap();
    let open = || {
        vec![
            List("", &["Edit Sender Group", "Edit Policy"]),
            List("Enter the sender group number or name you wish to edit.", &["FIRST", "RELAY_O365 (old)", "LATER", "ALL"]),
        ]
    };
    let to =
        from.record.clone().with("senders", Value::texts(["192.0.2.0/24", ".PROTECTION.outlook.com"])).with("policy", "ACCEPTED");
    let asked = [
        ("EDIT", listener()),
        ("HOSTACCESS", vec![]),
        ("EDIT", open()),
        ("NEW", vec![Text("Enter the hosts to add.")]),
        ("DELETE", vec![Text("Enter the host to remove.")]),
        ("POLICY", vec![BEHAVIORS]),
    ];
    let typed = ["OutgoingMail", "Edit Sender Group", "RELAY_O365 (old)", "192.0.2.0/24", ".example.com", "Policy: ACCEPTED"];
    let update = Edit::Update { from, to: &to, changed: &changed(&["senders", "policy"]) };
    check(&sender_group::TABLE, update, &rows, &asked, &typed);
    let to = from.record.clone().with("before", "FIRST");
    let asked = [
        ("EDIT", listener()),
        ("HOSTACCESS", vec![]),
        (
            "MOVE",
            vec![
                List("Enter the sender group to move.", &["FIRST", "RELAY_O365", "LATER"]),
                List("Insert before which group?", &["FIRST (one)", "LATER", "ALL"]),
            ],
        ),
    ];
    let update = Edit::Update { from, to: &to, changed: &changed(&["before"]) };
    check(&sender_group::TABLE, update, &rows, &asked, &["OutgoingMail", "RELAY_O365", "FIRST (one)"]);
    let to = from.record.clone().with("comment", "new");
    let asked = [
        ("EDIT", listener()),
        ("HOSTACCESS", vec![]),
        (
            "DELETE",
            vec![
                List("", &["Delete Sender Group", "Delete Policy"]),
                Text("Enter the sender group number or name to delete."),
                YesNo("Are you sure? [N]>"),
            ],
        ),
        (
            "NEW",
            vec![
                KINDS,
                Text("Enter a name for this sender group."),
                Text("Enter the hosts to add."),
                BEHAVIORS,
                Text("Enter a comment."),
            ],
        ),
        ("MOVE", vec![Text("Enter the sender group to move."), Text("Enter the sender group to insert before.")]),
    ];
    let typed = [
        "OutgoingMail",
        "Delete Sender Group",
        "RELAY_O365",
        "y",
        "New Sender Group",
        "RELAY_O365",
        ".example.com, .protection.outlook.com",
        "Policy: RELAYED",
        "new",
        "RELAY_O365",
        "LATER",
    ];
    let update = Edit::Update { from, to: &to, changed: &changed(&["comment"]) };
    check(&sender_group::TABLE, update, &rows, &asked, &typed);
}

#[test]
fn g23_a_policy_in_use_is_not_deleted() {
    let rows = hosts();
    let row = |id: &str| rows.find("gateway_mail_flow_policy", id).unwrap();
    let error = (mail_flow_policy::TABLE.stage)(Edit::Delete(row("OutgoingMail/BLOCKED")), &rows).unwrap_err();
    assert!(error.message.contains("OutgoingMail/FIRST") && error.message.contains("OutgoingMail/ALL"), "{error}");
    let mut unused = rows.clone();
    unused.rows.retain(|row| row.record.text("policy") != Some("BLOCKED"));
    assert!((mail_flow_policy::TABLE.stage)(Edit::Delete(row("OutgoingMail/BLOCKED")), &unused).is_ok());
}

#[test]
fn g22_before_stays_while_the_order_it_asks_for_stands() {
    let rows = hosts();
    let first = rows.find("gateway_sender_group", "OutgoingMail/FIRST").unwrap();
    let before = |name: &str| as_known(&rows, first, &Record::new().with("before", name)).text("before").map(str::to_owned);
    assert_eq!(before("LATER").as_deref(), Some("LATER"));
    assert_eq!(before("GONE").as_deref(), Some("RELAY_O365"));
    let later = rows.find("gateway_sender_group", "OutgoingMail/LATER").unwrap();
    assert_eq!(as_known(&rows, later, &Record::new().with("before", "FIRST")).text("before"), Some("ALL"));
}

const LIST: &str = "Num Active Valid Name\n1 Y Y a\n2 Y Y b\n3 Y Y c\n4 Y Y d\n";
const DETAIL: &str = "a: drop();\nb: drop();\nc: drop();\nd: drop();\n";

#[test]
fn filters_are_made_replaced_moved_and_switched() {
    let rows = rows(&Printout::Filters, &[LIST, DETAIL]);
    let key = |words: &'static str| Text(words);
    let script = ("NEW", vec![Script]);
    let number = || key("Enter the filter name, number, or range to move:");
    let target = || Text("Enter the position to move it to, or last:");
    let filter = |name: &str| rows.find("gateway_message_filter", name).unwrap();
    let new = Record::new()
        .with("name", "new")
        .with("script", "if true {\n  drop();\n}\n")
        .with("active", true)
        .with("before", Value::UNKNOWN);
    check(&message_filter::TABLE, Edit::Create(&new), &rows, std::slice::from_ref(&script), &["new: if true {|  drop();|}"]);
    let placed = new.clone().with("before", "b").with("active", false);
    let set = ("SET", vec![key("Enter the filter name, number, or range:"), Text("Enter the attribute to set:")]);
    let asked = [script.clone(), set.clone(), ("MOVE", vec![number(), target()])];
    check(
        &message_filter::TABLE,
        Edit::Create(&placed),
        &rows,
        &asked,
        &["new: if true {|  drop();|}", "new", "inactive", "new", "2"],
    );
    // b goes away and comes back as the last: c, which it stood before, is then the second.
    let to = filter("b").record.clone().with("script", "bounce();");
    let delete = ("DELETE", vec![key("Enter the filter name, number, or range to delete:"), YesNo("Are you sure? [N]>")]);
    let asked = [delete.clone(), script.clone(), ("MOVE", vec![number(), target()])];
    let update = Edit::Update { from: filter("b"), to: &to, changed: &changed(&["script"]) };
    check(&message_filter::TABLE, update, &rows, &asked, &["b", "y", "b: bounce();", "b", "2"]);
    let to = filter("d").record.clone().with("script", "bounce();").with("before", Value::UNKNOWN);
    let update = Edit::Update { from: filter("d"), to: &to, changed: &changed(&["script"]) };
    check(&message_filter::TABLE, update, &rows, &[delete.clone(), script], &["d", "y", "d: bounce();"]);
    let to = filter("b").record.clone().with("name", "new").with("script", Value::UNKNOWN);
    let asked = [delete.clone(), ("NEW", vec![Script]), ("MOVE", vec![number(), target()])];
    let update = Edit::Update { from: filter("b"), to: &to, changed: &changed(&["name"]) };
    check(&message_filter::TABLE, update, &rows, &asked, &["b", "y", "new: drop();", "new", "2"]);
    let to = filter("d").record.clone().with("before", "b");
    let update = Edit::Update { from: filter("d"), to: &to, changed: &changed(&["before"]) };
    check(&message_filter::TABLE, update, &rows, &[("MOVE", vec![number(), target()])], &["d", "2"]);
    // Down: to the end, and over it.
    let order = |names: &[&str]| Record::new().with("names", Value::List(names.iter().map(|name| Value::text(*name)).collect()));
    let ordered = order::with_order(&Printout::Filters, rows.clone());
    let from = ordered.find("gateway_message_filter_order", "message_filter_order").unwrap();
    assert_eq!(from.record.texts("names"), ["a", "b", "c", "d"]);
    let to = order(&["b", "c", "d", "a"]);
    let update = Edit::Update { from, to: &to, changed: &changed(&["names"]) };
    check(&message_filter_order::TABLE, update, &rows, &[("MOVE", vec![number(), target()])], &["a", "last"]);
    let to = order(&["b", "c", "a"]);
    let update = Edit::Update { from, to: &to, changed: &changed(&["names"]) };
    check(
        &message_filter_order::TABLE,
        update,
        &rows,
        &[("MOVE", vec![number(), target()]), ("MOVE", vec![number(), target()])],
        &["a", "last", "a", "3"],
    );
    let to = filter("a").record.clone().with("active", false);
    let update = Edit::Update { from: filter("a"), to: &to, changed: &changed(&["active"]) };
    let set = ("SET", vec![key("Enter the filter name, number, or range:"), List("Choose the state:", &["active", "inactive"])]);
    check(&message_filter::TABLE, update, &rows, &[set], &["a", "inactive"]);
    check(&message_filter::TABLE, Edit::Delete(filter("a")), &rows, &[delete], &["a", "y"]);
}

#[test]
fn threat_feeds_are_senders_and_countries_have_a_menu_of_their_own() {
    let to = group().with("senders", Value::texts([".a.example", "etf-source: feed one", "country: Korea, Republic of"]));
    let dialogs = (sender_group::TABLE.stage)(Edit::Create(&to), &hosts()).unwrap();
    assert_eq!(dialogs.len(), 2, "{dialogs:?}");
    let typed = format!(
        "{:?}",
        dialogs[0]
            .sections
            .iter()
            .flat_map(|section| &section.answers)
            .filter_map(|answer| match &answer.reply {
                Reply::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect::<Vec<_>>()
    );
    assert!(typed.contains(".a.example, etf-source: feed one") && !typed.contains("Korea"), "{typed}");
    let country = |operation: &'static str| {
        let entry = List("Which sender group?", &["RELAY_O365 (x)", "OTHER"]);
        vec![
            ("EDIT", vec![Text("Enter the name or number of the listener you wish to edit.")]),
            ("HOSTACCESS", vec![]),
            ("EDIT", vec![List("What?", &["Edit Sender Group", "Edit Policy"]), entry]),
            ("COUNTRY", vec![]),
            (operation, vec![Text("Enter the country:"), YesNo("Are you sure? [N]>")]),
        ]
    };
    let walked = walk(&dialogs[1], &country("ADD"));
    assert!(walked.as_ref().is_ok_and(|typed| typed.contains(&"Korea, Republic of".to_owned())), "{walked:?}");
    let from = Row { resource: "gateway_sender_group", id: "OutgoingMail/RELAY_O365".to_owned(), record: to.clone() };
    let without = to.clone().with("senders", Value::texts([".a.example", "etf-source: feed one"]));
    let dialogs =
        (sender_group::TABLE.stage)(Edit::Update { from: &from, to: &without, changed: &changed(&["senders"]) }, &hosts())
            .unwrap();
    assert_eq!(dialogs.len(), 1, "{dialogs:?}");
    let walked = walk(&dialogs[0], &country("DELETE"));
    assert!(walked.as_ref().is_ok_and(|typed| typed.contains(&"Korea, Republic of".to_owned())), "{walked:?}");
}

const METHODS: Question = List(
    "Enter the SMTP ssl method you want to use.",
    &["SSL v2", "TLS v1/TLS v1.2", "SSL v2, v3 and TLS v1/TLS v1.2", "TLS v1.2", "TLS v1.2 and TLS v1.3"],
);

#[test]
fn sslconfig_picks_the_method_by_its_versions() {
    let banner = "sslconfig settings:\n Inbound SMTP method: tlsv1/tlsv1.2\n Inbound SMTP ciphers:\n  HIGH\n  MEDIUM\n Outbound SMTP method: sslv3tlsv1\n Outbound SMTP ciphers: HIGH\n";
    let rows = rows(&Printout::Tls, &[banner]);
    let from = &rows.rows[0];
    let to = Record::new()
        .with("inbound_methods", Value::texts(["TLSv1.0", "TLSv1.2"]))
        .with("inbound_ciphers", "HIGH:!aNULL")
        .with("outbound_methods", Value::texts(["TLSv1.2"]))
        .with("outbound_ciphers", Value::UNKNOWN);
    let ciphers = Text("Enter the SMTP ssl cipher you want to use.");
    let renegotiation = YesNo("Do you want to enable TLS renegotiation for inbound SMTP? [Y]>");
    let asked = [("INBOUND", vec![METHODS, ciphers, renegotiation]), ("OUTBOUND", vec![METHODS, ciphers])];
    let update = Edit::Update { from, to: &to, changed: &changed(&["inbound_methods", "inbound_ciphers", "outbound_methods"]) };
    let dialogs = (tls_settings::TABLE.stage)(update, &rows).unwrap();
    let typed: Vec<Vec<String>> = [vec![("VERIFY", vec![Text("Enter the ssl cipher you want to verify.")])], asked.to_vec()]
        .iter()
        .zip(&dialogs)
        .map(|(asked, dialog)| walk(dialog, asked).unwrap())
        .collect();
    assert_eq!(typed, [vec!["HIGH:!aNULL"], vec!["-", "HIGH:!aNULL", "-", "TLS v1.2", "-"]]);
    assert_eq!(dialogs.len(), 2);
    let unknown = Record::new().with("inbound_methods", Value::texts(["TLSv1.3"])).with("outbound_methods", Value::UNKNOWN);
    let dialogs =
        (tls_settings::TABLE.stage)(Edit::Update { from, to: &unknown, changed: &changed(&["inbound_methods"]) }, &rows).unwrap();
    let error = walk(&dialogs[0], &[("INBOUND", vec![METHODS, ciphers])]).unwrap_err();
    assert!(error.contains("[\"TLSv1.2\", \"TLSv1.3\"]"), "{error}");
    let same = Edit::Update { from, to: &from.record, changed: &[] };
    assert!((tls_settings::TABLE.stage)(same, &rows).unwrap().is_empty());
}

#[test]
fn g19_a_control_character_that_is_known_at_apply_only_is_not_typed() {
    let refused = |table: &Table, record: &Record| {
        let error = (table.stage)(Edit::Create(record), &hosts()).unwrap_err();
        assert_eq!(error.kind, crate::remote::Kind::Invalid, "{error:?}");
        assert!(error.path.is_some());
    };
    refused(&destination_control::TABLE, &control().with("domain", "example.com\ncommit"));
    refused(&destination_control::TABLE, &control().with("bounce_profile", "a\u{3}"));
    refused(&recipient_access::TABLE, &recipient().with("listener", "a\r"));
    refused(&mail_flow_policy::TABLE, &policy().with("name", "a\u{1b}[A"));
    refused(&sender_group::TABLE, &group().with("comment", "a\nb"));
    refused(&sender_group::TABLE, &group().with("senders", Value::texts(["192.0.2.1\n"])));
    refused(&message_filter::TABLE, &Record::new().with("name", "f").with("script", "drop();\n.\nfilters"));
    refused(
        &smtp_route::TABLE,
        &Record::new()
            .with("domain", "a.b")
            .with("destination", Value::List(vec![Value::object([("host", Value::text("a,b"))])])),
    );
}

#[test]
fn c09_a_route_that_leads_back_is_refused() {
    let errors = |domain: &str, hosts: &[&str]| {
        let hosts = hosts
            .iter()
            .map(|host| Value::object([("host", Value::text(*host)), ("port", Value::Null), ("priority", Value::Null)]))
            .collect();
        let config = Record::new().with("domain", domain).with("destination", Value::List(hosts));
        smtp_route::RESOURCE
            .rules
            .iter()
            .map(|rule| if let crate::schema::Rule::Hook(_, test) = rule { test(&config).len() } else { 0 })
            .sum::<usize>()
    };
    assert_eq!(errors("example.com", &["mx.example.com"]), 0);
    assert_eq!(errors("example.com", &["Example.com."]), 1);
    assert_eq!(errors("example.com", &["[example.com]"]), 0);
    assert_eq!(errors("example.com", &["127.0.0.1"]), 1);
    assert_eq!(errors("example.com", &["USEDNS", "a.example.net"]), 1);
    assert_eq!(
        errors("example.com", &["a.example.net", "A.example.net"]),
        0,
        "no list may have an element twice: the engine says so"
    );
}

#[test]
fn an_id_is_the_same_in_every_spelling() {
    let of = |resource: &Resource, record: Record| id(resource, &record);
    assert_eq!(of(&destination_control::RESOURCE, Record::new().with("domain", "Example.COM.")).as_deref(), Some("example.com"));
    assert_eq!(of(&destination_control::RESOURCE, Record::new().with("domain", "default")).as_deref(), Some("DEFAULT"));
    assert_eq!(of(&recipient_access::RESOURCE, recipient()).as_deref(), Some("IncomingMail/example.com"));
    assert_eq!(of(&tls_settings::RESOURCE, Record::new()).as_deref(), Some("tls_settings"));
    assert_eq!(of(&smtp_route::RESOURCE, Record::new().with("domain", Value::UNKNOWN)), None);
}

#[test]
fn a_period_without_a_limit_and_a_default_that_inherits_are_refused() {
    let errors = |config: &Record| {
        let hooks = destination_control::RESOURCE
            .rules
            .iter()
            .filter_map(|rule| if let crate::schema::Rule::Hook(_, test) = rule { Some(test(config).len()) } else { None });
        hooks.sum::<usize>()
    };
    let domain = |domain: &str| Record::new().with("domain", domain);
    assert_eq!(errors(&domain("example.com").with("recipient_limit_minutes", 30)), 1);
    assert_eq!(errors(&domain("example.com").with("recipient_limit_minutes", 60)), 0);
    assert_eq!(errors(&domain("example.com").with("recipient_limit_minutes", 30).with("recipient_limit", Value::UNKNOWN)), 0);
    assert_eq!(errors(&domain("default")), 0, "what is left out stays as it stands");
    assert_eq!(errors(&domain("default").with("tls", "default").with("bounce_verification", "default")), 2);
    let whole = domain("DEFAULT")
        .with("concurrency_limit", 500)
        .with("max_messages_per_connection", 50)
        .with("tls", "none")
        .with("bounce_verification", "off");
    assert_eq!(errors(&whole), 0);
}
