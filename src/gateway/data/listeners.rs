//! The listeners of the gateway, as the banner of `listenerconfig` shows them.

use crate::gateway::objects::Gateway;
use crate::gateway::table::Printout;
use crate::remote::{Call, Error};
use crate::schema::{Attribute, DataSource, Record, integer, list, list_of, string};
use crate::value::Value;

/// The table.
pub(super) const SOURCE: DataSource = DataSource {
    name: "gateway_listeners",
    noun: "listeners",
    about: "Lists the gateway's listeners. Their names are what `listener` takes in other resources; upper and lower case matter.",
    attributes: &[list_of("listeners", "The listeners, in the gateway's order.", LISTENER).computed()],
    rules: &[],
};

const LISTENER: &[Attribute] = &[
    string("name", "The name.").computed(),
    string("interface", "The IP interface that it listens on.").computed(),
    list("addresses", "The addresses of that interface, as far as the gateway tells them.").computed(),
    integer("port", "The TCP port.").computed(),
    string(
        "type",
        "`public` for mail from the Internet, `private` for mail from own systems, `blackhole` for mail that is thrown away.",
    )
    .computed(),
    string("protocol", "`SMTP` or `QMQP`.").computed(),
];

/// Reads the listeners.
pub(super) async fn read(gateway: &Gateway, call: &Call) -> Result<Record, Error> {
    let rows = gateway.rows(&Printout::Listeners, call).await?;
    let listeners = rows.rows.iter().map(|row| row.record.clone().into_value());
    Ok(Record::new().with("listeners", Value::List(listeners.collect())))
}
