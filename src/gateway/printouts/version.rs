//! What the gateway is: the output of `version`.
//!
//! ```text
//! Current Version
//! ===============
//! Product: Cisco C100V Secure Email Gateway
//! Model: C100V
//! Version: 15.0.0-104
//! Build Date: 2023-03-27
//! Install Date: 2023-05-02 09:13:30
//! Serial #: 420D1B7C12345678ABCD-0123456789AB
//! BIOS: 6.00
//! ```

use std::collections::BTreeMap;

use super::{is_noise, label, lines, whole};
use crate::gateway::dialog::{Dialog, Said};
use crate::gateway::release;
use crate::gateway::table::{Row, Rows};
use crate::remote::{Error, Kind};
use crate::schema::Record;
use crate::value::Value;

/// The attributes, each with the labels that it may stand under.
const LABELS: &[(&str, &[&str])] = &[
    ("product", &["product"]),
    ("model", &["model"]),
    ("serial_number", &["serial #", "serial", "serial number", "serial no", "serialnumber"]),
    ("build_date", &["build date"]),
    ("install_date", &["install date"]),
];

/// The dialog that prints the version.
pub(in crate::gateway) fn dialog(said: &[Said]) -> Option<Dialog> {
    said.is_empty().then(|| Dialog::of("version"))
}

/// Understands the output. Its one row has what [`LABELS`] names, `release`, and `properties` with all that was printed.
pub(in crate::gateway) fn parse(said: &[Said]) -> Result<Rows, Error> {
    let text = said.iter().map(whole).collect::<Vec<_>>().join("\n");
    let mut properties = BTreeMap::new();
    let mut not_understood = Vec::new();
    for line in lines(&text).map(str::trim) {
        if is_noise(line) || line.to_lowercase().starts_with("current version") {
            continue;
        }
        match label(line) {
            Some((name, value)) if !name.is_empty() => {
                properties.entry(name.to_owned()).or_insert_with(|| Value::text(value));
            }
            // A release in a sentence: `AsyncOS 15.0.0 for Cisco C100V build 104`.
            _ if release::find(line).is_some() => {}
            _ => not_understood.push(line.to_owned()),
        }
    }
    let found = |labels: &[&str]| {
        let mut known = properties.iter().filter(|(name, _)| labels.contains(&name.trim().to_lowercase().as_str()));
        known.next().map(|(_, value)| value.clone()).filter(|value| value.as_text().is_some_and(|text| !text.is_empty()))
    };
    let release = release::find(&text);
    if release.is_none() && properties.is_empty() {
        return Err(
            Error::new(Kind::Unexpected, "The gateway's `version` could not be understood.").context("output", text.trim())
        );
    }
    let mut record = Record::new().with("release", release.map_or(Value::Null, Value::text));
    for (name, labels) in LABELS {
        record.set(*name, found(labels).unwrap_or_default());
    }
    record.set("properties", Value::Map(properties));
    Ok(Rows { rows: vec![Row { resource: "", id: "version".to_owned(), record }], not_understood, ..Rows::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rows, Error> {
        parse(&[Said { opening: text.to_owned(), after: Vec::new() }])
    }

    #[test]
    fn the_output_is_read_by_its_labels() {
        let rows = read(
            "Current Version\r\n===============\r\nUDI: C100V V 420D\r\nProduct: Cisco C100V Secure Email Gateway\r\nModel: C100V\r\n\
             Version: 15.0.0-104\r\nBuild Date: 2023-03-27\r\nInstall Date: 2023-05-02 09:13:30\r\nSerial #: 420D1B7C-0123\r\n\
             BIOS: 6.00\r\nRAID: NA\r\n",
        )
        .unwrap();
        assert_eq!(rows.not_understood, Vec::<String>::new());
        let record = &rows.rows[0].record;
        for (name, wanted) in [
            ("release", "15.0.0-104"),
            ("product", "Cisco C100V Secure Email Gateway"),
            ("model", "C100V"),
            ("serial_number", "420D1B7C-0123"),
            ("build_date", "2023-03-27"),
            ("install_date", "2023-05-02 09:13:30"),
            ("properties.BIOS", "6.00"),
            ("properties.UDI", "C100V V 420D"),
        ] {
            assert_eq!(record.text(name), Some(wanted), "{name}");
        }
    }

    #[test]
    fn what_is_not_printed_is_null_and_a_strange_line_is_kept() {
        let rows = read("AsyncOS 13.0.0 for Cisco C100V build 392\nsomething else\n").unwrap();
        let record = &rows.rows[0].record;
        assert_eq!((record.text("release"), record.get("serial_number")), (Some("13.0.0-392"), &Value::Null));
        assert_eq!(rows.not_understood, ["something else"]);
    }

    #[test]
    fn an_output_without_a_single_fact_is_an_error() {
        assert!(read("").is_err());
        assert!(read("Permission denied\n").is_err());
    }
}
