//! `export`: a configuration for what exists, with import blocks for all of it. Changes nothing at either side.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::doctor::settings::{self, Setting};
use super::{SOURCE, usage};
use crate::plugin::{Configured, Provider as _};
use crate::provider::{CATALOG, Environment, Mailflow, sides};
use crate::remote::{Call, Enumeration, Found, shown};
use crate::schema::{Record, Resource};
use crate::takeover::export::{Around, Folder, Kindred, export};
use crate::takeover::fits;
use crate::value::{Diagnostic, Value};

/// How long the first contact with a side may take.
const CONTACT: Duration = Duration::from_mins(3);

/// How long one kind may take to be read.
const READING: Duration = Duration::from_mins(15);

/// What to write, and where.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The folder to write; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Only this side or kind: `exchange`, `gateway`, or a type such as `mailflow_gateway_smtp_route` (may be repeated)
    #[arg(long, value_name = "TYPE")]
    only: Vec<String>,
    /// Only objects whose name fits this pattern: `*` stands for any text, `?` for one character; case does not count
    #[arg(long = "match", value_name = "GLOB")]
    matching: Option<String>,
    /// No objects whose name fits this pattern
    #[arg(long, value_name = "GLOB")]
    exclude: Option<String>,
    /// Write objects, too, that are always there and of which nothing is set
    #[arg(long)]
    include_defaults: bool,
    /// Write over files that stand
    #[arg(long)]
    force: bool,
    /// A setting of the provider block that the environment has no variable for, such as `gateway.port=2222` (may be repeated)
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    set: Vec<Setting>,
}

/// Writes the folder.
pub(super) async fn run(options: &Options) -> ExitCode {
    let wanted = match wanted(&options.only) {
        Ok(wanted) => wanted,
        Err(problem) => return usage("export", &problem),
    };
    let environment = Environment::of_process();
    let config = settings::block(&options.set);
    let needs = |side: &str| wanted.iter().any(|resource| resource.name.starts_with(&format!("{side}_")));
    let sides: Vec<_> = sides(&config, &environment).into_iter().filter(|(side, _)| needs(side)).collect();
    if sides.is_empty() {
        return usage("export", "no side is configured: set the provider's environment variables, or use --set");
    }
    let provider = Mailflow::new(environment);
    let mut export =
        Reading { options, wanted, kinds: Vec::new(), left_out: Vec::new(), is_whole: true, settings: Record::new() };
    for (side, block) in sides {
        export.read(&provider, side, &block).await;
    }
    let Reading { kinds, left_out, is_whole, settings, .. } = export;
    if kinds.iter().all(|kind| kind.found.is_empty()) {
        eprintln!("Nothing was found that could be written.");
        return ExitCode::FAILURE;
    }
    let around = Around { provider: (CATALOG.name, SOURCE), settings, left_out, include_defaults: options.include_defaults };
    let folder = self::export(&kinds, &around);
    match write(&options.output, &folder, options.force) {
        Ok(()) => {
            eprintln!("{} objects were written to {} files in {}.", folder.count, folder.files.len(), options.output.display());
            if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// The kinds that are asked for.
fn wanted(only: &[String]) -> Result<Vec<&'static Resource>, String> {
    let is = |resource: &Resource, word: &str| {
        let full = format!("{}_{}", CATALOG.name, resource.name);
        word == full
            || word == resource.name
            || resource.name.strip_prefix(word).is_some_and(|rest| rest.starts_with('_') && !word.contains('_'))
    };
    for word in only {
        if !CATALOG.resources.iter().any(|resource| is(resource, word)) {
            let names: Vec<String> =
                CATALOG.resources.iter().map(|resource| format!("{}_{}", CATALOG.name, resource.name)).collect();
            return Err(format!("--only {word}: there is exchange, gateway, {}", names.join(", ")));
        }
    }
    let all = CATALOG.resources.iter().copied();
    Ok(all.filter(|resource| only.is_empty() || only.iter().any(|word| is(resource, word))).collect())
}

/// What was read so far.
struct Reading<'a> {
    options: &'a Options,
    wanted: Vec<&'static Resource>,
    kinds: Vec<Kindred>,
    left_out: Vec<String>,
    is_whole: bool,
    settings: Record,
}

impl Reading<'_> {
    /// Reads all that is wanted of a side.
    async fn read(&mut self, provider: &Mailflow, side: &str, block: &Record) {
        let configured = match connect(provider, block).await {
            Ok(configured) => configured,
            Err(problems) => {
                problems.iter().for_each(tell);
                self.leave_out(format!("the side {side}: it could not be reached or logged in to"));
                return;
            }
        };
        let wanted: Vec<_> =
            self.wanted.iter().copied().filter(|resource| resource.name.starts_with(&format!("{side}_"))).collect();
        for resource in wanted {
            if io::stderr().is_terminal() {
                eprintln!("Reading: {}", resource.noun);
            }
            let call = Call::new(CancellationToken::new(), READING);
            let listed = configured.enumerate(resource, &Record::new(), &call).await;
            let reports = call.take_reports();
            let Enumeration { found, troubles } = match listed {
                Ok(enumeration) => enumeration,
                Err(error) => {
                    let problem = error.diagnostic(&format!("list the objects of the kind {}", resource.noun));
                    tell(&problem);
                    self.leave_out(format!("all of the kind {}: {}", resource.noun, shown(&problem.summary)));
                    continue;
                }
            };
            for trouble in reports.iter().chain(&troubles) {
                tell(trouble);
                self.leave_out(format!("of the kind {}: {}", resource.noun, shown(&trouble.summary)));
            }
            let found = found.into_iter().filter(|found| self.is_asked_for(found)).collect();
            self.kinds.push(Kindred { resource, found });
        }
        configured.close().await;
        self.settings.set(side, public(block.get(side), &self.options.set, side));
    }

    fn is_asked_for(&self, found: &Found) -> bool {
        let name = &found.display_name;
        self.options.matching.as_ref().is_none_or(|pattern| fits(pattern, name))
            && !self.options.exclude.as_ref().is_some_and(|pattern| fits(pattern, name))
    }

    fn leave_out(&mut self, line: String) {
        self.is_whole = false;
        if !self.left_out.contains(&line) {
            self.left_out.push(line);
        }
    }
}

/// Logs in to one side.
async fn connect(provider: &Mailflow, block: &Record) -> Result<Arc<dyn Configured>, Vec<Diagnostic>> {
    let problems: Vec<Diagnostic> = provider.validate(block).into_iter().filter(Diagnostic::is_error).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let configured = provider.configure(block)?;
    let call = Call::new(CancellationToken::new(), CONTACT);
    let problems = configured.contact(&call).await;
    if problems.iter().any(Diagnostic::is_error) {
        configured.close().await;
        return Err(problems);
    }
    Ok(configured)
}

/// The settings of a side that were given, but for secrets.
fn public(block: &Value, given: &[Setting], side: &str) -> Value {
    let secret = given.iter().filter(|setting| setting.secret().is_some());
    let mut block = block.clone();
    for setting in secret {
        let path = setting.path();
        if path.first().is_some_and(|first| first == side) {
            remove(&mut block, &path[1..]);
        }
    }
    block
}

fn remove(value: &mut Value, path: &[String]) {
    let (Value::Object(members), [first, rest @ ..]) = (value, path) else { return };
    match (members.get_mut(first), rest) {
        (_, []) => {
            members.remove(first);
        }
        (Some(inner), rest) => remove(inner, rest),
        (None, _) => {}
    }
}

fn tell(problem: &Diagnostic) {
    eprintln!("{}\n{}\n", shown(&problem.summary), shown(&problem.detail));
}

/// Writes the files. Without `force` none is written if one stands.
fn write(folder: &Path, written: &Folder, force: bool) -> Result<(), String> {
    let standing: Vec<&String> = written.files.keys().filter(|name| folder.join(name).exists()).collect();
    if let (Some(first), false) = (standing.first(), force) {
        return Err(format!(
            "{} stands already: nothing was written. Use --force to write over it.",
            folder.join(first).display()
        ));
    }
    let all: &BTreeMap<String, String> = &written.files;
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        all.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
    };
    write().map_err(|error| format!("{} cannot be written: {error}", folder.display()))
}
