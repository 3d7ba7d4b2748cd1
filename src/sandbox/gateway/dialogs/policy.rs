//! The questions about mail flow policy parameters: for a policy, for a group with a behavior of its own, and for the defaults.
//!
//! Enter keeps what stands. In a policy a value may come from the listener's defaults; the word `default` leaves it to them again.
//! That word is known from the batch commands; that the questions take it too is an assumption.

use super::ask_response;
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::options::Release;
use crate::sandbox::gateway::tables::hat::Behavior;
use crate::sandbox::gateway::tables::parameter::{Parameters, Setting, parse_size, size};
use crate::sandbox::gateway::terminal::{Terminal, number_in};

/// Bounds of the numbers; the documents name only that of the significant bits.
const COUNT: (u32, u32) = (1, 1_000_000);

const TLS: &[(&str, &str)] = &[("No", "off"), ("Preferred", "on"), ("Required", "required")];
const AUTHENTICATION: &[(&str, &str)] = &[("No", "off"), ("Preferred", "preferred"), ("Required", "required")];

/// Holds one pass through the questions.
struct Pass<'a> {
    terminal: &'a mut Terminal,
    set: &'a mut Parameters,
    defaults: &'a Parameters,
    /// The word that leaves a value to the defaults; none when the defaults themselves are asked.
    word: Option<&'static str>,
    /// The listener has a certificate of its own.
    certificate: bool,
}

/// Asks the parameters that a behavior has.
pub(super) async fn questions(
    terminal: &mut Terminal,
    behavior: Option<Behavior>,
    set: &mut Parameters,
    defaults: &Parameters,
    certificate: bool,
) -> Asked<()> {
    let release = terminal.release();
    let word = behavior.map(|_| "default");
    let mut pass = Pass { terminal, set, defaults, word, certificate };
    match behavior {
        Some(Behavior::Reject) => {
            pass.response("Would you like to specify a custom SMTP rejection response?", "reject_banner", 554).await
        }
        Some(behavior) if !behavior.takes_mail() => Ok(()),
        _ => {
            pass.limits().await?;
            pass.rates().await?;
            pass.checks(release).await?;
            pass.senders(release).await
        }
    }
}

impl Pass<'_> {
    fn text(&self, key: &str) -> Option<String> {
        self.set.text(key).or_else(|| self.defaults.text(key))
    }

    fn number_now(&self, key: &str) -> Option<i64> {
        self.set.number(key).or_else(|| self.defaults.number(key))
    }

    fn is_on(&self, key: &str) -> bool {
        self.text(key).is_some_and(|text| text == "on")
    }

    /// Stores an answer, unless it only repeats what comes from the defaults.
    fn keep(&mut self, key: &str, value: Setting) {
        let inherited = self.set.get(key).is_none() && self.defaults.get(key) == Some(&value);
        if !inherited || self.word.is_none() {
            self.set.set(key, value);
        }
    }

    async fn number(&mut self, key: &str, question: &str, fallback: Option<i64>, range: (u32, u32)) -> Asked<()> {
        let now = self.number_now(key).filter(|number| *number >= 0).or(fallback);
        let shown = now.map_or_else(String::new, |number| number.to_string());
        let word = self.word;
        let answer = self
            .terminal
            .ask_until(question, &shown, |answer| {
                if word.is_some_and(|word| word.eq_ignore_ascii_case(answer)) {
                    return Ok(None);
                }
                number_in(answer, range).map(|number| Some(i64::from(number)))
            })
            .await?;
        match answer {
            None => self.set.unset(key),
            Some(number) => self.keep(key, Setting::Number(number)),
        }
        Ok(())
    }

    /// Asks yes or no and gives what holds then.
    async fn yes_no(&mut self, key: &str, question: &str) -> Asked<bool> {
        let now = self.is_on(key);
        match self.terminal.ask_yes_no_or(question, now, self.word).await? {
            None => self.set.unset(key),
            Some(on) if on == now && self.set.get(key).is_none() => {}
            Some(on) => self.set.set(key, if on { "on" } else { "off" }),
        }
        Ok(self.is_on(key))
    }

    /// Asks for one of a list and gives the value that holds then.
    async fn list(&mut self, key: &str, question: &str, choices: &[(&str, &str)]) -> Asked<String> {
        let labels: Vec<&str> = choices.iter().map(|(label, _)| *label).collect();
        let now = self.text(key).unwrap_or_default();
        let at = choices.iter().position(|(_, value)| *value == now).unwrap_or(0);
        match self.terminal.ask_list_or(question, &labels, at, self.word).await? {
            None => self.set.unset(key),
            Some(chosen) if chosen == at => {}
            Some(chosen) => {
                if let Some((_, value)) = choices.get(chosen) {
                    self.set.set(key, *value);
                }
            }
        }
        Ok(self.text(key).unwrap_or_default())
    }

    /// Asks whether there is a response of one's own, then for it. `No` goes back to the standard one.
    async fn response(&mut self, question: &str, key: &str, standard: u32) -> Asked<()> {
        let (code, text) = (format!("{key}_code"), format!("{key}_text"));
        let now = self.text(&text);
        if !self.terminal.ask_yes_no(question, now.is_some()).await? {
            self.set.unset(&code);
            self.set.unset(&text);
            return Ok(());
        }
        let shown = self.number_now(&code).and_then(|number| u32::try_from(number).ok()).unwrap_or(standard);
        let (number, lines) = ask_response(self.terminal, shown).await?;
        // Enter on the first line keeps the text that stands.
        let lines = if lines.is_empty() { now.unwrap_or_default() } else { lines };
        self.keep(&code, Setting::Number(i64::from(number)));
        self.keep(&text, Setting::Text(lines));
        Ok(())
    }

    /// Asks the sizes and counts, the banner and the responses.
    async fn limits(&mut self) -> Asked<()> {
        let question = "Enter the maximum message size. Add a trailing k for kilobytes, M for megabytes, or no letter for bytes.";
        let shown = size(self.number_now("max_message_size").unwrap_or(10 << 20));
        let word = self.word;
        let answer = self
            .terminal
            .ask_until(question, &shown, |answer| {
                if word.is_some_and(|word| word.eq_ignore_ascii_case(answer)) {
                    return Ok(None);
                }
                parse_size(answer)
                    .map(Some)
                    .ok_or_else(|| "The value must be a number with an optional trailing k or M.".to_owned())
            })
            .await?;
        match answer {
            None => self.set.unset("max_message_size"),
            Some(bytes) => self.keep("max_message_size", Setting::Number(bytes)),
        }
        let question = "Enter the maximum number of concurrent connections allowed from a single IP address.";
        self.number("max_concurrency", question, Some(10), COUNT).await?;
        self.number("max_msgs_per_session", "Enter the maximum number of messages per connection.", Some(10), COUNT).await?;
        self.number("max_rcpts_per_msg", "Enter the maximum number of recipients per message.", Some(50), COUNT).await?;
        if self.yes_no("use_override_hostname", "Do you want to override the hostname in the SMTP banner?").await? {
            let now = self.text("override_hostname").unwrap_or_default();
            let name = self.terminal.ask("Enter the SMTP banner hostname.", &now).await?;
            self.keep("override_hostname", Setting::Text(name));
        }
        self.response("Would you like to specify a custom SMTP acceptance response?", "smtp_banner", 220).await?;
        self.response("Would you like to specify a custom SMTP rejection response?", "reject_banner", 554).await
    }

    /// Asks about rates: by host, for directory harvests, by envelope sender.
    async fn rates(&mut self) -> Asked<()> {
        let limited = self.number_now("max_rcpts_per_hour").is_some_and(|number| number >= 0);
        let host = self.terminal.ask_yes_no_or("Do you want to enable rate limiting per host?", limited, self.word).await?;
        let harvest = self.number_now("dhap_limit").is_some_and(|number| number > 0);
        let question = "Do you want to enable Directory Harvest Attack Prevention per host?";
        match self.terminal.ask_yes_no_or(question, harvest, self.word).await? {
            None => self.set.unset("dhap_limit"),
            Some(true) => {
                let question = "Enter the maximum number of invalid recipients per hour from a remote host.";
                self.number("dhap_limit", question, Some(25), COUNT).await?;
                let question = "Select an action to apply when a recipient is rejected due to DHAP:";
                self.list("dhap_action", question, &[("Drop", "drop"), ("Code", "code")]).await?;
                self.response("Would you like to specify a custom SMTP DHAP response?", "dhap", 550).await?;
            }
            Some(false) if harvest => self.set.set("dhap_limit", 0),
            Some(false) => {}
        }
        match host {
            None => self.set.unset("max_rcpts_per_hour"),
            Some(true) => {
                let question = "Enter the maximum number of recipients per hour from a remote host.";
                self.number("max_rcpts_per_hour", question, None, (0, COUNT.1)).await?;
                self.response("Would you like to specify a custom SMTP limit exceeded response?", "max_rcpts_per_hour", 452)
                    .await?;
            }
            Some(false) if limited => self.set.set("max_rcpts_per_hour", -1),
            Some(false) => {}
        }
        if self.terminal.release() >= Release::V13_0 {
            let limited = self.number_now("max_rcpts_per_sender").is_some_and(|number| number > 0);
            let question = "Do you want to enable rate limiting per envelope sender?";
            if self.terminal.ask_yes_no(question, limited).await? {
                let question = "Enter the maximum number of recipients per time interval from an envelope sender.";
                self.number("max_rcpts_per_sender", question, None, COUNT).await?;
                self.number("sender_interval", "Enter the time interval in minutes.", Some(60), (1, 1440)).await?;
                let now = self.text("sender_exceptions").unwrap_or_default();
                let question =
                    "Enter the name of the address list that is an exception to the envelope sender rate limit, if any.";
                let name = self.terminal.ask(question, &now).await?;
                if !name.is_empty() {
                    self.keep("sender_exceptions", Setting::Text(name));
                }
            } else if limited {
                for key in ["max_rcpts_per_sender", "sender_interval", "sender_exceptions"] {
                    self.set.unset(key);
                }
            }
        }
        Ok(())
    }

    /// Asks what is checked and how the connection is protected.
    async fn checks(&mut self, release: Release) -> Asked<()> {
        if !self.yes_no("use_sb", "Would you like to use SenderBase for flow control by default?").await? {
            let now = self.number_now("significant_bits");
            let question = "Would you like to group hosts by the similarity of their IP addresses?";
            if self.terminal.ask_yes_no(question, now.is_some()).await? {
                let question = "Enter the number of bits of IP address to treat as significant, from 0 to 32.";
                self.number("significant_bits", question, Some(24), (0, 32)).await?;
            } else {
                self.set.unset("significant_bits");
            }
        }
        self.yes_no("spam_check", "Would you like to enable anti-spam scanning?").await?;
        self.yes_no("virus_check", "Would you like to enable anti-virus scanning?").await?;
        let tls = self.list("tls", "Do you want to allow encrypted TLS connections?", TLS).await?;
        if tls == "on" && release >= Release::V13_0 {
            let now = self.text("tls_address_list");
            let question = "Do you want to enforce TLS for the senders of an address list?";
            if self.terminal.ask_yes_no(question, now.is_some()).await? {
                let question = "Enter the name of the address list for which TLS is mandatory.";
                let name = self.terminal.ask(question, now.as_deref().unwrap_or_default()).await?;
                self.keep("tls_address_list", Setting::Text(name));
            } else {
                self.set.unset("tls_address_list");
            }
        }
        if matches!(tls.as_str(), "on" | "required") && !self.certificate {
            let question = "You have chosen to enable TLS. Please use the 'certconfig' command to ensure that there is a valid \
                            certificate configured.\nDo you want to use the demo certificate until then?";
            self.terminal.ask_yes_no(question, true).await?;
        }
        let question = "Do you want to allow SMTP authentication?";
        if self.list("smtpauth_allow", question, AUTHENTICATION).await? != "off" {
            self.yes_no("smtpauth_requiretls", "Do you want to require TLS to offer SMTP authentication?").await?;
        }
        self.yes_no("dkim_signing", "Would you like to enable DKIM/DomainKeys signing?").await?;
        if release >= Release::V13_0 {
            self.yes_no("smime_decryption", "Would you like to enable S/MIME gateway decryption and verification?").await?;
        }
        if self.yes_no("dkim_verification", "Would you like to enable DKIM verification?").await? {
            self.list("dkim_profile", "Select the DKIM verification profile to use:", &[("DEFAULT", "DEFAULT")]).await?;
        }
        if self.yes_no("spf_verification", "Would you like to change SPF/SIDF settings to enable verification?").await? {
            let levels = &[("SIDF compatible", "sidf_compatible"), ("SIDF strict", "sidf_strict"), ("SPF", "spf")];
            let level = self.list("spf_conformance_level", "What Conformance Level would you like to use?", levels).await?;
            if level.is_empty() || level == "sidf_compatible" {
                let question =
                    "Would you like to downgrade the PRA verification result if Resent-Sender: or Resent-From: were used?";
                self.yes_no("spf_pra_downgrade", question).await?;
            }
            self.yes_no("spf_helo_test", "Would you like to enable the HELO test?").await?;
            self.number("spf_timeout", "Enter the timeout of the SPF verification in seconds.", Some(40), (1, 120)).await?;
            self.terminal
                .ask_yes_no("Would you like to change the SMTP actions taken as result of the SPF verification?", false)
                .await?;
        }
        if release >= Release::V13_0 && self.yes_no("dmarc_verification", "Would you like to enable DMARC verification?").await? {
            self.list("dmarc_profile", "Select the DMARC verification profile to use:", &[("DEFAULT", "DEFAULT")]).await?;
            self.yes_no("dmarc_reports", "Would you like to send DMARC aggregate reports?").await?;
        }
        Ok(())
    }

    /// Asks about envelope senders and bounces.
    async fn senders(&mut self, release: Release) -> Asked<()> {
        let verify = self.yes_no("sender_verification", "Would you like to enable envelope sender verification?").await?;
        self.yes_no("domain_exception_table", "Would you like to enable use of the domain exception table?").await?;
        self.yes_no("accept_untagged_bounces", "Do you wish to accept untagged bounces?").await?;
        if verify {
            let question = "Would you like to specify a custom SMTP response for malformed envelope senders?";
            self.response(question, "malformed_sender", 553).await?;
            if release >= Release::V13_0 {
                let question =
                    "Would you like to specify a custom SMTP response for envelope sender domains which do not resolve?";
                self.response(question, "nonresolving_sender", 451).await?;
                let question = "Would you like to specify a custom SMTP response for envelope sender domains which do not exist?";
                self.response(question, "nonexistent_sender", 553).await?;
            }
        }
        Ok(())
    }
}
