//! Named experiments: the article's, other networks, and mistakes that people report.

mod article;
mod mistakes;
mod networks;
mod parts;

use serde::Serialize;
use tsify::Tsify;

use crate::causes::Theme;
use crate::experiment::{Experiment, Setting};

/// An experiment with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Preset {
    /// The preset's name in the program's arguments and in links.
    #[tsify(type = "string")]
    pub id: &'static str,
    pub group: PresetGroup,
    /// The preset's name on the page.
    #[tsify(type = "string")]
    pub name: &'static str,
    /// A one-line description.
    #[tsify(type = "string")]
    pub summary: &'static str,
    pub experiment: Experiment,
    /// The mistake in the experiment, if there is one.
    pub mistake: Option<Mistake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum PresetGroup {
    /// The article's three examples.
    Examples,
    /// Other networks on the same images.
    Networks,
    /// Mistakes that people report, by the part of the training that they are in.
    Data,
    Weights,
    Head,
    Loop,
}

impl From<Theme> for PresetGroup {
    fn from(theme: Theme) -> Self {
        match theme {
            Theme::Data => Self::Data,
            Theme::Weights => Self::Weights,
            Theme::Head => Self::Head,
            Theme::Loop => Self::Loop,
        }
    }
}

/// The mistake that a preset shows.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Mistake {
    /// The symptom that a person sees.
    #[tsify(type = "string")]
    pub sees: &'static str,
    /// The effect on the loss, and whether memorising reveals the mistake.
    pub does: String,
    /// The way to fix the mistake.
    #[tsify(type = "string")]
    pub mends: &'static str,
    /// Whether the network memorises the images in spite of the mistake, so that memorising does not reveal it.
    pub hidden: bool,
    /// More words by which people search for it.
    #[tsify(type = "string")]
    pub words: &'static str,
    /// The settings that, applied in order, turn the preset's experiment into `mended`.
    pub cure: Vec<Setting>,
    /// The experiment without the mistake.
    pub mended: Experiment,
}

impl PresetGroup {
    pub const ALL: [Self; 6] =
        [Self::Examples, Self::Networks, Self::Data, Self::Weights, Self::Head, Self::Loop];

    /// The group's title in a list of presets.
    pub fn title(self) -> &'static str {
        match self {
            Self::Examples => "Examples",
            Self::Networks => "Networks",
            Self::Data => "Mistakes in the data",
            Self::Weights => "Mistakes in the weights and layers",
            Self::Head => "Mistakes in the head and the loss",
            Self::Loop => "Mistakes in the training loop",
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
