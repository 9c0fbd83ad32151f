//! Validation: every problem of an experiment, before any work starts.

use super::json::visit;
use super::layer::MOST_LAYERS;
use super::{
    DatasetConfig, Experiment, Field, InvalidField, Labels, LayerConfig, MEMORY_LIMIT_BYTES,
    ScheduleConfig, Shape, estimate_memory_bytes, layer_shapes, number_text,
};

/// The field whose upper bound is another field's value.
const BATCH_SIZE: &str = "training.batch_size";

impl Experiment {
    /// `Ok` when every field is in its range and the layers fit each other and the images; otherwise every problem, in
    /// the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<InvalidField>> {
        let mut problems = self.out_of_range();
        if problems.is_empty() {
            problems.extend(self.schedule_problem());
            problems.extend(self.dataset.size_problem());
            problems.extend(self.data_problem());
            problems.extend(self.early_stopping_problem());
            problems.extend(self.frozen_problem());
            problems.extend(self.layers_that_do_not_fit());
        }
        if problems.is_empty() {
            problems.extend(self.too_large_for_memory());
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Every number in every field against its limit.
    fn out_of_range(&self) -> Vec<InvalidField> {
        // JSON has no NaN or infinity: serde_json writes null for them.
        let mut problems = Vec::new();
        visit(&self.to_value(), &mut |path, value| {
            let field = Field::of(path);
            let Some((field, range)) = field.and_then(|field| Some((field, field.range()?))) else {
                return;
            };
            match value.as_f64() {
                _ if path == BATCH_SIZE => problems.extend(self.batch_problem()),
                Some(number) if range.contains(number) => {}
                Some(number) => problems.push(field.invalid(path, number_text(number))),
                None => problems.push(field.invalid(path, self.text_of_unwritable(path))),
            }
        });
        problems
    }

    /// The text of a number that JSON cannot write.
    fn text_of_unwritable(&self, path: &str) -> String {
        let rate = self.training.learning_rate;
        if path == "training.learning_rate" {
            number_text(rate)
        } else {
            "not a finite number".into()
        }
    }

    /// A batch holds between 1 image and all images. Where the number of images is itself out of range, a batch of all images is no
    /// further problem.
    fn batch_problem(&self) -> Option<InvalidField> {
        let (batch, images) = (self.training.batch_size, self.dataset.images);
        let is_possible = (1..=DatasetConfig::MOST_IMAGES).contains(&images);
        if !is_possible && batch == images {
            return None;
        }
        let most = if is_possible { images } else { DatasetConfig::MOST_IMAGES };
        (!(1..=most).contains(&batch)).then(|| {
            InvalidField::new(
                BATCH_SIZE,
                "Batch size",
                batch.to_string(),
                format!("a whole number from 1 to {most}, the number of images"),
            )
        })
    }

    /// Boundaries have to rise, and each needs its factor.
    fn schedule_problem(&self) -> Option<InvalidField> {
        let ScheduleConfig::Piecewise { boundaries, factors } = &self.training.schedule else {
            return None;
        };
        let path = "training.schedule.boundaries";
        let problem = |value: String, allowed: String| {
            Some(InvalidField::new(path, "Boundaries", value, allowed))
        };
        if !boundaries.is_sorted_by(|before, after| before < after) {
            return problem(
                format!("{boundaries:?}"),
                "in rising order, each step later than the one before it".into(),
            );
        }
        if boundaries.is_empty() || boundaries.len() != factors.len() {
            let factors = factors.len();
            let allowed = format!("one for each of the {factors} factors, and at least one");
            return problem(boundaries.len().to_string(), allowed);
        }
        None
    }

    /// A conflicting pair takes two images, and labels by pattern need marks or stripes.
    fn data_problem(&self) -> Option<InvalidField> {
        let dataset = &self.dataset;
        let most = dataset.images / 2;
        if dataset.conflicting_pairs > most {
            return Some(InvalidField::new(
                "dataset.conflicting_pairs",
                "Conflicting pairs",
                dataset.conflicting_pairs.to_string(),
                format!(
                    "a whole number from 0 to {most}, because there are {} images",
                    dataset.images
                ),
            ));
        }
        (dataset.labels == Labels::Pattern && !dataset.pixels.show_a_pattern()).then(|| {
            let allowed = "random or balanced, because these pixels show no pattern";
            InvalidField::new("dataset.labels", "Labels", "pattern", allowed)
        })
    }

    /// Early stopping on the held-out loss needs held-out images.
    fn early_stopping_problem(&self) -> Option<InvalidField> {
        let has_no_loss =
            self.training.early_stopping.needs_validation() && self.dataset.validation_images == 0;
        has_no_loss.then(|| {
            let allowed = "at least 1, because early stopping watches their loss";
            InvalidField::new("dataset.validation_images", "Held-out images", "0", allowed)
        })
    }

    fn frozen_problem(&self) -> Option<InvalidField> {
        let layers = self.network.layers.len();
        let frozen = self.training.training_loop.frozen.iter().enumerate();
        let mut outside = frozen.filter(|(_, layer)| **layer as usize >= layers);
        outside.next().map(|(index, layer)| {
            InvalidField::new(
                format!("training.loop.frozen[{index}]"),
                "Frozen layer",
                layer.to_string(),
                format!("a whole number from 0 to {}, the last layer", layers.saturating_sub(1)),
            )
        })
    }

    fn layers_that_do_not_fit(&self) -> Option<InvalidField> {
        let layers = &self.network.layers;
        if layers.is_empty() {
            let allowed = format!("a list of 1 to {MOST_LAYERS} layers");
            let message = format!("Layers: the list has 0 layers; it must be {allowed}.");
            return Some(InvalidField::with_message("network.layers", "0", allowed, message));
        }
        if layers.len() > MOST_LAYERS {
            return Some(InvalidField::new(
                "network.layers",
                "Layers",
                layers.len().to_string(),
                format!("a list of 1 to {MOST_LAYERS} layers"),
            ));
        }
        match layer_shapes(&self.network, &self.dataset) {
            Ok(shapes) => self.head_problem(shapes.last().expect("at least one layer").output),
            Err(problem) => Some(problem),
        }
    }

    /// A label is the index of a unit, so every label from 0 on needs a unit; Keras and PyTorch refuse a label beyond the last
    /// unit. With one unit, most losses compare that unit with the label itself, whatever its number.
    fn head_problem(&self, output: Shape) -> Option<InvalidField> {
        let DatasetConfig { classes, first_label, .. } = self.dataset;
        let last_label = self.dataset.last_label();
        let takes_one = self.training.loss.takes_one_unit();
        let last = self.network.layers.len() - 1;
        let units = match output {
            Shape::Flat(units) if units > last_label as usize => return None,
            Shape::Flat(1) if takes_one => return None,
            Shape::Flat(units) => units.to_string(),
            image => format!("{image} numbers"),
        };
        let (or_one, hint) = match (classes, takes_one) {
            (_, true) => (", or 1", ""),
            (2, false) => ("", "; with one unit for two classes use binary cross-entropy"),
            _ => ("", ""),
        };
        // The number of units is a field of the last dense layer.
        let layers = self.network.layers.iter().enumerate().rev();
        let dense = layers.clone().find(|(_, layer)| matches!(layer, LayerConfig::Dense { .. }));
        let field = match (dense, output) {
            (Some((index, _)), Shape::Flat(_)) => format!("network.layers[{index}].units"),
            _ => format!("network.layers[{last}]"),
        };
        let allowed = match (output, first_label) {
            (Shape::Image(_), 0) => format!("{classes}, one unit per class{or_one}{hint}"),
            _ => format!(
                "at least {}{or_one}, because the labels of the {classes} classes go from {first_label} to {last_label}, and each is the index of a unit{hint}",
                last_label + 1
            ),
        };
        Some(InvalidField::new(field, "Units", units, allowed))
    }

    fn too_large_for_memory(&self) -> Option<InvalidField> {
        let bytes = estimate_memory_bytes(self);
        (bytes > MEMORY_LIMIT_BYTES).then(|| {
            let allowed = format!(
                "at most {} GiB: use fewer images, filters or units, or a smaller batch",
                MEMORY_LIMIT_BYTES >> 30
            );
            let label = "Memory for this network and batch size";
            InvalidField::new("network.layers", label, gib_above_the_limit(bytes), allowed)
        })
    }
}

/// A number of bytes above the limit in GiB, rounded up, so that it never reads like the limit.
fn gib_above_the_limit(bytes: u64) -> String {
    let hundredths = (u128::from(bytes) * 100).div_ceil(1 << 30);
    format!("{}.{:02} GiB", hundredths / 100, hundredths % 100)
}
