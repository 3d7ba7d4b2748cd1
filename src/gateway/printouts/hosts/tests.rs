use super::*;

fn read(opening: &str, printed: &str) -> Result<Rows, Error> {
    parse(
        "Out",
        &[Said { opening: opening.to_owned(), after: vec![String::new(), String::new(), String::new(), printed.to_owned()] }],
    )
}

const DOCUMENTED: &str = r#"
$ACCEPTED
    ACCEPT
$THROTTLED
    ACCEPT {
        spam_check = "on"
        max_msgs_per_session = 10
        max_concurrency = 10
        max_rcpts_per_msg = 25
        max_rcpts_per_hour = 1
        dhap_limit = 0
        virus_check = "on"
        max_message_size = 1048576
        use_sb = "on"
        tls = "off"
    }
$RELAYED
    RELAY {
        max_rcpts_per_hour = -1
        tls = "on"
        smtp_banner_text = "a } b"
    }
$BLOCKED
    REJECT
WHITELIST:
        $ACCEPTED (My trusted senders have no anti-spam scanning or rate limiting)
RELAY_O365:
    .protection.outlook.com
    SBRS[-4.0:-1.0]
    2001:db8::/32 (a range)
    etf-source: feed one
        $RELAYED (Microsoft 365 (outbound))
spamdomain.com
    REJECT (reject the domain "spamdomain.com")
251.192.1.
    TCPREFUSE (...)
169.254.10.10
    RELAY (...)
ALL
    $ACCEPTED

There are currently 4 policies defined.
There are currently 6 sender groups.
"#;

#[test]
fn a_listener_has_defaults_even_if_none_are_printed() {
    let rows = read("", "ALL\n $A\n").unwrap();
    let record = &rows.find(DEFAULTS, "Out").expect("they are always there").record;
    assert_eq!(*record, Record::new().with("id", "Out").with("listener", "Out"));
}

#[test]
fn responses_and_host_names_are_read_as_they_count() {
    let policy = |block: &str| {
        let rows = read("", &format!("$A\n ACCEPT {{\n{block}\n}}\nALL\n $A\n")).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{block}");
        rows.find(POLICY, "Out/A").unwrap().record.clone()
    };
    let banner = policy(r#"smtp_banner_text = "say \"hi\" \\ now""#);
    assert_eq!((banner.integer("smtp_banner_code"), banner.text("smtp_banner_text")), (Some(220), Some(r#"say "hi" \ now"#)));
    assert!(policy("reject_banner_code = 554").get("reject_banner_code").is_null(), "a code without a text is the standard one");
    let overridden = |word: &str| {
        policy(&format!("override_hostname = \"h.example\"\nuse_override_hostname = \"{word}\""))
            .text("override_hostname")
            .map(str::to_owned)
    };
    assert_eq!((overridden("on").as_deref(), overridden("off")), (Some("h.example"), None));
    assert_eq!(policy("significant_bits = 24\nsmtpauth_allow = \"required\"").integer("sig_bits"), Some(24));
    let strange = read("", "$A\n ACCEPT {\n dkim_signing = \"perhaps\"\n}\nALL\n $A\n").unwrap();
    assert_eq!(strange.not_understood, ["dkim_signing = \"perhaps\""]);
}

#[test]
fn the_documented_text_is_understood_whole() {
    let rows = read("", DOCUMENTED).unwrap();
    assert_eq!(rows.not_understood, Vec::<String>::new());
    let throttled = &rows.find(POLICY, "Out/THROTTLED").unwrap().record;
    assert_eq!(throttled.integer("max_message_size"), Some(1_048_576));
    assert_eq!(throttled.truth("spam_check"), Some(true));
    assert_eq!(throttled.text("tls"), Some("none"));
    assert_eq!(throttled.text("behavior"), Some("accept"));
    let relayed = &rows.find(POLICY, "Out/RELAYED").unwrap().record;
    assert_eq!(
        (relayed.text("behavior"), relayed.text("tls"), relayed.integer("max_rcpts_per_hour")),
        (Some("relay"), Some("preferred"), Some(-1))
    );
    assert!(relayed.get("max_concurrency").is_null());
    let group = &rows.find(GROUP, "Out/RELAY_O365").unwrap().record;
    assert_eq!(group.text("comment"), Some("Microsoft 365 (outbound)"));
    assert_eq!(group.text("before"), Some("ALL"));
    assert_eq!(group.texts("senders"), [".protection.outlook.com", "2001:db8::/32", "SBRS[-4.0:-1.0]", "etf-source: feed one"]);
    assert_eq!(rows.find(GROUP, "Out/WHITELIST").unwrap().record.text("before"), Some("RELAY_O365"));
    assert_eq!(rows.find("", "Out/251.192.1.").unwrap().record.text("behavior"), Some("tcp_refuse"));
    assert!(rows.find(GROUP, "Out/ALL").unwrap().record.get("before").is_null());
}

#[test]
fn other_spacing_case_and_line_breaks_say_the_same() {
    let expected = read(
        "",
        "$A\n    ACCEPT {\n tls = \"on\"\n max_message_size = 1048576\n}\nG:\n 192.0.2.1\n 192.0.2.2\n $A (c d)\nALL\n $A\n",
    )
    .unwrap();
    let check = |printed: &str| assert_eq!(read("", printed).unwrap(), expected, "{printed}");
    check("$A ACCEPT { tls = \"on\" max_message_size = 1M }\n\nG: \n\t192.0.2.1, 192.0.2.2\n\n\t$A (c d)\nall $A\n");
    check(
        "# exported\r\n$A\r\naccept\r\n{\r\nTLS=preferred\r\nmax_message_size = \"1048576\"\r\n}\r\nG:\r\n192.0.2.1 (x)\r\n192.0.2.2\r\n$A (c\r\nd)\r\nALL:\r\n$A\r\n",
    );
    check(
        "Default Policy Parameters\n=====\nMaximum Message Size: 10M\nAllow TLS Connections: No\n$A\n ACCEPT {tls = \"on\", max_message_size = 1048576}\n\"G\":\n 192.0.2.1\n 192.0.2.2\n $A (c d)\nALL\n $A\n\nThere are currently 1 policies defined.\nMaximum Message Size: 10M\n",
    );
    check("$A\n ACCEPT {\n tls = \"on\"\n max_message_size = 1048576\n}\nG: 192.0.2.1, 192.0.2.2\n $A (c d)\nALL\n $A\n");
    check("$A\n ACCEPT {\n tls = \"on\"\n max_message_size = 1048576\n}\nG: (c d)\n 192.0.2.1\n 192.0.2.2\n $A\nALL\n $A\n");
}

#[test]
fn rg2_what_no_argument_is_for_stays_with_its_policy_its_group_and_the_defaults() {
    let told = |printed: &str| -> Vec<(String, String)> {
        let rows = read("", printed).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
        let of = |row: &Row| (row.id.clone(), row.record.texts("unmanaged").join("; "));
        rows.rows.iter().map(of).filter(|(_, told)| !told.is_empty()).collect()
    };
    let one = |id: &str, text: &str| vec![(id.to_owned(), text.to_owned())];
    for printed in [
        "$A\n ACCEPT {\n quantum_check = \"fast\"\n tls = \"on\"\n dhap_code = 550\n spf_timeout = 0\n}\nG:\n192.0.2.1\n$A (c d)\nALL\n $A\n",
        "$A ACCEPT { dhap_code = 550, quantum_check = \"fast\" tls = \"on\" }\nG: 192.0.2.1\n $A\nALL $A\n",
    ] {
        assert_eq!(told(printed), one("Out/A", "dhap_code = 550; quantum_check = fast"));
    }
    assert_eq!(
        told("$A\n ACCEPT\nG:\n    192.0.2.1\n    delivery class[bulk]\n        $A\nALL\n $A\n"),
        one("Out/G", "delivery class[bulk]")
    );
    assert_eq!(
        told("$A\n ACCEPT\nG:\n    192.0.2.1\n    ACCEPT {\n tls = \"required\"\n}\nALL\n $A\n"),
        one("Out/G", "tls = required")
    );
    let defaults =
        "Default Policy Parameters\n=====\nMaximum Message Size: 10M\nConformance Level: SIDF Compatible\nS/MIME Signing: No\n";
    let said = Said { opening: String::new(), after: vec![defaults.to_owned(), "$A\n ACCEPT\nALL\n $A\n".to_owned()] };
    let rows = parse("Out", &[said]).unwrap();
    let record = &rows.find(DEFAULTS, "Out").unwrap().record;
    assert_eq!(record.texts("unmanaged"), ["Conformance Level = SIDF Compatible"]);
}

#[test]
fn rg2_a_row_that_cannot_be_read_counts_where_the_device_says_how_many_there_are() {
    let table = |groups: usize| {
        format!(
            "$A\n    ACCEPT\nG:\n    192.0.2.1\n    $A\nsome words\n    $A\nALL\n    $A\n\nThere are currently {groups} sender groups.\n"
        )
    };
    let rows = read("", &table(3)).expect("two entries that are read, and one that is not");
    assert_eq!(rows.not_understood, ["some words"]);
    assert!(read("", &table(4)).is_err(), "one is missing");
}

#[test]
fn senders_may_stand_behind_the_policy_of_their_group() {
    let expected = read(
        "",
        "$A\n ACCEPT\nG:\n 192.0.2.1\n 192.0.2.2\n $A (c)\nH:\n $A\nspam.example\n REJECT (x)\nI:\n SBRS[none]\n $A\nALL\n $A\n",
    )
    .unwrap();
    let check = |printed: &str| assert_eq!(read("", printed).as_ref(), Ok(&expected), "{printed}");
    check(
        "$A\n ACCEPT\nG:\n    $A (c)\n    192.0.2.1\n    192.0.2.2\nH:\n    $A\nspam.example\n    REJECT (x)\nI:\n    $A\n    SBRS[none]\nALL\n    $A\n",
    );
    check(
        "$A\n ACCEPT\nG: $A (c)\n\t192.0.2.1\n\t192.0.2.2\n\nH: $A\n\nspam.example REJECT (x)\nI: $A\n\tSBRS[none]\n\nALL $A\n",
    );
    check("$A\n ACCEPT\nG:\n$A (c)\n192.0.2.1\n192.0.2.2\nH:\n$A\nspam.example\nREJECT (x)\nI:\n$A\nSBRS[none]\nALL\n$A\n");
    check(
        "$A\n ACCEPT\nG:\n\t$A (c)\n\t192.0.2.1, 192.0.2.2\nH:\n\t$A\nspam.example\n\tREJECT (x)\nI:\n\t$A\n\tSBRS[none]\nALL\n\t$A\n",
    );
    let two = read("", "$A\n ACCEPT\nG:\n    $A\n    192.0.2.1\nspam.example\n    REJECT\nALL\n    $A\n").unwrap();
    assert_eq!(two.find(GROUP, "Out/G").unwrap().record.texts("senders"), ["192.0.2.1"]);
    assert_eq!(two.find("", "Out/spam.example").unwrap().record.text("behavior"), Some("reject"));
}

#[test]
fn rg3_senders_of_every_form_are_read_with_their_comments() {
    let senders = [
        "192.0.2.1",
        "10.",
        "10.1.",
        "192.0.2.",
        "192.0.2.1-20",
        "10.1.1-5",
        "192.0.2.0/24",
        "2001:db8::1",
        "2001:db8::",
        "2001:db8::/32",
        "2001:db8::1-2001:db8::9",
        "mail.example.com",
        ".protection.outlook.com",
        "SBRS[-10.0:-3.0]",
        "SBRS[none]",
        "SBO:12345",
        "dnslist[list.example.com]",
        "etf-source: feed one",
        "country: Korea, Republic of",
    ];
    let block = senders.join(" (one, two)\n    ");
    let rows = read("", &format!("$A\n ACCEPT\nG:\n    {block} (one, two)\n    $A\nALL\n $A\n")).unwrap();
    assert_eq!(rows.not_understood, Vec::<String>::new());
    let mut expected = senders.to_vec();
    expected.sort_unstable();
    let mut found = rows.find(GROUP, "Out/G").unwrap().record.texts("senders");
    found.sort_unstable();
    assert_eq!(found, expected);
    for sender in senders {
        let rows = read("", &format!("$A\n ACCEPT\n{sender} (x) \n    REJECT (y)\nALL\n $A\n")).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{sender}");
        assert_eq!(rows.rows[1].record.texts("senders"), [sender], "{sender}");
    }
    let rows = read("", "G: SBRS[ -4.0 : -1.0 ], SBRS[none]\n $A\n2001:db8::1, 2001:db8::2\n REJECT\nALL\n $A\n").unwrap();
    assert_eq!(rows.not_understood, Vec::<String>::new());
    assert_eq!(rows.rows[0].record.texts("senders"), ["SBRS[ -4.0 : -1.0 ]", "SBRS[none]"]);
    assert_eq!(rows.rows[1].record.texts("senders"), ["2001:db8::1", "2001:db8::2"]);
}

#[test]
fn a_title_above_the_table_says_nothing() {
    let rows = read("", "Host Access Table for listener \"Out\":\n\n$A\n ACCEPT\nALL\n $A\n").unwrap();
    assert_eq!(rows.not_understood, Vec::<String>::new());
}

#[test]
fn g21_a_table_cut_off_anywhere_before_its_end_is_an_error() {
    let end = DOCUMENTED.find("ALL\n    $ACC").unwrap();
    for (at, _) in DOCUMENTED.match_indices('\n').filter(|(at, _)| *at < end + 4) {
        assert!(read("", &DOCUMENTED[..at]).is_err(), "{}", &DOCUMENTED[..at]);
    }
    assert!(read("", "$A\n ACCEPT\nALL\n $A\nThere are currently 2 policies defined.\n").is_err());
}

#[test]
fn a_strange_value_or_line_is_kept() {
    let rows = read("", "$A\n ACCEPT {\n tls = \"quantum\"\n ???\n}\nsome words\nALL\n $A\n").unwrap();
    assert_eq!(rows.not_understood, ["tls = \"quantum\"", "some words"]);
    assert_eq!(rows.find(POLICY, "Out/A").unwrap().record.texts("unmanaged"), ["???"]);
}

/// Whatever name a group may have by what validate accepts: one of several words, one that begins like a sender or a behavior, one like the word of a form.
#[test]
fn rg1_a_group_of_any_name_is_read_from_every_layout() {
    let names = [
        "MY GROUP",
        "my partner list",
        "REJECT LIST",
        "Relay hosts",
        "Tcp Refuse",
        "ALL THINGS",
        "mail.example.com list",
        "10.1 net",
        "a b. c-d_e",
        "ETF-SOURCE",
        "etf-source",
        "GEO",
        "Country",
        "mail.example.com",
        "10.1",
        "REJECT",
        "Relay",
    ];
    let layouts: [fn(&str) -> String; 7] = [
        |name| format!("{name}:\n    192.0.2.1\n    mx.example.net\n        $A (c d)\n"),
        |name| format!("{name}:\n192.0.2.1\nmx.example.net\n$A (c d)\n"),
        |name| format!("{name}: 192.0.2.1, mx.example.net\n    $A (c d)\n"),
        |name| format!("{name}: $A (c d)\n    192.0.2.1\n    mx.example.net\n"),
        |name| format!("{name}:\n    $A (c d)\n    192.0.2.1, mx.example.net\n"),
        |name| format!("{name}: (c d)\n    192.0.2.1\n    mx.example.net\n    $A\n"),
        |name| format!("\"{name}\":\n    192.0.2.1 (one)\n    mx.example.net\n    $A (c d)\n"),
    ];
    for name in names {
        for layout in layouts {
            let group = layout(name);
            for printed in [
                format!("$A\n    ACCEPT\n{group}ALL\n    $A\n"),
                format!(
                    "$A\n    ACCEPT\nF:\n    192.0.2.7\n    etf-source: feed.one\n    $A\n{group}spam.example\n    REJECT (x)\n{group2}ALL\n    $A\n",
                    group2 = layout("OTHER ONE")
                ),
            ] {
                let rows = read("", &printed).unwrap_or_else(|error| panic!("{error}\n{printed}"));
                assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
                let row = rows.find(GROUP, &format!("Out/{name}")).unwrap_or_else(|| panic!("no group\n{printed}"));
                assert_eq!(row.record.texts("senders"), ["192.0.2.1", "mx.example.net"], "{printed}");
                assert_eq!((row.record.text("policy"), row.record.text("comment")), (Some("A"), Some("c d")), "{printed}");
                let groups = rows.rows.iter().filter(|row| row.resource == GROUP).count();
                assert_eq!(groups, if printed.contains("OTHER ONE") { 4 } else { 2 }, "{printed}");
            }
        }
    }
}

#[test]
fn a_group_whose_name_has_blanks_is_no_sender() {
    let printed = "$ACCEPTED\n    ACCEPT\nBy hand:\n    192.0.2.1\n    $ACCEPTED (made by hand (2019))\nNEW YORK 2:\n    192.0.2.2\n    \
                   $ACCEPTED\nALL\n    $ACCEPTED\n";
    let rows = read("", printed).expect("it is read");
    let names: Vec<&str> = rows.rows.iter().filter_map(|row| row.record.text("name")).collect();
    assert!(
        rows.not_understood.is_empty() && names.ends_with(&["By hand", "NEW YORK 2", "ALL"]),
        "{names:?} {:?}",
        rows.not_understood
    );
    let hand = rows.rows.iter().find(|row| row.record.text("name") == Some("By hand")).expect("a group");
    assert_eq!(hand.record.text("comment"), Some("made by hand (2019)"));
}
