//! Mistakes that people make, as data: the signs of each in an experiment, its effect on a few images, and its cure.
//!
//! Each file holds a family: its signs, functions that give a [`Warning`] of an experiment, and its [`Cause`]s, mistakes that
//! people report, each as a healthy experiment with the settings that break it. The presets of mistakes, the warnings and the
//! findings of a run all use them. A warning does not stop anything: the experiment trains as it is written.

mod batch_norm;
mod heads;
mod labels;
mod layers;
mod left_on;
mod pixels;
mod rate;
mod training_loop;
mod weights;

use serde::Serialize;
use tsify::Tsify;

use crate::experiment::{Experiment, InvalidField, Setting};

pub use batch_norm::{AVERAGES_LAG, BATCH_OF_ONE};
pub use rate::RATE_TOO_HIGH;

/// A setting that is allowed, but likely a mistake or a hindrance to memorising.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Warning {
    /// The sign's stable name for programs.
    #[tsify(type = "string")]
    pub code: &'static str,
    /// The path of the field to change.
    pub field: String,
    /// The effect of the setting and its cure, in words.
    pub message: String,
    /// The settings that cure it, in order; empty where none are known.
    pub cure: Vec<Setting>,
}

/// A mistake that people report, in an experiment that memorises without it.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// The mistake's stable name for programs, and the id of its preset.
    pub code: &'static str,
    /// The code of the mistake's warning.
    pub sign: &'static str,
    pub name: &'static str,
    /// A one-line description.
    pub summary: &'static str,
    /// The symptom that a person sees.
    pub sees: &'static str,
    /// The effect on the loss.
    pub does: &'static str,
    /// The way to fix the mistake.
    pub mends: &'static str,
    pub level: Level,
    healthy: Settings,
    mistake: Settings,
}

/// Paths of fields with their values, as a person would enter them.
type Settings = &'static [(&'static str, &'static str)];

/// The final loss and answers of a run with a mistake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// Memorised in spite of the mistake.
    Memorised,
    /// Memorised, but the loss stops above this level.
    MemorisedAt(f64),
    /// Not memorised: the loss stops at this level.
    StuckAt(f64),
    /// Not memorised: the loss stops at the entropy of the labels.
    AtTheirEntropy,
    /// Not memorised: the loss has not changed at all.
    AtItsFirstLoss,
    /// Not memorised: the loss ends within this range.
    Within(f64, f64),
    /// Not memorised: the loss stops at this level or is not a number, depending on the seed.
    StuckAtOrNan(f64),
    /// All images are right in training, but not in inference.
    WrongInInference,
    /// All images are right in inference at the end, but fewer in the last epoch; the verdict depends on the seed.
    WrongInTraining,
    /// The loss falls to 0, but accuracy does not change.
    LossWithoutAccuracy,
}

/// Added to the words of every mistake in spite of which the images are memorised.
const NOT_REVEALED: &str = "Memorising a few images does not reveal this mistake.";

/// The part of a training that a mistake is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Data,
    Weights,
    Head,
    Loop,
}

/// A family's causes and its signs.
struct Family {
    theme: Theme,
    causes: &'static [Cause],
    signs: fn(&Experiment) -> Vec<Warning>,
}

const FAMILIES: &[Family] = &[
    Family { theme: Theme::Data, causes: pixels::CAUSES, signs: pixels::signs },
    Family { theme: Theme::Data, causes: labels::CAUSES, signs: labels::signs },
    Family { theme: Theme::Weights, causes: weights::CAUSES, signs: weights::signs },
    Family { theme: Theme::Weights, causes: layers::CAUSES, signs: layers::signs },
    Family { theme: Theme::Weights, causes: batch_norm::CAUSES, signs: batch_norm::signs },
    Family { theme: Theme::Head, causes: heads::CAUSES, signs: heads::signs },
    Family { theme: Theme::Loop, causes: rate::CAUSES, signs: rate::signs },
    Family { theme: Theme::Loop, causes: left_on::CAUSES, signs: left_on::signs },
    Family { theme: Theme::Loop, causes: training_loop::CAUSES, signs: training_loop::signs },
];

/// Every mistake, family by family.
pub fn causes() -> impl Iterator<Item = &'static Cause> {
    FAMILIES.iter().flat_map(|family| family.causes)
}

/// The warnings of a valid experiment. Equal warnings are given once.
pub fn warnings(experiment: &Experiment) -> Vec<Warning> {
    let mut said = Vec::new();
    let all = FAMILIES.iter().flat_map(|family| (family.signs)(experiment));
    all.filter(|warning| {
        let is_new = !said.contains(&warning.message);
        said.push(warning.message.clone());
        is_new
    })
    .collect()
}

/// Signs that no cause has and that do not hinder memorising.
const HARMLESS: [&str; 3] = ["more-units-than-classes", "labels-flipped", "binary-of-several"];

/// Whether this sign can explain why images are not memorised. It cannot where all its causes are memorised.
pub fn explains(code: &str) -> bool {
    if HARMLESS.contains(&code) {
        return false;
    }
    let mut cases = causes().filter(|cause| cause.sign == code).peekable();
    cases.peek().is_none() || cases.any(|cause| !cause.level.is_memorised())
}

/// Whether this sign can explain that every unit of a ReLU layer is dead.
pub fn kills_units(code: &str) -> bool {
    DEADLY.contains(&code)
}

/// The signs that can explain that every unit of a ReLU layer is dead.
const DEADLY: [&str; 6] = [
    BATCH_OF_ONE,
    RATE_TOO_HIGH,
    "pixels-too-large",
    "weights-equal",
    "gradients-not-zeroed",
    "too-narrow",
];

impl Warning {
    fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: field.into(), message: message.into(), cure: Vec::new() }
    }

    /// The same with the settings that turn `experiment` into the one that `mend` makes of it.
    fn mended(mut self, experiment: &Experiment, mend: impl FnOnce(&mut Experiment)) -> Self {
        let mut mended = experiment.clone();
        mend(&mut mended);
        self.cure = mended.settings_from(experiment);
        self
    }

    /// The same for a `mend` that may be refused, such as where a layer has no such field, or that may give an invalid experiment.
    /// Then the warning has no cure.
    fn tried(
        self,
        experiment: &Experiment,
        mend: impl FnOnce(&mut Experiment) -> Result<(), InvalidField>,
    ) -> Self {
        let mut mended = experiment.clone();
        match mend(&mut mended) {
            Ok(()) if mended.validate().is_ok() => {
                Self { cure: mended.settings_from(experiment), ..self }
            }
            _ => self,
        }
    }

    /// The same with one setting as its cure.
    fn cured_by(mut self, field: &str, value: impl Serialize) -> Self {
        self.cure = vec![Setting::new(field, value)];
        self
    }
}

impl Level {
    /// Words for what a person sees, as they search for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Memorised | Self::MemorisedAt(_) => "hidden",
            Self::StuckAt(_) | Self::AtTheirEntropy | Self::Within(..) => {
                "stuck plateau constant, does not learn"
            }
            Self::AtItsFirstLoss => "stuck constant unchanged, does not learn",
            Self::StuckAtOrNan(_) => "NaN stuck plateau",
            Self::WrongInInference => "evaluate predict validation differs from fit",
            Self::WrongInTraining => "unstable",
            Self::LossWithoutAccuracy => "accuracy stuck constant",
        }
    }

    /// Whether the images are memorised, so that memorising does not reveal the mistake.
    pub fn is_memorised(self) -> bool {
        match self {
            Self::Memorised | Self::MemorisedAt(_) => true,
            Self::StuckAt(_)
            | Self::AtTheirEntropy
            | Self::AtItsFirstLoss
            | Self::Within(..)
            | Self::StuckAtOrNan(_)
            | Self::WrongInInference
            | Self::WrongInTraining
            | Self::LossWithoutAccuracy => false,
        }
    }
}

impl Cause {
    /// The part of the training that the mistake is in.
    pub fn theme(&self) -> Theme {
        let has = |family: &&Family| family.causes.iter().any(|cause| cause.code == self.code);
        FAMILIES.iter().find(has).expect("a cause has a family").theme
    }

    /// The experiment without the mistake: Example 1 on balanced classes of 32 x 32 images, with the cause's own settings. A
    /// network that has learnt nothing then ends exactly at the logarithm of the number of classes.
    pub fn healthy(&self) -> Experiment {
        let mut experiment = Experiment::default();
        let base = [("dataset.side", "32"), ("dataset.labels", "balanced")];
        self.set(&mut experiment, &base);
        self.set(&mut experiment, self.healthy);
        experiment
    }

    /// The experiment with the mistake.
    pub fn mistaken(&self) -> Experiment {
        let mut experiment = self.healthy();
        self.set(&mut experiment, self.mistake);
        experiment
    }

    fn set(&self, experiment: &mut Experiment, settings: &[(&str, &str)]) {
        let done = set(experiment, settings);
        done.unwrap_or_else(|problem| panic!("the cause {}: {problem}", self.code));
    }

    /// The settings that cure the mistake.
    pub fn cure(&self) -> Vec<Setting> {
        self.healthy().settings_from(&self.mistaken())
    }

    /// The effect of the mistake in words, and whether memorising reveals it.
    pub fn consequence(&self) -> String {
        match self.level.is_memorised() {
            true => format!("{} {NOT_REVEALED}", self.does),
            false => self.does.into(),
        }
    }
}

/// Sets fields in order, up to the first that cannot be set.
fn set(experiment: &mut Experiment, settings: &[(&str, &str)]) -> Result<(), InvalidField> {
    settings.iter().try_for_each(|(field, value)| experiment.set(field, value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wasm_bindgen_test::*;

    use super::*;
    use crate::presets;

    #[wasm_bindgen_test(unsupported = test)]
    fn every_mistake_shows_by_its_sign_and_nothing_shows_without_it() {
        for cause in causes() {
            let codes: Vec<_> =
                warnings(&cause.mistaken()).iter().map(|found| found.code).collect();
            assert!(codes.contains(&cause.sign), "{}: {codes:?}", cause.code);
            assert_eq!(warnings(&cause.healthy()), [], "{}, mended", cause.code);
        }
        for preset in presets::presets() {
            // The article's third example trains at 100 times SGD's default rate.
            let expected = match preset.id {
                _ if preset.mistake.is_some() => continue,
                "example-3" => vec![RATE_TOO_HIGH],
                _ => vec![],
            };
            let codes: Vec<_> =
                warnings(&preset.experiment).iter().map(|found| found.code).collect();
            assert_eq!(codes, expected, "{}", preset.id);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn the_cure_of_a_cause_leads_to_its_healthy_experiment() {
        for cause in causes() {
            let mut experiment = cause.mistaken();
            assert_ne!(experiment, cause.healthy(), "{}", cause.code);
            for setting in cause.cure() {
                experiment.apply(&setting).unwrap();
            }
            assert_eq!(experiment, cause.healthy(), "{}", cause.code);
        }
    }

    /// Each cure of a warning removes the warning and leaves a valid experiment.
    #[wasm_bindgen_test(unsupported = test)]
    fn the_cure_of_a_warning_removes_it() {
        let presets = presets::presets().into_iter().map(|preset| preset.experiment);
        let mut cured = BTreeSet::new();
        for experiment in presets {
            for warning in warnings(&experiment).into_iter().filter(|found| !found.cure.is_empty())
            {
                let mut mended = experiment.clone();
                for setting in &warning.cure {
                    mended.apply(setting).unwrap();
                }
                assert_eq!(mended.validate(), Ok(()), "{warning:?}");
                let codes: Vec<_> = warnings(&mended).iter().map(|found| found.code).collect();
                assert!(!codes.contains(&warning.code), "{warning:?}: {codes:?}");
                cured.insert(warning.code);
            }
        }
        assert!(cured.len() > 20, "{cured:?}");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn codes_are_apart_and_in_kebab_case() {
        let codes: Vec<_> = causes().map(|cause| cause.code).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        for code in codes.into_iter().chain(causes().map(|cause| cause.sign)) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(code.chars().all(plain), "{code}");
        }
    }

    /// `cargo test --lib sentences -- --nocapture` prints all sentences for a person to read.
    #[wasm_bindgen_test(unsupported = test)]
    fn sentences_of_every_cause_and_warning() {
        for cause in causes() {
            println!("{} ({}), {}", cause.code, cause.sign, cause.name);
            println!("  {}", cause.summary);
            let consequence = cause.consequence();
            for sentence in [cause.sees, &consequence, cause.mends] {
                println!("  {sentence}");
                assert!(sentence.ends_with('.'), "{sentence}");
            }
            for Warning { field, message, cure, .. } in warnings(&cause.mistaken()) {
                let cure: Vec<_> =
                    cure.iter().map(|by| format!("{}={}", by.field, by.text())).collect();
                println!("  ! {field}: {message} [{}]", cure.join(" "));
                assert!(message.ends_with('.'), "{message}");
            }
        }
    }

    /// Each row sets a field of Example 1 to a value, and names the one warning that it gets.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_field_that_is_a_sign_is_named() {
        let rows = [
            ("dataset.scale", "255", "pixels-too-large", "dataset.scale"),
            ("dataset.scale", "0", "images-alike", "dataset.pixels"),
            ("dataset.conflicting_pairs", "5", "conflicting-labels", "dataset.conflicting_pairs"),
            ("dataset.flipped", "0.1", "labels-flipped", "dataset.flipped"),
            ("training.augmentation.crop", "0.1", "augmentation-on", "training.augmentation"),
            ("training.learning_rate", "0.1", RATE_TOO_HIGH, "training.learning_rate"),
            ("training.learning_rate", "1e-6", "learning-rate-too-low", "training.learning_rate"),
            ("training.epochs", "1", "too-few-steps", "training.epochs"),
            ("network.regularizer.l2", "0.01", "regularisation-on", "network.regularizer"),
            (
                "network.initializer.factor",
                "100",
                "weights-too-large",
                "network.initializer.factor",
            ),
            (
                "network.initializer.factor",
                "0.01",
                "weights-too-small",
                "network.initializer.factor",
            ),
            (
                "network.layers[0].activation",
                "none",
                "no-activation",
                "network.layers[0].activation",
            ),
            ("training.loop.frozen", "[3]", "some-layers-frozen", "training.loop.frozen"),
            ("training.loop.frozen", "[0, 3]", "all-layers-frozen", "training.loop.frozen"),
        ];
        for (field, value, code, at) in rows {
            let mut experiment = Experiment::default();
            experiment.set(field, value).unwrap();
            let found = warnings(&experiment);
            let named: Vec<_> = found.iter().map(|found| (found.code, &*found.field)).collect();
            assert_eq!(named, [(code, at)], "{field} {value}");
        }
    }
}
