//! An experiment in words: the names of its layers, its size, and its differences from another experiment.

use serde::Serialize;
use serde_json::Value;
use tsify::Tsify;

use super::fields::layer_of;
use super::{
    EpochCost, Experiment, Field, InvalidField, LayerConfig, Setting, estimate_memory_bytes,
    layer_shapes, number_text,
};

/// The facts about an experiment that the page shows before it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Summary {
    pub layers: Vec<LayerSummary>,
    /// The number of trainable parameters.
    #[tsify(type = "number")]
    pub parameters: u64,
    /// The estimated memory of a training run.
    #[tsify(type = "number")]
    pub memory_bytes: f64,
    /// The multiply-adds of an epoch; see [`EpochCost`].
    pub multiply_adds: f64,
    /// A sentence on the time of an epoch, where an epoch takes long.
    pub slow_note: Option<String>,
    /// The id of the optimizer's kind, where all its values are that kind's defaults.
    #[tsify(type = "string | null")]
    pub optimizer_id: Option<&'static str>,
    pub conv_bias: Option<bool>,
    pub dense_bias: Option<bool>,
    /// The batch size in words: "1 step per epoch, with all 20 images (full batch)".
    pub batch_note: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct LayerSummary {
    /// "Conv 32, 3 × 3, ReLU"
    pub name: String,
    /// "62 × 62 × 32"
    pub output: String,
    #[tsify(type = "number")]
    pub parameters: u64,
}

/// One difference between two experiments, in words and as the setting that makes it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Change {
    pub setting: Setting,
    pub field: String,
    /// The name of the field in lower case, for the middle of a sentence: "learning rate".
    pub label: String,
    /// The changed value: "0.02".
    pub value: String,
}

impl Experiment {
    /// The summary of a valid experiment, or its first problem.
    pub fn summary(&self) -> Result<Summary, InvalidField> {
        self.validate().map_err(|problems| problems[0].clone())?;
        let shapes = layer_shapes(&self.network, &self.dataset)?;
        let layers: Vec<_> = self
            .network
            .layers
            .iter()
            .zip(&shapes)
            .map(|(layer, shape)| LayerSummary {
                name: layer.name(),
                output: shape.output.to_string(),
                parameters: shape.parameters,
            })
            .collect();
        let cost = EpochCost::of(self);
        Ok(Summary {
            parameters: layers.iter().map(|layer| layer.parameters).sum(),
            layers,
            memory_bytes: estimate_memory_bytes(self) as f64,
            multiply_adds: cost.multiply_adds,
            slow_note: cost.slow_note(),
            optimizer_id: self.optimizer_choice().map(|(id, _)| id),
            conv_bias: self.conv_bias(),
            dense_bias: self.dense_bias(),
            batch_note: batch_note(self.training.batch_size, self.dataset.images),
        })
    }

    /// The id and name of the kind of optimizer that has exactly these values.
    fn optimizer_choice(&self) -> Option<(&'static str, &'static str)> {
        let value = serde_json::to_value(&self.training.optimizer).expect("plain data");
        let kinds = Field::of("training.optimizer").expect("a field").choices();
        kinds.iter().find(|kind| kind.value == value).map(|kind| (kind.id, kind.name))
    }

    /// "SGD with momentum", or for other values than a kind's defaults the Keras class: "SGD, custom".
    pub fn optimizer_name(&self) -> String {
        let custom = || format!("{}, custom", self.training.optimizer.keras_name());
        self.optimizer_choice().map_or_else(custom, |(_, name)| name.into())
    }

    /// The differences of this experiment from `base`, one field at a time.
    pub fn changes_from(&self, base: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut plain = base.clone();
        // Biases that changed in all layers of one kind count as one change.
        let biases = [
            ("network.conv_bias", "convolution biases", self.conv_bias(), base.conv_bias()),
            ("network.dense_bias", "dense bias", self.dense_bias(), base.dense_bias()),
        ];
        for (field, label, now, before) in biases {
            if let (Some(on), true) = (now, now != before) {
                let setting = Setting::new(field, on);
                if plain.apply(&setting).is_ok() {
                    let value = if on { "on" } else { "off" };
                    changes.push(Change {
                        setting,
                        field: field.into(),
                        label: label.into(),
                        value: value.into(),
                    });
                }
            }
        }
        let settings = self.settings_from(&plain);
        // All changes inside the optimizer are shown as one, by the optimizer's name.
        let (optimizer, others): (Vec<_>, Vec<_>) = settings
            .into_iter()
            .partition(|setting| setting.field.starts_with("training.optimizer"));
        let mut described: Vec<_> =
            others.into_iter().map(|setting| self.described(setting)).collect();
        if !optimizer.is_empty() {
            described.push(Change {
                setting: Setting::new("training.optimizer", &self.training.optimizer),
                field: "training.optimizer".into(),
                label: "optimizer".into(),
                value: self.optimizer_name(),
            });
        }
        described.extend(changes);
        described
    }

    /// A setting in words.
    fn described(&self, setting: Setting) -> Change {
        let path = setting.field.clone();
        let field = Field::of(&path);
        let label = in_a_sentence(field.map_or(path.as_str(), |field| field.label));
        let named = |id: &str| {
            let kind = field.and_then(|field| field.choice_named(id));
            kind.map_or(id.to_string(), |kind| in_a_sentence(kind.name))
        };
        let value = match &setting.value {
            _ if path == "network.layers" => {
                let names: Vec<_> = self.network.layers.iter().map(LayerConfig::name).collect();
                names.join(" → ")
            }
            Value::String(id) => named(id),
            Value::Bool(on) => if *on { "on" } else { "off" }.into(),
            Value::Null => "none".into(),
            Value::Object(_) => {
                let kind = field.and_then(|field| field.chosen(&setting.value));
                let name = kind.map_or("custom".into(), |kind| in_a_sentence(kind.name));
                format!("{name}, custom")
            }
            other => other.as_f64().map_or(other.to_string(), number_text),
        };
        let label = match layer_of(&path) {
            Some(index) => format!("{label} of layer {}", index + 1),
            None => label,
        };
        Change { setting, field: path, label, value }
    }
}

fn batch_note(batch: u32, images: u32) -> String {
    let steps = images.div_ceil(batch);
    let last = images - (steps - 1) * batch;
    if steps == 1 {
        format!("1 step per epoch, with all {images} images (full batch)")
    } else if last == batch {
        format!("{steps} steps per epoch")
    } else {
        format!("{steps} steps per epoch, the last with {last}")
    }
}

/// `words` without a capital at the start, unless it belongs to a name such as "L2" or "He".
fn in_a_sentence(words: &str) -> String {
    const NAMES: [&str; 6] = ["Glorot", "He ", "LeCun", "PyTorch", "Keras", "Nesterov"];
    let is_name = NAMES.iter().any(|name| words.starts_with(name));
    match words.chars().nth(1) {
        Some(second) if second.is_lowercase() && !is_name => {
            words[..1].to_ascii_lowercase() + &words[1..]
        }
        _ => words.into(),
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    #[wasm_bindgen_test(unsupported = test)]
    fn changes_name_the_field_and_the_value() {
        let base = Experiment::default();
        let rows = [
            ("training.learning_rate", "0.02", "learning rate 0.02"),
            ("training.batch_size", "4", "batch size 4"),
            ("training.optimizer", "momentum", "optimizer SGD with momentum"),
            ("training.optimizer.beta_1", "0.8", "optimizer Adam, custom"),
            ("network.conv_bias", "false", "convolution biases off"),
            ("network.dense_bias", "off", "dense bias off"),
            ("network.layers[0].filters", "16", "filters of layer 1 16"),
            ("network.layers", r#"[{"type":"flatten"}]"#, "layers Flatten"),
            ("seed", "7", "seed 7"),
            ("training.augmentation.horizontal_flip", "on", "horizontal flip on"),
            ("dataset.labels", "balanced", "labels balanced"),
            ("dataset.side", "16", "image side 16"),
            ("dataset.width", "1000", "image width 1000"),
            ("training.loss", "binary_crossentropy", "loss binary cross-entropy"),
            ("training.loss.from_logits", "true", "from logits on"),
            ("network.regularizer.l1", "0.01", "L1 0.01"),
            ("network.initializer.kernel", "he_uniform", "initial kernels He uniform"),
            ("network.layers[0].kernel_initializer", "zeros", "initial kernel of layer 1 zeros"),
            ("training.early_stopping", "loss", "early stopping on the training loss"),
            ("training.loop.frozen", "[0, 3]", "frozen layers [0,3]"),
        ];
        assert_eq!(base.changes_from(&base), []);
        for (field, text, expected) in rows {
            let mut changed = base.clone();
            changed.set(field, text).unwrap();
            let changes = changed.changes_from(&base);
            let [change] = <[Change; 1]>::try_from(changes).expect(field);
            assert_eq!(format!("{} {}", change.label, change.value), expected);
            let mut again = base.clone();
            again.apply(&change.setting).unwrap();
            assert_eq!(again, changed, "{field}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_summary_counts_weights_and_steps() {
        let mut experiment = Experiment::default();
        let found = experiment.summary().unwrap();
        let rows: Vec<_> = found.layers.iter().map(|l| (l.output.as_str(), l.parameters)).collect();
        let expected = [("62 × 62 × 32", 896), ("31 × 31 × 32", 0), ("30752", 0), ("2", 61_506)];
        assert_eq!(rows, expected);
        assert_eq!(found.parameters, 62_402);
        assert_eq!(found.optimizer_id, Some("adam"));
        for (batch, note) in [
            (20, "1 step per epoch, with all 20 images (full batch)"),
            (5, "4 steps per epoch"),
            (8, "3 steps per epoch, the last with 4"),
        ] {
            experiment.training.batch_size = batch;
            assert_eq!(experiment.summary().unwrap().batch_note, note);
        }
    }
}
