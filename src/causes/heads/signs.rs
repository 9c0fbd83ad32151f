//! The signs of heads and losses that do not fit each other.

use super::ending::{
    Ending, has_from_logits, is_head, takes_outputs_for_logits, takes_probabilities,
};
use super::{FROM_LOGITS, LOSS, SPARSE};
use crate::causes::{Warning, set};
use crate::experiment::{Activation, DatasetConfig, Experiment, LayerConfig, LossConfig};

pub(in crate::causes) fn signs(experiment: &Experiment) -> Vec<Warning> {
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
