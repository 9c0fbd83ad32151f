//! Says what is wrong with an experiment before any work starts.

use super::{
    Activation, Experiment, FieldLimit, InvalidField, LayerConfig, LayerShape, layer_shapes,
    number_text, visit,
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
        if let Err(problem) = layer_shapes(&self.network, &self.dataset) {
            return Some(problem);
        }
        let last = layers.len() - 1;
        for (index, layer) in layers[..last].iter().enumerate() {
            if layer.activation() == Some(Activation::Softmax) {
                return Some(InvalidField::new(
                    format!("network.layers[{index}].activation"),
                    "Activation",
                    "softmax",
                    "relu or none here: softmax belongs on the last layer",
                ));
            }
        }
        self.head_problem()
    }

    /// The head is a dense layer with one unit a class and softmax, in it or right behind it.
    fn head_problem(&self) -> Option<InvalidField> {
        let layers = &self.network.layers;
        let last = layers.len() - 1;
        let classes = self.dataset.classes;
        let wanted = format!("dense with {classes} units and softmax, one unit a class");
        let head = match &layers[last] {
            LayerConfig::Activation { activation: Activation::Softmax } if last > 0 => last - 1,
            _ => last,
        };
        let field = format!("network.layers[{head}]");
        let LayerConfig::Dense { units, activation, .. } = &layers[head] else {
            return Some(InvalidField::new(
                field,
                "Last layer",
                "a network without a head",
                wanted,
            ));
        };
        if *units != classes {
            return Some(InvalidField::new(
                format!("{field}.units"),
                "Units of the last layer",
                units.to_string(),
                format!("{classes}, one unit a class"),
            ));
        }
        let inner_is_right = if head == last {
            *activation == Some(Activation::Softmax)
        } else {
            activation.is_none()
        };
        (!inner_is_right).then(|| {
            let text = match activation {
                Some(Activation::Relu) => "relu",
                Some(Activation::Softmax) => "softmax twice",
                None => "none",
            };
            InvalidField::new(
                format!("{field}.activation"),
                "Activation of the last layer",
                text,
                "softmax, once",
            )
        })
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
/// Counted: the wasm itself; the images three times (as drawn, as a tensor, and with zeros around them); of each variable its
/// value, its gradient, what the optimizer keeps and a working copy; and what one batch leaves behind in each layer.
pub fn estimate_memory_bytes(experiment: &Experiment) -> u64 {
    const FLOAT: u64 = 4;
    const WASM: u64 = 2_000_000;
    let Ok(shapes) = layer_shapes(&experiment.network, &experiment.dataset) else {
        return u64::MAX;
    };
    let dataset = &experiment.dataset;
    let pixels =
        u64::from(dataset.images) * u64::from(dataset.side).pow(2) * u64::from(dataset.channels);
    let parameters: u64 = shapes.iter().map(|shape| shape.parameters as u64).sum();
    let layers = &experiment.network.layers;
    let of_image = |(index, shape): (usize, &LayerShape)| {
        shape.output.size() as u64 * bytes_of_output(&layers[index..])
    };
    let image: u64 = shapes.iter().enumerate().map(of_image).sum();
    let batch = u64::from(experiment.training.batch_size.min(dataset.images));
    let copies_of_weights = 3 + experiment.training.optimizer.slots();
    WASM + FLOAT * (3 * pixels + copies_of_weights * parameters) + batch * image
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
        LayerConfig::Flatten {} => 0,
        LayerConfig::Dense { .. } | LayerConfig::Activation { .. } => 4 + 4,
    }
}
