//! Looks into a run: the output of a layer for an image, and the gradient of that image's loss with respect to it.

use overfit_lab::backend::BACKENDS;
use overfit_lab::experiment::Experiment;
use overfit_lab::run::Run;
use overfit_lab::training::Look;
use wasm_bindgen_test::*;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

const LAYERS: &str = r#"[
    {"type":"conv2d","filters":4,"padding":"same"},{"type":"batch_norm","momentum":0.5},
    {"type":"activation","activation":"relu"},"max_pool","save",
    {"type":"conv2d","filters":4,"padding":"same","activation":"tanh"},"add_saved","flatten",
    {"type":"dense","units":6,"activation":"relu"},{"type":"dense","units":2,"activation":"softmax"}
]"#;

/// A run of a small network, after two epochs, that covers every way in which a layer is computed.
fn run(backend: &str) -> Run {
    let mut experiment = Experiment::default();
    // Not Adam: it makes full steps of gradients that are only rounding, such as that of a bias before a normalisation.
    let settings =
        [("dataset.side", "8"), ("network.layers", LAYERS), ("training.optimizer", "sgd")];
    for (field, value) in settings {
        experiment.set(field, value).unwrap();
    }
    let mut run = Run::new(experiment, backend).unwrap();
    run.next_epoch();
    run.next_epoch();
    run
}

fn close(found: &[f32], expected: &[f32]) -> bool {
    let norm = expected.iter().map(|value| value * value).sum::<f32>().sqrt();
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-4 * norm)
}

#[wasm_bindgen_test(unsupported = test)]
fn every_backend_sees_the_same() {
    let reference = run("flex");
    for backend in BACKENDS {
        let other = run(backend.id);
        for layer in 0..reference.experiment().network.layers.len() {
            let [a, b] = [&reference, &other].map(|run| run.look(layer, 7).unwrap());
            assert_eq!(a.shape, b.shape, "layer {layer} on {}", backend.id);
            assert!(close(&a.values, &b.values), "layer {layer} on {}: values", backend.id);
            assert!(close(&a.gradients, &b.gradients), "layer {layer} on {}", backend.id);
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn gradients_are_those_of_the_images_own_loss() {
    let run = run("flex");
    let label = run.dataset().labels[3] as usize;
    let Look { shape, values, gradients } = run.look(9, 3).unwrap();
    assert_eq!(shape, [2]);
    // The gradient of softmax cross-entropy with respect to the logits is softmax minus the label's one-hot row.
    let powers: Vec<f32> = values.iter().map(|value| value.exp()).collect();
    let sum: f32 = powers.iter().sum();
    for (class, gradient) in gradients.iter().enumerate() {
        let expected = powers[class] / sum - f32::from(u8::from(class == label));
        assert!((gradient - expected).abs() < 1e-5, "{gradient}, not {expected}");
    }
    // A sum and its flattened row are the same numbers; a ReLU passes no gradient where it is 0.
    let (sum, row) = (run.look(6, 3).unwrap(), run.look(7, 3).unwrap());
    assert_eq!((sum.shape, row.shape), (vec![4, 4, 4], vec![64]));
    assert_eq!(sum.gradients, row.gradients);
    let relu = run.look(2, 3).unwrap();
    assert!(relu.values.iter().all(|value| *value >= 0.0) && relu.values.contains(&0.0));
    assert!(relu.gradients.iter().any(|gradient| *gradient != 0.0));
}

#[wasm_bindgen_test(unsupported = test)]
fn looking_changes_nothing() {
    let (mut looked, mut left_alone) = (run("flex"), run("flex"));
    for layer in 0..10 {
        looked.look(layer, 0).unwrap();
    }
    let losses = [&mut looked, &mut left_alone].map(|run| run.next_epoch().metrics.loss);
    assert_eq!(losses[0].to_bits(), losses[1].to_bits());
}

#[wasm_bindgen_test(unsupported = test)]
fn what_is_not_there_is_named() {
    let run = run("flex");
    for (layer, image, field, value) in [(10, 0, "layer", "10"), (0, 20, "image", "20")] {
        let problem = run.look(layer, image).unwrap_err();
        assert_eq!((problem.field.as_str(), problem.value.as_str()), (field, value));
        assert!(problem.message.contains("a whole number from 0 to"), "{problem:?}");
    }
}
