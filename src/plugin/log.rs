//! Log lines for the host: one JSON object per line on standard error, in the form of HashiCorp's hclog.
//!
//! The host crashes on a line whose `@message` is not text, and takes a line whose `@timestamp` has other than six fractional
//! digits for plain text: lines are made in one place, here. Without `TF_LOG` nothing is written. Only events of this
//! crate are taken: what other crates log may hold what was sent.
//!
//! Events name attributes and never hold their values.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::remote;

/// Longer texts are cut: the host reads lines in pieces of 64 KiB, and a piece is no JSON.
const LONGEST_TEXT: usize = 8 * 1024;

const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// Starts the log, if the environment asks for one. `name` is the provider's.
pub(super) fn start(name: &str, variable: impl Fn(&str) -> Option<String>) {
    let level = level(name, variable);
    if level != LevelFilter::OFF {
        // Fails only where somebody else set up a log of their own, which is then the one to use.
        let _ = tracing::subscriber::set_global_default(Registry::default().with(Lines::new(level, io::stderr())));
    }
}

/// The level that `TF_LOG_PROVIDER_<NAME>`, `TF_LOG_PROVIDER` or `TF_LOG` asks for: the first that is set.
fn level(name: &str, variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let own = format!("TF_LOG_PROVIDER_{}", name.to_ascii_uppercase());
    let asked =
        [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"].into_iter().find_map(|name| variable(name).filter(|level| !level.is_empty()));
    match asked.map(|level| level.to_ascii_uppercase()).as_deref() {
        None | Some("OFF") => LevelFilter::OFF,
        Some("ERROR") => LevelFilter::ERROR,
        Some("WARN") => LevelFilter::WARN,
        Some("INFO") => LevelFilter::INFO,
        Some("DEBUG") => LevelFilter::DEBUG,
        // `JSON`, and whatever the host does not know, is everything to the host, too.
        Some(_) => LevelFilter::TRACE,
    }
}

struct Lines<W> {
    level: LevelFilter,
    out: Mutex<W>,
}

impl<W> Lines<W> {
    fn new(level: LevelFilter, out: W) -> Lines<W> {
        Lines { level, out: Mutex::new(out) }
    }
}

/// What a span adds to the lines of the events inside it.
struct Facts(Map<String, Value>);

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + 'static,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let crate_name = env!("CARGO_CRATE_NAME");
        *metadata.level() <= self.level && metadata.target().split("::").next() == Some(crate_name)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut facts = Facts(Map::new());
        attributes.record(&mut facts);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(facts);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(facts) = span.extensions_mut().get_mut::<Facts>()
        {
            values.record(facts);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut facts = Facts(Map::new());
        for span in context.event_scope(event).into_iter().flatten().collect::<Vec<_>>().into_iter().rev() {
            if let Some(of_span) = span.extensions().get::<Facts>() {
                facts.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut facts);
        let line = line(facts.0, event.metadata(), OffsetDateTime::now_utc());
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to be told if the host does not read its log.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

fn line(mut facts: Map<String, Value>, metadata: &Metadata<'_>, now: OffsetDateTime) -> String {
    let message = match facts.remove("message") {
        Some(Value::String(message)) => message,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let level = match *metadata.level() {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    };
    // A field may not pass for one of these.
    facts.retain(|name, _| !name.starts_with('@'));
    facts.insert("@level".to_owned(), level.into());
    facts.insert("@message".to_owned(), message.into());
    facts.insert("@module".to_owned(), metadata.target().replace("::", ".").into());
    if let Ok(timestamp) = now.format(TIMESTAMP) {
        facts.insert("@timestamp".to_owned(), timestamp.into());
    }
    format!("{}\n", Value::Object(facts))
}

impl Facts {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    /// An empty text says nothing and is left out.
    fn put_text(&mut self, field: &Field, text: &str) {
        if text.is_empty() {
            return;
        }
        let text = remote::shown(text);
        let cut = match text.char_indices().find(|(at, _)| *at >= LONGEST_TEXT) {
            Some((at, _)) => format!("{}… (cut)", text.get(..at).unwrap_or_default()),
            None => text,
        };
        self.put(field, cut);
    }
}

impl Visit for Facts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put_text(field, &value.to_string());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(level: LevelFilter, log: impl FnOnce()) -> Vec<Map<String, Value>> {
        let paper = Paper::default();
        let log_lines = Registry::default().with(Lines::new(level, paper.clone()));
        tracing::subscriber::with_default(log_lines, log);
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_what_the_host_parses() {
        let lines = written(LevelFilter::TRACE, || tracing::info!(count = 3, ok = true, name = "x\ny", "hello"));
        let [line] = lines.as_slice() else { panic!("{} lines", lines.len()) };
        assert_eq!(line["@level"], "info");
        assert_eq!(line["@message"], "hello");
        assert_eq!(line["@module"], "mailflow.plugin.log.tests");
        assert_eq!((&line["count"], &line["ok"], &line["name"]), (&3.into(), &true.into(), &"x\ny".into()));
        let form = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$").unwrap();
        assert!(form.is_match(line["@timestamp"].as_str().unwrap()), "{}", line["@timestamp"]);
    }

    #[test]
    fn the_message_is_text_whatever_was_logged() {
        for line in written(LevelFilter::TRACE, || {
            tracing::info!(message = 42);
            tracing::info!(message = false);
            tracing::info!(count = 1);
            tracing::info!("panic: not really");
        }) {
            assert!(line["@message"].is_string(), "{line:?}");
        }
    }

    #[test]
    fn spans_add_their_fields_and_the_event_has_the_last_word() {
        let lines = written(LevelFilter::TRACE, || {
            let outer = tracing::info_span!("outer", tf_rpc = "Read", step = 1, found = tracing::field::Empty).entered();
            outer.record("found", true);
            tracing::info!(step = 2, "inside");
        });
        assert_eq!((&lines[0]["tf_rpc"], &lines[0]["step"], &lines[0]["found"]), (&"Read".into(), &2.into(), &true.into()));
    }

    #[test]
    fn p12_other_crates_and_finer_levels_are_not_written() {
        assert!(
            written(LevelFilter::INFO, || {
                tracing::debug!("too fine");
                tracing::error!(target: "reqwest::connect", "what was sent");
                tracing::error!(target: "mailflow_else", "another crate");
            })
            .is_empty()
        );
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let lines = written(LevelFilter::INFO, || tracing::info!(text = "é".repeat(LONGEST_TEXT), "long"));
        let text = lines[0]["text"].as_str().unwrap();
        assert!(text.len() < LONGEST_TEXT + 20 && text.ends_with("… (cut)"));
    }

    #[test]
    fn the_level_is_that_of_the_narrowest_variable() {
        let check = |set: &[(&str, &str)]| {
            level("mailflow", |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(check(&[]), LevelFilter::OFF);
        assert_eq!(check(&[("TF_LOG", "")]), LevelFilter::OFF);
        assert_eq!(check(&[("TF_LOG", "debug")]), LevelFilter::DEBUG);
        assert_eq!(check(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "WARN")]), LevelFilter::WARN);
        assert_eq!(check(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "off")]), LevelFilter::OFF);
        assert_eq!(check(&[("TF_LOG_PROVIDER", "WARN"), ("TF_LOG_PROVIDER_MAILFLOW", "INFO")]), LevelFilter::INFO);
        assert_eq!(check(&[("TF_LOG", "JSON")]), LevelFilter::TRACE);
        assert_eq!(check(&[("TF_LOG", "loud")]), LevelFilter::TRACE);
    }
}
