//! The first contact with the AsyncOS API, beside those of the gateway's command line and of Exchange Online: the login, which then serves the run.

use tokio::time::Instant;

use super::login::Pass;
use super::{CHECK_URL, Product, Rest};
use crate::remote::contact::{AGAIN, Place, REFUSED};
use crate::remote::{Call, Error, Kind, pause};
use crate::value::Path;

const STUCK: &str = "The AsyncOS API answered. Check `gateway.api.url`, and any proxy on the way.";

impl Rest {
    /// Makes the first contact. A device that lets nobody in just now is no failure: what is asked of it later has the patience of its operation.
    pub async fn contact(&self, call: &Call) -> Result<(), Error> {
        let place = Place { url: &self.origin, what: "AsyncOS API", unheard: CHECK_URL, stuck: STUCK };
        let outcome = place.login(self.first_pass(call), &self.connection).await;
        outcome.map_err(|error| if error.path.is_none() { error.at(Path::dotted("gateway.api")) } else { error })
    }

    async fn first_pass(&self, call: &Call) -> Result<Pass, Error> {
        let begin = Instant::now();
        loop {
            match self.pass(Product::Gateway, call).await {
                Err(error) if error.unheard && error.retryable && begin.elapsed() < REFUSED => pause(call, AGAIN).await?,
                Err(error) if error.kind == Kind::Unavailable && !error.unheard => return Err(error.retryable()),
                outcome => return outcome,
            }
        }
    }
}
