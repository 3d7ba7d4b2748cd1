use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::dns::testing::{Line, Said, Server};

fn script(name: &str, _: u16) -> Said {
    let txt = |text: &str| Said::Of(vec![Line::txt(text)]);
    match name {
        "good.example" => Said::Of(vec![
            Line::mx(10, "mx.good.example"),
            Line::txt("MS=ms12345678"),
            Line::txt("v=spf1 include:spf.protection.outlook.com ip4:192.0.2.0/24 -all"),
        ]),
        "selector1._domainkey.good.example" => Said::Of(vec![
            Line::cname("selector1-good-example._domainkey.contoso.example"),
            Line::txt(&format!("v=DKIM1; k=rsa; p={};", "A".repeat(400))),
        ]),
        "selector2._domainkey.good.example" => txt("v=DKIM1; p="),
        "_dmarc.good.example" => txt("v=DMARC1; p=reject; sp=none; pct=50; rua=mailto:a@good.example, mailto:b@good.example"),
        "_mta-sts.good.example" => txt("v=STSv1; id=20260701T000000;"),
        "_smtp._tls.good.example" => txt("v=TLSRPTv1; rua=mailto:tls@good.example"),
        "_25._tcp.mx.good.example" => Said::Of(vec![Line::tlsa(3, 1, 1, &[0xab; 32])]),
        "odd.example" => {
            Said::Of(vec![Line::mx(0, "mx.odd.example"), Line::txt("v=spf1 -all"), Line::txt("V=SPF1 include: foo:bar ~all")])
        }
        "selector1._domainkey.odd.example" => txt("v=DKIM2; k=dsa; p=not base64!"),
        "_dmarc.odd.example" => txt("p=reject"),
        "_mta-sts.odd.example" => txt("v=STSv1; id=with blank"),
        "_smtp._tls.odd.example" => txt("v=TLSRPTv1; rua=nobody"),
        "_25._tcp.mx.odd.example" => Said::Of(vec![Line::tlsa(0, 1, 1, &[1; 32]), Line::tlsa(3, 1, 1, &[1; 7])]),
        silent if silent.ends_with("silent.example") => Said::Silence,
        broken if broken.ends_with("broken.example") => Said::Code(2),
        _ => Said::Code(3),
    }
}

async fn look(domain: &str) -> (Record, Vec<Diagnostic>) {
    let server = Server::start_of_kinds(script);
    let config = Record::new().with("domain", domain).with("timeout", "900ms").with("resolver", server.address.to_string());
    let call = Call::new(CancellationToken::new(), Duration::from_mins(1));
    let found = read(&config, &call).await.unwrap_or_else(|error| panic!("{domain}: {error}"));
    (found, call.take_reports())
}

fn element(found: &Record, list: &str, index: usize) -> Record {
    Record::from_value(found.get(list).as_elements().unwrap()[index].clone())
}

#[tokio::test]
async fn records_are_found_and_read() {
    let (found, said) = look("Good.example").await;
    assert!(said.is_empty(), "{said:?}");
    assert_eq!((found.at("spf.status").as_text(), found.at("spf.all").as_text()), (Some("found"), Some("-all")));
    assert_eq!(found.at("spf.includes"), &Value::List(vec!["spf.protection.outlook.com".into()]));
    let (first, second) = (element(&found, "dkim", 0), element(&found, "dkim", 1));
    assert_eq!(
        (first.text("status"), first.text("cname")),
        (Some("found"), Some("selector1-good-example._domainkey.contoso.example"))
    );
    assert_eq!((first.truth("revoked"), second.truth("revoked")), (Some(false), Some(true)));
    assert_eq!(
        (found.at("dmarc.policy").as_text(), found.at("dmarc.subdomain_policy").as_text()),
        (Some("reject"), Some("none"))
    );
    assert_eq!(
        (found.at("dmarc.percent"), found.at("dmarc.aggregate_reports").as_elements().unwrap().len()),
        (&Value::integer(50), 2)
    );
    assert_eq!(found.at("mta_sts.policy_id").as_text(), Some("20260701T000000"));
    assert_eq!(found.at("tls_rpt.reports"), &Value::List(vec!["mailto:tls@good.example".into()]));
    let tlsa = element(&found, "tlsa", 0);
    assert_eq!((tlsa.text("host"), tlsa.text("status")), (Some("mx.good.example"), Some("found")));
}

#[tokio::test]
async fn what_is_wrong_is_told_as_such_and_is_no_error() {
    let (found, _) = look("odd.example").await;
    for (place, words) in [
        ("spf", "2 SPF records"),
        ("dmarc", "no DMARC record"),
        ("mta_sts", "letters and digits"),
        ("tls_rpt", "`rua` names no place"),
    ] {
        let record = found.record(place).unwrap();
        assert_eq!(record.text("status"), Some("wrong"), "{place}");
        assert!(record.text("problem").unwrap().contains(words), "{place}: {record:?}");
        assert!(record.text("raw").is_some(), "{place}");
    }
    for list in ["dkim", "tlsa"] {
        assert_eq!(element(&found, list, 0).text("status"), Some("wrong"), "{list}");
    }
    assert_eq!(element(&found, "tlsa", 0).get("records").as_elements().unwrap().len(), 2);
}

#[tokio::test]
async fn no_record_is_told_from_no_answer() {
    let (none, said) = look("none.example").await;
    assert!(said.is_empty(), "{said:?}");
    let kinds = ["spf", "dmarc", "mta_sts", "tls_rpt"];
    for kind in kinds {
        assert_eq!(none.record(kind).unwrap().text("status"), Some("none"), "{kind}");
    }
    for domain in ["silent.example", "broken.example"] {
        let (open, said) = look(domain).await;
        for kind in kinds {
            assert_eq!(open.record(kind).unwrap().text("status"), Some("no_answer"), "{domain} {kind}");
        }
        assert_eq!(element(&open, "dkim", 0).text("status"), Some("no_answer"));
        assert!(said.len() == 1 && !said[0].is_error(), "{said:?}");
    }
}

#[tokio::test]
async fn a_domain_below_has_the_policy_of_the_one_above() {
    let (found, _) = look("news.good.example").await;
    assert_eq!(
        (found.at("dmarc.name").as_text(), found.at("dmarc.policy").as_text()),
        (Some("_dmarc.good.example"), Some("reject"))
    );
    let (none, _) = look("a.b.none.example").await;
    assert_eq!(
        (none.at("dmarc.name").as_text(), none.at("dmarc.status").as_text()),
        (Some("_dmarc.a.b.none.example"), Some("none"))
    );
}

#[test]
fn any_text_is_read_without_a_panic() {
    let odd = [
        "",
        ";",
        "=",
        "v=",
        "v=spf1",
        "v=spf1 ",
        "v=spf1 ~",
        "v=spf1 :",
        "v=DMARC1;;;p",
        "v=DKIM1;p=;p=",
        "\u{fffd}=\u{e9};p=\u{e9}",
        "v=spf1 +\u{e9} ?",
    ];
    for text in odd {
        for parse in [parse::spf, parse::dkim, parse::dmarc, parse::mta_sts, parse::tls_rpt] {
            let _ = parse(&[text.to_owned()]).into_record();
        }
    }
    let spf = |text: &str| parse::spf(&[text.to_owned()]).into_record();
    assert_eq!(spf("v=spf10 -all").text("status"), Some("none"));
    assert_eq!(spf("v=spf1 foo:bar -all").text("status"), Some("wrong"));
    assert_eq!(spf("v=spf1 redirect=_spf.example").text("redirect"), Some("_spf.example"));
    let many = format!("v=spf1 {} -all", "include:a.example ".repeat(11));
    assert!(spf(&many).text("problem").unwrap().contains("11 look-ups"));
}
