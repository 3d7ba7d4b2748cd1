//! The classes that `Get-TransportRule` names for conditions, exceptions and actions, where their names are not those of the members.
//!
//! Most classes are called as the member is, some without its last word. A class that neither the names nor this list explain is that of a member
//! that would have none otherwise.

use crate::exchange::cmdlet::Section;

const PREDICATES: &[(&str, &[&str])] = &[
    ("adattributecomparison", &["adcomparisonattribute", "adcomparisonoperator"]),
    ("attachmentnamematches", &["attachmentnamematchespatterns"]),
    ("betweenmemberof", &["betweenmemberof1", "betweenmemberof2"]),
    ("headercontains", &["headercontainsmessageheader", "headercontainswords"]),
    ("headermatches", &["headermatchesmessageheader", "headermatchespatterns"]),
    ("managementrelationship", &["sendermanagementrelationship"]),
    ("manageris", &["managerforevaluateduser", "manageraddresses"]),
];

const ACTIONS: &[(&str, &[&str])] = &[
    ("addtorecipient", &["addtorecipients"]),
    ("applyhtmldisclaimer", &["applyhtmldisclaimertext", "applyhtmldisclaimerlocation", "applyhtmldisclaimerfallbackaction"]),
    ("generateincidentreport", &["generateincidentreport", "incidentreportcontent"]),
    ("redirectmessage", &["redirectmessageto"]),
    ("rejectmessage", &["rejectmessagereasontext", "rejectmessageenhancedstatuscode"]),
    ("rightsprotectmessage", &["applyrightsprotectiontemplate", "applyrightsprotectioncustomizationtemplate"]),
    ("setheader", &["setheadername", "setheadervalue"]),
];

/// The lists of a rule.
pub(super) const SECTIONS: &[Section] = &[
    Section { member: "Conditions", word: "conditions", prefix: "", classes: PREDICATES, silent: &[] },
    Section { member: "Exceptions", word: "exceptions", prefix: "ExceptIf", classes: PREDICATES, silent: &[] },
    Section {
        member: "Actions",
        word: "actions",
        prefix: "",
        classes: ACTIONS,
        silent: &["RemoveRMSAttachmentEncryption", "RouteMessageOutboundRequireTls", "StopRuleProcessing"],
    },
];
