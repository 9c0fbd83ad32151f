//! Draws images and labels from the seed, as plain numbers.

use rand::RngExt;
use rand::seq::{SliceRandom, index};

use crate::experiment::{DatasetConfig, Experiment, Labels, Pixels};
use crate::seeding::{Purpose, normal_pair, stream};

/// The size of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    pub height: usize,
    pub width: usize,
}

impl ImageSize {
    pub fn of(config: &DatasetConfig) -> Self {
        Self { height: config.height as usize, width: config.width as usize }
    }

    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// Images in NHWC order (image, row, column, channel; channel fastest), with one label per image.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    pub size: ImageSize,
    pub channels: usize,
    /// One more than the largest label that the classes have.
    pub labels_end: usize,
    /// `labels.len() * height * width * channels` numbers.
    pub images: Vec<f32>,
    pub labels: Vec<u32>,
    /// The pixel values that a screen shows as black and as white.
    pub ends: [f32; 2],
}

/// The images to train on, and the held-out images.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    pub training: Dataset,
    pub validation: Dataset,
}

impl Drawn {
    /// Draws the images of an experiment from its seed. They do not depend on the batch size or the network.
    pub fn new(experiment: &Experiment) -> Self {
        let Experiment { dataset: config, seed, .. } = experiment;
        let count = config.images as usize;
        let mut training = classes(config, *seed);
        // Held-out images are drawn after the others, so that they do not change those.
        let mut held_out = training.split_off(count);
        let kinds: Vec<u32> = training.iter().chain(&held_out).copied().collect();
        let kinds = kinds_shown(config, *seed, kinds);
        conflict(config, &mut training);
        flip(config, *seed, &mut training);
        training.rotate_right(experiment.training.training_loop.labels_rolled_by as usize % count);
        let mut pixels = stream(*seed, Purpose::Images);
        let mut places = stream(*seed, Purpose::Marks);
        let mut images =
            images(config, &kinds, || pixels.random(), |below| places.random_range(0..below));
        let validation = images.split_off(count * image_size(config));
        for class in training.iter_mut().chain(&mut held_out) {
            *class += config.first_label;
        }
        let dataset = |images, labels| Dataset {
            size: ImageSize::of(config),
            channels: config.channels as usize,
            labels_end: config.last_label() as usize + 1,
            images,
            labels,
            ends: ends(config),
        };
        Self { training: dataset(images, training), validation: dataset(validation, held_out) }
    }
}

/// The number of floats in an image.
fn image_size(config: &DatasetConfig) -> usize {
    ImageSize::of(config).pixels() * config.channels as usize
}

/// The number of marks in an image: the side of a square with as many pixels, divided by 8 and rounded up.
pub fn marks(config: &DatasetConfig) -> usize {
    ImageSize::of(config).pixels().isqrt().div_ceil(8)
}

/// The right class of each image, from 0, for the training images and then the held-out ones.
fn classes(config: &DatasetConfig, seed: u32) -> Vec<u32> {
    let mut generator = stream(seed, Purpose::Labels);
    let mut classes = Vec::new();
    for count in [config.images, config.validation_images] {
        let start = classes.len();
        match config.labels {
            Labels::Random | Labels::Pattern => {
                classes.extend((0..count).map(|_| generator.random_range(0..config.classes)));
            }
            Labels::Balanced => {
                classes.extend((0..count).map(|image| image % config.classes));
                classes[start..].shuffle(&mut generator);
            }
        }
    }
    classes
}

/// The pattern of each image, 0 or 1: by its class where labels follow the pattern, otherwise at random.
fn kinds_shown(config: &DatasetConfig, seed: u32, classes: Vec<u32>) -> Vec<u32> {
    let mut generator = stream(seed, Purpose::Pattern);
    let kind = |class: u32| match config.labels {
        Labels::Pattern => class % 2,
        Labels::Random | Labels::Balanced => generator.random_range(0..2),
    };
    classes.into_iter().map(kind).collect()
}

/// Gives the two images of each conflicting pair the first two classes.
fn conflict(config: &DatasetConfig, classes: &mut [u32]) {
    for pair in classes.chunks_exact_mut(2).take(config.conflicting_pairs as usize) {
        pair.copy_from_slice(&[0, 1]);
    }
}

/// Replaces a share of the classes by other classes.
fn flip(config: &DatasetConfig, seed: u32, classes: &mut [u32]) {
    let mut generator = stream(seed, Purpose::Flips);
    let count = (config.flipped * classes.len() as f64).round() as usize;
    for image in index::sample(&mut generator, classes.len(), count) {
        let other = generator.random_range(1..config.classes);
        classes[image] = (classes[image] + other) % config.classes;
    }
}

/// The pixels of one image per entry of `kinds`, which chooses its pattern. `uniform` draws from [0, 1), and `below` draws a whole
/// number below its argument.
pub fn images(
    config: &DatasetConfig,
    kinds: &[u32],
    mut uniform: impl FnMut() -> f32,
    mut below: impl FnMut(usize) -> usize,
) -> Vec<f32> {
    let ImageSize { height, width } = ImageSize::of(config);
    let channels = config.channels as usize;
    let size = image_size(config);
    let mut images: Vec<f32> = match config.pixels {
        Pixels::Normal => {
            let pairs =
                (0..(kinds.len() * size).div_ceil(2)).flat_map(|_| normal_pair(&mut uniform));
            pairs.map(|value| value as f32).take(kinds.len() * size).collect()
        }
        _ => (0..kinds.len() * size).map(|_| uniform()).collect(),
    };
    match config.pixels {
        Pixels::Uniform | Pixels::Normal => {}
        Pixels::Constant => {
            for image in 1..kinds.len() {
                images.copy_within(..size, image * size);
            }
        }
        Pixels::Patterned => {
            for (image, &kind) in images.chunks_exact_mut(size).zip(kinds) {
                for pixel in image.iter_mut() {
                    *pixel *= 0.5;
                }
                for _ in 0..marks(config) {
                    let [top, left] = [below(height - 2), below(width - 2)];
                    mark(image, [top, left], kind, width, channels);
                }
            }
        }
        Pixels::Stripes => {
            for (image, &kind) in images.chunks_exact_mut(size).zip(kinds) {
                for (place, pixel) in image.iter_mut().enumerate() {
                    let (row, column) = (place / channels / width, place / channels % width);
                    let across = if kind == 0 { column } else { row };
                    *pixel = 0.25 * *pixel + 0.75 * ((across / 2) % 2) as f32;
                }
            }
        }
    }
    for pair in images.chunks_exact_mut(2 * size).take(config.conflicting_pairs as usize) {
        pair.copy_within(..size, size);
    }
    if (config.scale, config.shift) != (1.0, 0.0) {
        let (scale, shift) = (config.scale as f32, config.shift as f32);
        for pixel in &mut images {
            *pixel = *pixel * scale + shift;
        }
    }
    images
}

/// Draws a cross of five bright pixels, upright or diagonal.
fn mark(image: &mut [f32], [top, left]: [usize; 2], kind: u32, width: usize, channels: usize) {
    const UPRIGHT: [[usize; 2]; 5] = [[0, 1], [1, 0], [1, 1], [1, 2], [2, 1]];
    const DIAGONAL: [[usize; 2]; 5] = [[0, 0], [0, 2], [1, 1], [2, 0], [2, 2]];
    for [down, right] in if kind == 0 { UPRIGHT } else { DIAGONAL } {
        let pixel = ((top + down) * width + left + right) * channels;
        image[pixel..pixel + channels].fill(1.0);
    }
}

/// Two values that all pixels, or nearly all normal ones, lie between.
fn ends(config: &DatasetConfig) -> [f32; 2] {
    let ends = if config.pixels == Pixels::Normal { [-2.5, 2.5] } else { [0.0, 1.0] };
    ends.map(|end| end * config.scale as f32 + config.shift as f32)
}

impl Dataset {
    /// The images that an experiment trains on.
    pub fn of(experiment: &Experiment) -> Self {
        Drawn::new(experiment).training
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of images of each label from 0 on, also of labels below the first class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels_end];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// The first `count` images as RGBA bytes, opaque. One or two channels show the first as grey; a fourth channel is left out.
    pub fn rgba(&self, count: usize) -> Vec<u8> {
        let [black, white] = self.ends;
        // Where black equals white, the division gives NaN for them, which the cast turns into 0, black.
        let byte = |value: f32| ((value - black) / (white - black) * 255.0).round() as u8;
        let pixels = count.min(self.len()) * self.images.len() / self.len();
        let mut bytes = Vec::with_capacity(pixels / self.channels * 4);
        for pixel in self.images[..pixels].chunks_exact(self.channels) {
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
    use crate::presets;

    /// The images of a small experiment with some fields changed.
    fn drawn(settings: &[(&str, &str)]) -> Drawn {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        for (field, value) in [("dataset.side", "8")].iter().chain(settings) {
            experiment.set(field, value).unwrap();
        }
        experiment.training.batch_size = 1;
        assert_eq!(experiment.network.layers.len(), 4);
        Drawn::new(&experiment)
    }

    fn training(settings: &[(&str, &str)]) -> Dataset {
        drawn(settings).training
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn more_images_and_held_out_ones_keep_the_first_ones() {
        let few = training(&[("dataset.images", "4")]);
        for more in [&[("dataset.images", "9")][..], &[("dataset.validation_images", "3")]] {
            let many = training(more);
            assert_eq!(few.images[..], many.images[..few.images.len()]);
            assert_eq!(few.labels[..], many.labels[..4]);
        }
        let held_out = drawn(&[("dataset.validation_images", "3")]).validation;
        assert_eq!((held_out.len(), held_out.images.len()), (3, 3 * 8 * 8 * 3));
        assert!(drawn(&[]).validation.is_empty());
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn every_class_is_drawn_and_counted() {
        let counts = |labels| {
            let settings =
                [("dataset.images", "302"), ("dataset.classes", "3"), ("dataset.labels", labels)];
            training(&settings).class_counts()
        };
        assert_eq!(counts("random").iter().sum::<usize>(), 302);
        assert!(counts("random").iter().all(|&count| count > 60), "{:?}", counts("random"));
        assert_eq!(counts("balanced"), [101, 101, 100]);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn labels_go_wrong_as_they_are_told_to() {
        let right = training(&[]).labels;
        let flipped = training(&[("dataset.flipped", "0.25")]).labels;
        assert_eq!(right.iter().zip(&flipped).filter(|(a, b)| a != b).count(), 5);
        let all = training(&[("dataset.flipped", "1")]).labels;
        assert!(right.iter().zip(&all).all(|(a, b)| a != b));
        let rolled = training(&[("training.loop.labels_rolled_by", "22")]).labels;
        assert_eq!(rolled[2..], right[..18]);
        assert_eq!(rolled[..2], right[18..]);
        let pairs = training(&[("dataset.conflicting_pairs", "2")]);
        assert_eq!(pairs.labels[..4], [0, 1, 0, 1]);
        let from_1: [&[(&str, &str)]; 4] = [
            &[],
            &[("dataset.flipped", "1")],
            &[("training.loop.labels_rolled_by", "22")],
            &[("dataset.conflicting_pairs", "2")],
        ];
        for settings in from_1 {
            let from_0 = drawn(settings);
            let from_1 = drawn(&[settings, &[("dataset.first_label", "1")]].concat());
            assert_eq!(from_0.training.images, from_1.training.images);
            let numbered: Vec<_> = from_0.training.labels.iter().map(|label| label + 1).collect();
            assert_eq!(from_1.training.labels, numbered, "{settings:?}");
            let [none, first, second] = from_1.training.class_counts()[..] else { panic!() };
            assert_eq!((none, first + second), (0, 20));
        }
        let held_out = [("dataset.validation_images", "9"), ("dataset.first_label", "1")];
        assert!(drawn(&held_out).validation.labels.iter().all(|label| [1, 2].contains(label)));
        let image = |at: usize| &pairs.images[at * 192..(at + 1) * 192];
        assert!(image(0) == image(1) && image(2) == image(3) && image(1) != image(2));
        assert_ne!(image(4), image(5));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn pixels_are_what_their_kind_says() {
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        let spread = |values: &[f32]| {
            let about = mean(values);
            mean(&values.iter().map(|value| (value - about).powi(2)).collect::<Vec<_>>())
        };
        let normal = training(&[("dataset.pixels", "normal")]).images;
        assert!(mean(&normal).abs() < 0.05 && (spread(&normal) - 1.0).abs() < 0.08);
        let byte = training(&[("dataset.scale", "255"), ("dataset.shift", "-10")]);
        let uniform = training(&[]);
        assert_eq!(byte.images[7], uniform.images[7] * 255.0 - 10.0);
        assert_eq!(byte.rgba(20), uniform.rgba(20));
        let constant = training(&[("dataset.pixels", "constant")]).images;
        assert!(constant.chunks(192).all(|image| image == &uniform.images[..192]));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn patterns_follow_the_labels_where_they_should() {
        // The sum over the bright rows of horizontal stripes minus that over the bright columns of vertical ones: above 0 for
        // horizontal stripes alone.
        let horizontal = |image: &[f32]| {
            let sum = |pixel: fn(usize) -> bool| {
                image
                    .chunks(3)
                    .enumerate()
                    .filter(|(at, _)| pixel(*at))
                    .map(|(_, p)| p[0])
                    .sum::<f32>()
            };
            sum(|at| at / 8 % 4 >= 2) - sum(|at| at % 8 % 4 >= 2)
        };
        let agreeing = |labels| {
            let data = training(&[("dataset.pixels", "stripes"), ("dataset.labels", labels)]);
            let images = data.images.chunks(192).zip(&data.labels);
            images.filter(|(image, label)| (horizontal(image) > 0.0) == (**label == 1)).count()
        };
        assert_eq!(agreeing("pattern"), 20);
        assert!((4..=16).contains(&agreeing("random")), "{}", agreeing("random"));
        let marked = training(&[("dataset.pixels", "patterned"), ("dataset.labels", "pattern")]);
        for (image, label) in marked.images.chunks(192).zip(&marked.labels) {
            let bright: Vec<usize> = (0..64).filter(|pixel| image[pixel * 3] == 1.0).collect();
            // An image of 8 x 8 has one mark of five pixels. Only a diagonal mark has its second pixel in the row of its first.
            assert_eq!(bright.len(), 5);
            assert_eq!(bright[1] == bright[0] + 2, *label == 1, "{bright:?}");
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn screens_get_four_bytes_a_pixel() {
        for channels in ["1", "2", "3", "4"] {
            let bytes =
                training(&[("dataset.images", "2"), ("dataset.channels", channels)]).rgba(2);
            assert_eq!(bytes.len(), 2 * 8 * 8 * 4);
            assert!(bytes.chunks(4).all(|pixel| pixel[3] == 255));
        }
    }
}
