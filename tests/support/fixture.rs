//! A fixture's JSON as types. An unknown key or value is an error that names it.

use overfit_lab::dataset::{self, Dataset, ImageSize};
use overfit_lab::experiment::{
    Activation, AugmentationConfig, ClippingConfig, ConstraintConfig, DatasetConfig,
    EarlyStoppingConfig, Experiment, InitializerConfig, KernelInitializer, Labels, LayerConfig,
    LoopConfig, LossConfig, NetworkConfig, Pixels, RegularizerConfig, ScheduleConfig,
    TrainingConfig,
};
use overfit_lab::network::{Wanted, initializer};

use overfit_lab::training::Noise;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::hash::{label, uniform};

/// The key of a fixture's loss that says whether a Reshape after the last layer hides the logits from Keras.
const LOGITS_HIDDEN: &str = "logits_hidden";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    pub name: String,
    #[serde(rename = "keras")]
    _keras: String,
    #[serde(rename = "tensorflow")]
    _tensorflow: String,
    tensor_id_offset: u32,
    experiment: FixtureExperiment,
    pub images: Digest,
    pub labels: Vec<u32>,
    pub forward: Forward,
    pub states: BTreeMap<usize, BTreeMap<String, Digest>>,
    pub steps: Vec<Step>,
    /// In f32; the tests compare with `gradients_float64`.
    #[serde(rename = "gradients")]
    _gradients: BTreeMap<String, Digest>,
    #[serde(rename = "gradients_float64")]
    pub gradients: BTreeMap<String, Gradient>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixtureExperiment {
    layers: Vec<Value>,
    optimizer: Value,
    batch_size: u32,
    l2: f64,
    images: u32,
    classes: u32,
    side: Option<u32>,
    height: Option<u32>,
    width: Option<u32>,
    channels: Option<u32>,
    first_label: Option<u32>,
    regularizer: Option<BTreeMap<String, f64>>,
    max_norm: Option<f64>,
    initializer: Option<Initializer>,
    loss: Option<Value>,
    pixels: Option<String>,
    scale: Option<f64>,
    shift: Option<f64>,
    #[serde(rename = "loop")]
    training_loop: Option<Loop>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Loop {
    zero_grad: Option<bool>,
    frozen: Option<Vec<u32>>,
    labels_rolled_by: Option<u32>,
    optimizer_recreated: Option<bool>,
    batch_norm: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Initializer {
    kernel: Option<String>,
    value: Option<f64>,
    stddev: Option<f64>,
    limit: Option<f64>,
    factor: Option<f64>,
    bias: Option<f64>,
}

/// A tensor's shape, norm and a few of its values.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    pub shape: Vec<usize>,
    #[serde(deserialize_with = "number_or_nan")]
    pub l2: f64,
    pub at: Vec<usize>,
    pub values: Vec<Option<f64>>,
}

/// The first gradient of a variable, computed by Keras in f64.
#[derive(Deserialize)]
pub struct Gradient {
    #[serde(flatten)]
    pub digest: Digest,
    /// The l2 norm of Keras' gradient in f32 minus this one: the effect of rounding alone.
    #[serde(deserialize_with = "number_or_nan")]
    pub gap: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    #[serde(rename = "note")]
    _note: String,
    /// The numbers before the softmax of the last dense layer, if it has one; otherwise the network's output.
    pub logits: Option<Vec<Vec<f64>>>,
    pub outputs: Option<Vec<Vec<f64>>>,
    pub layers: Vec<LayerDigest>,
}

#[derive(Deserialize)]
pub struct LayerDigest {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(flatten)]
    pub digest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub batch: Vec<u32>,
    pub loss: Option<f64>,
    pub correct: u32,
    #[serde(rename = "gradient_l2")]
    _gradient_l2: BTreeMap<String, Option<f64>>,
    pub loss_float64: Option<f64>,
    pub correct_float64: u32,
}

impl Digest {
    /// The l2 norm or, if it is NaN, the l2 norm of the listed values that are not NaN.
    pub fn finite_l2(&self) -> f64 {
        if self.l2.is_nan() {
            self.values.iter().flatten().map(|value| value * value).sum::<f64>().sqrt()
        } else {
            self.l2
        }
    }
}

/// Reads a number; `null` is NaN, which JSON lacks.
fn number_or_nan<'de, D: serde::Deserializer<'de>>(value: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(value).map(|number| number.unwrap_or(f64::NAN))
}

impl Fixture {
    /// Parses a fixture; the error names the part that this crate does not understand.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fixture: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        fixture.experiment()?;
        Ok(fixture)
    }

    pub fn experiment(&self) -> Result<Experiment, String> {
        let given = &self.experiment;
        let layers: Result<Vec<_>, _> = given.layers.iter().map(layer).collect();
        let mut layers = layers?;
        if given.loss.as_ref().is_some_and(|loss| loss[LOGITS_HIDDEN] == true) {
            layers.push(LayerConfig::Reshape {});
        }
        let training = training(given)?;
        let strength = |name: &str| {
            let given = given.regularizer.as_ref().and_then(|strengths| strengths.get(name));
            given.copied().unwrap_or(0.0)
        };
        let experiment = Experiment {
            dataset: data(given)?,
            network: NetworkConfig {
                layers,
                initializer: kernels(given.initializer.as_ref())?,
                regularizer: RegularizerConfig {
                    l1: strength("l1"),
                    l2: given.l2 + strength("l2"),
                    bias_l2: strength("bias_l2"),
                },
                constraint: given
                    .max_norm
                    .map_or(ConstraintConfig::None {}, |limit| ConstraintConfig::MaxNorm { limit }),
            },
            training,
            seed: 0,
        };
        experiment.validate().map_err(|problems| problems[0].to_string())?;
        Ok(experiment)
    }

    pub fn dataset(&self) -> Dataset {
        let experiment = self.experiment().expect("checked when it was read");
        let config = &experiment.dataset;
        let label = |i| label(self.tensor_id_offset + 13, i, config.classes);
        let mut labels: Vec<u32> = (0..config.images).map(label).collect();
        if config.conflicting_pairs == 1 {
            labels[..2].copy_from_slice(&[0, 1]);
        }
        let kinds: Vec<u32> = labels.iter().map(|label| label % 2).collect();
        labels.rotate_right(experiment.training.training_loop.labels_rolled_by as usize);
        labels.iter_mut().for_each(|label| *label += config.first_label);
        let mut numbers = (0..).map(|i| uniform(self.tensor_id_offset, i));
        let uniform = || numbers.next().expect("no end");
        Dataset {
            size: ImageSize::of(config),
            channels: config.channels as usize,
            labels_end: config.last_label() as usize + 1,
            images: dataset::images(config, &kinds, uniform, |_| unreachable!("no marks")),
            labels,
            ends: [0.0, 1.0],
        }
    }

    /// The initial values of a kernel or a bias.
    pub fn draw(&self, wanted: &Wanted) -> Vec<f32> {
        // The kernels before a bias include its own layer's.
        let first = if wanted.is_bias { 59 } else { 16 };
        let id = self.tensor_id_offset + first + wanted.nth_kernel as u32;
        let mut numbers = (0..).map(|i| uniform(id, i));
        let uniform = || numbers.next().expect("no end");
        initializer::kernel(&wanted.initializer, wanted.window, wanted.count, uniform)
    }

    /// The random numbers of dropout.
    pub fn noise(&self) -> Noise {
        let offset = self.tensor_id_offset + 10_000;
        Box::new(move |step, layer, numbers| {
            let id = offset + 100 * step as u32 + layer as u32;
            numbers.iter_mut().zip(0..).for_each(|(number, i)| *number = uniform(id, i));
        })
    }
}

/// A layer of a fixture as one of ours. In fixtures, keys with Keras' defaults may be absent, and activations are layers with their
/// own names.
fn layer(value: &Value) -> Result<LayerConfig, String> {
    let mut fields = value.as_object().ok_or("a layer is an object")?.clone();
    let kind = fields["type"].as_str().unwrap_or_default().to_string();
    // In a fixture, a layer's own initializer gives only the kind of its kernel.
    if let Some(own) = fields.remove("initializer") {
        let own: Initializer = serde_json::from_value(own).map_err(|error| error.to_string())?;
        if own.factor.is_some() || own.bias.is_some() {
            return Err(format!("layer {value}: a factor or bias of its own"));
        }
        let kernel = serde_json::to_value(kernel_initializer(&own)?);
        fields.insert("kernel_initializer".into(), kernel.map_err(|error| error.to_string())?);
    }
    let pool = fields.get("pool").cloned().unwrap_or(2.into());
    let valid = || Value::from("valid");
    let defaults: &[(&str, Value)] = match kind.as_str() {
        "conv2d" => &[
            ("strides", 1.into()),
            ("padding", valid()),
            ("use_bias", true.into()),
            ("activation", Value::Null),
        ],
        "dense" | "locally_connected" => &[("use_bias", true.into()), ("activation", Value::Null)],
        "max_pool" | "average_pool" => {
            &[("pool", 2.into()), ("strides", pool), ("padding", valid())]
        }
        "batch_norm" => &[("momentum", 0.99.into()), ("epsilon", 1e-3.into())],
        "layer_norm" => &[("epsilon", 1e-3.into())],
        "group_norm" => &[("groups", 32.into()), ("epsilon", 1e-3.into())],
        // The default of the layer `LeakyReLU`; that of `activation="leaky_relu"` is 0.2.
        "leaky_relu" => &[("negative_slope", 0.3.into())],
        _ => &[],
    };
    for (name, default) in defaults {
        fields.entry(*name).or_insert(default.clone());
    }
    let activation = serde_json::from_value::<Activation>(kind.into());
    if let (Ok(activation), 1) = (activation, fields.len()) {
        return Ok(LayerConfig::Activation { activation });
    }
    serde_json::from_value(fields.into()).map_err(|error| format!("layer {value}: {error}"))
}

/// The dataset of a fixture. A fixture's `duplicates` are a conflicting pair of ours.
fn data(given: &FixtureExperiment) -> Result<DatasetConfig, String> {
    let (pixels, conflicting_pairs) = match given.pixels.as_deref().unwrap_or("uniform") {
        "uniform" => (Pixels::Uniform, 0),
        "constant" => (Pixels::Constant, 0),
        "duplicates" => (Pixels::Uniform, 1),
        "stripes" => (Pixels::Stripes, 0),
        unknown => return Err(format!("unknown pixels {unknown}")),
    };
    let side = given.side.unwrap_or(64);
    Ok(DatasetConfig {
        images: given.images,
        height: given.height.unwrap_or(side),
        width: given.width.unwrap_or(side),
        channels: given.channels.unwrap_or(3),
        classes: given.classes,
        first_label: given.first_label.unwrap_or(0),
        pixels,
        scale: given.scale.unwrap_or(1.0),
        shift: given.shift.unwrap_or(0.0),
        labels: if pixels == Pixels::Stripes { Labels::Pattern } else { Labels::Random },
        flipped: 0.0,
        conflicting_pairs,
        validation_images: 0,
    })
}

fn training_loop(given: Option<&Loop>) -> Result<LoopConfig, String> {
    let none = Loop::default();
    let given = given.unwrap_or(&none);
    let inference_mode = match given.batch_norm.as_deref() {
        None => false,
        Some("inference") => true,
        Some(unknown) => return Err(format!("unknown mode of batch normalisation {unknown}")),
    };
    Ok(LoopConfig {
        zero_grad: given.zero_grad.unwrap_or(true),
        frozen: given.frozen.clone().unwrap_or_default(),
        labels_rolled_by: given.labels_rolled_by.unwrap_or(0),
        labels_shuffled: false,
        optimizer_recreated: given.optimizer_recreated.unwrap_or(false),
        inference_mode,
    })
}

fn kernels(given: Option<&Initializer>) -> Result<InitializerConfig, String> {
    let none = Initializer::default();
    let given = given.unwrap_or(&none);
    Ok(InitializerConfig {
        kernel: kernel_initializer(given)?,
        factor: given.factor.unwrap_or(1.0),
        bias: given.bias.unwrap_or(0.0),
    })
}

fn kernel_initializer(given: &Initializer) -> Result<KernelInitializer, String> {
    let mut kernel = serde_json::Map::new();
    kernel.insert("type".into(), given.kernel.as_deref().unwrap_or("glorot_uniform").into());
    let numbers = [("value", given.value), ("stddev", given.stddev), ("limit", given.limit)];
    for (name, number) in numbers {
        kernel.extend(number.map(|number| (name.to_string(), number.into())));
    }
    serde_json::from_value(kernel.into()).map_err(|error| error.to_string())
}

/// A loss of a fixture as one of ours, with Keras' defaults. Hidden logits are a layer of ours, not a key of the loss.
fn loss(given: Option<&Value>) -> Result<LossConfig, String> {
    let Some(given) = given else { return Ok(Experiment::default().training.loss) };
    let mut fields = given.as_object().ok_or("a loss is an object")?.clone();
    fields.remove(LOGITS_HIDDEN);
    let experiment = Experiment::from_value(json!({ "training": { "loss": fields } }));
    experiment.map(|experiment| experiment.training.loss).map_err(|problem| problem.to_string())
}

/// The training of a fixture, whose optimizer contains the learning rate and the clipping, which are fields of the training here,
/// and may leave out Keras' defaults.
fn training(given: &FixtureExperiment) -> Result<TrainingConfig, String> {
    let mut fields = given.optimizer.as_object().ok_or("an optimizer is an object")?.clone();
    // `null` is Keras' None.
    fields.retain(|_, value| !value.is_null());
    let kind = fields["type"].as_str().unwrap_or_default().to_string();
    let usual_rate = if kind == "sgd" { 0.01 } else { 0.001 };
    let (learning_rate, schedule) =
        schedule(&fields.remove("learning_rate").unwrap_or(usual_rate.into()))?;
    let mut limit = |name: &str| fields.remove(name).and_then(|limit| limit.as_f64());
    let clipping = if let Some(limit) = limit("clipnorm") {
        ClippingConfig::Norm { limit }
    } else if let Some(limit) = limit("clipvalue") {
        ClippingConfig::Value { limit }
    } else if let Some(limit) = limit("global_clipnorm") {
        ClippingConfig::GlobalNorm { limit }
    } else {
        ClippingConfig::None {}
    };
    let adam = [("beta_1", 0.9.into()), ("beta_2", 0.999.into()), ("epsilon", 1e-7.into())];
    let amsgrad = ("amsgrad", false.into());
    let decay = |rate: f64| ("weight_decay", rate.into());
    let defaults: Vec<(&str, Value)> = match kind.as_str() {
        "adam" => [&adam[..], &[amsgrad]].concat(),
        "adamw" => [&adam[..], &[amsgrad, decay(0.004)]].concat(),
        "nadam" => adam.to_vec(),
        "adagrad" => vec![("initial_accumulator_value", 0.1.into()), ("epsilon", 1e-7.into())],
        "lion" => vec![("beta_1", 0.9.into()), ("beta_2", 0.99.into())],
        "sgd" => vec![("momentum", 0.0.into()), ("nesterov", false.into()), decay(0.0)],
        "rmsprop" => vec![
            ("rho", 0.9.into()),
            ("momentum", 0.0.into()),
            ("epsilon", 1e-7.into()),
            ("centered", false.into()),
        ],
        _ => Vec::new(),
    };
    for (name, default) in defaults {
        fields.entry(name).or_insert(default);
    }
    let text = given.optimizer.to_string();
    let optimizer = serde_json::from_value(fields.into());
    Ok(TrainingConfig {
        optimizer: optimizer.map_err(|error| format!("optimizer {text}: {error}"))?,
        loss: loss(given.loss.as_ref())?,
        learning_rate,
        schedule,
        clipping,
        batch_size: given.batch_size.min(given.images),
        epochs: 1,
        early_stopping: EarlyStoppingConfig::None {},
        augmentation: AugmentationConfig::OFF,
        training_loop: training_loop(given.training_loop.as_ref())?,
    })
}

/// A learning rate, which is a number or one of Keras' schedules with its arguments.
fn schedule(value: &Value) -> Result<(f64, ScheduleConfig), String> {
    #[derive(Deserialize)]
    #[serde(tag = "type", deny_unknown_fields)]
    enum Known {
        #[serde(rename = "exponential_decay")]
        Exponential {
            initial_learning_rate: f64,
            decay_steps: u32,
            decay_rate: f64,
            #[serde(default)]
            staircase: bool,
        },
        #[serde(rename = "inverse_time_decay")]
        InverseTime {
            initial_learning_rate: f64,
            decay_steps: u32,
            decay_rate: f64,
            #[serde(default)]
            staircase: bool,
        },
        #[serde(rename = "piecewise_constant_decay")]
        PiecewiseConstant { boundaries: Vec<u32>, values: Vec<f64> },
        #[serde(rename = "cosine_decay")]
        Cosine {
            initial_learning_rate: f64,
            decay_steps: u32,
            #[serde(default)]
            alpha: f64,
            warmup_target: Option<f64>,
            #[serde(default)]
            warmup_steps: u32,
        },
    }
    if let Some(rate) = value.as_f64() {
        return Ok((rate, ScheduleConfig::Constant {}));
    }
    let known = serde_json::from_value(value.clone());
    Ok(match known.map_err(|error| format!("learning rate {value}: {error}"))? {
        Known::Exponential { initial_learning_rate, decay_steps, decay_rate, staircase } => {
            let schedule = ScheduleConfig::Exponential { decay_steps, decay_rate, staircase };
            (initial_learning_rate, schedule)
        }
        Known::InverseTime { initial_learning_rate, decay_steps, decay_rate, staircase } => {
            let schedule = ScheduleConfig::InverseTime { decay_steps, decay_rate, staircase };
            (initial_learning_rate, schedule)
        }
        Known::PiecewiseConstant { boundaries, values } => {
            let factors = values[1..].iter().map(|value| value / values[0]).collect();
            (values[0], ScheduleConfig::Piecewise { boundaries, factors })
        }
        Known::Cosine {
            initial_learning_rate,
            decay_steps,
            alpha,
            warmup_target,
            warmup_steps,
        } => {
            // Keras warms up only if it has a target; otherwise it decays from the initial rate, whatever `warmup_steps` is.
            let (rate, warmup_steps, warmup_from) = match warmup_target {
                Some(target) => (target, warmup_steps, initial_learning_rate / target),
                None => (initial_learning_rate, 0, 1.0),
            };
            let schedule = ScheduleConfig::Cosine { warmup_steps, warmup_from, decay_steps, alpha };
            (rate, schedule)
        }
    })
}
