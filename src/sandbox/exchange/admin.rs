//! The admin API of Exchange Online: `InvokeCommand`, `$batch` and `EXOModuleFile`.
//!
//! A request passes, in this order: the front end (redirect), the fault that was scripted for it, its token, its
//! role, the charset, the body, the cmdlet, and the fault again. The answer leaves with the headers and the affinity
//! cookie of the live service.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value, json};

use super::World;
use super::backends::ENDS;
use super::cmdlet::{self, Cmdlet, Outcome};
use super::errors::Exception;
use super::faults;
use super::ledger::Call;
use super::options::Redirect;
use super::render;
use super::reply::{Ending, Reply};
use super::token::{Audience, Refusal};

/// The affinity cookie.
const COOKIE: &str = "X-BackEndCookie";

/// The servers behind the back ends, as `X-CalculatedBETarget` names them.
const TARGETS: [&str; ENDS] = ["am0pr01mb1001.eurprd01.prod.outlook.com", "am0pr01mb2002.eurprd01.prod.outlook.com"];

/// The most requests of a batch.
const BATCH_LIMIT: usize = 10;

/// A request to the admin API.
pub(crate) struct Request {
    /// HTTP method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) uri: Uri,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// The tenant in the path.
    pub(crate) tenant: String,
    /// What follows the tenant in the path.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: Bytes,
}

impl Request {
    /// The cmdlet that the body names, if it does.
    pub(crate) fn cmdlet(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        body.pointer("/CmdletInput/CmdletName")?.as_str().map(str::to_owned)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn query(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes());
        pairs.into_owned().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The back end that the affinity cookie names.
    fn cookie(&self) -> Option<usize> {
        let cookies =
            self.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
        let value =
            cookies.filter_map(|one| one.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, value)| value)?;
        TARGETS.iter().position(|target| *target == value)
    }

    /// The name by which the call is counted and faults are matched.
    fn label(&self) -> String {
        let named = self.operation.eq_ignore_ascii_case("InvokeCommand").then(|| self.cmdlet()).flatten();
        match named {
            Some(name) => Cmdlet::find(&name).map_or(name, Cmdlet::name),
            None => self.operation.clone(),
        }
    }
}

/// Answers a request; `port` is the stand-in's own.
pub(crate) fn answer(world: &mut World, request: &Request, port: u16) -> Reply {
    if let Some(reply) = redirect(world, request, port) {
        return reply;
    }
    let heeded = world.options.affinity;
    let end = world.store.route(request.cookie(), heeded);
    let mut reply = serve(world, request, end);
    let id = world.requests.next();
    dress(world, &mut reply, &id, end);
    if request.cookie() != Some(end) {
        reply.headers.push(("Set-Cookie".into(), format!("{COOKIE}={}; path=/; HttpOnly", TARGETS[end])));
    }
    reply
}

/// Sends the client to the other name of this host.
fn redirect(world: &mut World, request: &Request, port: u16) -> Option<Reply> {
    let options = &world.options;
    let front_door = request.header("host").is_some_and(|host| host.starts_with("127.0.0.1"));
    let due = match options.redirect {
        Redirect::Never => false,
        Redirect::First => !world.redirected,
        Redirect::Always => true,
    };
    if !front_door || !due {
        return None;
    }
    let port = if options.redirect_port_446 { 446 } else { port };
    let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
    let reply = Reply::empty(options.redirect_status).header("Location", format!("http://localhost:{port}{path}"));
    world.ledger.counts.redirects += 1;
    world.redirected = true;
    Some(reply)
}

/// Serves one request, or one of a batch.
fn serve(world: &mut World, request: &Request, end: usize) -> Reply {
    let label = request.label();
    world.ledger.count(&label);
    let fault = world.faults.meet(&label);
    let reply = faults::under(fault.as_ref(), || {
        admit(world, request).and_then(|()| act(world, request, end)).unwrap_or_else(|refused| refused)
    });
    if request.operation.eq_ignore_ascii_case("InvokeCommand") {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        world.ledger.keep(Call {
            cmdlet: label,
            parameters: body.pointer("/CmdletInput/Parameters").cloned().unwrap_or_default(),
            status: if reply.ending == Ending::Dropped { 0 } else { reply.status },
            back_end: end,
            client_request_id: request.header("client-request-id").map(str::to_owned),
            anchor: request.header("x-anchormailbox").map(str::to_owned),
        });
    }
    reply
}

/// Looks at the token and at the tenant.
fn admit(world: &World, request: &Request) -> Result<(), Reply> {
    let token = match world.tokens.check(&request.headers, Audience::Exchange, world.clock.now()) {
        Ok(token) => token,
        Err(refusal) => return Err(unauthorized(refusal)),
    };
    if !token.manage_as_app || !world.options.is_tenant(&request.tenant) {
        return Err(unauthorized(Refusal::Audience));
    }
    if token.directory_role { Ok(()) } else { Err(forbidden()) }
}

fn unauthorized(refusal: Refusal) -> Reply {
    let (code, reason) = match refusal {
        Refusal::Missing => ("2000010", "The token is missing or has an invalid signature."),
        Refusal::Expired => ("2000008", "The token has expired."),
        Refusal::Audience => ("2000003", "The audience, tenant or role of the token is not accepted."),
    };
    Reply::empty(401)
        .header("WWW-Authenticate", format!("Bearer error=\"invalid_token\", error_description=\"{reason}\""))
        .header("x-ms-diagnostics", format!("{code};reason=\"{reason}\";error_category=\"invalid_token\""))
}

/// A cmdlet that does not exist and one without a role are answered alike: 4 KiB of NUL bytes.
fn forbidden() -> Reply {
    Reply::bytes(403, "application/json", vec![0; 4096])
}

fn act(world: &mut World, request: &Request, end: usize) -> Result<Reply, Reply> {
    match request.operation.to_ascii_lowercase().as_str() {
        "exomodulefile" => Ok(modules(world, request)),
        "$batch" => batch(world, request, end),
        "invokecommand" => invoke(world, request, end),
        _ => Err(Reply::json(404, &json!({ "error": { "code": "NotFound", "message": "Resource not found." } }))),
    }
}

/// Lists the cmdlets that the caller may run.
fn modules(world: &World, request: &Request) -> Reply {
    let wanted = request.header("commandname").unwrap_or("*").to_owned();
    let granted = Cmdlet::all().into_iter().filter(|name| world.options.grants(name));
    let chosen: Vec<String> =
        granted.filter(|name| wanted == "*" || wanted.split(',').any(|one| one.trim().eq_ignore_ascii_case(name))).collect();
    Reply::json(
        200,
        &json!({ "@odata.context": context(world), "value": [{ "exportedCmdlets": chosen.join(","), "moduleFile": "" }] }),
    )
}

fn invoke(world: &mut World, request: &Request, end: usize) -> Result<Reply, Reply> {
    let refuse = |world: &mut World, exception: &Exception| {
        let pinned = world.options.error_shape;
        world.errors.answer(exception, pinned)
    };
    if let Some(token) = request.query("$skiptoken") {
        let rows = world.pages.follow(&token, end, world.clock.now()).map_err(|exception| refuse(world, &exception))?;
        return Ok(page(world, request, end, rows, &[]));
    }
    if request.method != Method::POST {
        return Err(Reply::json(
            405,
            &json!({ "error": { "code": "MethodNotAllowed", "message": "The method isn't supported." } }),
        ));
    }
    let content_type = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !content_type.starts_with("application/json") {
        return Err(Reply::json(
            415,
            &json!({ "error": { "code": "UnsupportedMediaType", "message": "The media type isn't supported." } }),
        ));
    }
    // Found with accented characters: the body is read in the wrong encoding and the server gives up.
    if !request.body.is_ascii() && !content_type.replace(' ', "").contains("charset=utf-8") {
        return Err(Reply::json(
            500,
            &json!({ "error": { "code": "InternalServerError", "message": "An error has occurred." } }),
        ));
    }
    let (name, parameters) = input(&request.body).map_err(|exception| refuse(world, &exception))?;
    let Some(cmdlet) = Cmdlet::find(&name).filter(|found| world.options.grants(&found.name())) else {
        return Err(forbidden());
    };
    let outcome = cmdlet::run(world, cmdlet, &parameters, end).map_err(|exception| refuse(world, &exception))?;
    Ok(outcome_reply(world, request, end, cmdlet, outcome))
}

/// The cmdlet and the parameters of a body.
fn input(body: &Bytes) -> Result<(String, Map<String, Value>), Exception> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Exception::request("The request body isn't valid JSON."))?;
    let input = body.get("CmdletInput").ok_or_else(|| Exception::request("The parameter 'CmdletInput' is missing."))?;
    let name = input.get("CmdletName").and_then(Value::as_str).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Exception::request("The property 'CmdletName' is missing."))?;
    // `null` is a different request from an empty object, and not one that means anything.
    match input.get("Parameters") {
        Some(Value::Object(parameters)) => Ok((name.to_owned(), parameters.clone())),
        _ => Err(Exception::request("A value of the property 'Parameters' must be an object.")),
    }
}

fn outcome_reply(world: &mut World, request: &Request, end: usize, cmdlet: Cmdlet, outcome: Outcome) -> Reply {
    if let Some(question) = outcome.confirmation {
        let body = json!({ "@odata.context": context(world), "@adminapi.confirmationmessage": question, "value": [] });
        return Reply::json(200, &body);
    }
    let silent = !cmdlet.name().starts_with("Get-") && outcome.records.is_empty();
    if silent && outcome.warnings.is_empty() {
        world.silent_answers += 1;
        // Both forms of an empty answer occur.
        if world.silent_answers.is_multiple_of(2) {
            return Reply::empty(204);
        }
    }
    let chosen = request.query("$select");
    let chosen: Option<Vec<String>> = chosen.map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let rows = outcome.records.into_iter().map(|record| render::select(record, chosen.as_deref())).collect();
    page(world, request, end, rows, &outcome.warnings)
}

/// One page of records, with the link to the next.
fn page(world: &mut World, request: &Request, end: usize, rows: Vec<Value>, warnings: &[String]) -> Reply {
    let asked = request.header("prefer").and_then(|prefer| {
        let size = prefer.split([';', ',']).find_map(|part| part.trim().strip_prefix("odata.maxpagesize="));
        size.and_then(|size| size.trim().parse::<usize>().ok())
    });
    let size = asked.unwrap_or(world.options.page_size).min(world.options.page_size);
    let now = world.clock.now();
    let (rows, token) = world.pages.split(end, rows, size, now);
    let mut body = json!({ "@odata.context": context(world), "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": warnings, "value": rows });
    if let Some(token) = token {
        let host = request.header("host").unwrap_or("127.0.0.1");
        body["@odata.nextLink"] = json!(format!("http://{host}{}?$skiptoken={token}", request.uri.path()));
    }
    let mut reply = Reply::json(200, &body);
    if asked.is_some() {
        reply.set_header("Preference-Applied", format!("odata.maxpagesize={size}"));
    }
    reply
}

/// Runs the requests of a batch one after the other; each is matched with faults by itself.
fn batch(world: &mut World, request: &Request, end: usize) -> Result<Reply, Reply> {
    let bad = |words: &str| Reply::json(400, &json!({ "error": { "code": "BadRequest", "message": words } }));
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| bad("The batch isn't valid JSON."))?;
    let requests = body.get("requests").and_then(Value::as_array).ok_or_else(|| bad("The batch holds no requests."))?;
    if requests.len() > BATCH_LIMIT {
        return Err(bad("The batch holds more than 10 requests."));
    }
    let mut responses = Vec::new();
    let mut delay = Duration::ZERO;
    for part in requests {
        let mut headers = request.headers.clone();
        let content_type = part.pointer("/headers/Content-Type").and_then(Value::as_str);
        // The parts are in the batch's own encoding, which is UTF-8.
        let content_type = content_type.unwrap_or("application/json;charset=utf-8");
        if let Ok(value) = content_type.parse() {
            headers.insert("content-type", value);
        }
        let url = part.get("url").and_then(Value::as_str).unwrap_or_default();
        let path = url.find("/adminapi").map_or(url, |at| &url[at..]);
        let inner = Request {
            method: Method::POST,
            uri: path.parse().map_err(|_| bad("A request of the batch has no valid url."))?,
            headers,
            tenant: request.tenant.clone(),
            operation: "InvokeCommand".into(),
            body: Bytes::from(part.get("body").cloned().unwrap_or_default().to_string()),
        };
        let reply = serve(world, &inner, end);
        delay = delay.max(reply.delay);
        let headers: Map<String, Value> = reply.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let body = serde_json::from_slice::<Value>(&reply.body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&reply.body).into_owned()));
        responses.push(json!({ "id": part.get("id"), "status": reply.status, "headers": headers, "body": body }));
    }
    let mut reply = Reply::json(200, &json!({ "responses": responses }));
    reply.delay = delay;
    Ok(reply)
}

fn context(world: &World) -> String {
    format!(
        "https://outlook.office.com/adminapi/beta/{}/$metadata#Collection(Exchange.GenericHashTable)",
        world.options.tenant_id
    )
}

/// Adds the headers that every live answer carries.
fn dress(world: &World, reply: &mut Reply, id: &str, end: usize) {
    let calls: u64 = world.ledger.counts.calls.values().sum();
    let reset = super::values::date_text(world.clock.now() + time::Duration::minutes(5), "Z");
    for (name, value) in [
        ("Request-Id", id.to_owned()),
        ("X-CalculatedBETarget", TARGETS[end].to_owned()),
        ("X-BackEndHttpStatus", reply.status.to_string()),
        ("X-ConcurrencyCount", "1".into()),
        ("X-CombinedAppOnlyConcurrencyCount", "1".into()),
        ("X-Proxy-RoutingCorrectness", "1".into()),
        ("Rate-Limit-Limit", "30000".into()),
        ("Rate-Limit-Remaining", 30_000_u64.saturating_sub(calls).to_string()),
        ("Rate-Limit-Reset", reset),
    ] {
        // What a test scripted stays as it was scripted.
        if !reply.headers.iter().any(|(standing, _)| standing.eq_ignore_ascii_case(name)) {
            reply.headers.push((name.into(), value));
        }
    }
}
