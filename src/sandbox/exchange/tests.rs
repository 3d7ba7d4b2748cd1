//! Holds the stand-in to the quirks of the service, over plain HTTP.

mod admin;
mod connectors;
mod control;
mod faulty;
mod identity;
mod oddities;
mod rules;
mod state;

use std::sync::Arc;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::{Options, Service};

/// The scopes of both audiences.
const EXCHANGE: &str = "https://outlook.office365.com/.default";
const GRAPH: &str = "https://graph.microsoft.com/.default";

/// A session of an application: a cookie jar and a token.
struct Session {
    http: reqwest::Client,
    base: String,
    tenant: String,
    token: String,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
    body: Value,
}

/// What an error says, whichever of the shapes it has.
#[derive(Debug, PartialEq)]
struct Said {
    status: u16,
    kind: String,
    message: String,
    details: bool,
}

fn client(cookies: bool) -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    let builder = reqwest::Client::builder().no_proxy().cookie_store(cookies).redirect(reqwest::redirect::Policy::none());
    builder.tls_backend_preconfigured(config).build().unwrap()
}

fn start() -> Service {
    Service::start(Options::default()).unwrap()
}

fn start_with(change: impl FnOnce(&mut Options)) -> Service {
    let mut options = Options::default();
    change(&mut options);
    Service::start(options).unwrap()
}

/// Asks for a token; members of `change` replace those of a good request, `null` leaves one out.
async fn ask_token(service: &Service, tenant: &str, change: Value) -> Answer {
    let mut form = json!({ "grant_type": "client_credentials", "client_id": service.client_id(),
        "client_secret": service.client_secret(), "scope": EXCHANGE });
    form.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap_or_default());
    let form: Vec<(String, String)> =
        form.as_object().unwrap().iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    let url = format!("{}/{tenant}/oauth2/v2.0/token", service.url());
    answer(client(false).post(url).form(&form).send().await.unwrap()).await
}

async fn answer(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap().to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status, headers, bytes, body }
}

impl Session {
    async fn new(service: &Service) -> Self {
        Self::with(service, client(true), EXCHANGE).await
    }

    async fn with(service: &Service, http: reqwest::Client, scope: &str) -> Self {
        let token = ask_token(service, &service.tenant(), json!({ "scope": scope })).await;
        let token = token.body["access_token"].as_str().expect("a token").to_owned();
        Self { http, base: service.url(), tenant: service.tenant(), token }
    }

    fn url(&self, operation: &str) -> String {
        format!("{}/adminapi/beta/{}/{operation}", self.base, self.tenant)
    }

    fn request(&self, cmdlet: &str, parameters: &Value) -> reqwest::RequestBuilder {
        self.raw(json!({ "CmdletInput": { "CmdletName": cmdlet, "Parameters": parameters } }).to_string())
    }

    fn raw(&self, body: String) -> reqwest::RequestBuilder {
        let request = self.http.post(self.url("InvokeCommand")).bearer_auth(&self.token);
        request.header("Content-Type", "application/json; charset=utf-8").body(body)
    }

    async fn call(&self, cmdlet: &str, parameters: Value) -> Answer {
        answer(self.request(cmdlet, &parameters).send().await.unwrap()).await
    }

    /// Calls a cmdlet that has to succeed; gives its records.
    async fn ok(&self, cmdlet: &str, parameters: Value) -> Vec<Value> {
        let answer = self.call(cmdlet, parameters.clone()).await;
        assert!(matches!(answer.status, 200 | 204), "{cmdlet} {parameters}: {} {}", answer.status, answer.body);
        answer.body["value"].as_array().cloned().unwrap_or_default()
    }

    /// The one record of that name.
    async fn named(&self, noun: &str, name: &str) -> Value {
        let records = self.ok(&format!("Get-{noun}"), json!({})).await;
        records.into_iter().find(|record| record["Name"] == name).unwrap_or_else(|| panic!("no {noun} {name}"))
    }

    async fn names(&self, noun: &str) -> Vec<String> {
        let records = self.ok(&format!("Get-{noun}"), json!({})).await;
        records.iter().map(|record| record["Name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Calls a cmdlet that has to fail; gives what the error says.
    async fn refused(&self, cmdlet: &str, parameters: Value) -> Said {
        let answer = self.call(cmdlet, parameters.clone()).await;
        assert!(answer.status >= 400, "{cmdlet} {parameters} succeeded: {}", answer.body);
        said(&answer)
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn warnings(&self) -> Vec<&str> {
        self.body["@adminapi.warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// Reads all three shapes of an error.
fn said(answer: &Answer) -> Said {
    let error = &answer.body["error"];
    let inner = &error["innererror"]["internalexception"];
    let detail = error["details"][0]["message"].as_str();
    let (kind, message) = match detail {
        None => (inner["type"].as_str().unwrap_or_default().to_owned(), inner["message"].as_str().unwrap_or_default().to_owned()),
        Some(text) => {
            if let Ok(shape) = serde_json::from_str::<Value>(text) {
                let kind = shape["TypeName"].as_str().or_else(|| shape["ClassName"].as_str()).unwrap_or_default();
                (kind.to_owned(), shape["Message"].as_str().unwrap_or_default().to_owned())
            } else {
                let mut parts = text.splitn(3, '|').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
        }
    };
    let kind = kind.rsplit('.').next().unwrap_or_default().to_owned();
    Said { status: answer.status, kind, message, details: detail.is_some() }
}

fn partner(name: &str) -> Value {
    json!({ "Name": name, "ConnectorType": "Partner", "SenderDomains": ["*"], "SenderIPAddresses": ["203.0.113.10"],
        "RestrictDomainsToIPAddresses": true, "RequireTls": true })
}

fn rule(name: &str) -> Value {
    json!({ "Name": name, "FromScope": "NotInOrganization", "PrependSubject": "EXTERNAL: " })
}

/// The first object with the members of the second.
fn with(base: Value, more: Value) -> Value {
    let (Value::Object(mut base), Value::Object(more)) = (base, more) else { panic!("both have to be objects") };
    base.extend(more);
    Value::Object(base)
}
