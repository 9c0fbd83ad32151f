//! The range and the label of every field: the one place where limits stand.

use serde::Serialize;
use tsify::Tsify;

/// The range of one numeric field. `field` is its dot path; `[]` stands for any index.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct FieldLimit {
    #[tsify(type = "string")]
    pub field: &'static str,
    /// What a person calls it.
    #[tsify(type = "string")]
    pub label: &'static str,
    pub min: f64,
    pub max: f64,
    /// Whether `max` itself is outside the range.
    pub below_max: bool,
    pub whole: bool,
    /// The ends of the page's slider, where it has one that is narrower than the range.
    pub slider_min: Option<f64>,
    pub slider_max: Option<f64>,
}

/// One problem with one field: where, what was there, what may be, and the sentence that says all three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct InvalidField {
    pub field: String,
    pub value: String,
    pub allowed: String,
    pub message: String,
}

impl std::fmt::Display for InvalidField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for InvalidField {}

const fn whole(field: &'static str, label: &'static str, min: f64, max: f64) -> FieldLimit {
    FieldLimit {
        field,
        label,
        min,
        max,
        below_max: false,
        whole: true,
        slider_min: None,
        slider_max: None,
    }
}

const fn real(field: &'static str, label: &'static str, min: f64, max: f64) -> FieldLimit {
    FieldLimit { whole: false, ..whole(field, label, min, max) }
}

/// A share from 0 up to, but not including, 1.
const fn share(field: &'static str, label: &'static str) -> FieldLimit {
    FieldLimit { below_max: true, ..real(field, label, 0.0, 1.0) }
}

/// Every numeric field of an experiment. The bounds of a batch size (the number of images) and of a kernel or pool (its
/// input) are tighter where the experiment makes them so; `validate` says those.
pub const FIELDS: &[FieldLimit] = &[
    whole("dataset.images", "Images", 1.0, 2000.0),
    whole("dataset.side", "Image side", 4.0, 256.0),
    whole("dataset.channels", "Channels", 1.0, 4.0),
    whole("dataset.classes", "Classes", 2.0, 100.0),
    real("dataset.scale", "Scale of the pixels", -1e6, 1e6),
    real("dataset.shift", "Shift of the pixels", -1e6, 1e6),
    real("dataset.flipped", "Share of labels flipped", 0.0, 1.0),
    whole("dataset.conflicting_pairs", "Conflicting pairs", 0.0, 1000.0),
    whole("dataset.validation_images", "Held-out images", 0.0, 2000.0),
    whole("network.layers[].filters", "Filters", 1.0, 1024.0),
    whole("network.layers[].kernel", "Kernel", 1.0, 11.0),
    whole("network.layers[].strides", "Strides", 1.0, 16.0),
    whole("network.layers[].pool", "Pool", 1.0, 16.0),
    whole("network.layers[].units", "Units", 1.0, 4096.0),
    share("network.layers[].momentum", "Momentum of the moving averages"),
    real("network.layers[].epsilon", "Epsilon of the normalisation", 1e-12, 1.0),
    share("network.layers[].rate", "Dropout rate"),
    real("network.layers[].negative_slope", "Negative slope", 0.0, 1.0),
    real("network.initializer.factor", "Factor of the initial kernels", 0.0, 1e6),
    real("network.initializer.bias", "Initial biases", -1e3, 1e3),
    real("network.initializer.kernel.value", "Constant", -1e3, 1e3),
    real("network.regularizer.l1", "L1", 0.0, 1e3),
    real("network.regularizer.l2", "L2", 0.0, 1e3),
    real("network.regularizer.bias_l2", "L2 of the biases", 0.0, 1e3),
    real("network.constraint.limit", "Largest norm", 1e-6, 1e6),
    FieldLimit {
        slider_min: Some(1e-5),
        slider_max: Some(10.0),
        ..real("training.learning_rate", "Learning rate", 1e-8, 1000.0)
    },
    whole("training.batch_size", "Batch size", 1.0, 2000.0),
    whole("training.epochs", "Epochs", 1.0, 100_000.0),
    share("training.loss.label_smoothing", "Label smoothing"),
    whole("training.schedule.decay_steps", "Decay steps", 1.0, 1e7),
    real("training.schedule.decay_rate", "Decay rate", 1e-6, 1e3),
    whole("training.schedule.boundaries[]", "Boundary", 0.0, 1e7),
    real("training.schedule.factors[]", "Factor", 0.0, 1e6),
    whole("training.schedule.warmup_steps", "Warm-up steps", 0.0, 1e7),
    real("training.schedule.warmup_from", "Start of the warm-up", 0.0, 1.0),
    real("training.schedule.alpha", "Alpha", 0.0, 1.0),
    real("training.clipping.limit", "Clipping limit", 1e-9, 1e9),
    share("training.optimizer.beta_1", "Beta 1"),
    share("training.optimizer.beta_2", "Beta 2"),
    real("training.optimizer.epsilon", "Epsilon", 1e-12, 1.0),
    share("training.optimizer.momentum", "Momentum"),
    share("training.optimizer.rho", "Rho"),
    real("training.optimizer.initial_accumulator_value", "Initial accumulator value", 0.0, 1e3),
    real("training.optimizer.weight_decay", "Weight decay", 0.0, 1.0),
    whole("training.early_stopping.patience", "Patience", 0.0, 100_000.0),
    real("training.early_stopping.min_delta", "Smallest improvement", 0.0, 1e3),
    share("training.augmentation.shift", "Shift"),
    share("training.augmentation.crop", "Crop"),
    real("training.augmentation.rotation", "Rotation", 0.0, 180.0),
    real("training.augmentation.brightness", "Brightness", 0.0, 1e3),
    real("training.augmentation.noise", "Noise", 0.0, 1e3),
    real("training.augmentation.mixup", "Mixup", 0.0, 1.0),
    whole("training.loop.frozen[]", "Frozen layer", 0.0, 63.0),
    whole("training.loop.labels_rolled_by", "Labels rolled by", 0.0, 2000.0),
    whole("seed", "Seed", 0.0, u32::MAX as f64),
];

/// What a person calls the fields that are no numbers.
const OTHER_LABELS: &[(&str, &str)] = &[
    ("dataset.pixels", "Pixels"),
    ("dataset.labels", "Labels"),
    ("network.layers", "Layers"),
    ("network.initializer.kernel", "Initial kernels"),
    ("network.constraint", "Constraint"),
    ("training.optimizer", "Optimizer"),
    ("training.optimizer.amsgrad", "AMSGrad"),
    ("training.optimizer.nesterov", "Nesterov"),
    ("training.optimizer.centered", "Centered"),
    ("training.loss", "Loss"),
    ("training.loss.from_logits", "From logits"),
    ("training.schedule", "Schedule"),
    ("training.schedule.staircase", "Staircase"),
    ("training.schedule.boundaries", "Boundaries"),
    ("training.schedule.factors", "Factors"),
    ("training.clipping", "Clipping"),
    ("training.early_stopping", "Early stopping"),
    ("training.early_stopping.restore_best_weights", "Restore best weights"),
    ("training.augmentation.horizontal_flip", "Horizontal flip"),
    ("training.augmentation.vertical_flip", "Vertical flip"),
    ("training.loop.zero_grad", "Gradients set to zero"),
    ("training.loop.frozen", "Frozen layers"),
    ("training.loop.labels_shuffled", "Labels shuffled each step"),
    ("training.loop.optimizer_recreated", "Optimizer made anew each step"),
    ("training.loop.inference_mode", "Left in inference mode"),
];

/// What a person calls the field at `path`, whatever its indices.
pub fn label_of(path: &str) -> Option<&'static str> {
    let pattern = without_indices(path);
    let other = || OTHER_LABELS.iter().find(|(field, _)| *field == pattern).map(|row| row.1);
    FieldLimit::of(path).map(|limit| limit.label).or_else(other)
}

impl FieldLimit {
    /// The limit of the field at `path`, whatever its indices.
    pub fn of(path: &str) -> Option<&'static Self> {
        let pattern = without_indices(path);
        FIELDS.iter().find(|limit| limit.field == pattern)
    }

    /// The range in words, such as "a whole number from 1 to 20".
    pub fn allowed(&self) -> String {
        let kind = if self.whole { "a whole number" } else { "a number" };
        let (min, max) = (number_text(self.min), number_text(self.max));
        if self.below_max {
            format!("{kind} from {min} to below {max}")
        } else {
            format!("{kind} from {min} to {max}")
        }
    }

    /// Whether `value` lies in the range. NaN never does.
    pub fn contains(&self, value: f64) -> bool {
        let below = if self.below_max { value < self.max } else { value <= self.max };
        value >= self.min && below && (!self.whole || value.fract() == 0.0)
    }

    /// The problem of `value` at `path`.
    pub fn invalid(&self, path: &str, value: impl Into<String>) -> InvalidField {
        InvalidField::new(path, self.label, value, self.allowed())
    }
}

impl InvalidField {
    /// "Batch size: 21 is not allowed; it must be a whole number from 1 to 20."
    pub fn new(
        field: impl Into<String>,
        label: &str,
        value: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        let (value, allowed) = (value.into(), allowed.into());
        Self {
            field: field.into(),
            message: format!("{label}: {value} is not allowed; it must be {allowed}."),
            value,
            allowed,
        }
    }
}

/// `network.layers[3].units` and `network.layers.3.units` both become `network.layers[].units`.
fn without_indices(path: &str) -> String {
    let mut pattern = String::new();
    for part in path.replace('[', ".").replace(']', "").split('.') {
        if part.parse::<usize>().is_ok() {
            pattern.push_str("[]");
        } else {
            if !pattern.is_empty() {
                pattern.push('.');
            }
            pattern.push_str(part);
        }
    }
    pattern
}

/// A number as a person writes it: 0.001, 20, 1e-8, 1e9, NaN, infinity.
pub fn number_text(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "infinity" } else { "-infinity" }.into()
    } else if size != 0.0 && !(1e-5..1e10).contains(&size) {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}
