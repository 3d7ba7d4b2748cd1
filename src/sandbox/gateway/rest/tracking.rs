//! `GET message-tracking/messages`: a search over the messages that mail has brought or a test has put there, and `…/details`: the steps of one.

use std::sync::Arc;

use serde_json::{Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{Outcome, Request, Wrong};
use crate::sandbox::gateway::state::Shared;

/// How the parameters write a moment.
const ASKED: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
/// How answers write one.
const TOLD: &[BorrowedFormatItem<'_>] =
    format_description!("[day] [month repr:short] [year] [hour]:[minute]:[second] (GMT +00:00)");
/// Whether a message is among those that are searched for.
type Test = Box<dyn Fn(&Value) -> bool>;

/// The most of one answer.
const MOST: usize = 100;

/// Answers a search, the newest message first.
pub(super) fn search(shared: &Arc<Shared>, request: &Request) -> Outcome {
    let of = |name: &str| request.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (start, end) = (moment(of("startDate"))?, moment(of("endDate"))?);
    if start > end {
        return Err(Wrong::parameter("startDate should not be greater than endDate."));
    }
    let number = |name: &str, usual: usize| match of(name) {
        None => Ok(usual),
        Some(text) => text.parse().map_err(|_| Wrong::parameter(format!("Invalid value for {name}."))),
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", MOST)?);
    if limit == 0 || limit > MOST {
        return Err(Wrong::parameter(format!("limit should be between 1 and {MOST}.")));
    }
    let mut wanted: Vec<Test> = Vec::new();
    for (name, value) in &request.parameters {
        match name.as_str() {
            "startDate" | "endDate" | "offset" | "limit" => {}
            "searchOption" if value == "messages" => {}
            "ciscoHost" => {
                let value = value.clone();
                wanted.push(Box::new(move |row| value == "All_Hosts" || row["hostName"].as_str() == Some(&value)));
            }
            "envelopeSenderfilterOperator"
            | "envelopeRecipientfilterOperator"
            | "subjectfilterOperator"
            | "attachmentNameOperator" => {
                compare("x", value, "x")?;
            }
            "envelopeSenderfilterValue" | "envelopeRecipientfilterValue" | "subjectfilterValue" | "attachmentNameValue" => {
                let pair = name.trim_end_matches("Value");
                let how = of(&format!("{pair}Operator"))
                    .ok_or_else(|| Wrong::parameter(format!("{pair}Operator is required with {name}.")))?
                    .to_owned();
                let field = match pair {
                    "envelopeSenderfilter" => "sender",
                    "envelopeRecipientfilter" => "recipient",
                    "subjectfilter" => "subject",
                    _ => "_attachments",
                };
                let value = value.clone();
                wanted.push(Box::new(move |row| {
                    texts(&row[field]).iter().any(|text| compare(text, &how, &value).unwrap_or(false))
                }));
            }
            "fileSha256" => {
                let value = value.to_lowercase();
                wanted.push(Box::new(move |row| texts(&row["_sha256"]).iter().any(|hash| hash.to_lowercase() == value)));
            }
            "message_delivered" => {
                wanted.push(Box::new(|row| row["messageStatus"].to_string().contains("Delivered")));
            }
            "graymail" => wanted.push(Box::new(|row| row["_graymail"] == json!(true))),
            other => return Err(Wrong::parameter(format!("Invalid query parameter: {other}."))),
        }
    }
    let state = shared.state();
    let mut found: Vec<(OffsetDateTime, &Value)> = state
        .rest
        .messages
        .iter()
        .filter(|row| is_due(row))
        .filter_map(|row| Some((told(row)?, row)))
        .filter(|(at, row)| (start..=end).contains(at) && wanted.iter().all(|test| test(row)))
        .collect();
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let total = found.len();
    let rows: Vec<Value> =
        found.into_iter().skip(offset).take(limit).map(|(at, row)| json!({"attributes": shown(row, at)})).collect();
    Ok((200, json!({"meta": {"num_bad_records": state.rest.bad_records, "totalCount": total}, "data": rows})))
}

/// Answers with the steps of one message, which is named by its numbers.
pub(super) fn details(shared: &Arc<Shared>, request: &Request) -> Outcome {
    let of = |name: &str| request.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (start, end) = (moment(of("startDate"))?, moment(of("endDate"))?);
    let number = |name: &str| {
        let text = of(name).ok_or_else(|| Wrong::parameter(format!("{name} is mandatory.")))?;
        text.parse::<u64>().map_err(|_| Wrong::parameter(format!("Invalid value for {name}.")))
    };
    let (mid, icid) = (number("mid")?, number("icid")?);
    let serial = of("serialNumber").ok_or_else(|| Wrong::parameter("serialNumber is mandatory."))?;
    let state = shared.state();
    let named = |row: &&Value| {
        is_due(row)
            && row["mid"].as_array().is_some_and(|all| all.contains(&json!(mid)))
            && row["icid"] == json!(icid)
            && row["serialNumber"].as_str().is_none_or(|own| own == serial)
    };
    let found: Vec<(OffsetDateTime, &Value)> =
        state.rest.messages.iter().filter(named).filter_map(|row| Some((told(row)?, row))).collect();
    let Some((at, row)) = found.first().filter(|(at, _)| (start..=end).contains(at)) else {
        return Ok((200, json!({"data": {"messages": {}}})));
    };
    let mut members = shown(row, *at);
    let told = at.format(TOLD).unwrap_or_default();
    // A message to several recipients has a row for each way that it went.
    let mut steps: Vec<&Value> = Vec::new();
    for step in found.iter().flat_map(|(_, row)| row["_summary"].as_array().into_iter().flatten()) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let last = steps.len();
    members["summary"] = steps
        .into_iter()
        .enumerate()
        .map(|(at, step)| json!({"timestamp": told, "description": step, "lastEvent": at + 1 == last}))
        .collect();
    members["sendingHostSummary"] =
        json!({"reverseDnsHostname": row["_host"], "ipAddress": row["senderIp"], "sbrsScore": row["sbrs"]});
    members["messageSize"] = row["_size"].clone();
    Ok((200, json!({"data": {"messages": members}})))
}

/// Tells whether the tracking shows a message already: one that came by mail is late.
fn is_due(row: &Value) -> bool {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    row.get("_due").and_then(Value::as_i64).is_none_or(|due| i128::from(due) <= now)
}

/// The moment of a message that was put there: `_time`, in seconds since 1970.
fn told(row: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(row.get("_time")?.as_i64()?).ok()
}

/// A message without what is not shown of it.
fn shown(row: &Value, at: OffsetDateTime) -> Value {
    let members = row.as_object().cloned().unwrap_or_default();
    let mut members: serde_json::Map<String, Value> = members.into_iter().filter(|(name, _)| !name.starts_with('_')).collect();
    members.entry("timestamp").or_insert_with(|| json!(at.format(TOLD).unwrap_or_default()));
    Value::Object(members)
}

fn moment(text: Option<&str>) -> Result<OffsetDateTime, Wrong> {
    let text = text.ok_or_else(|| Wrong::parameter("startDate and endDate are mandatory."))?;
    let at = PrimitiveDateTime::parse(text, ASKED)
        .map_err(|_| Wrong::parameter("Invalid date format. The format is YYYY-MM-DDThh:mm:00.000Z."))?;
    if at.second() != 0 || at.millisecond() != 0 {
        return Err(Wrong::parameter("startDate and endDate attribute supports only 00 seconds and 000 microseconds."));
    }
    Ok(at.assume_utc())
}

fn compare(text: &str, how: &str, wanted: &str) -> Result<bool, Wrong> {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    match how {
        "contains" => Ok(text.contains(&wanted)),
        "is" => Ok(text == wanted),
        "begins_with" => Ok(text.starts_with(&wanted)),
        other => Err(Wrong::parameter(format!("Invalid operator: {other}."))),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}
