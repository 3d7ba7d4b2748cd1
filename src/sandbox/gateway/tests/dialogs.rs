//! The dialogs, question by question.

use super::*;

#[tokio::test]
async fn destconfig_follows_technical_note_118177() {
    let appliance = Appliance::start(of(Release::V8_0)).unwrap();
    let mut client = Client::quiet(&appliance).await;
    let dialog = [
        (
            "destconfig",
            "There are currently 0 entries configured.\nChoose the operation you want to perform:\n- NEW - Create a new entry.\n- EDIT - Modify \
             an entry.\n- DELETE - Remove an entry.\n- DEFAULT - Change the default.\n- PRINT - Display all entries.\n- CLEAR - Remove all \
             entries.\n[]> ",
        ),
        ("new", "Enter the domain you wish to limit.\n[]> "),
        ("example.com", "Do you wish to configure a concurrency limit for example.com? [Y]> "),
        ("", "Enter the max concurrency limit for \"example.com\".\n[500]> "),
        ("100", "Do you wish to apply a recipient limit to this domain? [N]> "),
        ("y", "Enter the number of minutes used to measure the recipient limit.\n[60]> "),
        ("60", "Enter the max number of recipients per 60 minutes for \"example.com\".\n[]> "),
        (
            "1000",
            "Select how you want to apply the limits for example.com:\n1. One limit applies to the entire domain example.com\n2. Separate limit \
             for each mail exchanger IP address\n[1]> ",
        ),
        ("", "Select how the limits will be enforced:\n1. System Wide\n2. Per Virtual Gateway(tm)\n[1]> "),
        ("", "Do you wish to apply a specific TLS setting for this domain? [N]> "),
        ("", "Do you wish to apply a specific bounce verification address tagging setting for this domain? [N]> "),
        ("", "Do you wish to apply a specific bounce profile to this domain? [N]> "),
        ("", "There are currently 1 entries configured.\nChoose the operation"),
    ];
    for (line, answer) in dialog {
        let text = client.say(line).await;
        let text = text.strip_prefix(&format!("{line}\n")).expect("the echo");
        if answer.ends_with("> ") { assert_eq!(text, answer) } else { assert!(text.starts_with(answer), "{text}") }
    }
    client.say("").await;
    check_holds(&client.commit().await, &["Changes committed: "]);
    let entry = appliance.configuration().destination_controls.entries[0].clone();
    assert_eq!((entry.domain.as_str(), entry.concurrency, entry.tls), ("example.com", Some(100), None));
    assert_eq!(entry.recipient_limit.map(|limit| (limit.minutes, limit.recipients)), Some((60, 1000)));
}

#[tokio::test]
async fn destconfig_of_newer_releases_asks_more_and_repeats_what_it_refuses() {
    let appliance = Appliance::start(of(Release::V15_5)).unwrap();
    let mut client = Client::quiet(&appliance).await;
    client.says(&["destconfig", "NEW", "example.com", "y"]).await;
    check_holds(&client.say("0").await, &["Value must be an integer", "Enter the max concurrency limit", "[500]> "]);
    check_holds(&client.say("10").await, &["apply a messages-per-connection limit", "[N]> "]);
    client.say("y").await;
    check_holds(&client.say("20").await, &["recipient limit"]);
    client.says(&["n", "1", "1"]).await;
    check_holds(&client.say("y").await, &["Do you want to use TLS support?", "2. Preferred"]);
    check_holds(
        &client.say("Preferred").await,
        &[
            "Value must be an integer from 1 to 5.",
            "Do you want to use TLS support?",
            "2. Preferred",
            "5. Required (Verify)\n[1]> ",
        ],
    );
    check_holds(&client.say("2").await, &["You have not entered a certificate", "demo certificate? [Y]> "]);
    check_holds(&client.say("").await, &["Do you wish to configure DANE Support? [N]> "]);
    client.says(&["", "", ""]).await;
    let top = client.say("").await;
    check_holds(&top, &["There are currently 1 entries configured."]);
    check_holds(
        &client.says(&["detail", "EXAMPLE.com"]).await,
        &["10 concurrent connections\n20 messages per connection\nNo recipient limit\n", "TLS: Preferred\n"],
    );
    check_holds(&client.say("list").await, &["Domain", "Limiting", "TLS", "example.com", "On", "(Default)", "Off"]);
    client.say("").await;
    check_holds(&client.say("destconfig edit example.com concurrency_limit=11 use_tls=require").await, &["esa.example.com> "]);
    client.commit().await;
    let entry = appliance.configuration().destination_controls.entries[0].clone();
    assert_eq!((entry.concurrency, entry.messages_per_connection, entry.tls), (Some(11), Some(20), Some(Tls::Required)));
}

#[tokio::test]
async fn smtproutes_keeps_destinations_as_typed_and_refuses_what_cannot_be() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(&client.say("smtproutes").await, &["There are no routes configured.", "- NEW", "- IMPORT", "[]> "]);
    check_holds(&client.say("new").await, &["Enter the domain for which you want to set up a permanent route"]);
    check_holds(&client.say("example.com").await, &["Enter the destination hosts, separated by commas, which you want mail for"]);
    check_holds(&client.say("USEDNS, mx.example.net").await, &["The value USEDNS cannot", "Enter the destination hosts"]);
    check_holds(&client.say("mx.example.net:2525/pri=5, [mx2.example.net]").await, &["There is currently 1 route"]);
    check_holds(&client.says(&["new", "EXAMPLE.com"]).await, &["The value EXAMPLE.com is already in the routing table."]);
    client.type_keys("\x03").await;
    check_holds(&client.prompt().await, &["^C\n", "esa.example.com> "]);
    check_holds(&client.say("smtproutes print").await, &["example.com  mx.example.net:2525/pri=5, [mx2.example.net]\n"]);
    client.says(&["smtproutes", "edit", "example.com", "", "add", "203.0.113.9"]).await;
    client.says(&["delete"]).await;
    check_holds(&client.say("other.example").await, &["entry does not appear to be in the routing table"]);
    client.says(&["", ""]).await;
    client.say("smtproutes new ALL /dev/null").await;
    check_holds(&client.say("smtproutes new all USEDNS").await, &["There is already a default route set."]);
    client.commit().await;
    let routes = appliance.configuration().smtp_routes;
    assert_eq!(routes[0].destinations, ["mx.example.net:2525/pri=5", "[mx2.example.net]", "203.0.113.9"]);
    assert_eq!(routes[1].destinations, ["/dev/null"]);
}

#[tokio::test]
async fn recipients_are_added_with_their_questions_and_all_stays_last() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(
        &client.say("listenerconfig").await,
        &[
            "Currently configured listeners:\n1. IncomingMail (on Data 1, 192.0.2.10) SMTP TCP Port 25 Public\n",
            "2. OutgoingMail (on Data 2, 192.0.2.11) SMTP TCP Port 25 Private\n",
        ],
    );
    check_holds(
        &client.says(&["edit", "1"]).await,
        &["Name: IncomingMail\nType: Public\nInterface: Data 1", "TLS: No", "- RCPTACCESS - "],
    );
    check_holds(&client.say("rcptaccess").await, &["Recipient Access Table", "Default Access: REJECT"]);
    check_holds(&client.say("new").await, &["recipient address for this entry"]);
    check_holds(
        &client.say("exa mple").await,
        &["A Recipient Access Table address can be one of the following", "recipient address"],
    );
    check_holds(&client.say("example.com, joe@example.org").await, &["1. Accept\n2. Reject\n[1]> "]);
    check_holds(&client.say("1").await, &["specify a custom SMTP response? [N]> "]);
    check_holds(&client.say("y").await, &["[250]> "]);
    client.type_keys("\r").await;
    client.read("blank line to finish.\r\n").await.unwrap();
    check_holds(&client.say("welcome\r").await, &["bypass receiving control for this entry? [N]> "]);
    check_holds(&client.say("y").await, &["bypass LDAP ACCEPT"]);
    check_holds(&client.say("").await, &["bypass SMTP Call-Ahead"]);
    client.say("").await;
    check_holds(
        &client.say("print").await,
        &[
            "Recipient Access Table\n",
            "example.com ACCEPT (bypass receiving control, custom SMTP response 250 \"welcome\")\n",
            "joe@example.org ACCEPT",
            "ALL REJECT\n",
        ],
    );
    check_holds(&client.says(&["delete", "ALL"]).await, &["The value cannot be ALL"]);
    client.says(&["", "", "", ""]).await;
    let line = "listenerconfig EDIT IncomingMail RCPTACCESS PRINT";
    check_holds(&client.say(line).await, &["example.com ACCEPT", "ALL REJECT"]);
    check_holds(&client.say("listenerconfig edit incomingmail rcptaccess print").await, &["Not a valid listener"]);
    check_holds(
        &client.says(&["listenerconfig", "edit", "OutgoingMail", "rcptaccess"]).await,
        &["Unknown option \"rcptaccess\""],
    );
    client.says(&["", ""]).await;
    client.commit().await;
    let rat = appliance.configuration().listeners[0].rat.clone().unwrap();
    assert_eq!((rat.entries.len(), rat.all.access), (2, Access::Reject));
    assert!(rat.entries[1].treatment.bypass_receiving_control);
}

#[tokio::test]
async fn a_relay_group_and_its_policy_are_made_and_the_printed_table_reads_back() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    let opening = client.says(&["listenerconfig", "edit", "OutgoingMail", "hostaccess"]).await;
    check_holds(&opening, &["There are currently 2 policies defined.\nThere are currently 2 sender groups.\n", "- RESET"]);
    client.says(&["new", "2", "RELAYED_O365"]).await;
    let mut questions = vec![client.say("2").await];
    // Enter keeps everything but TLS.
    loop {
        let last = questions.last().unwrap();
        let answer = if last.contains("encrypted TLS connections") { "2" } else { "" };
        let next = client.say(answer).await;
        if next.contains("policies defined") {
            break;
        }
        questions.push(next);
    }
    check_holds(
        &questions.concat(),
        &[
            "maximum message size.",
            "[10M]> ",
            "maximum number of concurrent connections",
            "maximum number of messages per connection.",
            "maximum number of recipients per message.",
            "override the hostname in the SMTP banner?",
            "custom SMTP acceptance response?",
            "custom SMTP rejection response?",
            "enable rate limiting per host",
            "Directory Harvest Attack Prevention",
            "per envelope sender",
            "SenderBase for flow control by default?",
            "anti-spam scanning",
            "anti-virus scanning",
            "1. No\n2. Preferred\n3. Required\n[1]> ",
            "address list",
            "demo certificate",
            "SMTP authentication",
            "DKIM/DomainKeys signing",
            "S/MIME",
            "DKIM verification",
            "SPF/SIDF",
            "DMARC verification",
            "envelope sender verification",
            "domain exception table",
            "untagged bounces",
        ],
    );
    check_holds(
        &client.says(&["new", "1", "RELAY_O365", ".protection.outlook.com, bad host!"]).await,
        &["Invalid IP or IP range"],
    );
    check_holds(
        &client.say(".protection.outlook.com").await,
        &["Select a behavior for this entry.", "1. Accept", "8. Policy: RELAYED_O365\n[1]> "],
    );
    client.says(&["8", "Microsoft 365 outbound"]).await;
    check_holds(&client.says(&["edit", "1", "RELAY_O365", "new", ".protection.outlook.com"]).await, &["Add anyway?"]);
    client.says(&["n", ""]).await;
    client.says(&["move", "RELAY_O365", "RELAYLIST"]).await;
    let printed = client.say("print").await;
    check_holds(
        &printed,
        &[
            "$RELAYED_O365\n    RELAY {\n        tls = \"on\"\n    }\n",
            "RELAY_O365:\n    .protection.outlook.com\n        $RELAYED_O365 (Microsoft 365 outbound)\nRELAYLIST:\n",
            "ALL\n    $BLOCKED\n",
        ],
    );
    client.says(&["", "", ""]).await;
    client.commit().await;
    let hat = appliance.configuration().listeners[1].hat.clone();
    let (start, end) = (printed.find("$RELAYED").unwrap(), printed.find("Default Policy").unwrap());
    assert_eq!(hat_text::parse(&printed[start..end], &hat), Ok(hat));
}

#[tokio::test]
async fn batch_forms_of_hostaccess_are_silent_on_success() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    let silent = "listenerconfig edit \"OutgoingMail\" hostaccess edit sendergroup RELAYLIST new 203.0.113.0/24";
    assert_eq!(client.say(silent).await, format!("{silent}\nesa.example.com> "));
    let base = "listenerconfig edit OutgoingMail hostaccess";
    client.say(&format!("{base} new policy P Relay --max_conn 5 --max_size 5M")).await;
    client.say(&format!("{base} new sendergroup G 198.51.100.1,.example.com \"Policy: P\" --comment \"two words\"")).await;
    check_holds(&client.say(&format!("{base} new policy Q Relay --tls 1")).await, &["Unknown option"]);
    check_holds(&client.say(&format!("{base} edit sendergroup G policy Perhaps")).await, &["Invalid selected behavior:"]);
    check_holds(&client.say(&format!("{base} delete P")).await, &["requires either \"sendergroup\" or \"policy\" and a name."]);
    client.say(&format!("{base} move G RELAYLIST")).await;
    check_holds(
        &client.say(&format!("{base} print")).await,
        &[
            "$P\n    RELAY {\n        max_concurrency = 5\n        max_message_size = 5242880\n",
            "G:\n    198.51.100.1\n    .example.com\n        $P (two words)\nRELAYLIST:",
        ],
    );
}

#[tokio::test]
async fn a_policy_in_use_is_deleted_only_after_a_question() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    client.says(&["listenerconfig", "edit", "IncomingMail", "hostaccess", "delete", "2"]).await;
    check_holds(&client.say("TRUSTED").await, &["in use by the sender groups WHITELIST", "continue? [N]> "]);
    check_holds(&client.say("n").await, &["There are currently 4 policies defined."]);
    client.says(&["delete", "2", "TRUSTED"]).await;
    check_holds(&client.say("y").await, &["There are currently 3 policies defined."]);
}

#[tokio::test]
async fn filters_are_compiled_re_formatted_ordered_and_switched() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(&client.say("filters").await, &["- NEW - Create a new filter.\n- IMPORT"]);
    client.say("").await;
    check_holds(&client.script("", RELAY).await, &["1 filters added.\n"]);
    check_holds(
        &client.script("", RELAY).await,
        &["error occurred during processing", "Duplicate filter name: office365_outbound"],
    );
    check_holds(
        &client.script("", "f2: if true { drop( }").await,
        &["error occurred during processing", "Invalid filter syntax", "line 1", "0 filters added."],
    );
    check_holds(
        &client.script("office365_outbound", "first!: if recv-listener == 'Nowhere' { skip-filters(); }").await,
        &["Filter first has been marked invalid for these reasons: Listener 'Nowhere' unknown;.\n1 filters added."],
    );
    check_holds(
        &client.say("filters list").await,
        &["Num Active Valid Name\n--- ------ ----- ----\n  1 N      N     first\n  2 Y      Y     office365_outbound\n"],
    );
    let detail = client.say("filters detail office365_outbound").await;
    check_holds(
        &detail,
        &[
            "office365_outbound: if (sendergroup == \"RELAYLIST\") {\n                        if (header(\"X-OUTBOUND-AUTH\") == \"^mysecretkey$\") {\n",
        ],
    );
    assert!(!detail.contains("a comment"));
    check_holds(&client.say("filters move first last").await, &["1 filters moved."]);
    check_holds(&client.say("filters set 2 active").await, &["1 filters updated."]);
    check_holds(&client.say("filters delete 7").await, &["Invalid filter range"]);
    client.commit().await;
    let filters = appliance.configuration().filters;
    assert_eq!(
        filters.iter().map(|filter| (filter.name.as_str(), filter.active)).collect::<Vec<_>>(),
        [("office365_outbound", true), ("first", true)]
    );
    assert!(!appliance.describe().contains("mysecretkey"));
}

#[tokio::test]
async fn sslconfig_lists_the_methods_of_its_release() {
    for (release, label, keyword) in [
        (Release::V8_0, "3. TLS v1/TLS v1.2\n", "tlsv1/tlsv1.2"),
        (Release::V13_0, "3. TLS v1.2\n", "tlsv1.2"),
        (Release::V15_5, "3. TLS v1.2 and TLS v1.3\n", "tlsv1.2/tlsv1.3"),
    ] {
        let appliance = Appliance::start(of(release)).unwrap();
        let mut client = Client::quiet(&appliance).await;
        check_holds(
            &client.say("sslconfig").await,
            &["GUI HTTPS method:  tlsv1", "Outbound SMTP ciphers:\n        ", "- VERIFY"],
        );
        check_holds(&client.say("outbound").await, &["Enter the outbound SMTP ssl method you want to use.", label]);
        client.say("3").await;
        check_holds(&client.say("NOSUCH").await, &["Not a valid SSL cipher", "ssl cipher you want to use."]);
        client.say("HIGH:!aNULL:@STRENGTH").await;
        check_holds(&client.says(&["verify", "HIGH:!aNULL"]).await, &["ECDHE-RSA-AES256-GCM-SHA384"]);
        client.say("").await;
        client.commit().await;
        let outbound = appliance.configuration().tls_settings.outbound;
        assert_eq!((outbound.method.as_str(), outbound.ciphers.as_str()), (keyword, "HIGH:!aNULL:@STRENGTH"));
    }
}

#[tokio::test]
async fn a_cluster_names_its_level_in_the_prompt_and_restricts_commands() {
    let cluster = Cluster {
        away: vec!["esa2.example.com".into()],
        cluster_only: vec!["filters".into()],
        machine_only: vec!["status".into()],
        ..Cluster::of_two()
    };
    let appliance = Appliance::start(Options { cluster: Some(cluster), ..plain() }).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(&client.say("filters list").await, &["restricted to cluster mode", "[Y]> "]);
    check_holds(&client.say("").await, &["Num Active", "(Cluster Mail)> "]);
    check_holds(&client.say("clustermode group Main_Group").await, &["(Group Main_Group)> "]);
    check_holds(&client.say("clustermode").await, &["Choose the mode to modify:\n1. Cluster\n2. Group\n3. Machine\n[1]> "]);
    check_holds(&client.says(&["3", ""]).await, &["(Machine esa.example.com)> "]);
    check_holds(&client.says(&["clustermode cluster", "status"]).await, &["restricted to machine mode", "[Y]> "]);
    check_holds(&client.say("n").await, &["(Cluster Mail)> "]);
    check_holds(&client.say("smtproutes").await, &["- CLUSTERSET", "- CLUSTERSHOW"]);
    check_holds(
        &client.say("clustershow").await,
        &["Cluster: Mail\nGroup: Main_Group\nMachine: esa.example.com", "Choose the operation"],
    );
    check_holds(&client.says(&["clusterset", ""]).await, &["Choose the operation"]);
    client.says(&["new", "a.example", "mx.example", ""]).await;
    check_holds(&client.commit().await, &["machine esa2.example.com is disconnected", "continue? [Y]> "]);
    check_holds(&client.say("").await, &["Changes committed"]);
    assert_eq!(appliance.levels_written(), ["Cluster Mail".to_owned()].into());
}

#[tokio::test]
async fn files_are_exported_and_imported_as_whole_tables() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    let base = "listenerconfig edit IncomingMail";
    client.say(&format!("{base} hostaccess export hat.txt")).await;
    let hat = appliance.configuration().listeners[0].hat.clone();
    let text = appliance.file("hat.txt").unwrap();
    assert_eq!(hat_text::parse(&text, &hat).as_ref(), Ok(&hat));
    appliance.put_file("hat.txt", &text.replace("My trusted senders", "Our trusted senders"));
    check_holds(&client.say(&format!("{base} hostaccess import hat.txt")).await, &["imported"]);
    appliance.put_file("rat.txt", "# comment\n.example.com ACCEPT\nALL REJECT\n");
    check_holds(&client.say(&format!("{base} rcptaccess import rat.txt")).await, &["2 entries imported"]);
    check_holds(&client.say(&format!("{base} rcptaccess import none.txt")).await, &["the file none.txt does not exist"]);
    appliance.put_file("filters.txt", "a!: if true { drop(); }\nb: if false { deliver(); }");
    check_holds(&client.says(&["filters import filters.txt", "2"]).await, &["2 filters imported."]);
    client.commit().await;
    let configuration = appliance.configuration();
    assert!(configuration.listeners[0].hat.groups[0].comment.starts_with("Our"));
    assert_eq!(configuration.filters.len(), 2);
    assert!(!configuration.filters[0].active);
}

#[tokio::test]
async fn ctrl_c_keeps_or_takes_back_what_the_command_staged() {
    for takes_back in [false, true] {
        let layout = Layout { interrupt_takes_back: takes_back, blank_lines: false, ..Layout::default() };
        let appliance = Appliance::start(Options { layout, ..Options::default() }).unwrap();
        let mut client = Client::quiet(&appliance).await;
        client.says(&["smtproutes", "new", "a.example", "mx.example"]).await;
        client.type_keys("\x03").await;
        client.prompt().await;
        assert_eq!(appliance.pending(), !takes_back);
    }
}

#[tokio::test]
async fn filters_move_to_a_place_by_number_and_before_a_filter_by_name() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    client.script("", "a: if true { drop(); }\nb: if true { drop(); }\nc: if true { drop(); }").await;
    for (words, order) in
        [(vec!["filters move a 2"], "bac"), (vec!["filters move c b"], "cba"), (vec!["filters", "move", "c", "2", ""], "bca")]
    {
        client.says(&words).await;
        let list = client.say("filters list").await;
        let names: String = list.lines().filter_map(|line| line.strip_suffix(['a', 'b', 'c']).and(line.chars().last())).collect();
        assert_eq!(names, order, "{words:?}");
    }
}

#[tokio::test]
async fn a_move_that_changes_nothing_is_an_error() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    client.script("", "a: if true { drop(); }\nb: if true { drop(); }\nc: if true { drop(); }").await;
    for same in ["a 1", "a b", "c last", "b c", "1-2 1"] {
        check_holds(&client.say(&format!("filters move {same}")).await, &["Invalid filter range:"]);
    }
    check_holds(&client.say("filters move b 1").await, &["1 filters moved."]);
    client.script("1", "first: if true { drop(); }").await;
    client.script("b", "second: if true { drop(); }").await;
    client.script("last", "end: if true { drop(); }").await;
    let list = client.say("filters list").await;
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
    assert_eq!(names[2..], ["first", "second", "b", "a", "c", "end"], "{list}");
    let base = "listenerconfig edit IncomingMail hostaccess move";
    for same in ["WHITELIST BLACKLIST", "UNKNOWNLIST ALL", "WHITELIST WHITELIST"] {
        check_holds(&client.say(&format!("{base} {same}")).await, &["Invalid arguments when processing:"]);
    }
    client.says(&["listenerconfig", "edit", "IncomingMail", "hostaccess", "move", "WHITELIST"]).await;
    check_holds(&client.say("BLACKLIST").await, &["Invalid arguments when processing:"]);
}

#[tokio::test]
async fn the_defaults_of_a_listener_are_asked_like_a_policy_and_set_in_batch() {
    let appliance = Appliance::start(plain()).unwrap();
    let mut client = Client::quiet(&appliance).await;
    check_holds(
        &client.says(&["listenerconfig", "edit", "1", "hostaccess"]).await,
        &[
            "Default Policy Parameters\n",
            "Maximum Message Size: 10M\n",
            "Allow TLS Connections: No\n",
            "Accept untagged bounces: No\n",
        ],
    );
    check_holds(&client.says(&["default"]).await, &["maximum message size.", "[10M]> "]);
    check_holds(&client.say("default").await, &["The value must be a number", "maximum message size."]);
    client.say("20M").await;
    // The rest is kept.
    let mut asked = String::new();
    for _ in 0..60 {
        asked = client.say("").await;
        if asked.contains("Choose the operation") {
            break;
        }
    }
    check_holds(&asked, &["Maximum Message Size: 20M\n", "There are currently 4 policies defined."]);
    client.says(&["", "", ""]).await;
    let name = appliance.configuration().listeners[0].name.clone();
    check_holds(
        &client.say(&format!("listenerconfig edit {name} hostaccess default --max_conn default")).await,
        &["\"max_conn\" can only be \"default\" when working with policies."],
    );
    client.say(&format!("listenerconfig edit {name} hostaccess default --max_conn 20 --as_scan no")).await;
    client.commit().await;
    let defaults = appliance.configuration().listeners[0].hat.defaults.clone();
    assert_eq!((defaults.number("max_message_size"), defaults.number("max_concurrency")), (Some(20 << 20), Some(20)));
    assert_eq!((defaults.text("spam_check").as_deref(), defaults.text("tls").as_deref()), (Some("off"), Some("off")));
}
