//! Heads and losses that do not fit each other.

use super::{Cause, Level, Warning};
use crate::experiment::{
    Activation, DatasetConfig, Experiment, InvalidField, LayerConfig, LossConfig,
};

/// The last layer and activation of a network.
struct Ending {
    /// The last layer's index.
    layer: usize,
    activation: Option<Activation>,
    /// The index of the layer before the last, where the last is an activation layer; otherwise of the last.
    layer_before: usize,
    /// The activation of the layer before the last, where the last is an activation layer.
    before: Option<Activation>,
    units: u32,
    /// Whether a layer after the activation hides the logits from Keras' losses.
    hidden: bool,
}

pub(super) fn signs(experiment: &Experiment) -> Vec<Warning> {
    let head = Ending::of(experiment);
    let all = [
        one_unit_many_labels(experiment, &head),
        more_units_than_classes(experiment, &head),
        one_softmax_unit(experiment, &head),
        one_unit_categorical(experiment, &head),
        head_twice(experiment, &head),
        from_logits_changes_nothing(experiment, &head),
        outputs_clipped(experiment, &head),
        logits_lost(experiment, &head),
        relu_at_the_end(experiment, &head),
        sigmoid_per_class(experiment, &head),
        binary_of_several(experiment, &head),
        accuracy_of_logits(experiment, &head),
    ];
    all.into_iter().flatten().collect()
}

const LOSS: &str = "training.loss";
const FROM_LOGITS: &str = "training.loss.from_logits";

fn one_unit_many_labels(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let DatasetConfig { classes, first_label, .. } = experiment.dataset;
    let last_label = experiment.dataset.last_label();
    if head.units != 1 || last_label <= 1 {
        return None;
    }
    let falls = match experiment.training.loss.is_binary() {
        true => {
            " Binary cross-entropy with a label above 1 falls below 0 without end, and the answer becomes 1 for every image."
        }
        false => "",
    };
    let cure = match classes {
        2 => "Number the classes from 0".into(),
        _ => format!("Use {} softmax units and sparse categorical cross-entropy", last_label + 1),
    };
    let message = format!(
        "One unit is compared with the labels themselves, {first_label} to {last_label}, and answers only 0 or 1.{falls} {cure}."
    );
    let warning = Warning::new("one-unit-many-labels", head.field(), message);
    Some(match classes {
        2 => warning.cured_by("dataset.first_label", 0),
        _ => warning.tried(experiment, |mended| {
            head.set_units(mended, last_label + 1);
            set(mended, &[(&head.activation_field(), "softmax"), (LOSS, SPARSE)])
        }),
    })
}

fn more_units_than_classes(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let classes = experiment.dataset.classes;
    let message = || {
        format!(
            "There are {} units for {classes} classes. That is harmless: no label belongs to {} of them, and training lowers their outputs.",
            head.units,
            head.units - classes
        )
    };
    let are_more = head.units > classes.max(1) && head.units > experiment.dataset.last_label();
    are_more.then(|| Warning::new("more-units-than-classes", head.field(), message()))
}

fn one_softmax_unit(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let cure = match experiment.dataset.last_label() {
        1 => " Use sigmoid with one unit, or softmax with two.",
        _ => "",
    };
    let message =
        format!("One softmax unit is 1 for every image: the answer is always class 1.{cure}");
    let is_one_softmax = head.activation == Some(Activation::Softmax) && head.units == 1;
    is_one_softmax.then(|| {
        Warning::new("one-softmax-unit", head.field(), message)
            .cured_by(&head.activation_field(), Activation::Sigmoid)
    })
}

fn one_unit_categorical(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let gradient = match experiment.training.loss {
        LossConfig::CategoricalCrossentropy { .. } => {
            ", but its gradient is not, so the weights diverge"
        }
        LossConfig::CategoricalFocalCrossentropy { .. } => ", so nothing trains",
        _ => return None,
    };
    let message = format!(
        "A categorical loss over one unit is 0 whatever the network answers{gradient}. Use sigmoid with binary cross-entropy."
    );
    (head.units == 1).then(|| {
        Warning::new("one-unit-categorical", LOSS, message).tried(experiment, |mended| {
            set(mended, &[(&head.activation_field(), "sigmoid"), (LOSS, "binary_crossentropy")])
        })
    })
}

/// A softmax of a softmax, or a sigmoid of a sigmoid: by two layers, or by a loss that takes the outputs for logits.
fn head_twice(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let loss = &experiment.training.loss;
    let taken_for_logits = takes_outputs_for_logits(loss, head);
    let is_softmax = head.activation == Some(Activation::Softmax) && head.units > 1;
    if is_softmax && (head.before == Some(Activation::Softmax) || taken_for_logits) {
        let units = head.units;
        let floor = (std::f64::consts::E + f64::from(units) - 1.0).ln() - 1.0;
        let stays_above = match loss {
            LossConfig::CategoricalFocalCrossentropy { .. } => "0".into(),
            _ => format!("ln(e + {units} − 1) − 1 = {floor:.4}"),
        };
        let message = format!(
            "Softmax is applied twice, the second time to probabilities: the loss stays above {stays_above}, though every image may be right. Apply softmax once."
        );
        return Some(head.without_one("softmax-twice", message, experiment));
    }
    let is_sigmoid = head.activation == Some(Activation::Sigmoid) && loss.is_binary();
    (is_sigmoid && taken_for_logits).then(|| {
        let message = "Sigmoid is applied twice, the second time to probabilities: no answer is below 0.5, so the loss stays above 0, though every image may be right. Apply sigmoid once.";
        head.without_one("sigmoid-twice", message.into(), experiment)
    })
}

fn from_logits_changes_nothing(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let loss = &experiment.training.loss;
    let is_head = head.activation.is_some_and(is_head) && !head.hidden;
    (loss.finds_logits() && has_from_logits(loss) && is_head).then(|| {
        Warning::new("from-logits-changes-nothing", FROM_LOGITS, "Keras finds the logits before the last activation by itself: from_logits=True changes nothing here.")
            .cured_by(FROM_LOGITS, false)
    })
}

fn outputs_clipped(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let belongs = if head.units == 1 { "sigmoid" } else { "softmax" };
    let message = format!(
        "The loss takes the output of this layer for probabilities and clips it to 1e-7 to 1 − 1e-7; clipped values have no gradient. Add {belongs}, or set from_logits."
    );
    let are_clipped =
        takes_probabilities(&experiment.training.loss) && !head.activation.is_some_and(is_head);
    are_clipped
        .then(|| Warning::new("outputs-clipped", head.field(), message).cured_by(FROM_LOGITS, true))
}

fn logits_lost(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let loss = &experiment.training.loss;
    let loses = loss.finds_logits() && takes_probabilities(loss) && head.hidden;
    (loses && head.activation.is_some_and(is_head)).then(|| {
        let message = "After this layer Keras cannot recover the logits: the loss takes probabilities, clipped to 1e-7 to 1 − 1e-7, and clipped values have no gradient. Remove the layers after it.";
        Warning::new("logits-lost", head.field(), message)
            .mended(experiment, |mended| mended.network.layers.truncate(head.layer + 1))
    })
}

fn relu_at_the_end(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let relu = match (head.activation, head.before) {
        (Some(Activation::Relu), _) => head.layer,
        (Some(Activation::Softmax), Some(Activation::Relu)) => head.layer_before,
        _ => return None,
    };
    let message = "ReLU cuts off logits below 0: a class whose logit is 0 for every image no longer has a gradient. Delete the ReLU.";
    Some(Warning::new("relu-at-the-end", head.field(), message).tried(experiment, |mended| {
        let after_relu = relu != head.layer || !takes_probabilities(&experiment.training.loss);
        let activation = match (after_relu, head.units) {
            (true, _) => "none",
            (false, 1) => "sigmoid",
            (false, _) => "softmax",
        };
        match &mended.network.layers[relu] {
            LayerConfig::Activation { .. } if activation == "none" => {
                mended.network.layers.remove(relu);
                Ok(())
            }
            _ => set(mended, &[(&format!("network.layers[{relu}].activation"), activation)]),
        }
    }))
}

fn sigmoid_per_class(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let takes = match experiment.training.loss {
        LossConfig::SparseCategoricalCrossentropy { .. }
        | LossConfig::CategoricalCrossentropy { .. } => {
            "a softmax of the logits before the sigmoids"
        }
        LossConfig::CategoricalFocalCrossentropy { from_logits: false, .. } => {
            "each output's share of their sum"
        }
        _ => return None,
    };
    let message = format!(
        "The loss takes {takes}: it trains, but the outputs do not add up to 1. Use softmax."
    );
    (head.activation == Some(Activation::Sigmoid) && head.units > 1).then(|| {
        Warning::new("sigmoid-per-class", head.field(), message)
            .cured_by(&head.activation_field(), Activation::Softmax)
    })
}

fn binary_of_several(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let message = "Binary cross-entropy treats each unit as a separate question. For one class out of several, use categorical cross-entropy.";
    (experiment.training.loss.is_binary() && head.units > 1)
        .then(|| Warning::new("binary-of-several", LOSS, message).cured_by(LOSS, SPARSE))
}

fn accuracy_of_logits(experiment: &Experiment, head: &Ending) -> Option<Warning> {
    let message = "Keras' accuracy says class 1 where the output is above 0.5, but this output is a logit, which means class 1 above 0 already: accuracy lags. End with sigmoid, or use a threshold of 0.";
    let is_one_logit =
        head.units == 1 && has_from_logits(&experiment.training.loss) && head.activation.is_none();
    is_one_logit.then(|| {
        Warning::new("accuracy-of-logits", head.field(), message).tried(experiment, |mended| {
            set(mended, &[(&head.activation_field(), "sigmoid"), (FROM_LOGITS, "false")])
        })
    })
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
        // An activation layer follows the activation of the layer before it.
        let alone = matches!(layers[layer], LayerConfig::Activation { .. });
        let (layer_before, before) = match ending.get(1) {
            Some(&(index, before)) if alone => (index, before),
            _ => (layer, None),
        };
        Self { layer, activation, layer_before, before, units: experiment.output_units(), hidden }
    }

    fn field(&self) -> String {
        format!("network.layers[{}]", self.layer)
    }

    fn activation_field(&self) -> String {
        format!("{}.activation", self.field())
    }

    /// Gives the last dense layer this many units.
    fn set_units(&self, experiment: &mut Experiment, count: u32) {
        let layers = experiment.network.layers.iter_mut().rev();
        for layer in layers {
            if let LayerConfig::Dense { units, .. } = layer {
                *units = count;
                return;
            }
        }
    }

    /// A warning of an activation that is applied twice, with the settings that apply it once: without the last layer where that is
    /// the second activation, otherwise with a loss that matches the outputs.
    fn without_one(&self, code: &'static str, message: String, experiment: &Experiment) -> Warning {
        Warning::new(code, self.field(), message).tried(experiment, |mended| {
            if self.before == self.activation {
                mended.network.layers.truncate(self.layer);
                Ok(())
            } else if has_from_logits(&experiment.training.loss) {
                set(mended, &[(FROM_LOGITS, "false")])
            } else {
                set(mended, &[(&self.activation_field(), "none")])
            }
        })
    }
}

/// The activations that Keras' losses look past.
fn is_head(activation: Activation) -> bool {
    matches!(activation, Activation::Softmax | Activation::Sigmoid)
}

fn set(experiment: &mut Experiment, settings: &[(&str, &str)]) -> Result<(), InvalidField> {
    settings.iter().try_for_each(|(field, value)| experiment.set(field, value))
}

fn has_from_logits(loss: &LossConfig) -> bool {
    loss.from_logits() == Some(true)
}

/// Whether the loss takes outputs for probabilities and clips them where it finds no logits.
fn takes_probabilities(loss: &LossConfig) -> bool {
    loss.from_logits() == Some(false)
}

/// Whether the loss takes the network's outputs for logits, although a softmax or sigmoid has made them.
fn takes_outputs_for_logits(loss: &LossConfig, head: &Ending) -> bool {
    let told_so = has_from_logits(loss) && (head.hidden || !loss.finds_logits());
    matches!(loss, LossConfig::TorchCrossEntropy { .. }) || told_so
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
const SPARSE: &str = "sparse_categorical_crossentropy";
const EPOCHS_100: (&str, &str) = ("training.epochs", "100");
const EPOCHS_300: (&str, &str) = ("training.epochs", "300");

/// ln(e + 1) - 1: the lower bound of the loss of two classes where softmax is applied twice.
const TWICE: f64 = 0.313_261_687_518_222_86;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        code: "one-softmax-unit",
        sign: "one-softmax-unit",
        name: "One softmax unit",
        summary: "Dense(1, softmax) with binary cross-entropy",
        sees: "Accuracy is the share of class 1 and never changes, while the loss falls to 0.",
        does: "Softmax over one unit is 1 for every image. Keras 3 computes the loss from the logit before it, so the loss still falls.",
        mends: "Use sigmoid with one unit, or softmax with two.",
        level: Level::LossWithoutAccuracy,
        healthy: &[SIGMOID, BINARY, EPOCHS_100],
        mistake: &[("network.layers[3].activation", "softmax")],
    },
    Cause {
        code: "one-softmax-unit-hidden",
        sign: "one-softmax-unit",
        name: "One softmax unit, logit lost",
        summary: "Dense(1, softmax), then a Reshape that hides the logit",
        sees: "Accuracy is the share of class 1, and neither it nor the loss changes.",
        does: "The answer is always 1: the loss stays at 15.942 times the share of class 0, as in old Keras; PyTorch clips elsewhere and stays at 100 times that share.",
        mends: "Use sigmoid with one unit, or softmax with two.",
        // -log(1 - q) of the largest q that f32 clips to, for one half of the images.
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
        sees: "The loss is 0 from the first epoch on, and accuracy does not change.",
        does: "The loss of one class out of one is 0 whatever the network answers; its gradient in Keras is not, and the weights diverge.",
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
        sees: "The loss starts at several times ln 2 = 0.6931 and stops at exactly ln 2.",
        does: "Logits are clipped to 0 to 1 as if they were probabilities, and clipped values have no gradient.",
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
        summary: "Dense(2, relu), sparse categorical cross-entropy",
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
        sees: "The loss stays at 16.118 times the share of wrong answers or is not a number, depending on the seed.",
        does: "The outputs are divided by their sum: where one is 0, the other is certain; where both are 0, the result is 0 / 0.",
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
        sees: "With most seeds the loss falls to exactly ln 2 = 0.6931 and stays there; with some the network learns.",
        does: "Logits below 0 are cut off: a class whose logit is 0 for every image no longer has a gradient.",
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
        does: "A softmax of probabilities cannot be certain: the loss stays above ln(e + 1) − 1 = 0.3133. Accuracy still reaches 100 %; only the loss shows the mistake.",
        mends: "Apply softmax once.",
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
        summary: "PyTorch's loss takes logits but gets probabilities",
        sees: "Every image is right, and the loss stops at 0.3133.",
        does: "nn.CrossEntropyLoss applies a softmax itself: the loss stays above ln(e + 1) − 1 = 0.3133. Accuracy still reaches 100 %; only the loss shows the mistake.",
        mends: "Delete the softmax, so that the loss gets logits.",
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
        sees: "Keras 3 warns, and training looks normal.",
        does: "Keras finds the logits before the softmax by itself, so the images are still memorised.",
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
        sees: "Training looks normal, but the outputs do not add up to 1.",
        does: "Keras applies a softmax to the logits before the sigmoids, so the images are still memorised.",
        mends: "Use softmax, for outputs that add up to 1.",
        level: Level::Memorised,
        healthy: &[EPOCHS_100],
        mistake: &[("network.layers[3].activation", "sigmoid")],
    },
    Cause {
        code: "accuracy-of-scores",
        sign: "accuracy-of-logits",
        name: "Accuracy of logits",
        summary: "One linear unit with from_logits=True",
        sees: "Accuracy lags behind the loss.",
        does: "Keras' accuracy says class 1 where the output is above 0.5, but a logit means class 1 above 0 already. The weights are fine, and the images are still memorised.",
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
    use crate::experiment::Experiment;
    use crate::presets;

    /// The warnings of Example 1 with another head and loss.
    fn warned(head: &str, loss: &str) -> Vec<Warning> {
        warned_of(head, loss, "2", "0")
    }

    /// The same with these classes and this first label.
    fn warned_of(head: &str, loss: &str, classes: &str, first_label: &str) -> Vec<Warning> {
        warnings(&experiment_of(head, loss, classes, first_label))
    }

    fn experiment_of(head: &str, loss: &str, classes: &str, first_label: &str) -> Experiment {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        experiment.set("dataset.classes", classes).unwrap();
        experiment.set("dataset.first_label", first_label).unwrap();
        let layers = format!(r#"[{{"type":"flatten"}},{head}]"#);
        experiment.set("network.layers", &layers).unwrap();
        experiment.set("training.loss", loss).unwrap();
        assert_eq!(experiment.validate(), Ok(()), "{head} {loss}");
        experiment
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
        let focal = r#"{"type":"categorical_focal_crossentropy"}"#;
        let focal_logits = r#"{"type":"categorical_focal_crossentropy","from_logits":true}"#;
        let binary_logits = r#"{"type":"binary_crossentropy","from_logits":true}"#;
        let binary_focal = r#"{"type":"binary_focal_crossentropy"}"#;
        let binary_focal_logits = r#"{"type":"binary_focal_crossentropy","from_logits":true}"#;
        let sigmoid = dense(1, r#""sigmoid""#);
        let sigmoid_hidden = format!(r#"{sigmoid},{{"type":"reshape"}}"#);
        let pooled = r#"{"type":"dense","units":1},{"type":"reshape"}"#;
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
            // Keras' focal losses do not look past a head, so `from_logits` takes effect.
            (&softmax, focal, &[]),
            (&dense(2, "null"), focal_logits, &[]),
            (&softmax, focal_logits, &["softmax-twice"]),
            (&twice, focal, &["softmax-twice"]),
            (&hidden, focal, &[]),
            (&dense(2, "null"), focal, &["outputs-clipped"]),
            (&dense(2, r#""sigmoid""#), focal, &["sigmoid-per-class"]),
            (&dense(1, r#""softmax""#), focal, &["one-softmax-unit", "one-unit-categorical"]),
            (&sigmoid, binary_focal, &[]),
            (&dense(1, "null"), binary_focal_logits, &["accuracy-of-logits"]),
            (&sigmoid, binary_focal_logits, &["sigmoid-twice"]),
            (&sigmoid_hidden, binary_logits, &["sigmoid-twice"]),
            (&dense(1, "null"), binary_focal, &["outputs-clipped"]),
            (&dense(2, r#""relu""#), logits, &["relu-at-the-end"]),
            (pooled, binary_logits, &["accuracy-of-logits"]),
        ];
        for (head, loss, expected) in rows {
            let found = warned(head, loss);
            let codes: Vec<_> = found.iter().map(|warning| warning.code).collect();
            assert_eq!(codes, *expected, "{head} {loss}");
            for warning in found {
                let mut cured = experiment_of(head, loss, "2", "0");
                for setting in &warning.cure {
                    cured.apply(setting).unwrap();
                }
                assert_eq!(cured.validate(), Ok(()), "{head} {loss}: {warning:?}");
                let is_left = warnings(&cured).iter().any(|left| left.code == warning.code);
                assert!(!is_left, "{head} {loss}: {warning:?}");
            }
        }
    }

    /// A head without an activation field gets a warning without a cure, and no panic.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_head_without_an_activation_has_a_warning_alone() {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        let layers = r#"[{"type":"conv2d","filters":1},{"type":"global_max_pool"}]"#;
        experiment.set("network.layers", layers).unwrap();
        experiment.set("training.loss", "categorical_crossentropy").unwrap();
        let found = warnings(&experiment);
        let told: Vec<_> = found.iter().map(|found| (found.code, found.cure.len())).collect();
        assert_eq!(told, [("one-unit-categorical", 0), ("outputs-clipped", 1)]);
    }

    /// Any number of units that a framework accepts can be trained; the warning describes the effect.
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
