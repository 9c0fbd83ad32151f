//! Findings: the evidence for a verdict, in sentences and numbers.

use serde::Serialize;
use tsify::Tsify;

use crate::causes::{self, Warning};
use crate::experiment::{
    Activation, Experiment, Formula, Head, LayerConfig, Setting, Shape, layer_shapes, number_text,
};
use crate::training::{EpochMetrics, ReluLayer};

/// One piece of evidence for a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Finding {
    pub code: FindingCode,
    /// The epoch from which on the finding holds.
    pub epoch: u32,
    /// The finding in words.
    pub text: String,
    /// The numbers in the text.
    pub evidence: Vec<Evidence>,
    /// The code of the warning that names the likely cause, where one does.
    #[tsify(type = "string | null")]
    pub cause: Option<&'static str>,
    /// The settings that cure the cause, in order; empty where none are known.
    pub cure: Vec<Setting>,
}

/// The kind of a finding, with a stable name for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "kebab-case")]
pub enum FindingCode {
    /// No image activates any unit of a ReLU layer.
    DeadLayer,
    /// The loss is not a finite number.
    Diverged,
    /// The answers in training and in inference differ.
    ModesDiffer,
    /// The images are not memorised, and a warning of the experiment can explain it.
    LikelyCause,
}

impl Finding {
    fn new(code: FindingCode, epoch: u32, text: String, evidence: Vec<Evidence>) -> Self {
        Self { code, epoch, text, evidence, cause: None, cure: Vec::new() }
    }

    /// The same with the likely cause from `warning`; without one, with a lower learning rate as the first thing to try.
    fn explained(self, warning: Option<&Warning>, experiment: &Experiment) -> Self {
        match warning {
            Some(warning) => Self {
                text: format!("{} Likely cause: {}", self.text, warning.message),
                cause: Some(warning.code),
                cure: warning.cure.clone(),
                ..self
            },
            None => {
                let rate = experiment.training.learning_rate / 10.0;
                let text = format!(
                    "{} No setting points to a known cause; first try a lower learning rate, such as {}.",
                    self.text,
                    number_text(rate)
                );
                Self { text, cure: vec![Setting::new("training.learning_rate", rate)], ..self }
            }
        }
    }
}

/// The finding of a warning that can explain the verdict, where nothing else was found.
pub(super) fn likely_cause(warning: &Warning, epoch: u32) -> Finding {
    let text = format!("Likely cause: {}", warning.message);
    let finding = Finding::new(FindingCode::LikelyCause, epoch, text, Vec::new());
    Finding { cause: Some(warning.code), cure: warning.cure.clone(), ..finding }
}

/// One number of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
pub struct Evidence {
    #[tsify(type = "string")]
    pub name: &'static str,
    pub value: f64,
}

impl Evidence {
    fn new(name: &'static str, value: impl Into<f64>) -> Self {
        Self { name, value: value.into() }
    }
}

/// A ReLU layer of which no image activates any unit.
#[derive(Clone, Debug)]
pub(super) struct DeadLayer {
    /// The layer's index in the network's list.
    pub layer: u32,
    name: String,
    units: u32,
    is_of_images: bool,
    since: u32,
}

/// The consequence of a dead layer for the network's answers.
struct Consequence {
    text: String,
    evidence: Vec<Evidence>,
}

impl DeadLayer {
    /// The layers that are dead in this epoch.
    pub fn in_epoch(metrics: &EpochMetrics, experiment: &Experiment) -> impl Iterator<Item = Self> {
        let shapes = layer_shapes(&experiment.network, &experiment.dataset).unwrap_or_default();
        let is_of_images = move |layer: &ReluLayer| {
            let shape = shapes.get(layer.layer as usize);
            matches!(shape.map(|shape| shape.output), Some(Shape::Image(_)))
        };
        let dead = metrics.relu_layers.iter().filter(|layer| layer.dead == layer.units);
        dead.map(move |layer| Self {
            layer: layer.layer,
            name: layer.name.clone(),
            units: layer.units,
            is_of_images: is_of_images(layer),
            since: metrics.epoch,
        })
    }

    pub fn unit_word(&self) -> &'static str {
        if self.is_of_images { "filter" } else { "unit" }
    }

    /// The finding of this layer. `warnings` are the experiment's warnings that can explain why images are not memorised.
    pub fn finding(
        &self,
        experiment: &Experiment,
        class_counts: &[usize],
        warnings: &[Warning],
    ) -> Finding {
        let Self { name, units, since, .. } = self;
        let word = self.unit_word();
        let Consequence { text, evidence } = self.consequence(experiment, class_counts);
        let dead = [Evidence::new("layer", self.layer), Evidence::new("units", *units)];
        let text = format!(
            "Every {word} of “{name}” ({units} of {units}) has been dead since epoch {since}: no image activates it, so no gradient passes through it. {text}"
        );
        let evidence = dead.into_iter().chain(evidence).collect();
        let finding = Finding::new(FindingCode::DeadLayer, *since, text, evidence);
        let deadly = warnings.iter().find(|warning| causes::kills_units(warning.code));
        finding.explained(deadly, experiment)
    }

    /// The output of a dead layer is 0 for every image. A residual connection past the layer still carries the images. Otherwise,
    /// if all later layers keep zeros, every logit is 0 and the loss's formula gives the loss. If they do not, the logits are the
    /// same for every image, and the formula gives the lowest loss of such logits.
    ///
    /// The layer is found dead in training. Where a layer before it, or augmentation, makes training differ from inference, the
    /// layer may be alive in inference, and the text speaks of training alone.
    fn consequence(&self, experiment: &Experiment, class_counts: &[usize]) -> Consequence {
        let layers = &experiment.network.layers;
        let (before, after) = layers.split_at(self.layer as usize + 1);
        if self.is_passed_by(layers) {
            let text = "A residual connection still carries the images past this layer.".into();
            return Consequence { text, evidence: Vec::new() };
        }
        let differs_before = experiment.modes_differ_within(before);
        let formula = Formula::of(&experiment.training.loss, Head::of(&experiment.network));
        let units = experiment.output_units() as usize;
        if keep_zeros(after) {
            return self.zero_logits(experiment, class_counts, differs_before);
        }
        let mode = match (differs_before, experiment.modes_differ_within(after)) {
            (true, _) => " in training",
            (false, true) => " in inference",
            (false, false) => "",
        };
        let mut text = format!("Every image therefore gets the same answer{mode}");
        let best = formula.of_best_answer_to_all(units, class_counts);
        if let Some(best) = best {
            let name = match formula.best_answer_is_the_shares() {
                true => "the entropy of the labels, ",
                false => "",
            };
            text += &format!(", and no single answer for all has a loss below {name}{best:.4}");
        }
        let evidence = best.map(|best| Evidence::new("lowest_loss", best)).into_iter().collect();
        Consequence { text: text + ".", evidence }
    }

    fn zero_logits(
        &self,
        experiment: &Experiment,
        class_counts: &[usize],
        differs_before: bool,
    ) -> Consequence {
        let head = Head::of(&experiment.network);
        let formula = Formula::of(&experiment.training.loss, head);
        let units = experiment.output_units() as usize;
        let mode = if differs_before { " in training" } else { "" };
        let loss = formula.of_zero_logits(head, units, class_counts);
        if loss.is_nan() {
            let text = format!(
                "Every logit is therefore 0{mode}, and the loss is not a number, because it divides 0 by 0."
            );
            return Consequence { text, evidence: Vec::new() };
        }
        let regularizer = &experiment.network.regularizer;
        let plus = if regularizer.is_off() { "" } else { " plus the penalty of regularisation" };
        // As in Keras' accuracy: with one unit, class 1 where the output is above 0.5; with more, the first of the largest.
        let class = usize::from(units == 1 && head.outputs(&[0.0])[0] > 0.5);
        let images: usize = class_counts.iter().sum();
        let share = class_counts.get(class).copied().unwrap_or_default() as f64 / images as f64;
        let text = format!(
            "Every logit is therefore 0{mode}, so the loss is exactly {}{plus}, and the accuracy is the share of class {class}, {:.0} %.",
            logarithm_named(loss, units),
            100.0 * share
        );
        Consequence {
            text,
            evidence: vec![Evidence::new("loss", loss), Evidence::new("accuracy", share)],
        }
    }

    /// Whether a residual connection starts before this layer and ends after it. `add_saved` adds the input of the last `save`
    /// before it.
    fn is_passed_by(&self, layers: &[LayerConfig]) -> bool {
        let dead = self.layer as usize;
        let is_save = |layer: &LayerConfig| matches!(layer, LayerConfig::Save {});
        let added = |(index, layer): (usize, &LayerConfig)| {
            matches!(layer, LayerConfig::AddSaved {}).then_some(index)
        };
        let mut ends = layers.iter().enumerate().filter_map(added).filter(|&end| end > dead);
        ends.any(|end| layers[..end].iter().rposition(is_save).is_some_and(|start| start < dead))
    }
}

/// Whether zeros at the input of these layers, the last of the network, become logits of 0 for any weights.
fn keep_zeros(layers: &[LayerConfig]) -> bool {
    let Some((last, others)) = layers.split_last() else {
        // The dead layer is the last one. A ReLU is no head, so the layer's output, 0, is the logits.
        return true;
    };
    let last_keeps = match last.activation() {
        Some(Activation::Softmax | Activation::Sigmoid) => last.keeps_zero_before_activation(),
        _ => last.keeps_zero(),
    };
    last_keeps && others.iter().all(LayerConfig::keeps_zero)
}

/// A loss, as "ln 2 = 0.6931" where it is the logarithm of a whole number.
fn logarithm_named(loss: f64, units: usize) -> String {
    let is_log_of = |count: &usize| *count > 1 && (loss - (*count as f64).ln()).abs() < 1e-12;
    match [units, 2].into_iter().find(is_log_of) {
        Some(count) => format!("ln {count} = {loss:.4}"),
        None => format!("{loss:.4}"),
    }
}

/// The number of right images in the latest epoch of training, and in the evaluation.
#[derive(Clone, Copy)]
pub(super) struct Right {
    pub in_training: u32,
    pub in_inference: u32,
}

/// The reasons why training differs from inference.
pub(super) fn reasons_for_other_modes(experiment: &Experiment) -> Vec<&'static str> {
    let layers = &experiment.network.layers;
    let by_layers = !experiment.training.training_loop.inference_mode;
    let differs = |layer: &LayerConfig| by_layers && layer.differs_by_mode();
    let is_norm = |layer: &&LayerConfig| layer.norm().is_some();
    let [norms, others]: [usize; 2] = {
        let differing = || layers.iter().filter(|layer| differs(layer));
        let norms = differing().filter(is_norm).count();
        [norms, differing().count() - norms]
    };
    let augmentation = &experiment.training.augmentation;
    [
        (others > 0, "dropout"),
        (norms > 0, "batch normalisation"),
        (augmentation.alters_images(), "augmentation"),
        (augmentation.mixup != 0.0, "mixup"),
    ]
    .into_iter()
    .filter_map(|(is_so, reason)| is_so.then_some(reason))
    .collect()
}

/// The finding where all images were right in training, but not in inference.
pub(super) fn modes_differ(
    experiment: &Experiment,
    epoch: u32,
    right: Right,
    warnings: &[Warning],
) -> Option<Finding> {
    let images = experiment.dataset.images;
    let Right { in_training, in_inference } = right;
    let reasons = reasons_for_other_modes(experiment);
    let lags = reasons.contains(&"batch normalisation");
    if in_training < images || in_inference == images || !lags {
        return None;
    }
    let text = format!(
        "In the last epoch all {images} images were right in training, but only {in_inference} of {images} in inference. In inference, batch normalisation uses its moving averages, which lag behind the batch's statistics: with so few steps, a momentum below 0.9 helps."
    );
    let evidence = vec![
        Evidence::new("right_in_training", in_training),
        Evidence::new("right_in_inference", in_inference),
    ];
    let finding = Finding::new(FindingCode::ModesDiffer, epoch, text, evidence);
    let lagging = warnings.iter().find(|warning| warning.code == causes::AVERAGES_LAG);
    Some(match lagging {
        Some(warning) => {
            Finding { cause: Some(warning.code), cure: warning.cure.clone(), ..finding }
        }
        None => finding,
    })
}

/// The finding of a loss that is not a finite number, with the cause as far as it is known.
pub(super) fn diverged(
    experiment: &Experiment,
    epoch: u32,
    loss: f64,
    warnings: &[Warning],
) -> Finding {
    let layers = &experiment.network.layers;
    let head = Head::of(&experiment.network);
    let formula = Formula::of(&experiment.training.loss, head);
    let ends_with_relu = layers.last().and_then(LayerConfig::activation) == Some(Activation::Relu);
    let divides_zero = matches!(formula, Formula::ClippedCategorical { .. }) && ends_with_relu;
    let rate = experiment.training.learning_rate;
    let evidence = vec![Evidence::new("learning_rate", rate)];
    if divides_zero && loss.is_nan() {
        let text = format!(
            "The loss stopped being a number at epoch {epoch}: it divides the outputs of an image by their sum, which is 0 / 0 where the last ReLU makes all of them 0."
        );
        let finding = Finding::new(FindingCode::Diverged, epoch, text, evidence);
        let first = warnings.first();
        return match first {
            Some(warning) => {
                Finding { cause: Some(warning.code), cure: warning.cure.clone(), ..finding }
            }
            None => finding,
        };
    }
    // An infinite loss comes from growth alone. A NaN comes from infinities or from 0 / 0, and the loss does not tell which.
    let how = match loss.is_nan() {
        true => "a number grew beyond the largest 32-bit number, 3.4e38, or 0 was divided by 0",
        false => "a number grew beyond the largest 32-bit number, 3.4e38",
    };
    let text = format!(
        "The loss stopped being a finite number at epoch {epoch}, at a learning rate of {}: {how}.",
        number_text(rate)
    );
    let finding = Finding::new(FindingCode::Diverged, epoch, text, evidence);
    finding.explained(warnings.first(), experiment)
}
