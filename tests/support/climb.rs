//! The ladder: images and weights, forward by layer, logits, gradients by variable, one step, 25 steps. The first rung
//! that breaks is the error.

use std::collections::BTreeMap;

use overfit_lab::backend;
use overfit_lab::experiment::LayerConfig;
use overfit_lab::network::Network;
use overfit_lab::training::TrainingSession;

use super::fixture::{Digest, Fixture};

/// Of a tensor's l2 norm: how close activations, logits and the first gradients have to be.
const TENSOR_TOLERANCE: f64 = 1e-5;
/// Of a variable's l2 norm, after one step and after more. No rule of the fixtures: the losses are the bar, and these
/// only say where a broken loss comes from. Adam turns the rounding of a tiny gradient into a whole step.
const FIRST_STEP_TOLERANCE: f64 = 1e-4;
const LATER_STEP_TOLERANCE: f64 = 1e-2;

/// The training session that starts as the fixture did.
pub fn train(fixture: &Fixture, backend: &str) -> TrainingSession {
    let experiment = fixture.experiment().expect("checked when it was read");
    let backend = backend::open(backend).expect("a backend of this build");
    let kernel = |_, nth, window: &[usize], count| fixture.kernel(nth, window, count);
    let network = Network::with_weights(&experiment, &backend, kernel).expect("layers fit");
    let (dataset, noise) = (fixture.dataset(), fixture.noise());
    TrainingSession::with_parts(experiment, backend, dataset, network, noise).expect("valid")
}

/// Climbs the ladder on one backend: the whole of it, or so many steps of training.
pub fn check(fixture: &Fixture, backend: &str, steps: usize) -> Result<(), String> {
    let mut session = train(fixture, backend);
    inputs(fixture, &session)?;
    forward(fixture, &session)?;
    first_gradients(fixture, &mut session)?;
    // Of other images than those of the repository the losses are the bar, and variables only say where one that is off comes from:
    // Adam makes a whole step of a first gradient of the size of rounding, and which those are was looked into for these alone.
    let mut suspect = None;
    for (index, step) in fixture.steps.iter().take(steps).enumerate() {
        let number = index + 1;
        let measured = session.run_step(&step.batch, &mut []);
        let rung = format!("step {number}: loss");
        let found = loss(&rung, measured.loss, step.loss, step.loss_float64);
        found
            .map_err(|why| suspect.take().map_or(why.clone(), |first| format!("{first}; {why}")))?;
        let labels = step.batch.iter().map(|&image| fixture.labels[image as usize]);
        let right = measured.answers.iter().zip(labels);
        let correct = right.filter(|(answer, label)| answer.predicted == *label).count() as u32;
        if correct != step.correct && correct != step.correct_float64 {
            return Err(format!("step {number}: {correct} correct, Keras {}", step.correct));
        }
        if number == 1 {
            let (expected, tolerance) = fixture.gradient_norm();
            close("step 1: gradient norm", measured.gradient_norm, expected, tolerance)?;
        }
        if let Some(state) = fixture.states.get(&number).filter(|_| fixture.is_settled(number)) {
            // A first step can be no closer than the gradient that it was made of.
            let of_gradient = |name: &str| fixture.gradient(name).map_or(0.0, |(_, rule)| rule);
            let tolerance = |name: &str| match number {
                1 => of_gradient(name).max(FIRST_STEP_TOLERANCE),
                _ => LATER_STEP_TOLERANCE,
            };
            let rung = format!("variables after step {number}");
            let found =
                variables(&rung, &session, state, tolerance, |name| !fixture.is_rounding(name));
            match found {
                Err(why) if fixture.has_own_images() => return Err(why),
                found => suspect = suspect.or(found.err()),
            }
        }
    }
    Ok(())
}

fn inputs(fixture: &Fixture, session: &TrainingSession) -> Result<(), String> {
    let data = session.dataset();
    let shape = [data.len(), data.side, data.side, data.channels];
    digest("images", &fixture.images, &shape, &data.images, 1e-12)?;
    if data.labels != fixture.labels {
        return Err(format!("labels: {:?}, Keras {:?}", data.labels, fixture.labels));
    }
    variables("initial weights", session, &fixture.states[&0], |_| 1e-12, |_| true)
}

fn forward(fixture: &Fixture, session: &TrainingSession) -> Result<(), String> {
    // The last output of a layer is the one behind its activation, which is what Keras shows; the first is before it.
    let (mut before, mut outputs) = (BTreeMap::new(), BTreeMap::new());
    let network = session.network();
    let images = network.images(session.dataset());
    let scores = network.activations(images, &mut |layer, features| {
        before.entry(layer).or_insert_with(|| features.to_nhwc().1);
        outputs.insert(layer, features.to_nhwc());
    });
    // To Keras, keeping what flows by is no layer.
    let layers = &session.experiment().network.layers;
    let places = (0..layers.len()).filter(|&index| layers[index] != LayerConfig::Save {});
    let digests = fixture.forward.layers.iter().zip(places);
    for (layer, index) in digests.take(fixture.forward.layers.len() - 1) {
        let (shape, values) = &outputs[&index];
        let rung = format!("forward, layer {index} ({})", layer.kind);
        digest(&rung, &layer.digest, shape, values, TENSOR_TOLERANCE)?;
    }
    let dense = layers.iter().rposition(|layer| matches!(layer, LayerConfig::Dense { .. }));
    let (what, values, expected) = match (&fixture.forward.logits, &fixture.forward.outputs) {
        (Some(logits), _) => ("logits", before.remove(&dense.expect("a head")), logits),
        (None, Some(expected)) => {
            let outputs =
                overfit_lab::network::Features::Rows(network.head.outputs(scores)).to_nhwc();
            ("outputs", Some(outputs.1), expected)
        }
        (None, None) => return Err("neither logits nor outputs".into()),
    };
    let values = values.expect("the head is a layer");
    let expected: Vec<f64> = expected.concat();
    let norm = expected.iter().map(|value| value * value).sum::<f64>().sqrt();
    if values.len() != expected.len() {
        return Err(format!("{what}: {} numbers, Keras {}", values.len(), expected.len()));
    }
    for (index, (&value, &expected)) in values.iter().zip(&expected).enumerate() {
        if (f64::from(value) - expected).abs() > TENSOR_TOLERANCE * norm {
            return Err(format!("{what}[{index}]: {value}, Keras {expected}"));
        }
    }
    Ok(())
}

fn first_gradients(fixture: &Fixture, session: &mut TrainingSession) -> Result<(), String> {
    let gradients = session.gradients(&fixture.steps[0].batch);
    for (variable, gradient) in session.network().trainable().zip(&gradients) {
        let rung = format!("gradient of {}", variable.name);
        let (expected, tolerance) =
            fixture.gradient(&variable.name).ok_or(format!("{rung}: not in the fixture"))?;
        if fixture.is_rounding(&variable.name) {
            let squares: f64 = gradient.iter().map(|&value| f64::from(value).powi(2)).sum();
            if squares.sqrt() > fixture.rounding() {
                return Err(format!("{rung}: {}, Keras nothing but rounding", squares.sqrt()));
            }
            continue;
        }
        digest(&rung, &expected, &variable.shape, gradient, tolerance)?;
    }
    Ok(())
}

fn variables(
    rung: &str,
    session: &TrainingSession,
    expected: &BTreeMap<String, Digest>,
    tolerance: impl Fn(&str) -> f64,
    is_compared: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let found = &session.network().variables;
    if found.len() != expected.len() {
        return Err(format!("{rung}: {} variables, Keras {}", found.len(), expected.len()));
    }
    for variable in found.iter().filter(|variable| is_compared(&variable.name)) {
        let rung = format!("{rung}: {}", variable.name);
        let expected =
            expected.get(&variable.name).ok_or(format!("{rung} is not in the fixture"))?;
        let tolerance = tolerance(&variable.name);
        digest(&rung, expected, &variable.shape, &variable.values(), tolerance)?;
    }
    Ok(())
}

/// `|loss - loss in f64| <= 1e-4 + 10 |Keras in f32 - Keras in f64|`; not a number exactly where both are not.
fn loss(rung: &str, measured: f64, single: Option<f64>, double: Option<f64>) -> Result<(), String> {
    let (Some(single), Some(double)) = (single, double) else {
        return if measured.is_finite() == single.is_some() {
            Ok(())
        } else {
            Err(format!("{rung} {measured}, Keras {single:?} and in f64 {double:?}"))
        };
    };
    let bound = 1e-4 + 10.0 * (single - double).abs();
    if (measured - double).abs() <= bound {
        Ok(())
    } else {
        Err(format!(
            "{rung} {measured}, Keras {single}, in f64 {double}: more than {bound:.1e} apart"
        ))
    }
}

fn digest(
    rung: &str,
    expected: &Digest,
    shape: &[usize],
    values: &[f32],
    tolerance: f64,
) -> Result<(), String> {
    if shape != expected.shape {
        return Err(format!("{rung}: shape {shape:?}, Keras {:?}", expected.shape));
    }
    let squares: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
    close(&format!("{rung}, l2 norm"), squares.sqrt(), expected.l2, tolerance)?;
    let finite = expected.values.iter().flatten().map(|value| value * value).sum::<f64>().sqrt();
    let norm = if expected.l2.is_nan() { finite } else { expected.l2 };
    for (&at, &expected_value) in expected.at.iter().zip(&expected.values) {
        let value = f64::from(values[at]);
        let right = match expected_value {
            Some(wanted) => (value - wanted).abs() <= tolerance * norm,
            None => !value.is_finite(),
        };
        if !right {
            return Err(format!(
                "{rung}[{at}]: {value}, Keras {expected_value:?} (l2 {})",
                expected.l2
            ));
        }
    }
    Ok(())
}

fn close(rung: &str, value: f64, expected: f64, tolerance: f64) -> Result<(), String> {
    if expected.is_nan() && !value.is_finite() {
        return Ok(());
    }
    if (value - expected).abs() <= tolerance * expected.abs().max(f64::MIN_POSITIVE) {
        Ok(())
    } else {
        Err(format!("{rung}: {value}, Keras {expected}"))
    }
}
