//! Mistakes that people make, as data: how each shows in an experiment, what it does to a few images, and what mends it.
//!
//! A file holds a family: its signs, functions of an experiment that give a [`Warning`], and its [`Cause`]s, mistakes that people
//! report, each as a healthy experiment with the settings that break it. The presets of mistakes, the warnings and the findings of a
//! run all read from here. A warning does not stop anything: the experiment trains as it is written.

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

/// Something that is allowed and most likely a mistake, or in the way of this check.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Warning {
    /// What programs call the sign; it stays when the words change.
    #[tsify(type = "string")]
    pub code: &'static str,
    /// The path of the field to change.
    pub field: String,
    /// What the field does, and what belongs there.
    pub message: String,
    /// The settings that mend it, in order; none where that is not known.
    pub cure: Vec<Setting>,
}

/// A mistake that people report, in an experiment that memorises without it.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// What programs call the mistake, and the id of its preset.
    pub code: &'static str,
    /// The code of the warning by which it shows.
    pub sign: &'static str,
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// What a person sees.
    pub sees: &'static str,
    /// What it does to the loss.
    pub does: &'static str,
    /// What mends it.
    pub mends: &'static str,
    pub level: Level,
    healthy: Settings,
    mistake: Settings,
}

/// Paths of fields with their values as a person would enter them.
type Settings = &'static [(&'static str, &'static str)];

/// What the loss and the answers end with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// Memorised all the same.
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
    /// Not memorised: the loss stops at this level or is not a number, by seed.
    StuckAtOrNan(f64),
    /// Training answers all images right, inference does not.
    WrongInInference,
    /// The network answers all images right at the end, and the last epoch counts fewer; whether that held differs by seed.
    WrongInTraining,
    /// The loss falls to 0, accuracy does not move.
    LossWithoutAccuracy,
}

/// Said of every mistake with which the images are memorised all the same.
const NOT_REVEALED: &str = "Memorising a few images does not reveal this mistake.";

/// A family's causes and its signs.
struct Family {
    causes: &'static [Cause],
    signs: fn(&Experiment) -> Vec<Warning>,
}

const FAMILIES: &[Family] = &[
    Family { causes: pixels::CAUSES, signs: pixels::signs },
    Family { causes: labels::CAUSES, signs: labels::signs },
    Family { causes: weights::CAUSES, signs: weights::signs },
    Family { causes: layers::CAUSES, signs: layers::signs },
    Family { causes: batch_norm::CAUSES, signs: batch_norm::signs },
    Family { causes: heads::CAUSES, signs: heads::signs },
    Family { causes: rate::CAUSES, signs: rate::signs },
    Family { causes: left_on::CAUSES, signs: left_on::signs },
    Family { causes: training_loop::CAUSES, signs: training_loop::signs },
];

/// Every mistake, family by family.
pub fn causes() -> impl Iterator<Item = &'static Cause> {
    FAMILIES.iter().flat_map(|family| family.causes)
}

/// The warnings of a valid experiment. Of several layers with the same problem the first is named.
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

/// Signs of what memorises all the same, of which no mistake is told.
const HARMLESS: [&str; 3] = ["more-units-than-classes", "labels-flipped", "binary-of-several"];

/// Whether what shows by this sign keeps images from being memorised. A sign all of whose known cases are memorised explains nothing.
pub fn explains(code: &str) -> bool {
    if HARMLESS.contains(&code) {
        return false;
    }
    let mut cases = causes().filter(|cause| cause.sign == code).peekable();
    cases.peek().is_none() || cases.any(|cause| !cause.level.is_memorised())
}

/// Whether what shows by this sign can leave every unit of a ReLU layer dead.
pub fn kills_units(code: &str) -> bool {
    DEADLY.contains(&code)
}

/// The signs of what can leave every unit of a ReLU layer dead.
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

    /// The same with the settings that lead from `experiment` to the one that `mend` makes of it.
    fn mended(mut self, experiment: &Experiment, mend: impl FnOnce(&mut Experiment)) -> Self {
        let mut mended = experiment.clone();
        mend(&mut mended);
        self.cure = mended.settings_from(experiment);
        self
    }

    /// The same where a setting of `mend` may be refused, as a layer has no such field, or what comes of it may be no valid
    /// experiment: then no cure is told.
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

    /// The same with one setting that mends it.
    fn cured_by(mut self, field: &str, value: impl Serialize) -> Self {
        self.cure = vec![Setting::new(field, value)];
        self
    }
}

impl Level {
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
    /// The experiment without the mistake: Example 1 on images of 32 x 32, as many of one class as of the other, so that a network
    /// that has learnt nothing ends at the logarithm of the number of classes exactly; with the cause's own settings.
    pub fn healthy(&self) -> Experiment {
        let mut experiment = Experiment::default();
        let base = [("dataset.side", "32"), ("dataset.labels", "balanced")];
        set(&mut experiment, &base);
        set(&mut experiment, self.healthy);
        experiment
    }

    /// The experiment with the mistake.
    pub fn mistaken(&self) -> Experiment {
        let mut experiment = self.healthy();
        set(&mut experiment, self.mistake);
        experiment
    }

    /// The settings that mend the mistake.
    pub fn cure(&self) -> Vec<Setting> {
        self.healthy().settings_from(&self.mistaken())
    }

    /// What the mistake does, and whether memorising reveals it.
    pub fn consequence(&self) -> String {
        match self.level.is_memorised() {
            true => format!("{} {NOT_REVEALED}", self.does),
            false => self.does.into(),
        }
    }
}

fn set(experiment: &mut Experiment, settings: &[(&str, &str)]) {
    for (field, value) in settings {
        let done = experiment.set(field, value);
        done.unwrap_or_else(|problem| panic!("a cause sets {field} to {value}: {problem}"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wasm_bindgen_test::*;

    use super::*;
    use crate::presets::{self, PresetGroup};

    #[wasm_bindgen_test(unsupported = test)]
    fn every_mistake_shows_by_its_sign_and_nothing_shows_without_it() {
        for cause in causes() {
            let codes: Vec<_> =
                warnings(&cause.mistaken()).iter().map(|found| found.code).collect();
            assert!(codes.contains(&cause.sign), "{}: {codes:?}", cause.code);
            assert_eq!(warnings(&cause.healthy()), [], "{}, mended", cause.code);
        }
        for preset in presets::presets() {
            // The article's third example has a rate 100 times SGD's default.
            let expected = match preset.group {
                PresetGroup::Mistakes => continue,
                _ if preset.id == "example-3" => vec![RATE_TOO_HIGH],
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

    /// The cure of a warning is applied, and the warning is gone; the experiment is still valid.
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

    /// For a person to read: `cargo test --lib sentences -- --nocapture`.
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

    /// A field of Example 1 set to a value, and the one warning that it gets.
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
