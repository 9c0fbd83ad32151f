//! Says what is wrong with an experiment before any work starts.

use super::{
    Experiment, FieldLimit, InvalidField, Labels, LayerConfig, LayerShape, LossConfig, Pixels,
    ScheduleConfig, Shape, layer_shapes, number_text, visit,
};

/// A run that needs more than this is refused before anything is allocated: a tab's wasm memory ends at 4 GiB, and a
/// page that takes half of it has already failed its user.
pub const MEMORY_LIMIT_BYTES: u64 = 2 << 30;

/// As many layers as an experiment may list.
const MAX_LAYERS: usize = 64;

/// Its upper bound is another field's value.
const BATCH_SIZE: &str = "training.batch_size";

impl Experiment {
    /// `Ok` when every field is in its range and the layers fit each other and the images; otherwise every problem, in
    /// the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<InvalidField>> {
        let mut problems = self.out_of_range();
        if problems.is_empty() {
            problems.extend(self.schedule_problem());
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
        // JSON has no NaN or infinity: serde_json writes null for them, and null where a number belongs is how they show.
        let value = serde_json::to_value(self).expect("an experiment is plain data");
        let mut problems = Vec::new();
        visit(&value, &mut |path, value| {
            let Some(limit) = FieldLimit::of(path) else {
                return;
            };
            match value.as_f64() {
                _ if path == BATCH_SIZE => problems.extend(self.batch_problem()),
                Some(number) if limit.contains(number) => {}
                Some(number) => problems.push(limit.invalid(path, number_text(number))),
                None => problems.push(limit.invalid(path, self.text_of_unwritable(path))),
            }
        });
        problems
    }

    /// What stands in a field that JSON cannot write.
    fn text_of_unwritable(&self, path: &str) -> String {
        let rate = self.training.learning_rate;
        if path == "training.learning_rate" {
            number_text(rate)
        } else {
            "not a finite number".into()
        }
    }

    /// A batch holds 1 image to all of them.
    fn batch_problem(&self) -> Option<InvalidField> {
        let (batch, images) = (self.training.batch_size, self.dataset.images);
        let limit = FieldLimit::of("dataset.images").expect("a field of the experiment");
        let most = if limit.contains(f64::from(images)) { images } else { limit.max as u32 };
        (!(1..=most).contains(&batch)).then(|| {
            InvalidField::new(
                BATCH_SIZE,
                "Batch size",
                batch.to_string(),
                format!("a whole number from 1 to {most}, the number of images"),
            )
        })
    }

    /// A rate behind each boundary, which rise.
    fn schedule_problem(&self) -> Option<InvalidField> {
        let ScheduleConfig::Piecewise { boundaries, factors } = &self.training.schedule else {
            return None;
        };
        let path = "training.schedule.boundaries";
        let problem = |value: String, allowed: String| {
            Some(InvalidField::new(path, "Boundaries", value, allowed))
        };
        if !boundaries.is_sorted_by(|before, after| before < after) {
            return problem(format!("{boundaries:?}"), "numbers that rise".into());
        }
        if boundaries.is_empty() || boundaries.len() != factors.len() {
            let allowed = format!("one for each of the {} factors, at least one", factors.len());
            return problem(boundaries.len().to_string(), allowed);
        }
        None
    }

    /// Two images a pair; marks or stripes for labels that follow them.
    fn data_problem(&self) -> Option<InvalidField> {
        let dataset = &self.dataset;
        let most = dataset.images / 2;
        if dataset.conflicting_pairs > most {
            return Some(InvalidField::new(
                "dataset.conflicting_pairs",
                "Conflicting pairs",
                dataset.conflicting_pairs.to_string(),
                format!("a whole number from 0 to {most}, for there are {} images", dataset.images),
            ));
        }
        let shows_a_pattern = matches!(dataset.pixels, Pixels::Patterned | Pixels::Stripes);
        (dataset.labels == Labels::Pattern && !shows_a_pattern).then(|| {
            let allowed = "random or balanced, for these pixels show no pattern";
            InvalidField::new("dataset.labels", "Labels", "pattern", allowed)
        })
    }

    /// What looks at held-out images needs some.
    fn early_stopping_problem(&self) -> Option<InvalidField> {
        let blind =
            self.training.early_stopping.needs_validation() && self.dataset.validation_images == 0;
        blind.then(|| {
            let allowed = "at least 1, for early stopping looks at their loss";
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
        if layers.is_empty() || layers.len() > MAX_LAYERS {
            return Some(InvalidField::new(
                "network.layers",
                "Layers",
                layers.len().to_string(),
                format!("a list of 1 to {MAX_LAYERS} layers"),
            ));
        }
        match layer_shapes(&self.network, &self.dataset) {
            Ok(shapes) => self.head_problem(shapes.last().expect("at least one layer").output),
            Err(problem) => Some(problem),
        }
    }

    /// A network answers with one unit a class; with two classes one unit will do where the loss compares it with 0 and 1.
    fn head_problem(&self, output: Shape) -> Option<InvalidField> {
        let classes = self.dataset.classes;
        let takes_one = matches!(
            self.training.loss,
            LossConfig::BinaryCrossentropy { .. }
                | LossConfig::CategoricalCrossentropy { .. }
                | LossConfig::MeanSquaredError {}
        );
        let last = self.network.layers.len() - 1;
        let units = match output {
            Shape::Flat(units) if units == classes as usize => return None,
            Shape::Flat(1) if takes_one && classes == 2 => return None,
            Shape::Flat(units) => units.to_string(),
            image => format!("{image} numbers"),
        };
        let one = match (classes, takes_one) {
            (2, true) => ", or 1",
            (2, false) => "; one unit for two classes wants a loss that compares it with 0 and 1",
            _ => "",
        };
        // The width is a field of the last layer that has one.
        let layers = self.network.layers.iter().enumerate().rev();
        let dense = layers.clone().find(|(_, layer)| matches!(layer, LayerConfig::Dense { .. }));
        let field = match (dense, output) {
            (Some((index, _)), Shape::Flat(_)) => format!("network.layers[{index}].units"),
            _ => format!("network.layers[{last}]"),
        };
        let allowed = format!("{classes}, one unit a class{one}");
        Some(InvalidField::new(field, "Units of the last layer", units, allowed))
    }

    fn too_large_for_memory(&self) -> Option<InvalidField> {
        let bytes = estimate_memory_bytes(self);
        (bytes > MEMORY_LIMIT_BYTES).then(|| {
            let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
            InvalidField::new(
                "network.layers",
                "Memory for this network and batch size",
                gib(bytes),
                format!(
                    "at most {}: take fewer images, filters or units, or a smaller batch",
                    gib(MEMORY_LIMIT_BYTES)
                ),
            )
        })
    }
}

/// What a training run on the default backend needs at its peak, in bytes, from the configuration alone. Expects an experiment
/// whose layers fit.
///
/// Counted: the wasm itself; the images three times (as drawn, as a tensor, and with zeros around them), twice more where they are
/// altered; of each variable its value, its gradient, what the optimizer keeps, a working copy and what early stopping keeps; and
/// what one batch leaves behind in each layer.
pub fn estimate_memory_bytes(experiment: &Experiment) -> u64 {
    const FLOAT: u64 = 4;
    const WASM: u64 = 2_000_000;
    let Ok(shapes) = layer_shapes(&experiment.network, &experiment.dataset) else {
        return u64::MAX;
    };
    let dataset = &experiment.dataset;
    let images = u64::from(dataset.images) + u64::from(dataset.validation_images);
    let pixels = images * u64::from(dataset.side).pow(2) * u64::from(dataset.channels);
    let parameters: u64 = shapes.iter().map(|shape| shape.parameters as u64).sum();
    let layers = &experiment.network.layers;
    let of_image = |(index, shape): (usize, &LayerShape)| {
        shape.output.size() as u64 * bytes_of_output(&layers[index..])
    };
    let image: u64 = shapes.iter().enumerate().map(of_image).sum();
    let batch = u64::from(experiment.training.batch_size.min(dataset.images));
    let training = &experiment.training;
    let altered = if training.augmentation.is_off() { 0 } else { 2 };
    let kept = u64::from(!training.training_loop.zero_grad);
    let best = u64::from(training.early_stopping.restores_best_weights());
    let copies_of_weights = 3 + kept + best + training.optimizer.slots();
    WASM + FLOAT * ((3 + altered) * pixels + copies_of_weights * parameters) + batch * image
}

/// What one number of the first layer's output takes, in bytes: most of all itself and its gradient.
fn bytes_of_output(layers: &[LayerConfig]) -> u64 {
    let pool_follows = || {
        let mut rest = layers[1..].iter();
        rest.find(|layer| !matches!(layer, LayerConfig::Activation { .. }))
            .is_some_and(|layer| matches!(layer, LayerConfig::MaxPool { .. }))
    };
    match layers[0] {
        // Pooled while it is computed, it is never written.
        LayerConfig::Conv2d { .. } if pool_follows() => 0,
        // With the place of the winner, and the gradient before the ReLU.
        LayerConfig::Conv2d { .. } => 4 + 4 + 1 + 4,
        LayerConfig::MaxPool { .. } => 4 + 4 + 1,
        LayerConfig::Flatten {} | LayerConfig::Reshape {} | LayerConfig::Save {} => 0,
        LayerConfig::Dense { .. } | LayerConfig::Activation { .. } => 4 + 4,
        // Its windows are written out, with their gradients.
        LayerConfig::LocallyConnected { kernel, .. } => 8 + 8 * u64::from(kernel).pow(2),
        // Several operations, each with its result and that one's gradient.
        LayerConfig::AveragePool { .. }
        | LayerConfig::GlobalMaxPool {}
        | LayerConfig::GlobalAveragePool {}
        | LayerConfig::BatchNorm { .. }
        | LayerConfig::LayerNorm { .. }
        | LayerConfig::Dropout { .. }
        | LayerConfig::AddSaved {}
        | LayerConfig::LeakyRelu { .. } => 4 * 8,
    }
}
