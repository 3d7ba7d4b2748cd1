//! What objects show and nobody sets: how the directory keeps them, who changed them when, and what the service found out.
//!
//! It is no setting that could be lost or added behind our back, so it is not told as unmanaged. Names are in lower case.

/// Members of the objects of every noun.
const EVERYWHERE: &[&str] = &[
    "distinguishedname",
    "exchangeobjectid",
    "exchangeversion",
    "guid",
    "id",
    "identity",
    "immutableid",
    "isvalid",
    "lastmodifiedby",
    "createdby",
    "name",
    "objectcategory",
    "objectclass",
    "objectstate",
    "organizationalunitroot",
    "organizationid",
    "originatingserver",
    "orgid",
    "pscomputername",
    "psshowcomputername",
    "runspaceid",
    "whenchanged",
    "whenchangedutc",
    "whencreated",
    "whencreatedutc",
];

/// Members of the objects of one noun.
const OF: &[(&str, &[&str])] = &[
    ("InboundConnector", &["connectorsource"]),
    ("OutboundConnector", &["connectorsource", "isvalidated", "lastvalidationtimestamp"]),
    (
        "TransportRule",
        &[
            "actions",
            "conditions",
            "description",
            "exceptions",
            // The form in which servers before 2013 kept what `incident_report_content` says.
            "incidentreportoriginalmail",
            "isruleconfigurationsupported",
            "manuallymodified",
            "priority",
            "regexsize",
            "ruleconfigurationunsupportedreason",
            "ruleversion",
            "size",
            "state",
            "version",
        ],
    ),
    (
        "AcceptedDomain",
        &[
            "addressbookenabled",
            "authenticationtype",
            "default",
            "domainname",
            "dualprovisioningenabled",
            "emailonly",
            "externallymanaged",
            "federatedorganizationlink",
            "initialdomain",
            "iscoexistencedomain",
            "isdefaultfederateddomain",
            "liveidinstancetype",
            "mailflowpartner",
            "moeradnsprovisioningmode",
            "pendingcompletion",
            "pendingfederatedaccountnamespace",
            "pendingfederateddomain",
            "pendingremoval",
            "perimeterduplicatedetected",
            "rawauthenticationtype",
            "rawliveidinstancetype",
            // It has cmdlets of its own.
            "smtpdanestatus",
        ],
    ),
    // The last two are without effect in Exchange Online, and always say the same: the largest number there is, and true.
    ("RemoteDomain", &["domainname", "messagecountthreshold", "ndrdiagnosticinfoenabled"]),
    (
        "DkimSigningConfig",
        &[
            "algorithm",
            "domain",
            "enabled",
            "includekeyexpiration",
            "includesignaturecreationtime",
            "isdefault",
            "item",
            "keycreationtime",
            "lastchecked",
            "numberofbytestosign",
            "rotateondate",
            "selector1publickey",
            "selector2publickey",
            "status",
        ],
    ),
    ("HostedConnectionFilterPolicy", &["directorybasededgeblockmode", "isdefault"]),
];

/// Tells whether a member (its name in lower case) of the objects of a noun is one that nobody sets.
pub(super) fn is_read_only(noun: &str, member: &str) -> bool {
    let of_noun = OF.iter().find(|(name, _)| *name == noun).map_or(&[][..], |(_, members)| members);
    EVERYWHERE.contains(&member) || of_noun.contains(&member) || is_moment(member)
}

/// Tells whether a member is one that says when something happened: it changes by itself.
fn is_moment(member: &str) -> bool {
    member.starts_with("when") || ["timestamp", "timeutc", "datetime", "dateutc"].iter().any(|end| member.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_lower_case_and_says_each_name_once() {
        for (noun, members) in OF.iter().copied().chain([("", EVERYWHERE)]) {
            for member in members {
                assert_eq!(*member, member.to_ascii_lowercase(), "{noun}");
                let count = members.iter().chain(EVERYWHERE).filter(|other| *other == member).count();
                assert_eq!(count, if noun.is_empty() { 2 } else { 1 }, "{noun} {member}");
            }
        }
    }
}
