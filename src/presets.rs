//! Every named experiment and every default: they stand here and nowhere else.

use serde::Serialize;
use tsify::Tsify;

use crate::experiment::{
    Activation, ClippingConfig, ConstraintConfig, DatasetConfig, Experiment, InitializerConfig,
    KernelInitializer, LayerConfig, LossConfig, NetworkConfig, OptimizerConfig, Padding,
    RegularizerConfig, ScheduleConfig, TrainingConfig,
};

/// An experiment with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Preset {
    /// What the program and a link call it.
    #[tsify(type = "string")]
    pub id: &'static str,
    /// What the page calls it.
    #[tsify(type = "string")]
    pub name: &'static str,
    /// What it is, in a line.
    #[tsify(type = "string")]
    pub summary: &'static str,
    pub experiment: Experiment,
}

/// An optimizer as a person chooses it, with Keras' defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct OptimizerChoice {
    #[tsify(type = "string")]
    pub id: &'static str,
    #[tsify(type = "string")]
    pub name: &'static str,
    pub config: OptimizerConfig,
}

/// The article's three examples, in its order.
///
/// The article leaves Keras' default batch size of 32: with 20 images that is all of them in one step.
pub fn presets() -> Vec<Preset> {
    let adam = full_batch(ADAM, 0.001, 500);
    vec![
        Preset {
            id: "example-1",
            name: "Example 1",
            summary: "Conv 32, pool, dense. Adam, 500 epochs",
            experiment: article(small_network(true), adam.clone()),
        },
        Preset {
            id: "example-2",
            name: "Example 2",
            summary: "Three convolutions, Dense 128. Adam, 500 epochs",
            experiment: article(large_network(), adam),
        },
        Preset {
            id: "example-3",
            name: "Example 3",
            summary: "Example 1 without biases. SGD at 1.0, 1,000 epochs",
            experiment: article(small_network(false), full_batch(SGD, 1.0, 1000)),
        },
    ]
}

/// The preset with this id.
pub fn preset(id: &str) -> Option<Preset> {
    presets().into_iter().find(|preset| preset.id == id)
}

/// The optimizers that a person can choose.
pub fn optimizers() -> Vec<OptimizerChoice> {
    let choice = |id, name, config| OptimizerChoice { id, name, config };
    vec![
        choice("adam", "Adam", ADAM),
        choice("sgd", "SGD", SGD),
        choice("sgd-momentum", "SGD with momentum", with_momentum(false)),
        choice("sgd-nesterov", "SGD with Nesterov momentum", with_momentum(true)),
        choice("rmsprop", "RMSprop", RMSPROP),
        choice("adamw", "AdamW", ADAMW),
        choice("nadam", "Nadam", NADAM),
        choice("adagrad", "Adagrad", ADAGRAD),
        choice("lion", "Lion", LION),
    ]
}

/// The optimizer that a person means by `name`: an id of [`optimizers`], in any case, with `_` or a space for `-`, and
/// `momentum` or `nesterov` alone for SGD with it.
pub fn optimizer(name: &str) -> Option<OptimizerConfig> {
    let name = name.to_lowercase().replace(['_', ' '], "-");
    let id = match name.as_str() {
        "momentum" => "sgd-momentum",
        "nesterov" => "sgd-nesterov",
        other => other,
    };
    let found = optimizers().into_iter().find(|choice| choice.id == id);
    found.map(|choice| choice.config)
}

const ADAM: OptimizerConfig =
    OptimizerConfig::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false };

const ADAMW: OptimizerConfig = OptimizerConfig::AdamW {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-7,
    amsgrad: false,
    weight_decay: 0.004,
};

const NADAM: OptimizerConfig = OptimizerConfig::Nadam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };

const ADAGRAD: OptimizerConfig =
    OptimizerConfig::Adagrad { initial_accumulator_value: 0.1, epsilon: 1e-7 };

const LION: OptimizerConfig = OptimizerConfig::Lion { beta_1: 0.9, beta_2: 0.99 };

const SGD: OptimizerConfig =
    OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };

const RMSPROP: OptimizerConfig =
    OptimizerConfig::RmsProp { rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false };

/// Keras' own default momentum is 0; 0.9 is what its guides, and most people, set.
fn with_momentum(nesterov: bool) -> OptimizerConfig {
    OptimizerConfig::Sgd { momentum: 0.9, nesterov, weight_decay: 0.0 }
}

/// The article's images in one step, at a constant rate.
fn full_batch(optimizer: OptimizerConfig, learning_rate: f64, epochs: u32) -> TrainingConfig {
    TrainingConfig {
        optimizer,
        loss: LossConfig::SparseCategoricalCrossentropy { from_logits: false },
        learning_rate,
        schedule: ScheduleConfig::Constant {},
        clipping: ClippingConfig::None {},
        batch_size: 20,
        epochs,
    }
}

fn article(layers: Vec<LayerConfig>, training: TrainingConfig) -> Experiment {
    Experiment {
        dataset: DatasetConfig { images: 20, side: 64, channels: 3, classes: 2 },
        network: NetworkConfig {
            layers,
            initializer: InitializerConfig {
                kernel: KernelInitializer::GlorotUniform {},
                factor: 1.0,
                bias: 0.0,
            },
            regularizer: RegularizerConfig { l1: 0.0, l2: 0.0, bias_l2: 0.0 },
            constraint: ConstraintConfig::None {},
        },
        training,
        seed: 1,
    }
}

fn small_network(use_bias: bool) -> Vec<LayerConfig> {
    vec![
        conv(32, use_bias),
        max_pool(2),
        LayerConfig::Flatten {},
        dense(2, use_bias, Activation::Softmax),
    ]
}

fn large_network() -> Vec<LayerConfig> {
    vec![
        conv(32, true),
        max_pool(2),
        conv(64, true),
        max_pool(2),
        conv(128, true),
        LayerConfig::Flatten {},
        dense(128, true, Activation::Relu),
        dense(2, true, Activation::Softmax),
    ]
}

fn conv(filters: u32, use_bias: bool) -> LayerConfig {
    LayerConfig::Conv2d {
        filters,
        kernel: 3,
        strides: 1,
        padding: Padding::Valid,
        use_bias,
        activation: Some(Activation::Relu),
    }
}

fn max_pool(pool: u32) -> LayerConfig {
    LayerConfig::MaxPool { pool, strides: pool, padding: Padding::Valid }
}

fn dense(units: u32, use_bias: bool, activation: Activation) -> LayerConfig {
    LayerConfig::Dense { units, use_bias, activation: Some(activation) }
}
