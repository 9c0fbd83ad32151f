//! An experiment as plain data: images, a network, its training, and a seed. No tensors.
//!
//! Each concept has a file with its type, its defaults, its rows in the table of fields, and every plain fact about it. [`fields`]
//! is that table. A [`Setting`] is a field with a value. [`Experiment::validate`] names each field that is out of range before any
//! work starts. The defaults are [`Experiment::default`], the article's first example, and those of each kind's [`Choice`].

mod augmentation;
mod cost;
mod data;
mod describe;
mod early_stopping;
mod fields;
mod form;
mod fusion;
mod initializer;
mod json;
mod layer;
mod loss;
mod memory;
mod optimizer;
mod regularisation;
mod schedule;
mod setting;
mod shapes;
mod strict;
mod training_loop;
mod validate;

pub use augmentation::AugmentationConfig;
pub use cost::EpochCost;
pub use data::{DatasetConfig, Labels, Pixels};
pub use describe::{Change, LayerSummary, Summary};
pub use early_stopping::{EarlyStoppingConfig, Monitor, Patience};
pub use fields::{
    Choice, Field, FieldGroup, FieldKind, FieldLimit, InvalidField, NumberRange, Slider,
    field_limits, fields, number_text, shown,
};
pub use form::{FormControl, FormField, FormGroup, FormOption};
pub use fusion::Fusible;
pub use initializer::{Distribution, Fans, InitializerConfig, KernelInitializer};
pub use layer::{Activation, LayerConfig, Norm, Padding};
pub(crate) use loss::PROBABILITY_BOUNDS;
pub use loss::{Formula, Head, LossConfig};
pub use memory::{MEMORY_LIMIT_BYTES, estimate_memory_bytes};
pub use optimizer::{ClippingConfig, OptimizerConfig};
pub use regularisation::{ConstraintConfig, RegularizerConfig};
pub use schedule::ScheduleConfig;
pub use setting::{Edited, Setting};
pub use shapes::{Border, LayerShape, Shape, Window, layer_shapes};
pub use training_loop::LoopConfig;

use serde::Serialize;
use tsify::Tsify;

use crate::from_json::FromJson;

/// One training run, described completely: on one machine the same experiment gives the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[tsify(missing_as_null)]
pub struct Experiment {
    pub dataset: DatasetConfig,
    pub network: NetworkConfig,
    pub training: TrainingConfig,
    /// Decides images, labels, initial weights and the order of batches, each by its own random stream.
    pub seed: u32,
}

/// The network as a list of layers, in Keras' terms and with Keras' names.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
#[tsify(missing_as_null)]
pub struct NetworkConfig {
    pub layers: Vec<LayerConfig>,
    pub initializer: InitializerConfig,
    pub regularizer: RegularizerConfig,
    pub constraint: ConstraintConfig,
}

/// The training of the network.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
pub struct TrainingConfig {
    pub optimizer: OptimizerConfig,
    pub loss: LossConfig,
    /// The rate that a schedule starts from, or reaches after its warm-up.
    pub learning_rate: f64,
    pub schedule: ScheduleConfig,
    pub clipping: ClippingConfig,
    /// Images per step; the last step of an epoch takes the remaining images.
    pub batch_size: u32,
    pub epochs: u32,
    pub early_stopping: EarlyStoppingConfig,
    pub augmentation: AugmentationConfig,
    #[serde(rename = "loop")]
    pub training_loop: LoopConfig,
}

/// The default batch size of Keras' `fit`.
pub(crate) const KERAS_BATCH_SIZE: u32 = 32;

impl Default for Experiment {
    /// The article's first example: one convolution, a pool and a dense layer on 20 noise images, Adam for 500 epochs.
    fn default() -> Self {
        let dataset = DatasetConfig::default();
        let optimizer = OptimizerConfig::ADAM;
        let network = NetworkConfig {
            layers: vec![
                LayerConfig::conv2d(32).with_activation(Activation::Relu),
                LayerConfig::max_pool(2),
                LayerConfig::Flatten {},
                LayerConfig::dense(2).with_activation(Activation::Softmax),
            ],
            initializer: InitializerConfig::default(),
            regularizer: RegularizerConfig::NONE,
            constraint: ConstraintConfig::None {},
        };
        Self {
            training: TrainingConfig {
                loss: LossConfig::SparseCategoricalCrossentropy { from_logits: false },
                learning_rate: optimizer.usual_rate(),
                optimizer,
                schedule: ScheduleConfig::Constant {},
                clipping: ClippingConfig::None {},
                batch_size: KERAS_BATCH_SIZE.min(dataset.images),
                epochs: 500,
                early_stopping: EarlyStoppingConfig::None {},
                augmentation: AugmentationConfig::OFF,
                training_loop: LoopConfig::RIGHT,
            },
            dataset,
            network,
            seed: 1,
        }
    }
}

impl Experiment {
    /// Whether the layer at this index is frozen: the optimizer does not update its weights.
    pub fn is_frozen(&self, layer: usize) -> bool {
        self.training.training_loop.frozen.contains(&(layer as u32))
    }

    /// Whether every layer with weights is frozen.
    pub fn is_frozen_entirely(&self) -> bool {
        let mut layers = self.network.layers.iter().enumerate();
        layers.all(|(index, layer)| !layer.has_weights() || self.is_frozen(index))
    }

    /// Whether training computes something else than inference from the same images and weights: because of augmentation, or of a
    /// layer such as dropout or batch normalisation.
    pub fn modes_differ(&self) -> bool {
        self.modes_differ_within(&self.network.layers)
    }

    /// The same for these of the network's layers alone.
    pub fn modes_differ_within(&self, layers: &[LayerConfig]) -> bool {
        let by_layers = layers.iter().any(LayerConfig::differs_by_mode);
        let by_layers = by_layers && !self.training.training_loop.inference_mode;
        by_layers || !self.training.augmentation.is_off()
    }

    /// The number of steps in one epoch.
    pub fn steps_per_epoch(&self) -> u32 {
        self.dataset.images.div_ceil(self.training.batch_size.max(1))
    }

    /// The number of steps in all epochs.
    pub fn steps(&self) -> u32 {
        self.steps_per_epoch().saturating_mul(self.training.epochs)
    }
}
