//! Turns a JSON value of a request into the form that Get shows, kind by kind.
//!
//! Two refusals are told apart, because the service does: a value that cannot be turned into the parameter's type
//! (`ParameterTransformationException`, before the cmdlet runs) and one that the cmdlet refuses.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::errors::Exception;
use super::noun::{Item, Kind, Parameter};

/// Why a string has not the form.
enum Refusal {
    /// It cannot be turned into this type.
    Unreadable(&'static str),
    /// The cmdlet refuses it, in these words.
    Refused(String),
}

/// Turns one value into the form that Get shows; lists are turned item by item with [`item`].
pub(crate) fn scalar(parameter: &Parameter, value: &Value) -> Result<Value, Exception> {
    let name = parameter.name.as_ref();
    let cannot = |type_name: &str| unreadable(name, &shown(value), type_name);
    match &parameter.kind {
        Kind::Refused(words) => Err(Exception::argument(*words)),
        Kind::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::Number(number) => Ok(Value::Bool(number.as_f64() != Some(0.0))),
            _ => Err(Exception::transformation(
                name,
                &format!(
                    "Cannot convert value \"{}\" to type \"System.Boolean\". Boolean parameters accept only Boolean values and \
                     numbers, such as $True, $False, 1 or 0.",
                    shown(value)
                ),
            )),
        },
        Kind::Integer(low, high) => {
            let number = integer(value).ok_or_else(|| cannot("System.Int32"))?;
            if number < *low || number > *high {
                return Err(Exception::argument(format!(
                    "The value '{number}' of '{name}' is out of range. It must be between {low} and {high}."
                )));
            }
            Ok(Value::from(number))
        }
        Kind::Level => {
            let number = integer(value).ok_or_else(|| cannot("Microsoft.Exchange.Data.SclValue"))?;
            if !(-1..=9).contains(&number) {
                return Err(cannot("Microsoft.Exchange.Data.SclValue"));
            }
            Ok(Value::from(number.to_string()))
        }
        Kind::Text(max) => {
            let text = text(value).ok_or_else(|| cannot("System.String"))?;
            length(name, &text, *max)?;
            Ok(Value::from(text))
        }
        Kind::Choice(names) => choice(name, names, value),
        Kind::One(form) => {
            let text = text(value).ok_or_else(|| cannot(type_name(*form)))?;
            item(name, *form, &text)
        }
        Kind::Size => {
            let text = text(value).ok_or_else(|| cannot("Microsoft.Exchange.Data.ByteQuantifiedSize"))?;
            if text.eq_ignore_ascii_case("unlimited") {
                return Ok(Value::from("Unlimited"));
            }
            let bytes = size(&text).ok_or_else(|| cannot("Microsoft.Exchange.Data.ByteQuantifiedSize"))?;
            Ok(Value::from(size_text(bytes)))
        }
        Kind::Date(zone) => {
            let text = text(value).ok_or_else(|| cannot("System.DateTime"))?;
            let date = date(&text).ok_or_else(|| cannot("System.DateTime"))?;
            Ok(Value::from(date_text(date, zone)))
        }
        Kind::Span => {
            let text = text(value).ok_or_else(|| cannot("Microsoft.Exchange.Data.EnhancedTimeSpan"))?;
            span(&text).map(Value::from).ok_or_else(|| cannot("Microsoft.Exchange.Data.EnhancedTimeSpan"))
        }
        Kind::Choices(_) | Kind::Values(_) | Kind::Array(_) => Err(cannot("System.Object[]")),
    }
}

/// Turns one member of a list into the form that Get shows.
pub(crate) fn member(parameter: &Parameter, value: &Value) -> Result<Value, Exception> {
    let name = parameter.name.as_ref();
    match &parameter.kind {
        Kind::Choices(names) => choice(name, names, value),
        Kind::Values(form) | Kind::Array(form) => {
            let text = text(value).ok_or_else(|| unreadable(name, &shown(value), type_name(*form)))?;
            item(name, *form, &text)
        }
        _ => scalar(parameter, value),
    }
}

/// Sorts what the service keeps as a set, and drops what is there twice; text is compared without case.
pub(crate) fn arrange(form: Item, values: &mut Vec<Value>) {
    if matches!(
        form,
        Item::AddressSpace | Item::Domain | Item::ConnectorAddress | Item::FilterAddress | Item::AddressRange | Item::SmartHost
    ) {
        values.sort_by_key(folded);
    }
    let mut seen = std::collections::BTreeSet::new();
    // The case of a class in a regular expression says what it is: `\\s`, `\\S`.
    let is_exact = |value: &Value| form == Item::Pattern && shown(value).contains('\\');
    values.retain(|value| seen.insert(if is_exact(value) { shown(value) } else { folded(value) }));
}

/// The value as text without case, for comparison.
pub(crate) fn folded(value: &Value) -> String {
    shown(value).to_lowercase()
}

/// The bytes of a size in any of the service's spellings.
pub(crate) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some((_, rest)) = text.split_once('(') {
        // Whatever the culture of the one who asks puts between the digits.
        let number = rest.strip_suffix("bytes)")?;
        if number.chars().any(char::is_alphabetic) || number.contains('-') {
            return None;
        }
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        return digits.parse().ok();
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// A size as Get shows it in another culture, with this between the groups of its digits.
pub(crate) fn regrouped(size: &str, grouping: &str) -> String {
    match size.split_once('(') {
        Some((short, exact)) => format!("{short}({}", exact.replace(',', grouping)),
        None => size.to_owned(),
    }
}

/// A size as Get shows it: `10 MB (10,485,760 bytes)`.
pub(crate) fn size_text(bytes: u64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut scale = 1_u64;
    while unit + 1 < units.len() && bytes >= scale * 1024 {
        scale *= 1024;
        unit += 1;
    }
    // Four digits count: `97.66 KB`, `1.172 MB`.
    let before = (bytes / scale).to_string().len();
    let places = 4_usize.saturating_sub(before).min(3);
    let parts = 10_u128.pow(u32::try_from(places).unwrap_or_default());
    let rounded = (u128::from(bytes) * parts + u128::from(scale) / 2) / u128::from(scale);
    let mut short = format!("{}.{:0places$}", rounded / parts, rounded % parts);
    short.truncate(short.trim_end_matches('0').trim_end_matches('.').len());
    let digits = bytes.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{short} {} ({grouped} bytes)", units[unit])
}

/// A point in time as Get shows it, with this zone behind it.
pub(crate) fn date_text(date: OffsetDateTime, zone: &str) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]");
    let text = date.to_offset(UtcOffset::UTC).format(format).unwrap_or_default();
    format!("{text}{zone}")
}

/// Reads a point in time, with or without a zone; none means UTC.
pub(crate) fn date(text: &str) -> Option<OffsetDateTime> {
    if let Ok(date) = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339) {
        return Some(date);
    }
    let formats = [
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond]"),
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]"),
        format_description!("[year]-[month]-[day]T[hour]:[minute]"),
    ];
    if let Some(date) = formats.iter().find_map(|format| PrimitiveDateTime::parse(text, format).ok()) {
        return Some(date.assume_utc());
    }
    time::Date::parse(text, format_description!("[year]-[month]-[day]")).ok().map(|day| day.midnight().assume_utc())
}

/// Turns a string into the form that Get shows.
fn item(parameter: &str, form: Item, text: &str) -> Result<Value, Exception> {
    form_of(form, text).map(Value::from).map_err(|refusal| match refusal {
        Refusal::Unreadable(type_name) => unreadable(parameter, text, type_name),
        Refusal::Refused(words) => Exception::argument(words),
    })
}

fn form_of(form: Item, text: &str) -> Result<String, Refusal> {
    let unreadable = Refusal::Unreadable(type_name(form));
    let required = |holds: bool| if holds { Ok(text.to_owned()) } else { Err(Refusal::Unreadable(type_name(form))) };
    match form {
        Item::Any | Item::Pattern => Ok(text.to_owned()),
        Item::Connector => required(!text.is_empty()),
        Item::Recipient => required(!text.trim().is_empty()),
        Item::Word => {
            if text.trim() != text {
                return Err(Refusal::Refused(format!("The word '{text}' can't begin or end with a space.")));
            }
            let long = text.chars().count() > 128;
            if long {
                Err(Refusal::Refused("A word can't have more than 128 characters.".into()))
            } else {
                required(!text.is_empty())
            }
        }
        Item::Guid => required(uuid::Uuid::parse_str(text).is_ok()).map(|guid| guid.to_lowercase()),
        Item::AddressSpace => {
            let lower = text.to_lowercase();
            let rest = lower.strip_prefix("smtp:").unwrap_or(&lower);
            let (domain, cost) = rest.split_once(';').unwrap_or((rest, "1"));
            let cost_is_known = cost.parse::<u8>().is_ok_and(|cost| (1..=100).contains(&cost));
            if domain_pattern(domain, true) && cost_is_known { Ok(format!("smtp:{domain};{cost}")) } else { Err(unreadable) }
        }
        Item::Domain => {
            if domain_pattern(text, true) {
                Ok(text.to_lowercase())
            } else {
                Err(unreadable)
            }
        }
        Item::Certificate => required(domain_pattern(text, false)),
        Item::ConnectorAddress => connector_address(text),
        Item::AddressRange => required(address_range(text)),
        Item::FilterAddress => match text.split_once('-') {
            Some((from, to)) => {
                let ends = from.trim().parse::<Ipv4Addr>().ok().zip(to.trim().parse::<Ipv4Addr>().ok());
                let count = ends.map(|(from, to)| i64::from(u32::from(to)) - i64::from(u32::from(from)) + 1);
                if count.is_some_and(|count| (1..=256).contains(&count)) {
                    return Ok(text.to_owned());
                }
                Err(Refusal::Refused(format!("The IP address range '{text}' isn't valid. A range holds at most 256 addresses.")))
            }
            None => connector_address(text),
        },
        Item::SmartHost => {
            let address = text.parse::<IpAddr>().is_ok() || text.parse::<ipnet::IpNet>().is_ok();
            if address || domain_pattern(text, false) && !text.starts_with('*') {
                Ok(text.to_lowercase())
            } else {
                Err(unreadable)
            }
        }
        Item::StatusCode => {
            let last = text.strip_prefix("5.7.").and_then(|last| last.parse::<u16>().ok());
            if last.is_some_and(|last| last == 1 || (900..=999).contains(&last)) {
                return Ok(text.to_owned());
            }
            Err(Refusal::Refused(format!(
                "The enhanced status code '{text}' isn't valid. Use 5.7.1, or a value between 5.7.900 and 5.7.999."
            )))
        }
    }
}

/// IPv4 only, single or `/24` to `/32`; a `/32` loses its length.
fn connector_address(text: &str) -> Result<String, Refusal> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => {
            (address, Some(length.parse::<u8>().ok().ok_or(Refusal::Unreadable("Microsoft.Exchange.Data.IPRange"))?))
        }
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok().ok_or(Refusal::Unreadable("Microsoft.Exchange.Data.IPRange"))?;
    let IpAddr::V4(address) = address else {
        return Err(Refusal::Refused(format!(
            "The IP address '{text}' isn't valid. IPv6 addresses aren't supported on connectors."
        )));
    };
    match length {
        None | Some(32) => Ok(Ipv4Addr::to_string(&address)),
        Some(24..=31) => Ok(text.to_owned()),
        Some(_) => Err(Refusal::Refused(format!(
            "The IP address range '{text}' isn't valid. The subnet mask must be between /24 and /32."
        ))),
    }
}

/// An address, `a-b` in order, or CIDR.
fn address_range(text: &str) -> bool {
    if let Some((from, to)) = text.split_once('-') {
        return match (from.trim().parse::<IpAddr>(), to.trim().parse::<IpAddr>()) {
            (Ok(from), Ok(to)) => from.is_ipv4() == to.is_ipv4() && from <= to,
            _ => false,
        };
    }
    text.parse::<IpAddr>().is_ok() || text.parse::<ipnet::IpNet>().is_ok()
}

/// A domain, or `*.` and a domain; `*` alone where all domains may be meant. A wildcard inside is refused.
fn domain_pattern(text: &str, all: bool) -> bool {
    if text == "*" {
        return all;
    }
    let domain = text.strip_prefix("*.").unwrap_or(text);
    !domain.is_empty()
        && domain.len() <= 255
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        })
}

fn choice(parameter: &str, names: &[&str], value: &Value) -> Result<Value, Exception> {
    let given = shown(value);
    if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(&given)) {
        return Ok(Value::from(*name));
    }
    Err(Exception::transformation(
        parameter,
        &format!(
            "Cannot convert value \"{given}\" to type \"{parameter}\". Error: \"Unable to match the identifier name {given} to a valid \
             enumerator name. Specify one of the following enumerator names and try again:\n{}\"",
            names.join(", ")
        ),
    ))
}

fn length(parameter: &str, text: &str, max: usize) -> Result<(), Exception> {
    let count = text.chars().count();
    if count <= max {
        return Ok(());
    }
    Err(Exception::argument(format!(
        "The length of the property '{parameter}' is too long. The maximum length is {max} and the length of the value provided is {count}."
    )))
}

fn span(text: &str) -> Option<String> {
    let (days, clock) = match text.split_once('.') {
        Some((days, clock)) => (days.parse::<u32>().ok()?, clock),
        None => (0, text),
    };
    let parts: Vec<u32> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}");
    Some(if days == 0 { clock } else { format!("{days}.{clock}") })
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("True".into()),
        Value::Bool(false) => Some("False".into()),
        _ => None,
    }
}

/// The value as the service words it in an error.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Array(_) => "System.Object[]".into(),
        Value::Object(_) => "Newtonsoft.Json.Linq.JObject".into(),
        other => text(other).unwrap_or_default(),
    }
}

fn unreadable(parameter: &str, value: &str, type_name: &str) -> Exception {
    Exception::transformation(parameter, &format!("Cannot convert value \"{value}\" to type \"{type_name}\"."))
}

/// The .NET type that a form binds to.
pub(crate) fn type_name(form: Item) -> &'static str {
    match form {
        Item::Any => "System.String",
        Item::Word => "Microsoft.Exchange.Data.Word",
        Item::Pattern => "Microsoft.Exchange.Data.Pattern",
        Item::Recipient => "Microsoft.Exchange.Configuration.Tasks.RecipientIdParameter",
        Item::AddressSpace => "Microsoft.Exchange.Data.AddressSpace",
        Item::Domain => "Microsoft.Exchange.Data.SmtpDomainWithSubdomains",
        Item::Certificate => "Microsoft.Exchange.Data.TlsCertificate",
        Item::ConnectorAddress | Item::FilterAddress | Item::AddressRange => "Microsoft.Exchange.Data.IPRange",
        Item::SmartHost => "Microsoft.Exchange.Data.SmartHost",
        Item::Guid => "System.Guid",
        Item::Connector => "Microsoft.Exchange.Configuration.Tasks.OutboundConnectorIdParameter",
        Item::StatusCode => "Microsoft.Exchange.Data.RejectEnhancedStatus",
    }
}
