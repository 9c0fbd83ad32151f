//! Files that are damaged in many ways, and random experiments: each ends with a result or with one line that names what is wrong.
//!
//! The test command runs a few. A long run is
//! `OVERFIT_LAB_FILES=100000 OVERFIT_LAB_EXPERIMENTS=20000 cargo test --release --test mutations -- --nocapture`;
//! `OVERFIT_LAB_SEED` draws others. Progress and figures go to standard error.

#![cfg(not(target_arch = "wasm32"))]

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/mutation.rs"]
mod mutation;
#[path = "support/random.rs"]
mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mutation::Mutation;
use overfit_lab::causes;
use overfit_lab::experiment::{EpochCost, Experiment, InvalidField};
use overfit_lab::presets::presets;
use overfit_lab::run::Run;
use overfit_lab::script::{self, Framework};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use random::{Draw, trains_or_is_refused};
use serde_json::Value;

/// A case that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(20);
/// Every case together stays below this peak, as a run must.
const MOST_BYTES: u64 = 2 << 30;
/// The bytes of an error's line.
const LONGEST_LINE: usize = 600;
/// An accepted file is trained if its epochs take less than this on a usual computer.
const MOST_SECONDS: f64 = 0.005;
/// One file of so many also goes through the program itself.
const FILES_PER_PROGRAM: u64 = 50;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a whole number"))
}

/// The cases of a test: each runs alone, is timed, and is told with its number if it fails.
struct Cases {
    what: &'static str,
    count: u64,
    seed: u64,
    failures: u64,
    slowest: (Duration, u64),
    /// The case under way and its start, for the watch that ends a hang.
    under_way: Arc<Mutex<Option<(u64, Instant)>>>,
}

impl Cases {
    fn new(what: &'static str, count: u64) -> Self {
        let under_way = Arc::new(Mutex::new(None));
        let watched = Arc::downgrade(&under_way);
        std::thread::spawn(move || {
            while let Some(under_way) = watched.upgrade() {
                if let Some((case, start)) = *under_way.lock().expect("no panic while locked")
                    && Instant::elapsed(&start) > LONGEST
                {
                    eprintln!("{what}: case {case} hangs");
                    std::process::exit(101);
                }
                drop(under_way);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        let seed = setting("OVERFIT_LAB_SEED", 1);
        Self { what, count, seed, failures: 0, slowest: Default::default(), under_way }
    }

    /// Runs every case with a generator of its own. `case` returns the input, for a failure's report.
    fn run(&mut self, mut case: impl FnMut(u64, &mut ChaCha8Rng, &mut String)) {
        let start = Instant::now();
        for number in 0..self.count {
            let mut generator = ChaCha8Rng::seed_from_u64(self.seed << 32 | number);
            let mut input = String::new();
            let began = Instant::now();
            *self.under_way.lock().expect("no panic while locked") = Some((number, began));
            let outcome =
                catch_unwind(AssertUnwindSafe(|| case(number, &mut generator, &mut input)));
            *self.under_way.lock().expect("no panic while locked") = None;
            self.slowest = self.slowest.max((began.elapsed(), number));
            if outcome.is_err() {
                self.failures += 1;
                let input: String = input.chars().take(3000).collect();
                eprintln!("{}: case {number} failed: {input:?}", self.what);
            }
            if (number + 1) % 5000 == 0 {
                let seconds = start.elapsed().as_secs();
                eprintln!("{}: {} of {} after {seconds} s", self.what, number + 1, self.count);
            }
        }
    }

    /// Prints the figures and checks them.
    fn end(self, counts: &str) {
        let Self { what, count, failures, slowest: (slowest, case), .. } = self;
        let peak = peak_bytes();
        let mebibytes = peak.map_or("unknown".into(), |bytes| format!("{} MiB", bytes >> 20));
        eprintln!(
            "{what}: {count} ran, {failures} failed, {counts}; slowest {} ms (case {case}), peak memory {mebibytes}",
            slowest.as_millis()
        );
        assert_eq!(failures, 0);
        assert!(slowest < LONGEST && peak.is_none_or(|bytes| bytes < MOST_BYTES));
    }
}

/// The most memory that this process has had, where the system tells it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// Checks that an error is one line that a terminal shows as it is, and names a field or a place in the text.
fn check_error(problem: &InvalidField) {
    let line = problem.to_string();
    check_line(&line);
    let has_place = line.contains(" at line ") && line.contains(" column ");
    assert!(
        line.starts_with(&problem.field)
            && (problem.field != "experiment" || has_place || line.contains("experiment is")),
        "{line:?} names neither a field nor a place"
    );
}

fn check_line(line: &str) {
    assert!(line.len() <= LONGEST_LINE, "{} bytes: {line:?}", line.len());
    assert!(!line.is_empty() && !line.chars().any(char::is_control), "{line:?}");
}

/// The experiments whose files are damaged: every preset, also on tiny images, and the corpus.
fn originals() -> Vec<Value> {
    let mut all = Vec::new();
    for preset in presets() {
        all.push(preset.experiment.to_value());
        let mut tiny = preset.experiment;
        for (field, value) in
            [("dataset.side", "12"), ("dataset.images", "6"), ("training.batch_size", "4")]
        {
            let _ = tiny.set(field, value);
        }
        all.push(tiny.to_value());
    }
    for case in corpus::corpus(include_str!("fixtures/corpus.txt")) {
        let mut experiment = Experiment::default();
        for setting in case.settings {
            let (field, value) = setting.split_once('=').expect("field=value");
            let done = experiment.set(field, value);
            done.unwrap_or_else(|problem| panic!("{}: {problem}", case.name));
        }
        all.push(experiment.to_value());
    }
    all
}

/// What became of a file.
#[derive(PartialEq)]
enum Fate {
    Unreadable,
    Refused,
    /// Accepted, but too large to train here.
    Accepted,
    Trained,
}

/// Reads a file's text, checks it and trains it, as the program and the page do.
fn read_and_train(text: &str) -> Fate {
    let experiment = match Experiment::from_json(text) {
        Ok(experiment) => experiment,
        Err(problem) => {
            check_error(&problem);
            return Fate::Unreadable;
        }
    };
    let again = Experiment::from_json(&experiment.to_json());
    assert_eq!(again.as_ref(), Ok(&experiment));
    if let Err(problems) = experiment.validate() {
        assert!(!problems.is_empty());
        problems.iter().for_each(check_error);
        // The page shows the form of an experiment with problems, too.
        experiment.edited("seed", "1");
        return Fate::Refused;
    }
    for warning in causes::warnings(&experiment) {
        check_line(&warning.message);
    }
    for framework in Framework::ALL {
        assert!(!script::lines(&experiment, framework).is_empty());
    }
    let cost = EpochCost::of(&experiment);
    cost.slow_note();
    if cost.seconds() > MOST_SECONDS {
        return Fate::Accepted;
    }
    let mut run = Run::new(experiment, "flex").expect("a valid experiment");
    for _ in 0..2 {
        if !run.finished() {
            run.next_epoch();
        }
    }
    run.result();
    Fate::Trained
}

/// Gives a file to the program itself: it writes a script, or ends with code 2 and one line.
fn give_to_program(bytes: &[u8]) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("damaged-{}.json", std::process::id()));
    std::fs::write(&file, bytes).expect("the folder of tests can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_overfit-lab"));
    let output = command.arg("code").arg(&file).args(["--framework", "keras"]).output();
    let output = output.expect("the program starts");
    std::fs::remove_file(&file).expect("the file was just written");
    let error = String::from_utf8(output.stderr).expect("an error is text");
    match output.status.code() {
        Some(0) => assert!(error.is_empty() && !output.stdout.is_empty(), "{error:?}"),
        Some(2) => {
            let line = error.strip_suffix('\n').expect("an error is a line");
            check_line(&line.replace(&file.display().to_string(), "FILE"));
        }
        code => panic!("the program ended with {code:?}: {error:?}"),
    }
}

#[test]
fn damaged_files_are_trained_or_refused_in_one_line() {
    let originals = originals();
    let mut cases = Cases::new("damaged files", setting("OVERFIT_LAB_FILES", 1000));
    let mut fates = [0; 4];
    let mut programs = 0;
    cases.run(|number, generator, input| {
        let original = &originals[generator.random_range(0..originals.len())];
        let bytes = Mutation(generator).file(original);
        *input = String::from_utf8_lossy(&bytes).into_owned();
        if number % FILES_PER_PROGRAM == 0 {
            programs += 1;
            give_to_program(&bytes);
        }
        let fate = std::str::from_utf8(&bytes).map_or(Fate::Unreadable, read_and_train);
        fates[fate as usize] += 1;
    });
    let [unreadable, refused, accepted, trained] = fates;
    cases.end(&format!(
        "{unreadable} unreadable, {refused} refused, {accepted} accepted, {trained} accepted and trained, {programs} given to the program"
    ));
    // No fate is rare, so all are tested.
    assert!(fates.iter().all(|count| *count > 10), "{fates:?}");
}

/// The bits of the losses of each epoch and of the result.
fn bits(experiment: &Experiment, backend: &str) -> Vec<u64> {
    let mut run = Run::new(experiment.clone(), backend).expect("a valid experiment");
    let mut bits = Vec::new();
    while !run.finished() {
        bits.push(run.next_epoch().metrics.loss.to_bits());
    }
    bits.push(run.finish().loss.to_bits());
    bits
}

#[test]
fn random_experiments_train_to_the_same_bits() {
    let mut cases = Cases::new("random experiments", setting("OVERFIT_LAB_EXPERIMENTS", 300));
    let mut drawn = 0u64;
    cases.run(|_, generator, input| {
        let experiment = loop {
            drawn += 1;
            let mut experiment = Draw(&mut |end| generator.random_range(0..end)).experiment();
            experiment.training.epochs = 2;
            match experiment.validate() {
                Ok(()) => break experiment,
                Err(problems) => {
                    problems.iter().for_each(check_error);
                    assert!(!trains_or_is_refused(&experiment));
                }
            }
        };
        *input = experiment.to_json();
        let [first, second] = [0; 2].map(|_| bits(&experiment, "flex"));
        assert_eq!(first, second);
        bits(&experiment, "flex-plain");
    });
    cases.end(&format!("{drawn} drawn, each trained three times"));
}
