//! Values in MessagePack, as Terraform sends and takes them.
//!
//! The type leads: it says what is to be read, and the document only fills it in. Numbers are exact (integer, float, or
//! decimal text, whichever holds the number), unknown values are extensions (code 12 carries what is known of them),
//! objects have every attribute of their type. Text comes out, and goes out, in normal form C.
//!
//! Documents may come from anywhere: depth and size are bounded, lengths that a document claims are never trusted, and the
//! memory that a document takes is at most a small multiple of its own size.

use std::collections::BTreeMap;

use rmpv::ValueRef;
use rmpv::decode::read_value_ref_with_max_depth;
use rmpv::encode::write_value_ref;

use super::codec::{Fault, normal};
use super::{DecodeError, EncodeError, Number, Refinement, Type, Value};

/// Larger documents are refused unread: no gRPC message of the plugin protocol is larger.
const MOST_BYTES: usize = 256 << 20;
/// The reader counts two for each level of nesting, and two for the text inside.
const MOST_DEPTH: usize = 2 * 128 + 2;
/// The extension code of an unknown value of which something is known.
const REFINED: i8 = 12;
/// A longer refinement is refused, by Terraform too.
const MOST_REFINEMENT: usize = 1024;
/// A longer prefix is not sent: it is a help, not part of the value.
const MOST_PREFIX: usize = 256;

/// Reads a value of the type. No bytes at all are null.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, DecodeError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    Ok(read(bytes).and_then(|document| take(&document, ty))?)
}

/// Writes a value of the type. Attributes of an object that the value does not name are written as null; a value of
/// another type, or an attribute that the type does not have, is an error.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    put(&mut out, value, ty)?;
    Ok(out)
}

fn read(bytes: &[u8]) -> Result<ValueRef<'_>, Fault> {
    if bytes.len() > MOST_BYTES {
        return Err(Fault::new(format!("the document has {} bytes, more than {MOST_BYTES}", bytes.len())));
    }
    let mut rest = bytes;
    let document = read_value_ref_with_max_depth(&mut rest, MOST_DEPTH)
        .map_err(|error| Fault::new(format!("the document is not well-formed MessagePack: {error}")))?;
    if rest.is_empty() { Ok(document) } else { Err(Fault::new(format!("{} bytes follow the value", rest.len()))) }
}

fn take(document: &ValueRef<'_>, ty: &Type) -> Result<Value, Fault> {
    match (ty, document) {
        (_, ValueRef::Nil) => Ok(Value::Null),
        (_, ValueRef::Ext(code, body)) => take_unknown(*code, body),
        (Type::Bool, ValueRef::Boolean(truth)) => Ok(Value::Bool(*truth)),
        (Type::String, ValueRef::String(_)) => Ok(Value::String(take_text(document)?)),
        (Type::Number, _) => take_number(document).map(Value::Number),
        (Type::List(element), ValueRef::Array(items)) => Ok(Value::List(take_elements(items, element)?)),
        (Type::Set(element), ValueRef::Array(items)) => Ok(Value::set(take_elements(items, element)?)),
        (Type::Tuple(types), ValueRef::Array(items)) => {
            if types.len() != items.len() {
                return Err(Fault::new(format!("a tuple of {} was expected, {} were given", types.len(), items.len())));
            }
            let pairs = items.iter().zip(types).enumerate();
            let elements = pairs.map(|(index, (item, ty))| take(item, ty).map_err(|fault| fault.in_element(index)));
            Ok(Value::Tuple(elements.collect::<Result<_, _>>()?))
        }
        (Type::Map(element), ValueRef::Map(entries)) => {
            let mut members = BTreeMap::new();
            for (key, item) in entries {
                let key = take_text(key)?;
                let value = take(item, element).map_err(|fault| fault.in_key(&key))?;
                if members.contains_key(&key) {
                    return Err(Fault::new(format!("the key {key:?} stands twice")));
                }
                members.insert(key, value);
            }
            Ok(Value::Map(members))
        }
        (Type::Object(types), ValueRef::Map(entries)) => take_object(entries, types),
        (Type::Dynamic, ValueRef::Array(parts)) => match parts.as_slice() {
            [ValueRef::Binary(constraint), inner] => {
                let ty = serde_json::from_slice(constraint)
                    .map_err(|error| Fault::new(format!("the type of a dynamic value is not JSON: {error}")))
                    .and_then(|json| Type::from_json(&json).map_err(|error| Fault::new(error.to_string())))?;
                let value = take(inner, &ty)?;
                Ok(Value::Dynamic(Box::new((ty, value))))
            }
            _ => Err(Fault::new("a dynamic value must be its type and its value")),
        },
        (expected, found) => Err(Fault::new(format!("{} was expected, {} was given", expected.noun(), noun(found)))),
    }
}

fn take_elements(items: &[ValueRef<'_>], element: &Type) -> Result<Vec<Value>, Fault> {
    items.iter().enumerate().map(|(index, item)| take(item, element).map_err(|fault| fault.in_element(index))).collect()
}

fn take_object(entries: &[(ValueRef<'_>, ValueRef<'_>)], types: &BTreeMap<String, Type>) -> Result<Value, Fault> {
    let mut members = BTreeMap::new();
    for (key, item) in entries {
        let name = take_text(key)?;
        let Some(ty) = types.get(&name) else {
            return Err(Fault::new("an object of its type has no such attribute").in_attribute(&name));
        };
        let value = take(item, ty).map_err(|fault| fault.in_attribute(&name))?;
        if members.contains_key(&name) {
            return Err(Fault::new("the attribute stands twice").in_attribute(&name));
        }
        members.insert(name, value);
    }
    match types.keys().find(|name| !members.contains_key(*name)) {
        Some(missing) => Err(Fault::new("the attribute is missing").in_attribute(missing)),
        None => Ok(Value::Object(members)),
    }
}

fn take_text(document: &ValueRef<'_>) -> Result<String, Fault> {
    match document {
        ValueRef::String(text) => match text.as_str() {
            Some(text) => Ok(normal(text).into_owned()),
            None => Err(Fault::new("the text is not valid UTF-8")),
        },
        found => Err(Fault::new(format!("text was expected, {} was given", noun(found)))),
    }
}

fn take_number(document: &ValueRef<'_>) -> Result<Number, Fault> {
    let float = |float| Number::from_f64(float).ok_or_else(|| Fault::new("a finite number was expected"));
    match document {
        ValueRef::Integer(integer) => match (integer.as_i64(), integer.as_u64()) {
            (Some(number), _) => Ok(Number::from(number)),
            (_, Some(number)) => Ok(Number::from(number)),
            _ => Err(Fault::new("a number was expected")),
        },
        ValueRef::F32(number) => float(f64::from(*number)),
        ValueRef::F64(number) => float(*number),
        ValueRef::String(_) => take_text(document)?
            .parse()
            .map_err(|_| Fault::new("a decimal number of reasonable size was expected, other text was given")),
        found => Err(Fault::new(format!("a number was expected, {} was given", noun(found)))),
    }
}

fn take_unknown(code: i8, body: &[u8]) -> Result<Value, Fault> {
    if code != REFINED || body.len() <= 1 {
        return Ok(Value::UNKNOWN);
    }
    if body.len() > MOST_REFINEMENT {
        return Err(Fault::new(format!(
            "what is said of an unknown value takes {} bytes, more than {MOST_REFINEMENT}",
            body.len()
        )));
    }
    let ValueRef::Map(entries) = read(body)? else {
        return Err(Fault::new("what is said of an unknown value is not a map"));
    };
    let wrong = || Fault::new("what is said of an unknown value makes no sense");
    let bound = |document: &ValueRef<'_>| match document {
        ValueRef::Array(parts) => match parts.as_slice() {
            [limit, ValueRef::Boolean(inclusive)] => Ok((take_number(limit)?, *inclusive)),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    };
    let mut known = Refinement::default();
    for (key, document) in &entries {
        match (key.as_u64(), document) {
            (Some(1), ValueRef::Boolean(null)) => known.null = Some(*null),
            (Some(2), prefix) => known.prefix = Some(take_text(prefix)?),
            (Some(3), limit) => known.minimum = Some(bound(limit)?),
            (Some(4), limit) => known.maximum = Some(bound(limit)?),
            (Some(5), ValueRef::Integer(least)) => known.least = Some(least.as_u64().ok_or_else(wrong)?),
            (Some(6), ValueRef::Integer(most)) => known.most = Some(most.as_u64().ok_or_else(wrong)?),
            (Some(1 | 5 | 6), _) => return Err(wrong()),
            // A later release may say more; what it says only narrows what was to be expected.
            _ => {}
        }
    }
    Ok(if known == Refinement::default() { Value::UNKNOWN } else { Value::Unknown(Some(Box::new(known))) })
}

/// What a part of a document is called in errors.
fn noun(document: &ValueRef<'_>) -> &'static str {
    match document {
        ValueRef::Nil => "null",
        ValueRef::Boolean(_) => "true or false",
        ValueRef::Integer(_) | ValueRef::F32(_) | ValueRef::F64(_) => "a number",
        ValueRef::String(_) => "text",
        ValueRef::Binary(_) => "a run of bytes",
        ValueRef::Array(_) => "a list",
        ValueRef::Map(_) => "a map",
        ValueRef::Ext(..) => "an unknown value",
    }
}

fn put(out: &mut Vec<u8>, value: &Value, ty: &Type) -> Result<(), Fault> {
    match (ty, value) {
        (_, Value::Null) => put_plain(out, &ValueRef::Nil),
        (_, Value::Unknown(known)) => put_unknown(out, known.as_deref(), ty),
        (Type::Bool, Value::Bool(truth)) => put_plain(out, &ValueRef::Boolean(*truth)),
        (Type::Number, Value::Number(number)) => put_number(out, number),
        (Type::String, Value::String(text)) => put_text(out, text),
        (Type::List(element), Value::List(items)) | (Type::Set(element), Value::Set(items)) => {
            put_array_length(out, items.len())?;
            for (index, item) in items.iter().enumerate() {
                put(out, item, element).map_err(|fault| fault.in_element(index))?;
            }
            Ok(())
        }
        (Type::Tuple(types), Value::Tuple(items)) => {
            if types.len() != items.len() {
                return Err(Fault::new(format!("a tuple of {} was expected, {} were given", types.len(), items.len())));
            }
            put_array_length(out, items.len())?;
            for (index, (item, ty)) in items.iter().zip(types).enumerate() {
                put(out, item, ty).map_err(|fault| fault.in_element(index))?;
            }
            Ok(())
        }
        (Type::Map(element), Value::Map(members)) => {
            put_map_length(out, members.len())?;
            for (key, item) in members {
                put_text(out, key)?;
                put(out, item, element).map_err(|fault| fault.in_key(key))?;
            }
            Ok(())
        }
        (Type::Object(types), Value::Object(members)) => {
            if let Some(extra) = members.keys().find(|name| !types.contains_key(*name)) {
                return Err(Fault::new("an object of its type has no such attribute").in_attribute(extra));
            }
            put_map_length(out, types.len())?;
            for (name, ty) in types {
                put_text(out, name)?;
                put(out, members.get(name).unwrap_or(&Value::Null), ty).map_err(|fault| fault.in_attribute(name))?;
            }
            Ok(())
        }
        (Type::Dynamic, Value::Dynamic(inner)) => {
            put_array_length(out, 2)?;
            let constraint = inner.0.to_json().to_string();
            put_plain(out, &ValueRef::Binary(constraint.as_bytes()))?;
            put(out, &inner.1, &inner.0)
        }
        (expected, found) => Err(Fault::new(format!("{} was expected, {} was given", expected.noun(), found.noun()))),
    }
}

fn put_plain(out: &mut Vec<u8>, plain: &ValueRef<'_>) -> Result<(), Fault> {
    write_value_ref(out, plain).map_err(|error| Fault::new(format!("the value cannot be written: {error}")))
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), Fault> {
    put_plain(out, &ValueRef::from(&*normal(text)))
}

fn put_number(out: &mut Vec<u8>, number: &Number) -> Result<(), Fault> {
    if let Some(integer) = number.as_i64() {
        return put_plain(out, &ValueRef::from(integer));
    }
    match number.as_exact_f64() {
        Some(float) if !number.is_whole() => put_plain(out, &ValueRef::F64(float)),
        _ => put_text(out, &number.to_string()),
    }
}

fn put_unknown(out: &mut Vec<u8>, known: Option<&Refinement>, ty: &Type) -> Result<(), Fault> {
    let mut body = Vec::new();
    if let Some(known) = known {
        put_refinement(&mut body, known, ty)?;
    }
    if body.len() <= 1 || body.len() > MOST_REFINEMENT {
        return put_plain(out, &ValueRef::Ext(0, &[0]));
    }
    put_plain(out, &ValueRef::Ext(REFINED, &body))
}

/// Writes what can be said of an unknown value of the type; nothing but a length byte if that is nothing.
fn put_refinement(out: &mut Vec<u8>, known: &Refinement, ty: &Type) -> Result<(), Fault> {
    let is_collection = matches!(ty, Type::List(_) | Type::Set(_) | Type::Map(_));
    let is_typed = !matches!(ty, Type::Dynamic);
    let null = known.null.filter(|_| is_typed);
    let prefix = known.prefix.as_deref().filter(|prefix| matches!(ty, Type::String) && prefix.len() <= MOST_PREFIX);
    let bounds = [(3_u8, &known.minimum), (4, &known.maximum)];
    let bounds =
        bounds.into_iter().filter_map(|(key, bound)| Some((key, bound.as_ref()?))).filter(|_| matches!(ty, Type::Number));
    let counts = [(5_u8, known.least), (6, known.most)];
    let counts = counts.into_iter().filter_map(|(key, count)| Some((key, count?))).filter(|_| is_collection);

    let entries = usize::from(null.is_some()) + usize::from(prefix.is_some()) + bounds.clone().count() + counts.clone().count();
    put_map_length(out, entries)?;
    if let Some(null) = null {
        put_plain(out, &ValueRef::from(1_u8))?;
        put_plain(out, &ValueRef::Boolean(null))?;
    }
    if let Some(prefix) = prefix {
        put_plain(out, &ValueRef::from(2_u8))?;
        put_text(out, prefix)?;
    }
    for (key, (limit, inclusive)) in bounds {
        put_plain(out, &ValueRef::from(key))?;
        put_array_length(out, 2)?;
        put_number(out, limit)?;
        put_plain(out, &ValueRef::Boolean(*inclusive))?;
    }
    for (key, count) in counts {
        put_plain(out, &ValueRef::from(key))?;
        put_plain(out, &ValueRef::from(count))?;
    }
    Ok(())
}

fn put_array_length(out: &mut Vec<u8>, length: usize) -> Result<(), Fault> {
    put_length(out, length, [0x90, 0xdc, 0xdd])
}

fn put_map_length(out: &mut Vec<u8>, length: usize) -> Result<(), Fault> {
    put_length(out, length, [0x80, 0xde, 0xdf])
}

/// Writes the head of an array or a map: its marker for up to 15 entries (which go into the marker), for 16 bits, for 32.
fn put_length(out: &mut Vec<u8>, length: usize, [few, short, long]: [u8; 3]) -> Result<(), Fault> {
    let wide = u32::try_from(length).map_err(|_| Fault::new(format!("{length} elements are too many")))?;
    match (u8::try_from(wide), u16::try_from(wide)) {
        (Ok(narrow @ 0..16), _) => out.push(few | narrow),
        (_, Ok(middle)) => {
            out.push(short);
            out.extend(middle.to_be_bytes());
        }
        _ => {
            out.push(long);
            out.extend(wide.to_be_bytes());
        }
    }
    Ok(())
}
