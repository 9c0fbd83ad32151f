//! Heads and losses that do not belong together.

use super::{Cause, Level, Warning};
use crate::experiment::{Activation, DatasetConfig, Experiment, LayerConfig, LossConfig};

/// What a network ends with.
struct Ending {
    /// The last layer's index.
    layer: usize,
    activation: Option<Activation>,
    /// The activation before that one, where the last layer is an activation of its own.
    before: Option<Activation>,
    units: u32,
    /// Whether a layer after the activation hides the logits from Keras' losses.
    hidden: bool,
}

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    let head = Ending::of(experiment);
    let loss = &experiment.training.loss;
    let mut warnings = Vec::new();
    let mut warn = |code: &'static str, field: String, message: String| {
        warnings.push(Warning::new(code, field, message));
    };
    let last = format!("network.layers[{}]", head.layer);
    let DatasetConfig { classes, first_label, .. } = experiment.dataset;
    let last_label = experiment.dataset.last_label();
    if head.units == 1 && last_label > 1 {
        let falls = match loss.is_binary() {
            true => {
                " Binary cross-entropy with a label above 1 falls below 0 without end, and the answer becomes 1 for every image."
            }
            false => "",
        };
        let cure = match classes {
            2 => "Number the classes from 0".into(),
            _ => {
                format!("Use {} softmax units and sparse categorical cross-entropy", last_label + 1)
            }
        };
        warn(
            "one-unit-many-labels",
            last.clone(),
            format!(
                "One unit is compared with the labels themselves, {first_label} to {last_label}, and answers only 0 or 1.{falls} {cure}."
            ),
        );
    }
    if head.units > classes.max(1) && head.units > last_label {
        warn(
            "more-units-than-classes",
            last.clone(),
            format!(
                "There are {} units for {classes} classes. That is harmless: no label belongs to {} of them, and training lowers what they put out.",
                head.units,
                head.units - classes
            ),
        );
    }
    if head.activation == Some(Activation::Softmax) && head.units == 1 {
        let cure =
            if last_label == 1 { " Use sigmoid with one unit, or softmax with two." } else { "" };
        warn(
            "one-softmax-unit",
            last.clone(),
            format!("One softmax unit is 1 for every image: the answer is always class 1.{cure}"),
        );
    }
    if head.units == 1 && matches!(loss, LossConfig::CategoricalCrossentropy { .. }) {
        warn("one-unit-categorical", "training.loss".into(), "A categorical loss over one unit is 0 whatever it answers, and its gradient is not: the weights run away. Use binary cross-entropy.".into());
    }
    let scores_twice = head.activation == Some(Activation::Softmax)
        && (head.before == Some(Activation::Softmax) || takes_outputs_for_logits(loss, &head));
    if scores_twice && head.units > 1 {
        let units = head.units;
        let floor = (std::f64::consts::E + f64::from(units) - 1.0).ln() - 1.0;
        warn(
            "softmax-twice",
            last.clone(),
            format!(
                "Softmax is taken twice, of probabilities the second time: the loss stays above ln(e + {units} − 1) − 1 = {floor:.4}, though every image may be right. Take softmax once."
            ),
        );
    }
    if has_from_logits(loss) && head.activation.is_some_and(is_head) && !head.hidden {
        warn("from-logits-changes-nothing", "training.loss.from_logits".into(), "Keras finds the logits before the last activation by itself: from_logits=True changes nothing here.".into());
    }
    if clips(loss) && !head.activation.is_some_and(is_head) {
        let belongs = if head.units == 1 { "sigmoid" } else { "softmax" };
        warn(
            "outputs-clipped",
            last.clone(),
            format!(
                "The loss takes the output of this layer for probabilities and clips it to 1e-7 to 1 − 1e-7; what is clipped has no gradient. Add {belongs}, or set from_logits."
            ),
        );
    } else if clips(loss) && head.hidden {
        warn("logits-lost", last.clone(), "After this layer Keras cannot recover the logits: the loss takes probabilities, clipped to 1e-7 to 1 − 1e-7, and what is clipped has no gradient.".into());
    }
    let relu_scores = match head.activation {
        Some(Activation::Relu) => true,
        Some(Activation::Softmax) => head.before == Some(Activation::Relu),
        _ => false,
    };
    if relu_scores {
        warn("relu-at-the-end", last.clone(), "ReLU cuts off logits below 0: a class whose logit is 0 for every image has no gradient any more. Delete the ReLU.".into());
    }
    let categorical = matches!(
        loss,
        LossConfig::SparseCategoricalCrossentropy { .. }
            | LossConfig::CategoricalCrossentropy { .. }
    );
    if categorical && head.activation == Some(Activation::Sigmoid) && head.units > 1 {
        warn("sigmoid-per-class", last.clone(), "The loss takes a softmax of the logits before the sigmoids: it trains, but the outputs do not add up to 1. Softmax belongs there.".into());
    }
    if loss.is_binary() && head.units > 1 {
        warn("binary-of-several", "training.loss".into(), "Binary cross-entropy takes each unit for a question of its own. For one class out of several, categorical cross-entropy belongs here.".into());
    }
    let scores_of_one = head.units == 1 && has_from_logits(loss);
    if scores_of_one && head.activation.is_none() {
        warn("accuracy-of-logits", last.clone(), "Keras' accuracy says class 1 where the output is above 0.5, but this one is a logit, which is for class 1 above 0 already: accuracy lags. End with sigmoid, or cut at 0.".into());
    }
    let activation = format!("{last}.activation");
    let from_logits = "training.loss.from_logits";
    let cured = |warning: Warning| match warning.code {
        "one-softmax-unit" => warning.cured_by(&activation, Activation::Sigmoid),
        "sigmoid-per-class" => warning.cured_by(&activation, Activation::Softmax),
        "from-logits-changes-nothing" => warning.cured_by(from_logits, false),
        "outputs-clipped" => warning.cured_by(from_logits, true),
        _ => warning,
    };
    warnings.into_iter().map(cured).collect()
}

impl Ending {
    fn of(experiment: &Experiment) -> Self {
        let layers = &experiment.network.layers;
        let hidden = matches!(layers.last(), Some(LayerConfig::Reshape {}));
        let ending: Vec<(usize, Option<Activation>)> = layers
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, layer)| !matches!(layer, LayerConfig::Reshape {}))
            .map(|(index, layer)| (index, layer.activation()))
            .collect();
        let (layer, activation) = ending.first().copied().unwrap_or_default();
        // An activation that is a layer of its own comes after the activation of the layer before it.
        let alone = matches!(layers[layer], LayerConfig::Activation { .. });
        let before =
            if alone { ending.get(1).and_then(|(_, activation)| *activation) } else { None };
        Self { layer, activation, before, units: experiment.output_units(), hidden }
    }
}

/// The activations that Keras' losses look past.
fn is_head(activation: Activation) -> bool {
    matches!(activation, Activation::Softmax | Activation::Sigmoid)
}

fn has_from_logits(loss: &LossConfig) -> bool {
    loss.from_logits() == Some(true)
}

/// Whether the loss takes probabilities and clips them, where it finds no logits.
fn clips(loss: &LossConfig) -> bool {
    loss.from_logits() == Some(false)
}

fn takes_outputs_for_logits(loss: &LossConfig, head: &Ending) -> bool {
    matches!(loss, LossConfig::TorchCrossEntropy { .. }) || head.hidden && has_from_logits(loss)
}

macro_rules! small_with_head {
    ($head:literal) => {
        concat!(
            r#"[{"type":"conv2d","filters":32,"activation":"relu"},{"type":"max_pool"},{"type":"flatten"},"#,
            $head,
            "]"
        )
    };
}

const SIGMOID: (&str, &str) =
    ("network.layers[3]", r#"{"type":"dense","units":1,"activation":"sigmoid"}"#);
const BINARY: (&str, &str) = ("training.loss", "binary_crossentropy");
const EPOCHS_100: (&str, &str) = ("training.epochs", "100");
const EPOCHS_300: (&str, &str) = ("training.epochs", "300");

/// ln(e + 1) - 1: what the loss of two classes stays above where softmax is taken twice.
const TWICE: f64 = 0.313_261_687_518_222_86;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "one-softmax-unit",
        sign: "one-softmax-unit",
        name: "One softmax unit",
        summary: "Dense(1, softmax) with binary cross-entropy",
        sees: "Accuracy is the share of class 1 and never moves, while the loss falls to 0.",
        does: "Softmax over one unit is 1 for every image. Keras 3 computes the loss from the logit before it, so the loss falls all the same.",
        mends: "Use sigmoid with one unit, or softmax with two.",
        level: Level::LossWithoutAccuracy,
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[("network.layers[3].activation", "softmax")],
    },
    Cause {
        code: "one-softmax-unit-hidden",
        sign: "one-softmax-unit",
        name: "One softmax unit, logit lost",
        summary: "The same where the loss sees only the output",
        sees: "Accuracy is the share of class 1, and the loss does not move either.",
        does: "The answer is always 1: the loss stays at 15.942 times the share of class 0, as in old Keras; PyTorch clips elsewhere and stays at 100 times that share.",
        mends: "Use sigmoid with one unit, or softmax with two.",
        // log(1 - q) of the largest q that f32 clips to, for one half of the images.
        level: Level::StuckAt(23.0 * std::f64::consts::LN_2 / 2.0),
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[(
            "network.layers",
            small_with_head!(
                r#"{"type":"dense","units":1,"activation":"softmax"},{"type":"reshape"}"#
            ),
        )],
    },
    Cause {
        code: "one-unit-categorical",
        sign: "one-unit-categorical",
        name: "Categorical loss on one unit",
        summary: "Dense(1, softmax) with categorical cross-entropy",
        sees: "The loss is 0 from the first epoch on, and accuracy does not move.",
        does: "The loss of one class out of one is 0 whatever the network answers; its gradient in Keras is not, and the weights run away.",
        mends: "Use sigmoid with binary cross-entropy.",
        level: Level::LossWithoutAccuracy,
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[
            ("network.layers[3].activation", "softmax"),
            ("training.loss", "categorical_crossentropy"),
        ],
    },
    Cause {
        code: "linear-head",
        sign: "outputs-clipped",
        name: "Logits taken for probabilities",
        summary: "No activation at the end, from_logits left False",
        sees: "The loss starts at several times ln 2 = 0.6931 and stops at exactly that.",
        does: "Logits are clipped to 0 to 1 as if they were probabilities, and what is clipped has no gradient.",
        mends: "Set from_logits=True, or end with softmax.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[
            ("network.layers[3].activation", "none"),
            ("training.loss.from_logits", "true"),
            EPOCHS_100,
        ],
        mistake: &[("training.loss.from_logits", "false")],
    },
    Cause {
        code: "relu-head",
        sign: "relu-at-the-end",
        name: "ReLU as the last activation",
        summary: "Dense(2, relu), classes as numbers",
        sees: "The loss stops at exactly ln 2 = 0.6931 within a few epochs.",
        does: "The output of the ReLU is taken for probabilities and clipped; every unit ends at 0 and gets no gradient.",
        mends: "End with softmax.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[EPOCHS_100],
        mistake: &[("network.layers[3].activation", "relu")],
    },
    Cause {
        code: "relu-head-one-hot",
        sign: "relu-at-the-end",
        name: "ReLU as the last activation, one-hot",
        summary: "Dense(2, relu), categorical cross-entropy",
        sees: "The loss stays at 16.118 times the share of wrong answers, or is not a number: it differs by seed.",
        does: "The outputs are divided by their sum: where one is 0 the other is certain, where both are 0 it is 0 / 0.",
        mends: "End with softmax.",
        // -ln(1e-7) for one half of the images.
        level: Level::StuckAtOrNan(8.059_047_825_479_16),
        healthy: &[("training.loss", "categorical_crossentropy"), EPOCHS_100],
        mistake: &[("network.layers[3].activation", "relu")],
    },
    Cause {
        code: "relu-before-softmax",
        sign: "relu-at-the-end",
        name: "ReLU before softmax",
        summary: "Dense(2, relu), then a softmax layer",
        sees: "On most seeds the loss falls to exactly ln 2 = 0.6931 and stays there; on some it learns.",
        does: "Logits below 0 are cut off: a class whose logit is 0 for every image has no gradient any more.",
        mends: "Delete the ReLU of the last dense layer.",
        level: Level::StuckAt(std::f64::consts::LN_2),
        healthy: &[EPOCHS_100],
        mistake: &[(
            "network.layers",
            small_with_head!(
                r#"{"type":"dense","units":2,"activation":"relu"},{"type":"activation","activation":"softmax"}"#
            ),
        )],
    },
    Cause {
        code: "softmax-twice",
        sign: "softmax-twice",
        name: "Softmax twice",
        summary: "A softmax layer after a softmax activation",
        sees: "Every image is right, and the loss stops at 0.3133.",
        does: "A softmax of probabilities cannot be certain: the loss stays above ln(e + 1) − 1 = 0.3133. Accuracy reaches 100 % all the same; the loss gives the mistake away.",
        mends: "Take softmax once.",
        level: Level::MemorisedAt(TWICE),
        healthy: &[EPOCHS_300],
        mistake: &[(
            "network.layers",
            small_with_head!(
                r#"{"type":"dense","units":2,"activation":"softmax"},{"type":"activation","activation":"softmax"}"#
            ),
        )],
    },
    Cause {
        code: "torch-loss-after-softmax",
        sign: "softmax-twice",
        name: "CrossEntropyLoss after softmax",
        summary: "PyTorch's loss takes logits, and gets probabilities",
        sees: "Every image is right, and the loss stops at 0.3133.",
        does: "nn.CrossEntropyLoss takes a softmax of its own: the loss stays above ln(e + 1) − 1 = 0.3133. Accuracy reaches 100 % all the same; the loss gives the mistake away.",
        mends: "Give it the logits: delete the softmax.",
        level: Level::MemorisedAt(TWICE),
        healthy: &[
            ("network.layers[3].activation", "none"),
            ("training.loss", "torch_cross_entropy"),
            EPOCHS_300,
        ],
        mistake: &[("network.layers[3].activation", "softmax")],
    },
    Cause {
        code: "from-logits-after-softmax",
        sign: "from-logits-changes-nothing",
        name: "from_logits after softmax",
        summary: "Softmax at the end, and from_logits=True",
        sees: "Keras 3 warns, and training goes as it should.",
        does: "Keras finds the logits before the softmax by itself, so the images are memorised all the same.",
        mends: "Leave from_logits False after softmax.",
        level: Level::Memorised,
        healthy: &[EPOCHS_100],
        mistake: &[("training.loss.from_logits", "true")],
    },
    Cause {
        code: "sigmoid-per-class",
        sign: "sigmoid-per-class",
        name: "Sigmoid per class",
        summary: "Two sigmoid units with a categorical loss",
        sees: "Training goes as it should; the outputs do not add up to 1.",
        does: "Keras takes a softmax of the logits before the sigmoids, so the images are memorised all the same.",
        mends: "Use softmax, for outputs that add up to 1.",
        level: Level::Memorised,
        healthy: &[EPOCHS_100],
        mistake: &[("network.layers[3].activation", "sigmoid")],
    },
    Cause {
        code: "accuracy-of-scores",
        sign: "accuracy-of-logits",
        name: "Accuracy read off logits",
        summary: "One linear unit with from_logits=True",
        sees: "Accuracy lags behind the loss.",
        does: "Keras' accuracy says class 1 where the output is above 0.5, but a logit is for class 1 above 0 already. The weights are fine, and the images are memorised all the same.",
        mends: "End with sigmoid, or give BinaryAccuracy a threshold of 0.",
        level: Level::Memorised,
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[("network.layers[3].activation", "none"), ("training.loss.from_logits", "true")],
    },
];

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use crate::causes::{Warning, warnings};
    use crate::presets;

    /// Example 1 with another head and loss.
    fn warned(head: &str, loss: &str) -> Vec<Warning> {
        warned_of(head, loss, "2", "0")
    }

    /// The same with these classes and this first label.
    fn warned_of(head: &str, loss: &str, classes: &str, first_label: &str) -> Vec<Warning> {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        experiment.set("dataset.classes", classes).unwrap();
        experiment.set("dataset.first_label", first_label).unwrap();
        let layers = format!(r#"[{{"type":"flatten"}},{head}]"#);
        experiment.set("network.layers", &layers).unwrap();
        experiment.set("training.loss", loss).unwrap();
        assert_eq!(experiment.validate(), Ok(()), "{head} {loss}");
        warnings(&experiment)
    }

    fn dense(units: u32, activation: &str) -> String {
        format!(r#"{{"type":"dense","units":{units},"use_bias":true,"activation":{activation}}}"#)
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn heads_and_losses_that_do_not_belong_together() {
        let softmax = dense(2, r#""softmax""#);
        let twice = format!(r#"{softmax},{{"type":"activation","activation":"softmax"}}"#);
        let hidden = format!(r#"{softmax},{{"type":"reshape"}}"#);
        let sparse = r#"{"type":"sparse_categorical_crossentropy","from_logits":false}"#;
        let logits = r#"{"type":"sparse_categorical_crossentropy","from_logits":true}"#;
        let one_hot =
            r#"{"type":"categorical_crossentropy","from_logits":false,"label_smoothing":0}"#;
        let binary = r#"{"type":"binary_crossentropy","from_logits":false,"label_smoothing":0}"#;
        let torch = r#"{"type":"torch_cross_entropy","label_smoothing":0}"#;
        let squared = r#"{"type":"mean_squared_error"}"#;
        let rows: &[(&str, &str, &[&str])] = &[
            (&softmax, sparse, &[]),
            (&softmax, one_hot, &[]),
            (&softmax, squared, &[]),
            (&dense(2, "null"), logits, &[]),
            (&dense(2, "null"), torch, &[]),
            (&dense(1, r#""sigmoid""#), binary, &[]),
            (&softmax, logits, &["from-logits-changes-nothing"]),
            (&twice, sparse, &["softmax-twice"]),
            (&softmax, torch, &["softmax-twice"]),
            (&hidden, logits, &["softmax-twice"]),
            (&hidden, sparse, &["logits-lost"]),
            (&dense(2, "null"), sparse, &["outputs-clipped"]),
            (&dense(1, "null"), binary, &["outputs-clipped"]),
            (&dense(2, r#""relu""#), sparse, &["outputs-clipped", "relu-at-the-end"]),
            (&dense(2, r#""sigmoid""#), sparse, &["sigmoid-per-class"]),
            (&dense(1, r#""softmax""#), binary, &["one-softmax-unit"]),
            (&dense(1, r#""softmax""#), one_hot, &["one-softmax-unit", "one-unit-categorical"]),
            (&softmax, binary, &["binary-of-several"]),
        ];
        for (head, loss, expected) in rows {
            let found = warned(head, loss);
            let codes: Vec<_> = found.iter().map(|warning| warning.code).collect();
            assert_eq!(codes, *expected, "{head} {loss}");
        }
    }

    /// Any count of units that a framework accepts trains; the warning says what comes of it.
    #[wasm_bindgen_test(unsupported = test)]
    fn units_that_do_not_match_the_labels() {
        let linear = dense(1, "null");
        let rows: &[(&str, &str, &str, &str, &[&str])] = &[
            (
                &dense(1, r#""sigmoid""#),
                "binary_crossentropy",
                "10",
                "0",
                &["0 to 9, and answers only 0 or 1. Binary cross-entropy", "Use 10 softmax units"],
            ),
            (
                &dense(1, r#""sigmoid""#),
                "binary_crossentropy",
                "2",
                "1",
                &["1 to 2, and answers only 0 or 1. Binary", "Number the classes from 0."],
            ),
            (&linear, "mean_squared_error", "10", "0", &["only 0 or 1. Use 10 softmax units"]),
            (
                &dense(12, r#""softmax""#),
                "sparse_categorical_crossentropy",
                "10",
                "0",
                &["12 units for 10 classes. That is harmless: no label belongs to 2 of them"],
            ),
            (
                &dense(11, r#""softmax""#),
                "sparse_categorical_crossentropy",
                "10",
                "1",
                &["11 units for 10 classes. That is harmless: no label belongs to 1 of them"],
            ),
            (&dense(10, r#""softmax""#), "categorical_crossentropy", "10", "0", &[]),
        ];
        for (head, loss, classes, first_label, expected) in rows {
            let found = warned_of(head, loss, classes, first_label);
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{head} {loss}: {found:?}");
            for words in *expected {
                assert!(found[0].message.contains(words), "{head} {loss}: {found:?}");
            }
        }
    }
}
