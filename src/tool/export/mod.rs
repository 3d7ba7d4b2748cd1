//! `export`: a configuration for what exists, with import blocks for all of it. Changes nothing at either side.

mod against;
mod check;

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
use crate::takeover::export::{Around, Folder, Kindred, Managed, export};
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
    #[arg(long, value_name = "TYPE", num_args = 1..)]
    only: Vec<String>,
    /// Only objects whose name or import ID fits this pattern: `*` stands for any text, `?` for one character; case does not count
    #[arg(long = "match", value_name = "GLOB")]
    matching: Option<String>,
    /// No objects whose name or import ID fits this pattern
    #[arg(long, value_name = "GLOB")]
    exclude: Option<String>,
    /// Write objects, too, that are always there and of which nothing is set
    #[arg(long)]
    include_defaults: bool,
    /// Leave out what this manages already: the output of `terraform show -json`, or a folder with .tf files
    #[arg(long, value_name = "STATE.json|DIR")]
    against: Option<PathBuf>,
    /// Run `init` and `plan` over what was written, in a temporary copy, and fail unless the plan is nothing but imports; files that stand are left alone
    #[arg(long)]
    check: bool,
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
    let managed = match options.against.as_deref().map(against::read).transpose() {
        Ok(managed) => managed,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let provider = Mailflow::new(environment);
    let mut reading = Reading {
        options,
        wanted,
        managed: managed.as_ref(),
        kinds: Vec::new(),
        left_out: managed.iter().flat_map(|managed| managed.unclear().iter().cloned()).collect(),
        is_whole: true,
        settings: Record::new(),
    };
    for line in &reading.left_out {
        eprintln!("{}", shown(line));
    }
    let is_anything_managed = managed.is_some();
    for (side, block) in sides {
        reading.read(&provider, side, &block).await;
    }
    let Reading { kinds, left_out, is_whole, settings, .. } = reading;
    let around = Around { provider: (CATALOG.name, SOURCE), settings, left_out, include_defaults: options.include_defaults };
    let folder = export(&kinds, &around);
    if folder.count == 0 {
        eprintln!(
            "Nothing was found that could be written.{}",
            if is_anything_managed { " What was found is managed already." } else { "" }
        );
        return if is_whole && is_anything_managed { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let is_written = match write(&options.output, &folder, options) {
        Ok(told) => {
            eprintln!("{told}");
            true
        }
        Err(problem) => {
            eprintln!("{problem}");
            false
        }
    };
    let holds = !options.check || is_written && check::check(&folder, &options.set).await;
    if is_whole && is_written && holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
    managed: Option<&'a Managed>,
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
                self.leave_out(format!("the side {side}: it could not be reached or logged in to"), true);
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
                    self.leave_out(format!("all of the kind {}: {}", resource.noun, shown(&problem.summary)), true);
                    continue;
                }
            };
            for (trouble, is_part) in
                reports.iter().map(|one| (one, one.is_error())).chain(troubles.iter().map(|one| (one, true)))
            {
                tell(trouble);
                // A row that is not understood is no failure: it stays as it is.
                self.leave_out(format!("of the kind {}: {}", resource.noun, shown(&trouble.summary)), is_part);
            }
            let found: Vec<Found> = found.into_iter().filter(|found| self.is_asked_for(resource, found)).collect();
            let count = found.len();
            let found: Vec<Found> =
                found.into_iter().filter(|found| !self.managed.is_some_and(|managed| managed.has(resource, found))).collect();
            if found.len() < count {
                self.left_out.push(format!(
                    "{} of the kind {}: managed already (`--against`)",
                    count - found.len(),
                    resource.noun
                ));
            }
            self.kinds.push(Kindred { resource, found });
        }
        configured.close().await;
        self.settings.set(side, public(block.get(side), &self.options.set, side));
    }

    /// A pattern is held against the name and against the import ID: `RELAY*` fits `OutgoingMail/RELAY_O365`, too.
    fn is_asked_for(&self, resource: &Resource, found: &Found) -> bool {
        let names = [Some(found.display_name.as_str()), found.object.text(resource.title)];
        let is_like = |pattern: &String| names.iter().flatten().any(|name| fits(pattern, name));
        self.options.matching.as_ref().is_none_or(is_like) && !self.options.exclude.as_ref().is_some_and(is_like)
    }

    fn leave_out(&mut self, line: String, is_failure: bool) {
        self.is_whole &= !is_failure;
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

/// Writes the files, and says so. Without `--force` none is written if one stands: an error, unless it is only a check.
fn write(folder: &Path, written: &Folder, options: &Options) -> Result<String, String> {
    let standing: Vec<&String> = written.files.keys().filter(|name| folder.join(name).exists()).collect();
    if let (Some(first), false) = (standing.first(), options.force) {
        let first = folder.join(first);
        return if options.check {
            Ok(format!("{} stands already: nothing is written, only checked.", first.display()))
        } else {
            Err(format!("{} stands already: nothing was written. Use --force to write over it.", first.display()))
        };
    }
    put(folder, &written.files).map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
    Ok(format!("{} objects were written to {} files in {}.", written.count, written.files.len(), folder.display()))
}

fn put(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}
