//! Optimizers and gradient clipping: their types, defaults and fields.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};
use crate::from_json::FromJson;

/// Optimizers with Keras' formulas and names; [`crate::training::optimizer`] writes the formulas out. In all of them weight decay
/// is decoupled from the gradient, and as in Keras it applies to every variable, also to biases.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum OptimizerConfig {
    Adam {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
        amsgrad: bool,
        #[serde(default)]
        weight_decay: f64,
    },
    AdamW {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
        amsgrad: bool,
        weight_decay: f64,
    },
    Nadam {
        beta_1: f64,
        beta_2: f64,
        epsilon: f64,
        #[serde(default)]
        weight_decay: f64,
    },
    Adagrad {
        initial_accumulator_value: f64,
        epsilon: f64,
        #[serde(default)]
        weight_decay: f64,
    },
    Lion {
        beta_1: f64,
        beta_2: f64,
        #[serde(default)]
        weight_decay: f64,
    },
    Sgd {
        momentum: f64,
        nesterov: bool,
        weight_decay: f64,
    },
    RmsProp {
        rho: f64,
        momentum: f64,
        epsilon: f64,
        /// Divides by the standard deviation around the gradient's mean instead of around 0.
        centered: bool,
        #[serde(default)]
        weight_decay: f64,
    },
}

/// The clipping of gradients before the update.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClippingConfig {
    None {},
    /// Each variable's gradient is scaled to at most this l2 norm: Keras' `clipnorm`.
    Norm {
        limit: f64,
    },
    /// Each element of a gradient is clipped to between minus and plus the limit: Keras' `clipvalue`.
    Value {
        limit: f64,
    },
    /// All gradients together are scaled to at most this l2 norm: Keras' `global_clipnorm`.
    GlobalNorm {
        limit: f64,
    },
}

/// Keras' default epsilon of every optimizer that has one.
const EPSILON: f64 = 1e-7;

impl OptimizerConfig {
    pub const ADAM: Self = Self::Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: EPSILON,
        amsgrad: false,
        weight_decay: 0.0,
    };
    pub const ADAMW: Self = Self::AdamW {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: EPSILON,
        amsgrad: false,
        weight_decay: 0.004,
    };
    pub const NADAM: Self =
        Self::Nadam { beta_1: 0.9, beta_2: 0.999, epsilon: EPSILON, weight_decay: 0.0 };
    pub const ADAGRAD: Self =
        Self::Adagrad { initial_accumulator_value: 0.1, epsilon: EPSILON, weight_decay: 0.0 };
    pub const LION: Self = Self::Lion { beta_1: 0.9, beta_2: 0.99, weight_decay: 0.0 };
    pub const SGD: Self = Self::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    /// Keras' default momentum is 0; its guides, and most people, set 0.9.
    pub const SGD_MOMENTUM: Self = Self::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    pub const SGD_NESTEROV: Self = Self::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 };
    pub const RMSPROP: Self = Self::RmsProp {
        rho: 0.9,
        momentum: 0.0,
        epsilon: EPSILON,
        centered: false,
        weight_decay: 0.0,
    };

    fn choices() -> Vec<Choice> {
        let choice = |id, name, optimizer: Self| Choice::new(id, name, optimizer);
        vec![
            choice("adam", "Adam", Self::ADAM),
            choice("sgd", "SGD", Self::SGD),
            choice("sgd-momentum", "SGD with momentum", Self::SGD_MOMENTUM),
            choice("sgd-nesterov", "SGD with Nesterov momentum", Self::SGD_NESTEROV),
            choice("rmsprop", "RMSprop", Self::RMSPROP),
            choice("adamw", "AdamW", Self::ADAMW),
            choice("nadam", "Nadam", Self::NADAM),
            choice("adagrad", "Adagrad", Self::ADAGRAD),
            choice("lion", "Lion", Self::LION),
        ]
    }

    /// The optimizer of this kind with Keras' defaults.
    pub fn with_defaults(&self) -> Self {
        match self {
            Self::Adam { .. } => Self::ADAM,
            Self::AdamW { .. } => Self::ADAMW,
            Self::Nadam { .. } => Self::NADAM,
            Self::Adagrad { .. } => Self::ADAGRAD,
            Self::Lion { .. } => Self::LION,
            Self::Sgd { .. } => Self::SGD,
            Self::RmsProp { .. } => Self::RMSPROP,
        }
    }

    /// The class in `keras.optimizers`.
    pub fn keras_name(&self) -> &'static str {
        match self {
            Self::Adam { .. } => "Adam",
            Self::AdamW { .. } => "AdamW",
            Self::Nadam { .. } => "Nadam",
            Self::Adagrad { .. } => "Adagrad",
            Self::Lion { .. } => "Lion",
            Self::Sgd { .. } => "SGD",
            Self::RmsProp { .. } => "RMSprop",
        }
    }

    /// Keras' default learning rate.
    pub const fn usual_rate(&self) -> f64 {
        match self {
            Self::Sgd { .. } => 0.01,
            Self::Adam { .. }
            | Self::AdamW { .. }
            | Self::Nadam { .. }
            | Self::Adagrad { .. }
            | Self::Lion { .. }
            | Self::RmsProp { .. } => 0.001,
        }
    }

    /// The decoupled weight decay: each step subtracts weight decay times learning rate times the weight from every weight.
    pub fn weight_decay(&self) -> f64 {
        match *self {
            Self::Adam { weight_decay, .. }
            | Self::AdamW { weight_decay, .. }
            | Self::Nadam { weight_decay, .. }
            | Self::Adagrad { weight_decay, .. }
            | Self::Lion { weight_decay, .. }
            | Self::Sgd { weight_decay, .. }
            | Self::RmsProp { weight_decay, .. } => weight_decay,
        }
    }

    /// The number of tensors of a variable's size that the optimizer keeps for each variable.
    pub fn slots(&self) -> u64 {
        match self {
            Self::Adam { amsgrad, .. } | Self::AdamW { amsgrad, .. } => 2 + u64::from(*amsgrad),
            Self::Nadam { .. } => 2,
            Self::Adagrad { .. } | Self::Lion { .. } => 1,
            Self::RmsProp { momentum, centered, .. } => {
                1 + u64::from(*centered) + u64::from(*momentum != 0.0)
            }
            Self::Sgd { momentum, .. } => u64::from(*momentum != 0.0),
        }
    }
}

impl ClippingConfig {
    fn choices() -> Vec<Choice> {
        vec![
            Choice::new("none", "None", Self::None {}),
            Choice::new("norm", "Norm of each gradient", Self::Norm { limit: 1.0 }),
            Choice::new("value", "Each element", Self::Value { limit: 0.5 }),
            Choice::new(
                "global_norm",
                "Norm of all gradients together",
                Self::GlobalNorm { limit: 1.0 },
            ),
        ]
    }
}

const GROUP: FieldGroup = FieldGroup::LossAndOptimizer;

pub(super) const FIELDS: &[Field] = &[
    Field::choice(
        FieldGroup::Controls,
        "training.optimizer",
        "Optimizer",
        OptimizerConfig::choices,
    ),
    Field::share(GROUP, "training.optimizer.beta_1", "Beta 1").in_keras("beta_1"),
    Field::share(GROUP, "training.optimizer.beta_2", "Beta 2").in_keras("beta_2"),
    Field::real(GROUP, "training.optimizer.epsilon", "Epsilon", 1e-12, 1.0).in_keras("epsilon"),
    Field::flag(GROUP, "training.optimizer.amsgrad", "AMSGrad").in_keras("amsgrad"),
    Field::share(GROUP, "training.optimizer.momentum", "Momentum").in_keras("momentum"),
    Field::flag(GROUP, "training.optimizer.nesterov", "Nesterov").in_keras("nesterov"),
    Field::share(GROUP, "training.optimizer.rho", "Rho").in_keras("rho"),
    Field::flag(GROUP, "training.optimizer.centered", "Centered").in_keras("centered"),
    Field::real(
        GROUP,
        "training.optimizer.initial_accumulator_value",
        "Initial accumulator value",
        0.0,
        1e3,
    )
    .in_keras("initial_accumulator_value"),
    Field::real(GROUP, "training.optimizer.weight_decay", "Weight decay", 0.0, 1.0)
        .in_keras("weight_decay"),
    Field::choice(GROUP, "training.clipping", "Clipping", ClippingConfig::choices),
    Field::real(GROUP, "training.clipping.limit", "Clipping limit", 1e-9, 1e9)
        .in_keras("clipnorm, clipvalue or global_clipnorm"),
];
