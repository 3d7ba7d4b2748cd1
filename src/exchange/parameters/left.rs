//! The parameters that have no attribute, and why.
//!
//! What has one is not written here: it is read off the tables. On-premises, reserved, deprecated: as the cmdlets' pages say
//! (<https://learn.microsoft.com/powershell/module/exchangepowershell>).

/// Parameters without an attribute.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    /// Their names.
    pub names: &'static [&'static str],
    /// Why they have none, in Markdown.
    pub why: &'static str,
}

const fn left(names: &'static [&'static str], why: &'static str) -> Left {
    Left { names, why }
}

const ON_PREMISES: &str = "for servers on-premises only";
const NO_EFFECT: &str = "without effect in Exchange Online, by its page";
const EDGE: &str = "for Edge Transport servers on-premises only";
const DLP: &str = "data loss prevention on-premises; Exchange Online refuses it in rules (<https://aka.ms/NoDLPinETRs>)";
const RESERVED: &str = "reserved for Microsoft's own use";
const NOT_DESCRIBED: &str = "its page does not say what it does or takes";
const SOURCE: &str = "says what made the connector, and is not to be changed; shown as `connector_source`";

/// What cmdlets of all nouns take.
pub const EVERYWHERE: &[Left] = &[
    left(&["Identity"], "says which object is meant: the provider sends the `id`"),
    left(&["Confirm"], "the provider sends `false` where the cmdlet would only ask"),
    left(&["WhatIf"], "`terraform plan` is for that"),
    left(&["DomainController"], ON_PREMISES),
    left(
        &["Debug", "ErrorAction", "Verbose", "WarningAction"],
        "common parameters of PowerShell; the provider reads errors and warnings from the answer",
    ),
];

/// What cmdlets of a noun take beside what attributes stand for.
pub const LEFT: &[(&str, &[Left])] = &[
    (
        "InboundConnector",
        &[
            left(&["ConnectorSource"], SOURCE),
            left(&["EFSkipMailGateway", "EFTestMode", "ScanAndDropRecipients"], RESERVED),
            left(&["ClientHostNames"], NOT_DESCRIBED),
        ],
    ),
    (
        "OutboundConnector",
        &[
            left(&["ConnectorSource"], SOURCE),
            left(
                &["IsValidated", "LastValidationTimestamp"],
                "what came of a validation: the provider writes it after one, and shows it as `is_validated` and `last_validation_timestamp`",
            ),
            left(
                &["Recipients"],
                "of `Validate-OutboundConnector`, which `validate` runs: the provider sends `validation_recipients`",
            ),
            left(&["LinkForModifiedConnector"], RESERVED),
        ],
    ),
    (
        "TransportRule",
        &[
            left(
                &[
                    "MessageContainsDataClassifications",
                    "ExceptIfMessageContainsDataClassifications",
                    "HasSenderOverride",
                    "ExceptIfHasSenderOverride",
                    "NotifySender",
                    "DlpPolicy",
                ],
                DLP,
            ),
            left(&["RuleSubType"], "`None` is the only kind that Exchange Online takes"),
            left(&["Disconnect", "LogEventText", "SmtpRejectMessageRejectStatusCode", "SmtpRejectMessageRejectText"], EDGE),
            left(
                &["IncidentReportOriginalMail"],
                "deprecated: `AttachOriginalMail` in `actions.incident_report_content` replaces it",
            ),
            left(
                &["UseLegacyRegex"],
                "regular expressions in the syntax of Exchange 2010: taken by `New-TransportRule` only, and not shown by `Get-TransportRule`",
            ),
        ],
    ),
    (
        "DkimSigningConfig",
        &[
            left(&["Enabled"], "the provider makes a config disabled; `mailflow_exchange_dkim_activation` is the switch"),
            left(&["PublishTxtRecords"], NOT_DESCRIBED),
        ],
    ),
    (
        "AcceptedDomain",
        &[
            left(&["AddressBookEnabled", "MakeDefault", "Name", "PendingCompletion", "PendingRemoval"], ON_PREMISES),
            left(&["EnableNego2Authentication"], RESERVED),
            left(&["CanHaveCloudCache", "MailFlowRegion"], NOT_DESCRIBED),
        ],
    ),
    (
        "RemoteDomain",
        &[
            left(&["NDRDiagnosticInfoEnabled"], NO_EFFECT),
            left(&["IsCoexistenceDomain", "MessageCountThreshold"], ON_PREMISES),
            left(
                &["SmtpDaneMandatoryModeEnabled"],
                "in Microsoft's module of 2024, on no page, and gone since; `smtp_dane_mode` of an outbound connector is documented",
            ),
        ],
    ),
    ("HostedConnectionFilterPolicy", &[left(&["ConfigurationXmlRaw", "MakeDefault"], RESERVED)]),
    (
        "OrganizationConfig",
        &[
            left(
                &[
                    "ACLableSyncedObjectEnabled",
                    "AdfsAudienceUris",
                    "AdfsAuthenticationConfiguration",
                    "AdfsEncryptCertificateThumbprint",
                    "AdfsIssuer",
                    "AdfsSignCertificateThumbprints",
                    "CustomerFeedbackEnabled",
                    "DataClassifications",
                    "EmptyAddressBookForNonExchangeUsers",
                    "EnableAuthAdminReadSession",
                    "EnableDownloadDomains",
                    "EnableOrgWidePermissionOnScopedRoles",
                    "Force",
                    "Industry",
                    "IsExcludedFromOffboardMigration",
                    "IsExcludedFromOnboardMigration",
                    "IsFfoMigrationInProgress",
                    "MailboxDataEncryptionEnabled",
                    "ManagedFolderHomepage",
                    "MapiHttpEnabled",
                    "MaxConcurrentMigrations",
                    "MicrosoftExchangeRecipientEmailAddresses",
                    "MicrosoftExchangeRecipientEmailAddressPolicyEnabled",
                    "MicrosoftExchangeRecipientPrimarySmtpAddress",
                    "MicrosoftExchangeRecipientReplyRecipient",
                    "MitigationsEnabled",
                    "OabShadowDistributionOldestFileAgeLimit",
                    "OrganizationSummary",
                    "PermanentlyDeleteDisabled",
                    "PublicFolderContentReplicationDisabled",
                    "PublicFolderMailboxesLockedForNewConnections",
                    "PublicFolderMailboxesMigrationComplete",
                    "PublicFolderMigrationComplete",
                    "PublicFoldersLockedForMigration",
                    "SCLJunkThreshold",
                    "UMAvailableLanguages",
                    "UseIcsSyncStateStreaming",
                    "WACDiscoveryEndpoint",
                ],
                ON_PREMISES,
            ),
            left(
                &[
                    "CalendarVersionStoreEnabled",
                    "CustomerLockboxEnabled",
                    "EnableForwardingAddressSyncForMailboxes",
                    "IsAgendaMailEnabled",
                    "OutlookMobileHelpShiftEnabled",
                    "OutlookMobileSingleAccountEnabled",
                    "PreferredInternetCodePageForShiftJis",
                    "RefreshSessionEnabled",
                    "RequiredCharsetCoverage",
                    "UnblockUnsafeSenderPromptEnabled",
                ],
                RESERVED,
            ),
            left(
                &[
                    "AutomaticForcedReadReceiptEnabled",
                    "InRegionRoutingEnabled",
                    "MaskClientIpInReceivedHeadersEnabled",
                    "MatchSenderOrganizerProperties",
                    "SharedDomainEmailAddressFlowEnabled",
                ],
                NOT_DESCRIBED,
            ),
            left(
                &["ByteEncoderTypeFor7BitCharsets"],
                "the form of messages for clients; each remote domain has its own `byte_encoder_type_for_7bit_charsets`",
            ),
            left(&["IPListBlocked"], "connections of clients with Basic authentication, not mail"),
            left(
                &[
                    "MailTipsAllTipsEnabled",
                    "MailTipsExternalRecipientsTipsEnabled",
                    "MailTipsGroupMetricsEnabled",
                    "MailTipsLargeAudienceThreshold",
                    "MailTipsMailboxSourcedTipsEnabled",
                ],
                "what senders see while they write, not what happens to their mail",
            ),
            left(
                &[
                    "MessageRecallAlertRecipientsEnabled",
                    "MessageRecallAlertRecipientsReadMessagesOnlyEnabled",
                    "MessageRecallEnabled",
                    "MessageRecallMaxRecallableAge",
                    "RecallReadMessagesEnabled",
                ],
                "recall in mailboxes, after mail was delivered",
            ),
            left(
                &["ComplianceMLBgdCrawlEnabled", "DLPViaDcsEnabled", "DLPWaitOnSendEnabled", "DLPWaitOnSendTimeout"],
                "data loss prevention of Microsoft Purview",
            ),
            left(
                &[
                    "BookingsAddressEntryRestricted",
                    "BookingsAuthEnabled",
                    "BookingsBlockedWordsEnabled",
                    "BookingsCreationOfCustomQuestionsRestricted",
                    "BookingsEnabled",
                    "BookingsExposureOfStaffDetailsRestricted",
                    "BookingsMembershipApprovalRequired",
                    "BookingsNamingPolicyEnabled",
                    "BookingsNamingPolicyPrefix",
                    "BookingsNamingPolicyPrefixEnabled",
                    "BookingsNamingPolicySuffix",
                    "BookingsNamingPolicySuffixEnabled",
                    "BookingsNotesEntryRestricted",
                    "BookingsPaymentsEnabled",
                    "BookingsPhoneNumberEntryRestricted",
                    "BookingsSearchEngineIndexDisabled",
                    "BookingsSmsMicrosoftEnabled",
                    "BookingsSocialSharingRestricted",
                ],
                "Bookings",
            ),
            left(
                &[
                    "ShortenEventScopeDefault",
                    "DefaultMinutesToReduceLongEventsBy",
                    "DefaultMinutesToReduceShortEventsBy",
                    "EnableOutlookEvents",
                    "EnforceShortenEventSetting",
                    "FindTimeAttendeeAuthenticationEnabled",
                    "FindTimeAutoScheduleDisabled",
                    "FindTimeLockPollForAttendeesEnabled",
                    "FindTimeOnlineMeetingOptionDisabled",
                    "HybridRSVPEnabled",
                    "OnlineMeetingsByDefaultEnabled",
                    "VisibleMeetingUpdateProperties",
                    "WorkspaceTenantEnabled",
                ],
                "calendars and meetings",
            ),
            left(
                &[
                    "ActivityBasedAuthenticationTimeoutEnabled",
                    "ActivityBasedAuthenticationTimeoutInterval",
                    "ActivityBasedAuthenticationTimeoutWithSingleSignOnEnabled",
                    "AuditDisabled",
                    "AutodiscoverPartialDirSync",
                    "DefaultAuthenticationPolicy",
                    "EnforceExoAppRbacPermissions",
                    "OAuth2ClientProfileEnabled",
                    "PerTenantSwitchToESTSEnabled",
                    "PublicComputersDetectionEnabled",
                ],
                "sign-in, access by programs, audit and rights",
            ),
            left(
                &[
                    "EwsAllowEntourage",
                    "EwsAllowList",
                    "EwsAllowMacOutlook",
                    "EwsAllowOutlook",
                    "EwsAllowedAppIDs",
                    "EwsApplicationAccessPolicy",
                    "EwsBlockList",
                    "EwsEnabled",
                ],
                "access by programs (EWS)",
            ),
            left(
                &[
                    "AutoArchivingThresholdPercentage",
                    "AutoEnableArchiveMailbox",
                    "AutoExpandingArchive",
                    "BlockMoveMessagesForGroupFolders",
                    "DefaultFolderPermissionRestricted",
                    "DefaultGroupAccessType",
                    "DefaultPublicFolderAgeLimit",
                    "DefaultPublicFolderDeletedItemRetention",
                    "DefaultPublicFolderIssueWarningQuota",
                    "DefaultPublicFolderMaxItemSize",
                    "DefaultPublicFolderMovedItemRetention",
                    "DefaultPublicFolderProhibitPostQuota",
                    "DelayedDelicensingEnabled",
                    "DirectReportsGroupAutoCreationEnabled",
                    "DistributionGroupDefaultOU",
                    "DistributionGroupNameBlockedWordsList",
                    "DistributionGroupNamingPolicy",
                    "ElcProcessingDisabled",
                    "EndUserDLUpgradeFlowsDisabled",
                    "EndUserMailNotificationForDelayedDelicensingEnabled",
                    "ExchangeAttributesCloudManagedByDefault",
                    "ExchangeAttributesServerManagedByDefault",
                    "HierarchicalAddressBookRoot",
                    "IsGroupFoldersAndRulesEnabled",
                    "IsGroupMemberAllowedToEditContent",
                    "PublicFoldersEnabled",
                    "PublicFolderShowClientControl",
                    "RemotePublicFolderMailboxes",
                    "SiteMailboxCreationURL",
                    "TenantAdminNotificationForDelayedDelicensingEnabled",
                ],
                "mailboxes, archives, public folders, groups and licences",
            ),
            left(
                &[
                    "ActionableMessagesExtenalAccessTokenEnabled",
                    "AppsForOfficeEnabled",
                    "AsyncSendEnabled",
                    "ConnectorsActionableMessagesEnabled",
                    "ConnectorsEnabled",
                    "ConnectorsEnabledForOutlook",
                    "ConnectorsEnabledForSharepoint",
                    "ConnectorsEnabledForTeams",
                    "ConnectorsEnabledForYammer",
                    "ExchangeNotificationEnabled",
                    "ExchangeNotificationRecipients",
                    "FocusedInboxOn",
                    "LeanPopoutEnabled",
                    "LinkPreviewEnabled",
                    "MessageHighlightsEnabled",
                    "MessageRemindersEnabled",
                    "MobileAppEducationEnabled",
                    "OutlookGifPickerDisabled",
                    "OutlookMobileGCCRestrictionsEnabled",
                    "OutlookPayEnabled",
                    "OutlookTextPredictionDisabled",
                    "PostponeRoamingSignaturesUntilLater",
                    "ReadTrackingEnabled",
                    "RecipientDelimiters",
                    "SmtpActionableMessagesEnabled",
                    "TwoClickMailPreviewEnabled",
                    "WebPushNotificationsDisabled",
                    "WebSuggestedRepliesDisabled",
                ],
                "Outlook and other clients, add-ins and notices of the service",
            ),
        ],
    ),
];
