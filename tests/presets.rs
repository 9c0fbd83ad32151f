//! What comes of every preset, and of its twin without the mistake, over three seeds: as the preset's words say.
//!
//! `cargo test --release --test presets -- --nocapture` prints a table with what an epoch costs.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::f64::consts::LN_2;
use std::time::Instant;

use overfit_lab::backend::default_backend;
use overfit_lab::diagnosis::{RunResult, Verdict};
use overfit_lab::experiment::Experiment;
use overfit_lab::presets::{self, Preset, PresetGroup};
use overfit_lab::run;
use overfit_lab::training::EpochMetrics;

const SEEDS: [u32; 3] = [1, 2, 3];

/// What a mistake ends with.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// Memorised all the same.
    Memorised,
    /// Memorised, but its loss stops at this level.
    MemorisedAt(f64),
    /// Not memorised: its loss stops at this level.
    StuckAt(f64),
    /// Not memorised: the loss stops at the entropy of the labels.
    AtTheirEntropy,
    /// Not memorised: the loss has not changed at all.
    AtItsFirstLoss,
    /// Not memorised: its loss ends within this range.
    Within(f64, f64),
    /// Not memorised: the loss stops at this level or is not a number, by seed.
    StuckAtOrNan(f64),
    /// Training answers all images right, inference does not.
    WrongInInference,
    /// The network answers all images right at the end, and the last epoch counted fewer; whether it held differs by seed.
    WrongInTraining,
    /// The loss falls to 0, accuracy does not move.
    LossWithoutAccuracy,
}

/// ln K at ten classes.
const LN_10: f64 = std::f64::consts::LN_10;

/// What the mistakes end with that are not memorised all the same.
fn outcomes() -> Vec<(&'static [&'static str], Outcome)> {
    use Outcome::*;
    // ln(e + 1) - 1.
    let twice = (std::f64::consts::E + 1.0).ln() - 1.0;
    vec![
        (
            &[
                "pixels-255-sgd",
                "linear-head",
                "relu-head",
                "relu-before-softmax",
                "rate-too-high",
                "zero-weights",
                "weights-too-small",
                "deep-sigmoid",
            ],
            StuckAt(LN_2),
        ),
        (&["conflicting-labels"], StuckAt(LN_2 / 2.0)),
        (&["same-image"], AtTheirEntropy),
        (&["labels-shuffled", "rate-too-low", "too-few-steps"], Within(0.5, 0.95)),
        (&["augmentation"], WrongInTraining),
        (&["one-softmax-unit", "one-unit-categorical"], LossWithoutAccuracy),
        // log(1 - q) of the largest q that f32 clips to, for one half of the images.
        (&["one-softmax-unit-hidden"], StuckAt(23.0 * LN_2 / 2.0)),
        (&["relu-head-one-hot"], StuckAtOrNan(-1e-7_f64.ln() / 2.0)),
        (&["softmax-twice", "torch-loss-after-softmax"], MemorisedAt(twice)),
        (&["weights-too-large"], Within(50.0, 1000.0)),
        (&["too-narrow"], Within(1.0, LN_10 + 1e-3)),
        (&["dropout-strong"], Within(2.2, 2.4)),
        (&["batch-norm-lag"], WrongInInference),
        (&["no-zero-grad"], Within(1.0, 1000.0)),
        (&["all-frozen"], AtItsFirstLoss),
    ]
}

fn expected(id: &str) -> Outcome {
    let row = outcomes().into_iter().find(|(ids, _)| ids.contains(&id));
    row.map_or(Outcome::Memorised, |(_, outcome)| outcome)
}

struct Run {
    first: EpochMetrics,
    last: EpochMetrics,
    result: RunResult,
    class_counts: Vec<usize>,
    milliseconds: f64,
}

fn run(experiment: &Experiment, seed: u32) -> Run {
    let experiment = Experiment { seed, ..experiment.clone() };
    let mut run = run::Run::new(experiment, default_backend()).unwrap();
    let class_counts = run.dataset().class_counts();
    let start = Instant::now();
    let (mut first, mut last) = (None, None);
    while !run.finished() {
        let metrics = run.next_epoch().metrics;
        first.get_or_insert_with(|| metrics.clone());
        last = Some(metrics);
    }
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0 / f64::from(run.epoch());
    let result = run.result();
    Run { first: first.unwrap(), last: last.unwrap(), result, class_counts, milliseconds }
}

fn holds(outcome: Outcome, run: &Run) -> bool {
    let Run { first, last, result, class_counts, .. } = run;
    let all_in_training = last.images_right == result.images;
    let near = |level: f64| (last.loss - level).abs() < 0.006 * level;
    match outcome {
        Outcome::Memorised => result.memorised,
        Outcome::MemorisedAt(level) => result.memorised && near(level) && last.loss > level,
        Outcome::StuckAt(level) => !result.memorised && near(level),
        Outcome::AtTheirEntropy => {
            let images: usize = class_counts.iter().sum();
            let shares = class_counts.iter().map(|&count| count as f64 / images as f64);
            !result.memorised && near(shares.map(|share| -share * share.ln()).sum())
        }
        Outcome::AtItsFirstLoss => !result.memorised && last.loss == first.loss,
        Outcome::Within(from, to) => !result.memorised && (from..to).contains(&last.loss),
        Outcome::StuckAtOrNan(level) => {
            !result.memorised && (near(level) || result.verdict == Verdict::Diverged)
        }
        Outcome::WrongInInference => {
            let right = result.images_right < result.images;
            all_in_training && last.loss < 0.1 && right && result.loss > 0.8 && !result.memorised
        }
        Outcome::WrongInTraining => !all_in_training && result.images_right == result.images,
        Outcome::LossWithoutAccuracy => {
            !result.memorised && last.loss < 0.02 && last.accuracy == first.accuracy
        }
    }
}

fn told(name: &str, run: &Run) {
    println!(
        "{name:28} loss {:>9.4} to {:>9.4}, right {:>3.0} %, in inference {:>9.4}, {:>3.0} %: {}, {:.2} ms an epoch",
        run.first.loss,
        run.last.loss,
        100.0 * run.last.accuracy,
        run.result.loss,
        100.0 * run.result.accuracy,
        run.result.label,
        run.milliseconds,
    );
}

fn mistakes() -> Vec<Preset> {
    let all = presets::presets().into_iter();
    all.filter(|preset| preset.group == PresetGroup::Mistakes).collect()
}

#[test]
fn every_mistake_does_what_it_says() {
    let mut wrong = Vec::new();
    for preset in mistakes() {
        let outcome = expected(preset.id);
        for seed in SEEDS {
            let run = run(&preset.experiment, seed);
            told(preset.id, &run);
            if !holds(outcome, &run) {
                wrong.push(format!("{} seed {seed}: not {outcome:?}", preset.id));
            }
        }
        let memorises = matches!(outcome, Outcome::Memorised | Outcome::MemorisedAt(_));
        let mistake = preset.mistake.unwrap();
        assert_eq!(mistake.hidden, memorises, "{}", preset.id);
        let admits = ["cannot reveal the mistake", "can reveal it"];
        assert_eq!(
            admits.iter().any(|words| mistake.does.contains(words)),
            memorises,
            "{}",
            preset.id
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The article's are held over seeds in `article.rs`.
#[test]
fn networks_and_mended_twins_memorise() {
    let networks = presets::presets().into_iter();
    let networks = networks.filter(|preset| preset.group == PresetGroup::Networks);
    let networks = networks.map(|preset| (preset.id.to_string(), preset.experiment));
    let mended = mistakes().into_iter();
    let mended =
        mended.map(|preset| (format!("{}, mended", preset.id), preset.mistake.unwrap().mended));
    // Many twins are the same experiment.
    let mut seen = BTreeSet::new();
    for (name, experiment) in networks.chain(mended) {
        if !seen.insert(experiment.to_json()) {
            continue;
        }
        for seed in SEEDS {
            let run = run(&experiment, seed);
            told(&name, &run);
            assert!(run.result.memorised, "{name} seed {seed}: {:?}", run.result);
        }
    }
}

#[test]
fn presets_are_valid_and_named_apart() {
    let all = presets::presets();
    for name in [|preset: &Preset| preset.id, |preset: &Preset| preset.name] {
        let names: BTreeSet<_> = all.iter().map(name).collect();
        assert_eq!(names.len(), all.len());
    }
    for preset in &all {
        assert_eq!(preset.experiment.validate(), Ok(()), "{}", preset.id);
        assert_eq!(preset.mistake.is_some(), preset.group == PresetGroup::Mistakes);
        let Some(mistake) = &preset.mistake else {
            continue;
        };
        assert_eq!(mistake.mended.validate(), Ok(()), "{}", preset.id);
        assert_ne!(mistake.mended, preset.experiment, "{}", preset.id);
        for words in [mistake.sees, mistake.does, mistake.mends] {
            assert!(words.ends_with('.'), "{words}");
        }
    }
    let ids: BTreeSet<_> = mistakes().iter().map(|preset| preset.id).collect();
    for id in outcomes().iter().flat_map(|(ids, _)| *ids) {
        assert!(ids.contains(id), "an outcome is expected of {id}, which is no mistake");
    }
}
