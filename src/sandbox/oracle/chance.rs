//! Random set-ups and messages, from a seed. What comes out is small and made of few names, so that tables and messages meet often.

use std::net::IpAddr;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::network::{Leads, Network, Offers};
use super::{Content, Entry, Message, Peer, Tenant, World};
use crate::sandbox::gateway::tables::destination::{Destination, Tls};
use crate::sandbox::gateway::tables::filter::Filter;
use crate::sandbox::gateway::tables::filter_script::Script;
use crate::sandbox::gateway::tables::hat::{Hat, Policy, SenderGroup, Verdict};
use crate::sandbox::gateway::tables::listener::Scope;
use crate::sandbox::gateway::tables::parameter::Parameters;
use crate::sandbox::gateway::tables::recipient::{Access, Recipient, Response, Treatment};
use crate::sandbox::gateway::tables::route::SmtpRoute;
use crate::sandbox::gateway::{Behavior, Configuration, Release};

const ADDRESSES: &[&str] = &["192.0.2.77", "198.51.100.5", "198.51.100.200", "40.107.22.104", "203.0.113.10", "2001:db8::5"];
const HOSTS: &[&str] = &[
    "mail.partner.example",
    "partner.example",
    "deep.mail.partner.example",
    "mail-x.outbound.protection.outlook.com",
    "protection.outlook.com",
];
const SENDERS: &[&str] = &[
    "mail.partner.example",
    ".partner.example",
    ".protection.outlook.com",
    "partner.example",
    "192.0.2.77",
    "192.0.2.",
    "198.51.100.1-100",
    "198.51.100.0/24",
    "198.51.100-101",
    "198.51.100.200",
    "40.107.",
    "2001:db8::/32",
    "SBRS[-10.0:-3.0]",
    "SBRS[none]",
    "SBO:4711",
    "0.0.0.0/0",
];
const RECIPIENTS: &[&str] = &[
    "ann@example.com",
    "postmaster@example.com",
    "bob@sub.example.com",
    "eve@example.net",
    "kim@partner.example",
    "joe@deep.other.example",
    "ann@other.example",
];
const ENTRIES: &[&str] = &[
    "example.com",
    ".example.com",
    "postmaster@",
    "ann@example.com",
    "ann@",
    "example.net",
    ".other.example",
    "partner.example",
];
const FROM: &[&str] =
    &["", "ann@example.com", "kim@partner.example", "x@deep.other.example", "bob@sub.example.com", "sales@other.example"];
const SUBJECTS: &[&str] = &["hello", "Invoice 47", "SPAM offer", "re: hello", "secret plan"];
const RULES: &[&str] = &[
    "sendergroup == \"^RELAY$\"",
    "sendergroup == \"G[12]\"",
    "recv-listener == \"IncomingMail\"",
    "mail-from == \"@partner\\\\.example$\"",
    "mail-from == \"^$\"",
    "rcpt-to == \"@example\\\\.com$\"",
    "rcpt-to == \"(?i)ANN@\"",
    "subject == \"hello\"",
    "subject == \"^Invoice [0-9]+$\"",
    "header(\"X-Token\") == \"^key1234567$\"",
    "header(\"X-Token\")",
    "header(\"X-Class\") == \"a|b\"",
    "remote-ip == \"198.51.100.\"",
    "rcpt-count > 1",
    "size < 1k",
    "body-contains(\"[Ss]ecret\", 2)",
    "only-body-contains(\"word\")",
    "reputation < -2.5",
    "no-reputation",
    "attachment-filename == \"exe$\"",
    "true",
    "false",
];
const ACTIONS: &[&str] = &[
    "drop();",
    "bounce();",
    "skip-filters();",
    "deliver();",
    "strip-header(\"X-Token\");",
    "insert-header(\"X-Class\", \"a\");",
    "insert-header(\"X-Seen\", \"yes\");",
    "edit-header-text(\"Subject\", \"hello\", \"goodbye\");",
    "alt-rcpt-to(\"kim@partner.example\");",
    "alt-mailhost(\"mx.plain.example\");",
    "quarantine(\"Policy\");",
    "log-entry(\"seen\");",
    "no-op();",
];

/// Makes worlds and messages.
#[derive(Debug)]
pub struct Chance {
    random: StdRng,
}

impl Chance {
    /// Begins with a seed: the same seed gives the same worlds and messages.
    pub fn new(seed: u64) -> Chance {
        Chance { random: StdRng::seed_from_u64(seed) }
    }

    /// Makes a set-up of both services and what lies around.
    pub fn world(&mut self) -> World {
        let mut gateway = Configuration::new_gateway(Release::default());
        for listener in &mut gateway.listeners {
            listener.hat = self.hat();
            if self.one_in(6) {
                listener.default_domain = "example.com".into();
            }
        }
        if self.one_in(8)
            && let Some(listener) = gateway.listeners.last_mut()
        {
            listener.scope = Scope::BlackHole;
        }
        if let Some(rat) = gateway.listeners.first_mut().and_then(|listener| listener.rat.as_mut()) {
            let count = self.random.random_range(0..5);
            for _ in 0..count {
                let address = self.pick(ENTRIES).to_owned();
                if rat.entries.iter().all(|entry| entry.address != address) {
                    let treatment = self.treatment();
                    rat.entries.push(Recipient { address, treatment });
                }
            }
            if self.one_in(3) {
                rat.all = Treatment::plain(Access::Accept);
            }
        }
        let count = self.random.random_range(0..4);
        gateway.filters = (0..count).filter_map(|number| self.filter(number)).collect();
        for domain in ["example.com", ".example.com", ".other.example", ".deep.other.example", "partner.example", "ALL"] {
            if self.one_in(3) {
                let destinations = [
                    "example-com.mail.protection.outlook.com",
                    "mx.plain.example",
                    "[198.51.100.25]:2525/pri=5",
                    "USEDNS",
                    "/dev/null",
                ];
                let destinations = vec![self.pick(&destinations).to_owned()];
                gateway.smtp_routes.push(SmtpRoute { domain: domain.into(), destinations, authentication: None });
            }
        }
        gateway.destination_controls.default.tls = self.tls();
        for domain in ["example.com", ".other.example", "partner.example"] {
            if self.one_in(3) {
                let tls = Some(self.tls());
                gateway.destination_controls.entries.push(Destination { tls, ..Destination::new(domain) });
            }
        }
        if self.one_in(8) {
            gateway.tls_settings.outbound.method = "tlsv1.0/tlsv1.1".into();
        }
        let mut network = Network::default();
        for host in ["example-com.mail.protection.outlook.com", "mx.example.com", "mx.sub.example.com"] {
            network.host(host, Leads::Tenant);
        }
        network.host("mx.plain.example", Leads::Elsewhere(Offers::Plain));
        network.host("mx.partner.example", Leads::Elsewhere(Offers::SelfSigned));
        network.host("203.0.113.20", Leads::Gateway("OutgoingMail".into()));
        World { gateway, tenant: self.tenant(), network, broken: None }
    }

    /// Makes a message that has to do with the names of such worlds.
    pub fn message(&mut self) -> Message {
        let entry = match self.random.random_range(0..8) {
            0..=3 => Entry::Listener("IncomingMail".into()),
            4..=5 => Entry::Listener("OutgoingMail".into()),
            6 => Entry::Tenant,
            _ => Entry::Mailbox,
        };
        let address: IpAddr = self.pick(ADDRESSES).parse().unwrap_or(IpAddr::from([192, 0, 2, 1]));
        let host = if self.one_in(5) { None } else { Some(self.pick(HOSTS)) };
        let mut peer = Peer::new(address, host);
        peer.uses_tls = !self.one_in(4);
        if self.one_in(3) {
            peer.reputation = Some(f64::from(self.random.random_range(-100_i32..=100)) / 10.0);
        }
        if self.one_in(6) {
            peer.organization = Some(4711);
        }
        if self.one_in(4) && peer.uses_tls && entry == Entry::Tenant {
            peer.certificate = vec!["mail.partner.example".into()];
        }
        let sender = if entry == Entry::Mailbox { "ann@example.com" } else { self.pick(FROM) };
        let count = self.random.random_range(1..=3);
        let mut recipients: Vec<String> = Vec::new();
        for _ in 0..count {
            let address = if self.one_in(20) { "local" } else { self.pick(RECIPIENTS) };
            if !recipients.iter().any(|known| known == address) {
                recipients.push(address.to_owned());
            }
        }
        let shown = if self.one_in(5) { self.pick(FROM) } else { sender };
        let mut headers =
            vec![("From".to_owned(), if shown.is_empty() { "postmaster@partner.example" } else { shown }.to_owned())];
        headers.push(("To".to_owned(), recipients.join(", ")));
        if !self.one_in(5) {
            headers.push(("Subject".to_owned(), self.pick(SUBJECTS).to_owned()));
        }
        if self.one_in(2) {
            headers.push(("X-Token".to_owned(), self.pick(&["key1234567", "key12345678", "other"]).to_owned()));
        }
        if self.one_in(4) {
            headers.push(("X-Class".to_owned(), self.pick(&["b", "c"]).to_owned()));
        }
        let lines = self.random.random_range(0..4);
        let mut body = String::new();
        for _ in 0..lines {
            body.push_str(self.pick(&["a word", "Secret secret", ".", "..two", "", "the end. ", "ümlaut"]));
            body.push('\n');
        }
        if self.one_in(10) {
            body.push_str(&"long line\n".repeat(200));
        }
        Message { entry, peer, sender: sender.to_owned(), recipients, content: Content { headers, body } }
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.random.random_range(0..count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.choose(&mut self.random).copied().unwrap_or_default()
    }

    fn tls(&mut self) -> Tls {
        Tls::ALL.choose(&mut self.random).copied().unwrap_or(Tls::No)
    }

    fn parameters(&mut self) -> Parameters {
        let mut parameters = Parameters::default();
        if self.one_in(2) {
            parameters.set("tls", self.pick(&["off", "on", "required"]));
        }
        if self.one_in(4) {
            parameters.set("max_rcpts_per_msg", i64::from(self.random.random_range(1..4)));
        }
        if self.one_in(5) {
            parameters.set("max_message_size", i64::from(self.random.random_range(100..2000)));
        }
        if self.one_in(6) {
            parameters.set("reject_banner_text", "Not here");
            parameters.set("reject_banner_code", 421);
        }
        parameters
    }

    fn hat(&mut self) -> Hat {
        let mut hat = Hat::public();
        hat.policies.clear();
        for (name, behavior) in [
            ("ACCEPTED", Behavior::Accept),
            ("RELAYED", Behavior::Relay),
            ("BLOCKED", Behavior::Reject),
            ("REFUSED", Behavior::TcpRefuse),
            ("CONTINUED", Behavior::Continue),
        ] {
            let parameters = if behavior == Behavior::Continue { Parameters::default() } else { self.parameters() };
            hat.policies.push(Policy { name: name.into(), behavior, parameters });
        }
        hat.defaults.set("tls", self.pick(&["off", "on", "required"]));
        hat.groups = ["RELAY", "G1", "G2", "", "G3"]
            .into_iter()
            .map(|name| {
                let count = self.random.random_range(1..=2);
                let policy = self.pick(&["ACCEPTED", "ACCEPTED", "RELAYED", "RELAYED", "BLOCKED", "REFUSED", "CONTINUED"]);
                SenderGroup {
                    name: name.into(),
                    senders: (0..count).map(|_| self.pick(SENDERS).to_owned()).collect(),
                    countries: Vec::new(),
                    verdict: Verdict::Policy(policy.into()),
                    comment: String::new(),
                }
            })
            .collect();
        hat.all = Verdict::Policy(self.pick(&["ACCEPTED", "ACCEPTED", "RELAYED", "BLOCKED"]).into());
        hat
    }

    fn treatment(&mut self) -> Treatment {
        let access = if self.one_in(3) { Access::Reject } else { Access::Accept };
        let mut treatment = Treatment::plain(access);
        treatment.bypass_receiving_control = self.one_in(4);
        if self.one_in(4) {
            let code = if access == Access::Accept { 250 } else { 451 };
            treatment.response = Some(Response { code, text: "Our own words".into() });
        }
        treatment
    }

    fn condition(&mut self, depth: u32) -> String {
        match self.random.random_range(0..6) {
            0 if depth > 0 => format!("({} and {})", self.condition(depth - 1), self.condition(depth - 1)),
            1 if depth > 0 => format!("({} or {})", self.condition(depth - 1), self.condition(depth - 1)),
            2 if depth > 0 => format!("not {}", self.condition(depth - 1)),
            _ => self.pick(RULES).to_owned(),
        }
    }

    fn actions(&mut self, depth: u32) -> String {
        let count = self.random.random_range(1..=2);
        (0..count)
            .map(|_| if depth > 0 && self.one_in(4) { self.statement(depth - 1) } else { self.pick(ACTIONS).to_owned() })
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn statement(&mut self, depth: u32) -> String {
        let mut text = format!("if {} {{ {} }}", self.condition(2), self.actions(depth));
        if self.one_in(4) {
            text.push_str(&format!(" elif {} {{ {} }}", self.condition(1), self.actions(depth)));
        }
        if self.one_in(3) {
            text.push_str(&format!(" else {{ {} }}", self.actions(depth)));
        }
        text
    }

    fn filter(&mut self, number: usize) -> Option<Filter> {
        let mark = if self.one_in(5) { "!" } else { "" };
        let text = format!("filter_{number}{mark}: {}", self.statement(1));
        Script::parse(&text).ok()?.first().map(Filter::of)
    }

    fn tenant(&mut self) -> Tenant {
        let mut inbound: Vec<Value> = Vec::new();
        for (name, domain) in [("any", "smtp:*;1"), ("partner", "smtp:partner.example;1"), ("below", "smtp:*.other.example;1")] {
            if self.one_in(2) {
                inbound.push(json!({
                    "Name": name, "Enabled": !self.one_in(6), "ConnectorType": self.pick(&["Partner", "Partner", "OnPremises"]),
                    "SenderDomains": [domain], "RequireTls": self.one_in(2),
                    "SenderIPAddresses": [self.pick(&["203.0.113.0/24", "198.51.100.5", "192.0.2.77"])],
                    "RestrictDomainsToIPAddresses": self.one_in(3), "RestrictDomainsToCertificate": self.one_in(5),
                    "TlsSenderCertificateName": self.pick(&["*.partner.example", "mail.partner.example", "other.example"]),
                    "TreatMessagesAsInternal": self.one_in(3)
                }));
            }
        }
        let outbound = json!([
            { "Name": "to gateway", "Guid": "11111111-1111-4111-8111-111111111111", "Enabled": !self.one_in(6), "ConnectorType": "Partner",
              "IsTransportRuleScoped": true, "UseMXRecord": false, "SmartHosts": ["203.0.113.20"],
              "TlsSettings": self.pick(&["", "EncryptionOnly", "CertificateValidation"]) },
            { "Name": "to others", "Guid": "22222222-2222-4222-8222-222222222222", "Enabled": self.one_in(2), "ConnectorType": "Partner",
              "IsTransportRuleScoped": false, "UseMXRecord": true, "RecipientDomains": ["*.other.example"],
              "TlsSettings": self.pick(&["", "EncryptionOnly"]) }
        ]);
        let count = self.random.random_range(0..4);
        let rules: Vec<Value> = (0..count).map(|number| self.rule(number)).collect();
        Tenant::of(&json!({
            "AcceptedDomain": [
                { "Name": "example.com", "DomainType": "Authoritative" },
                { "Name": "sub.example.com", "DomainType": "Authoritative" }
            ],
            "HostedConnectionFilterPolicy": [{ "Name": "Default",
                "IPBlockList": if self.one_in(6) { json!(["192.0.2.77"]) } else { json!([]) },
                "IPAllowList": if self.one_in(6) { json!(["192.0.2.0/24"]) } else { json!([]) } }],
            "OrganizationConfig": [{ "Name": "contoso", "RejectDirectSend": self.one_in(2) }],
            "InboundConnector": inbound,
            "OutboundConnector": outbound,
            "TransportRule": rules,
        }))
    }

    fn rule(&mut self, number: usize) -> Value {
        let mut rule = json!({ "Name": format!("rule {number}"), "State": if self.one_in(6) { "Disabled" } else { "Enabled" },
            "Mode": if self.one_in(6) { "Audit" } else { "Enforce" }, "StopRuleProcessing": self.one_in(5) });
        let conditions = [
            json!({ "FromScope": "InOrganization" }),
            json!({ "SentToScope": "NotInOrganization" }),
            json!({ "SenderDomainIs": ["partner.example", "other.example"] }),
            json!({ "RecipientDomainIs": ["example.com"] }),
            json!({ "SenderIpRanges": ["203.0.113.0/24"] }),
            json!({ "SubjectContainsWords": ["hello"] }),
            json!({ "SubjectMatchesPatterns": ["^invoice"] }),
            json!({ "HeaderContainsMessageHeader": "X-Class", "HeaderContainsWords": ["a", "b"] }),
            json!({ "SentTo": ["ann@example.com"] }),
        ];
        let actions = [
            json!({ "SetSCL": "-1" }),
            json!({ "RouteMessageOutboundConnector": "to gateway", "SetHeaderName": "X-Token", "SetHeaderValue": "key1234567" }),
            json!({ "PrependSubject": "[x] " }),
            json!({ "DeleteMessage": true }),
            json!({ "RejectMessageReasonText": "Not from you", "RejectMessageEnhancedStatusCode": "5.7.900" }),
            json!({ "RedirectMessageTo": ["bob@sub.example.com"] }),
            json!({ "RemoveHeader": "X-Class" }),
            json!({ "Quarantine": true }),
        ];
        let mut join = |part: Value| {
            if let (Some(rule), Value::Object(part)) = (rule.as_object_mut(), part) {
                rule.extend(part);
            }
        };
        for _ in 0..self.random.random_range(0..3) {
            join(conditions.choose(&mut self.random).cloned().unwrap_or_default());
        }
        join(actions.choose(&mut self.random).cloned().unwrap_or_default());
        if self.one_in(3) {
            let exceptions = [
                json!({ "ExceptIfSubjectContainsWords": ["re"] }),
                json!({ "ExceptIfSenderDomainIs": ["deep.other.example"] }),
                json!({ "ExceptIfHeaderContainsMessageHeader": "X-Class", "ExceptIfHeaderContainsWords": ["b"] }),
            ];
            join(exceptions.choose(&mut self.random).cloned().unwrap_or_default());
        }
        rule
    }
}
