//! How long an operation takes at most, whatever the service does meanwhile. The clock is paused, so hours cost nothing.

use std::io::Write as _;
use std::sync::Mutex;

use super::*;
use crate::exchange::PACE;

/// How long an operation of the tests may take, and how much longer it may be until it has answered.
const LIMIT: Duration = Duration::from_mins(2);
const LONGER: Duration = Duration::from_secs(30);

/// What a service can do instead of answering.
const TROUBLES: [&str; 12] = [
    "silent",
    "slow",
    "cut",
    "endless",
    "throttled",
    "throttled for a day",
    "busy",
    "redirected in a circle",
    "redirected elsewhere",
    "compressed",
    "nested",
    "pages in a circle",
];

fn trouble(kind: &str, seen: &Seen, healthy: Said) -> Said {
    let circle = |status| Said::of(status, "").header("location", seen.path.clone());
    match kind {
        "silent" => healthy.after(Duration::from_hours(24)),
        "slow" => healthy.after(Duration::from_secs(80)),
        "cut" => healthy.broken(),
        "endless" => Said::of(200, "{\"value\": [").endless(),
        "throttled" => Said::of(429, ""),
        "throttled for a day" => Said::of(429, "").header("retry-after", "86400"),
        "busy" => Said::of(503, ""),
        "redirected in a circle" => circle(307),
        "redirected elsewhere" => Said::of(302, "").header("location", "https://example.org/"),
        "compressed" => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&vec![b'['; 8 << 20]).unwrap();
            Said::of(200, packed.finish().unwrap()).header("content-encoding", "gzip")
        }
        "nested" => Said::of(200, format!("{{\"value\": {}", "[".repeat(500_000))),
        "pages in a circle" => Said::of(200, json!({"value": [], "@odata.nextLink": seen.path}).to_string()),
        other => panic!("{other}"),
    }
}

/// A tenant with one connector of ours, and a service that has the trouble with the cmdlets of one verb once it is told to.
async fn troubled(kind: &'static str, verb: &'static str) -> (Arc<Mutex<bool>>, Service, Arc<Exchange>, Record) {
    let (tenant, begins) = (Tenant::default(), Arc::new(Mutex::new(false)));
    let service = Service::start({
        let begins = Arc::clone(&begins);
        move |seen| {
            let healthy = tenant.answer(seen);
            let is_it = *begins.lock().unwrap() && seen.cmdlet().starts_with(verb);
            if is_it { trouble(kind, seen, healthy) } else { healthy }
        }
    })
    .await;
    let exchange = Arc::new(Exchange::with_pace(&service.settings(), PACE).unwrap());
    let made = create(&exchange, inbound(), &connector("ours")).await.unwrap();
    // Another process: nothing of it is known.
    let exchange = Arc::new(Exchange::with_pace(&service.settings(), PACE).unwrap());
    (begins, service, exchange, made)
}

async fn operate(operation: &str, exchange: &Exchange, made: &Record) -> &'static str {
    let limit = Call::new(tokio_util::sync::CancellationToken::new(), LIMIT);
    let said = |good: bool| if good { "done" } else { "refused" };
    match operation {
        "read" => said(exchange.read(inbound(), made, &limit).await.is_ok()),
        "create" => said(create_with(exchange, inbound(), &connector("another"), &limit).await.is_ok()),
        "update" => {
            let wanted = made.clone().with("comment", "changed");
            let change = Change { resource: inbound(), prior: Some(made), planned: &wanted, effective: &wanted, config: &wanted };
            said(exchange.update(change, &limit).await.is_ok())
        }
        _ => said(exchange.delete(inbound(), made, &limit).await.is_ok()),
    }
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "docs/performance.md has what it measures")]
async fn rs8_no_operation_outlasts_its_time_limit_by_half_a_minute_whatever_the_service_does() {
    for kind in TROUBLES {
        let mut longest = Duration::ZERO;
        for (operation, verbs) in
            [("read", &["Get"][..]), ("create", &["New", "Get"]), ("update", &["Set", "Get"]), ("delete", &["Remove", "Get"])]
        {
            for verb in verbs {
                let (begins, _service, exchange, made) = troubled(kind, verb).await;
                *begins.lock().unwrap() = true;
                let begin = tokio::time::Instant::now();
                let end = operate(operation, &exchange, &made).await;
                let took = begin.elapsed();
                assert!(took <= LIMIT + LONGER, "{operation} with {verb} {kind}: {end} after {took:?}");
                longest = longest.max(took);
            }
        }
        println!("{kind}: {longest:?} at most");
    }
}
