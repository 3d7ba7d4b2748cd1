//! The admin API itself: envelope, headers, errors, paging, affinity, redirects.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Fault, Redirect};
use super::*;

#[tokio::test]
async fn an_answer_has_the_live_headers_and_members() {
    let service = start();
    let session = Session::new(&service).await;
    let answer = session.call("Get-AcceptedDomain", json!({})).await;
    assert!(answer.header("content-type").starts_with("application/json;odata.metadata=minimal"));
    assert_eq!(answer.header("rate-limit-limit"), "30000");
    for header in ["rate-limit-remaining", "rate-limit-reset", "request-id", "x-calculatedbetarget"] {
        assert!(!answer.header(header).is_empty(), "{header}");
    }
    assert_eq!(answer.body["@adminapi.warnings"], json!([]));
    assert_eq!(answer.body["adminapi.warnings@odata.type"], "#Collection(String)");
}

#[tokio::test]
async fn a_cmdlet_without_a_role_and_one_that_does_not_exist_are_both_nul_bytes() {
    let service = start();
    let session = Session::new(&service).await;
    service.revoke("new-transportrule");
    for cmdlet in ["New-TransportRule", "Get-Nonsense", "nonsense"] {
        let answer = session.call(cmdlet, rule("R")).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.bytes, vec![0; 4096], "{cmdlet}");
    }
    let listed = async || {
        let request = session.http.get(session.url("EXOModuleFile?Version=3.9.2")).bearer_auth(&session.token);
        let answer = answer(request.header("CommandName", "*").send().await.unwrap()).await;
        answer.body["value"][0]["exportedCmdlets"].as_str().unwrap().split(',').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert!(!listed().await.contains("New-TransportRule") && listed().await.contains("Set-TransportRule"));
    service.grant("New-TransportRule");
    assert!(listed().await.contains("New-TransportRule"));
    session.ok("New-TransportRule", rule("R")).await;
}

#[tokio::test]
async fn a_parameter_without_a_role_is_silently_ignored() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("R")).await;
    service.set_options(|options| {
        options.ignored_parameters.insert("Set-TransportRule:SetSCL".into());
    });
    let answer = session.call("Set-TransportRule", json!({ "Identity": "R", "SetSCL": -1 })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(session.named("TransportRule", "R").await["SetSCL"], Value::Null);
}

#[tokio::test]
async fn a_request_without_a_token_is_401() {
    let service = start();
    let mut session = Session::new(&service).await;
    session.token = "forged".into();
    assert_eq!(session.call("Get-AcceptedDomain", json!({})).await.status, 401);
    assert_eq!(service.counts().answers.get(&401), Some(&1));
}

#[tokio::test]
async fn accents_without_a_charset_are_a_server_error() {
    let service = start();
    let session = Session::new(&service).await;
    let body = |name: &str| json!({ "CmdletInput": { "CmdletName": "New-TransportRule", "Parameters": rule(name) } }).to_string();
    let send = async |name: &str, content_type: &str| {
        let request = session.http.post(session.url("InvokeCommand")).bearer_auth(&session.token);
        request.header("Content-Type", content_type).body(body(name)).send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("Zürich", "application/json").await, 500);
    assert_eq!(send("plain", "application/json").await, 200);
    assert_eq!(send("Zürich", "application/json; charset=utf-8").await, 200);
    assert_eq!(session.names("TransportRule").await, ["plain", "Zürich"]);
}

#[tokio::test]
async fn parameters_must_be_an_object() {
    let service = start();
    let session = Session::new(&service).await;
    for body in [
        json!({ "CmdletInput": { "CmdletName": "Get-TransportRule", "Parameters": null } }),
        json!({ "CmdletInput": { "CmdletName": "Get-TransportRule" } }),
        json!({ "CmdletInput": { "Parameters": {} } }),
        json!([]),
    ] {
        let answer = answer(session.raw(body.to_string()).send().await.unwrap()).await;
        assert_eq!(answer.status, 400, "{body}");
    }
}

#[tokio::test]
async fn an_error_takes_all_three_shapes_in_turn() {
    let service = start();
    let session = Session::new(&service).await;
    let mut shapes = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    for _ in 0..3 {
        let answer = session.call("Remove-TransportRule", json!({ "Identity": "nobody" })).await;
        assert_eq!(said(&answer).kind, "ManagementObjectNotFoundException");
        assert_eq!(answer.header("x-ExceptionType"), "ManagementObjectNotFoundException");
        let detail = answer.body["error"]["details"][0].clone();
        assert_eq!(detail["code"], "Context");
        let text = detail["message"].as_str().unwrap().to_owned();
        shapes.insert(match serde_json::from_str::<Value>(&text) {
            Ok(shape) if shape.get("TypeName").is_some() => "type name",
            Ok(shape) if shape["localizedString"]["stringId"] == "Ex6F9304" => "class name",
            _ if text.starts_with("Ex6F9304|Microsoft.Exchange.") => "piped",
            _ => panic!("{text}"),
        });
        statuses.insert(answer.status);
    }
    assert_eq!(shapes.len(), 3);
    assert_eq!(statuses, BTreeSet::from([400, 404]));
}

#[tokio::test]
async fn a_set_without_effect_warns_and_an_empty_answer_is_200_or_204() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("R")).await;
    let idle = session.call("Set-TransportRule", json!({ "Identity": "R", "FromScope": "notinorganization" })).await;
    assert_eq!(idle.status, 200);
    assert_eq!(idle.warnings(), ["The command completed successfully but no settings of 'R' have been modified."]);
    let mut statuses = Vec::new();
    for severity in ["Low", "High"] {
        let answer = session.call("Set-TransportRule", json!({ "Identity": "R", "SetAuditSeverity": severity })).await;
        assert!(answer.bytes.is_empty() || answer.body["value"] == json!([]));
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 204]);
}

#[tokio::test]
async fn select_keeps_the_chosen_properties_and_their_types() {
    let service = start();
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("R")).await;
    let body = json!({ "CmdletInput": { "CmdletName": "Get-TransportRule", "Parameters": {} } }).to_string();
    let request = session.http.post(session.url("InvokeCommand?$select=Name,Guid")).bearer_auth(&session.token);
    let answer = answer(request.header("Content-Type", "application/json").body(body).send().await.unwrap()).await;
    let keys: Vec<&String> = answer.body["value"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["Guid", "Guid@data.type", "Guid@odata.type", "Name"]);
}

#[tokio::test]
async fn a_link_to_the_next_page_is_good_on_its_back_end_for_half_an_hour() {
    let service = start();
    for name in ["a", "b", "c", "d", "e"] {
        service.put("TransportRule", name, &json!({ "Quarantine": true })).unwrap();
    }
    let session = Session::new(&service).await;
    let read = async || {
        let request = session.request("Get-TransportRule", &json!({ "ResultSize": "Unlimited" }));
        answer(request.header("Prefer", "odata.maxpagesize=2").send().await.unwrap()).await
    };
    let names = |answer: &Answer| {
        answer.body["value"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|rule| rule["Name"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let follow = async |http: &reqwest::Client, link: &str| {
        let request = http.post(link).bearer_auth(&session.token).header("Prefer", "odata.maxpagesize=2");
        answer(request.header("Content-Type", "application/json").body("{}").send().await.unwrap()).await
    };
    let first = read().await;
    assert_eq!((names(&first), first.header("preference-applied")), (vec!["a".into(), "b".into()], "odata.maxpagesize=2"));
    let link = first.body["@odata.nextLink"].as_str().unwrap().to_owned();
    let second = follow(&session.http, &link).await;
    assert_eq!(names(&second), ["c", "d"]);
    let third = follow(&session.http, second.body["@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!((names(&third), third.body.get("@odata.nextLink")), (vec!["e".into()], None));

    // The last write was on the same back end, so that a request without the cookie goes to the other one.
    session.ok("New-TransportRule", rule("f")).await;
    let lost = follow(&client(false), &link).await;
    assert_eq!(lost.status, 400);
    assert_eq!(lost.body["error"]["message"], "Expired or Invalid pagination request. Default Expiry time is 00:30:00");
    service.advance_clock(Duration::from_mins(31));
    assert_eq!(follow(&session.http, &link).await.status, 400);
}

#[tokio::test]
async fn a_cut_result_says_so() {
    let service = start();
    let session = Session::new(&service).await;
    let answer = session.call("Get-AcceptedDomain", json!({ "ResultSize": 2 })).await;
    assert_eq!(answer.body["value"].as_array().unwrap().len(), 2);
    assert!(answer.warnings()[0].contains("more results"));
}

/// A lag that is over within a test.
const LAG: Duration = Duration::from_millis(400);

async fn passed() {
    tokio::time::sleep(LAG).await;
}

#[tokio::test]
async fn the_other_back_end_shows_a_write_after_a_while() {
    let service = start_with(|options| options.visibility_delay_ms = 400);
    let session = Session::new(&service).await;
    let forgetful = Session::with(&service, client(false), EXCHANGE).await;
    session.ok("New-TransportRule", rule("R")).await;
    assert_eq!(session.names("TransportRule").await, ["R"], "a session reads its own writes");
    assert_eq!(forgetful.names("TransportRule").await, [] as [&str; 0]);
    let said = forgetful.refused("Set-TransportRule", json!({ "Identity": "R", "SetSCL": 1 })).await;
    assert_eq!(said.kind, "ManagementObjectNotFoundException");
    assert_eq!(forgetful.names("TransportRule").await, [] as [&str; 0], "looks bring nothing nearer");
    passed().await;
    assert_eq!(forgetful.names("TransportRule").await, ["R"]);

    session.ok("Set-TransportRule", json!({ "Identity": "R", "PrependSubject": "new" })).await;
    assert_eq!(forgetful.named("TransportRule", "R").await["PrependSubject"], "EXTERNAL: ");
    session.ok("Remove-TransportRule", json!({ "Identity": "R" })).await;
    assert_eq!(forgetful.names("TransportRule").await, ["R"]);
    assert_eq!(session.names("TransportRule").await, [] as [&str; 0]);
    let said = forgetful.refused("New-TransportRule", rule("r")).await;
    assert_eq!(said.kind, "ADObjectAlreadyExistsException", "the name is not free there yet");
    passed().await;
    assert_eq!(forgetful.names("TransportRule").await, [] as [&str; 0]);
    forgetful.ok("New-TransportRule", rule("r")).await;
}

#[tokio::test]
async fn each_write_is_shown_after_its_own_while() {
    let service = start_with(|options| options.visibility_delay_ms = 400);
    let session = Session::new(&service).await;
    let forgetful = Session::with(&service, client(false), EXCHANGE).await;
    session.ok("New-TransportRule", rule("R")).await;
    tokio::time::sleep(LAG / 2).await;
    session.ok("Set-TransportRule", json!({ "Identity": "R", "PrependSubject": "new" })).await;
    assert_eq!(forgetful.names("TransportRule").await, [] as [&str; 0]);
    tokio::time::sleep(LAG / 2 + LAG / 8).await;
    assert_eq!(
        forgetful.named("TransportRule", "R").await["PrependSubject"],
        "EXTERNAL: ",
        "the first write, and not the second"
    );
    passed().await;
    assert_eq!(forgetful.named("TransportRule", "R").await["PrependSubject"], "new");
}

#[tokio::test]
async fn a_write_may_be_late_on_its_own_back_end_too() {
    let service = start_with(|options| options.own_visibility_delay_ms = 400);
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("R")).await;
    assert_eq!(session.names("TransportRule").await, [] as [&str; 0]);
    assert_eq!(session.refused("New-TransportRule", rule("r")).await.kind, "ADObjectAlreadyExistsException");
    passed().await;
    assert_eq!(session.names("TransportRule").await, ["R"]);
}

#[tokio::test]
async fn a_service_that_heeds_no_cookie_answers_from_both_back_ends_in_turn() {
    let service = start_with(|options| {
        options.visibility_delay_ms = 60_000;
        options.affinity = false;
    });
    let session = Session::new(&service).await;
    session.ok("New-TransportRule", rule("R")).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(session.names("TransportRule").await.len());
    }
    assert_eq!(seen, [0, 1, 0, 1]);
}

#[tokio::test]
async fn the_front_end_redirects_to_the_other_name_of_the_host() {
    let service = start_with(|options| options.redirect = Redirect::First);
    let session = Session::new(&service).await;
    let first = session.call("Get-AcceptedDomain", json!({})).await;
    let port = service.url().rsplit(':').next().unwrap().to_owned();
    assert_eq!(first.status, 307);
    let location = first.header("location").to_owned();
    assert_eq!(location, format!("http://localhost:{port}/adminapi/beta/{}/InvokeCommand", service.tenant()));
    let body = json!({ "CmdletInput": { "CmdletName": "Get-AcceptedDomain", "Parameters": {} } }).to_string();
    let request = session.http.post(location).bearer_auth(&session.token).header("Content-Type", "application/json");
    assert_eq!(answer(request.body(body).send().await.unwrap()).await.status, 200);
    assert_eq!(session.call("Get-AcceptedDomain", json!({})).await.status, 200, "once");
    assert_eq!((service.counts().redirects, service.count("Get-AcceptedDomain")), (1, 2));

    service.set_options(|options| {
        options.redirect = Redirect::Always;
        options.redirect_status = 302;
        options.redirect_port_446 = true;
    });
    for _ in 0..2 {
        let answer = session.call("Get-AcceptedDomain", json!({})).await;
        assert_eq!(answer.status, 302);
        assert!(answer.header("location").starts_with("http://localhost:446/"));
    }
}

#[tokio::test]
async fn a_batch_answers_each_request_by_its_id_and_takes_ten_at_most() {
    let service = start();
    let session = Session::new(&service).await;
    service.script(Fault::status("Get-InboundConnector", 429));
    let batch = async |cmdlets: &[&str]| {
        let requests: Vec<Value> = cmdlets
            .iter()
            .enumerate()
            .map(|(id, cmdlet)| {
                json!({ "id": id.to_string(), "method": "POST", "url": session.url("InvokeCommand"),
                "headers": {}, "body": { "CmdletInput": { "CmdletName": cmdlet, "Parameters": {} } } })
            })
            .collect();
        let request = session.http.post(session.url("$batch")).bearer_auth(&session.token);
        let body = json!({ "requests": requests }).to_string();
        answer(request.header("Content-Type", "application/json").body(body).send().await.unwrap()).await
    };
    let answer = batch(&["Get-AcceptedDomain", "Get-InboundConnector", "Get-Nonsense"]).await;
    let statuses: Vec<(&str, u64)> = answer.body["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap(), one["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(statuses, [("0", 200), ("1", 429), ("2", 403)]);
    assert_eq!(answer.body["responses"][0]["body"]["value"].as_array().unwrap().len(), 4);
    assert_eq!(batch(&["Get-AcceptedDomain"; 11]).await.status, 400);
}

#[tokio::test]
async fn too_many_calls_at_once_are_refused_in_plain_text() {
    let service = start_with(|options| {
        options.max_in_flight = Some(1);
        options.latency_ms = 300;
    });
    let session = Session::new(&service).await;
    let (one, other) = tokio::join!(session.call("Get-AcceptedDomain", json!({})), session.call("Get-AcceptedDomain", json!({})));
    let refused = if one.status == 200 { other } else { one };
    assert_eq!(refused.status, 503);
    assert!(String::from_utf8(refused.bytes).unwrap().contains("maximum number of concurrent requests per tenant"));
    assert_eq!(service.counts().peak_in_flight, 2);
}
