//! Images and labels, as they are asked for.

use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::fields::{Choice, Field, FieldGroup, InvalidField};

/// Images and labels, drawn from the seed. [`crate::dataset`] says how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct DatasetConfig {
    /// How many images to train on.
    pub images: u32,
    /// Rows of an image, in pixels.
    pub height: u32,
    /// Columns of an image, in pixels.
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
    /// The share of the labels that are replaced by another class, at random.
    pub flipped: f64,
    /// The first pairs of images that are the same image twice, labelled with the first two classes: their number.
    pub conflicting_pairs: u32,
    /// How many further images are held out: never trained on, measured after each epoch.
    pub validation_images: u32,
}

/// The pixels of an image, before scale and shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// Noise, uniform in [0, 1).
    Uniform,
    /// Noise, normal with mean 0 and standard deviation 1.
    Normal,
    /// Every image is the same noise.
    Constant,
    /// Faint noise with a few small bright marks anywhere: upright crosses or diagonal ones.
    Patterned,
    /// Noise on stripes: vertical ones or horizontal ones.
    Stripes,
}

/// How labels are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// Each label by itself, whatever the image shows.
    Random,
    /// The same number of every class, in random order, whatever the image shows.
    Balanced,
    /// Each label by itself; marks or stripes are of one kind for the first class and every second one after it, of the other for
    /// the rest.
    Pattern,
}

impl Default for DatasetConfig {
    /// Twenty noise images of 64 x 64 pixels with one of two classes each.
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
    /// The most images of a dataset.
    pub const MOST_IMAGES: u32 = 2000;

    /// The label of the last class.
    pub fn last_label(&self) -> u32 {
        self.first_label + self.classes - 1
    }

    /// The most pixels of an image: 256 x 256.
    pub const MOST_PIXELS: u32 = 256 * 256;

    /// Pixels of an image.
    pub fn pixels_of_an_image(&self) -> usize {
        self.height as usize * self.width as usize
    }

    /// What is wrong with the size of the images, or with what they cannot show at that size. Expects every number in its range.
    pub(super) fn size_problem(&self) -> Option<InvalidField> {
        let Self { height, width, .. } = *self;
        let most = Self::MOST_PIXELS / height;
        if width > most {
            let allowed = format!(
                "a whole number from 1 to {most} at a height of {height}, for an image has at most {} pixels",
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
                "uniform, normal or constant, for images of {height} × {width} pixels have no room for a pattern, which takes {least} × {least}"
            );
            InvalidField::new("dataset.pixels", "Pixels", kind.map_or("", |kind| kind.id), allowed)
        })
    }
}

impl Pixels {
    /// Whether the pixels show one of two patterns, which labels can follow.
    pub fn show_a_pattern(self) -> bool {
        match self {
            Self::Patterned | Self::Stripes => true,
            Self::Uniform | Self::Normal | Self::Constant => false,
        }
    }

    /// The fewest rows and columns of an image that shows such pixels: a mark has three of each, and after two the first stripe ends.
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
            choice(Self::Pattern, "pattern", "By what the image shows"),
        ]
    }
}

const DATA: FieldGroup = FieldGroup::Data;

/// In pixels.
const LONGEST_SIDE: f64 = 1024.0;

/// What stands for [`SIDES`] both: no field of an experiment, but one that files and `--set` may give.
pub(super) const SIDE: Field = Field::whole(DATA, "dataset.side", "Image side", 1.0, 256.0);

/// The fields that [`SIDE`] stands for.
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
