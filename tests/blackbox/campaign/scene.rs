//! One apply with one fault, and what must hold afterwards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailflow::remote::Kind;
use mailflow::sandbox::gateway::Fault as Trouble;
use mailflow::sandbox::gateway::{Appliance, Break, ChangeSets, Configuration, Edit, Options, Point};
use mailflow::schema::Record;
use serde_json::{Value as Json, json};

use super::objects::{self, Object, orders, parts};
use super::run::{self, Progress, State, Told};

/// What a plan says of a new object whose name is taken.
const IN_THE_WAY: &str = "no resource of this configuration was seen to have it";

/// So many changes go on side by side, as with Terraform's default.
const AT_ONCE: usize = 10;

/// What goes wrong at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The provider's process is killed.
    Kill,
    /// The connection is cut.
    Disconnect,
    /// Somebody else commits something of their own.
    Collision,
    /// Somebody else commits a change of an object that this run changes.
    Rivalry,
    /// The device refuses the line.
    Rejection,
}

pub(crate) const FAULTS: [Fault; 5] = [Fault::Kill, Fault::Disconnect, Fault::Collision, Fault::Rivalry, Fault::Rejection];

/// One scene.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) fault: Fault,
    /// The lines at which it happens, counted from 1.
    pub(crate) lines: Vec<usize>,
    pub(crate) change_sets: ChangeSets,
    /// It happens in a commit instead: which, and whether after its effect.
    pub(crate) commit: Option<(usize, bool)>,
}

/// The run without a fault.
pub(crate) struct Clean {
    pub(crate) objects: Vec<Object>,
    /// Where each line was typed.
    pub(crate) steps: Vec<String>,
    pub(crate) commits: usize,
    seed: Configuration,
    state: State,
    before: Json,
    after: Json,
    /// The records of a run that went well.
    records: State,
}

impl Scene {
    pub(crate) fn new(fault: Fault, lines: &[usize]) -> Scene {
        let line = lines.first().copied().unwrap_or(1);
        // A killed run leaves something where the candidate is the user's, so most kills are played there.
        let per_user = if fault == Fault::Kill { !line.is_multiple_of(4) } else { line.is_multiple_of(2) };
        let change_sets = if per_user { ChangeSets::PerUser } else { ChangeSets::PerSession };
        Scene { fault, lines: lines.to_vec(), change_sets, commit: None }
    }

    /// The objects over which somebody else quarrels, and what they do.
    fn rivals(&self) -> BTreeMap<&'static str, Vec<Edit>> {
        let their = |path: &str, value: Json| vec![Edit::Replace { path: path.to_owned(), value }];
        let rival = |line: &usize| match line % 3 {
            0 => ("r_changed1", their("/smtp_routes/[domain=r3.example]/destinations", json!(["their.example.net"]))),
            1 => ("c_gone", their("/destination_controls/entries/[domain=c5.example]/concurrency", json!(99))),
            _ => {
                let route = json!({ "domain": "r1.example", "destinations": ["their.example.net"], "authentication": null });
                let gone = Edit::Remove { path: "/smtp_routes/[domain=r1.example]".to_owned() };
                ("r_new1", vec![gone, Edit::Add { path: "/smtp_routes/-".to_owned(), value: route }])
            }
        };
        if self.fault == Fault::Rivalry { self.lines.iter().map(rival).collect() } else { BTreeMap::new() }
    }

    fn troubles(&self, clean: &Clean) -> Vec<Trouble> {
        let how = if self.fault == Fault::Kill { Break::Hang } else { Break::Drop };
        if let Some((commit, effect)) = self.commit {
            let at = if effect { Point::CommitAfter } else { Point::CommitBefore };
            return vec![Trouble::Break { how, at, nth: u32::try_from(commit).expect("few commits") }];
        }
        let trouble = |(index, line): (usize, &usize)| {
            let nth = u32::try_from(*line).expect("few lines");
            match self.fault {
                Fault::Kill | Fault::Disconnect => Trouble::Break { how, at: Point::Line, nth },
                Fault::Collision => Trouble::Intrude { nth, change: theirs(index) },
                Fault::Rivalry => {
                    let one = Scene { lines: vec![*line], ..self.clone() };
                    Trouble::Intrude { nth, change: one.rivals().into_values().flatten().collect() }
                }
                Fault::Rejection => {
                    Trouble::RefuseLine { nth, text: refusal(clean.steps.get(line - 1).map_or("", String::as_str)).to_owned() }
                }
            }
        };
        self.lines.iter().enumerate().map(trouble).collect()
    }
}

/// The device's words for "no" at a step.
fn refusal(step: &str) -> &'static str {
    if step.starts_with("> commit") {
        "Configuration filesystem is full."
    } else if step.starts_with('>') {
        "Unable to perform operation due to an I/O error."
    } else if step.ends_with('?') {
        "Please answer Yes or No."
    } else {
        "The value cannot be used here."
    }
}

/// What somebody else commits that is nobody's here.
fn theirs(number: usize) -> Vec<Edit> {
    let route =
        json!({ "domain": format!("theirs{number}.example"), "destinations": ["their.example.net"], "authentication": null });
    let filter = json!({ "name": format!("theirs{number}"), "active": true, "body": "if (true) {\n    skip-filters();\n}" });
    vec![
        Edit::Add { path: "/smtp_routes/-".to_owned(), value: route },
        Edit::Add { path: "/filters/0".to_owned(), value: filter },
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn start(configuration: Configuration, change_sets: ChangeSets) -> Appliance {
    let options =
        Options { configuration: Some(configuration), change_sets, keep_steps: true, control: false, ..Options::default() };
    Appliance::start(options).expect("the stand-in starts")
}

fn progress(state: &State) -> Arc<Mutex<Progress>> {
    Arc::new(Mutex::new(Progress { state: state.clone(), ..Progress::default() }))
}

fn take(shared: &Mutex<Progress>) -> Progress {
    std::mem::take(&mut *shared.lock().expect("no panic while it is held"))
}

/// Prepares a device, applies without a fault, and counts.
pub(crate) fn clean() -> Clean {
    let objects = objects::all();
    assert_eq!(objects.len(), 30);
    let new = Configuration::new_gateway(mailflow::sandbox::gateway::Release::default());
    let appliance = start(new, ChangeSets::PerSession);
    appliance
        .edit_paths(&[
            Edit::Add {
                path: "/smtp_routes/-".to_owned(),
                value: json!({ "domain": "foreign.example", "destinations": ["their.example.net"], "authentication": null }),
            },
            Edit::Add {
                path: "/filters/-".to_owned(),
                value: json!({ "name": "foreign", "active": true, "body": "if (true) {\n    skip-filters();\n}" }),
            },
        ])
        .expect("it fits");
    let shared = progress(&State::new());
    runtime().block_on(run::apply(&appliance, &objects, false, 1, &shared));
    let seeded = take(&shared);
    assert!(seeded.unplanned.is_empty() && seeded.told.values().all(|told| matches!(told, Told::Done)), "{seeded:#?}");
    let (seed, before) = (appliance.configuration(), appliance.snapshot());
    let appliance = start(seed.clone(), ChangeSets::PerSession);
    let shared = progress(&seeded.state);
    runtime().block_on(run::apply(&appliance, &objects, true, AT_ONCE, &shared));
    let done = take(&shared);
    assert!(
        done.unplanned.is_empty() && done.told.values().all(|told| matches!(told, Told::Done)),
        "{:#?} {:#?}",
        done.unplanned,
        done.told
    );
    assert_eq!(done.planned.len(), 30, "{:?}", done.planned);
    Clean {
        steps: appliance.steps(),
        commits: usize::try_from(appliance.counters().commits).expect("few commits"),
        objects,
        seed,
        state: seeded.state,
        before,
        after: appliance.snapshot(),
        records: done.state,
    }
}

/// Plays a scene. Gives the lines at which a fault happened, and what each of them was.
pub(crate) fn play(scene: &Scene, clean: &Clean) -> Result<Vec<(usize, String)>, String> {
    let appliance = start(clean.seed.clone(), scene.change_sets);
    scene.troubles(clean).into_iter().for_each(|trouble| appliance.fault(trouble));
    let shared = progress(&clean.state);
    let first = runtime();
    let killed = first.block_on(async {
        tokio::select! {
            () = run::apply(&appliance, &clean.objects, true, AT_ONCE, &shared) => false,
            () = fired(&appliance), if scene.fault == Fault::Kill => true,
        }
    });
    drop(first);
    appliance.clear_faults();
    until("the first run's session ended", || appliance.sessions() == 0)?;
    let steps = appliance.steps();
    let happened = scene.lines.iter().filter_map(|line| steps.get(line - 1).map(|step| (*line, step.clone()))).collect();
    let first = take(&shared);
    judge(scene, clean, &appliance, &first, killed)?;
    follow_up(scene, clean, &appliance, &first)?;
    Ok(happened)
}

async fn fired(appliance: &Appliance) {
    while appliance.faults_waiting() > 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn until(what: &str, holds: impl Fn() -> bool) -> Result<(), String> {
    let began = Instant::now();
    while !holds() {
        if began.elapsed() > Duration::from_secs(20) {
            return Err(format!("{what} did not happen"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// What stands after the first run is what its callers were told.
fn judge(scene: &Scene, clean: &Clean, appliance: &Appliance, run: &Progress, killed: bool) -> Result<(), String> {
    let live = appliance.snapshot();
    let (before, after, now) = (parts(&clean.before), parts(&clean.after), parts(&live));
    let rivals = scene.rivals();
    let about = |object: &Object| {
        format!(
            "{} was told {:?}; it stands {:?}; before {:?}, wished for {:?}",
            object.label,
            run.told.get(object.label),
            now.get(&object.part),
            before.get(&object.part),
            after.get(&object.part)
        )
    };
    for object in &clean.objects {
        let (was, wished, stands) = (before.get(&object.part), after.get(&object.part), now.get(&object.part));
        let quarrel = rivals.contains_key(object.label);
        if stands != was && stands != wished && !quarrel {
            return Err(format!("half live: {}", about(object)));
        }
        let told = run.told.get(object.label);
        let unsure = |words: &str| ["not known", "could not be read back", "still runs"].iter().any(|part| words.contains(part));
        match told {
            Some(Told::Done) if stands != wished && !quarrel => return Err(format!("success, and not live: {}", about(object))),
            Some(Told::Failed(error)) if stands == wished && stands != was && !unsure(&error.message) => {
                return Err(format!("failure, and live: {}", about(object)));
            }
            None | Some(Told::Skipped) if stands != was && !killed && !quarrel => {
                return Err(format!("never done, and live: {}", about(object)));
            }
            Some(Told::Failed(error)) if matches!(scene.fault, Fault::Disconnect | Fault::Collision) => {
                return Err(format!("failed for no reason ({error}): {}", about(object)));
            }
            Some(Told::Failed(error)) if scene.fault == Fault::Rivalry && !quarrel => {
                return Err(format!("failed over the object of another ({error}): {}", about(object)));
            }
            Some(Told::Failed(error))
                if quarrel
                    && !matches!(error.kind, Kind::Conflict | Kind::Unexpected | Kind::NotFound)
                    && !error.message.contains(IN_THE_WAY) =>
            {
                return Err(format!("another error than that of a conflict ({error}): {}", about(object)));
            }
            Some(Told::Done) if object.after.is_some() => {
                let (mine, clean) = (run.state.get(object.label), clean.records.get(object.label));
                let (mine, clean) = (mine.ok_or("success, and not in the state")?, clean.ok_or("never made")?);
                let differing = differing(object, &clean.record, &mine.record);
                if !differing.is_empty() {
                    return Err(format!("{} has another record: {differing:?}", object.label));
                }
            }
            _ => {}
        }
    }
    if !run.unplanned.is_empty() && scene.fault != Fault::Rejection {
        return Err(format!("no plan: {:?}", run.unplanned));
    }
    untouched(clean, &before, &now, scene, appliance)?;
    if !killed && appliance.pending() {
        return Err("something stays staged".to_owned());
    }
    Ok(())
}

/// Neither the objects of others nor their order have changed.
fn untouched(
    clean: &Clean,
    before: &BTreeMap<String, Json>,
    now: &BTreeMap<String, Json>,
    scene: &Scene,
    appliance: &Appliance,
) -> Result<(), String> {
    let ours = |name: &str| clean.objects.iter().any(|object| object.part == name);
    for (name, was) in before.iter().filter(|(name, _)| !ours(name)) {
        if now.get(name) != Some(was) {
            return Err(format!("{name} is not ours and stands as {:?}", now.get(name)));
        }
    }
    for name in now.keys().filter(|name| !ours(name) && !before.contains_key(*name)) {
        if scene.fault != Fault::Collision || !name.contains(" theirs") {
            return Err(format!("{name} comes from nowhere"));
        }
    }
    // What a colleague commits has no comment.
    let committed = appliance.comments().iter().filter(|comment| comment.is_empty()).count();
    let standing = now.keys().filter(|name| name.contains(" theirs")).count();
    if scene.fault == Fault::Collision && standing != committed {
        return Err("the work of others is lost".to_owned());
    }
    let foreign = |snapshot: &Json| -> Vec<Vec<String>> {
        let only = |names: Vec<String>| {
            names
                .into_iter()
                .filter(|name| !name.starts_with("G_") && !name.starts_with("f_") && !name.starts_with("theirs"))
                .collect()
        };
        orders(snapshot).into_iter().map(only).collect()
    };
    if foreign(&clean.before) != foreign(&appliance.snapshot()) {
        return Err("the order of what is not ours has changed".to_owned());
    }
    Ok(())
}

/// The attributes in which two records differ, but for those that follow from what stands around.
fn differing(object: &Object, one: &Record, other: &Record) -> Vec<String> {
    let around = |name: &str| {
        name == "position" || (name == "before" && object.after.as_ref().is_none_or(|config| config.get("before").is_null()))
    };
    let names = one.iter().chain(other.iter()).map(|(name, _)| name.to_owned());
    let mut found: Vec<String> = names.filter(|name| !around(name) && one.get(name) != other.get(name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The second apply brings what is left, and then nothing is to do.
fn follow_up(scene: &Scene, clean: &Clean, appliance: &Appliance, first: &Progress) -> Result<(), String> {
    let mut state = first.state.clone();
    let rivals = scene.rivals();
    for attempt in 2..=3 {
        let shared = progress(&state);
        runtime().block_on(run::apply(appliance, &clean.objects, true, AT_ONCE, &shared));
        let second = take(&shared);
        // What a killed run made stands in no state: the plan says so, with the block that imports it.
        let has_no_plan = |label: &str| {
            let begin = format!("{label}: ");
            second.unplanned.iter().any(|words| words.starts_with(&begin) && words.contains(IN_THE_WAY))
        };
        let taken: Vec<&'static str> =
            clean.objects.iter().map(|object| object.label).filter(|label| has_no_plan(label)).collect();
        if taken.len() < second.unplanned.len() {
            return Err(format!("apply {attempt} has no plan: {:?}", second.unplanned));
        }
        if attempt == 2 {
            for object in clean.objects.iter().filter(|object| !rivals.contains_key(object.label)) {
                let records = (first.state.get(object.label), second.refreshed.get(object.label));
                if let (Some(Told::Done), (Some(mine), Some(read))) = (first.told.get(object.label), records) {
                    let differing = differing(object, &mine.record, &read.record);
                    if !differing.is_empty() {
                        return Err(format!("{} was answered and stands otherwise: {differing:?}", object.label));
                    }
                }
                if matches!(first.told.get(object.label), Some(Told::Done)) && second.planned.contains_key(object.label) {
                    return Err(format!("{} is done and planned again: {:?}", object.label, second.planned));
                }
            }
        }
        let failed: Vec<_> = second.told.iter().filter(|(_, told)| !matches!(told, Told::Done)).collect();
        let in_the_way = failed
            .iter()
            .filter(|(_, told)| matches!(told, Told::Failed(error) if error.message.contains("The gateway already has")))
            .map(|(label, _)| **label);
        let standing: Vec<&'static str> = taken.iter().copied().chain(in_the_way).collect();
        state.clone_from(&second.state);
        if !failed.is_empty() || !taken.is_empty() {
            let lost = scene.fault == Fault::Kill || standing.iter().all(|label| rivals.contains_key(label));
            let others = failed.iter().any(|(label, told)| !standing.contains(label) && !matches!(told, Told::Skipped));
            if attempt > 2 || !lost || others {
                return Err(format!("apply {attempt} fails: {failed:?}"));
            }
            let shared = progress(&state);
            runtime()
                .block_on(run::import(appliance, &clean.objects, &standing, &shared))
                .map_err(|error| format!("the import fails: {error}"))?;
            state = take(&shared).state;
            continue;
        }
        break;
    }
    let (after, now) = (parts(&clean.after), parts(&appliance.snapshot()));
    for object in &clean.objects {
        if now.get(&object.part) != after.get(&object.part) {
            return Err(format!("{} did not converge: {:?}", object.label, now.get(&object.part)));
        }
    }
    untouched(clean, &parts(&clean.before), &now, scene, appliance)?;
    if appliance.pending() {
        return Err("something stays staged after the second apply".to_owned());
    }
    if !scene.lines.iter().any(|line| line.is_multiple_of(4)) {
        // A plan in a process of its own costs as much as the rest of the scene: some are enough.
        return Ok(());
    }
    let shared = progress(&state);
    let third = run::gateway(appliance);
    runtime().block_on(async {
        run::plan(&third, &clean.objects, true, AT_ONCE, &shared).await;
        third.close().await;
    });
    let third = take(&shared);
    if !third.unplanned.is_empty() || !third.planned.is_empty() {
        return Err(format!("the third plan is not empty: {:?} {:?}", third.unplanned, third.planned));
    }
    Ok(())
}
