//! Watches a run epoch by epoch: it reports events during the run and gives a verdict at the end.

use serde::Serialize;
use tsify::Tsify;

use super::MEMORISED_STREAK;
use super::findings::{
    DeadLayer, Finding, Right, diverged, likely_cause, modes_differ, reasons_for_other_modes,
};
use crate::causes;
use crate::experiment::{Experiment, number_text};
use crate::training::{EpochMetrics, Evaluation};

/// The largest number of likely causes that a result names where nothing else was found.
const MOST_LIKELY_CAUSES: usize = 2;

/// An event at an epoch, in words that are short enough for a chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct RunEvent {
    pub epoch: u32,
    pub kind: EventKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Every image is right for the first time.
    FirstReached,
    /// Every image has been right from this epoch on, for [`MEMORISED_STREAK`] epochs.
    Held,
    /// An image is wrong again after a streak of [`MEMORISED_STREAK`] epochs.
    Lost,
    /// The loss is no longer a finite number.
    Diverged,
    /// No image activates any unit of a ReLU layer.
    LayerDead,
    LearningRateChanged,
    /// Early stopping ended the run.
    StoppedEarly,
}

impl EventKind {
    pub const ALL: [Self; 7] = [
        Self::FirstReached,
        Self::Held,
        Self::Lost,
        Self::Diverged,
        Self::LayerDead,
        Self::LearningRateChanged,
        Self::StoppedEarly,
    ];

    /// The meaning of the event in a sentence, for its mark on a chart.
    pub fn meaning(self) -> String {
        match self {
            Self::FirstReached => "All images were right for the first time.".into(),
            Self::Held => format!(
                "All images were right from here on, for at least {MEMORISED_STREAK} epochs."
            ),
            Self::Lost => "All images had been right; now some are wrong again.".into(),
            Self::Diverged => "The loss stopped being a finite number.".into(),
            Self::LayerDead => {
                "No image activates any unit of a layer, so no gradient passes through it.".into()
            }
            Self::LearningRateChanged => "The learning rate was changed by hand.".into(),
            Self::StoppedEarly => "Early stopping ended the run here.".into(),
        }
    }
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct RunResult {
    /// The number of trained epochs.
    pub epochs: u32,
    pub planned_epochs: u32,
    /// The loss of the trained network in the evaluation at the end, in nats for cross-entropies.
    pub loss: f64,
    pub accuracy: f64,
    pub images_right: u32,
    pub images: u32,
    /// The network's answer for each image in the evaluation.
    pub predicted: Vec<u32>,
    /// The probability of each image's own label in the evaluation.
    pub label_probability: Vec<f32>,
    /// Whether every image was right in each of the last [`MEMORISED_STREAK`] epochs and in the evaluation.
    pub memorised: bool,
    /// The number of images right in the last epoch of training, where training differs from inference.
    pub right_in_training: Option<u32>,
    /// The first epoch with every image right.
    pub first_reached: Option<u32>,
    /// The first epoch of the last streak with every image right, where the images are memorised.
    pub held_since: Option<u32>,
    pub verdict: Verdict,
    /// The verdict in a few words, for a table.
    pub label: String,
    /// The verdict in a sentence.
    pub headline: String,
    /// The line that the article's script prints at its end.
    pub article_line: String,
    pub findings: Vec<Finding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Memorised,
    /// Every image was right at some epoch, but not at the end.
    ReachedAndLost,
    NotMemorised,
    Diverged,
    /// The run was stopped before its last epoch, without having memorised.
    Unfinished,
}

/// The state of watching one run.
#[derive(Clone, Debug)]
pub struct Watcher {
    experiment: Experiment,
    /// The number of images of each class.
    class_counts: Vec<usize>,
    epochs: u32,
    first_reached: Option<u32>,
    /// The first epoch of the current streak with every image right.
    streak_start: Option<u32>,
    diverged: Option<u32>,
    learning_rate: f64,
    /// The ReLU layers that are dead in the latest epoch.
    dead: Vec<DeadLayer>,
    /// The number of images right in the latest epoch of training, where training differs from inference.
    right_in_training: Option<u32>,
    stopped_early: bool,
}

impl Watcher {
    pub fn new(experiment: &Experiment, class_counts: Vec<usize>) -> Self {
        Self {
            class_counts,
            epochs: 0,
            first_reached: None,
            streak_start: None,
            diverged: None,
            learning_rate: experiment.training.learning_rate,
            dead: Vec::new(),
            right_in_training: None,
            stopped_early: false,
            experiment: experiment.clone(),
        }
    }

    /// Sets the total number of epochs of the run.
    pub fn plan_epochs(&mut self, epochs: u32) {
        self.experiment.training.epochs = epochs;
    }

    /// Takes the metrics of the next epoch and returns its events.
    pub fn observe(&mut self, metrics: &EpochMetrics) -> Vec<RunEvent> {
        let mut events = Vec::new();
        let mut event = |epoch, kind, text: String| events.push(RunEvent { epoch, kind, text });
        let epoch = metrics.epoch;
        self.epochs = epoch;
        self.right_in_training = metrics.inference.map(|_| metrics.images_right);
        if metrics.base_learning_rate != self.learning_rate {
            self.learning_rate = metrics.base_learning_rate;
            let text = format!("learning rate {}", number_text(self.learning_rate));
            event(epoch, EventKind::LearningRateChanged, text);
        }
        if !metrics.loss.is_finite() && self.diverged.is_none() {
            self.diverged = Some(epoch);
            event(epoch, EventKind::Diverged, format!("loss is {}", loss_words(metrics.loss)));
        }
        if metrics.all_right() {
            if self.first_reached.is_none() {
                self.first_reached = Some(epoch);
                event(epoch, EventKind::FirstReached, "first 100 %".into());
            }
            let start = *self.streak_start.get_or_insert(epoch);
            if self.streak() == MEMORISED_STREAK {
                event(start, EventKind::Held, "all right from here".into());
            }
        } else if let Some(start) = self.streak_start.take()
            && epoch - start >= MEMORISED_STREAK
        {
            event(epoch, EventKind::Lost, "lost".into());
        }
        // Where the loss is not finite, no unit counts as dead: a ReLU may turn NaN into 0.
        let dead_now: Vec<_> = if metrics.loss.is_finite() {
            DeadLayer::in_epoch(metrics, &self.experiment).collect()
        } else {
            Vec::new()
        };
        self.dead.retain(|dead| dead_now.iter().any(|now| now.layer == dead.layer));
        for layer in dead_now {
            if !self.dead.iter().any(|dead| dead.layer == layer.layer) {
                event(epoch, EventKind::LayerDead, format!("every {} dead", layer.unit_word()));
                self.dead.push(layer);
            }
        }
        if metrics.stopped_early {
            self.stopped_early = true;
            let text = match metrics.restored_epoch {
                Some(best) => format!("stopped early, weights of epoch {best}"),
                None => "stopped early".into(),
            };
            event(epoch, EventKind::StoppedEarly, text);
        }
        events
    }

    /// The number of latest epochs in a row with every image right.
    fn streak(&self) -> u32 {
        self.streak_start.map_or(0, |start| self.epochs + 1 - start)
    }

    /// The result of the run so far, given the evaluation of the current network.
    pub fn conclude(&self, evaluation: &Evaluation) -> RunResult {
        let memorised = self.streak() >= MEMORISED_STREAK && evaluation.all_right();
        let verdict = self.verdict(memorised, evaluation);
        RunResult {
            epochs: self.epochs,
            planned_epochs: self.experiment.training.epochs,
            loss: evaluation.loss,
            accuracy: evaluation.accuracy,
            images_right: evaluation.images_right,
            images: evaluation.predicted.len() as u32,
            predicted: evaluation.predicted.clone(),
            label_probability: evaluation.label_probability.clone(),
            memorised,
            right_in_training: self.right_in_training,
            first_reached: self.first_reached,
            held_since: self.streak_start.filter(|_| memorised),
            verdict,
            label: self.label(verdict),
            headline: self.headline(verdict, evaluation),
            article_line: format!(
                "Training accuracy after {} epochs: {:.4}",
                self.epochs, evaluation.accuracy
            ),
            findings: self.findings(verdict, evaluation),
        }
    }

    fn verdict(&self, memorised: bool, evaluation: &Evaluation) -> Verdict {
        if memorised {
            Verdict::Memorised
        } else if self.diverged.is_some() && !evaluation.loss.is_finite() {
            Verdict::Diverged
        } else if self.epochs < self.experiment.training.epochs && !self.stopped_early {
            Verdict::Unfinished
        } else if self.first_reached.is_some() && self.streak() == 0 && !evaluation.all_right() {
            Verdict::ReachedAndLost
        } else {
            Verdict::NotMemorised
        }
    }

    fn label(&self, verdict: Verdict) -> String {
        match verdict {
            Verdict::Memorised => "memorised".into(),
            Verdict::Diverged => "diverged".into(),
            _ => match (self.dead.first(), verdict) {
                (Some(dead), _) => format!("every {} dead", dead.unit_word()),
                (None, Verdict::ReachedAndLost) => "reached and lost".into(),
                (None, Verdict::Unfinished) => "stopped".into(),
                (None, _) => "not memorised".into(),
            },
        }
    }

    fn headline(&self, verdict: Verdict, evaluation: &Evaluation) -> String {
        let (right, images) = (evaluation.images_right, evaluation.predicted.len());
        let epochs = self.epochs;
        let streak = self.streak();
        let early = if self.stopped_early {
            format!(" Early stopping ended the run at epoch {epochs}.")
        } else {
            String::new()
        };
        match (verdict, self.first_reached) {
            (Verdict::Memorised, _) => {
                let since = self.streak_start.unwrap_or(epochs);
                let training = self.training_shows(images);
                format!("Memorised: all {images} images right from epoch {since} on.{training}")
            }
            (Verdict::Diverged, _) => {
                let since = self.diverged.unwrap_or(epochs);
                let loss = loss_words(evaluation.loss);
                format!("Diverged: the loss has been {loss} since epoch {since}.")
            }
            (Verdict::Unfinished, _) if epochs == 0 => {
                "Stopped before the end of the first epoch.".into()
            }
            (Verdict::Unfinished, _) if evaluation.all_right() => format!(
                "Stopped after epoch {epochs}: all {images} images right, but not yet in {MEMORISED_STREAK} epochs in a row."
            ),
            (Verdict::Unfinished, _) => format!(
                "Stopped after epoch {epochs}, not memorised yet: {right} of {images} images right."
            ),
            (Verdict::ReachedAndLost, Some(first)) => format!(
                "Not memorised: 100 % at epoch {first}, then lost; {right} of {images} images right at the end.{early}"
            ),
            _ if streak > 0 && evaluation.all_right() => format!(
                "Not memorised yet: all {images} images were right in the last {streak} of {MEMORISED_STREAK} required epochs.{early}"
            ),
            _ if evaluation.all_right() => format!(
                "Not memorised yet: all {images} images are right at the end, but they must be right in {MEMORISED_STREAK} epochs in a row.{early}"
            ),
            _ if streak > 0 => format!(
                "Not memorised: all images were right in the last epoch, but at the end only {right} of {images} are.{early}"
            ),
            _ => format!("Not memorised: {right} of {images} images right.{early}"),
        }
    }

    /// The images right in the last epoch of training and the reason, where that is fewer than in inference.
    fn training_shows(&self, images: usize) -> String {
        match self.right_in_training {
            Some(right) if (right as usize) < images => {
                let reasons = reasons_for_other_modes(&self.experiment).join(" and ");
                format!(" Training shows {right} of {images} because of {reasons}.")
            }
            _ => String::new(),
        }
    }

    fn findings(&self, verdict: Verdict, evaluation: &Evaluation) -> Vec<Finding> {
        let mut experiment = self.experiment.clone();
        experiment.training.learning_rate = self.learning_rate;
        let mut warnings = causes::warnings(&experiment);
        warnings.retain(|warning| causes::explains(warning.code));
        let mut findings = Vec::new();
        if let (Verdict::Diverged, Some(epoch)) = (verdict, self.diverged) {
            findings.push(diverged(&experiment, epoch, evaluation.loss, &warnings));
        }
        let dead = self.dead.iter();
        findings.extend(dead.map(|dead| dead.finding(&experiment, &self.class_counts, &warnings)));
        if let (Some(training), false) = (self.right_in_training, verdict == Verdict::Diverged) {
            let right = Right { in_training: training, in_inference: evaluation.images_right };
            findings.extend(modes_differ(&experiment, self.epochs, right, &warnings));
        }
        if findings.is_empty() && matches!(verdict, Verdict::NotMemorised | Verdict::ReachedAndLost)
        {
            let likely = warnings.iter().take(MOST_LIKELY_CAUSES);
            findings.extend(likely.map(|warning| likely_cause(warning, self.epochs)));
        }
        findings
    }
}

fn loss_words(loss: f64) -> &'static str {
    if loss.is_nan() { "not a number" } else { "infinite" }
}
