use serde_json::json;

use super::*;

fn config(members: &[(&str, &str)]) -> Record {
    members.iter().fold(Record::new(), |record, (name, value)| record.with(*name, *value))
}

fn found(wanted: usize) -> Found {
    Found { wanted, ..Found::default() }
}

#[test]
fn a_timestamp_of_the_device_is_a_moment() {
    let check = |text: &str, wanted: Option<&str>| {
        let found = moment(text).and_then(|at| at.format(&Rfc3339).ok());
        assert_eq!(found.as_deref(), wanted, "{text}");
    };
    check("20 Sep 2022 14:54:50 (GMT +00:00)", Some("2022-09-20T14:54:50Z"));
    check("20 Sep 2022 14:54:50 (GMT +05:30)", Some("2022-09-20T09:24:50Z"));
    check("01 January 2023 00:10 (GMT -0100)", Some("2023-01-01T01:10:00Z"));
    check("Sep 20, 2022 14:54:50", Some("2022-09-20T14:54:50Z"));
    check("2022-09-20T16:54:50+02:00", Some("2022-09-20T14:54:50Z"));
    check("31 Feb 2022 14:54:50 (GMT +00:00)", None);
    check("20 Sep 2022", None);
    check("20 Sep 2022 14:54:50 (GMT +99:99)", None);
    check("", None);
}

#[test]
fn a_window_has_whole_minutes() {
    assert!(minute("2026-08-21T14:30:00Z").is_ok());
    assert!(minute("2026-08-21T14:30:00.000+02:00").is_ok());
    for text in ["2026-08-21T14:30:01Z", "2026-08-21T14:30:00.5Z", "2026-08-21", "yesterday"] {
        assert!(minute(text).is_err(), "{text}");
    }
    let window = |start, end| window_rule(&config(&[("start", start), ("end", end)])).len();
    assert_eq!(window("2026-08-21T14:30:00Z", "2026-08-21T14:31:00Z"), 0);
    assert_eq!(window("2026-08-21T14:30:00Z", "2026-08-21T14:30:00Z"), 1);
    assert_eq!(window("2026-08-21T14:30:00Z", "2026-08-21T16:00:00+02:00"), 1);
}

#[test]
fn a_search_says_what_the_arguments_say() {
    let arguments = config(&[
        ("start", "2026-08-21T16:30:00+02:00"),
        ("end", "2026-08-21T15:00:00Z"),
        ("cisco_host", "All_Hosts"),
        ("sender", "a b@example.com"),
        ("sender_operator", "is"),
        ("attachment_name", "x.pdf"),
    ])
    .with("custom_query", Value::Map(BTreeMap::from([("message_delivered".to_owned(), Value::text("True"))])));
    let wanted = Query::default()
        .with("startDate", "2026-08-21T14:30:00.000Z")
        .with("endDate", "2026-08-21T15:00:00.000Z")
        .with("ciscoHost", "All_Hosts")
        .with("searchOption", "messages")
        .with("envelopeSenderfilterOperator", "is")
        .with("envelopeSenderfilterValue", "a b@example.com")
        .with("attachmentNameOperator", "contains")
        .with("attachmentNameValue", "x.pdf")
        .with("message_delivered", "True");
    assert_eq!(query(&arguments).unwrap(), wanted);
}

#[test]
fn a_parameter_that_an_argument_sets_is_not_set_twice() {
    let check = |name: &str, wanted: usize| {
        let more = Value::Map(BTreeMap::from([(name.to_owned(), Value::text("True"))]));
        assert_eq!(custom_rule(&Record::new().with("custom_query", more)).len(), wanted, "{name}");
    };
    check("graymail", 0);
    for name in ["startDate", "enddate", "limit", "offset", "searchOption", "envelopeSenderfilterValue", "", "a&b"] {
        check(name, 1);
    }
}

#[test]
fn every_member_has_the_name_that_the_device_uses() {
    let names: Vec<String> = MESSAGE.iter().map(wire_name).collect();
    for wanted in [
        "senderGroup",
        "replyTo",
        "isCompleteData",
        "messageStatus",
        "allIcid",
        "messageID",
        "friendly_from",
        "morDetails",
        "unique_message_id",
        "mid",
    ] {
        assert!(names.iter().any(|name| name == wanted), "{wanted}: {names:?}");
    }
}

#[test]
fn members_in_other_forms_are_read_and_odd_ones_are_told() {
    let mut messages = found(10);
    messages
        .take(&json!({"data": [{"attributes": {
            "mid": 7, "icid": "12", "sbrs": 3.5, "recipient": "a@example.com", "isCompleteData": "true", "verdictChart": [],
            "recipientMap": {"7": ["a@example.com"]}, "messageID": {"7": "<x@y>"}, "subject": ["no"], "mailPolicy": null,
            "timestamp": "long ago"}}]}))
        .unwrap();
    let record = Record::from_value(messages.messages[0].clone());
    assert_eq!(record.get("mid"), &Value::List(vec![Value::integer(7)]));
    assert_eq!(
        (record.integer("icid"), record.text("sbrs"), record.truth("is_complete_data")),
        (Some(12), Some("3.5"), Some(true))
    );
    assert_eq!(record.get("recipient"), &Value::List(vec![Value::text("a@example.com")]));
    assert_eq!(record.get("recipient_map").as_members().unwrap()["7"], Value::text(r#"["a@example.com"]"#));
    assert_eq!(record.get("message_id").as_members().unwrap()["7"], Value::text("<x@y>"));
    assert_eq!(
        (record.get("subject"), record.text("timestamp"), record.get("received")),
        (&Value::Null, Some("long ago"), &Value::Null)
    );
    assert_eq!(messages.odd, BTreeSet::from(["subject", "timestamp"]));
}

#[test]
fn an_answer_without_messages_is_not_an_empty_one() {
    for answer in [json!({}), json!({"data": {}}), json!({"data": ["x"]})] {
        assert_eq!(found(1).take(&answer).map(|page| page.rows).map_err(|error| error.kind), Err(Kind::Unexpected), "{answer}");
    }
}

#[test]
fn rs6_a_zone_that_no_clock_has_is_no_zone() {
    for sign in ["+", "-"] {
        for digits in ["-128", "00-128", "-1-128", "99-99", "127127", "-9:-128", "0", ""] {
            assert_eq!(
                offset(&format!("{sign}{digits}")).filter(|offset| offset.whole_hours().abs() > 25),
                None,
                "{sign}{digits}"
            );
        }
    }
}
