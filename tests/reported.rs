//! Trains small versions of networks that people report, and checks the outcome and the cause that the result names.

#![cfg(not(target_arch = "wasm32"))]

use overfit_lab::causes::warnings;
use overfit_lab::diagnosis::{EventKind, RunResult, Verdict};
use overfit_lab::experiment::Experiment;
use overfit_lab::presets;
use overfit_lab::run::{EpochReport, Run};

const SOFTMAX_10: &str = r#"{"type":"dense","units":10,"activation":"softmax"}"#;

fn experiment(preset: &str, settings: &[(&str, &str)]) -> Experiment {
    let mut experiment = presets::preset(preset).unwrap().experiment;
    for (field, value) in settings {
        experiment.set(field, value).unwrap();
    }
    experiment
}

fn trained(experiment: &Experiment) -> (RunResult, Vec<EpochReport>) {
    let mut run = Run::new(experiment.clone(), "flex").unwrap();
    let mut reports = Vec::new();
    while !run.finished() {
        reports.push(run.next_epoch());
    }
    (run.result(), reports)
}

/// The codes of the causes that a result names.
fn causes(result: &RunResult) -> Vec<&'static str> {
    result.findings.iter().filter_map(|finding| finding.cause).collect()
}

/// The experiment with the cure of the first finding.
fn cured(experiment: &Experiment, result: &RunResult) -> Experiment {
    let mut experiment = experiment.clone();
    for setting in &result.findings[0].cure {
        experiment.apply(setting).unwrap();
    }
    experiment
}

#[test]
fn one_sigmoid_unit_on_labels_0_to_9_falls_below_0_without_end_and_answers_class_1() {
    for (classes, first_label) in [("10", "0"), ("2", "1")] {
        let settings = [
            ("dataset.side", "16"),
            ("dataset.classes", classes),
            ("dataset.first_label", first_label),
            ("network.layers[3]", r#"{"type":"dense","units":1,"activation":"sigmoid"}"#),
            ("training.loss", "binary_crossentropy"),
            ("training.epochs", "300"),
        ];
        let experiment = experiment("example-1", &settings);
        assert_eq!(warnings(&experiment)[0].code, "one-unit-many-labels");
        let (result, reports) = trained(&experiment);
        let losses: Vec<f64> = reports.iter().map(|report| report.metrics.loss).collect();
        assert!(losses[99] < 0.0 && losses[299] < 2.0 * losses[99], "{losses:?}");
        assert!(result.predicted.iter().all(|class| *class == 1), "{:?}", result.predicted);
        assert_eq!(result.verdict, Verdict::NotMemorised);
        assert_eq!(causes(&result)[0], "one-unit-many-labels");
        let (mended, _) = trained(&cured(&experiment, &result));
        assert!(mended.memorised, "{classes} classes: {}", mended.headline);
    }
}

#[test]
fn a_batch_normalisation_that_sees_one_image_is_named_where_units_die_of_it() {
    let layers = r#"[{"type":"flatten"},{"type":"dense","units":32},{"type":"batch_norm","momentum":0.5},{"type":"activation","activation":"relu"},{"type":"dense","units":2,"activation":"softmax"}]"#;
    let settings =
        [("dataset.side", "8"), ("network.layers", layers), ("training.batch_size", "1")];
    let experiment = experiment("example-1", &settings);
    let (result, reports) = trained(&experiment);
    let first = &reports[0];
    assert!(first.events.iter().any(|event| event.kind == EventKind::LayerDead), "{first:?}");
    assert_eq!(first.metrics.relu_layers[0].dead, 32);
    assert_eq!(causes(&result)[0], "batch-of-one");
    let (mended, _) = trained(&cured(&experiment, &result));
    assert_eq!(mended.findings, [], "{}", mended.headline);
    assert!(mended.memorised, "{}", mended.headline);
}

#[test]
fn a_rate_of_sgd_that_reaches_and_loses_is_named() {
    let settings = [
        ("training.optimizer", "sgd-momentum"),
        ("training.learning_rate", "0.1"),
        ("training.epochs", "150"),
    ];
    let experiment = experiment("vgg-mini", &settings);
    for seed in 1..=3 {
        let experiment = Experiment { seed, ..experiment.clone() };
        let (result, _) = trained(&experiment);
        println!("seed {seed}: {}", result.headline);
        assert!(!result.memorised, "{}", result.headline);
        assert_eq!(causes(&result)[0], "learning-rate-too-high", "{}", result.headline);
        let (mended, _) = trained(&cured(&experiment, &result));
        assert!(mended.memorised, "seed {seed}, mended: {}", mended.headline);
    }
}

#[test]
fn thirteen_convolutions_without_normalisation_stay_at_ln_10_and_are_named() {
    let conv = |filters: u32| {
        format!(r#"{{"type":"conv2d","filters":{filters},"padding":"same","activation":"relu"}}"#)
    };
    // VGG-16's layers, narrower.
    let blocks = [(2, 8), (2, 8), (3, 16), (3, 16), (3, 32)];
    let blocks = blocks.map(|(count, filters)| {
        let convs = vec![conv(filters); count].join(",");
        format!(r#"{convs},{{"type":"max_pool"}}"#)
    });
    let layers = format!(r#"[{},{{"type":"flatten"}},{SOFTMAX_10}]"#, blocks.join(","));
    for rate in ["0.1", "0.01"] {
        let settings = [
            ("dataset.side", "32"),
            ("dataset.classes", "10"),
            ("dataset.labels", "balanced"),
            ("network.layers", &layers),
            ("training.optimizer", "sgd-momentum"),
            ("training.learning_rate", rate),
            ("training.epochs", "150"),
        ];
        let experiment = experiment("example-1", &settings);
        let codes: Vec<_> = warnings(&experiment).iter().map(|found| found.code).collect();
        assert!(codes.contains(&"deep-without-normalisation"), "{codes:?}");
        let (result, _) = trained(&experiment);
        assert!((result.loss - 10f64.ln()).abs() < 0.02, "rate {rate}: {}", result.loss);
        let named = causes(&result);
        assert!(named.contains(&"deep-without-normalisation"), "rate {rate}: {named:?}");
        // Applies the cure of this finding alone, wherever it is in the list.
        let mut mended = experiment.clone();
        let finding = result.findings.iter();
        let mut finding = finding.filter(|found| found.cause == Some("deep-without-normalisation"));
        for setting in &finding.next().unwrap().cure {
            mended.apply(setting).unwrap();
        }
        mended.training.epochs = 500;
        let (mended, _) = trained(&mended);
        assert!(mended.memorised, "rate {rate}, mended: {}", mended.headline);
    }
}

#[test]
fn images_of_2_by_1000_train() {
    let settings = [
        ("dataset.height", "2"),
        ("dataset.width", "1000"),
        ("dataset.channels", "1"),
        ("network.layers[0].padding", "same"),
        ("training.epochs", "100"),
    ];
    let (result, _) = trained(&experiment("example-1", &settings));
    assert!(result.memorised, "{}", result.headline);
}
