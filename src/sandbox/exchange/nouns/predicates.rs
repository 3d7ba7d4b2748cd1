//! The predicates of transport rules. Each has a twin `ExceptIf…` with the same type.
//!
//! <https://learn.microsoft.com/exchange/security-and-compliance/mail-flow-rules/conditions-and-exceptions>

use super::{array, boolean, choice, one, text, values};
use crate::sandbox::exchange::noun::{Item, Kind, Parameter, Part};

/// The attributes of a person that rules can look at.
const ATTRIBUTES: &[&str] = &[
    "City",
    "Company",
    "Country",
    "CustomAttribute1",
    "CustomAttribute2",
    "CustomAttribute3",
    "CustomAttribute4",
    "CustomAttribute5",
    "CustomAttribute6",
    "CustomAttribute7",
    "CustomAttribute8",
    "CustomAttribute9",
    "CustomAttribute10",
    "CustomAttribute11",
    "CustomAttribute12",
    "CustomAttribute13",
    "CustomAttribute14",
    "CustomAttribute15",
    "Department",
    "DisplayName",
    "Email",
    "FaxNumber",
    "FirstName",
    "HomePhoneNumber",
    "Initials",
    "LastName",
    "Manager",
    "MobileNumber",
    "Notes",
    "Office",
    "OtherFaxNumber",
    "OtherHomePhoneNumber",
    "OtherPhoneNumber",
    "PagerNumber",
    "PhoneNumber",
    "POBox",
    "State",
    "Street",
    "Title",
    "UserLogonName",
    "ZipCode",
];

/// What the service says to data-loss predicates.
pub(super) const NO_DLP: &str = "You can't create or update DLP-related mail flow rules. See https://aka.ms/NoDLPinETRs";

/// Parameters that only mean something together, without their prefix `ExceptIf`.
pub(super) const PAIRS: &[(&str, &str)] = &[
    ("BetweenMemberOf1", "BetweenMemberOf2"),
    ("ManagerForEvaluatedUser", "ManagerAddresses"),
    ("ADComparisonAttribute", "ADComparisonOperator"),
    ("HeaderContainsMessageHeader", "HeaderContainsWords"),
    ("HeaderMatchesMessageHeader", "HeaderMatchesPatterns"),
];

/// All predicates, conditions first, exceptions after them.
pub(super) fn parameters() -> Vec<Parameter> {
    let conditions = conditions();
    let exceptions = conditions.iter().map(|condition| Parameter {
        name: format!("ExceptIf{}", condition.name).into(),
        part: match &condition.part {
            Part::Condition(class) => Part::Exception(class.clone()),
            other => other.clone(),
        },
        ..condition.clone()
    });
    let exceptions: Vec<Parameter> = exceptions.collect();
    conditions.into_iter().chain(exceptions).collect()
}

fn conditions() -> Vec<Parameter> {
    let recipients = |name| array(name, Item::Recipient);
    let words = |name| array(name, Item::Word);
    let patterns = |name| array(name, Item::Pattern);
    let scope = |name| choice(name, &["InOrganization", "NotInOrganization"]);
    let size = |name: &'static str| Parameter::new(name, Kind::Size);
    let list = vec![
        recipients("From"),
        recipients("FromMemberOf"),
        scope("FromScope"),
        words("FromAddressContainsWords"),
        patterns("FromAddressMatchesPatterns"),
        words("SenderDomainIs"),
        values("SenderIpRanges", Item::AddressRange),
        words("SenderADAttributeContainsWords"),
        patterns("SenderADAttributeMatchesPatterns"),
        choice("SenderManagementRelationship", &["Manager", "DirectReport"]),
        words("SenderInRecipientList"),
        words("RecipientInSenderList"),
        recipients("SentTo"),
        recipients("SentToMemberOf"),
        scope("SentToScope"),
        words("RecipientAddressContainsWords"),
        patterns("RecipientAddressMatchesPatterns"),
        words("RecipientDomainIs"),
        words("RecipientADAttributeContainsWords"),
        patterns("RecipientADAttributeMatchesPatterns"),
        words("AnyOfRecipientAddressContainsWords"),
        patterns("AnyOfRecipientAddressMatchesPatterns"),
        recipients("AnyOfToHeader"),
        recipients("AnyOfToHeaderMemberOf"),
        recipients("AnyOfCcHeader"),
        recipients("AnyOfCcHeaderMemberOf"),
        recipients("AnyOfToCcHeader"),
        recipients("AnyOfToCcHeaderMemberOf"),
        recipients("BetweenMemberOf1").part(Part::Condition("BetweenMemberOf".into())),
        recipients("BetweenMemberOf2").part(Part::Condition("BetweenMemberOf".into())),
        choice("ManagerForEvaluatedUser", &["Recipient", "Sender"]).part(Part::Condition("ManagerIs".into())),
        recipients("ManagerAddresses").part(Part::Condition("ManagerIs".into())),
        choice("ADComparisonAttribute", ATTRIBUTES).part(Part::Condition("ADAttributeComparison".into())),
        choice("ADComparisonOperator", &["Equal", "NotEqual"]).part(Part::Condition("ADAttributeComparison".into())),
        words("SubjectContainsWords"),
        words("SubjectOrBodyContainsWords"),
        patterns("SubjectMatchesPatterns"),
        patterns("SubjectOrBodyMatchesPatterns"),
        text("HeaderContainsMessageHeader", 64).part(Part::Condition("HeaderContains".into())),
        words("HeaderContainsWords").part(Part::Condition("HeaderContains".into())),
        text("HeaderMatchesMessageHeader", 64).part(Part::Condition("HeaderMatches".into())),
        patterns("HeaderMatchesPatterns").part(Part::Condition("HeaderMatches".into())),
        words("AttachmentContainsWords"),
        patterns("AttachmentMatchesPatterns"),
        patterns("AttachmentNameMatchesPatterns"),
        words("AttachmentExtensionMatchesWords"),
        words("AttachmentPropertyContainsWords"),
        size("AttachmentSizeOver"),
        size("MessageSizeOver"),
        boolean("AttachmentHasExecutableContent"),
        boolean("AttachmentIsPasswordProtected"),
        boolean("AttachmentIsUnsupported"),
        boolean("AttachmentProcessingLimitExceeded"),
        words("ContentCharacterSetContainsWords"),
        one("HasClassification", Item::Any),
        boolean("HasNoClassification"),
        choice(
            "MessageTypeMatches",
            &[
                "OOF",
                "AutoForward",
                "Encrypted",
                "Calendaring",
                "PermissionControlled",
                "Voicemail",
                "Signed",
                "ApprovalRequest",
                "ReadReceipt",
            ],
        ),
        Parameter::new("SCLOver", Kind::Level),
        choice("WithImportance", &["Low", "Normal", "High"]),
        Parameter::new("MessageContainsDataClassifications", Kind::Refused(NO_DLP)),
        Parameter::new("HasSenderOverride", Kind::Refused(NO_DLP)).unset(false),
    ];
    list.into_iter()
        .map(|parameter| match parameter.part {
            Part::Setting => {
                let class = parameter.name.clone();
                parameter.part(Part::Condition(class))
            }
            _ => parameter,
        })
        .collect()
}
