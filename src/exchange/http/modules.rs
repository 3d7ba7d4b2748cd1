//! Asks which cmdlets the login may run.
//!
//! `GET {exchange}/adminapi/beta/{tenant}/EXOModuleFile?Version=3.9.2` with the header `CommandName: *` is how Microsoft's own module learns which
//! commands to offer. Of the answer only this member is used, commas between the names:
//!
//! ```json
//! {"value":[{"exportedCmdlets":"Get-InboundConnector,New-InboundConnector,…"}]}
//! ```

use std::collections::BTreeSet;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderName, HeaderValue};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::{Http, MOST_BYTES, REDIRECTS, throttle};
use crate::exchange::answer::{Asked, Failed, understand};
use crate::exchange::token::Token;
use crate::remote::{Call, Error, Kind, Masks, Reply, interruptible, out_of_time};

/// What the call is named in messages.
const NAME: &str = "EXOModuleFile";

impl Http {
    /// The names, in lower case, of all cmdlets that the login may run; nothing if the answer does not have the known form. Tried
    /// once: whoever asks can do without.
    pub(in crate::exchange) async fn granted(&self, call: &Call) -> Result<Option<BTreeSet<String>>, Error> {
        let work = async {
            // The semaphore is never closed.
            let _slot = interruptible(call, self.slots.acquire()).await?;
            throttle(&self.gate, call, self.authorized(call, |token| Box::pin(self.ask_for_modules(token, call)))).await
        };
        let answer = match tokio::time::timeout_at(call.deadline, Box::pin(work)).await {
            Ok(outcome) => outcome.map_err(|failed| {
                if let (Some(wait), Some(429 | 503)) = (failed.wait, failed.status) {
                    self.gate.shut(wait);
                }
                failed.error
            })?,
            Err(_) => return Err(out_of_time().context("call", NAME)),
        };
        let lists = answer.objects.unwrap_or_default();
        let names: BTreeSet<String> = lists
            .iter()
            .filter_map(|object| object.text("exportedCmdlets"))
            .flat_map(|names| names.split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| name.split_once('-').is_some_and(|(verb, noun)| !verb.is_empty() && !noun.is_empty()))
            .collect();
        Ok(Some(names).filter(|names| !names.is_empty()))
    }

    async fn ask_for_modules(&self, token: Token, call: &Call) -> Result<crate::exchange::answer::Answer, Failed> {
        let mut url = self.modules_url()?;
        for _ in 0..=REDIRECTS {
            let reply = self.fetch_modules(&url, &token, call).await?;
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                return understand(&reply, Asked { cmdlet: NAME, writes: false, masks: &Masks::new() });
            }
            let location = reply.headers.get("location").and_then(|location| location.to_str().ok());
            let location = location.ok_or_else(|| Error::new(Kind::Unexpected, format!("`{NAME}` redirects to nowhere.")))?;
            url = self.hosts.redirected(&url, location)?;
        }
        Err(Error::new(Kind::Unavailable, "Exchange Online redirects in a circle.").into())
    }

    async fn fetch_modules(&self, url: &Url, token: &Token, call: &Call) -> Result<Reply, Failed> {
        let id = Uuid::new_v4().to_string();
        let named = HeaderName::from_static;
        let anchor =
            HeaderValue::from_str(&self.anchor).map_err(|_| Error::new(Kind::Invalid, "The routing anchor is no header."))?;
        let request = self
            .connection
            .client(url)?
            .get(url.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(ACCEPT_LANGUAGE, HeaderValue::from_static("en-US"))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
            .header(named("commandname"), HeaderValue::from_static("*"))
            .header(named("x-anchormailbox"), anchor)
            .header(named("client-request-id"), &id)
            .bearer_auth(token.bearer());
        let begin = Instant::now();
        let sent = interruptible(call, self.connection.fetch(request, MOST_BYTES)).await?;
        let reply = sent.map_err(|failure| self.connection.failure(url, &failure).context("call", NAME))?;
        let milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(status = reply.status, milliseconds, request_id = %id, "asked which cmdlets the login has");
        Ok(reply)
    }

    fn modules_url(&self) -> Result<Url, Error> {
        let mut url = self.hosts.exchange.clone();
        url.path_segments_mut()
            .map_err(|()| Error::new(Kind::Invalid, "`exchange.exchange_url` is not an origin."))?
            .clear()
            .extend(["adminapi", "beta", self.tenant.as_str(), NAME]);
        url.set_query(Some("Version=3.9.2"));
        Ok(self.at_pinned(&url))
    }
}
