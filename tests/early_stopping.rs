//! Compares early stopping with Keras' callback, from the same images and weights; `fixtures/early_stopping.py` made the runs.

#![cfg(not(target_arch = "wasm32"))]

#[path = "support/hash.rs"]
mod hash;

use hash::{label, uniform};
use overfit_lab::backend;
use overfit_lab::dataset::{self, Dataset, ImageSize};
use overfit_lab::experiment::{EarlyStoppingConfig, Experiment};
use overfit_lab::network::{Network, initializer};
use overfit_lab::presets;
use overfit_lab::training::TrainingSession;
use serde::Deserialize;

const IMAGES: usize = 12;
const HELD_OUT: usize = 6;
const SIDE: usize = 12;

#[derive(Deserialize)]
struct Runs {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    monitor: String,
    patience: u32,
    min_delta: f64,
    restore_best_weights: bool,
    learning_rate: f64,
    epochs: u32,
    best_epoch: u32,
    loss: Vec<f64>,
    validation_loss: Vec<f64>,
    final_loss: f64,
    final_validation_loss: f64,
}

fn experiment(run: &Run) -> Experiment {
    let mut experiment = presets::preset("example-1").unwrap().experiment;
    for (field, value) in [
        ("dataset.images", "12"),
        ("dataset.side", "12"),
        ("network.layers[0].filters", "8"),
        ("training.batch_size", "12"),
        ("training.epochs", "60"),
    ] {
        experiment.set(field, value).unwrap();
    }
    let &Run { patience, min_delta, restore_best_weights, .. } = run;
    experiment.dataset.validation_images = HELD_OUT as u32;
    experiment.training.learning_rate = run.learning_rate;
    experiment.training.early_stopping = match run.monitor.as_str() {
        "loss" => EarlyStoppingConfig::Loss { patience, min_delta, restore_best_weights },
        _ => EarlyStoppingConfig::ValidationLoss { patience, min_delta, restore_best_weights },
    };
    experiment
}

/// The training images and the held-out images: faint stripes on noise.
fn datasets(experiment: &Experiment) -> [Dataset; 2] {
    let labels: Vec<u32> = (0..(IMAGES + HELD_OUT) as u32).map(|i| label(13, i, 2)).collect();
    let mut noise = (0..).map(|i| uniform(0, i));
    let uniform = || noise.next().unwrap();
    let mut pixels = dataset::images(&experiment.dataset, &labels, uniform, |_| unreachable!());
    for (image, label) in pixels.chunks_exact_mut(SIDE * SIDE * 3).zip(&labels) {
        for (place, pixel) in image.iter_mut().enumerate() {
            let (row, column) = (place / 3 / SIDE, place / 3 % SIDE);
            let across = if *label == 0 { column } else { row };
            *pixel = *pixel * 0.75 + 0.25 * (across / 2 % 2) as f32;
        }
    }
    let held_out = pixels.split_off(IMAGES * SIDE * SIDE * 3);
    let parts = [(pixels, labels[..IMAGES].to_vec()), (held_out, labels[IMAGES..].to_vec())];
    parts.map(|(images, labels)| Dataset {
        size: ImageSize { height: SIDE, width: SIDE },
        channels: 3,
        labels_end: 2,
        images,
        labels,
        ends: [0.0, 1.0],
    })
}

#[test]
fn runs_end_where_keras_ends_them() {
    let runs: Runs = serde_json::from_str(include_str!("fixtures/early_stopping.json")).unwrap();
    assert_eq!(runs.runs.len(), 6);
    for run in runs.runs {
        let name = format!("{} {} {}", run.monitor, run.patience, run.min_delta);
        let experiment = experiment(&run);
        let [training, held_out] = datasets(&experiment);
        let backend = backend::open("flex").unwrap();
        let network = Network::with_weights(&experiment, &backend, |wanted| {
            let mut numbers = (0..).map(|i| uniform(16 + wanted.nth_kernel as u32, i));
            let uniform = || numbers.next().unwrap();
            initializer::kernel(&wanted.initializer, wanted.window, wanted.count, uniform)
        });
        let noise = Box::new(|_: u64, _: usize, _: &mut [f32]| unreachable!("no dropout"));
        let (network, parts) = (network.unwrap(), (training, noise));
        let mut session =
            TrainingSession::with_parts(experiment.clone(), backend, parts.0, network, parts.1)
                .unwrap();
        session.hold_out(held_out.clone());
        let near = |found: f64, keras: f64| (found - keras).abs() < 1e-4 * keras.max(0.1);
        let mut restored = None;
        while !session.finished() {
            let metrics = session.run_epoch();
            let epoch = metrics.epoch as usize - 1;
            assert!(near(metrics.loss, run.loss[epoch]), "{name}: {metrics:?}");
            let validation = metrics.validation.unwrap();
            assert!(near(validation.loss, run.validation_loss[epoch]), "{name}: {metrics:?}");
            restored = metrics.restored_epoch;
            let stops = metrics.epoch == run.epochs && run.epochs < experiment.training.epochs;
            assert_eq!(metrics.stopped_early, stops, "{name}: {metrics:?}");
        }
        assert_eq!(session.epoch(), run.epochs, "{name}");
        assert_eq!(restored, run.restore_best_weights.then_some(run.best_epoch), "{name}");
        assert!(near(session.evaluate().loss, run.final_loss), "{name}");
        // Evaluates the held-out images with the restored weights.
        session.hold_out(held_out);
        assert!(near(session.validate().unwrap().loss, run.final_validation_loss), "{name}");
    }
}
