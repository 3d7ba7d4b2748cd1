use super::*;

fn said(opening: &str, printed: &str) -> Vec<Said> {
    vec![Said { opening: opening.to_owned(), after: vec![String::new(), printed.to_owned()] }]
}

fn entry(rows: &Rows, id: &str) -> Record {
    rows.find(RESOURCE, id).unwrap_or_else(|| panic!("no {id} in {rows:?}")).record.clone()
}

const DETAIL: &str = "
example.com
 Maximum messages per connection: 20
 Rate Limiting:
   10 concurrent connections
   1000 recipients per 30 minutes
   Limits applied to each mail exchanger IP address, per virtual gateway
 TLS: Preferred (Verify)
 DANE Support: Opportunistic
 Bounce Verification Tagging: On
 Bounce Profile: tagging

partner.com
 Maximum messages per connection: Default
 Rate Limiting: Default
 TLS: Req
 Bounce Verification Tagging: Default
 Bounce Profile: Default

Default
 Maximum messages per connection: 50
 Rate Limiting:
   500 concurrent connections
   No recipient limit
   Limits applied to entire domain, across all virtual gateways
 TLS: Off
 Bounce Verification Tagging: Off
 IP Sort Preference: Prefer IPv6

There are currently 2 entries configured.
";

#[test]
fn a_detail_block_says_every_limit() {
    let rows = parse(&said("There are currently 2 entries configured.", DETAIL)).unwrap();
    assert_eq!(rows.not_understood, Vec::<String>::new());
    let example = entry(&rows, "example.com");
    assert_eq!(example.integer("concurrency_limit"), Some(10));
    assert_eq!(example.integer("max_messages_per_connection"), Some(20));
    assert_eq!(example.integer("recipient_limit"), Some(1000));
    assert_eq!(example.integer("recipient_limit_minutes"), Some(30));
    assert_eq!(example.text("concurrency_limit_type"), Some("MXIP"));
    assert_eq!(example.text("concurrency_limit_apply"), Some("VG"));
    assert_eq!(example.text("tls"), Some("preferred_verify"));
    assert_eq!(example.text("dane"), Some("opportunistic"));
    assert_eq!(example.text("bounce_verification"), Some("on"));
    assert_eq!(example.text("bounce_profile"), Some("tagging"));
    let partner = entry(&rows, "partner.com");
    assert_eq!(partner.get("concurrency_limit"), &Value::Null);
    assert_eq!(partner.text("tls"), Some("required"));
    assert_eq!(partner.get("bounce_profile"), &Value::Null);
    let default = entry(&rows, "DEFAULT");
    assert_eq!(default.integer("concurrency_limit"), Some(500));
    assert_eq!(default.text("tls"), Some("none"));
    assert_eq!((partner.text("dane"), default.text("dane")), (Some("default"), Some("none")));
    assert_eq!(default.text("ip_sort_preference"), Some("prefer_v6"));
}

#[test]
fn other_layouts_say_the_same() {
    let check = |printed: &str| {
        let rows = parse(&said("", printed)).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
        let example = entry(&rows, "example.com");
        assert_eq!(example.integer("concurrency_limit"), Some(10), "{printed}");
        assert_eq!(example.text("tls"), Some("preferred"), "{printed}");
        assert_eq!(entry(&rows, "DEFAULT").integer("concurrency_limit"), Some(500), "{printed}");
    };
    check("[DEFAULT]\nip_sort_pref = PREFER_V6\nmax_host_concurrency = 500\nlimit_type = host\nlimit_apply = VG\ntable_tls = off ; note\nsend_tls_req_alert = 0\n[example.com]\nmax_host_concurrency = 10\nlimit_type = 1\n".replace("limit_type = 1", "limit_type = MXIP\ntable_tls = on").as_str());
    check(
        "Domain: EXAMPLE.COM\n  Concurrency limit: 10\n  TLS Support: Preferred\n\nDomain: (Default)\n  Concurrency limit: 500\n  TLS support: No\n",
    );
    check(
        "\"example.com\":\n\tmaximum concurrent connections : 10\n\ttls=pref\nDEFAULT:\n\tmaximum concurrent connections : 500\n",
    );
    check(
        "Domain: example.com\nConnections: 10\nMessages per connection: 20\nLimits: entire domain, system wide\nTLS: Preferred\nBounce verification: Default (Off)\n\nDomain: DEFAULT\nConnections: 500\n",
    );
    check("Details for example.com:\n 10 CONCURRENT CONNECTIONS\n Tls: ON\n(Default)\n 500 concurrent connections\n");
    check(
        "Destination: example.com\nRate limiting: 10 concurrent connections, no recipient limit\nUse TLS: Preferred\nDefault\nConcurrent connections: 500\n",
    );
}

#[test]
fn a_domain_that_is_made_of_the_words_of_headings_is_a_domain() {
    for domain in ["domain.name", "host.name", "default.entry", "bounce.profile"] {
        let rows = parse(&said("There are currently 1 entries configured.", &format!("{domain}\n TLS: On\n"))).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{domain}");
        assert_eq!(entry(&rows, domain).text("tls"), Some("preferred"));
    }
}

#[test]
fn the_list_shows_what_it_can() {
    let one = "
            Rate               Bounce         Bounce
Domain          Limiting  TLS      Verification   Profile
==============  ========  =======  ============   ========
example.com     On        Required Default        (Default)
(Default)       On        Off      Off            (Default)
";
    let other = "Domain  Bounce Profile  TLS  Rate Limiting  Bounce Verification\nexample.com  Default  Required  On  Default\n(Default)  Default  Off  On  Off\n";
    for printed in [one, other] {
        let rows = parse(&said("There are currently 1 entries configured.", printed)).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
        assert_eq!(entry(&rows, "example.com").text("tls"), Some("required"), "{printed}");
        assert_eq!(entry(&rows, "example.com").get("concurrency_limit"), &Value::Null);
        assert_eq!(entry(&rows, "DEFAULT").text("bounce_verification"), Some("off"), "{printed}");
        assert_eq!(rows.rows.len(), 2);
    }
}

#[test]
fn the_entry_default_is_asked_for_where_it_is_not_among_all() {
    let first = said("There are currently 1 entries configured.", "example.com\n 10 concurrent connections\n");
    let again = dialog(&first).expect("a second dialog");
    let keys: Vec<String> = again
        .sections
        .iter()
        .flat_map(|section| &section.answers)
        .filter_map(|answer| match &answer.reply {
            crate::gateway::dialog::Reply::Key(key) => Some(key.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(keys, ["DEFAULT"]);
    let both = [first[0].clone(), said("", "DEFAULT\n 500 concurrent connections\n")[0].clone()];
    assert!(dialog(&both).is_none());
    let rows = parse(&both).unwrap();
    assert_eq!(entry(&rows, "DEFAULT").integer("concurrency_limit"), Some(500));
    assert_eq!(entry(&rows, "example.com").integer("concurrency_limit"), Some(10));
    assert!(dialog(&said("", DETAIL)).is_none());
    assert!(parse(&[said("", "No entries are configured.").remove(0), Said::default()]).unwrap().not_understood.is_empty());
}

#[test]
fn g21_fewer_entries_than_announced_is_an_error_and_a_strange_line_is_kept() {
    let error = parse(&said("There are currently 3 entries configured.", "example.com\n TLS: On\n")).unwrap_err();
    assert!(error.message.contains("not printed whole"), "{error}");
    let rows = parse(&said("", "example.com\n TLS: quantum\n Bounce Profile: Default\n")).unwrap();
    assert_eq!(rows.not_understood, ["TLS: quantum"], "a setting that is known, and its value is not");
}

#[test]
fn rg2_what_no_argument_is_for_stays_with_its_entry_and_is_no_value_of_another_setting() {
    let check = |label: &str, value: &str| {
        let printed = format!(
            "a.example\n Rate Limiting:\n   10 concurrent connections\n {label}: {value}\n TLS: Required\n\nb.example\n TLS: Off\n"
        );
        let rows = parse(&said("", &printed)).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{label}");
        let (one, other) = (entry(&rows, "a.example"), entry(&rows, "b.example"));
        assert_eq!(one.texts("unmanaged"), [format!("{label} = {value}")], "{label}");
        assert_eq!(other.texts("unmanaged"), Vec::<&str>::new());
        let known = parse(&said("", &printed.replace(&format!(" {label}: {value}\n"), ""))).unwrap();
        let without = |record: Record| record.with("unmanaged", Value::Null);
        assert_eq!(without(one), without(entry(&known, "a.example")), "{label}");
    };
    for label in [
        "Quantum Mode",
        "Delivery Class",
        "Message Tracking",
        "TLS Reporting",
        "TLS Certificate Verification",
        "Recipient Verification",
        "Bounce Address Rewrite",
        "DANE Reporting",
        "Connection Reuse",
        "Alert",
        "Certificate",
        "Rate Class",
        "IP Reputation",
        "Profile Class",
    ] {
        check(label, "Bulk");
        check(label, "5");
    }
    // A value on a line of its own, a sentence, and a column.
    let rows =
        parse(&said("", "a.example\n  TLS: On\n  Delivery Class:\n    Bulk\n  Bounce Profile: Default\nb.example\n  TLS: Off\n"))
            .unwrap();
    assert_eq!(rows.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["a.example", "b.example"]);
    assert_eq!(entry(&rows, "a.example").texts("unmanaged"), ["Bulk"]);
    let rows = parse(&said("", "a.example\nTLS: On\nadaptive throttle is on\nBounce Profile: p\n")).unwrap();
    assert_eq!(entry(&rows, "a.example").texts("unmanaged"), ["adaptive throttle is on"]);
    assert_eq!(entry(&rows, "a.example").text("bounce_profile"), Some("p"));
}

#[test]
fn rg2_a_column_that_nobody_knows_is_told_by_its_title_wherever_it_stands() {
    let one = "
            Rate      Delivery           Bounce         Bounce
Domain      Limiting  Class     TLS      Verification   Profile
==========  ========  ========  =======  ============   ========
a.example   On        Bulk      Required Default        Default
b.example   On                  Off      Default        Default
";
    let other = "Domain  TLS  Bounce Verification  Bounce Profile  Delivery Class\na.example  Required  Default  Default  Bulk\n\
                 b.example  Off  Default  Default  -\n";
    let words = "Domain RateLimiting TLS DeliveryClass Dane BounceVerification BounceProfile IPVersion\n\
                 a.example On Required Bulk Default Default Default Default\nb.example On Off Default Default Default Default Default\n";
    for printed in [one, other, words] {
        let rows = parse(&said("", printed)).unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new(), "{printed}");
        let found = |id: &str| entry(&rows, id).texts("unmanaged").concat().replace(' ', "");
        assert_eq!((found("a.example").as_str(), found("b.example").as_str()), ("DeliveryClass=Bulk", ""), "{printed}");
        assert_eq!(
            (entry(&rows, "a.example").text("tls"), entry(&rows, "b.example").text("tls")),
            (Some("required"), Some("none"))
        );
    }
}
