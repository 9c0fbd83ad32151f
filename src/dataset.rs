//! Images and labels as plain numbers.

use rand::RngExt;

use crate::experiment::DatasetConfig;
use crate::seeding::{Purpose, stream};

/// Images in NHWC order (image, row, column, channel; channel fastest) with a class each.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Height and width, in pixels.
    pub side: usize,
    pub channels: usize,
    pub classes: usize,
    /// `labels.len() * side * side * channels` numbers.
    pub images: Vec<f32>,
    pub labels: Vec<u32>,
}

impl Dataset {
    /// Random images and labels; the batch size and the network have no part in them.
    pub fn random(config: &DatasetConfig, seed: u32) -> Self {
        let (side, channels) = (config.side as usize, config.channels as usize);
        let mut pixels = stream(seed, Purpose::Images);
        let mut labels = stream(seed, Purpose::Labels);
        let count = config.images as usize;
        Self {
            side,
            channels,
            classes: config.classes as usize,
            images: (0..count * side * side * channels).map(|_| pixels.random()).collect(),
            labels: (0..count).map(|_| labels.random_range(0..config.classes)).collect(),
        }
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Images of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// The images for a screen: four bytes a pixel, 0 to 255, opaque; one channel as grey, the fourth left out.
    pub fn rgba(&self) -> Vec<u8> {
        let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let mut bytes = Vec::with_capacity(self.images.len() / self.channels * 4);
        for pixel in self.images.chunks_exact(self.channels) {
            let rgb = match *pixel {
                [grey] | [grey, _] => [grey, grey, grey],
                [red, green, blue, ..] => [red, green, blue],
                [] => unreachable!("a dataset has at least one channel"),
            };
            bytes.extend(rgb.map(byte));
            bytes.push(255);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    fn config(images: u32, channels: u32) -> DatasetConfig {
        DatasetConfig { images, side: 8, channels, classes: 3 }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn more_images_keep_the_first_ones() {
        let few = Dataset::random(&config(4, 3), 5);
        let many = Dataset::random(&config(9, 3), 5);
        assert_eq!(few.images[..], many.images[..few.images.len()]);
        assert_eq!(few.labels[..], many.labels[..4]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn every_class_is_drawn_and_counted() {
        let data = Dataset::random(&config(300, 1), 1);
        let counts = data.class_counts();
        assert_eq!(counts.iter().sum::<usize>(), 300);
        assert!(counts.iter().all(|&count| count > 60), "{counts:?}");
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn screens_get_four_bytes_a_pixel() {
        for channels in [1, 2, 3, 4] {
            let bytes = Dataset::random(&config(2, channels), 1).rgba();
            assert_eq!(bytes.len(), 2 * 8 * 8 * 4);
            assert!(bytes.chunks(4).all(|pixel| pixel[3] == 255));
        }
    }
}
