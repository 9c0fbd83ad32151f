//! Data, layers, training and loops that keep a few images from being memorised, or this check from meaning anything.

use super::Warning;
use crate::experiment::{Activation, Experiment, LayerConfig, Pixels, number_text};

/// A rate so many times the optimizer's default, or as many times below it, is named.
const UNUSUAL_RATE: f64 = 50.0;
/// Fewer steps in all are named: Adam's default rate takes some fifteen on the article's images.
const FEW_STEPS: u32 = 20;
/// As many sigmoid or tanh layers one behind the other are named.
const DEEP: usize = 4;

/// A list that grows by what is the case.
#[derive(Default)]
struct Warnings(Vec<Warning>);

impl Warnings {
    fn when(&mut self, is_so: bool, field: &str, message: impl FnOnce() -> String) {
        if is_so {
            self.0.push(Warning { field: field.into(), message: message() });
        }
    }
}

pub(super) fn data_warnings(experiment: &Experiment) -> Vec<Warning> {
    let mut warnings = Warnings::default();
    let data = &experiment.dataset;
    let ends = [data.shift, data.scale + data.shift];
    let largest = ends.iter().fold(0.0, |most: f64, end| most.max(end.abs()));
    warnings.when(largest > 10.0, "dataset.scale", || {
            let [from, to] = ends.map(number_text);
            format!("Pixels lie between {from} and {to}: the first steps are as many times too large, and may kill every ReLU. Bring them to about 0 to 1.")
        });
    let alike = data.pixels == Pixels::Constant || data.scale == 0.0;
    warnings.when(alike && data.images > 1, "dataset.pixels", || {
            "Every image is the same: only the shares of the classes can be learnt, and the loss stops at their entropy.".into()
        });
    let pairs = data.conflicting_pairs;
    warnings.when(pairs > 0, "dataset.conflicting_pairs", || {
            let share = 2.0 * f64::from(pairs) / f64::from(data.images);
            let floor = share * std::f64::consts::LN_2;
            format!("{pairs} images are there twice with two labels: no network can answer both, so the loss stays above ln 2 times their share, {floor:.4}.")
        });
    warnings.when(data.flipped > 0.0, "dataset.flipped", || {
        "Some labels are wrong. Any labels can be memorised: this check cannot reveal it.".into()
    });
    warnings.when(!experiment.training.augmentation.is_off(), "training.augmentation", || {
            "Augmentation is on: loss and accuracy of an epoch are of altered images, and lag. Switch it off for this check.".into()
        });
    warnings.0
}

pub(super) fn layer_warnings(experiment: &Experiment) -> Vec<Warning> {
    let mut warnings = Warnings::default();
    let layers = &experiment.network.layers;
    let initializer = &experiment.network.initializer;
    let alike = initializer.kernel.is_constant();
    warnings.when(alike || initializer.factor == 0.0, "network.initializer.kernel", || {
            "All weights of a layer start equal, so all its units stay alike, or get no gradient at all. Draw them at random.".into()
        });
    let factor = initializer.factor;
    let unusual = factor != 0.0 && !(0.1..=10.0).contains(&factor);
    warnings.when(unusual && !alike, "network.initializer.factor", || {
            let (size, what) = if factor > 1.0 {
                ("large", "the first loss is huge, and steps of the usual size take ages to shrink them")
            } else {
                ("small", "little passes through a layer, forward or backward")
            };
            format!("Initial weights are {} times what their rule says, too {size}: {what}. Leave the factor at 1.", number_text(factor))
        });
    for index in without_activation(experiment) {
        warnings.when(true, &format!("network.layers[{index}].activation"), || {
            format!(
                "“{}” has no activation: it and the next layer are one linear layer.",
                layers[index].name()
            )
        });
    }
    let saturating = |layer: &&LayerConfig| {
        matches!(layer.activation(), Some(Activation::Sigmoid | Activation::Tanh))
    };
    // The last layer may end with a sigmoid.
    let count = layers[..layers.len() - 1].iter().filter(saturating).count();
    let normed = layers.iter().any(|layer| matches!(layer, LayerConfig::BatchNorm { .. }));
    warnings.when(count >= DEEP && !normed, "network.layers", || {
            format!("{count} layers end with sigmoid or tanh: each shrinks the gradient, and through all of them little arrives. Use ReLU with He initialisation, or batch normalisation.")
        });
    let last_dense = layers.iter().rposition(|layer| matches!(layer, LayerConfig::Dense { .. }));
    for (index, layer) in layers.iter().enumerate() {
        let path = format!("network.layers[{index}]");
        let name = || layers[index].name();
        match *layer {
            LayerConfig::Dense { units, .. } if units <= 2 && last_dense != Some(index) => {
                warnings.when(true, &format!("{path}.units"), || {
                        format!("“{}” leaves so few numbers of an image that it differs by seed whether its classes can be told apart. Make it wider.", name())
                    });
            }
            LayerConfig::Dropout { rate } => {
                warnings.when(rate > 0.0, &format!("{path}.rate"), || {
                        format!("“{}” is on in training: loss and accuracy of an epoch are of a thinned network. Switch it off for this check.", name())
                    });
            }
            LayerConfig::BatchNorm { momentum, .. } => {
                let left = momentum.powf(f64::from(experiment.steps()));
                warnings.when(left > 0.05 && !experiment.training.training_loop.inference_mode, &format!("{path}.momentum"), || {
                        format!("After {} steps at a momentum of {momentum} the moving averages are still to {:.0} % what they started from: inference will differ from training. Take 0.5 for this check, or more steps.", experiment.steps(), 100.0 * left)
                    });
            }
            _ => {}
        }
    }
    warnings.0
}

/// Layers with weights between which and the next such layer nothing bends the line.
fn without_activation(experiment: &Experiment) -> impl Iterator<Item = usize> {
    let layers = &experiment.network.layers;
    let (weighs, bends) = (LayerConfig::has_kernel, LayerConfig::bends);
    let plain = move |index: &usize| {
        let next = layers[index + 1..].iter().find(|layer| weighs(layer) || bends(layer));
        let layer = &layers[*index];
        weighs(layer) && layer.activation().is_none() && next.is_some_and(weighs)
    };
    (0..layers.len()).filter(plain)
}

pub(super) fn training_warnings(experiment: &Experiment) -> Vec<Warning> {
    let mut warnings = Warnings::default();
    let training = &experiment.training;
    let (rate, usual) = (training.learning_rate, training.optimizer.usual_rate());
    let name = training.optimizer.keras_name();
    warnings.when(rate > UNUSUAL_RATE * usual, "training.learning_rate", || {
            format!("The learning rate is {} times {name}'s default of {usual}: the first steps may throw every ReLU below 0, for good.", number_text((rate / usual).round()))
        });
    warnings.when(rate * UNUSUAL_RATE < usual, "training.learning_rate", || {
        format!(
            "The learning rate is {} times below {name}'s default of {usual}: the loss will creep.",
            number_text((usual / rate).round())
        )
    });
    warnings.when(experiment.steps() < FEW_STEPS, "training.epochs", || {
        let plural = if experiment.steps() == 1 { "" } else { "s" };
        format!(
            "Only {} step{plural} in all: too few to memorise anything. Take more epochs.",
            experiment.steps()
        )
    });
    let decay = training.optimizer.weight_decay();
    warnings.when(decay >= 0.01, "training.optimizer.weight_decay", || {
        format!("A weight decay of {decay} pulls against memorising. Switch it off for this check.")
    });
    let penalised = !experiment.network.regularizer.is_off();
    warnings.when(penalised, "network.regularizer", || {
            "The loss counts the size of the weights: it cannot reach 0. Switch regularisation off for this check.".into()
        });
    warnings.0
}

pub(super) fn loop_warnings(experiment: &Experiment) -> Vec<Warning> {
    let mut warnings = Warnings::default();
    let training_loop = &experiment.training.training_loop;
    warnings.when(!training_loop.zero_grad, "training.loop.zero_grad", || {
        "Gradients are never set to zero: each step takes the sum of all so far.".into()
    });
    let anything = !experiment.is_frozen_entirely();
    let frozen = !training_loop.frozen.is_empty();
    warnings.when(frozen || !anything, "training.loop.frozen", || {
        if anything {
            "Some layers are frozen: the others may memorise all the same.".into()
        } else {
            "No layer's weights are trained: the loss will not change by a digit.".into()
        }
    });
    warnings.when(training_loop.labels_rolled_by > 0, "training.loop.labels_rolled_by", || {
            "Labels stand beside the wrong images. Any labels can be memorised: this check cannot reveal it.".into()
        });
    warnings.when(training_loop.labels_shuffled, "training.loop.labels_shuffled", || {
        "Each step pairs images with labels at random: there is nothing to memorise.".into()
    });
    warnings.when(training_loop.optimizer_recreated, "training.loop.optimizer_recreated", || {
        "The optimizer is made anew each step and remembers nothing: no momentum, no averages."
            .into()
    });
    warnings.when(training_loop.inference_mode, "training.loop.inference_mode", || {
            "The network trains in inference mode: batch normalisation by its moving averages, which never move, and no dropout.".into()
        });
    warnings.0
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use crate::causes::warnings;
    use crate::presets::{self, PresetGroup};

    #[wasm_bindgen_test(unsupported = test)]
    fn every_mistake_is_warned_of_and_nothing_else() {
        for preset in presets::presets() {
            let found = warnings(&preset.experiment);
            // The article's third example has a rate 100 times SGD's default.
            let expected = preset.group == PresetGroup::Mistakes || preset.id == "example-3";
            assert_eq!(!found.is_empty(), expected, "{}: {found:?}", preset.id);
            let messages: std::collections::BTreeSet<_> =
                found.iter().map(|warning| &warning.message).collect();
            assert_eq!(messages.len(), found.len(), "{}: {found:?}", preset.id);
            if let Some(mistake) = preset.mistake {
                assert_eq!(warnings(&mistake.mended), [], "{}, mended", preset.id);
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn warnings_name_their_field_and_say_what_is_so() {
        let rows = [
            ("dataset.scale", "255", "dataset.scale", "between 0 and 255"),
            ("dataset.scale", "0", "dataset.pixels", "Every image is the same"),
            ("dataset.conflicting_pairs", "5", "dataset.conflicting_pairs", "share, 0.3466"),
            ("dataset.flipped", "0.1", "dataset.flipped", "wrong"),
            ("training.augmentation.crop", "0.1", "training.augmentation", "altered"),
            (
                "training.learning_rate",
                "0.1",
                "training.learning_rate",
                "100 times Adam's default of 0.001",
            ),
            ("training.learning_rate", "1e-6", "training.learning_rate", "1000 times below"),
            ("training.epochs", "1", "training.epochs", "Only 1 step in all"),
            ("network.regularizer.l2", "0.01", "network.regularizer", "cannot reach 0"),
            ("network.initializer.factor", "100", "network.initializer.factor", "too large"),
            (
                "network.layers[0].activation",
                "none",
                "network.layers[0].activation",
                "“Conv 32, 3 × 3” has no",
            ),
            ("training.loop.frozen", "[3]", "training.loop.frozen", "Some layers"),
            ("training.loop.frozen", "[0, 3]", "training.loop.frozen", "not change by a digit"),
        ];
        for (field, value, at, words) in rows {
            let mut experiment = presets::preset("example-1").unwrap().experiment;
            experiment.set(field, value).unwrap();
            let warnings = warnings(&experiment);
            assert_eq!(warnings.len(), 1, "{field} {value}: {warnings:?}");
            assert_eq!(warnings[0].field, at);
            assert!(warnings[0].message.contains(words), "{field} {value}: {warnings:?}");
        }
    }
}
