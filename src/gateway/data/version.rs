//! The gateway's release and model, as `version` prints them.

use crate::gateway::objects::Gateway;
use crate::gateway::table::Printout;
use crate::remote::{Call, Error, Kind};
use crate::schema::{DataSource, Record, map, string};

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "gateway_version",
    noun: "gateway version",
    about: "Reads what the gateway says of itself: its AsyncOS release, model and serial number. What it does not say is null.",
    attributes: &[
        string("release", "The AsyncOS release with its build, such as `15.0.0-104`.").computed(),
        string("product", "The product, in the gateway's words.").computed(),
        string("model", "The model, such as `C600V`.").computed(),
        string("serial_number", "The serial number.").computed(),
        string("build_date", "When the release was built, as the gateway writes it.").computed(),
        string("install_date", "When the release was installed, as the gateway writes it.").computed(),
        map("properties", "All that `version` prints, by the gateway's own labels: hardware and engines, too.").computed(),
    ],
    rules: &[],
};

/// Reads the version.
pub(super) async fn read(gateway: &Gateway, call: &Call) -> Result<Record, Error> {
    let rows = gateway.rows(&Printout::Version, call).await?;
    let row = rows.rows.first().ok_or_else(|| Error::new(Kind::Unexpected, "The gateway printed nothing as its version."))?;
    Ok(row.record.clone())
}
