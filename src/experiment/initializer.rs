//! What weights start from.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup};

/// What the weights of every layer start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct InitializerConfig {
    pub kernel: KernelInitializer,
    /// Multiplies every kernel.
    pub factor: f64,
    /// Every bias starts from this number; with PyTorch's default a drawn number is added to it.
    pub bias: f64,
}

/// Keras' initializers of the same names, and PyTorch's default. Glorot's, He's and LeCun's normal ones are cut off at two standard
/// deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
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
    /// Normal numbers, those beyond two standard deviations drawn again; what is left spreads by less than `stddev`.
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

/// How many numbers of its input one unit or filter sums over, and how many units or filters one number of the input reaches. A
/// convolution's window counts in both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fans {
    pub inputs: f64,
    pub outputs: f64,
}

/// What numbers are drawn from, before the factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Uniform between minus and plus the limit.
    Uniform {
        limit: f64,
    },
    Normal {
        stddev: f64,
    },
    /// Normal numbers, those beyond two standard deviations drawn again.
    TruncatedNormal {
        stddev: f64,
    },
    Constant {
        value: f64,
    },
}

impl Fans {
    /// The fans of a kernel whose window has this shape: rows and columns if it has any, inputs, outputs.
    pub fn of(window: &[usize]) -> Self {
        let (places, ends) = window.split_at(window.len() - 2);
        let places: usize = places.iter().product();
        Self { inputs: (places * ends[0]) as f64, outputs: (places * ends[1]) as f64 }
    }
}

impl Distribution {
    /// The standard deviation of a standard normal variable that is cut off at two: Keras' `VarianceScaling` divides by it.
    pub const CUT_OFF_DEVIATION: f64 = 0.879_625_661_034_239_8;

    /// Uniform numbers of a variance: Glorot and Bengio's limit is sqrt(6 / (fan_in + fan_out)).
    fn uniform(variance: f64) -> Self {
        Self::Uniform { limit: (3.0 * variance).sqrt() }
    }

    /// Cut-off normal numbers of a variance.
    fn normal(variance: f64) -> Self {
        Self::TruncatedNormal { stddev: variance.sqrt() / Self::CUT_OFF_DEVIATION }
    }
}

impl KernelInitializer {
    /// What a kernel with these fans is drawn from. Sources: Keras' `VarianceScaling`, PyTorch's `reset_parameters`.
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

    /// Whether biases are drawn, too.
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

    /// The same for one layer, which takes the network's where it has none of its own.
    pub(super) fn choices_of_a_layer() -> Vec<Choice> {
        let networks = Choice::new("none", "As the network's", None::<Self>);
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
    Field::real(GROUP, "network.initializer.factor", "Factor of the initial kernels", 0.0, 1e6),
    Field::real(GROUP, "network.initializer.bias", "Initial biases", -1e3, 1e3)
        .in_keras("bias_initializer"),
];
