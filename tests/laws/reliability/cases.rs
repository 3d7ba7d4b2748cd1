//! The cases: each fault in a few words, and what the provider does about it.

/// One fault.
pub(crate) struct Case {
    /// Group and number.
    pub(crate) id: &'static str,
    /// What goes wrong.
    pub(crate) fault: &'static str,
    /// What the provider does.
    pub(crate) does: &'static str,
    /// What is to be said beside the tests.
    pub(crate) note: Note,
}

/// What is to be said beside the tests of a case.
#[derive(Clone, Copy)]
pub(crate) enum Note {
    /// The tests hold all of it.
    None,
    /// The tests hold some of it: what they do not.
    Partly(&'static str),
    /// It is answered in another way: the reason.
    Otherwise(&'static str),
}

const fn case(id: &'static str, fault: &'static str, does: &'static str) -> Case {
    Case { id, fault, does, note: Note::None }
}

impl Case {
    const fn partly(self, missing: &'static str) -> Case {
        Case { note: Note::Partly(missing), ..self }
    }

    const fn otherwise(self, reason: &'static str) -> Case {
        Case { note: Note::Otherwise(reason), ..self }
    }
}

/// All cases, in order.
pub(crate) const CASES: &[Case] = &[
    case("E01", "429 with `Retry-After: 2.1`", "waits at least that long, with all other callers to the tenant, then goes on under the same request ID"),
    case("E02", "429 without a time", "backs off exponentially, with jitter and a limit"),
    case("E03", "429 until the time limit", "an error that names throttling, the time waited and the setting to raise; the state is unchanged"),
    case("E04", "500, 502, 503, 504 on a read", "tries again, then an error; the object is never taken for deleted"),
    case("E05", "\"couldn't be found\" right after a create", "polls up to the consistency limit, then an error with the object's name; the object stays in the state"),
    case("E06", "\"couldn't be found\" later", "asks for the list again over another connection, and for the object by its GUID, then removes it from the state with a warning"),
    case("E07", "200 with an empty list while the state has objects", "asks a second time; if all objects of a kind vanish at once, an error instead of a plan of creates"),
    case("E08", "the second page of a list fails", "the whole list is an error; nothing is kept, nothing is taken for deleted"),
    case("E09", "a create runs into the time limit after the service did it", "reads by name: adopts the object if it is what was sent, else an error with the `import` block to paste"),
    case("E10", "the name belongs to somebody else's object", "an error at plan with the `import` block to paste, unless an object of this run has the name; where the servers do not agree, a warning, and the create waits for them; nothing is overwritten"),
    case("E11", "connection reset, truncated JSON", "repeats reads; settles writes by reading first"),
    case("E12", "200 with an error or a warning inside", "the error is an error, the warning is a warning; an object that was made all the same is kept with a warning and is not made anew; a refused create is looked after once and not waited for"),
    case("E13", "the token is refused during an apply (401)", "one new token for all callers, one more attempt; a second 401 is an error that names the permission"),
    case("E14", "token endpoint down, wrong secret, expired certificate, no consent, wrong tenant", "the message names the setting and what to do; no secret in it, and no second attempt for what will not pass"),
    case("E15", "the role lacks a cmdlet (403)", "the login's cmdlets are asked for once, when something is to be changed: what is missing is an error at plan that names cmdlet and role; where the service does not tell, the 403 is understood so"),
    case("E16", "the role lacks a parameter, which is then ignored", "reading back shows it. A new object is written once more; what it still does not show is a warning, and the object is not made anew. A change is an error on that attribute. No value that is sensitive is shown (the service tells which cmdlets a login has, and not which parameters, so this cannot be said at plan)"),
    case("E17", "the service respells values (order, case, `/32`, `smtp:*;1`)", "no difference in the next plan"),
    case("E18", "somebody inserts a rule above ours", "the relative order (`before`) is left alone while it holds, and mended when it is broken"),
    case("E19", "a rule is disabled or set to audit by hand", "shown as a change of that attribute"),
    case("E20", "a connector is deleted while a rule uses it", "the plan makes the connector anew and leaves the rule, or changes it after; destroy takes the rule first"),
    case("E21", "a delete of what is gone already", "success"),
    case("E22", "a delete without an answer", "looks, then success or an error"),
    case("E23", "the object changed between plan and apply", "compares what is about to be written with what the plan saw; an error that names both values, and nothing is written over").partly("a delete on the gateway is not held against the plan, as Terraform hands over the state from before the refresh for it"),
    case("E24", "an answer takes 90 s", "waits within the time limit; one request only").partly("in the tests the answers take three seconds"),
    case("E25", "another cloud (GCC High, China)", "hosts and token scopes by `environment`"),
    case("E26", "the clock is wrong by ten minutes", "the error names the clock and the server's date"),
    case("E27", "the tenant forbids inbound connectors (developer plan)", "the service's words, and what they mean"),
    case("E28", "message trace: query limit, more than 5,000 rows, more than 10 days", "limits its queries, follows the continuation, splits the period, and says when the answer is not whole"),
    case("E29", "some sub-requests of a batch fail with 429", "does not arise").otherwise("no batches are sent: a change is one call, which is throttled and retried on its own"),
    case("E30", "a redirect to another host", "followed by hand, inside the service's domain only; the token goes nowhere else"),
    case("G01", "unknown host key", "stops before any credential is sent; shows the SHA-256 fingerprint and the setting"),
    case("G02", "the host key changed", "stops; shows both"),
    case("G03", "the jump host's key is wrong", "the same, and says which hop"),
    case("G04", "wrong password or key, locked or expired account, forced new password, second factor", "stops at once and tries no login again; a question at login is not answered"),
    case("G05", "the handshake ends early, or too many sessions are open", "tries again with growing pauses before any credential was sent, then an error with the gateway's words"),
    case("G06", "the session ends between commands", "a new session; what is staged is looked at again before it goes on"),
    case("G07", "the line is lost while staging", "nothing of it is live; stages again, or an error"),
    case("G08", "the line is lost during the commit", "connects again, reads, compares: success only for what is live; a new object of which nobody can tell is an error with the `import` block"),
    case("G09", "the commit is refused", "clears, halves until the guilty change is found and named, commits the others"),
    case("G10", "somebody else committed in between", "answers no, clears its own candidate, stages again on top of theirs; an object that they changed too is an error, unless they made it as planned; gives up after three times"),
    case("G11", "uncommitted changes of others", "an error, unless `pending_changes = \"discard\"`"),
    case("G12", "leftovers of this provider after `kill -9`", "recognised by its journal and cleared; the run goes on"),
    case("G13", "two runs at once", "the second waits, up to its time limit, then an error that names the holder; reading goes on").partly("runs on different machines do not know of each other"),
    case("G14", "\"restricted to cluster mode, switch?\"", "answered by the configured level only"),
    case("G15", "a cluster peer is away at the commit", "a warning with the gateway's words"),
    case("G16", "unknown question, pager, banner, message of the day", "pager and banners are understood; an unknown question ends the dialog without an answer, and the error shows the masked conversation"),
    case("G17", "unknown AsyncOS release", "reads, and refuses to change anything"),
    case("G18", "1-byte packets, ANSI codes, split UTF-8, 10 MB", "understood the same, in linear time"),
    case("G19", "a value with a line end, a quote, a control character", "refused when it is validated; checked once more before it would be typed"),
    case("G20", "an account that may only read", "an error at plan, with the role to give: the account's groups, or the help that the gateway refuses to give on `commit`, tell").partly("a plan that only destroys asks nothing, and a gateway that tells neither is found out at the first change"),
    case("G21", "a table is cut off before the prompt", "an error, never \"gone\""),
    case("G22", "order matters (sender groups, filters)", "the order is kept; only what was asked for is moved"),
    case("G23", "a delete of what is in use", "an error that names the users; Terraform's references put deletes into order"),
    case("G24", "disk full, feature key expired, commit already running", "shown as it is; no loop"),
    case("G25", "a commit takes two minutes", "waits, up to `commit.timeout`"),
    case("G26", "restart or upgrade in the middle", "connects again; another release than before stops the run"),
    case("G27", "a filter's text does not compile", "what can be seen without the device is refused when it is validated; the device's own refusal fails that filter at staging").partly("the device's message is shown, and the line that it names is not marked in the configuration"),
    case("G28", "a crash between two steps of a change of the secret", "mail goes on: the filter accepts old and new until the rule has changed (see the guide)").partly("no test ends a run between two writes of one step"),
    case("G29", "`-parallelism=1` and `=256`", "no deadlock, no needless wait, few commits"),
    case("G30", "the commit succeeds and the configuration is another one", "a new object is written once more, and what still differs is a warning (of a message filter: an error); a change is an error on the attribute that differs"),
    case("P01", "`kill -9` before the answer", "the next plan shows the truth; no orphaned candidate"),
    case("P02", "Ctrl-C", "waits and retries end, nothing new begins, what is under way is finished and saved"),
    case("P03", "every attribute is unknown", "no panic, no network"),
    case("P04", "null, empty, absent", "three different things, each stable"),
    case("P05", "256 calls at once", "all answered, readers share, no deadlock"),
    case("P06", "state of an old schema, corrupt private data, newer state", "an upgrade, or a clear error"),
    case("P07", "a message above 4 MiB", "accepted"),
    case("P08", "started by hand", "an explanation, exit status 1"),
    case("P09", "output on standard output", "none but the handshake"),
    case("P10", "a provider setting is unknown at plan", "creates are planned; a read that needs the setting names it"),
    case("P11", "a malformed import ID, an identity with a gap", "an error that shows the right form"),
    case("P12", "a full run with TRACE logs", "no secret in any of them"),
    case("P13", "a write-only argument on an old Terraform", "an error that names the other argument"),
    case("P14", "a panic in one call", "an error for that call; the others go on, and the object is kept"),
    case("P15", "a failure at resource k of n, then another apply", "converges; then the plan is empty"),
    case("P16", "the service makes another value of what was planned", "the same in meaning: shown as planned; another one: an error on the attribute, never \"inconsistent result\""),
    case("C01", "IPv6 in a connector's addresses", "an error: IPv4 only"),
    case("C02", "`/16`, `/33`", "an error: `/24` to `/32`"),
    case("C03", "a private address in the skip list", "an error"),
    case("C04", "a rule that sets SCL -1 together with enhanced filtering", "a warning at plan on the one that is created or changed, by what stands in the tenant and what the plan makes of it"),
    case("C05", "a partner connector without a restriction", "a warning: the tenant can be reached directly"),
    case("C06", "a secret that is too short or has other characters; a header that mail needs", "an error that does not tell the secret"),
    case("C07", "a relaying sender group without the filter, or the filter without the group", "the group's page says so; the guide makes both").otherwise("which of the sender groups relays for Microsoft 365, and which filter guards it, is nowhere said but in names: a check would guess"),
    case("C08", "the secret differs between the two sides", "a warning at plan on the rule or the filter that is planned second: the filter's values are known where `relay_filter_script` wrote it. No error, as one header may serve several gateways").partly("compared is what one run plans or reads, so a `-target` or `-refresh=false` may hide it; a write-only secret is compared when it is written"),
    case("C09", "a route back to the gateway; a smart host that is the tenant's own MX", "an error: loop"),
    case("C10", "a domain on one side only", "a warning at plan for a route to the tenant's mail exchanger whose domain the tenant does not take").partly("not the other way round: which of the tenant's domains are to come through the gateway cannot be known"),
    case("C11", "a connector name over 64 characters, or taken in other case", "an error when it is planned; where it is taken, with the `import` block, and the same at create"),
    case("C12", "IDN, a dot at the end, upper case", "means the same"),
    case("C13", "a wildcard inside a domain", "an error"),
    case("C14", "an element twice", "an error, in any spelling"),
    case("C15", "zero, negative and absurd limits", "an error"),
    case("C16", "no credential, two kinds, a wrong passphrase, an unreadable key", "an error that names the setting and its variable, not the value"),
    case("C17", "two resources for one object", "an error at plan for the second, which tells it from the first"),
    case("C18", "an on-premises connector whose certificate is outside the accepted domains", "a warning at plan"),
    case("C19", "TLS is required and the listener has no certificate", "the gateway's question about the demonstration certificate is answered; no warning").otherwise("the printouts that are read do not tell a listener's certificate"),
    case("C20", "the gateways' addresses stand in the connection filter's allow list", "a warning at plan on the filter or the connector: the gateways' addresses are those that an inbound connector names"),
    case("RX1", "a server that does not know yet what another one was told: an object is not shown, shown as it was, or still shown after a remove", "waits up to the consistency limit; within ten minutes of our own write to the object its absence and its old values are no news: it is kept with a warning, and a destroy is no success; what was changed by hand is drift at once; a remove ends when three looks over connections of their own show nothing"),
    case("RX2", "a new connector is kept disabled by the service", "a warning that names the way out; the object is managed, and not made anew; once it is enabled the plan is a change in place"),
    case("RX3", "a condition, exception, action or setting that no argument shows is added by hand, or stands at an import", "it is in `unmanaged`; an import, a destroy and a new object in its place say so, and each plan warns while it differs from what the last apply or import saw; `unmanaged = []` makes it a change that apply refuses; a rule with such a condition is not said to act on all mail; an unsupported rule says why"),
    case("RX4", "an answer leaves a member out", "the state keeps its value, with a warning; an import is refused where every object of the kind shows it"),
    case("RG1", "a row whose name is in no known form, above the settings of another", "a row is known by its place: what stands below an unknown heading is given to nobody; an IP address or one label is a name"),
    case("RG2", "a row that cannot be read, or a row that shows more than any argument is for (an unknown label, column, option or parameter)", "a row counts where the device says how many there are, is shown by its text in one warning, and puts in doubt only what may stand in it; what validate accepts is read back. What has no argument is in `unmanaged` of its object, is never read as another setting, and is left as it stands by every dialog; an import, a destroy and a new object in its place say so, each plan warns while it differs from what the last apply or import saw, and `unmanaged = []` makes it a change that apply refuses"),
    case("RG3", "`10.1.1-5` and other ranges as senders", "read, written and compared"),
    case("RG4", "the device writes a filter back in its own manner", "filters are compared as trees; where they differ, the place and both tokens are told"),
    case("RG5", "a label that holds one word of a parameter", "a label is the parameter of which it has all words and none of another"),
    case("RG6", "`sslconfig` lists single TLS versions", "those that are wanted are answered together (`1-3`, or `1,3`); a gap is an error at plan with the sets that are possible; what destroy may not be able to give back is a warning when it is taken over"),
    case("RG7", "a clustered gateway, and no `gateway.cluster`, or a level without settings of its own", "an error that names the level and the setting; a level never gets empty or copied settings"),
    case("RG8", "filters or groups are brought into another order, and the device refuses a move that changes nothing", "the wanted order stands after one apply, by the fewest moves, none of which changes nothing; what does not change is moved back where another one moves past it, or the plan says that a second apply is needed; contradictions are errors at plan"),
    case("RG9", "the gateway's reason names a listener that a filter names, too", "names stay readable; only what is compared with headers and bodies, or written into them, is hidden"),
    case("RG10", "options by the names of commands, a `;` in a response, further destinations behind a note", "nothing that has the form of a host is dropped; a text runs to the end of the line or to a known option"),
    case("RG11", "a new object has a taken name, or names something that is not there", "an error at plan on that attribute, with the block to paste or the reference to write"),
    case("RG12", "a recipient access entry on a private listener", "the error says so first, with the public ones"),
    case("RG13", "the host is a Secure Email and Web Manager", "an error at login"),
    case("RG14", "`sendergroup` is taken for a reference to a group", "it is a pattern: the group need not be there, and `relay_filter_script` anchors its name"),
    case("RT2", "generated configuration", "for every kind of object it validates and plans only imports, on the oldest and on a recent Terraform, from import blocks and from a query; a sensitive text that Terraform writes as null is kept as it stands"),
    case("RT3", "a provider without list resources", "`terraform query` lists every kind of object, narrowed down by what its table has; sensitive values are left out, and a part that cannot be read is a warning"),
    case("RT4", "SIGTERM, to the provider or to the whole process group", "what is under way is finished, answered and saved, nothing new begins; an idle process ends at once, and so does one that is told twice"),
    case("RT5", "noise in a plan", "the `id` of a gateway object is known where it follows from the configuration; what the service sets is unknown only where something that changes it changes; `read_only` warns of each planned change; the identity of a single object is its word"),
    case("RS1", "a journal of an earlier run, and work of others in the same candidate", "only a change clears, and only what the journal explains line by line, of the same account and at most 24 hours old, with a warning; whatever else is pending survives each step, each kill and the run after it"),
    case("RS2", "a `host_keys` line with a marker, with names of hosts, or with more than a fingerprint", "a line counts for the hosts that it names, `@revoked` is never trusted, a fingerprint alone is about the host of its block only; any other line is refused when it is validated"),
    case("RS3", "an error of the service repeats the request's token", "every credential that the process holds is replaced in every text that leaves it"),
    case("RS4", "a filter stands in the conversation of an error, perhaps cut off", "shown without the values that it compares with or writes, whoever wrote it; names of listeners, groups, quarantines and dictionaries stay"),
    case("RS5", "a secret is repeated in base64 at any alignment, in hex, or escaped for a URL, JSON or HTML", "found through any of them, mixtures included"),
    case("RS6", "`\"expires_in\": 9223372036854775807`, a priority or a time zone beyond all numbers", "brought into a range that can be counted with"),
    case("RS7", "a refused port, a silent host, a host that falls silent, hangs up or resets the line in any phase, a wrong password, missing host keys", "one error on the provider's block with host, port, phase and the setting to look at: 30 s to the password prompt of each hop, 60 s more until the shell has come to its prompt; a refused login is tried once"),
    case("RS8", "a connection that stalls", "given up after a while without a byte; the next attempt takes another connection"),
    case("RS9", "control characters, reading direction marks, cursor moves without end, millions of small JSON values", "shown as escapes, kept within the screen, refused before they are read into memory"),
    case("RS10", "runs that commit at the same time, again and again", "each waits for a time of its own before it tries again"),
];
