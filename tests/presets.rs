//! Trains every preset, and its twin without the mistake, over three seeds: the outcomes are those that the preset's words state.
//!
//! `cargo test --release --test presets -- --nocapture` prints a table with the time per epoch.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::time::Instant;

use overfit_lab::backend::default_backend;
use overfit_lab::causes::{Level, causes};
use overfit_lab::diagnosis::{RunResult, Verdict};
use overfit_lab::experiment::Experiment;
use overfit_lab::presets::{self, Preset, PresetGroup};
use overfit_lab::run;
use overfit_lab::training::EpochMetrics;

const SEEDS: [u32; 3] = [1, 2, 3];

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

fn holds(level: Level, run: &Run) -> bool {
    let Run { first, last, result, class_counts, .. } = run;
    let all_in_training = last.images_right == result.images;
    let near = |level: f64| (last.loss - level).abs() < 0.006 * level;
    match level {
        Level::Memorised => result.memorised,
        Level::MemorisedAt(floor) => result.memorised && near(floor) && last.loss > floor,
        Level::StuckAt(level) => !result.memorised && near(level),
        Level::AtTheirEntropy => {
            let images: usize = class_counts.iter().sum();
            let shares = class_counts.iter().map(|&count| count as f64 / images as f64);
            !result.memorised && near(shares.map(|share| -share * share.ln()).sum())
        }
        Level::AtItsFirstLoss => !result.memorised && last.loss == first.loss,
        Level::Within(from, to) => !result.memorised && (from..to).contains(&last.loss),
        Level::StuckAtOrNan(level) => {
            !result.memorised && (near(level) || result.verdict == Verdict::Diverged)
        }
        Level::WrongInInference => {
            let right = result.images_right < result.images;
            all_in_training && last.loss < 0.1 && right && result.loss > 0.8 && !result.memorised
        }
        Level::WrongInTraining => !all_in_training && result.images_right == result.images,
        Level::LossWithoutAccuracy => {
            !result.memorised && last.loss < 0.02 && last.accuracy == first.accuracy
        }
    }
}

fn told(name: &str, run: &Run) {
    println!(
        "{name:28} loss {:>9.4} to {:>9.4}, right {:>3.0} %, in inference {:>9.4}, {:>3.0} %: {}, {:.2} ms per epoch",
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
    all.filter(|preset| preset.mistake.is_some()).collect()
}

#[test]
fn every_mistake_does_what_it_says() {
    let mut wrong = Vec::new();
    for cause in causes() {
        for seed in SEEDS {
            let run = run(&cause.mistaken(), seed);
            told(cause.code, &run);
            if !holds(cause.level, &run) {
                wrong.push(format!("{} seed {seed}: not {:?}", cause.code, cause.level));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `article.rs` tests the article's presets over seeds.
#[test]
fn networks_and_mended_twins_memorise() {
    let networks = presets::presets().into_iter();
    let networks = networks.filter(|preset| preset.group == PresetGroup::Networks);
    let networks = networks.map(|preset| (preset.id.to_string(), preset.experiment));
    let mended = mistakes().into_iter();
    let mended =
        mended.map(|preset| (format!("{}, mended", preset.id), preset.mistake.unwrap().mended));
    // Many twins are the same experiment: each is trained once.
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
        let no_mistake = [PresetGroup::Examples, PresetGroup::Networks].contains(&preset.group);
        assert_eq!(preset.mistake.is_none(), no_mistake);
        let Some(mistake) = &preset.mistake else {
            continue;
        };
        assert_eq!(mistake.mended.validate(), Ok(()), "{}", preset.id);
        assert_ne!(mistake.mended, preset.experiment, "{}", preset.id);
        for words in [mistake.sees, &mistake.does, mistake.mends] {
            assert!(words.ends_with('.'), "{words}");
        }
    }
}
