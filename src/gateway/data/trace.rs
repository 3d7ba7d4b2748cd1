//! What the gateway would do with a message: the command `trace`.

use std::net::IpAddr;

use crate::gateway::objects::Gateway;
use crate::gateway::table::Printout;
use crate::gateway::trace::reading::{Outcome, Trace, read as understand};
use crate::gateway::trace::{Message, check, is_header_name};
use crate::remote::{Call, Error, Masks};
use crate::schema::{Attribute, DataSource, Record, Rule, list, list_of, map, string};
use crate::value::{Diagnostic, Diagnostics, Path, Value};

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "gateway_trace",
    noun: "message trace",
    about: "Asks the gateway what it would do with a message, with its command `trace`. Nothing is sent and nothing is changed. The answer \
            covers the Host Access Table, the Recipient Access Table, the filters and the mail policies, up to the delivery queue. SMTP routes and \
            destination controls come after the queue: `enqueued` says nothing about them. What the gateway prints and this provider \
            does not understand is an error, never an outcome. In a cluster the answer holds for one machine, which `machine` names.",
    attributes: &[
        string("listener", "The listener that the message comes to. Upper and lower case matter.").required().format("the name of a listener", word),
        string("source_ip", "The address that it comes from.").required().format("an IP address", address),
        string(
            "source_host",
            "The host name of that address, such as `mail-am6eur05on2104.outbound.protection.outlook.com`. The gateway looks nothing up: it takes \
             this name for the one that the DNS has.",
        )
        .required()
        .format("a host name", word),
        string("mail_from", "The envelope sender; `<>` for the empty one.").required().format("an address without blanks", word),
        list("rcpt_to", "The envelope recipients.").required().format("an address without blanks and commas", recipient),
        map("headers", "The headers of the message, by name. Without any, the message has a subject only.").filled_empty().sensitive(),
        string("body", "The text of the message. Without it, the message has one line.").sensitive().lines(),
        string("outcome", "What becomes of the message: `enqueued` (it is put into the delivery queue), `split` (some copies of it are, others are not), `dropped`, `bounced`, `quarantined` or `rejected` (the connection or all recipients are refused).")
            .choices(Outcome::WORDS)
            .computed(),
        string("sender_group", "The sender group that the connection falls into. Null where an entry without a group matched.").computed(),
        string("sender_entry", "The entry of the Host Access Table that matched, if the gateway says so.").computed(),
        string("policy", "The mail flow policy. Null where the group has a behavior of its own.").computed(),
        string("behavior", "What the policy does: `accept`, `relay`, `reject` or `tcp_refuse`.").computed(),
        list_of("recipients", "The envelope recipients, as the gateway goes through them. Empty where the connection is refused.", RECIPIENT).computed(),
        list_of("filters", "The filters that were tried, in their order: message filters first, then the content filters of each mail policy.", FILTER)
            .computed(),
        string(
            "message",
            "The message as it would be delivered, with the headers that filters added or removed. Null where it is not delivered. With several \
             mail policies, it is the copy of the first.",
        )
        .sensitive()
        .computed(),
        string("machine", "The machine of the cluster that gave the answer: it holds for that machine's configuration. Null without a cluster.").computed(),
        list("not_covered", "What the gateway does after the delivery queue, and `trace` says nothing about.").computed(),
    ],
    rules: &[Rule::Hook("`headers` and `body` can be typed: names of headers are names, and no line of the text is a single dot.", message_rule)],
};

const RECIPIENT: &[Attribute] = &[
    string("address", "The address.").computed(),
    string("entry", "The entry of the Recipient Access Table that matched. Null on a listener without that table.").computed(),
    string("action", "What the entry does: `accept` or `reject`. Null on a listener without that table.").computed(),
];

const FILTER: &[Attribute] = &[
    string("name", "The name of the filter.").computed(),
    string("mail_policy", "The mail policy whose content filter it is. Null for a message filter.").computed(),
    list(
        "actions",
        "The names of the actions that it takes, such as `strip-header` and `drop`. Empty where its rule does not match.",
    )
    .computed(),
];

/// What comes after the delivery queue.
const NOT_COVERED: [&str; 2] = ["smtp_routes", "destination_controls"];

/// Asks the gateway.
pub(super) async fn read(gateway: &Gateway, config: &Record, call: &Call) -> Result<Record, Error> {
    let message = message(config);
    check(&message).map_err(|error| error.at(Path::root().attribute("body")))?;
    let masks = message.headers.iter().fold(Masks::new().with(message.body.trim()), |masks, (_, value)| masks.with(value));
    // A machine may have listeners of its own: the list only tells whether there is a choice.
    let listeners = gateway.rows(&Printout::Listeners, call).await?;
    let several = listeners.rows.len() > 1 && !listeners.rows.is_empty();
    let report = gateway.report(&message.dialog(several), call).await.map_err(|error| masks.mask_error(error))?;
    let trace = understand(&report.told, &message.rcpt_to, &message.lines())?;
    Ok(record(&trace, report.machine.as_deref()))
}

fn record(trace: &Trace, machine: Option<&str>) -> Record {
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::text);
    let recipients = trace.recipients.iter().map(|recipient| {
        Value::object([
            ("address", Value::text(&recipient.address)),
            ("entry", text(recipient.entry.as_deref())),
            ("action", text(recipient.action)),
        ])
    });
    let filters = trace.filters.iter().map(|filter| {
        Value::object([
            ("name", Value::text(&filter.name)),
            ("mail_policy", text(filter.mail_policy.as_deref())),
            ("actions", Value::texts(&filter.actions)),
        ])
    });
    Record::new()
        .with("outcome", trace.outcome.word())
        .with("sender_group", text(trace.sender_group.as_deref()))
        .with("sender_entry", text(trace.sender_entry.as_deref()))
        .with("policy", text(trace.policy.as_deref()))
        .with("behavior", trace.behavior)
        .with("recipients", Value::List(recipients.collect()))
        .with("filters", Value::List(filters.collect()))
        .with("message", text(trace.message.as_deref()))
        .with("machine", text(machine))
        .with("not_covered", Value::texts(NOT_COVERED))
}

fn message(config: &Record) -> Message {
    let text = |name: &str| config.text(name).unwrap_or_default().to_owned();
    let headers = config.get("headers").as_members().into_iter().flatten();
    Message {
        listener: text("listener"),
        source_ip: text("source_ip"),
        source_host: text("source_host"),
        mail_from: text("mail_from"),
        rcpt_to: config.texts("rcpt_to").into_iter().map(str::to_owned).collect(),
        headers: headers.filter_map(|(name, value)| Some((name.clone(), value.as_text()?.to_owned()))).collect(),
        body: text("body"),
    }
}

fn address(text: &str) -> Result<(), String> {
    text.parse::<IpAddr>().map(|_| ()).map_err(|_| format!("{text:?} is not an IP address such as 192.0.2.1 or 2001:db8::1."))
}

fn word(text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(format!("{text:?} is empty or has blanks."));
    }
    Ok(())
}

fn recipient(text: &str) -> Result<(), String> {
    word(text)?;
    if text.contains(',') {
        return Err(format!("{text:?} has a comma: list each recipient by itself."));
    }
    Ok(())
}

fn message_rule(config: &Record) -> Diagnostics {
    let wrong =
        |name: &str, text: &str| Diagnostic::error("Not a message that can be typed", text).at(Path::root().attribute(name));
    let mut found = Vec::new();
    for (name, value) in config.get("headers").as_members().into_iter().flatten() {
        if !is_header_name(name) {
            found.push(wrong(
                "headers",
                &format!("{name:?} is not the name of a header: it has printable ASCII letters and no colon."),
            ));
        }
        if value.as_text().is_some_and(|value| value.contains(['\n', '\r'])) {
            found.push(wrong("headers", &format!("The value of the header {name:?} has a line break.")));
        }
    }
    if config.text("body").is_some_and(|body| body.lines().any(|line| line.trim() == ".")) {
        found.push(wrong("body", "A line is a single dot, which would end the message."));
    }
    if config.get("rcpt_to").as_elements().is_some_and(<[Value]>::is_empty) {
        found.push(wrong("rcpt_to", "There is no recipient: name at least one."));
    }
    found
}
