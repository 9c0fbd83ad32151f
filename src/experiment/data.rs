//! Images and labels: their type, defaults and fields.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup, InvalidField};
use crate::from_json::FromJson;

/// Images and labels, drawn from the seed by [`crate::dataset`].
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
pub struct DatasetConfig {
    /// The number of images to train on.
    pub images: u32,
    /// The height of an image, in pixels.
    pub height: u32,
    /// The width of an image, in pixels.
    pub width: u32,
    pub channels: u32,
    pub classes: u32,
    /// The label of the first class; the labels of the other classes follow it.
    pub first_label: u32,
    pub pixels: Pixels,
    /// Multiplies every pixel.
    pub scale: f64,
    /// Added to every pixel after scaling.
    pub shift: f64,
    pub labels: Labels,
    /// The share of the labels that are replaced by another class, chosen at random.
    pub flipped: f64,
    /// The number of pairs at the start of the dataset that are one image twice, labelled with the first two classes.
    pub conflicting_pairs: u32,
    /// The number of held-out images: never trained on, evaluated after each epoch.
    pub validation_images: u32,
}

/// The pixels of an image, before scale and shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, FromJson, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// Noise, uniform in [0, 1).
    Uniform,
    /// Noise, normal with mean 0 and standard deviation 1.
    Normal,
    /// Every image is the same noise.
    Constant,
    /// Faint noise with a few small bright crosses at random places, upright or diagonal.
    Patterned,
    /// Noise on vertical or horizontal stripes.
    Stripes,
}

/// The rule by which labels are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, FromJson, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// Each label is drawn on its own, whatever the image shows.
    Random,
    /// The same number of every class, in random order, whatever the image shows.
    Balanced,
    /// Each label is drawn on its own, and the image shows it: marks or stripes of one kind for the first class and every second
    /// class after it, of the other kind for the rest.
    Pattern,
}

impl Default for DatasetConfig {
    /// Twenty noise images of 64 x 64 pixels, each of one of two classes.
    fn default() -> Self {
        Self {
            images: 20,
            height: 64,
            width: 64,
            channels: 3,
            classes: 2,
            first_label: 0,
            pixels: Pixels::Uniform,
            scale: 1.0,
            shift: 0.0,
            labels: Labels::Random,
            flipped: 0.0,
            conflicting_pairs: 0,
            validation_images: 0,
        }
    }
}

impl DatasetConfig {
    /// The largest number of images in a dataset.
    pub const MOST_IMAGES: u32 = 2000;

    /// The label of the last class.
    pub fn last_label(&self) -> u32 {
        self.first_label + self.classes - 1
    }

    /// The largest number of pixels in an image: 256 x 256.
    pub const MOST_PIXELS: u32 = 256 * 256;

    /// The number of pixels of an image.
    pub fn pixels_of_an_image(&self) -> usize {
        self.height as usize * self.width as usize
    }

    /// The problem of images that are too large, or too small for their pattern. Expects every number in its range.
    pub(super) fn size_problem(&self) -> Option<InvalidField> {
        let Self { height, width, .. } = *self;
        let most = Self::MOST_PIXELS / height;
        if width > most {
            let allowed = format!(
                "a whole number from 1 to {most} at a height of {height}, because an image has at most {} pixels",
                Self::MOST_PIXELS
            );
            let field = "dataset.width";
            return Some(InvalidField::new(field, "Image width", width.to_string(), allowed));
        }
        let least = self.pixels.least_side();
        (height.min(width) < least).then(|| {
            let pixels = serde_json::json!(self.pixels);
            let kind = Pixels::choices().into_iter().find(|kind| kind.value == pixels);
            let allowed = format!(
                "uniform, normal or constant, because images of {height} × {width} pixels have no room for a pattern, which needs {least} × {least}"
            );
            InvalidField::new("dataset.pixels", "Pixels", kind.map_or("", |kind| kind.id), allowed)
        })
    }
}

impl Pixels {
    /// Whether the pixels show one of two patterns, which can follow the label.
    pub fn show_a_pattern(self) -> bool {
        match self {
            Self::Patterned | Self::Stripes => true,
            Self::Uniform | Self::Normal | Self::Constant => false,
        }
    }

    /// The least height and width of an image with such pixels: a mark is 3 x 3, and a stripe ends after two pixels.
    fn least_side(self) -> u32 {
        if self.show_a_pattern() { 3 } else { 1 }
    }

    fn choices() -> Vec<Choice> {
        let choice = |pixels, id, name| Choice::new(id, name, pixels);
        vec![
            choice(Self::Uniform, "uniform", "Uniform noise"),
            choice(Self::Normal, "normal", "Normal noise"),
            choice(Self::Constant, "constant", "The same noise in every image"),
            choice(Self::Patterned, "patterned", "Marks: crosses, upright or diagonal"),
            choice(Self::Stripes, "stripes", "Stripes, vertical or horizontal"),
        ]
    }
}

impl Labels {
    fn choices() -> Vec<Choice> {
        let choice = |labels, id, name| Choice::new(id, name, labels);
        vec![
            choice(Self::Random, "random", "Random"),
            choice(Self::Balanced, "balanced", "Balanced"),
            choice(Self::Pattern, "pattern", "By the image's pattern"),
        ]
    }
}

const DATA: FieldGroup = FieldGroup::Data;

/// The largest height or width of an image, in pixels.
const LONGEST_SIDE: f64 = 1024.0;

/// A shorthand that sets both [`SIDES`]. An experiment has no such field, but files and `--set` may give it.
pub(super) const SIDE: Field = Field::whole(DATA, "dataset.side", "Image side", 1.0, 256.0);

/// The fields that [`SIDE`] sets.
pub(super) const SIDES: [&str; 2] = ["height", "width"];

pub(super) const FIELDS: &[Field] = &[
    Field::whole(DATA, "dataset.images", "Images", 1.0, DatasetConfig::MOST_IMAGES as f64),
    Field::whole(DATA, "dataset.height", "Image height", 1.0, LONGEST_SIDE),
    Field::whole(DATA, "dataset.width", "Image width", 1.0, LONGEST_SIDE),
    Field::whole(DATA, "dataset.channels", "Channels", 1.0, 4.0),
    Field::whole(DATA, "dataset.classes", "Classes", 2.0, 100.0),
    Field::whole(DATA, "dataset.first_label", "First label", 0.0, 10.0),
    Field::choice(DATA, "dataset.pixels", "Pixels", Pixels::choices),
    Field::real(DATA, "dataset.scale", "Scale of the pixels", -1e6, 1e6),
    Field::real(DATA, "dataset.shift", "Shift of the pixels", -1e6, 1e6),
    Field::choice(DATA, "dataset.labels", "Labels", Labels::choices),
    Field::real(DATA, "dataset.flipped", "Share of labels flipped", 0.0, 1.0),
    Field::whole(DATA, "dataset.conflicting_pairs", "Conflicting pairs", 0.0, 1000.0),
    Field::whole(DATA, "dataset.validation_images", "Held-out images", 0.0, 2000.0),
];
