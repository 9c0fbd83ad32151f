//! Losses by Keras' names, and their targets.

use crate::experiment::{Experiment, LossConfig};
use crate::script::text::{Script, call, flag, unless};

/// Makes the loss's targets, where those are not the labels themselves. Returns the name of the Python variable.
pub fn targets(script: &mut Script, experiment: &Experiment) -> &'static str {
    let Experiment { dataset, training, .. } = experiment;
    match training.loss {
        LossConfig::SparseCategoricalCrossentropy { .. }
        | LossConfig::TorchCrossEntropy { label_smoothing: 0.0 } => return "labels",
        _ => {}
    }
    let column = experiment.output_units() == 1;
    let mut convert = |start: &str| {
        script.line(&if column {
            format!("{start}targets = {start}labels[:, None].astype(\"float32\")")
        } else {
            format!(
                "{start}targets = keras.utils.to_categorical({start}labels, {})",
                experiment.output_units()
            )
        });
    };
    convert("");
    if dataset.validation_images > 0 {
        convert("held_out_");
    }
    "targets"
}

/// A loss by its name, or the call of its class where an argument differs from Keras' default.
pub fn loss(loss: &LossConfig) -> String {
    let with = |mut arguments: Vec<String>, class: &str, from_logits: bool, smoothing: f64| {
        flag(&mut arguments, "from_logits", from_logits);
        unless(&mut arguments, "label_smoothing", smoothing, 0.0);
        call(&format!("keras.losses.{class}"), &arguments)
    };
    let class = |class: &str, from_logits: bool, smoothing: f64| {
        with(Vec::new(), class, from_logits, smoothing)
    };
    let focal = |balanced: bool, alpha: f64, gamma: f64| {
        let mut arguments = Vec::new();
        flag(&mut arguments, "apply_class_balancing", balanced);
        unless(&mut arguments, "alpha", alpha, 0.25);
        unless(&mut arguments, "gamma", gamma, 2.0);
        arguments
    };
    match *loss {
        LossConfig::SparseCategoricalCrossentropy { from_logits: false } => {
            "\"sparse_categorical_crossentropy\"".into()
        }
        LossConfig::SparseCategoricalCrossentropy { from_logits } => {
            class("SparseCategoricalCrossentropy", from_logits, 0.0)
        }
        LossConfig::CategoricalCrossentropy { from_logits, label_smoothing } => {
            class("CategoricalCrossentropy", from_logits, label_smoothing)
        }
        LossConfig::BinaryCrossentropy { from_logits, label_smoothing } => {
            class("BinaryCrossentropy", from_logits, label_smoothing)
        }
        LossConfig::CategoricalFocalCrossentropy { alpha, gamma, from_logits, label_smoothing } => {
            let arguments = focal(false, alpha, gamma);
            with(arguments, "CategoricalFocalCrossentropy", from_logits, label_smoothing)
        }
        LossConfig::BinaryFocalCrossentropy {
            apply_class_balancing,
            alpha,
            gamma,
            from_logits,
            label_smoothing,
        } => {
            let arguments = focal(apply_class_balancing, alpha, gamma);
            with(arguments, "BinaryFocalCrossentropy", from_logits, label_smoothing)
        }
        LossConfig::MeanSquaredError {} => class("MeanSquaredError", false, 0.0),
        LossConfig::TorchCrossEntropy { label_smoothing: 0.0 } => {
            class("SparseCategoricalCrossentropy", true, 0.0)
        }
        LossConfig::TorchCrossEntropy { label_smoothing } => {
            class("CategoricalCrossentropy", true, label_smoothing)
        }
    }
}
