//! What presets are made of.

use crate::experiment::{
    Activation, AugmentationConfig, ClippingConfig, ConstraintConfig, DatasetConfig,
    EarlyStoppingConfig, Experiment, InitializerConfig, KernelInitializer, Labels, LayerConfig,
    LoopConfig, LossConfig, NetworkConfig, OptimizerConfig, Padding, Pixels, RegularizerConfig,
    ScheduleConfig, TrainingConfig,
};

/// Twenty noise images of two classes and Keras' defaults for all that is not given. Batches hold all images: Keras' default of 32
/// is more than there are.
pub fn experiment(
    side: u32,
    layers: Vec<LayerConfig>,
    optimizer: OptimizerConfig,
    learning_rate: f64,
    epochs: u32,
) -> Experiment {
    Experiment {
        dataset: DatasetConfig {
            images: 20,
            side,
            channels: 3,
            classes: 2,
            pixels: Pixels::Uniform,
            scale: 1.0,
            shift: 0.0,
            labels: Labels::Random,
            flipped: 0.0,
            conflicting_pairs: 0,
            validation_images: 0,
        },
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
        training: TrainingConfig {
            optimizer,
            loss: LossConfig::SparseCategoricalCrossentropy { from_logits: false },
            learning_rate,
            schedule: ScheduleConfig::Constant {},
            clipping: ClippingConfig::None {},
            batch_size: 20,
            epochs,
            early_stopping: EarlyStoppingConfig::None {},
            augmentation: AugmentationConfig::OFF,
            training_loop: LoopConfig {
                zero_grad: true,
                frozen: Vec::new(),
                labels_rolled_by: 0,
                labels_shuffled: false,
                optimizer_recreated: false,
                inference_mode: false,
            },
        },
        seed: 1,
    }
}

pub fn conv_with(filters: u32, padding: Padding, activation: Option<Activation>) -> LayerConfig {
    LayerConfig::Conv2d { filters, kernel: 3, strides: 1, padding, use_bias: true, activation }
}

/// 3 x 3, `valid`, ReLU.
pub fn conv(filters: u32) -> LayerConfig {
    conv_with(filters, Padding::Valid, Some(Activation::Relu))
}

/// 3 x 3, `same`.
pub fn conv_same(filters: u32, activation: Option<Activation>) -> LayerConfig {
    conv_with(filters, Padding::Same, activation)
}

pub fn max_pool(pool: u32) -> LayerConfig {
    LayerConfig::MaxPool { pool, strides: pool, padding: Padding::Valid }
}

pub fn flatten() -> LayerConfig {
    LayerConfig::Flatten {}
}

pub fn dense(units: u32, activation: Option<Activation>) -> LayerConfig {
    LayerConfig::Dense { units, use_bias: true, activation }
}

pub fn softmax(units: u32) -> LayerConfig {
    dense(units, Some(Activation::Softmax))
}

/// An activation as a layer of its own.
pub fn alone(activation: Activation) -> LayerConfig {
    LayerConfig::Activation { activation }
}

/// With Keras' epsilon; its own momentum is 0.99.
pub fn batch_norm(momentum: f64) -> LayerConfig {
    LayerConfig::BatchNorm { momentum, epsilon: 1e-3 }
}

/// The article's Example 1.
pub fn small_network() -> Vec<LayerConfig> {
    vec![conv(32), max_pool(2), flatten(), softmax(2)]
}
