//! A fixture's JSON as types: what is not understood is an error that names it.

use overfit_lab::dataset::Dataset;
use overfit_lab::experiment::{
    Activation, DatasetConfig, Experiment, LayerConfig, NetworkConfig, OptimizerConfig, Padding,
    TrainingConfig,
};
use overfit_lab::network::glorot_limit;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    pub gradients: BTreeMap<String, Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixtureExperiment {
    layers: Vec<serde_json::Value>,
    optimizer: serde_json::Value,
    batch_size: u32,
    l2: f64,
    images: u32,
    classes: u32,
    side: Option<u32>,
    channels: Option<u32>,
}

/// A tensor's shape, norm and a few of its values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    pub shape: Vec<usize>,
    pub l2: f64,
    pub at: Vec<usize>,
    pub values: Vec<Option<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    #[serde(rename = "note")]
    _note: String,
    pub logits: Vec<Vec<f64>>,
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
    pub gradient_l2: BTreeMap<String, Option<f64>>,
    pub loss_float64: Option<f64>,
    pub correct_float64: u32,
}

impl Fixture {
    /// The fixture, or what in it this crate does not understand.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fixture: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        fixture.experiment()?;
        Ok(fixture)
    }

    pub fn experiment(&self) -> Result<Experiment, String> {
        let given = &self.experiment;
        if given.l2 != 0.0 {
            return Err(format!("unknown l2 {}", given.l2));
        }
        let layers: Result<_, _> = given.layers.iter().map(layer).collect();
        let (optimizer, learning_rate) = optimizer(&given.optimizer)?;
        let experiment = Experiment {
            dataset: DatasetConfig {
                images: given.images,
                side: given.side.unwrap_or(64),
                channels: given.channels.unwrap_or(3),
                classes: given.classes,
            },
            network: NetworkConfig { layers: layers? },
            training: TrainingConfig {
                optimizer,
                learning_rate,
                batch_size: given.batch_size.min(given.images),
                epochs: 1,
            },
            seed: 0,
        };
        experiment.validate().map_err(|problems| problems[0].to_string())?;
        Ok(experiment)
    }

    /// Whether Keras in f32 and Keras in f64 still agreed on every loss up to this step. Where they part, rounding
    /// decides the weights, and no other implementation can be asked for the same ones.
    pub fn is_settled(&self, step: usize) -> bool {
        self.steps[..step].iter().all(|step| match (step.loss, step.loss_float64) {
            (Some(single), Some(double)) => (single - double).abs() <= 2e-5 * double.abs().max(1.0),
            _ => true,
        })
    }

    pub fn dataset(&self) -> Dataset {
        let config = self.experiment().expect("checked when it was read").dataset;
        let (side, channels) = (config.side as usize, config.channels as usize);
        let count = config.images as usize;
        let labels = (0..config.images)
            .map(|i| {
                ((u64::from(hash(self.tensor_id_offset + 13, i)) * u64::from(config.classes)) >> 32)
                    as u32
            })
            .collect();
        Dataset {
            side,
            channels,
            classes: config.classes as usize,
            images: (0..(count * side * side * channels) as u32)
                .map(|i| uniform(self.tensor_id_offset, i))
                .collect(),
            labels,
        }
    }

    /// The initial values of the `nth` kernel of the network.
    pub fn kernel(&self, nth: usize, shape: &[usize]) -> Vec<f32> {
        let limit = glorot_limit(shape);
        let id = self.tensor_id_offset + 16 + nth as u32;
        (0..shape.iter().product::<usize>() as u32)
            .map(|i| (2.0 * uniform(id, i) - 1.0) * limit)
            .collect()
    }
}

fn layer(value: &serde_json::Value) -> Result<LayerConfig, String> {
    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    enum Known {
        Conv2d {
            filters: u32,
            kernel: u32,
            padding: Padding,
            use_bias: bool,
            activation: Option<Activation>,
        },
        MaxPool {
            pool: u32,
        },
        Flatten {},
        Dense {
            units: u32,
            use_bias: bool,
            activation: Option<Activation>,
        },
        Relu {},
        Softmax {},
    }
    let known =
        serde_json::from_value(value.clone()).map_err(|error| format!("layer {value}: {error}"))?;
    Ok(match known {
        Known::Conv2d { filters, kernel, padding, use_bias, activation } => {
            LayerConfig::Conv2d { filters, kernel, padding, use_bias, activation }
        }
        Known::MaxPool { pool } => LayerConfig::MaxPool { pool },
        Known::Flatten {} => LayerConfig::Flatten {},
        Known::Dense { units, use_bias, activation } => {
            LayerConfig::Dense { units, use_bias, activation }
        }
        Known::Relu {} => LayerConfig::Activation { activation: Activation::Relu },
        Known::Softmax {} => LayerConfig::Activation { activation: Activation::Softmax },
    })
}

/// The optimizer without its learning rate, which is a field of its own here.
fn optimizer(value: &serde_json::Value) -> Result<(OptimizerConfig, f64), String> {
    let mut fields = value.clone();
    let object = fields.as_object_mut().ok_or("an optimizer is an object")?;
    let rate = object.remove("learning_rate").unwrap_or_default();
    let rate = rate.as_f64().ok_or(format!("unknown learning rate {rate}"))?;
    if object.get("type").is_some_and(|kind| kind == "sgd") {
        object.entry("weight_decay").or_insert(0.0.into());
    }
    let config =
        serde_json::from_value(fields).map_err(|error| format!("optimizer {value}: {error}"))?;
    Ok((config, rate))
}

/// lowbias32 of the flat index, a different sequence for each tensor id.
fn hash(tensor_id: u32, index: u32) -> u32 {
    let mut x = index.wrapping_add(0x9E37_79B9_u32.wrapping_mul(tensor_id.wrapping_add(1)));
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

fn uniform(tensor_id: u32, index: u32) -> f32 {
    (hash(tensor_id, index) >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[test]
fn hashes_have_their_known_values() {
    assert_eq!(
        [0, 1, 2, 3].map(|i| hash(0, i)),
        [33_350_994, 2_672_842_292, 127_880_910, 260_803_382]
    );
    assert_eq!([0, 1].map(|i| hash(13, i)), [3_587_226_866, 3_185_239_469]);
    assert!((uniform(0, 0) - 0.007_765_11).abs() < 1e-8);
}
