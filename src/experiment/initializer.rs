//! Initializers: their types, defaults and fields.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};
use crate::from_json::FromJson;

/// The initial weights of every layer.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
pub struct InitializerConfig {
    pub kernel: KernelInitializer,
    /// Multiplies every kernel.
    pub factor: f64,
    /// Every bias starts from this number; PyTorch's default initializer adds a drawn number to it.
    pub bias: f64,
}

/// Keras' initializers of the same names, and PyTorch's default. As in Keras, `GlorotNormal`, `HeNormal` and `LecunNormal` are
/// truncated at two standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum KernelInitializer {
    GlorotUniform {},
    GlorotNormal {},
    HeUniform {},
    HeNormal {},
    LecunUniform {},
    LecunNormal {},
    /// Uniform between minus and plus the limit: `RandomUniform(-limit, limit)`.
    RandomUniform {
        limit: f64,
    },
    RandomNormal {
        stddev: f64,
    },
    /// Normal numbers, with those beyond two standard deviations drawn again; the result's deviation is less than `stddev`.
    TruncatedNormal {
        stddev: f64,
    },
    /// Kernels and biases uniform between minus and plus 1 / sqrt(fan_in), as `nn.Conv2d` and `nn.Linear` start.
    PytorchDefault {},
    Zeros {},
    Constant {
        value: f64,
    },
}

/// Fan-in and fan-out: the number of inputs that one unit or filter sums over, and the number of units or filters that one input
/// reaches. Both include the area of a convolution's kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fans {
    pub inputs: f64,
    pub outputs: f64,
}

/// The distribution that weights are drawn from, before the factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Uniform between minus and plus the limit.
    Uniform {
        limit: f64,
    },
    Normal {
        stddev: f64,
    },
    /// Normal numbers, with those beyond two standard deviations drawn again.
    TruncatedNormal {
        stddev: f64,
    },
    Constant {
        value: f64,
    },
}

impl Fans {
    /// The fans of a kernel of this shape: height and width if it has any, then inputs and outputs.
    pub fn of(kernel: &[usize]) -> Self {
        let (window, ends) = kernel.split_at(kernel.len() - 2);
        let area: usize = window.iter().product();
        Self { inputs: (area * ends[0]) as f64, outputs: (area * ends[1]) as f64 }
    }
}

impl Distribution {
    /// The standard deviation of a standard normal variable truncated at ±2: Keras' `VarianceScaling` divides by it.
    pub const CUT_OFF_DEVIATION: f64 = 0.879_625_661_034_239_8;

    /// Uniform numbers with this variance: Glorot and Bengio's limit is sqrt(6 / (fan_in + fan_out)).
    fn uniform(variance: f64) -> Self {
        Self::Uniform { limit: (3.0 * variance).sqrt() }
    }

    /// Truncated normal numbers with this variance.
    fn normal(variance: f64) -> Self {
        Self::TruncatedNormal { stddev: variance.sqrt() / Self::CUT_OFF_DEVIATION }
    }
}

impl KernelInitializer {
    /// The distribution of a kernel with these fans. Sources: Keras' `VarianceScaling`, PyTorch's `reset_parameters`.
    pub fn distribution(&self, fans: Fans) -> Distribution {
        let glorot = 2.0 / (fans.inputs + fans.outputs);
        match *self {
            Self::GlorotUniform {} => Distribution::uniform(glorot),
            Self::GlorotNormal {} => Distribution::normal(glorot),
            Self::HeUniform {} => Distribution::uniform(2.0 / fans.inputs),
            Self::HeNormal {} => Distribution::normal(2.0 / fans.inputs),
            Self::LecunUniform {} => Distribution::uniform(1.0 / fans.inputs),
            Self::LecunNormal {} => Distribution::normal(1.0 / fans.inputs),
            Self::RandomUniform { limit } => Distribution::Uniform { limit },
            Self::RandomNormal { stddev } => Distribution::Normal { stddev },
            Self::TruncatedNormal { stddev } => Distribution::TruncatedNormal { stddev },
            Self::PytorchDefault {} => Distribution::Uniform { limit: fans.inputs.sqrt().recip() },
            Self::Zeros {} => Distribution::Constant { value: 0.0 },
            Self::Constant { value } => Distribution::Constant { value },
        }
    }

    /// Whether the initializer draws biases as well.
    pub fn draws_biases(&self) -> bool {
        *self == Self::PytorchDefault {}
    }

    /// Whether all weights of a kernel start equal.
    pub fn is_constant(&self) -> bool {
        match *self {
            Self::Zeros {} | Self::Constant { .. } => true,
            Self::RandomUniform { limit: spread }
            | Self::RandomNormal { stddev: spread }
            | Self::TruncatedNormal { stddev: spread } => spread == 0.0,
            Self::GlorotUniform {}
            | Self::GlorotNormal {}
            | Self::HeUniform {}
            | Self::HeNormal {}
            | Self::LecunUniform {}
            | Self::LecunNormal {}
            | Self::PytorchDefault {} => false,
        }
    }

    /// The kinds with Keras' defaults.
    pub(super) fn choices() -> Vec<Choice> {
        let choice = |id, name, kind: Self| Choice::new(id, name, kind);
        vec![
            choice("glorot_uniform", "Glorot uniform", Self::GlorotUniform {}),
            choice("glorot_normal", "Glorot normal", Self::GlorotNormal {}),
            choice("he_uniform", "He uniform", Self::HeUniform {}),
            choice("he_normal", "He normal", Self::HeNormal {}),
            choice("lecun_uniform", "LeCun uniform", Self::LecunUniform {}),
            choice("lecun_normal", "LeCun normal", Self::LecunNormal {}),
            choice("random_uniform", "Uniform", Self::RandomUniform { limit: 0.05 }),
            choice("random_normal", "Normal", Self::RandomNormal { stddev: 0.05 }),
            choice("truncated_normal", "Truncated normal", Self::TruncatedNormal { stddev: 0.05 }),
            choice("pytorch_default", "PyTorch's default", Self::PytorchDefault {}),
            choice("zeros", "Zeros", Self::Zeros {}),
            choice("constant", "Constant", Self::Constant { value: 0.01 }),
        ]
    }

    /// The kinds for one layer, which has the network's initializer where its own is `None`.
    pub(super) fn choices_of_a_layer() -> Vec<Choice> {
        let networks = Choice::new("none", "Same as the network", None::<Self>);
        std::iter::once(networks).chain(Self::choices()).collect()
    }
}

impl Default for InitializerConfig {
    fn default() -> Self {
        Self { kernel: KernelInitializer::GlorotUniform {}, factor: 1.0, bias: 0.0 }
    }
}

const GROUP: FieldGroup = FieldGroup::Network;

pub(super) const FIELDS: &[Field] = &[
    Field::choice(
        GROUP,
        "network.initializer.kernel",
        "Initial kernels",
        KernelInitializer::choices,
    )
    .in_keras("kernel_initializer"),
    Field::real(GROUP, "network.initializer.kernel.value", "Constant", -1e3, 1e3),
    Field::real(GROUP, "network.initializer.kernel.limit", "Limit", 0.0, 1e3),
    Field::real(GROUP, "network.initializer.kernel.stddev", "Standard deviation", 0.0, 1e3)
        .in_keras("stddev"),
    Field::real(GROUP, "network.initializer.factor", "Initial kernels multiplied by", 0.0, 1e6),
    Field::real(GROUP, "network.initializer.bias", "Initial biases", -1e3, 1e3)
        .in_keras("bias_initializer"),
];
