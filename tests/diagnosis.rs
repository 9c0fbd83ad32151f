//! Tests the diagnosis of a run's metrics. The epochs are made up: a diagnosis sees numbers only.

use overfit_lab::diagnosis::{EventKind, Finding, FindingCode, RunResult, Verdict, Watcher};
use overfit_lab::experiment::Experiment;
use overfit_lab::presets;
use overfit_lab::training::{EpochMetrics, Evaluation, InferenceMetrics, ReluLayer};
use wasm_bindgen_test::*;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

const IMAGES: usize = 20;

/// An epoch with `right` images right.
fn epoch(number: u32, right: u32) -> EpochMetrics {
    EpochMetrics {
        epoch: number,
        loss: 0.5,
        accuracy: f64::from(right) / IMAGES as f64,
        images_right: right,
        learning_rate: 0.001,
        base_learning_rate: 0.001,
        gradient_norm: 1.0,
        milliseconds: 1.0,
        predicted: vec![0; IMAGES],
        label_probability: vec![0.5; IMAGES],
        relu_layers: vec![],
        inference: None,
        validation: None,
        stopped_early: false,
        restored_epoch: None,
    }
}

fn evaluation(right: u32) -> Evaluation {
    Evaluation {
        loss: 0.5,
        accuracy: f64::from(right) / IMAGES as f64,
        images_right: right,
        predicted: vec![0; IMAGES],
        label_probability: vec![0.5; IMAGES],
    }
}

fn example(preset: &str, epochs: u32) -> Experiment {
    let mut experiment = presets::preset(preset).unwrap().experiment;
    experiment.training.epochs = epochs;
    experiment
}

/// The conclusion of a run that is made of stretches of equal epochs.
fn concluded(
    planned: u32,
    stretches: &[(u32, u32)],
    evaluated: u32,
) -> (RunResult, Vec<(u32, EventKind)>) {
    let mut watcher = Watcher::new(&example("example-1", planned), vec![13, 7]);
    let rights = stretches.iter().flat_map(|&(epochs, right)| (0..epochs).map(move |_| right));
    let mut events = Vec::new();
    for (index, right) in rights.enumerate() {
        let seen = watcher.observe(&epoch(index as u32 + 1, right));
        events.extend(seen.into_iter().map(|event| (event.epoch, event.kind)));
    }
    (watcher.conclude(&evaluation(evaluated)), events)
}

/// Stretches of equal epochs: the number of epochs, and the images right in each.
type Stretches = [(u32, u32)];

/// The verdict, the epoch of the first 100 %, the epoch since which it held, and words of the headline.
type Conclusion = (Verdict, Option<u32>, Option<u32>, &'static str);

#[wasm_bindgen_test(unsupported = test)]
fn memorised_means_ten_epochs_and_the_evaluation() {
    use Verdict::*;
    // Planned epochs, stretches, images right in the evaluation, and the conclusion.
    let rows: &[(u32, &Stretches, u32, Conclusion)] = &[
        (15, &[(5, 12), (10, 20)], 20, (Memorised, Some(6), Some(6), "right from epoch 6 on")),
        (
            14,
            &[(5, 12), (9, 20)],
            20,
            (NotMemorised, Some(6), None, "last 9 of 10 required epochs"),
        ),
        (15, &[(5, 12), (10, 20)], 19, (NotMemorised, Some(6), None, "19 of 20")),
        (
            30,
            &[(3, 20), (7, 18), (20, 20)],
            20,
            (Memorised, Some(1), Some(11), "right from epoch 11 on"),
        ),
        (30, &[(3, 12), (2, 20), (25, 15)], 15, (ReachedAndLost, Some(4), None, "then lost")),
        (30, &[(3, 12), (20, 20), (7, 15)], 15, (ReachedAndLost, Some(4), None, "at epoch 4")),
        (30, &[(30, 13)], 13, (NotMemorised, None, None, "13 of 20 images right")),
        // Only the last update made all images right.
        (
            30,
            &[(30, 13)],
            20,
            (NotMemorised, None, None, "yet: all 20 images are right at the end"),
        ),
        (30, &[(3, 20), (27, 19)], 20, (NotMemorised, Some(1), None, "yet: all 20 images")),
        // Stopped by hand: memorised if it was by then; otherwise the verdict is open.
        (500, &[(5, 12), (12, 20)], 20, (Memorised, Some(6), Some(6), "right from epoch 6 on")),
        (500, &[(5, 12)], 12, (Unfinished, None, None, "Stopped after epoch 5")),
        (500, &[(5, 12)], 20, (Unfinished, None, None, "all 20 images right, but not yet")),
        (500, &[], 10, (Unfinished, None, None, "Stopped before the end of the first epoch")),
    ];
    for (planned, stretches, evaluated, (verdict, first, held, words)) in rows {
        let (result, _) = concluded(*planned, stretches, *evaluated);
        assert_eq!(result.verdict, *verdict, "{stretches:?}: {}", result.headline);
        assert_eq!(result.memorised, *verdict == Memorised, "{stretches:?}");
        assert_eq!(result.first_reached, *first, "{stretches:?}");
        assert_eq!(result.held_since, *held, "{stretches:?}");
        assert!(result.headline.contains(words), "{stretches:?}: {}", result.headline);
        assert_eq!(result.images_right, *evaluated, "{stretches:?}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn events_come_once_and_with_their_epoch() {
    let (_, events) = concluded(60, &[(3, 12), (1, 20), (2, 19), (14, 20), (1, 18), (10, 20)], 20);
    assert_eq!(
        events,
        [
            (4, EventKind::FirstReached),
            (7, EventKind::Held),
            (21, EventKind::Lost),
            (22, EventKind::Held)
        ]
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn a_loss_that_is_no_number_is_a_finding() {
    for (loss, words) in [(f64::NAN, "not a number"), (f64::INFINITY, "infinite")] {
        let mut watcher = Watcher::new(&example("example-1", 5), vec![13, 7]);
        for number in 1..=5 {
            let mut metrics = with_dead(number, if number < 3 { 0 } else { 32 });
            metrics.loss = if number < 3 { 0.7 } else { loss };
            let kinds: Vec<_> = watcher.observe(&metrics).iter().map(|event| event.kind).collect();
            assert_eq!(kinds, if number == 3 { vec![EventKind::Diverged] } else { vec![] });
        }
        let result = watcher.conclude(&Evaluation { loss, ..evaluation(7) });
        assert_eq!(result.verdict, Verdict::Diverged);
        assert!(
            result.headline.contains(words) && result.headline.contains("epoch 3"),
            "{result:?}"
        );
        let findings: Vec<_> = result.findings.iter().map(|f| (f.code, f.epoch)).collect();
        assert_eq!(findings, [(FindingCode::Diverged, 3)]);
    }
}

/// An epoch of Example 1 or 3 with this many dead filters in the first layer.
fn with_dead(number: u32, dead: u32) -> EpochMetrics {
    let layer = ReluLayer { layer: 0, name: "Conv 32, 3 × 3, ReLU".into(), units: 32, dead };
    EpochMetrics { relu_layers: vec![layer], ..epoch(number, 13) }
}

/// The epoch and the text of the finding about a dead layer, if there is one. `dead` has the dead filters of each epoch.
fn dead_finding(preset: &str, dead: &[u32]) -> Option<(u32, String)> {
    let mut watcher = Watcher::new(&example(preset, dead.len() as u32), vec![13, 7]);
    for (index, &dead) in dead.iter().enumerate() {
        watcher.observe(&with_dead(index as u32 + 1, dead));
    }
    let findings = watcher.conclude(&evaluation(13)).findings;
    let mut dead = findings.into_iter().filter(|finding| finding.code == FindingCode::DeadLayer);
    dead.next().map(|finding| (finding.epoch, finding.text))
}

#[wasm_bindgen_test(unsupported = test)]
fn a_dead_layer_is_a_finding_with_its_epoch_and_its_loss() {
    let (since, text) = dead_finding("example-3", &[0, 12, 32, 32]).unwrap();
    assert_eq!(since, 3);
    for words in ["32 of 32", "since epoch 3", "exactly ln 2 = 0.6931", "65 %"] {
        assert!(text.contains(words), "{text}");
    }
    // With a dense bias the answer is a constant that follows the labels: 13 and 7 of 20.
    let entropy = -(0.65_f64 * 0.65_f64.ln() + 0.35 * 0.35_f64.ln());
    let (_, text) = dead_finding("example-1", &[32, 32]).unwrap();
    assert!(text.contains(&format!("{entropy:.4}")), "{text}");
    // A layer that revived, or was never wholly dead, is no finding. A layer that died again is dead since then.
    assert_eq!(dead_finding("example-3", &[32, 32, 31]), None);
    assert_eq!(dead_finding("example-3", &[31, 31]), None);
    assert_eq!(dead_finding("example-3", &[32, 30, 32]).unwrap().0, 3);
}

/// The consequence of a dead layer for the network's answers.
enum Follows {
    /// None: the images bypass the layer.
    Nothing,
    /// All logits are 0. The fields are the exact loss and the accuracy.
    Zeros(f64, f64),
    /// The same answer to all images. The field is the lower bound of the loss, if it is known.
    OneAnswer(Option<f64>),
}

/// The layers of an experiment: Example 3's convolution, which is dead, then these.
fn after_dead(rest: &str) -> String {
    let conv = r#"{"type":"conv2d","filters":32,"use_bias":false,"activation":"relu"}"#;
    format!("[{conv},{rest}]")
}

#[wasm_bindgen_test(unsupported = test)]
fn what_follows_from_a_dead_layer_is_true_of_the_layers_after_it_and_of_the_loss() {
    use Follows::*;
    let ln = |count: f64| count.ln();
    let entropy = -(0.65_f64 * 0.65_f64.ln() + 0.35 * 0.35_f64.ln());
    let flat = r#"{"type":"flatten"}"#;
    let dense = |units: u32, bias: bool, activation: &str| {
        format!(
            r#"{{"type":"dense","units":{units},"use_bias":{bias},"activation":"{activation}"}}"#
        )
    };
    let softmax = dense(2, false, "softmax");
    let layers = |parts: &[&str]| after_dead(&parts.join(","));
    let local = r#"{"type":"locally_connected","filters":4,"use_bias":true,"activation":"relu"}"#;
    let (batch_norm, layer_norm) = (r#"{"type":"batch_norm"}"#, r#"{"type":"layer_norm"}"#);
    let average = r#"{"type":"global_average_pool"}"#;
    let (save, add) = (r#"{"type":"save"}"#, r#"{"type":"add_saved"}"#);
    let smoothed: &[(&str, &str)] =
        &[("training.loss", r#"{"type":"categorical_crossentropy","label_smoothing":0.2}"#)];
    const BINARY: &[(&str, &str)] = &[("training.loss", "binary_crossentropy")];
    const SQUARED: &[(&str, &str)] = &[("training.loss", "mean_squared_error")];
    let plain: &[(&str, &str)] = &[];
    // The layers, other settings, the dead layer, the name of its units, and the consequence.
    type Row<'a> = (String, &'a [(&'a str, &'a str)], u32, &'a str, Follows);
    let rows: Vec<Row> = vec![
        (layers(&[flat, &softmax]), plain, 0, "filter", Zeros(ln(2.0), 0.65)),
        (
            layers(&[flat, &softmax]),
            &[("network.regularizer.l2", "0.01")],
            0,
            "filter",
            Zeros(ln(2.0), 0.65),
        ),
        (layers(&[flat, &softmax]), smoothed, 0, "filter", Zeros(ln(2.0), 0.65)),
        (layers(&[flat, &softmax]), SQUARED, 0, "filter", Zeros(0.25, 0.65)),
        (
            layers(&[flat, &softmax]),
            &[("training.loss", "torch_cross_entropy")],
            0,
            "filter",
            Zeros(ln(2.0), 0.65),
        ),
        (layers(&[flat, &dense(1, false, "sigmoid")]), BINARY, 0, "filter", Zeros(ln(2.0), 0.65)),
        // One softmax unit gives 1 for every image; the loss uses the logit.
        (layers(&[flat, &dense(1, false, "softmax")]), BINARY, 0, "filter", Zeros(ln(2.0), 0.35)),
        (layers(&[flat, &dense(2, false, "none")]), SQUARED, 0, "filter", Zeros(0.5, 0.65)),
        (layers(&[flat, &dense(2, true, "softmax")]), plain, 0, "filter", OneAnswer(Some(entropy))),
        (layers(&[local, flat, &softmax]), plain, 0, "filter", OneAnswer(Some(entropy))),
        (layers(&[batch_norm, flat, &softmax]), plain, 0, "filter", OneAnswer(Some(entropy))),
        (layers(&[layer_norm, flat, &softmax]), plain, 0, "filter", OneAnswer(Some(entropy))),
        (
            layers(&[flat, &dense(2, true, "softmax")]),
            SQUARED,
            0,
            "filter",
            OneAnswer(Some(0.65 * 0.35)),
        ),
        // A sigmoid in between turns 0 into 0.5.
        (
            layers(&[flat, &dense(8, false, "sigmoid"), &softmax]),
            plain,
            0,
            "filter",
            OneAnswer(Some(entropy)),
        ),
        (
            layers(&[average, &dense(8, true, "relu"), &softmax]),
            plain,
            2,
            "unit",
            Zeros(ln(2.0), 0.65),
        ),
        (
            layers(&[flat, &dense(8, true, "relu"), &softmax]),
            plain,
            2,
            "unit",
            Zeros(ln(2.0), 0.65),
        ),
        (
            layers(&[
                save,
                batch_norm,
                r#"{"type":"activation","activation":"relu"}"#,
                add,
                flat,
                &softmax,
            ]),
            plain,
            3,
            "filter",
            Nothing,
        ),
        // The connection starts and ends after the dead layer.
        (
            layers(&[save, r#"{"type":"reshape"}"#, add, flat, &dense(2, true, "softmax")]),
            plain,
            0,
            "filter",
            OneAnswer(Some(entropy)),
        ),
    ];
    for (layers, settings, dead, unit, follows) in rows {
        let mut experiment = example("example-3", 1);
        for (field, value) in settings.iter().copied().chain([("network.layers", &*layers)]) {
            experiment.set(field, value).unwrap();
        }
        assert_eq!(experiment.validate(), Ok(()), "{layers}");
        let finding = finding_of_dead(&experiment, dead, vec![13, 7]);
        let number = |name: &str| {
            let all = finding.evidence.iter().find(|evidence| evidence.name == name);
            all.map(|evidence| evidence.value)
        };
        let [loss, accuracy, lowest] = ["loss", "accuracy", "lowest_loss"].map(number);
        let near = |found: Option<f64>, expected: Option<f64>| match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (None, None) => true,
            _ => false,
        };
        let (zeros, share, least) = match follows {
            Nothing => (None, None, None),
            Zeros(loss, share) => (Some(loss), Some(share), None),
            OneAnswer(least) => (None, None, least),
        };
        let holds = near(loss, zeros) && near(accuracy, share) && near(lowest, least);
        assert!(holds, "{layers} {settings:?}: {finding:?}");
        assert!(finding.text.contains(&format!("Every {unit} of")), "{}", finding.text);
        let says = |words: &str| finding.text.contains(words);
        assert_eq!(says("same answer"), matches!(follows, OneAnswer(_)), "{}", finding.text);
        assert_eq!(says("logit is therefore 0"), matches!(follows, Zeros(..)), "{}", finding.text);
        let regularised = settings.iter().any(|(field, _)| field.contains("regularizer"));
        assert_eq!(says("plus the penalty of regularisation"), regularised, "{}", finding.text);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_dead_layer_of_ten_sigmoids_says_ln_2_and_of_a_residual_block_nothing() {
    let mut sigmoids = example("example-3", 1);
    let head =
        r#"{"type":"flatten"},{"type":"dense","units":10,"use_bias":false,"activation":"sigmoid"}"#;
    for (field, value) in [
        ("dataset.classes", "10"),
        ("training.loss", "binary_crossentropy"),
        ("network.layers", &after_dead(head)),
    ] {
        sigmoids.set(field, value).unwrap();
    }
    let finding = finding_of_dead(&sigmoids, 0, vec![2; 10]);
    assert!(finding.text.contains("exactly ln 2 = 0.6931"), "{}", finding.text);
    assert!(finding.text.contains("share of class 0, 10 %"), "{}", finding.text);
    // The ReLU in the preset's first block, and the one after it. Batch normalisation may revive either in inference.
    let resnet = example("resnet-mini", 1);
    for (dead, words) in [(7, "residual connection"), (11, "same answer in training")] {
        let finding = finding_of_dead(&resnet, dead, vec![13, 7]);
        assert!(finding.text.contains(words), "{}", finding.text);
    }
}

/// The causes that a run of 60 epochs with 10 images right in each names, and the settings that fix them.
fn causes_of(experiment: &Experiment, relu_layers: &[ReluLayer]) -> Vec<(&'static str, String)> {
    let mut watcher = Watcher::new(experiment, vec![13, 7]);
    let epochs = experiment.training.epochs;
    for number in 1..=epochs {
        let relu_layers = relu_layers.to_vec();
        let base_learning_rate = experiment.training.learning_rate;
        let metrics = EpochMetrics { relu_layers, base_learning_rate, ..epoch(number, 10) };
        watcher.observe(&metrics);
    }
    let told = |finding: Finding| {
        let cure: Vec<_> =
            finding.cure.iter().map(|by| format!("{}={}", by.field, by.text())).collect();
        (finding.cause.unwrap_or("none"), cure.join(" "))
    };
    watcher.conclude(&evaluation(10)).findings.into_iter().map(told).collect()
}

#[wasm_bindgen_test(unsupported = test)]
fn a_result_names_the_likely_cause_with_its_cure() {
    let norms = r#"[{"type":"flatten"},{"type":"dense","units":4},{"type":"batch_norm"},{"type":"activation","activation":"relu"},{"type":"dense","units":2,"activation":"softmax"}]"#;
    let conv = r#"{"type":"conv2d","filters":8,"padding":"same","activation":"relu"},"#;
    let thirteen = format!(
        r#"[{}{{"type":"flatten"}},{{"type":"dense","units":2,"activation":"softmax"}}]"#,
        conv.repeat(13)
    );
    let rate = "training.learning_rate";
    let sgd = ("training.optimizer", "sgd");
    // The preset, its settings, the dead layer, and the first finding's cause and cure.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Option<u32>, (&'a str, &'a str));
    let rows: &[Row] = &[
        ("example-3", &[], Some(0), ("learning-rate-too-high", "training.learning_rate=0.01")),
        (
            "example-3",
            &[(rate, "0.1")],
            Some(0),
            ("learning-rate-too-high", "training.learning_rate=0.01"),
        ),
        ("example-3", &[(rate, "0.05")], Some(0), ("none", "training.learning_rate=0.005")),
        (
            "example-1",
            &[("network.layers", norms), ("training.batch_size", "1")],
            Some(3),
            ("batch-of-one", "training.batch_size=20"),
        ),
        (
            "example-1",
            &[("network.layers", norms), ("training.batch_size", "19")],
            Some(3),
            ("batch-of-one", "training.batch_size=20"),
        ),
        (
            "vgg-mini",
            &[("training.optimizer", "sgd-momentum"), (rate, "0.1")],
            None,
            ("learning-rate-too-high", "training.learning_rate=0.01"),
        ),
        (
            "vgg-mini",
            &[
                ("network.layers", &thirteen),
                ("training.optimizer", "sgd-momentum"),
                (rate, "0.01"),
            ],
            None,
            (
                "deep-without-normalisation",
                "network.initializer.kernel=he_uniform training.optimizer.momentum=0.0",
            ),
        ),
        ("same-image", &[], None, ("images-alike", "dataset.pixels=uniform")),
        ("rate-too-low", &[], None, ("learning-rate-too-low", "training.learning_rate=0.001")),
        ("all-frozen", &[], None, ("all-layers-frozen", "training.loop.frozen=[]")),
        ("example-1", &[sgd, (rate, "0.05")], Some(0), ("none", "training.learning_rate=0.005")),
    ];
    for (preset, settings, dead, (cause, cure)) in rows {
        let mut experiment = example(preset, 60);
        for (field, value) in *settings {
            experiment.set(field, value).unwrap();
        }
        let dead = dead.map(|layer| ReluLayer { layer, name: "ReLU".into(), units: 4, dead: 4 });
        let found = causes_of(&experiment, dead.as_slice());
        assert_eq!(found[0], (*cause, cure.to_string()), "{preset} {settings:?}: {found:?}");
    }
    // A mistake that does not keep images from being memorised explains nothing.
    assert_eq!(causes_of(&example("from-logits-after-softmax", 60), &[]), []);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_loss_of_0_over_0_says_so() {
    let mut experiment = example("relu-head-one-hot", 1);
    experiment.training.epochs = 1;
    for (loss, words) in [(f64::NAN, "0 / 0"), (f64::INFINITY, "3.4e38")] {
        let mut watcher = Watcher::new(&experiment, vec![10, 10]);
        watcher.observe(&EpochMetrics { loss, ..epoch(1, 10) });
        let result = watcher.conclude(&Evaluation { loss, ..evaluation(10) });
        assert!(result.findings[0].text.contains(words), "{}", result.findings[0].text);
    }
}

/// The finding about a run of one epoch in which this layer is dead.
fn finding_of_dead(experiment: &Experiment, layer: u32, class_counts: Vec<usize>) -> Finding {
    let mut watcher = Watcher::new(experiment, class_counts);
    let name = experiment.network.layers[layer as usize].name();
    let dead = ReluLayer { layer, name, units: 4, dead: 4 };
    watcher.observe(&EpochMetrics { relu_layers: vec![dead], ..epoch(1, 13) });
    watcher.conclude(&evaluation(13)).findings.remove(0)
}

#[wasm_bindgen_test(unsupported = test)]
fn a_changed_learning_rate_is_an_event() {
    let mut watcher = Watcher::new(&example("example-1", 3), vec![10, 10]);
    let rates = [0.001, 0.02, 0.02];
    let texts: Vec<_> = rates
        .iter()
        .zip(1..)
        .map(|(&base_learning_rate, number)| {
            let events = watcher.observe(&EpochMetrics { base_learning_rate, ..epoch(number, 10) });
            events.into_iter().map(|event| (event.kind, event.text)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(texts[0], []);
    assert_eq!(texts[1], [(EventKind::LearningRateChanged, "learning rate 0.02".to_string())]);
    assert_eq!(texts[2], []);
}

#[wasm_bindgen_test(unsupported = test)]
fn early_stopping_ends_a_run_and_not_a_person() {
    let mut watcher = Watcher::new(&example("example-1", 500), vec![13, 7]);
    watcher.observe(&epoch(1, 13));
    let last = EpochMetrics { stopped_early: true, restored_epoch: Some(1), ..epoch(2, 13) };
    let events = watcher.observe(&last);
    assert_eq!(events[0].kind, EventKind::StoppedEarly);
    assert_eq!(events[0].text, "stopped early, weights of epoch 1");
    let result = watcher.conclude(&evaluation(13));
    assert_eq!(result.verdict, Verdict::NotMemorised);
    assert!(result.headline.ends_with("Early stopping ended the run at epoch 2."), "{result:?}");
}

/// An epoch with different numbers of images right in training and in inference.
fn epoch_in_both_modes(number: u32, training: u32, inference: u32) -> EpochMetrics {
    let inference = InferenceMetrics {
        loss: 0.5,
        accuracy: f64::from(inference) / IMAGES as f64,
        images_right: inference,
        milliseconds: 0.1,
    };
    EpochMetrics { inference: Some(inference), ..epoch(number, training) }
}

#[wasm_bindgen_test(unsupported = test)]
fn where_modes_differ_the_verdict_and_the_events_go_by_inference() {
    let flat = r#"{"type":"flatten"}"#;
    let softmax = r#"{"type":"dense","units":2,"activation":"softmax"}"#;
    let batch_norm = format!(r#"[{{"type":"batch_norm"}},{flat},{softmax}]"#);
    let dropout = format!(r#"[{flat},{{"type":"dropout","rate":0.9}},{softmax}]"#);
    let lag = "batch normalisation uses its moving averages";
    let rotation = ("training.augmentation.rotation", "30");
    let rows = [
        // The settings, images right in training and in inference, whether memorised, words of the headline, words of the finding.
        (("network.layers", &*dropout), 18, 20, true, "shows 18 of 20 because of dropout.", None),
        (("network.layers", &*dropout), 20, 20, true, "right from epoch 1 on.", None),
        (("network.layers", &*dropout), 18, 19, false, "19 of 20", None),
        (("network.layers", &*batch_norm), 20, 7, false, "7 of 20", Some(lag)),
        (("network.layers", &*batch_norm), 20, 20, true, "right from epoch 1 on.", None),
        (rotation, 15, 20, true, "shows 15 of 20 because of augmentation.", None),
        (rotation, 15, 15, false, "15 of 20", None),
        (("training.augmentation.mixup", "0.2"), 15, 20, true, "because of mixup.", None),
    ];
    for ((field, value), training, inference, memorised, headline, finding) in rows {
        let mut experiment = example("example-1", 12);
        experiment.set(field, value).unwrap();
        assert!(experiment.modes_differ(), "{field}");
        let mut watcher = Watcher::new(&experiment, vec![13, 7]);
        let seen = (1..=12)
            .flat_map(|number| watcher.observe(&epoch_in_both_modes(number, training, inference)));
        let held = seen.filter(|event| event.kind == EventKind::Held).count();
        let result = watcher.conclude(&evaluation(inference));
        assert_eq!((result.memorised, held), (memorised, usize::from(memorised)), "{result:?}");
        assert_eq!(result.right_in_training, Some(training));
        assert!(
            result.headline.ends_with(headline) || result.headline.contains(headline) && !memorised,
            "{}",
            result.headline
        );
        let is_of_modes = |finding: &&Finding| finding.code == FindingCode::ModesDiffer;
        let found = result.findings.iter().find(is_of_modes).map(|finding| finding.text.as_str());
        match (found, finding) {
            (None, None) => {}
            (Some(text), Some(words)) if text.contains(words) => {}
            other => panic!("{field} {value}: {other:?}"),
        }
    }
    assert!(!example("example-1", 1).modes_differ());
}
