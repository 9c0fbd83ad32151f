//! The parts that scripts of all frameworks share: NumPy code that draws images and labels, and the augmentation.

use super::text::Script;
use crate::dataset::marks;
use crate::experiment::{AugmentationConfig, DatasetConfig, Experiment, Labels, Pixels};

/// Draws `images` and `labels`, and the held-out images and labels if there are any.
pub fn draw(script: &mut Script, experiment: &Experiment) {
    let dataset = &experiment.dataset;
    let DatasetConfig { images, height, width, channels, validation_images, .. } = *dataset;
    let all = images + validation_images;
    let noise = if dataset.pixels == Pixels::Normal { "normal" } else { "uniform" };
    script.add(format_args!(
        "images = np.random.{noise}(size=({all}, {height}, {width}, {channels})).astype(\"float32\")"
    ));
    script.add(format_args!("labels = {}", labels(dataset)));
    show_patterns(script, dataset, all);
    if dataset.scale != 1.0 {
        script.add(format_args!("images *= {:?}", dataset.scale));
    }
    if dataset.shift != 0.0 {
        script.add(format_args!("images += {:?}", dataset.shift));
    }
    if validation_images > 0 {
        script.add(format_args!(
            "held_out_images, held_out_labels = images[{images}:], labels[{images}:]"
        ));
        script.add(format_args!("images, labels = images[:{images}], labels[:{images}]"));
    }
    mislabel(script, experiment);
    number_from(script, dataset);
}

fn labels(dataset: &DatasetConfig) -> String {
    let DatasetConfig { images, classes, validation_images, .. } = *dataset;
    let balanced = |count: u32| format!("np.random.permutation(np.arange({count}) % {classes})");
    match dataset.labels {
        Labels::Random | Labels::Pattern => {
            format!("np.random.randint({classes}, size={})", images + validation_images)
        }
        Labels::Balanced if validation_images == 0 => balanced(images),
        Labels::Balanced => {
            format!("np.concatenate([{}, {}])", balanced(images), balanced(validation_images))
        }
    }
}

fn show_patterns(script: &mut Script, dataset: &DatasetConfig, all: u32) {
    let DatasetConfig { height, width, .. } = *dataset;
    let kinds = |script: &mut Script| {
        script.line(&match dataset.labels {
            Labels::Pattern => "kinds = labels % 2".into(),
            _ => format!("kinds = np.random.randint(2, size={all})  # independent of the labels"),
        });
    };
    match dataset.pixels {
        Pixels::Uniform | Pixels::Normal => {}
        Pixels::Constant => script.line("images[:] = images[0]"),
        Pixels::Patterned => {
            script.line("# Crosses of five bright pixels on faint noise, upright or diagonal.");
            script.line("upright = [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)]");
            script.line("diagonal = [(0, 0), (0, 2), (1, 1), (2, 0), (2, 2)]");
            kinds(script);
            script.line("images *= 0.5");
            script.line("for image, kind in zip(images, kinds):");
            script.add(format_args!(
                "    for top, left in np.random.randint(({}, {}), size=({}, 2)):",
                height - 2,
                width - 2,
                marks(dataset)
            ));
            script.line("        for down, right in [upright, diagonal][kind]:");
            script.line("            image[top + down, left + right] = 1.0");
        }
        Pixels::Stripes => {
            script.line("# Noise on stripes, vertical or horizontal.");
            script.add(format_args!("horizontal = (np.arange({height}) // 2 % 2)[:, None, None]"));
            script.add(format_args!("vertical = (np.arange({width}) // 2 % 2)[None, :, None]"));
            kinds(script);
            script.line("for image, kind in zip(images, kinds):");
            script.line("    image[:] = 0.25 * image + 0.75 * [vertical, horizontal][kind]");
        }
    }
}

/// Adds the first label to the classes, which were drawn from 0.
fn number_from(script: &mut Script, dataset: &DatasetConfig) {
    let first = dataset.first_label;
    if first == 0 {
        return;
    }
    script.add(format_args!("labels = labels + {first}  # classes are numbered from {first}"));
    if dataset.validation_images > 0 {
        script.add(format_args!("held_out_labels = held_out_labels + {first}"));
    }
}

/// Writes the mistakes in the labels.
fn mislabel(script: &mut Script, experiment: &Experiment) {
    let DatasetConfig { images, classes, flipped, conflicting_pairs: pairs, .. } =
        experiment.dataset;
    if pairs > 0 {
        script.line("# The same image twice, with different labels.");
        script.add(format_args!("images[1:{0}:2] = images[0:{0}:2]", 2 * pairs));
        script.add(format_args!("labels[:{}] = [0, 1] * {pairs}", 2 * pairs));
    }
    let count = (flipped * f64::from(images)).round() as u32;
    if count > 0 {
        script.line("# Some labels become another class.");
        script.add(format_args!("wrong = np.random.choice({images}, {count}, replace=False)"));
        script.add(format_args!(
            "labels[wrong] = (labels[wrong] + np.random.randint(1, {classes}, size={count})) % {classes}"
        ));
    }
    let rolled = experiment.training.training_loop.labels_rolled_by;
    if rolled > 0 {
        script.line("# The mistake: each image has another image's label.");
        script.add(format_args!("labels = np.roll(labels, {rolled})"));
    }
}

/// Defines `altered(images)` where augmentation alters images.
pub fn define_altered(script: &mut Script, augmentation: &AugmentationConfig) {
    if !augmentation.alters_images() {
        return;
    }
    let AugmentationConfig { shift, crop, rotation, brightness, noise, .. } = *augmentation;
    script.apart();
    if rotation != 0.0 || crop != 0.0 {
        script.define(SAMPLED);
    }
    script.line("def altered(images):");
    script.line("    \"\"\"The augmented images of one epoch.\"\"\"");
    script.line("    images, (height, width) = images.copy(), images.shape[1:3]");
    script.line("    for image in images:");
    if augmentation.horizontal_flip {
        script.line("        if np.random.random() < 0.5:");
        script.line("            image[:] = image[:, ::-1].copy()");
    }
    if augmentation.vertical_flip {
        script.line("        if np.random.random() < 0.5:");
        script.line("            image[:] = image[::-1].copy()");
    }
    if rotation != 0.0 {
        script
            .line(&format!("        angle = np.radians({rotation:?} * np.random.uniform(-1, 1))"));
        script.lines(ROTATE);
    }
    if crop != 0.0 {
        script.add(format_args!("        places, share = [], 1 - {crop:?} * np.random.random()"));
        script.lines(CROP);
    }
    if shift != 0.0 {
        for (name, side) in [("down", "height"), ("right", "width")] {
            script.add(format_args!(
                "        {name} = round({shift:?} * {side} * np.random.uniform(-1, 1))"
            ));
        }
        script.lines(SHIFT);
    }
    if brightness != 0.0 {
        script.add(format_args!("        image += {brightness:?} * np.random.uniform(-1, 1)"));
    }
    if noise != 0.0 {
        script.add(format_args!("        image += {noise:?} * np.random.normal(size=image.shape)"));
    }
    script.line("    return images");
    script.apart();
}

const SAMPLED: &str = r#"def sampled(image, y, x):
    """Bilinear samples of the image at (y, x); 0 outside the image."""
    height, width, _ = image.shape
    image = np.pad(image, ((1, 2), (1, 2), (0, 0)))
    y, x = np.clip(y + 1, 0, height + 1), np.clip(x + 1, 0, width + 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = (y - top)[..., None], (x - left)[..., None]
    above = (1 - right) * image[top, left] + right * image[top, left + 1]
    below = (1 - right) * image[top + 1, left] + right * image[top + 1, left + 1]
    return (1 - down) * above + down * below"#;

const ROTATE: &str = "        sine, cosine = np.sin(angle), np.cos(angle)
        middle, centre = (height - 1) / 2, (width - 1) / 2
        y, x = np.mgrid[:height, :width]
        y, x = y - middle, x - centre
        image[:] = sampled(image, middle + cosine * y + sine * x, centre + cosine * x - sine * y)";

/// Stretches the remaining part to the full size. Pixels are squares, so their centres lie half a pixel inside their edges.
const CROP: &str = "        for side in (height, width):
            kept = max(round(side * share), 1)
            start = np.random.randint(side - kept + 1)
            places.append(start + np.clip((np.arange(side) + 0.5) * kept / side - 0.5, 0, kept - 1))
        image[:] = sampled(image, *np.meshgrid(*places, indexing=\"ij\"))";

const SHIFT: &str = "        wide = np.pad(image, ((height, height), (width, width), (0, 0)))
        image[:] = wide[height - down : 2 * height - down, width - right : 2 * width - right]";
