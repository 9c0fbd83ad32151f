//! Settings: changing an experiment field by field, and finding the fields in which two experiments differ.
//!
//! `--set` and the page's controls apply a [`Setting`], the table of runs shows settings, links and sweeps carry them, and a cure
//! proposes them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tsify::Tsify;

use super::data::{SIDE, SIDES};
use super::fields::{FieldKind, shown};
use super::json::{as_whole, pointer};
use super::{Experiment, Field, InvalidField, LayerConfig};

/// Paths that set the biases of every layer of one kind. An experiment has no such fields.
const CONV_BIAS: &str = "network.conv_bias";
const DENSE_BIAS: &str = "network.dense_bias";

/// A field and its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Tsify)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The path of the field: `training.learning_rate`, `network.layers[0].filters`.
    pub field: String,
    /// The value in JSON, or the name of a kind.
    #[tsify(type = "unknown")]
    pub value: Value,
}

/// An experiment after a change, with all of its problems.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Edited {
    pub experiment: Experiment,
    /// The error of a value that the field cannot hold. Then the experiment is unchanged.
    pub refused: Option<InvalidField>,
    /// The problems of `experiment`.
    pub problems: Vec<InvalidField>,
}

/// A path that sets the biases of every layer of one kind.
struct BiasField {
    path: &'static str,
    label: &'static str,
    applies_to: fn(&LayerConfig) -> bool,
}

const BIASES: [BiasField; 2] = [
    BiasField {
        path: CONV_BIAS,
        label: "Convolution biases",
        applies_to: |layer| matches!(layer, LayerConfig::Conv2d { .. }),
    },
    BiasField {
        path: DENSE_BIAS,
        label: "Dense bias",
        applies_to: |layer| matches!(layer, LayerConfig::Dense { .. }),
    },
];

impl Setting {
    pub fn new(field: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("a value of a field is plain data");
        Self { field: field.into(), value }
    }

    /// The value as a person would enter it.
    pub fn text(&self) -> String {
        match &self.value {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        }
    }
}

impl Experiment {
    /// The experiment with the field at `path` set to the entered text. A value that the field cannot hold leaves the experiment
    /// unchanged.
    pub fn edited(&self, path: &str, text: &str) -> Edited {
        let mut experiment = self.clone();
        let refused = experiment.set(path, text).err();
        let problems = experiment.validate().err().unwrap_or_default();
        Edited { experiment, refused, problems }
    }

    /// Sets one field. The field's type has to hold the value; [`Experiment::validate`] checks ranges. On an error nothing changes.
    pub fn apply(&mut self, setting: &Setting) -> Result<(), InvalidField> {
        self.set(&setting.field, &setting.text())
    }

    /// Sets the field at `path` from text; otherwise like [`Experiment::apply`].
    ///
    /// A field with kinds takes the id or the name of a kind, or an object with some of the kind's fields. `network.conv_bias` and
    /// `network.dense_bias` set the biases of all such layers, and `dataset.side` sets height and width. Objects and lists are
    /// written as JSON. A batch size equal to the number of images follows that number when it changes.
    pub fn set(&mut self, path: &str, text: &str) -> Result<(), InvalidField> {
        let text = text.trim();
        if let Some(biases) = BIASES.iter().find(|biases| biases.path == path) {
            return self.set_biases(biases, text);
        }
        if path == SIDE.path {
            let side = value(path, &SIDE, text)?;
            let mut whole = self.to_value();
            for name in SIDES {
                whole["dataset"][name] = side.clone();
            }
            *self = Self::from_value(whole)?;
            return Ok(());
        }
        let mut whole = self.to_value();
        let Some(place) = whole.pointer_mut(&pointer(path)) else {
            return Err(self.no_such_field(path, text));
        };
        *place = match Field::of(path) {
            Some(field) => value(path, field, text)?,
            None => json(path, path, text)?,
        };
        let all_images = self.training.batch_size == self.dataset.images;
        *self = Self::from_value(whole)?;
        if path == "dataset.images" && all_images {
            self.training.batch_size = self.dataset.images;
        }
        Ok(())
    }

    /// Whether all convolutions have biases; `None` where they differ or where there are none.
    pub fn conv_bias(&self) -> Option<bool> {
        self.common_bias(&BIASES[0])
    }

    /// The same for dense layers.
    pub fn dense_bias(&self) -> Option<bool> {
        self.common_bias(&BIASES[1])
    }

    fn common_bias(&self, biases: &BiasField) -> Option<bool> {
        let layers = self.network.layers.iter().filter(|layer| (biases.applies_to)(layer));
        let mut biases = layers.filter_map(LayerConfig::use_bias);
        let first = biases.next()?;
        biases.all(|bias| bias == first).then_some(first)
    }

    fn set_biases(&mut self, biases: &BiasField, text: &str) -> Result<(), InvalidField> {
        let BiasField { path, label, applies_to } = biases;
        let on = parse_bool(text)
            .ok_or_else(|| InvalidField::new(*path, label, text, "true or false"))?;
        let mut found = false;
        for layer in self.network.layers.iter_mut().filter(|layer| applies_to(layer)) {
            if let Some(bias) = layer.use_bias_mut() {
                *bias = on;
                found = true;
            }
        }
        if found {
            return Ok(());
        }
        let message = format!("{label}: the network has no such layer.");
        Err(InvalidField::with_message(*path, text, "a network with such a layer", message))
    }

    /// The error of an unknown path, which names the fields that there are.
    fn no_such_field(&self, path: &str, text: &str) -> InvalidField {
        let mut names = BIASES.map(|biases| biases.path.to_string()).to_vec();
        names.push(SIDE.path.into());
        for (name, inner) in self.to_value().as_object().expect("an experiment is an object") {
            match inner {
                Value::Object(fields) => {
                    names.extend(fields.keys().map(|field| format!("{name}.{field}")))
                }
                _ => names.push(name.clone()),
            }
        }
        names.sort();
        let names = names.join(", ");
        let path = shown(path);
        let message = format!("{path} is not a field of this experiment; the fields are {names}.");
        InvalidField::with_message(path, text, names, message)
    }

    /// The settings that, applied in order, turn `base` into this experiment.
    pub fn settings_from(&self, base: &Self) -> Vec<Setting> {
        let mut settings = Vec::new();
        differences("", &self.to_value(), &base.to_value(), &mut settings);
        // The height and width of square images are one setting.
        let is_side = |setting: &Setting| {
            SIDES.map(|name| format!("dataset.{name}")).contains(&setting.field)
        };
        let first = settings.iter().position(is_side);
        let sides = settings.iter().filter(|setting| is_side(setting)).count();
        if let (Some(first), 2) = (first, sides)
            && self.dataset.height == self.dataset.width
        {
            settings[first].field = SIDE.path.into();
            settings.remove(first + 1);
        }
        settings
    }
}

/// Collects the fields that differ. Values of one kind are compared field by field, and lists of layers layer by layer where the
/// kinds of the layers agree.
fn differences(path: &str, now: &Value, before: &Value, settings: &mut Vec<Setting>) {
    if now == before {
        return;
    }
    let is_same_kind = |(now, before): (&Value, &Value)| now.get("type") == before.get("type");
    match (now, before) {
        (Value::Object(fields), Value::Object(_)) if is_same_kind((now, before)) => {
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(&path, inner, before.get(name).unwrap_or(&Value::Null), settings);
            }
        }
        (Value::Array(now), Value::Array(before))
            if now.len() == before.len()
                && now.iter().all(Value::is_object)
                && now.iter().zip(before).all(is_same_kind) =>
        {
            for (index, (now, before)) in now.iter().zip(before).enumerate() {
                differences(&format!("{path}[{index}]"), now, before, settings);
            }
        }
        _ => {
            // A kind with all its defaults is written as its id.
            let kind = Field::of(path).and_then(|field| field.chosen(now));
            let kind = kind.filter(|kind| kind.value == *now && !now.is_null());
            let value = kind.map_or(now.clone(), |kind| kind.id.into());
            settings.push(Setting { field: path.into(), value });
        }
    }
}

/// The value of `text` for a field of the table.
fn value(path: &str, field: &Field, text: &str) -> Result<Value, InvalidField> {
    match field.kind {
        FieldKind::Number(range) => {
            let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
            let held = number.and_then(|number| match range.whole {
                true => as_whole(number).map(Value::from),
                false => Some(Value::from(number)),
            });
            held.ok_or_else(|| not_a_number(path, field, text))
        }
        FieldKind::Flag => {
            let on = parse_bool(text).ok_or_else(|| field.invalid(path, text))?;
            Ok(on.into())
        }
        FieldKind::Choice(_) if text.starts_with('{') => json(path, field.label, text),
        FieldKind::Choice(_) => {
            let name = if text == "null" { "none" } else { text };
            let kind = field.choice_named(name).or_else(|| by_another_name(path, field, name));
            kind.map(|kind| kind.value).ok_or_else(|| field.invalid(path, text))
        }
        FieldKind::Numbers | FieldKind::Layers => json(path, field.label, text),
    }
}

/// "momentum" and "nesterov" are short for SGD with either.
fn by_another_name(path: &str, field: &Field, name: &str) -> Option<super::Choice> {
    match (path, name) {
        ("training.optimizer", "momentum" | "nesterov") => {
            field.choice_named(&format!("sgd-{name}"))
        }
        _ => None,
    }
}

/// The error of a text that is no number. It proposes the number that a text with commas probably means: 0.01 for "0,01" and 1000
/// for "1,000".
fn not_a_number(path: &str, field: &Field, text: &str) -> InvalidField {
    let problem = field.invalid(path, text);
    let (first, groups) = text.split_once(',').unwrap_or((text, ""));
    let is_group =
        |group: &str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
    let has_groups = !first.starts_with('0') && groups.split(',').all(is_group);
    let meant = text.replace(',', if has_groups { "" } else { "." });
    match meant.parse::<f64>() {
        Ok(_) if meant != text => {
            let message = format!("{} Did you mean {meant}?", problem.message);
            InvalidField { message, ..problem }
        }
        _ => problem,
    }
}

fn json(path: &str, label: &str, text: &str) -> Result<Value, InvalidField> {
    serde_json::from_str(text).map_err(|error| {
        if text.is_empty() {
            return InvalidField::new(path, label, text, "JSON, such as [] for an empty list");
        }
        InvalidField::new(path, label, text, format!("JSON ({error})"))
    })
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}
