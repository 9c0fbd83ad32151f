//! The ladder of comparisons: images and weights, forward by layer, logits, gradients by variable, one step, 25 steps. The first
//! rung that fails is the error.

use std::collections::BTreeMap;

use overfit_lab::backend;
use overfit_lab::experiment::LayerConfig;
use overfit_lab::network::{self, Features, Network, Observer, Seen};
use overfit_lab::training::TrainingSession;
use overfit_lab::training::loss::Answer;

use super::fixture::{Digest, Fixture, Gradient};

/// The tolerance for activations, logits and first gradients, as a share of the tensor's l2 norm, rounding aside.
const TENSOR_TOLERANCE: f64 = 1e-5;
/// The tolerance for losses, rounding aside.
const LOSS_TOLERANCE: f64 = 1e-4;
/// We may be this many times as far from Keras' f64 as Keras' own f32 is.
const ROUNDING: f64 = 10.0;
/// The tolerance for inputs, as a share of the tensor's l2 norm: the same numbers, but the squares are added up in another order.
const INPUT_TOLERANCE: f64 = 1e-12;
/// Distances of a variable, as a share of its l2 norm, after one step and after more, from which it is named when a loss is wrong.
const FIRST_STEP_SUSPECT: f64 = 1e-4;
const LATER_STEP_SUSPECT: f64 = 1e-2;

/// A training session that starts like the fixture.
pub fn train(fixture: &Fixture, backend: &str) -> TrainingSession {
    let experiment = fixture.experiment().expect("checked when it was read");
    let backend = backend::open(backend).expect("a backend of this build");
    let network = Network::with_weights(&experiment, &backend, |wanted| fixture.draw(&wanted));
    let network = network.expect("layers fit");
    let (dataset, noise) = (fixture.dataset(), fixture.noise());
    TrainingSession::with_parts(experiment, backend, dataset, network, noise).expect("valid")
}

/// Climbs the ladder for a fixture on one backend.
pub fn check(fixture: &Fixture, backend: &str) -> Result<(), String> {
    let mut session = train(fixture, backend);
    inputs(fixture, &session)?;
    forward(fixture, &session)?;
    first_gradients(fixture, &mut session)?;
    // Variables after steps decide nothing: Adam makes a full step of a gradient that is only rounding. But the first variable that
    // differs shows the source of a wrong loss.
    let mut suspect = None;
    let mut gap = Gap::default();
    for (index, step) in fixture.steps.iter().enumerate() {
        let number = index + 1;
        let measured = session.run_step(&step.batch, &mut ());
        gap.widen(step.loss, step.loss_float64);
        let found = gap.holds(measured.loss, step.loss, step.loss_float64);
        found.map_err(|why| {
            let suspect = suspect.take().map_or(String::new(), |first| format!("{first}; "));
            format!("{suspect}step {number}: {why}")
        })?;
        let labels = step.batch.iter().map(|&image| fixture.labels[image as usize]);
        let right = measured.answers.iter().zip(labels);
        let correct = right.filter(|(answer, label)| answer.predicted == *label).count() as u32;
        // If the probabilities of two classes differ by less than losses may, rounding decides the answer.
        let tie =
            |answer: &&Answer| (f64::from(answer.label_probability) - 0.5).abs() <= gap.bound();
        let undecided = measured.answers.iter().filter(tie).count() as u32;
        let apart = correct.abs_diff(step.correct).min(correct.abs_diff(step.correct_float64));
        if apart > undecided {
            return Err(format!("step {number}: {correct} correct, Keras {}", step.correct));
        }
        if number == 1 {
            let tolerances = fixture.gradients.values().map(gradient_tolerance);
            close(
                "step 1: gradient norm",
                measured.gradient_norm,
                norm(fixture.gradients.values().map(|gradient| gradient.digest.l2)),
                norm(tolerances),
            )?;
        }
        if let Some(state) = fixture.states.get(&number) {
            let share = if number == 1 { FIRST_STEP_SUSPECT } else { LATER_STEP_SUSPECT };
            let found =
                variables(&format!("variables after step {number}"), &session, state, share);
            suspect = suspect.or(found.err());
        }
    }
    Ok(())
}

/// The largest distance so far of Keras' losses in f32 from those in f64. The distance at one step is not enough: two runs that
/// have diverged may cross by chance.
#[derive(Default)]
struct Gap(f64);

impl Gap {
    fn widen(&mut self, single: Option<f64>, double: Option<f64>) {
        if let (Some(single), Some(double)) = (single, double) {
            self.0 = self.0.max((single - double).abs());
        }
    }

    fn bound(&self) -> f64 {
        LOSS_TOLERANCE + ROUNDING * self.0
    }

    /// Checks `|loss - loss in f64| <= 1e-4 + 10 gap`; the loss must be NaN exactly where Keras' is.
    fn holds(&self, measured: f64, single: Option<f64>, double: Option<f64>) -> Result<(), String> {
        let bound = self.bound();
        let right = match (single, double) {
            (Some(_), Some(double)) => (measured - double).abs() <= bound,
            _ => measured.is_finite() == single.is_some(),
        };
        if right {
            return Ok(());
        }
        let shown = |loss: Option<f64>| loss.map_or("NaN".into(), |loss| loss.to_string());
        let (single, double) = (shown(single), shown(double));
        Err(format!("loss {measured}, Keras {single}, in f64 {double}, bound {bound:.1e}"))
    }
}

fn gradient_tolerance(gradient: &Gradient) -> f64 {
    // If a part of a gradient is NaN, the rounding of the rest is unknown.
    let gap = if gradient.gap.is_nan() { 0.0 } else { gradient.gap };
    TENSOR_TOLERANCE * gradient.digest.finite_l2() + ROUNDING * gap
}

fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Compares the moving averages of batch normalisations after each step for which the fixture has them: no training loss depends on
/// them. The means are compared after the first step only: later ones contain the bias before the normalisation, which Adam moves
/// although its gradient is only rounding.
#[cfg(not(target_arch = "wasm32"))]
pub fn check_moving_averages(fixture: &Fixture, backend: &str) -> Result<(), String> {
    let mut session = train(fixture, backend);
    for (number, step) in (1..).zip(&fixture.steps) {
        session.run_step(&step.batch, &mut ());
        let Some(state) = fixture.states.get(&number) else { continue };
        for variable in &session.network().variables {
            let is_compared = variable.name.ends_with("/moving_variance")
                || (variable.name.ends_with("/moving_mean") && number == 1);
            if !is_compared {
                continue;
            }
            let rung = format!("step {number}: {}", variable.name);
            let expected = state.get(&variable.name).ok_or(format!("{rung}: not there"))?;
            let tolerance = TENSOR_TOLERANCE * expected.l2;
            digest(&rung, expected, &variable.shape, &variable.values(), tolerance)?;
        }
    }
    Ok(())
}

fn inputs(fixture: &Fixture, session: &TrainingSession) -> Result<(), String> {
    let data = session.dataset();
    let shape = [data.len(), data.size.height, data.size.width, data.channels];
    let tolerance = INPUT_TOLERANCE * fixture.images.l2;
    digest("images", &fixture.images, &shape, &data.images, tolerance)?;
    if data.labels != fixture.labels {
        return Err(format!("labels: {:?}, Keras {:?}", data.labels, fixture.labels));
    }
    variables("initial weights", session, &fixture.states[&0], INPUT_TOLERANCE)
}

/// A shape and its numbers.
type Values = (Vec<usize>, Vec<f32>);

/// The outputs of each layer, by its place: the first is before its activation, the last after it, like Keras' output.
#[derive(Default)]
struct Outputs {
    first: BTreeMap<usize, Vec<f32>>,
    last: BTreeMap<usize, Values>,
}

impl Observer for Outputs {
    fn output(&mut self, seen: Seen, output: Features) -> Features {
        self.first.entry(seen.layer).or_insert_with(|| output.to_nhwc().1);
        self.last.insert(seen.layer, output.to_nhwc());
        output
    }
}

fn forward(fixture: &Fixture, session: &TrainingSession) -> Result<(), String> {
    let network = session.network();
    let images = network.images(session.dataset());
    let mut found = Outputs::default();
    let scores = network.infer_by_layer(images, &mut found);
    let Outputs { mut first, last: outputs } = found;
    // In Keras, `save` is no layer.
    let layers = &session.experiment().network.layers;
    let places = (0..layers.len()).filter(|&index| layers[index] != LayerConfig::Save {});
    let digests = fixture.forward.layers.iter().zip(places);
    for (layer, index) in digests.take(fixture.forward.layers.len() - 1) {
        let (shape, values) = &outputs[&index];
        let rung = format!("forward, layer {index} ({})", layer.kind);
        let tolerance = TENSOR_TOLERANCE * layer.digest.finite_l2();
        digest(&rung, &layer.digest, shape, values, tolerance)?;
    }
    let dense = layers.iter().rposition(|layer| matches!(layer, LayerConfig::Dense { .. }));
    let (what, values, expected) = match (&fixture.forward.logits, &fixture.forward.outputs) {
        (Some(logits), _) => ("logits", first.remove(&dense.expect("a head")), logits),
        (None, Some(expected)) => {
            let outputs = Features::Rows(network::outputs(network.head, scores)).to_nhwc();
            ("outputs", Some(outputs.1), expected)
        }
        (None, None) => return Err("neither logits nor outputs".into()),
    };
    let values = values.expect("the head is a layer");
    let expected: Vec<f64> = expected.concat();
    let tolerance = TENSOR_TOLERANCE * norm(expected.iter().copied());
    if values.len() != expected.len() {
        return Err(format!("{what}: {} numbers, Keras {}", values.len(), expected.len()));
    }
    for (index, (&value, &expected)) in values.iter().zip(&expected).enumerate() {
        if (f64::from(value) - expected).abs() > tolerance {
            return Err(format!("{what}[{index}]: {value}, Keras {expected}"));
        }
    }
    Ok(())
}

fn first_gradients(fixture: &Fixture, session: &mut TrainingSession) -> Result<(), String> {
    let gradients = session.gradients(&fixture.steps[0].batch);
    for (variable, gradient) in session.network().trainable().zip(&gradients) {
        let rung = format!("gradient of {}", variable.name);
        let expected =
            fixture.gradients.get(&variable.name).ok_or(format!("{rung}: not in the fixture"))?;
        let tolerance = gradient_tolerance(expected);
        digest(&rung, &expected.digest, &variable.shape, gradient, tolerance)?;
    }
    Ok(())
}

/// Compares every variable, with a tolerance as a share of its l2 norm.
fn variables(
    rung: &str,
    session: &TrainingSession,
    expected: &BTreeMap<String, Digest>,
    share: f64,
) -> Result<(), String> {
    let found = &session.network().variables;
    if found.len() != expected.len() {
        return Err(format!("{rung}: {} variables, Keras {}", found.len(), expected.len()));
    }
    for variable in found {
        let rung = format!("{rung}: {}", variable.name);
        let expected =
            expected.get(&variable.name).ok_or(format!("{rung} is not in the fixture"))?;
        let tolerance = share * expected.finite_l2();
        digest(&rung, expected, &variable.shape, &variable.values(), tolerance)?;
    }
    Ok(())
}

/// Compares the l2 norm and each listed value, with a tolerance; a value must be NaN exactly where Keras' is.
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
    let l2 = norm(values.iter().map(|&value| f64::from(value)));
    close(&format!("{rung}, l2 norm"), l2, expected.l2, tolerance)?;
    for (&at, &expected_value) in expected.at.iter().zip(&expected.values) {
        let value = f64::from(values[at]);
        let right = match expected_value {
            Some(wanted) => (value - wanted).abs() <= tolerance,
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

fn close(what: &str, value: f64, expected: f64, tolerance: f64) -> Result<(), String> {
    let right = match expected.is_nan() {
        true => !value.is_finite(),
        false => (value - expected).abs() <= tolerance,
    };
    if right { Ok(()) } else { Err(format!("{what}: {value}, Keras {expected}")) }
}
