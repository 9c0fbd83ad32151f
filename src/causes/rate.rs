//! Learning rates that are too high or too low, and too few steps.

use super::{Cause, Level, Warning};
use crate::experiment::{Experiment, OptimizerConfig, number_text};

/// The code of a learning rate far above the optimizer's default.
pub const RATE_TOO_HIGH: &str = "learning-rate-too-high";

/// A rate more than this many times above or below the optimizer's default gives a warning.
const UNUSUAL_RATE: f64 = 50.0;
/// The upper limit for SGD, whose steps grow with the gradient. Example 1 and Example 3 memorise on every seed tried at 6 times the
/// default of 0.01, and lose all images or every filter from 10 times on. At the start the largest curvature of Example 3's loss is
/// 717 to 1,018, so plain steps are stable up to 2 / 1,018 = 0.002; somewhat higher rates settle, and some fifty times higher rates
/// kill. A momentum of 0.9 moves neither edge by much: 5 times the default still memorises, 10 times kills. So the rate itself is
/// compared, not the rate divided by 1 - momentum.
const UNUSUAL_RATE_OF_SGD: f64 = 10.0;
/// A run of fewer steps gives a warning: Adam's default rate takes some fifteen on the article's images.
const FEW_STEPS: u32 = 20;
/// Steps that are enough for the article's images.
const MANY_STEPS: u32 = 500;

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    let all = [too_high(experiment), too_low(experiment), too_few_steps(experiment)];
    all.into_iter().flatten().collect()
}

fn too_high(experiment: &Experiment) -> Option<Warning> {
    let training = &experiment.training;
    let optimizer = &training.optimizer;
    let (rate, usual) = (training.learning_rate, optimizer.usual_rate());
    let is_sgd = matches!(optimizer, OptimizerConfig::Sgd { .. });
    let is_too_high =
        if is_sgd { rate >= UNUSUAL_RATE_OF_SGD * usual } else { rate > UNUSUAL_RATE * usual };
    let momentum = match *optimizer {
        OptimizerConfig::Sgd { momentum, .. } if momentum > 0.0 => format!(
            " With a momentum of {momentum}, steps add up to {} times their length.",
            number_text((1.0 / (1.0 - momentum) * 10.0).round() / 10.0)
        ),
        _ => String::new(),
    };
    let field = "training.learning_rate";
    let message = format!(
        "The learning rate is {} times {}'s default of {usual}: the first steps may push every ReLU below 0, where it gets no gradient and stays.{momentum}",
        number_text((rate / usual).round()),
        optimizer.keras_name()
    );
    is_too_high.then(|| Warning::new(RATE_TOO_HIGH, field, message).cured_by(field, usual))
}

fn too_low(experiment: &Experiment) -> Option<Warning> {
    let training = &experiment.training;
    let (rate, usual) = (training.learning_rate, training.optimizer.usual_rate());
    let field = "training.learning_rate";
    let message = format!(
        "The learning rate is {} times below {}'s default of {usual}: the loss will hardly fall.",
        number_text((usual / rate).round()),
        training.optimizer.keras_name()
    );
    (rate * UNUSUAL_RATE < usual)
        .then(|| Warning::new("learning-rate-too-low", field, message).cured_by(field, usual))
}

fn too_few_steps(experiment: &Experiment) -> Option<Warning> {
    let steps = experiment.steps();
    let plural = if steps == 1 { "" } else { "s" };
    let field = "training.epochs";
    let message = format!(
        "The run has only {steps} step{plural}: too few to memorise anything. Use more epochs."
    );
    let epochs = MANY_STEPS.div_ceil(experiment.steps_per_epoch().max(1));
    (steps < FEW_STEPS)
        .then(|| Warning::new("too-few-steps", field, message).cured_by(field, epochs))
}

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "rate-too-high",
        sign: RATE_TOO_HIGH,
        name: "Learning rate too high",
        summary: "Adam at 0.1, a hundred times its default",
        sees: "The loss jumps up in the first epochs and then stays at exactly ln 2 = 0.6931.",
        does: "The first steps push every ReLU below 0, where no gradient passes.",
        mends: "Use a lower rate: Adam's default is 0.001.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[("training.epochs", "100")],
        mistake: &[("training.learning_rate", "0.1")],
    },
    Cause {
        code: "rate-too-low",
        sign: "learning-rate-too-low",
        name: "Learning rate too low",
        summary: "Adam at 0.000001",
        sees: "The loss falls very slowly, in its third digit.",
        does: "Nothing is stuck: each step has the right direction but is a thousand times too small.",
        mends: "Use a higher rate: Adam's default is 0.001.",
        level: Level::Within(0.5, 0.95),
        healthy: &[("training.epochs", "100")],
        mistake: &[("training.learning_rate", "0.000001")],
    },
    Cause {
        code: "too-few-steps",
        sign: "too-few-steps",
        name: "Too few steps",
        summary: "Five epochs of one step each",
        sees: "The loss is still falling when the run ends.",
        does: "The loss has no plateau yet: with 20 images in one batch, an epoch is a single step.",
        mends: "Train for more epochs.",
        level: Level::Within(0.5, 0.95),
        healthy: &[("training.epochs", "100")],
        mistake: &[("training.epochs", "5")],
    },
];
