//! The table of an experiment's fields: the name of each, the values it can hold, and its place in the form.
//!
//! The rows of a concept stand beside its type (`data.rs`, `layer.rs`, `optimizer.rs`, ..); this file joins them. Validation,
//! reading, editing, the form and the description of changes all use this one table.

use serde::Serialize;
use serde_json::Value;
use tsify::Tsify;

use super::{
    augmentation, data, early_stopping, initializer, layer, loss, optimizer, regularisation,
    schedule, training_loop,
};

/// One field of an experiment.
#[derive(Clone, Copy)]
pub struct Field {
    /// The dot path of the field; `[]` stands for any index.
    pub path: &'static str,
    /// The name of the field on the page and in messages.
    pub label: &'static str,
    /// Keras' name of the field, where the page shows it beside the label.
    pub keras: Option<&'static str>,
    /// The unit of the field's numbers, where the label does not say it: `degrees`.
    pub unit: Option<&'static str>,
    /// Where the form shows the field.
    pub group: FieldGroup,
    pub kind: FieldKind,
}

/// The kind of value that a field holds.
#[derive(Clone, Copy)]
pub enum FieldKind {
    Number(NumberRange),
    Flag,
    /// One of several kinds, each with its defaults.
    Choice(fn() -> Vec<Choice>),
    /// A list of numbers; its entries have a row of their own in the table.
    Numbers,
    /// The list of layers.
    Layers,
}

/// The numbers that a field can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberRange {
    pub min: f64,
    pub max: f64,
    /// Whether `max` itself is outside the range.
    pub below_max: bool,
    pub whole: bool,
    pub slider: Option<Slider>,
}

/// The ends of the page's slider, where they are narrower than the range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slider {
    pub min: f64,
    pub max: f64,
}

/// One kind that a field can have.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The kind's name in `--set` and in the page's requests.
    pub id: &'static str,
    pub name: &'static str,
    /// The field's value with every default of the kind.
    pub value: Value,
}

impl Choice {
    pub fn new(id: &'static str, name: &'static str, value: impl Serialize) -> Self {
        Self { id, name, value: serde_json::to_value(value).expect("a kind is plain data") }
    }
}

/// Fields that the form shows together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldGroup {
    /// Fields that the page has controls for outside the form.
    Controls,
    Data,
    Network,
    LossAndOptimizer,
    EarlyStopping,
    Augmentation,
    TrainingLoop,
}

impl FieldGroup {
    /// The groups of the form, in its order.
    pub const OF_FORM: [Self; 6] = [
        Self::Data,
        Self::Network,
        Self::LossAndOptimizer,
        Self::EarlyStopping,
        Self::Augmentation,
        Self::TrainingLoop,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Controls => "Controls",
            Self::Data => "Data",
            Self::Network => "Network",
            Self::LossAndOptimizer => "Loss and optimizer",
            Self::EarlyStopping => "Early stopping",
            Self::Augmentation => "Augmentation",
            Self::TrainingLoop => "Training loop",
        }
    }
}

/// The fields that belong to no concept with its own file.
const OWN: &[Field] = &[
    Field::number(
        FieldGroup::Controls,
        "training.learning_rate",
        "Learning rate",
        NumberRange {
            slider: Some(Slider { min: 1e-5, max: 10.0 }),
            ..NumberRange::real(1e-8, 1000.0)
        },
    ),
    Field::whole(FieldGroup::Controls, "training.batch_size", "Batch size", 1.0, 2000.0),
    Field::whole(FieldGroup::Controls, "training.epochs", "Epochs", 1.0, 100_000.0),
    Field::whole(FieldGroup::Controls, "seed", "Seed", 0.0, u32::MAX as f64),
];

/// The rows of every concept.
const TABLES: &[&[Field]] = &[
    data::FIELDS,
    layer::FIELDS,
    initializer::FIELDS,
    regularisation::FIELDS,
    loss::FIELDS,
    optimizer::FIELDS,
    schedule::FIELDS,
    early_stopping::FIELDS,
    augmentation::FIELDS,
    training_loop::FIELDS,
    OWN,
];

/// Every field of an experiment. The number of images further limits a batch size, and a layer's input its kernel or pool;
/// `validate` checks those bounds.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    TABLES.iter().copied().flatten()
}

impl Field {
    const fn of_kind(
        group: FieldGroup,
        path: &'static str,
        label: &'static str,
        kind: FieldKind,
    ) -> Self {
        Self { path, label, keras: None, unit: None, group, kind }
    }

    pub(super) const fn number(
        group: FieldGroup,
        path: &'static str,
        label: &'static str,
        range: NumberRange,
    ) -> Self {
        Self::of_kind(group, path, label, FieldKind::Number(range))
    }

    /// Whole numbers from `min` to `max`.
    pub(super) const fn whole(
        group: FieldGroup,
        path: &'static str,
        label: &'static str,
        min: f64,
        max: f64,
    ) -> Self {
        Self::number(group, path, label, NumberRange::whole(min, max))
    }

    /// Numbers from `min` to `max`.
    pub(super) const fn real(
        group: FieldGroup,
        path: &'static str,
        label: &'static str,
        min: f64,
        max: f64,
    ) -> Self {
        Self::number(group, path, label, NumberRange::real(min, max))
    }

    /// A share from 0 up to, but not including, 1.
    pub(super) const fn share(group: FieldGroup, path: &'static str, label: &'static str) -> Self {
        let range = NumberRange { below_max: true, ..NumberRange::real(0.0, 1.0) };
        Self::number(group, path, label, range)
    }

    pub(super) const fn flag(group: FieldGroup, path: &'static str, label: &'static str) -> Self {
        Self::of_kind(group, path, label, FieldKind::Flag)
    }

    pub(super) const fn choice(
        group: FieldGroup,
        path: &'static str,
        label: &'static str,
        choices: fn() -> Vec<Choice>,
    ) -> Self {
        Self::of_kind(group, path, label, FieldKind::Choice(choices))
    }

    pub(super) const fn numbers(
        group: FieldGroup,
        path: &'static str,
        label: &'static str,
    ) -> Self {
        Self::of_kind(group, path, label, FieldKind::Numbers)
    }

    pub(super) const fn layers(group: FieldGroup, path: &'static str, label: &'static str) -> Self {
        Self::of_kind(group, path, label, FieldKind::Layers)
    }

    /// The same field with Keras' name.
    pub(super) const fn in_keras(self, keras: &'static str) -> Self {
        Self { keras: Some(keras), ..self }
    }

    /// The same field with the unit of its numbers.
    pub(super) const fn counted_in(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// The field at `path`, for any indices in it. `dataset.side` counts, although it is a shorthand for two fields.
    pub fn of(path: &str) -> Option<&'static Self> {
        let pattern = without_indices(path);
        fields().chain([&data::SIDE]).find(|field| field.path == pattern)
    }

    /// The numbers that the field can hold; `None` where it holds no number.
    pub fn range(&self) -> Option<NumberRange> {
        match self.kind {
            FieldKind::Number(range) => Some(range),
            _ => None,
        }
    }

    /// The kinds that the field can have; empty for a field without kinds.
    pub fn choices(&self) -> Vec<Choice> {
        match self.kind {
            FieldKind::Choice(choices) => choices(),
            _ => Vec::new(),
        }
    }

    /// The kind whose id or name is `name`, in upper or lower case, with `-`, `_` or a space between words.
    pub fn choice_named(&self, name: &str) -> Option<Choice> {
        let plain = |text: &str| text.to_ascii_lowercase().replace(['-', ' '], "_");
        let mut all = self.choices().into_iter();
        all.find(|choice| [choice.id, choice.name].map(plain).contains(&plain(name)))
    }

    /// The kind of `value`: the kind that equals it, otherwise the first kind with the same `type`.
    pub fn chosen(&self, value: &Value) -> Option<Choice> {
        let all = self.choices();
        let equal = all.iter().find(|choice| choice.value == *value);
        let tag = value.get("type");
        let alike = || all.iter().find(|choice| tag.is_some() && choice.value.get("type") == tag);
        equal.or_else(alike).cloned()
    }

    /// The values that the field can hold, in words, such as "a whole number from 1 to 20".
    pub fn allowed(&self) -> String {
        match self.kind {
            FieldKind::Number(range) => range.allowed(),
            FieldKind::Flag => "true or false".into(),
            FieldKind::Choice(choices) => {
                let ids: Vec<_> = choices().iter().map(|choice| choice.id).collect();
                format!("one of {}", ids.join(", "))
            }
            FieldKind::Numbers => "a list of numbers".into(),
            FieldKind::Layers => "a list of layers".into(),
        }
    }

    /// The error that refuses `value` at `path`.
    pub fn invalid(&self, path: &str, value: impl Into<String>) -> InvalidField {
        InvalidField::new(path, self.label, value, self.allowed())
    }
}

impl NumberRange {
    pub(super) const fn real(min: f64, max: f64) -> Self {
        Self { min, max, below_max: false, whole: false, slider: None }
    }

    pub(super) const fn whole(min: f64, max: f64) -> Self {
        Self { whole: true, ..Self::real(min, max) }
    }

    fn allowed(&self) -> String {
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
}

/// A value that an experiment cannot have: the field, the value, the allowed values, and a sentence that says all three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct InvalidField {
    pub field: String,
    pub value: String,
    pub allowed: String,
    pub message: String,
}

impl InvalidField {
    /// "Batch size: 21 is not allowed; it must be a whole number from 1 to 20."
    pub fn new(
        field: impl Into<String>,
        label: &str,
        value: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        let (field, value, allowed) = (field.into(), shown(&value.into()), allowed.into());
        let label = match layer_of(&field) {
            Some(layer) if label == "Layer" => format!("Layer {}", layer + 1),
            Some(layer) => format!("{label} of layer {}", layer + 1),
            None => label.into(),
        };
        Self {
            field,
            message: format!("{label}: {value} is not allowed; it must be {allowed}."),
            value,
            allowed,
        }
    }

    /// An error with its own sentence, where the usual one does not fit.
    pub fn with_message(
        field: impl Into<String>,
        value: impl Into<String>,
        allowed: impl Into<String>,
        message: String,
    ) -> Self {
        Self { field: field.into(), value: shown(&value.into()), allowed: allowed.into(), message }
    }
}

impl std::fmt::Display for InvalidField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The message of an unknown field begins with its path, which is not repeated.
        match self.message.strip_prefix(&self.field) {
            Some(rest) if rest.starts_with(' ') => f.write_str(&self.message),
            _ => write!(f, "{}: {}", self.field, self.message),
        }
    }
}

impl std::error::Error for InvalidField {}

/// The index of the layer in a path such as `network.layers[3].units`.
pub(super) fn layer_of(path: &str) -> Option<usize> {
    path.strip_prefix("network.layers[")?.split(']').next()?.parse().ok()
}

/// A value as an error quotes it: shortened to 80 characters, control characters escaped, and "an empty value" for empty text.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.is_empty() {
        return "an empty value".into();
    }
    let mut quoted = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            quoted.push('…');
            break;
        }
        // A terminal obeys control characters, and bidirectional marks turn the text around them.
        let unseen = character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if unseen {
            quoted.extend(character.escape_default());
        } else {
            quoted.push(character);
        }
    }
    quoted
}

/// `network.layers[3].units` and `network.layers.3.units` both become `network.layers[].units`.
fn without_indices(path: &str) -> String {
    let mut pattern = String::new();
    for part in path.replace('[', ".").replace(']', "").split('.') {
        if part.parse::<usize>().is_ok() || part.is_empty() && !pattern.is_empty() {
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

/// A numeric field's label and limits, for the page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct FieldLimit {
    #[tsify(type = "string")]
    pub field: &'static str,
    #[tsify(type = "string")]
    pub label: &'static str,
    pub min: f64,
    pub max: f64,
    /// Whether `max` itself is outside the range.
    pub below_max: bool,
    pub whole: bool,
    /// The ends of the page's slider, where they are narrower than the range.
    pub slider_min: Option<f64>,
    pub slider_max: Option<f64>,
}

/// The label and limits of every numeric field.
pub fn field_limits() -> Vec<FieldLimit> {
    let limit = |field: &'static Field| {
        field.range().map(|range| FieldLimit {
            field: field.path,
            label: field.label,
            min: range.min,
            max: range.max,
            below_max: range.below_max,
            whole: range.whole,
            slider_min: range.slider.map(|slider| slider.min),
            slider_max: range.slider.map(|slider| slider.max),
        })
    };
    fields().filter_map(limit).collect()
}
