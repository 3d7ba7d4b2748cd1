//! `destconfig`: destination controls.
//!
//! The oldest release follows the vendor's technical note 118177 question by question; the newer ones add messages per connection,
//! DANE and the IP sort preference, and have `LIST` and `DETAIL` in place of `PRINT`.

use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::options::Release;
use crate::sandbox::gateway::tables::Configuration;
use crate::sandbox::gateway::tables::destination::{Dane, Destination, DestinationControls, IpSort, RecipientLimit, Tls};
use crate::sandbox::gateway::tables::route::is_hostname;
use crate::sandbox::gateway::terminal::{Operation, Terminal, number_in};

/// Is what `help destconfig` prints.
pub(in crate::sandbox::gateway) const HELP: &str = "destconfig new <profile> [options]\ndestconfig edit <default|profile> [options]\n\
    destconfig delete <profile>\ndestconfig list\ndestconfig detail <default|profile|all>\ndestconfig clear\n\nOptions:\n\
    concurrency_limit=<int>  concurrency_limit_type=<host|MXIP>  concurrency_limit_apply=<system|VG>\n\
    max_messages_per_connection=<int>  recipient_limit_minutes=<int>  recipient_limit=<int>\n\
    use_tls=<off|on|require|on_verify|require_verify>  bounce_profile=<default|profile>  bounce_verification=<off|on>\n";

/// Bounds of concurrency and of messages per connection; the documents do not name them.
const CONNECTIONS: (u32, u32) = (1, 1000);
const MESSAGES: (u32, u32) = (1, 1000);
const MINUTES: (u32, u32) = (1, 60);
/// Bounds of recipients; 0 is no limit where a question says so.
const RECIPIENTS: (u32, u32) = (0, 1_000_000_000);

const OLD: &[Operation] = &[
    ("NEW", "Create a new entry."),
    ("EDIT", "Modify an entry."),
    ("DELETE", "Remove an entry."),
    ("DEFAULT", "Change the default."),
    ("PRINT", "Display all entries."),
    ("CLEAR", "Remove all entries."),
];
const NEW: &[Operation] = &[
    ("SETUP", "Change global settings."),
    ("NEW", "Create a new entry."),
    ("EDIT", "Modify an entry."),
    ("DELETE", "Remove an entry."),
    ("DEFAULT", "Change the default."),
    ("LIST", "Display a summary list of all entries."),
    ("DETAIL", "Display details for one destination or all entries."),
    ("CLEAR", "Remove all entries."),
    ("IMPORT", "Import tables from a file."),
    ("EXPORT", "Export tables to a file."),
];

/// Runs the command, by words or by questions.
pub(in crate::sandbox::gateway) async fn run(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    if let Some((word, rest)) = arguments.split_first() {
        return batch(terminal, &word.to_ascii_lowercase(), rest).await;
    }
    loop {
        let count = terminal.configuration().destination_controls.entries.len();
        terminal.heading(&format!("There are currently {count} entries configured.")).await?;
        let mut menu = if newer(terminal) { NEW } else { OLD }.to_vec();
        if newer(terminal) && terminal.layout().destination_print {
            menu.retain(|(word, _)| !matches!(*word, "LIST" | "DETAIL"));
            menu.push(("PRINT", "Display all entries."));
        }
        match super::cluster::menu(terminal, &menu).await? {
            None => return Ok(()),
            Some(("NEW", _)) => new(terminal).await?,
            Some(("EDIT", _)) => edit(terminal).await?,
            Some(("DELETE", _)) => delete(terminal).await?,
            Some(("DEFAULT", _)) => default(terminal).await?,
            Some(("LIST", _)) => list(terminal).await?,
            Some(("PRINT", _)) => detail_of(terminal, "ALL").await?,
            Some(("DETAIL", _)) => detail(terminal).await?,
            Some(("SETUP", _)) => setup(terminal).await?,
            Some(("IMPORT" | "EXPORT", _)) => {
                // The file has keys that no document names, so the stand-in does not pretend to know it.
                terminal.say("Error: destination control files are not supported by this appliance.").await?;
            }
            Some(_) => clear(terminal).await?,
        }
    }
}

fn newer(terminal: &Terminal) -> bool {
    terminal.release() >= Release::V13_0
}

fn tls_choices(release: Release) -> &'static [Tls] {
    if release >= Release::V16_0 { &Tls::ALL } else { Tls::ALL.split_at(5).0 }
}

async fn new(terminal: &mut Terminal) -> Asked<()> {
    let known = terminal.configuration().destination_controls;
    let question =
        if newer(terminal) { "Enter the domain you wish to configure." } else { "Enter the domain you wish to limit." };
    let domain = terminal.ask_until(question, "", |answer| check_domain(answer, &known).map(|()| answer.to_owned())).await?;
    let mut entry = Destination::new(&domain);
    entry.concurrency = Some(known.default.concurrency);
    questions(terminal, &mut entry).await?;
    terminal.confirm(&format!("Entry for {domain} added.")).await?;
    terminal.stage(|configuration| configuration.destination_controls.entries.push(entry));
    Ok(())
}

fn check_domain(answer: &str, known: &DestinationControls) -> Result<(), String> {
    if answer.is_empty() {
        return Err("You must enter a domain.".into());
    }
    if !is_hostname(answer.strip_prefix('.').unwrap_or(answer)) || answer.eq_ignore_ascii_case("DEFAULT") {
        return Err("A hostname is a string that must match the following rules: labels of letters, digits and dashes.".into());
    }
    if known.find(answer).is_some() {
        return Err(format!("The value cannot be {answer}: there is already an entry for it."));
    }
    Ok(())
}

/// Asks everything about one domain, what stands there as the defaults.
async fn questions(terminal: &mut Terminal, entry: &mut Destination) -> Asked<()> {
    let newer = newer(terminal);
    let domain = entry.domain.clone();
    let question = format!("Do you wish to configure a concurrency limit for {domain}?");
    entry.concurrency = if terminal.ask_yes_no(&question, entry.concurrency.is_some()).await? {
        let question = format!("Enter the max concurrency limit for \"{domain}\".");
        Some(terminal.ask_number(&question, entry.concurrency.or(Some(500)), CONNECTIONS).await?)
    } else {
        None
    };
    if newer {
        let question = "Do you wish to apply a messages-per-connection limit to this domain?";
        entry.messages_per_connection = if terminal.ask_yes_no(question, entry.messages_per_connection.is_some()).await? {
            let question = format!("Enter the max number of messages per connection for \"{domain}\".");
            Some(terminal.ask_number(&question, entry.messages_per_connection.or(Some(50)), MESSAGES).await?)
        } else {
            None
        };
    }
    let question = "Do you wish to apply a recipient limit to this domain?";
    entry.recipient_limit = if terminal.ask_yes_no(question, entry.recipient_limit.is_some()).await? {
        let now = entry.recipient_limit;
        let question = "Enter the number of minutes used to measure the recipient limit.";
        let minutes = terminal.ask_number(question, Some(now.map_or(60, |limit| limit.minutes)), MINUTES).await?;
        let question = format!("Enter the max number of recipients per {minutes} minutes for \"{domain}\".");
        let recipients = terminal.ask_number(&question, now.map(|limit| limit.recipients), RECIPIENTS).await?;
        Some(RecipientLimit { minutes, recipients })
    } else {
        None
    };
    if entry.concurrency.is_some() || entry.messages_per_connection.is_some() || entry.recipient_limit.is_some() {
        let question = format!("Select how you want to apply the limits for {domain}:");
        let whole = format!("One limit applies to the entire domain {domain}");
        let choices = [whole.as_str(), "Separate limit for each mail exchanger IP address"];
        entry.per_exchanger = terminal.ask_list(&question, &choices, usize::from(entry.per_exchanger)).await? == 1;
        let choices = ["System Wide", "Per Virtual Gateway(tm)"];
        let question = "Select how the limits will be enforced:";
        entry.per_virtual_gateway = terminal.ask_list(question, &choices, usize::from(entry.per_virtual_gateway)).await? == 1;
    }
    ask_tls(terminal, entry).await?;
    let question = "Do you wish to apply a specific bounce verification address tagging setting for this domain?";
    entry.bounce_verification = if terminal.ask_yes_no(question, entry.bounce_verification.is_some()).await? {
        let now = entry.bounce_verification.unwrap_or(false);
        Some(terminal.ask_yes_no("Perform bounce verification address tagging?", now).await?)
    } else {
        None
    };
    let question = "Do you wish to apply a specific bounce profile to this domain?";
    entry.bounce_profile = if terminal.ask_yes_no(question, entry.bounce_profile.is_some()).await? {
        Some(ask_bounce_profile(terminal, entry.bounce_profile.as_deref()).await?)
    } else {
        None
    };
    if newer {
        let question = "Do you wish to apply a specific IP sort preference to this domain?";
        entry.ip_sort = if terminal.ask_yes_no(question, entry.ip_sort.is_some()).await? {
            Some(ask_ip_sort(terminal, entry.ip_sort.unwrap_or(IpSort::PreferV6)).await?)
        } else {
            None
        };
    }
    Ok(())
}

async fn ask_tls(terminal: &mut Terminal, entry: &mut Destination) -> Asked<()> {
    let question = "Do you wish to apply a specific TLS setting for this domain?";
    if !terminal.ask_yes_no(question, entry.tls.is_some()).await? {
        entry.tls = None;
        entry.dane = None;
        return Ok(());
    }
    let tls = choose_tls(terminal, entry.tls.unwrap_or(Tls::No)).await?;
    entry.tls = Some(tls);
    if tls == Tls::No || !newer(terminal) {
        entry.dane = None;
        return Ok(());
    }
    entry.dane = if terminal.ask_yes_no("Do you wish to configure DANE Support?", entry.dane.is_some()).await? {
        Some(choose_dane(terminal, entry.dane.unwrap_or(Dane::No)).await?)
    } else {
        None
    };
    Ok(())
}

/// Asks for the TLS setting, and for the demo certificate while there is no other.
async fn choose_tls(terminal: &mut Terminal, now: Tls) -> Asked<Tls> {
    let choices = tls_choices(terminal.release());
    let labels: Vec<&str> = choices.iter().map(|tls| tls.label()).collect();
    let at = choices.iter().position(|tls| *tls == now).unwrap_or(0);
    let chosen = terminal.ask_list("Do you want to use TLS support?", &labels, at).await?;
    let tls = choices.get(chosen).copied().unwrap_or(now);
    if tls != Tls::No && terminal.configuration().destination_controls.certificate.is_empty() {
        let question = "You have not entered a certificate. A demo certificate is used until you do; other machines cannot verify \
                        it.\nDo you want to use the demo certificate?";
        terminal.ask_yes_no(question, true).await?;
    }
    Ok(tls)
}

async fn choose_dane(terminal: &mut Terminal, now: Dane) -> Asked<Dane> {
    let labels = Dane::ALL.map(Dane::label);
    let at = Dane::ALL.iter().position(|dane| *dane == now).unwrap_or(0);
    let chosen = terminal.ask_list("Please choose a DANE option:", &labels, at).await?;
    Ok(Dane::ALL.get(chosen).copied().unwrap_or(now))
}

async fn ask_ip_sort(terminal: &mut Terminal, now: IpSort) -> Asked<IpSort> {
    let labels = IpSort::ALL.map(IpSort::label);
    let at = IpSort::ALL.iter().position(|sort| *sort == now).unwrap_or(0);
    let question = "Choose how to sort IP addresses within an MX preference:";
    let chosen = terminal.ask_list(question, &labels, at).await?;
    Ok(IpSort::ALL.get(chosen).copied().unwrap_or(now))
}

async fn ask_bounce_profile(terminal: &mut Terminal, now: Option<&str>) -> Asked<String> {
    let profiles = terminal.configuration().destination_controls.bounce_profiles;
    let mut labels = profiles.clone();
    labels.push("New Profile".into());
    let at = now.and_then(|name| profiles.iter().position(|profile| profile == name)).unwrap_or(0);
    let chosen = terminal.ask_list("Please choose a bounce profile to use:", &labels, at).await?;
    if let Some(profile) = profiles.get(chosen) {
        return Ok(profile.clone());
    }
    let question = "Enter the name of the new bounce profile:";
    let name = terminal
        .ask_until(question, "", |answer| {
            let good = answer.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
            if good {
                Ok(answer.to_owned())
            } else {
                Err("A bounce profile name must start with a letter or an underscore.".to_owned())
            }
        })
        .await?;
    let added = name.clone();
    terminal.stage(|configuration| configuration.destination_controls.bounce_profiles.push(added));
    Ok(name)
}

async fn edit(terminal: &mut Terminal) -> Asked<()> {
    let Some(mut entry) = ask_entry(terminal, "Enter the domain you wish to edit.").await? else {
        return Ok(());
    };
    questions(terminal, &mut entry).await?;
    terminal.stage(|configuration| {
        if let Some(there) = configuration.destination_controls.find_mut(&entry.domain.clone()) {
            *there = entry;
        }
    });
    Ok(())
}

/// Asks which entry is meant; Enter leaves, anything unknown is asked again.
async fn ask_entry(terminal: &mut Terminal, question: &str) -> Asked<Option<Destination>> {
    let controls = terminal.configuration().destination_controls;
    terminal
        .ask_until(question, "", |answer| match answer {
            "" => Ok(None),
            _ => controls.find(answer).cloned().map(Some).ok_or_else(|| absent(answer)),
        })
        .await
}

fn absent(domain: &str) -> String {
    format!("The domain {domain} was not found in the destination controls table.")
}

async fn delete(terminal: &mut Terminal) -> Asked<()> {
    let Some(entry) = ask_entry(terminal, "Enter the domain you wish to delete.").await? else {
        return Ok(());
    };
    if super::may_delete(terminal, &format!("the entry for {}", entry.domain)).await? {
        terminal.stage(|configuration| remove(&mut configuration.destination_controls, &entry.domain));
        terminal.confirm(&format!("{} deleted.", entry.domain)).await?;
    }
    Ok(())
}

fn remove(controls: &mut DestinationControls, domain: &str) -> bool {
    let before = controls.entries.len();
    controls.entries.retain(|entry| !entry.domain.eq_ignore_ascii_case(domain));
    controls.entries.len() < before
}

async fn default(terminal: &mut Terminal) -> Asked<()> {
    let newer = newer(terminal);
    let mut default = terminal.configuration().destination_controls.default;
    let question = "Enter the default maximum concurrency limit.";
    default.concurrency = terminal.ask_number(question, Some(default.concurrency), CONNECTIONS).await?;
    if newer {
        let question = "Enter the maximum number of messages per connection.";
        default.messages_per_connection = terminal.ask_number(question, Some(default.messages_per_connection), MESSAGES).await?;
    }
    let now = default.recipient_limit;
    default.recipient_limit = if terminal.ask_yes_no("Do you wish to specify a default recipient limit?", now.is_some()).await? {
        let question = "Enter the number of minutes used to measure the recipient limit.";
        let minutes = terminal.ask_number(question, Some(now.map_or(60, |limit| limit.minutes)), MINUTES).await?;
        let question = format!("Enter number of recipients per {minutes} minutes.");
        Some(RecipientLimit {
            minutes,
            recipients: terminal.ask_number(&question, now.map(|limit| limit.recipients), RECIPIENTS).await?,
        })
    } else {
        None
    };
    let choices = ["One limit applies to the entire domain", "Separate limit for each mail exchanger IP address"];
    let question = "Select how you want to apply the limits:";
    default.per_exchanger = terminal.ask_list(question, &choices, usize::from(default.per_exchanger)).await? == 1;
    let choices = ["System Wide", "Per Virtual Gateway(tm)"];
    let question = "Select how the limits will be enforced:";
    default.per_virtual_gateway = terminal.ask_list(question, &choices, usize::from(default.per_virtual_gateway)).await? == 1;
    default.tls = choose_tls(terminal, default.tls).await?;
    if newer
        && default.tls != Tls::No
        && terminal.ask_yes_no("Do you want to use DANE Support?", default.dane != Dane::No).await?
    {
        default.dane = choose_dane(terminal, default.dane).await?;
    } else {
        default.dane = Dane::No;
    }
    let question = "Do you want to perform bounce verification address tagging?";
    default.bounce_verification = terminal.ask_yes_no(question, default.bounce_verification).await?;
    if newer {
        default.ip_sort = ask_ip_sort(terminal, default.ip_sort).await?;
    }
    terminal.stage(|configuration| configuration.destination_controls.default = default);
    Ok(())
}

async fn setup(terminal: &mut Terminal) -> Asked<()> {
    let controls = terminal.configuration().destination_controls;
    let mut certificates = vec!["Demo".to_owned()];
    certificates.extend(terminal.shared.options.certificates.clone());
    let at = certificates.iter().position(|name| *name == controls.certificate).unwrap_or(0);
    let chosen = terminal.ask_list("Please choose the certificate to use for TLS connections:", &certificates, at).await?;
    let alert = terminal.ask_yes_no("Do you want to send an alert when a required TLS connection fails?", controls.alert).await?;
    // Enter on the demo certificate leaves a gateway without a certificate as it is.
    let certificate = if chosen == at { Some(controls.certificate) } else { certificates.get(chosen).cloned() };
    terminal.stage(|configuration| {
        let controls = &mut configuration.destination_controls;
        controls.alert = alert;
        controls.certificate = certificate.unwrap_or_default();
    });
    Ok(())
}

async fn list(terminal: &mut Terminal) -> Asked<()> {
    let configuration = terminal.configuration();
    let text = configuration.destination_controls.list(&configuration.extras);
    terminal.say(&text).await
}

async fn detail(terminal: &mut Terminal) -> Asked<()> {
    let question =
        "Enter the domain to view, or enter DEFAULT to view details for the default, or enter ALL to view details for all:";
    let domain = terminal.ask(question, "").await?;
    if domain.is_empty() { Ok(()) } else { detail_of(terminal, &domain).await }
}

async fn detail_of(terminal: &mut Terminal, domain: &str) -> Asked<()> {
    let Configuration { destination_controls: controls, extras, .. } = terminal.configuration();
    let (form, newer) = (terminal.layout().detail, newer(terminal));
    let mut blocks = Vec::new();
    let all = domain.eq_ignore_ascii_case("ALL");
    if all {
        blocks.extend(controls.entries.iter().map(|entry| controls.detail(entry, form, newer, &extras)));
    } else if let Some(entry) = controls.find(domain) {
        blocks.push(controls.detail(entry, form, newer, &extras));
    }
    if all || domain.eq_ignore_ascii_case("DEFAULT") {
        blocks.push(controls.detail_default(form, newer, &extras));
    }
    if blocks.is_empty() { terminal.refuse(&absent(domain)).await } else { terminal.say(&blocks.join("\n")).await }
}

async fn clear(terminal: &mut Terminal) -> Asked<()> {
    if terminal.ask_yes_no("Are you sure you want to remove all entries?", false).await? {
        terminal.stage(|configuration| configuration.destination_controls.entries.clear());
    }
    Ok(())
}

async fn batch(terminal: &mut Terminal, word: &str, arguments: &[&str]) -> Asked<()> {
    let controls = terminal.configuration().destination_controls;
    let newer = newer(terminal);
    let result = match (word, arguments) {
        ("new", [domain, options @ ..]) => check_domain(domain, &controls)
            .and_then(|()| with_options(Destination::new(domain), options, tls_choices(terminal.release())))
            .map(|entry| terminal.stage(|configuration| configuration.destination_controls.entries.push(entry))),
        ("edit", [domain, options @ ..]) if domain.eq_ignore_ascii_case("default") => edit_default(terminal, &controls, options)
            .map(|default| {
                terminal.stage(|configuration| configuration.destination_controls.default = default);
            }),
        ("edit", [domain, options @ ..]) => controls
            .find(domain)
            .cloned()
            .ok_or_else(|| absent(domain))
            .and_then(|entry| with_options(entry, options, tls_choices(terminal.release())))
            .map(|entry| {
                terminal.stage(|configuration| {
                    if let Some(there) = configuration.destination_controls.find_mut(domain) {
                        *there = entry;
                    }
                });
            }),
        ("delete", [domain]) => {
            let gone = terminal.stage(|configuration| remove(&mut configuration.destination_controls, domain));
            if gone { Ok(()) } else { Err(absent(domain)) }
        }
        ("list", []) if newer => return list(terminal).await,
        ("detail", [domain]) if newer => return detail_of(terminal, domain).await,
        ("print", []) if !newer => return detail_of(terminal, "ALL").await,
        ("clear", []) => {
            terminal.stage(|configuration| configuration.destination_controls.entries.clear());
            Ok(())
        }
        _ => Err(format!("Invalid arguments when processing: destconfig {word} {}", arguments.join(" "))),
    };
    match result {
        Ok(()) => Ok(()),
        Err(reason) => terminal.refuse(&reason).await,
    }
}

/// Sets what `name=value` words say; what is not named stays.
fn with_options(mut entry: Destination, options: &[&str], choices: &[Tls]) -> Result<Destination, String> {
    let (mut minutes, mut recipients) =
        (entry.recipient_limit.map_or(60, |limit| limit.minutes), entry.recipient_limit.map(|limit| limit.recipients));
    for option in options {
        let invalid = || format!("Invalid arguments when processing: {option}");
        let (name, value) = option.split_once('=').ok_or_else(invalid)?;
        match name {
            "concurrency_limit" => entry.concurrency = Some(number_in(value, CONNECTIONS)?),
            "concurrency_limit_type" => {
                entry.per_exchanger = one_of(value, "host", "MXIP").ok_or_else(invalid)?;
            }
            "concurrency_limit_apply" => entry.per_virtual_gateway = one_of(value, "system", "VG").ok_or_else(invalid)?,
            "max_messages_per_connection" => entry.messages_per_connection = Some(number_in(value, MESSAGES)?),
            "recipient_limit_minutes" => minutes = number_in(value, MINUTES)?,
            "recipient_limit" => recipients = Some(number_in(value, RECIPIENTS)?),
            "use_tls" => {
                entry.tls = Some(*choices.iter().find(|tls| tls.keyword().eq_ignore_ascii_case(value)).ok_or_else(invalid)?);
            }
            "bounce_profile" if value.eq_ignore_ascii_case("default") => entry.bounce_profile = None,
            "bounce_profile" => entry.bounce_profile = Some(value.to_owned()),
            "bounce_verification" => entry.bounce_verification = Some(one_of(value, "off", "on").ok_or_else(invalid)?),
            _ => return Err(invalid()),
        }
    }
    entry.recipient_limit = recipients.map(|recipients| RecipientLimit { minutes, recipients });
    Ok(entry)
}

/// Tells whether a word is the second of two.
fn one_of(word: &str, first: &str, second: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case(second) { Some(true) } else { word.eq_ignore_ascii_case(first).then_some(false) }
}

/// Sets what `name=value` words say about the default.
fn edit_default(
    terminal: &Terminal,
    controls: &DestinationControls,
    options: &[&str],
) -> Result<crate::sandbox::gateway::tables::destination::DefaultDestination, String> {
    let mut default = controls.default.clone();
    let mut entry = Destination::new("DEFAULT");
    entry.recipient_limit = default.recipient_limit;
    entry.per_exchanger = default.per_exchanger;
    entry.per_virtual_gateway = default.per_virtual_gateway;
    let entry = with_options(entry, options, tls_choices(terminal.release()))?;
    default.concurrency = entry.concurrency.unwrap_or(default.concurrency);
    default.messages_per_connection = entry.messages_per_connection.unwrap_or(default.messages_per_connection);
    default.recipient_limit = entry.recipient_limit;
    default.per_exchanger = entry.per_exchanger;
    default.per_virtual_gateway = entry.per_virtual_gateway;
    default.tls = entry.tls.unwrap_or(default.tls);
    default.bounce_verification = entry.bounce_verification.unwrap_or(default.bounce_verification);
    Ok(default)
}
