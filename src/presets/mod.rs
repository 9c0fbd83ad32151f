//! Experiments with names: the article's, other networks, and mistakes that people report.

mod article;
mod mistakes;
mod networks;
mod parts;

use serde::Serialize;
use tsify::Tsify;

use crate::experiment::{Experiment, Setting};

/// An experiment with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Preset {
    /// What the program and a link call it.
    #[tsify(type = "string")]
    pub id: &'static str,
    pub group: PresetGroup,
    /// What the page calls it.
    #[tsify(type = "string")]
    pub name: &'static str,
    /// What it is, in a line.
    #[tsify(type = "string")]
    pub summary: &'static str,
    pub experiment: Experiment,
    /// What is wrong with it, where something is.
    pub mistake: Option<Mistake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum PresetGroup {
    /// The article's three examples.
    Article,
    /// Other networks on the same images.
    Networks,
    /// What people report.
    Mistakes,
}

/// A mistake that people make, as a preset shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Mistake {
    /// What a person sees.
    #[tsify(type = "string")]
    pub sees: &'static str,
    /// What it does to the loss, and whether memorising reveals it.
    pub does: String,
    /// What mends it.
    #[tsify(type = "string")]
    pub mends: &'static str,
    /// Whether the images are memorised all the same: then this check cannot reveal it.
    pub hidden: bool,
    /// The settings that turn the preset's experiment into `mended`, in order.
    pub cure: Vec<Setting>,
    /// The same without the mistake.
    pub mended: Experiment,
}

impl PresetGroup {
    pub const ALL: [Self; 3] = [Self::Article, Self::Networks, Self::Mistakes];

    /// What a list of presets calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Article => "The article",
            Self::Networks => "Networks",
            Self::Mistakes => "Mistakes",
        }
    }
}

/// All presets, group by group.
pub fn presets() -> Vec<Preset> {
    let mut all = article::presets();
    all.extend(networks::presets());
    all.extend(mistakes::presets());
    all
}

/// The preset with this id.
pub fn preset(id: &str) -> Option<Preset> {
    presets().into_iter().find(|preset| preset.id == id)
}
