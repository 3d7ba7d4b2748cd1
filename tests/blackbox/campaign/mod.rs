//! Kill, disconnect, collision and rejection at every line that an apply of thirty objects types to the gateway.
//!
//! The apply is driven in this process, as Terraform drives it: refresh, plan, and ten changes at a time in the order of their
//! dependencies ([`run`]). A first run without a fault counts the lines ([`scene`]); then each line gets a fault. After each
//! of them every object is live as it was or as it was wished for, the work of others stands, and what the callers were told is what stands; a
//! second apply brings the rest, and a third plan is empty.

pub(crate) mod objects;
mod run;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailflow::gateway::table::Printout;
use mailflow::sandbox::gateway::Fault as Trouble;
use mailflow::sandbox::gateway::{Appliance, Break, ChangeSets, Edit, Options, Point};
use scene::{Clean, FAULTS, Fault, Scene};
use serde_json::json;

/// So many scenes are played at once: each one waits for its device most of the time.
const AT_ONCE: usize = 24;

/// What kind of step this is: a command at the main prompt, or what a command asks for.
fn kind(step: &str) -> String {
    let Some((command, question)) = step.split_once(": ") else { return step.to_owned() };
    let form = match question {
        "a text" => "a line of a text",
        question if question.starts_with("Choose the operation") => "a menu",
        question if question.ends_with('?') => "yes or no",
        _ => "a value or an entry",
    };
    format!("{command}: {form}")
}

/// What came of all scenes so far.
#[derive(Default)]
struct Tally {
    played: usize,
    happened: BTreeMap<Fault, usize>,
    kinds: BTreeSet<(String, Fault)>,
    lines: BTreeSet<usize>,
    broken: Vec<String>,
}

/// Gives each line one fault, in turn. Two lines far from each other share a run, except where its process is killed.
fn every_line(clean: &Clean) -> Vec<Scene> {
    let mut missing: BTreeMap<String, BTreeSet<Fault>> = BTreeMap::new();
    let mut lines: BTreeMap<Fault, Vec<usize>> = FAULTS.into_iter().map(|fault| (fault, Vec::new())).collect();
    for (index, step) in clean.steps.iter().enumerate() {
        let missing = missing.entry(kind(step)).or_insert_with(|| FAULTS.into_iter().collect());
        // A fault that this kind of step did not have yet, the rarest so far.
        let fault =
            FAULTS.into_iter().min_by_key(|fault| (!missing.contains(fault), lines[fault].len())).expect("there are faults");
        missing.remove(&fault);
        lines.entry(fault).or_default().push(index + 1);
    }
    lines.into_iter().flat_map(|(fault, lines)| shared(fault, &lines)).collect()
}

/// Scenes with one fault at all of these lines. Lines far from each other share a run, except where its process is killed; three
/// collisions might be three in a row.
fn shared(fault: Fault, lines: &[usize]) -> Vec<Scene> {
    let at_most = match fault {
        Fault::Kill => 1,
        Fault::Collision | Fault::Rivalry => 2,
        Fault::Disconnect | Fault::Rejection => 3,
    };
    let runs = lines.len().div_ceil(at_most);
    (0..runs).map(|run| Scene::new(fault, &lines.iter().copied().skip(run).step_by(runs).collect::<Vec<_>>())).collect()
}

/// Each commit, before and after its effect.
fn every_commit(clean: &Clean) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (commit, effect) in (1..=clean.commits).flat_map(|commit| [(commit, false), (commit, true)]) {
        for (fault, change_sets) in [
            (Fault::Kill, ChangeSets::PerUser),
            (Fault::Disconnect, ChangeSets::PerUser),
            (Fault::Disconnect, ChangeSets::PerSession),
        ] {
            scenes.push(Scene { commit: Some((commit, effect)), change_sets, ..Scene::new(fault, &[]) });
        }
    }
    scenes
}

/// The lines that had no fault yet, since an earlier one ended the run, and the kinds of steps that did not have each fault.
fn what_is_left(clean: &Clean, tally: &Tally) -> Vec<(Fault, usize)> {
    let mut left = Vec::new();
    let mut kinds = tally.kinds.clone();
    let mut lines = tally.lines.clone();
    for (line, step) in clean.steps.iter().enumerate().map(|(index, step)| (index + 1, step)) {
        let missing: Vec<Fault> = FAULTS.into_iter().filter(|fault| kinds.insert((kind(step), *fault))).collect();
        if lines.insert(line) && missing.is_empty() {
            left.push((FAULTS[line % FAULTS.len()], line));
        }
        left.extend(missing.into_iter().map(|fault| (fault, line)));
    }
    left
}

fn play(scenes: &[Scene], clean: &Clean, tally: &mut Tally) {
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(tally);
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                while let Some(scene) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = std::panic::catch_unwind(|| scene::play(scene, clean));
                    let outcome = outcome.unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
                    let mut tally = tally.lock().expect("no panic while it is held");
                    tally.played += 1;
                    match outcome {
                        Ok(happened) => {
                            for (line, step) in happened {
                                *tally.happened.entry(scene.fault).or_default() += 1;
                                tally.kinds.insert((kind(&step), scene.fault));
                                tally.lines.insert(line);
                            }
                        }
                        Err(words) => {
                            let steps: Vec<_> = scene.lines.iter().filter_map(|line| clean.steps.get(line - 1)).collect();
                            let words = format!("{scene:?} at {steps:?}: {words}");
                            eprintln!("{words}");
                            tally.broken.push(words);
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn p01_p15_g07_g08_g09_g10_g12_every_fault_at_every_line_of_thirty_changes() {
    let began = Instant::now();
    let clean = scene::clean();
    let kinds: BTreeSet<String> = clean.steps.iter().map(|step| kind(step)).collect();
    eprintln!("without a fault: {} lines, {} commits, {:.1?}", clean.steps.len(), clean.commits, began.elapsed());
    let mut tally = Tally::default();
    play(&every_line(&clean), &clean, &mut tally);
    play(&every_commit(&clean), &clean, &mut tally);
    let left = what_is_left(&clean, &tally);
    let lines = |fault: Fault| left.iter().filter(|left| left.0 == fault).map(|left| left.1).collect::<Vec<_>>();
    play(&FAULTS.into_iter().flat_map(|fault| shared(fault, &lines(fault))).collect::<Vec<_>>(), &clean, &mut tally);
    // What came elsewhere since an earlier fault of the run made it longer.
    let left = what_is_left(&clean, &tally);
    play(&left.iter().map(|(fault, line)| Scene::new(*fault, &[*line])).collect::<Vec<_>>(), &clean, &mut tally);
    let pairs = tally.kinds.iter().filter(|(kind, _)| kinds.contains(kind)).count();
    eprintln!(
        "{} scenes in {:.1?}; faults that happened: {:?}; {} of {} lines; {pairs} of {} pairs of a kind of step and a fault",
        tally.played,
        began.elapsed(),
        tally.happened,
        tally.lines.len(),
        clean.steps.len(),
        kinds.len() * FAULTS.len(),
    );
    assert!(tally.broken.is_empty(), "{} scenes are broken:\n{}", tally.broken.len(), tally.broken.join("\n\n"));
    assert_eq!(tally.lines.len(), clean.steps.len(), "each line had a fault");
    assert_eq!(pairs, kinds.len() * FAULTS.len(), "each kind of step had each fault");
}

#[test]
fn a_table_that_somebody_changes_between_its_list_and_its_details_is_read_again() {
    let filter = |name: &str| json!({ "name": name, "active": true, "body": "if (true) {\n    drop();\n}" });
    let put = |at: &str, name: &str| Edit::Add { path: format!("/filters/{at}"), value: filter(name) };
    for (change, expected) in [
        (put("0", "theirs"), vec!["theirs", "one", "two"]),
        (Edit::Remove { path: "/filters/[name=one]".to_owned() }, vec!["two"]),
        (Edit::Remove { path: "/filters/[name=two]".to_owned() }, vec!["one"]),
    ] {
        let lines = |change: Option<(u32, Edit)>| {
            let appliance =
                Appliance::start(Options { keep_steps: true, control: false, ..Options::default() }).expect("it starts");
            appliance.edit_paths(&[put("-", "one"), put("-", "two")]).expect("it fits");
            if let Some((nth, change)) = change {
                appliance.fault(Trouble::Intrude { nth, change: vec![change] });
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let names = runtime.block_on(async {
                let gateway = run::gateway(&appliance);
                let rows = gateway.rows(&Printout::Filters, &run::call(&BTreeMap::new())).await.expect("read");
                gateway.close().await;
                // The order of the filters is an object of the table, too.
                let filters = rows.rows.iter().filter(|row| row.resource == "gateway_message_filter");
                filters.map(|row| row.id.clone()).collect::<Vec<_>>()
            });
            (appliance.steps(), names)
        };
        let (steps, _) = lines(None);
        let detail = steps.iter().rposition(|step| step == "> filters").expect("the second command");
        let (_, names) = lines(Some((u32::try_from(detail + 1).expect("few lines"), change.clone())));
        assert_eq!(names, expected, "{change:?}");
    }
}

#[test]
fn g26_another_release_while_staging_stops_all_and_leaves_nothing() {
    let objects = objects::all();
    let lines = |nth: Option<u32>| {
        let appliance = Appliance::start(Options { keep_steps: true, control: false, ..Options::default() }).expect("it starts");
        let before = appliance.snapshot();
        let shared = Arc::new(Mutex::new(run::Progress::default()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        if let Some(nth) = nth {
            appliance.fault(Trouble::Break { how: Break::Hang, at: Point::Line, nth });
        }
        runtime.block_on(async {
            let upgraded = async {
                while appliance.faults_waiting() > 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                if nth.is_some() {
                    appliance.reboot(Some("16.0.3-044"));
                }
            };
            tokio::join!(run::apply(&appliance, &objects, false, 10, &shared), upgraded);
        });
        let told = std::mem::take(&mut shared.lock().expect("no panic while it is held").told);
        if nth.is_some() {
            for (label, told) in &told {
                let run::Told::Failed(error) = told else { panic!("{label}: {told:?}") };
                assert!(
                    error.message.contains("ran AsyncOS 15.5.3 when") || error.message.contains("ran AsyncOS 15.5.3-022 when"),
                    "{label}: {error}"
                );
            }
            assert_eq!(appliance.snapshot(), before);
            assert!(!appliance.pending());
        }
        (appliance.steps(), told)
    };
    let (steps, _) = lines(None);
    let stage = steps.iter().position(|step| step == "> showchanges").expect("it looks before it stages") + 40;
    let (_, told) = lines(Some(u32::try_from(stage).expect("few lines")));
    assert!(!told.is_empty());
}
