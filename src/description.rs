//! An experiment in words: what its layers are called, what it weighs, how it differs from another.

use serde::Serialize;
use serde_json::Value;
use tsify::Tsify;

use crate::experiment::{
    Experiment, InvalidField, LayerConfig, NetworkConfig, Warning, estimate_memory_bytes, label_of,
    layer_name, layer_shapes, number_text,
};
use crate::presets;

/// What a person wants to know of an experiment before it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Summary {
    pub layers: Vec<LayerSummary>,
    /// Trainable numbers.
    pub parameters: u32,
    /// An estimate of what training takes.
    #[tsify(type = "number")]
    pub memory_bytes: f64,
    /// The id of the [`presets::OptimizerChoice`] with this configuration, if there is one.
    pub optimizer_id: Option<String>,
    pub conv_bias: Option<bool>,
    pub dense_bias: Option<bool>,
    /// What the batch size means: "All 20 images in one step: no mini-batch noise"
    pub batch_note: String,
    /// What is allowed and most likely a mistake.
    pub warnings: Vec<Warning>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct LayerSummary {
    /// "Conv 32, 3 × 3, ReLU"
    pub name: String,
    /// "62 × 62 × 32"
    pub output: String,
    pub parameters: u32,
}

/// One way in which an experiment differs from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Change {
    pub field: String,
    /// In lower case, for the middle of a sentence: "learning rate".
    pub label: String,
    /// What it is now: "0.02".
    pub value: String,
}

/// The summary of a valid experiment, or its first problem.
pub fn summary(experiment: &Experiment) -> Result<Summary, InvalidField> {
    experiment.validate().map_err(|problems| problems[0].clone())?;
    let shapes = layer_shapes(&experiment.network, &experiment.dataset)?;
    let layers: Vec<_> = shapes
        .iter()
        .enumerate()
        .map(|(index, shape)| LayerSummary {
            name: layer_name(&experiment.network, index),
            output: shape.output.to_string(),
            parameters: shape.parameters as u32,
        })
        .collect();
    let choices = presets::optimizers();
    let choice = choices.iter().find(|choice| choice.config == experiment.training.optimizer);
    Ok(Summary {
        parameters: layers.iter().map(|layer| layer.parameters).sum(),
        layers,
        memory_bytes: estimate_memory_bytes(experiment) as f64,
        optimizer_id: choice.map(|choice| choice.id.to_string()),
        conv_bias: experiment.conv_bias(),
        dense_bias: experiment.dense_bias(),
        batch_note: batch_note(experiment.training.batch_size, experiment.dataset.images),
        warnings: experiment.warnings(),
    })
}

fn batch_note(batch: u32, images: u32) -> String {
    let steps = images.div_ceil(batch);
    let last = images - (steps - 1) * batch;
    if steps == 1 {
        format!("All {images} images in one step: no mini-batch noise")
    } else if last == batch {
        format!("{steps} steps an epoch")
    } else {
        format!("{steps} steps an epoch, the last with {last}")
    }
}

/// How `experiment` differs from `base`, a field each.
pub fn changes(experiment: &Experiment, base: &Experiment) -> Vec<Change> {
    let mut changes = other_changes(experiment, base);
    if experiment.training.optimizer != base.training.optimizer {
        changes.push(Change {
            field: "training.optimizer".into(),
            label: "optimizer".into(),
            value: optimizer_name(experiment),
        });
    }
    let biases = [
        ("network.conv_bias", "convolution biases", experiment.conv_bias(), base.conv_bias()),
        ("network.dense_bias", "dense bias", experiment.dense_bias(), base.dense_bias()),
    ];
    for (field, label, now, before) in biases {
        if now != before {
            let value = match now {
                Some(true) => "on",
                Some(false) => "off",
                None => "mixed",
            };
            changes.push(Change { field: field.into(), label: label.into(), value: value.into() });
        }
    }
    if without_biases(&experiment.network) != without_biases(&base.network) {
        changes.push(Change {
            field: "network.layers".into(),
            label: "layers".into(),
            value: "changed".into(),
        });
    }
    changes
}

/// The fields outside the layers and the optimizer.
fn other_changes(experiment: &Experiment, base: &Experiment) -> Vec<Change> {
    let value = |experiment| serde_json::to_value(experiment).expect("an experiment is plain data");
    let mut changes = Vec::new();
    compare("", &value(experiment), &value(base), &mut changes);
    changes
}

fn compare(path: &str, now: &Value, before: &Value, changes: &mut Vec<Change>) {
    if now == before || ["network.layers", "training.optimizer"].contains(&path) {
        return;
    }
    let kinds = presets::choices(path);
    let kind = presets::chosen(path, now).filter(|_| now.get("type") != before.get("type"));
    let value = match (now, kind) {
        (Value::Object(fields), None) => {
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, inner, before.get(name).unwrap_or(&Value::Null), changes);
            }
            return;
        }
        (Value::String(id), _) => named(&kinds, id),
        (_, Some(id)) => named(&kinds, &id),
        (Value::Bool(on), _) => if *on { "on" } else { "off" }.into(),
        (now, _) => now.as_f64().map_or(now.to_string(), number_text),
    };
    let label = in_a_sentence(label_of(path).unwrap_or(path));
    changes.push(Change { field: path.into(), label, value });
}

/// What a kind is called.
fn named(kinds: &[presets::Choice], id: &str) -> String {
    let kind = kinds.iter().find(|kind| kind.id == id);
    kind.map_or(id.into(), |kind| in_a_sentence(kind.name))
}

/// Without a capital at its start, unless that is part of a name such as "L2" or "He".
fn in_a_sentence(words: &str) -> String {
    const NAMES: [&str; 4] = ["Glorot", "He ", "LeCun", "PyTorch"];
    let is_name = NAMES.iter().any(|name| words.starts_with(name));
    match words.chars().nth(1) {
        Some(second) if second.is_lowercase() && !is_name => {
            words[..1].to_lowercase() + &words[1..]
        }
        _ => words.into(),
    }
}

/// "SGD with momentum", or the Keras class where a person set its numbers.
pub fn optimizer_name(experiment: &Experiment) -> String {
    let config = &experiment.training.optimizer;
    let choice = presets::optimizers().into_iter().find(|choice| choice.config == *config);
    choice.map_or(format!("{}, own numbers", config.keras_name()), |choice| choice.name.into())
}

fn without_biases(network: &NetworkConfig) -> Vec<LayerConfig> {
    let mut layers = network.layers.clone();
    for layer in &mut layers {
        if let LayerConfig::Conv2d { use_bias, .. } | LayerConfig::Dense { use_bias, .. } = layer {
            *use_bias = false;
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    #[wasm_bindgen_test(unsupported = test)]
    fn changes_name_the_field_and_the_value() {
        let base = presets::preset("example-1").unwrap().experiment;
        let rows = [
            ("training.learning_rate", "0.02", "learning rate 0.02"),
            ("training.batch_size", "4", "batch size 4"),
            ("training.optimizer", "momentum", "optimizer SGD with momentum"),
            ("training.optimizer.beta_1", "0.8", "optimizer Adam, own numbers"),
            ("network.conv_bias", "false", "convolution biases off"),
            ("network.dense_bias", "off", "dense bias off"),
            ("network.layers[0].filters", "16", "layers changed"),
            ("seed", "7", "seed 7"),
            ("training.augmentation.horizontal_flip", "on", "horizontal flip on"),
            ("dataset.labels", "balanced", "labels balanced"),
            ("training.loss", "binary_crossentropy", "loss binary cross-entropy"),
            ("training.loss.from_logits", "true", "from logits on"),
            ("network.regularizer.l1", "0.01", "L1 0.01"),
            ("network.initializer.kernel", "he_uniform", "initial kernels He uniform"),
            ("training.early_stopping", "loss", "early stopping on the training loss"),
            ("training.loop.frozen", "[0, 3]", "frozen layers [0,3]"),
        ];
        assert_eq!(changes(&base, &base), []);
        for (field, text, expected) in rows {
            let mut changed = base.clone();
            changed.set(field, text).unwrap();
            let [change] = changes(&changed, &base).try_into().expect(field);
            assert_eq!(format!("{} {}", change.label, change.value), expected);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_summary_counts_weights_and_steps() {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        let found = summary(&experiment).unwrap();
        let rows: Vec<_> = found.layers.iter().map(|l| (l.output.as_str(), l.parameters)).collect();
        let expected = [("62 × 62 × 32", 896), ("31 × 31 × 32", 0), ("30752", 0), ("2", 61_506)];
        assert_eq!(rows, expected);
        assert_eq!(found.parameters, 62_402);
        assert_eq!(found.optimizer_id.as_deref(), Some("adam"));
        for (batch, note) in [
            (20, "All 20 images in one step: no mini-batch noise"),
            (5, "4 steps an epoch"),
            (8, "3 steps an epoch, the last with 4"),
        ] {
            experiment.training.batch_size = batch;
            assert_eq!(summary(&experiment).unwrap().batch_note, note);
        }
    }
}
