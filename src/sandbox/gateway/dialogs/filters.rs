//! `filters`: message filters.

use super::{read_file, write_file};
use crate::sandbox::gateway::line::Asked;
use crate::sandbox::gateway::tables::filter::{Filter, FilterForm, list, range};
use crate::sandbox::gateway::tables::filter_script::Script;
use crate::sandbox::gateway::terminal::{Operation, Terminal};

/// Is what `help filters` prints.
pub(in crate::sandbox::gateway) const HELP: &str = "filters new [seqnum|filtname|last]\nfilters delete [seqnum|filtname|range]\n\
    filters move [seqnum|filtname|range seqnum|last]\nfilters set [seqnum|filtname|range] active|inactive\nfilters import <file>\n\
    filters export <file>\nfilters list\nfilters detail [seqnum|filtname|range]\n";

const EMPTY: &[Operation] = &[("NEW", "Create a new filter."), ("IMPORT", "Import a filter script from a file.")];
const FULL: &[Operation] = &[
    ("NEW", "Create a new filter."),
    ("DELETE", "Remove a filter."),
    ("IMPORT", "Import a filter script from a file."),
    ("EXPORT", "Export filters to a file."),
    ("MOVE", "Move a filter to a different position."),
    ("SET", "Set a filter attribute."),
    ("LIST", "List the filters."),
    ("DETAIL", "Get detailed information on the filters."),
    ("LOGCONFIG", "Configure log subscriptions used by filters."),
    ("ROLLOVERNOW", "Roll over a filter log file."),
];

/// Runs the command, by words or by questions.
pub(in crate::sandbox::gateway) async fn run(terminal: &mut Terminal, arguments: &[&str]) -> Asked<()> {
    if let Some((word, rest)) = arguments.split_first() {
        let word = word.to_ascii_uppercase();
        return match FULL.iter().find(|(known, _)| *known == word) {
            Some((known, _)) => operation(terminal, known, rest).await,
            None => terminal.say(&format!("Invalid arguments when processing: filters {}", arguments.join(" "))).await,
        };
    }
    loop {
        let menu = if terminal.configuration().filters.is_empty() { EMPTY } else { FULL };
        match super::cluster::menu(terminal, menu).await? {
            None => return Ok(()),
            Some((word, rest)) => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                operation(terminal, word, &words).await?;
            }
        }
    }
}

async fn operation(terminal: &mut Terminal, word: &str, words: &[&str]) -> Asked<()> {
    match word {
        "NEW" => new(terminal, words.first().copied()).await,
        "DELETE" => delete(terminal, words.first().copied()).await,
        "IMPORT" => import(terminal, words.first().copied()).await,
        "EXPORT" => export(terminal, words.first().copied()).await,
        "MOVE" => move_filters(terminal, words).await,
        "SET" => set(terminal, words).await,
        "LIST" => {
            let configuration = terminal.configuration();
            let numbered = configuration.filters.iter().enumerate().map(|(at, filter)| (at + 1, filter));
            let text = list(numbered, &configuration);
            terminal.say(&text).await
        }
        "DETAIL" => detail(terminal, words.first().copied()).await,
        "LOGCONFIG" => {
            terminal.say("Currently configured logs:\nNo log subscriptions are used by filters.").await?;
            terminal.menu(&[("NEW", "Create a new log.")]).await.map(|_| ())
        }
        _ => terminal.say("No filter log files to roll over.").await,
    }
}

async fn new(terminal: &mut Terminal, place: Option<&str>) -> Asked<()> {
    let known = terminal.configuration().filters;
    let at = match place {
        None => known.len(),
        Some(word) if word.eq_ignore_ascii_case("last") => known.len(),
        Some(word) => match position(word, &known) {
            Ok(at) => at,
            Err(reason) => return terminal.refuse(&reason).await,
        },
    };
    terminal.say("Enter filter script.  Enter '.' on its own line to end.").await?;
    let text = terminal.read_until(".").await?.join("\n");
    match compile(&text, &known) {
        Err(reason) => refused(terminal, &reason).await,
        Ok(filters) => {
            let added = filters.len();
            let names: Vec<String> = filters.iter().map(|filter| filter.name.clone()).collect();
            terminal.stage(|configuration| {
                configuration.filters.splice(at..at, filters);
            });
            say_faults(terminal, &names).await?;
            terminal.count(&format!("{added} filters added.")).await
        }
    }
}

/// Reads a script into filters whose names are new.
fn compile(text: &str, known: &[Filter]) -> Result<Vec<Filter>, String> {
    let scripts = Script::parse(text)?;
    if scripts.is_empty() {
        return Err("the script holds no filter".into());
    }
    let mut filters: Vec<Filter> = Vec::new();
    for script in &scripts {
        if known.iter().chain(&filters).any(|filter| filter.name == script.name) {
            return Err(format!("Duplicate filter name: {}", script.name));
        }
        filters.push(Filter::of(script));
    }
    Ok(filters)
}

async fn refused(terminal: &mut Terminal, reason: &str) -> Asked<()> {
    let kind = if reason.contains("filter name") { "" } else { "Invalid filter syntax: " };
    terminal.refuse(&format!("1 error occurred during processing:\n    {kind}{reason}\n0 filters added.")).await
}

/// Says of filters that were just added which of them cannot run.
async fn say_faults(terminal: &mut Terminal, names: &[String]) -> Asked<()> {
    let configuration = terminal.configuration();
    for filter in configuration.filters.iter().filter(|filter| names.contains(&filter.name)) {
        let faults = filter.faults(&configuration);
        if !faults.is_empty() {
            let text = format!("Filter {} has been marked invalid for these reasons: {};.", filter.name, faults.join("; "));
            terminal.say(&text).await?;
        }
    }
    Ok(())
}

/// Reads a place: a name, or a number from 1 to one behind the last.
fn position(word: &str, filters: &[Filter]) -> Result<usize, String> {
    if let Some(at) = filters.iter().position(|filter| filter.name == word) {
        return Ok(at);
    }
    match word.parse::<usize>() {
        Ok(number) if (1..=filters.len() + 1).contains(&number) => Ok(number - 1),
        Ok(_) => Err(format!("Invalid filter range: {word}")),
        Err(_) => Err(format!("Invalid filter name: {word}")),
    }
}

/// Takes the filters that a word means, or asks for them until the answer means some; Enter on nothing leaves.
async fn ask_filters(terminal: &mut Terminal, word: Option<&str>, default: &str) -> Asked<Option<Vec<usize>>> {
    let filters = terminal.configuration().filters;
    if let Some(word) = word {
        return match range(word, &filters) {
            Ok(positions) => Ok(Some(positions)),
            Err(reason) => terminal.refuse(&reason).await.map(|()| None),
        };
    }
    terminal
        .ask_until("Enter the filter name, number, or range:", default, |answer| {
            if answer.is_empty() { Ok(None) } else { range(answer, &filters).map(Some) }
        })
        .await
}

async fn delete(terminal: &mut Terminal, word: Option<&str>) -> Asked<()> {
    let Some(positions) = ask_filters(terminal, word, "").await? else {
        return Ok(());
    };
    let names = names_at(terminal, &positions);
    if word.is_none() && !super::may_delete(terminal, &format!("{} filters", positions.len())).await? {
        return Ok(());
    }
    terminal.stage(|configuration| take(&mut configuration.filters, &names));
    terminal.count(&format!("{} filters deleted.", positions.len())).await
}

/// Takes the filters of some names out, in their order.
fn take(filters: &mut Vec<Filter>, names: &[String]) -> Vec<Filter> {
    let (out, rest): (Vec<_>, Vec<_>) = filters.drain(..).partition(|filter| names.contains(&filter.name));
    *filters = rest;
    out
}

async fn move_filters(terminal: &mut Terminal, words: &[&str]) -> Asked<()> {
    let Some(positions) = ask_filters(terminal, words.first().copied(), "").await? else {
        return Ok(());
    };
    let moving = names_at(terminal, &positions);
    let filters = terminal.configuration().filters;
    // A number is the place that the filter has afterwards, a name the filter before which it then stands. The documents say neither.
    let place = |word: &str| {
        let number = word.parse::<usize>().is_ok();
        if word.eq_ignore_ascii_case("last") {
            Ok((filters.len(), true))
        } else {
            position(word, &filters).map(|at| (at, number))
        }
    };
    let (target, by_number) = match words.get(1) {
        Some(word) => match place(word) {
            Ok(target) => target,
            Err(reason) => return terminal.refuse(&reason).await,
        },
        None => terminal.ask_until("Enter the target filter position number or name:", "last", place).await?,
    };
    let before = filters.get(target).map(|filter| filter.name.clone());
    let shift = |filters: &mut Vec<Filter>| {
        let moved = take(filters, &moving);
        let named = filters.iter().position(|filter| !by_number && Some(&filter.name) == before.as_ref());
        let at = named.unwrap_or(target.min(filters.len()));
        filters.splice(at..at, moved);
    };
    let mut then = filters.clone();
    shift(&mut then);
    // That a move which changes nothing is an error is documented; its words are not.
    if then.iter().map(|filter| &filter.name).eq(filters.iter().map(|filter| &filter.name)) {
        return terminal.refuse("Invalid filter range: the filters already stand there.").await;
    }
    terminal.stage(|configuration| shift(&mut configuration.filters));
    terminal.count(&format!("{} filters moved.", positions.len())).await
}

/// Gives the names of the filters at some positions: while a question waits for its answer, somebody else's commit may move them.
fn names_at(terminal: &Terminal, positions: &[usize]) -> Vec<String> {
    let filters = terminal.configuration().filters;
    positions.iter().filter_map(|at| filters.get(*at).map(|filter| filter.name.clone())).collect()
}

async fn set(terminal: &mut Terminal, words: &[&str]) -> Asked<()> {
    let Some(positions) = ask_filters(terminal, words.first().copied(), "all").await? else {
        return Ok(());
    };
    let names = names_at(terminal, &positions);
    let read = |word: &str| match word.to_ascii_lowercase().as_str() {
        "active" => Ok(true),
        "inactive" => Ok(false),
        _ => Err("The value must be \"active\" or \"inactive\".".to_owned()),
    };
    let active = match words.get(1) {
        Some(word) => match read(word) {
            Ok(active) => active,
            Err(reason) => return terminal.refuse(&reason).await,
        },
        None => terminal.ask_until("Enter the attribute to set:", "active", read).await?,
    };
    terminal.stage(|configuration| {
        configuration.filters.iter_mut().filter(|filter| names.contains(&filter.name)).for_each(|filter| filter.active = active);
    });
    terminal.count(&format!("{} filters updated.", positions.len())).await
}

async fn detail(terminal: &mut Terminal, word: Option<&str>) -> Asked<()> {
    let Some(positions) = ask_filters(terminal, word, "all").await? else {
        return Ok(());
    };
    let configuration = terminal.configuration();
    let manner = terminal.reprint();
    let mut blocks = Vec::new();
    for at in positions {
        if let Some(filter) = configuration.filters.get(at) {
            blocks.push(match terminal.layout().filters {
                FilterForm::Headed => {
                    format!("{}{}", list([(at + 1, filter)].into_iter(), &configuration), filter.print_as(manner))
                }
                FilterForm::Bare => filter.print_as(manner),
            });
        }
    }
    terminal.say(&blocks.join("\n")).await
}

async fn import(terminal: &mut Terminal, name: Option<&str>) -> Asked<()> {
    let Some(text) = read_file(terminal, name).await? else {
        return Ok(());
    };
    ask_encoding(terminal).await?;
    match compile(&text, &[]) {
        Err(reason) => refused(terminal, &reason).await,
        Ok(filters) => {
            let names: Vec<String> = filters.iter().map(|filter| filter.name.clone()).collect();
            terminal.stage(|configuration| configuration.filters = filters);
            say_faults(terminal, &names).await?;
            terminal.say(&format!("{} filters imported.", names.len())).await
        }
    }
}

async fn export(terminal: &mut Terminal, name: Option<&str>) -> Asked<()> {
    let text: String = terminal.configuration().filters.iter().map(Filter::print).collect();
    ask_encoding(terminal).await?;
    write_file(terminal, name, text).await
}

async fn ask_encoding(terminal: &mut Terminal) -> Asked<()> {
    let encodings = ["US-ASCII", "Unicode (UTF-8)", "Unicode (UTF-16)", "Western European/Latin-1 (ISO 8859-1)"];
    terminal.ask_list("Choose an encoding to use for the filters file:", &encodings, 1).await.map(|_| ())
}
