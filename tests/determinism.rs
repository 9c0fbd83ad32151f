//! The same experiment gives the same bits, and each of its parts draws from its own random stream.

use overfit_lab::dataset::Dataset;
use overfit_lab::experiment::{Experiment, Field};
use overfit_lab::presets;
use overfit_lab::training::TrainingSession;
use wasm_bindgen_test::*;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// An experiment that is small enough for a test, with every kind of layer and a smaller last batch.
fn experiment() -> Experiment {
    let mut experiment = presets::preset("example-2").unwrap().experiment;
    for (field, value) in [("dataset.side", "24"), ("training.batch_size", "6"), ("seed", "3")] {
        experiment.set(field, value).unwrap();
    }
    experiment
}

fn session(experiment: &Experiment) -> TrainingSession {
    TrainingSession::new(experiment.clone(), "flex").unwrap()
}

/// Everything that training changes, as bits.
fn bits(session: &TrainingSession) -> Vec<u32> {
    let variables = session.network().variables.iter();
    variables.flat_map(|variable| variable.values()).map(f32::to_bits).collect()
}

/// The losses, answers and gradient norms of some epochs, and the weights after them, as bits.
fn trained(experiment: &Experiment) -> (Vec<u64>, Vec<u32>) {
    let mut session = session(experiment);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let metrics = session.run_epoch();
        seen.extend([metrics.loss.to_bits(), metrics.gradient_norm.to_bits()]);
        seen.extend(metrics.predicted.iter().map(|&class| u64::from(class)));
        seen.extend(metrics.label_probability.iter().map(|share| u64::from(share.to_bits())));
    }
    (seen, bits(&session))
}

#[wasm_bindgen_test(unsupported = test)]
fn the_same_experiment_gives_the_same_bits() {
    for optimizer in Field::of("training.optimizer").unwrap().choices() {
        let mut experiment = experiment();
        experiment.set("training.optimizer", optimizer.id).unwrap();
        assert_eq!(trained(&experiment), trained(&experiment), "{}", optimizer.id);
    }
}

/// An epoch that is interrupted and looked at after every step gives the same bits.
#[wasm_bindgen_test(unsupported = test)]
fn an_interrupted_epoch_goes_on_as_if_it_had_not_been() {
    let mut experiment = experiment();
    for (field, value) in
        [("training.augmentation.noise", "0.1"), ("training.augmentation.mixup", "0.2")]
    {
        experiment.set(field, value).unwrap();
    }
    let (mut whole, mut pieces) = (session(&experiment), session(&experiment));
    for epoch in 0..3 {
        let expected = whole.run_epoch();
        // 20 images in batches of 6: four steps, of which three are interrupted.
        for _ in 0..3 {
            assert_eq!(pieces.advance(|| true), None);
            assert_eq!(pieces.epoch(), epoch);
            pieces.evaluate();
        }
        let found = pieces.advance(|| true).expect("the last step completes the epoch");
        assert_eq!(found.loss.to_bits(), expected.loss.to_bits());
        assert_eq!(found.gradient_norm.to_bits(), expected.gradient_norm.to_bits());
        assert_eq!((found.epoch, found.predicted), (expected.epoch, expected.predicted));
        assert_eq!(bits(&pieces), bits(&whole));
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn another_seed_gives_other_bits() {
    let mut other = experiment();
    other.seed += 1;
    assert_ne!(trained(&experiment()), trained(&other));
}

#[wasm_bindgen_test(unsupported = test)]
fn how_it_is_trained_leaves_images_labels_and_weights_alone() {
    let before = session(&experiment());
    let rows = [
        ("training.batch_size", "1"),
        ("training.batch_size", "20"),
        ("training.learning_rate", "0.5"),
        ("training.optimizer", "rmsprop"),
        ("training.epochs", "7"),
    ];
    for (field, value) in rows {
        let mut changed = experiment();
        changed.set(field, value).unwrap();
        let after = session(&changed);
        assert_eq!(before.dataset(), after.dataset(), "{field}={value}");
        assert_eq!(bits(&before), bits(&after), "{field}={value}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn biases_and_later_layers_leave_kernels_and_images_alone() {
    let kernels = |experiment: &Experiment| -> Vec<(String, Vec<u32>)> {
        let session = session(experiment);
        let variables = session.network().variables.iter();
        let kernels = variables.filter(|variable| variable.name.ends_with("kernel"));
        kernels
            .map(|v| (v.name.clone(), v.values().into_iter().map(f32::to_bits).collect()))
            .collect()
    };
    let mut bare = experiment();
    bare.set("network.conv_bias", "off").unwrap();
    bare.set("network.dense_bias", "off").unwrap();
    assert_eq!(kernels(&experiment()), kernels(&bare));
    let mut wider = experiment();
    wider.set("network.layers[6].units", "64").unwrap();
    assert_eq!(kernels(&experiment())[..3], kernels(&wider)[..3]);
    assert_ne!(kernels(&experiment())[3], kernels(&wider)[3]);
    assert_eq!(session(&bare).dataset(), session(&wider).dataset());
}

/// The numbers of ChaCha8 for seed 1 on every machine: a change of them changes everybody's runs.
#[wasm_bindgen_test(unsupported = test)]
fn the_first_numbers_are_these() {
    let data = Dataset::of(&presets::preset("example-1").unwrap().experiment);
    assert_eq!(data.images[..4].iter().map(|v| v.to_bits()).collect::<Vec<_>>(), FIRST_PIXELS);
    assert_eq!(data.labels, LABELS);
}

const FIRST_PIXELS: [u32; 4] = [1057793037, 1053692568, 1065094798, 1034199088];
const LABELS: [u32; 20] = [1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0];

/// A run that goes on equals a run of the same length that was planned from the start.
#[wasm_bindgen_test(unsupported = test)]
fn a_prolonged_run_gives_the_bits_of_a_longer_one() {
    let planned = |epochs: &str| {
        let mut experiment = experiment();
        experiment.set("training.epochs", epochs).unwrap();
        overfit_lab::run::Run::new(experiment, "flex").unwrap()
    };
    let mut prolonged = planned("2");
    while !prolonged.finished() {
        prolonged.next_epoch();
    }
    assert_eq!(prolonged.plan_epochs(0).unwrap_err().field, "training.epochs");
    prolonged.plan_epochs(5).unwrap();
    assert!(!prolonged.finished());
    assert_eq!(prolonged.finish(), planned("5").finish());

    let mut experiment = experiment();
    experiment.set("training.early_stopping", "loss").unwrap();
    let mut stopping = overfit_lab::run::Run::new(experiment, "flex").unwrap();
    assert_eq!(stopping.plan_epochs(500).unwrap_err().field, "training.epochs");
}
