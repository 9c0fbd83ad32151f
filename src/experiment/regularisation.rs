//! What holds weights small: a penalty in the loss, and a bound after each update.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};

/// What is added to the loss: each strength times the sum of the weights' magnitudes or squares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct RegularizerConfig {
    /// Magnitudes of the kernels.
    pub l1: f64,
    /// Squares of the kernels.
    pub l2: f64,
    /// Squares of the biases.
    pub bias_l2: f64,
}

/// What kernels are held to after each update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConstraintConfig {
    None {},
    /// The weights of a filter or unit have at most this l2 norm: Keras' `MaxNorm`.
    MaxNorm {
        limit: f64,
    },
}

impl RegularizerConfig {
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0, bias_l2: 0.0 };

    /// Whether nothing is added.
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
