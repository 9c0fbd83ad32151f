//! Heads and losses that do not belong together.

use super::Warning;
use crate::experiment::{Activation, DatasetConfig, Experiment, LayerConfig, LossConfig};

/// What a network ends with.
struct Ending {
    /// The last layer's index.
    layer: usize,
    activation: Option<Activation>,
    /// What is in front of it.
    before: Option<Activation>,
    units: u32,
    /// Keras' losses find no scores behind the output.
    hidden: bool,
}

pub(super) fn head_warnings(experiment: &Experiment) -> Vec<Warning> {
    let head = Ending::of(experiment);
    let loss = &experiment.training.loss;
    let mut warnings = Vec::new();
    let mut warn = |field: String, message: String| warnings.push(Warning { field, message });
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
            last.clone(),
            format!(
                "One unit is compared with the labels themselves, {first_label} to {last_label}, and answers only 0 or 1.{falls} {cure}."
            ),
        );
    }
    if head.units > classes.max(1) && head.units > last_label {
        warn(
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
            last.clone(),
            format!("One softmax unit is 1 for every image: the answer is always class 1.{cure}"),
        );
    }
    if head.units == 1 && matches!(loss, LossConfig::CategoricalCrossentropy { .. }) {
        warn("training.loss".into(), "A categorical loss over one unit is 0 whatever it answers, and its gradient is not: the weights run away. Use binary cross-entropy.".into());
    }
    let scores_twice = head.activation == Some(Activation::Softmax)
        && (head.before == Some(Activation::Softmax) || takes_outputs_for_logits(loss, &head));
    if scores_twice && head.units > 1 {
        let units = head.units;
        let floor = (std::f64::consts::E + f64::from(units) - 1.0).ln() - 1.0;
        warn(
            last.clone(),
            format!(
                "Softmax is taken twice, of probabilities the second time: the loss stays above ln(e + {units} − 1) − 1 = {floor:.4}, though every image may be right. Take it once."
            ),
        );
    }
    if has_from_logits(loss) && head.activation.is_some_and(is_head) && !head.hidden {
        warn("training.loss.from_logits".into(), "Keras finds the scores behind the last activation by itself: from_logits=True changes nothing here.".into());
    }
    if clips(loss) && !head.activation.is_some_and(is_head) {
        let belongs = if head.units == 1 { "sigmoid" } else { "softmax" };
        warn(
            last.clone(),
            format!(
                "The loss takes what this layer puts out for probabilities and clips it to 1e-7 to 1 − 1e-7; what is clipped has no gradient. Add {belongs}, or set from_logits."
            ),
        );
    } else if clips(loss) && head.hidden {
        warn(last.clone(), "Behind this layer the loss finds no scores: it takes probabilities, clipped to 1e-7 to 1 − 1e-7, and what is clipped has no gradient.".into());
    }
    let relu_scores = match head.activation {
        Some(Activation::Relu) => true,
        Some(Activation::Softmax) => head.before == Some(Activation::Relu),
        _ => false,
    };
    if relu_scores {
        warn(last.clone(), "ReLU cuts off scores below 0: a class whose score is 0 for every image has no gradient any more. Delete it.".into());
    }
    let categorical = matches!(
        loss,
        LossConfig::SparseCategoricalCrossentropy { .. }
            | LossConfig::CategoricalCrossentropy { .. }
    );
    if categorical && head.activation == Some(Activation::Sigmoid) && head.units > 1 {
        warn(last.clone(), "The loss takes a softmax of the scores behind the sigmoids: it trains, but what the network puts out are no shares of one. Softmax belongs there.".into());
    }
    if loss.is_binary() && head.units > 1 {
        warn("training.loss".into(), "Binary cross-entropy takes each unit for a question of its own. For one class out of several, categorical cross-entropy belongs here.".into());
    }
    let scores_of_one = head.units == 1 && has_from_logits(loss);
    if scores_of_one && head.activation.is_none() {
        warn(last, "Keras' accuracy says class 1 where the output is above 0.5, but this one is a score, which is for class 1 above 0 already: accuracy lags. End with sigmoid, or cut at 0.".into());
    }
    warnings
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
        // An activation of its own stands behind what the layer in front of it ends with.
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

/// A loss of probabilities, where it finds no logits.
fn clips(loss: &LossConfig) -> bool {
    loss.from_logits() == Some(false)
}

fn takes_outputs_for_logits(loss: &LossConfig, head: &Ending) -> bool {
    matches!(loss, LossConfig::TorchCrossEntropy { .. }) || head.hidden && has_from_logits(loss)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use crate::causes::warnings;
    use crate::presets;

    /// Example 1 with another head and loss.
    fn warned(head: &str, loss: &str) -> Vec<String> {
        warned_of(head, loss, "2", "0")
    }

    /// The same with these classes and this first label.
    fn warned_of(head: &str, loss: &str, classes: &str, first_label: &str) -> Vec<String> {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        experiment.set("dataset.classes", classes).unwrap();
        experiment.set("dataset.first_label", first_label).unwrap();
        let layers = format!(r#"[{{"type":"flatten"}},{head}]"#);
        experiment.set("network.layers", &layers).unwrap();
        experiment.set("training.loss", loss).unwrap();
        assert_eq!(experiment.validate(), Ok(()), "{head} {loss}");
        warnings(&experiment).into_iter().map(|warning| warning.message).collect()
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
            (&softmax, logits, &["changes nothing"]),
            (&twice, sparse, &["above ln(e + 2 − 1) − 1 = 0.3133"]),
            (&softmax, torch, &["Softmax is taken twice"]),
            (&hidden, logits, &["Softmax is taken twice"]),
            (&hidden, sparse, &["finds no scores"]),
            (&dense(2, "null"), sparse, &["Add softmax"]),
            (&dense(1, "null"), binary, &["Add sigmoid"]),
            (&dense(2, r#""relu""#), sparse, &["Add softmax", "ReLU cuts off"]),
            (&dense(2, r#""sigmoid""#), sparse, &["no shares of one"]),
            (&dense(1, r#""softmax""#), binary, &["One softmax unit"]),
            (&dense(1, r#""softmax""#), one_hot, &["One softmax unit", "run away"]),
            (&softmax, binary, &["question of its own"]),
        ];
        for (head, loss, expected) in rows {
            let found = warned(head, loss);
            assert_eq!(found.len(), expected.len(), "{head} {loss}: {found:?}");
            for (message, words) in found.iter().zip(*expected) {
                assert!(message.contains(words), "{head} {loss}: {message}");
            }
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
                assert!(found[0].contains(words), "{head} {loss}: {found:?}");
            }
        }
    }
}
