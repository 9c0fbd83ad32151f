//! Learning rate schedules: their type, defaults and fields.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};
use crate::from_json::FromJson;

/// The learning rate at step `t`, counted from 0, as `keras.optimizers.schedules` computes it.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ScheduleConfig {
    Constant {},
    /// `rate * decay_rate^(t / decay_steps)`; with `staircase` the quotient is rounded down.
    Exponential {
        decay_steps: u32,
        decay_rate: f64,
        staircase: bool,
    },
    /// `rate / (1 + decay_rate * t / decay_steps)`.
    InverseTime {
        decay_steps: u32,
        decay_rate: f64,
        staircase: bool,
    },
    /// The rate up to the first boundary; from the step after each boundary on, the rate times that boundary's factor.
    Piecewise {
        boundaries: Vec<u32>,
        factors: Vec<f64>,
    },
    /// A linear rise from `warmup_from` times the rate to the rate in `warmup_steps`, then half a cosine down to `alpha` times the
    /// rate in `decay_steps`.
    Cosine {
        warmup_steps: u32,
        warmup_from: f64,
        decay_steps: u32,
        alpha: f64,
    },
    /// A linear rise from `warmup_from` times the rate to the rate in `warmup_steps`, then the rate.
    Warmup {
        warmup_steps: u32,
        warmup_from: f64,
    },
}

impl ScheduleConfig {
    fn choices() -> Vec<Choice> {
        let (warmup_steps, warmup_from) = (0, 0.0);
        vec![
            Choice::new("constant", "Constant", Self::Constant {}),
            Choice::new(
                "exponential",
                "Exponential decay",
                Self::Exponential { decay_steps: 100, decay_rate: 0.9, staircase: false },
            ),
            Choice::new(
                "inverse_time",
                "Inverse time decay",
                Self::InverseTime { decay_steps: 100, decay_rate: 0.5, staircase: false },
            ),
            Choice::new(
                "piecewise",
                "Piecewise constant",
                Self::Piecewise { boundaries: vec![100, 200], factors: vec![0.1, 0.01] },
            ),
            Choice::new(
                "cosine",
                "Cosine decay",
                Self::Cosine { warmup_steps, warmup_from, decay_steps: 500, alpha: 0.0 },
            ),
            Choice::new("warmup", "Warm-up", Self::Warmup { warmup_steps: 50, warmup_from }),
        ]
    }
}

const GROUP: FieldGroup = FieldGroup::LossAndOptimizer;

pub(super) const FIELDS: &[Field] = &[
    Field::choice(GROUP, "training.schedule", "Schedule", ScheduleConfig::choices),
    Field::whole(GROUP, "training.schedule.decay_steps", "Decay steps", 1.0, 1e7),
    Field::real(GROUP, "training.schedule.decay_rate", "Decay rate", 1e-6, 1e3),
    Field::flag(GROUP, "training.schedule.staircase", "Staircase"),
    Field::numbers(GROUP, "training.schedule.boundaries", "Boundaries").counted_in("steps"),
    Field::whole(GROUP, "training.schedule.boundaries[]", "Boundary", 0.0, 1e7),
    Field::numbers(GROUP, "training.schedule.factors", "Factors").counted_in("of the rate"),
    Field::real(GROUP, "training.schedule.factors[]", "Factor", 0.0, 1e6),
    Field::whole(GROUP, "training.schedule.warmup_steps", "Warm-up steps", 0.0, 1e7),
    Field::real(GROUP, "training.schedule.warmup_from", "Start of the warm-up", 0.0, 1.0)
        .counted_in("fraction of the rate"),
    Field::real(GROUP, "training.schedule.alpha", "Alpha", 0.0, 1.0)
        .counted_in("fraction of the rate"),
];
