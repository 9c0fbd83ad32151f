//! Regularizers and constraints: a penalty in the loss, and a bound on the weights after each update.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};
use crate::from_json::FromJson;

/// The strengths of the penalties that are added to the loss: each is multiplied by a sum over all weights.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
pub struct RegularizerConfig {
    /// Strength of the sum of the kernels' magnitudes.
    pub l1: f64,
    /// Strength of the sum of the kernels' squares.
    pub l2: f64,
    /// Strength of the sum of the biases' squares.
    pub bias_l2: f64,
}

/// The bound that kernels are held to after each update.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConstraintConfig {
    None {},
    /// The weights of a filter or unit have at most this l2 norm: Keras' `MaxNorm`.
    MaxNorm {
        limit: f64,
    },
}

impl RegularizerConfig {
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0, bias_l2: 0.0 };

    /// Whether no penalty is added.
    pub fn is_off(&self) -> bool {
        *self == Self::NONE
    }
}

impl ConstraintConfig {
    fn choices() -> Vec<Choice> {
        vec![
            Choice::new("none", "None", Self::None {}),
            Choice::new("max_norm", "Max norm", Self::MaxNorm { limit: 2.0 }),
        ]
    }
}

const GROUP: FieldGroup = FieldGroup::Network;

pub(super) const FIELDS: &[Field] = &[
    Field::real(GROUP, "network.regularizer.l1", "L1", 0.0, 1e3).in_keras("kernel_regularizer"),
    Field::real(GROUP, "network.regularizer.l2", "L2", 0.0, 1e3).in_keras("kernel_regularizer"),
    Field::real(GROUP, "network.regularizer.bias_l2", "L2 of the biases", 0.0, 1e3)
        .in_keras("bias_regularizer"),
    Field::choice(GROUP, "network.constraint", "Constraint", ConstraintConfig::choices)
        .in_keras("kernel_constraint"),
    Field::real(GROUP, "network.constraint.limit", "Largest norm", 1e-6, 1e6).in_keras("max_value"),
];
