//! From attribute names to parameter names.

/// Words that the service writes in its own way inside a name.
const OWN_WAY: &[(&str, &str)] = &[
    ("ad", "AD"),
    ("ef", "EF"),
    ("ip", "IP"),
    ("ips", "IPs"),
    ("mx", "MX"),
    ("ndr", "NDR"),
    ("ome", "OME"),
    ("oof", "OOF"),
    ("rms", "RMS"),
    ("scl", "SCL"),
    ("tnef", "TNEF"),
    // `RemoveOMEv2`
    ("v2", "v2"),
];

/// Derives the parameter of an attribute: `sender_ip_addresses` gives `SenderIPAddresses`. Where the rule does not hold
/// (`SenderIpRanges`), the table names the parameter.
pub fn parameter(attribute: &str) -> String {
    let mut name = String::with_capacity(attribute.len());
    for word in attribute.split('_') {
        if let Some((_, own)) = OWN_WAY.iter().find(|(plain, _)| *plain == word) {
            name.push_str(own);
            continue;
        }
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_derived_in_the_services_spelling() {
        for (attribute, wanted) in [
            ("name", "Name"),
            ("sender_ip_addresses", "SenderIPAddresses"),
            ("restrict_domains_to_ip_addresses", "RestrictDomainsToIPAddresses"),
            ("require_tls", "RequireTls"),
            ("tls_settings", "TlsSettings"),
            ("use_mx_record", "UseMXRecord"),
            ("ef_skip_last_ip", "EFSkipLastIP"),
            ("ef_skip_ips", "EFSkipIPs"),
            ("set_scl", "SetSCL"),
            ("set_header_name", "SetHeaderName"),
            ("remove_ome_v2", "RemoveOMEv2"),
            ("remove_rms_attachment_encryption", "RemoveRMSAttachmentEncryption"),
            ("route_all_messages_via_on_premises", "RouteAllMessagesViaOnPremises"),
            ("between_member_of_1", "BetweenMemberOf1"),
            ("sender_ad_attribute_contains_words", "SenderADAttributeContainsWords"),
            ("apply_html_disclaimer_text", "ApplyHtmlDisclaimerText"),
            ("ad_comparison_attribute", "ADComparisonAttribute"),
            ("tnef_enabled", "TNEFEnabled"),
            ("allowed_oof_type", "AllowedOOFType"),
            ("ip_allow_list", "IPAllowList"),
        ] {
            assert_eq!(parameter(attribute), wanted);
        }
    }
}
