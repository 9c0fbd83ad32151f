//! Augmentation: its type, defaults and fields.

use serde::Serialize;
use tsify::Tsify;

use super::fields::{Field, FieldGroup};
use crate::from_json::FromJson;

/// The strengths of the alterations that each epoch makes to every image; 0 and false mean none. [`crate::augmentation`] makes
/// them.
#[derive(Clone, Debug, PartialEq, Serialize, FromJson, Tsify)]
pub struct AugmentationConfig {
    /// Left and right are exchanged with probability one half.
    pub horizontal_flip: bool,
    /// Top and bottom are exchanged with probability one half.
    pub vertical_flip: bool,
    /// The image moves by at most this fraction of its size along each axis; zeros fill the space at the edge.
    pub shift: f64,
    /// At most this fraction of the size is cut off; the rest is stretched to the full size.
    pub crop: f64,
    /// The image turns by at most this many degrees either way; zeros fill the corners.
    pub rotation: f64,
    /// At most this number is added to every pixel, or subtracted from it.
    pub brightness: f64,
    /// The standard deviation of the normal noise that is added to each pixel.
    pub noise: f64,
    /// Alpha of the beta distribution of the share of another image of the batch, and of its label, that is mixed in.
    pub mixup: f64,
}

impl AugmentationConfig {
    pub const OFF: Self = Self {
        horizontal_flip: false,
        vertical_flip: false,
        shift: 0.0,
        crop: 0.0,
        rotation: 0.0,
        brightness: 0.0,
        noise: 0.0,
        mixup: 0.0,
    };

    /// Whether augmentation leaves every image and label unchanged.
    pub fn is_off(&self) -> bool {
        self.mixup == 0.0 && !self.alters_images()
    }

    /// Whether augmentation changes single images; mixup, which combines two, does not count.
    pub fn alters_images(&self) -> bool {
        Self { mixup: 0.0, ..self.clone() } != Self::OFF
    }
}

const GROUP: FieldGroup = FieldGroup::Augmentation;

pub(super) const FIELDS: &[Field] = &[
    Field::flag(GROUP, "training.augmentation.horizontal_flip", "Horizontal flip"),
    Field::flag(GROUP, "training.augmentation.vertical_flip", "Vertical flip"),
    Field::share(GROUP, "training.augmentation.shift", "Shift").counted_in("fraction of the side"),
    Field::share(GROUP, "training.augmentation.crop", "Crop").counted_in("fraction of the side"),
    Field::real(GROUP, "training.augmentation.rotation", "Rotation", 0.0, 180.0)
        .counted_in("degrees"),
    Field::real(GROUP, "training.augmentation.brightness", "Brightness", 0.0, 1e3)
        .counted_in("pixel values"),
    Field::real(GROUP, "training.augmentation.noise", "Noise", 0.0, 1e3).counted_in("pixel values"),
    Field::real(GROUP, "training.augmentation.mixup", "Mixup", 0.0, 1.0).counted_in("alpha"),
];
