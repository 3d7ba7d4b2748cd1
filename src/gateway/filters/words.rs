//! The rules and actions of the language, and which of their texts may be shown.
//!
//! A text that is compared with a header or a body, or written into one, may be a secret. What names a thing of the gateway (a listener, a
//! quarantine, a dictionary, a header), and what is compared with the envelope or the connection, is none. Of a word that is not in these tables
//! nothing is shown.

/// Which texts of a rule or an action may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// All of them.
    All,
    /// The arguments, not what it is compared with.
    Arguments,
    /// The first argument only.
    First,
    /// All but the second argument.
    NotSecond,
    /// None.
    None,
}

/// How an action ends what is done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Other actions and other filters follow.
    Not,
    /// The message is gone.
    Dropped,
    /// The message goes on, and no filter sees it any more.
    Skipped,
}

/// The rules: admin manual, table "Message Filter Rules", and those that releases 11 to 16 added.
const RULES: &[(&str, Shown)] = &[
    ("addr-count", Shown::All),
    ("aggressive-bulk", Shown::All),
    ("attachment-binary-contains", Shown::None),
    ("attachment-contains", Shown::None),
    ("attachment-corrupt", Shown::All),
    ("attachment-dictionary-match", Shown::All),
    ("attachment-filename", Shown::None),
    ("attachment-filetype", Shown::All),
    ("attachment-mimetype", Shown::All),
    ("attachment-protected", Shown::All),
    ("attachment-size", Shown::All),
    ("attachment-type", Shown::All),
    ("attachment-unprotected", Shown::All),
    ("bcc-count", Shown::All),
    ("body-contains", Shown::None),
    ("body-dictionary-match", Shown::All),
    ("body-size", Shown::All),
    ("cc-count", Shown::All),
    ("date", Shown::All),
    ("dictionary-match", Shown::All),
    ("dkim", Shown::All),
    ("dkim-authentication", Shown::All),
    ("dmarc", Shown::All),
    ("dnslist", Shown::All),
    ("duplicate-boundaries", Shown::All),
    ("encrypted", Shown::All),
    ("envelope-sender-dns", Shown::All),
    ("every-attachment-contains", Shown::None),
    ("false", Shown::All),
    ("forged-email-detection", Shown::All),
    ("geolocation-rule", Shown::All),
    ("header", Shown::Arguments),
    ("header-dictionary-match", Shown::All),
    ("header-repeats", Shown::All),
    ("image-verdict", Shown::All),
    ("language", Shown::All),
    ("macro-detection-rule", Shown::All),
    ("mail-from", Shown::All),
    ("mail-from-dictionary-match", Shown::All),
    ("mail-from-group", Shown::All),
    ("malformed-header", Shown::All),
    ("message-language", Shown::All),
    ("no-reputation", Shown::All),
    ("only-body-contains", Shown::None),
    ("random", Shown::All),
    ("rcpt-count", Shown::All),
    ("rcpt-to", Shown::All),
    ("rcpt-to-dictionary-match", Shown::All),
    ("rcpt-to-group", Shown::All),
    ("recv-int", Shown::All),
    ("recv-listener", Shown::All),
    ("remote-ip", Shown::All),
    ("reputation", Shown::All),
    ("sdr-age", Shown::All),
    ("sdr-reputation", Shown::All),
    ("sdr-unscannable", Shown::All),
    ("sendergroup", Shown::All),
    ("signed", Shown::All),
    ("signed-certificate", Shown::All),
    ("size", Shown::All),
    ("smime-gateway-message", Shown::All),
    ("smime-gateway-verified", Shown::All),
    ("smtp-auth-id-matches", Shown::All),
    ("spf-passed", Shown::All),
    ("spf-status", Shown::All),
    ("subject", Shown::None),
    ("subject-dictionary-match", Shown::All),
    ("tls-cipher", Shown::All),
    ("to-count", Shown::All),
    ("true", Shown::All),
    ("url-category", Shown::All),
    ("url-no-reputation", Shown::All),
    ("url-reputation", Shown::All),
    ("valid", Shown::All),
    ("workqueue-count", Shown::All),
];

/// The actions: admin manual, table "Message Filter Actions", and those that releases 11 to 16 added.
const ACTIONS: &[(&str, Shown, Ends)] = &[
    ("add-footer", Shown::All, Ends::Not),
    ("add-heading", Shown::All, Ends::Not),
    ("alt-mailhost", Shown::All, Ends::Not),
    ("alt-rcpt-to", Shown::All, Ends::Not),
    ("alt-src-host", Shown::All, Ends::Not),
    ("archive", Shown::All, Ends::Not),
    ("bcc", Shown::NotSecond, Ends::Not),
    ("bcc-scan", Shown::NotSecond, Ends::Not),
    ("bounce", Shown::All, Ends::Skipped),
    ("bounce-profile", Shown::All, Ends::Not),
    ("deliver", Shown::All, Ends::Skipped),
    ("dkim-sign", Shown::All, Ends::Not),
    ("drop", Shown::All, Ends::Dropped),
    ("drop-attachments-by-filetype", Shown::First, Ends::Not),
    ("drop-attachments-by-hash", Shown::First, Ends::Not),
    ("drop-attachments-by-mimetype", Shown::First, Ends::Not),
    ("drop-attachments-by-name", Shown::None, Ends::Not),
    ("drop-attachments-by-size", Shown::First, Ends::Not),
    ("drop-attachments-by-type", Shown::First, Ends::Not),
    ("drop-attachments-where-contains", Shown::None, Ends::Not),
    ("drop-attachments-where-dictionary-match", Shown::First, Ends::Not),
    ("duplicate-quarantine", Shown::All, Ends::Not),
    ("edit-body-text", Shown::None, Ends::Not),
    ("edit-header-text", Shown::First, Ends::Not),
    ("encrypt", Shown::First, Ends::Skipped),
    ("encrypt-deferred", Shown::First, Ends::Not),
    ("fed", Shown::First, Ends::Not),
    ("html-convert", Shown::All, Ends::Not),
    ("insert-header", Shown::First, Ends::Not),
    ("limit-rate", Shown::All, Ends::Not),
    ("log", Shown::All, Ends::Not),
    ("log-entry", Shown::All, Ends::Not),
    ("no-op", Shown::All, Ends::Not),
    ("notify", Shown::NotSecond, Ends::Not),
    ("notify-copy", Shown::NotSecond, Ends::Not),
    ("quarantine", Shown::All, Ends::Not),
    ("set-virtual-gateway", Shown::All, Ends::Not),
    ("skip-ampcheck", Shown::All, Ends::Not),
    ("skip-bounceverification", Shown::All, Ends::Not),
    ("skip-bulkcheck", Shown::All, Ends::Not),
    ("skip-filters", Shown::All, Ends::Skipped),
    ("skip-marketingcheck", Shown::All, Ends::Not),
    ("skip-socialcheck", Shown::All, Ends::Not),
    ("skip-spamcheck", Shown::All, Ends::Not),
    ("skip-viruscheck", Shown::All, Ends::Not),
    ("skip-vofcheck", Shown::All, Ends::Not),
    ("smime-gateway", Shown::All, Ends::Skipped),
    ("smime-gateway-deferred", Shown::All, Ends::Not),
    ("strip-header", Shown::All, Ends::Not),
    ("tag-message", Shown::None, Ends::Not),
    ("url-category-defang", Shown::All, Ends::Not),
    ("url-category-proxy-redirect", Shown::All, Ends::Not),
    ("url-category-replace", Shown::First, Ends::Not),
    ("url-no-reputation-defang", Shown::All, Ends::Not),
    ("url-no-reputation-proxy-redirect", Shown::All, Ends::Not),
    ("url-no-reputation-replace", Shown::None, Ends::Not),
    ("url-reputation-defang", Shown::All, Ends::Not),
    ("url-reputation-proxy-redirect", Shown::All, Ends::Not),
    ("url-reputation-replace", Shown::None, Ends::Not),
];

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Among the arguments, counted from 0.
    Argument(usize),
    /// Behind the sign of a comparison.
    Compared,
}

/// Tells whether a text of a rule or an action may be shown. The name is in its one spelling.
pub(super) fn may_be_shown(name: &str, position: Position) -> bool {
    let rule = RULES.iter().find(|(rule, _)| *rule == name).map(|(_, shown)| *shown);
    let shown = rule.or_else(|| ACTIONS.iter().find(|(action, ..)| *action == name).map(|(_, shown, _)| *shown));
    match (shown.unwrap_or(Shown::None), position) {
        (Shown::All, _) | (Shown::Arguments, Position::Argument(_)) | (Shown::First, Position::Argument(0)) => true,
        (Shown::NotSecond, Position::Argument(at)) => at != 1,
        _ => false,
    }
}

/// How an action ends what is done with a message; `None` for one that is not known.
pub(super) fn ends(name: &str) -> Option<Ends> {
    ACTIONS.iter().find(|(action, ..)| *action == name).map(|(.., ends)| *ends)
}

#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(name, _)| *name).chain(ACTIONS.iter().map(|(name, ..)| *name))
}
