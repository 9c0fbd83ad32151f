//! What a person can choose for a field that has kinds, each with its defaults: Keras', where Keras has one.

use serde::Serialize;
use serde_json::{Value, json};
use tsify::Tsify;

use crate::experiment::OptimizerConfig;

/// An optimizer as a person chooses it, with Keras' defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct OptimizerChoice {
    #[tsify(type = "string")]
    pub id: &'static str,
    #[tsify(type = "string")]
    pub name: &'static str,
    pub config: OptimizerConfig,
}

/// One kind that a field can have.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub id: String,
    pub name: &'static str,
    /// What the field becomes.
    pub value: Value,
}

/// The fields that have kinds.
pub const FIELDS_WITH_KINDS: [&str; 9] = [
    "training.optimizer",
    "training.loss",
    "training.schedule",
    "training.clipping",
    "training.early_stopping",
    "network.initializer.kernel",
    "network.constraint",
    "dataset.pixels",
    "dataset.labels",
];

/// The kinds of the field at `path`; nothing where it has none.
pub fn choices(path: &str) -> Vec<Choice> {
    let named = |id: &str, name, value| Choice { id: id.into(), name, value };
    let tagged = |rows: Vec<(&'static str, Value)>| {
        let row = |(name, value): (&'static str, Value)| {
            let id = value["type"].as_str().expect("a tagged value").to_string();
            Choice { id, name, value }
        };
        rows.into_iter().map(row).collect()
    };
    let words = |rows: &[(&str, &'static str)]| {
        rows.iter().map(|(id, name)| named(id, name, json!(id))).collect()
    };
    match path {
        "training.optimizer" => optimizers()
            .into_iter()
            .map(|choice| named(choice.id, choice.name, json!(choice.config)))
            .collect(),
        "training.loss" => tagged(vec![
            (
                "Sparse categorical cross-entropy",
                json!({"type": "sparse_categorical_crossentropy", "from_logits": false}),
            ),
            (
                "Categorical cross-entropy",
                json!({"type": "categorical_crossentropy", "from_logits": false, "label_smoothing": 0.0}),
            ),
            (
                "Binary cross-entropy",
                json!({"type": "binary_crossentropy", "from_logits": false, "label_smoothing": 0.0}),
            ),
            ("Mean squared error", json!({"type": "mean_squared_error"})),
            (
                "PyTorch's CrossEntropyLoss",
                json!({"type": "torch_cross_entropy", "label_smoothing": 0.0}),
            ),
        ]),
        "training.schedule" => tagged(vec![
            ("Constant", json!({"type": "constant"})),
            (
                "Exponential decay",
                json!({"type": "exponential", "decay_steps": 100, "decay_rate": 0.9, "staircase": false}),
            ),
            (
                "Inverse time decay",
                json!({"type": "inverse_time", "decay_steps": 100, "decay_rate": 0.5, "staircase": false}),
            ),
            (
                "Piecewise constant",
                json!({"type": "piecewise", "boundaries": [100, 200], "factors": [0.1, 0.01]}),
            ),
            (
                "Cosine decay",
                json!({"type": "cosine", "warmup_steps": 0, "warmup_from": 0.0, "decay_steps": 500, "alpha": 0.0}),
            ),
            ("Warm-up", json!({"type": "warmup", "warmup_steps": 50, "warmup_from": 0.0})),
        ]),
        "training.clipping" => tagged(vec![
            ("None", json!({"type": "none"})),
            ("Norm of each variable", json!({"type": "norm", "limit": 1.0})),
            ("Each number", json!({"type": "value", "limit": 0.5})),
            ("Norm of all together", json!({"type": "global_norm", "limit": 1.0})),
        ]),
        "training.early_stopping" => tagged(vec![
            ("None", json!({"type": "none"})),
            (
                "On the training loss",
                json!({"type": "loss", "patience": 20, "min_delta": 0.0, "restore_best_weights": false}),
            ),
            (
                "On the held-out loss",
                json!({"type": "validation_loss", "patience": 20, "min_delta": 0.0, "restore_best_weights": false}),
            ),
        ]),
        "network.initializer.kernel" => tagged(vec![
            ("Glorot uniform", json!({"type": "glorot_uniform"})),
            ("Glorot normal", json!({"type": "glorot_normal"})),
            ("He uniform", json!({"type": "he_uniform"})),
            ("He normal", json!({"type": "he_normal"})),
            ("LeCun uniform", json!({"type": "lecun_uniform"})),
            ("LeCun normal", json!({"type": "lecun_normal"})),
            ("Zeros", json!({"type": "zeros"})),
            ("Constant", json!({"type": "constant", "value": 0.01})),
        ]),
        "network.constraint" => tagged(vec![
            ("None", json!({"type": "none"})),
            ("Max norm", json!({"type": "max_norm", "limit": 2.0})),
        ]),
        "dataset.pixels" => words(&[
            ("uniform", "Uniform noise"),
            ("normal", "Normal noise"),
            ("constant", "The same noise in all"),
            ("patterned", "Marks"),
            ("stripes", "Stripes"),
        ]),
        "dataset.labels" => {
            words(&[("random", "Random"), ("balanced", "Balanced"), ("pattern", "By the pattern")])
        }
        _ => Vec::new(),
    }
}

/// The kind that a person means by `name`: its id or its name, in any case, with `-` or a space for `_`.
pub fn choice(path: &str, name: &str) -> Option<Value> {
    if path == "training.optimizer" {
        return optimizer(name).map(|config| json!(config));
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let mut all = choices(path).into_iter();
    all.find(|choice| [choice.id.as_str(), choice.name].map(plain).contains(&plain(name)))
        .map(|choice| choice.value)
}

/// The id of the kind that `value` has: of the one that it equals, otherwise of the first with its type.
pub fn chosen(path: &str, value: &Value) -> Option<String> {
    let all = choices(path);
    let equal = all.iter().find(|choice| choice.value == *value);
    let tag = value.get("type");
    let alike = || all.iter().find(|choice| tag.is_some() && choice.value.get("type") == tag);
    equal.or_else(alike).map(|choice| choice.id.clone())
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

pub(super) const ADAM: OptimizerConfig =
    OptimizerConfig::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false };

pub(super) const ADAMW: OptimizerConfig = OptimizerConfig::AdamW {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-7,
    amsgrad: false,
    weight_decay: 0.004,
};

pub(super) const NADAM: OptimizerConfig =
    OptimizerConfig::Nadam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };

pub(super) const ADAGRAD: OptimizerConfig =
    OptimizerConfig::Adagrad { initial_accumulator_value: 0.1, epsilon: 1e-7 };

pub(super) const LION: OptimizerConfig = OptimizerConfig::Lion { beta_1: 0.9, beta_2: 0.99 };

pub(super) const SGD: OptimizerConfig =
    OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };

pub(super) const RMSPROP: OptimizerConfig =
    OptimizerConfig::RmsProp { rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false };

/// Keras' own default momentum is 0; 0.9 is what its guides, and most people, set.
pub(super) fn with_momentum(nesterov: bool) -> OptimizerConfig {
    OptimizerConfig::Sgd { momentum: 0.9, nesterov, weight_decay: 0.0 }
}
