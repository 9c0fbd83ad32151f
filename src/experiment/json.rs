//! Reads an experiment from JSON, writes it as JSON, and finds values in it by path.
//!
//! A file may leave out every field that has a default. So the table of fields first completes the JSON from the defaults; that
//! pass names the path of every unknown or mistyped field, also inside a layer or an optimizer.

use serde_json::{Map, Value, json};

use super::data::{SIDE, SIDES};
use super::fields::{FieldKind, shown};
use super::strict::Strict;
use super::{Choice, Experiment, Field, InvalidField, KERAS_BATCH_SIZE, OptimizerConfig};
use crate::from_json::FromJson;

impl Experiment {
    /// Reads an experiment from JSON. An absent field has its default. The error names an unknown or mistyped field, or the place
    /// of broken JSON; [`Experiment::validate`] checks ranges.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        let text = text.trim_start_matches('\u{feff}');
        let Strict(value) = serde_json::from_str(text).map_err(|error| {
            let message = match error.is_data() {
                true => format!("The experiment cannot be read: {error}."),
                false => format!("The experiment is not JSON: {error}."),
            };
            InvalidField::with_message("experiment", "this text", "a JSON object", message)
        })?;
        Self::from_value(value)
    }

    /// The same from a JSON value; an error names the path, the value and the allowed values.
    pub fn from_value(value: Value) -> Result<Self, InvalidField> {
        Self::read(&completed(value)?).ok_or_else(|| {
            let message = "The experiment cannot be read.".into();
            InvalidField::with_message("experiment", "this object", "an experiment", message)
        })
    }

    /// The experiment as indented JSON with every field.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an experiment is plain data")
    }

    /// The experiment as a JSON value with every field.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("an experiment is plain data")
    }
}

/// The whole experiment: each field from `given`, or its default.
fn completed(given: Value) -> Result<Value, InvalidField> {
    let defaults = Experiment::default().to_value();
    let has = |path: &str| given.pointer(&pointer(path)).is_some();
    let (has_rate, has_batch) = (has("training.learning_rate"), has("training.batch_size"));
    let mut whole = complete("", given, &defaults)?;
    // Two defaults follow from other fields: each optimizer has a default rate, and a batch holds no more than all images.
    let training = &whole["training"];
    let optimizer = OptimizerConfig::read(&training["optimizer"]);
    if let (false, Some(optimizer)) = (has_rate, optimizer) {
        whole["training"]["learning_rate"] = json!(optimizer.usual_rate());
    }
    let images = whole["dataset"]["images"].as_u64().unwrap_or_default();
    if !has_batch {
        whole["training"]["batch_size"] = json!(images.clamp(1, u64::from(KERAS_BATCH_SIZE)));
    }
    Ok(whole)
}

/// `given` at `path`, completed from `default`.
fn complete(path: &str, given: Value, default: &Value) -> Result<Value, InvalidField> {
    let field = Field::of(path);
    let given = match given {
        Value::Object(dataset) if path == "dataset" => with_both_sides(dataset)?.into(),
        given => given,
    };
    match (field.map(|field| field.kind), given, default) {
        (Some(FieldKind::Number(range)), given, _) => {
            number(path, given, range.whole, field.expect("just looked at"))
        }
        (Some(FieldKind::Flag), Value::Bool(on), _) => Ok(on.into()),
        (Some(FieldKind::Choice(_)), given, default) => {
            choice(path, field.expect("just looked at"), given, default)
        }
        (Some(FieldKind::Numbers), Value::Array(entries), _) => {
            let entries = entries.into_iter().enumerate();
            let entries = entries
                .map(|(index, entry)| complete(&format!("{path}[{index}]"), entry, &Value::Null));
            entries.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        (Some(FieldKind::Layers), Value::Array(entries), _) => {
            let entries = entries.into_iter().enumerate();
            let entries = entries
                .map(|(index, entry)| complete(&format!("{path}[{index}]"), entry, &Value::Null));
            entries.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        (Some(_), given, _) => Err(field.expect("just looked at").invalid(path, given.to_string())),
        (None, Value::Object(fields), Value::Object(defaults)) => {
            object(path, fields, defaults).map(Value::Object)
        }
        (None, given, _) => {
            let name = if path.is_empty() { "experiment" } else { path };
            let value = shown(&given.to_string());
            let message = format!("{name} is {value}; it must be a JSON object.");
            Err(InvalidField::with_message(name, value, "a JSON object", message))
        }
    }
}

/// The dataset with its `side`, if it has one, replaced by `height` and `width`.
fn with_both_sides(mut dataset: Map<String, Value>) -> Result<Map<String, Value>, InvalidField> {
    let Some(side) = dataset.shift_remove("side") else { return Ok(dataset) };
    let side = number(SIDE.path, side, true, &SIDE)?;
    for name in SIDES {
        match dataset.get(name) {
            None => _ = dataset.insert(name.into(), side.clone()),
            Some(given) if given.as_f64() == side.as_f64() => {}
            Some(given) => {
                let given = shown(&given.to_string());
                let allowed = format!("equal to the image's {name}, {given}, or left out");
                return Err(InvalidField::new(SIDE.path, SIDE.label, side.to_string(), allowed));
            }
        }
    }
    Ok(dataset)
}

/// One of a field's kinds, given by its name or as an object with some of its fields.
fn choice(path: &str, field: &Field, given: Value, default: &Value) -> Result<Value, InvalidField> {
    let kinds = field.choices();
    // A layer's activation may be none, but an activation layer's may not.
    let can_be_none = default.is_null() && kinds.iter().any(|kind| kind.value.is_null());
    let with_tag = |tag: &str| kinds.iter().find(|kind| kind.value["type"] == tag);
    match given {
        Value::String(name) => {
            let named =
                field.choice_named(&name).filter(|kind| can_be_none || !kind.value.is_null());
            named.map(|kind| kind.value).ok_or_else(|| field.invalid(path, format!("{name:?}")))
        }
        Value::Null if can_be_none => Ok(Value::Null),
        Value::Object(fields) if kinds.iter().any(|kind| kind.value.is_object()) => {
            let base = match fields.get("type") {
                None if default.is_object() => default,
                Some(Value::String(tag)) if default["type"] == **tag => default,
                Some(Value::String(tag)) => {
                    let kind: Option<&Choice> = with_tag(tag);
                    let unknown = || field.invalid(&format!("{path}.type"), format!("{tag:?}"));
                    &kind.ok_or_else(unknown)?.value
                }
                other => {
                    let value = other.map_or("nothing".into(), Value::to_string);
                    return Err(field.invalid(&format!("{path}.type"), value));
                }
            };
            let Value::Object(base) = base else { unreachable!("a kind with a tag is an object") };
            object(path, fields, base).map(Value::Object)
        }
        other => Err(field.invalid(path, other.to_string())),
    }
}

/// The given fields of an object and the defaults of the others, in the defaults' order.
fn object(
    path: &str,
    mut given: Map<String, Value>,
    defaults: &Map<String, Value>,
) -> Result<Map<String, Value>, InvalidField> {
    let below = |name: &str| if path.is_empty() { name.into() } else { format!("{path}.{name}") };
    let mut whole = Map::new();
    for (name, default) in defaults {
        let value = match given.shift_remove(name) {
            Some(value) if name == "type" => value,
            Some(value) => complete(&below(name), value, default)?,
            None => default.clone(),
        };
        whole.insert(name.clone(), value);
    }
    match given.into_iter().next() {
        None => Ok(whole),
        Some((name, value)) => {
            let known: Vec<_> = defaults.keys().map(String::as_str).collect();
            let known = known.join(", ");
            let message = match defaults.get("type").and_then(Value::as_str) {
                Some(kind) => format!(
                    "{} is not a field of {kind}; its fields are {known}.",
                    shown(&below(&name))
                ),
                None => {
                    format!("{} is not a field; the fields here are {known}.", shown(&below(&name)))
                }
            };
            let allowed = format!("one of {known}");
            Err(InvalidField::with_message(
                shown(&below(&name)),
                value.to_string(),
                allowed,
                message,
            ))
        }
    }
}

/// A number that the field's type can hold, in or out of its range. Whole numbers may be written as 500.0.
fn number(path: &str, given: Value, whole: bool, field: &Field) -> Result<Value, InvalidField> {
    match given.as_f64() {
        // JSON has no NaN or infinity and writes null for them.
        None => Err(field.invalid(path, given.to_string())),
        Some(_) if !whole => Ok(given),
        Some(number) => {
            as_whole(number).map(Value::from).ok_or_else(|| field.invalid(path, given.to_string()))
        }
    }
}

/// `number` as the whole number that a field can hold; `None` for a fraction, or outside 0 to `u32::MAX`.
pub(super) fn as_whole(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number))
        .then_some(number as u32)
}

/// The JSON pointer of `path`: `network.layers[0].units` becomes `/network/layers/0/units`.
pub(super) fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"))
}

/// Calls `on_leaf` with the path and value of everything that is neither an object nor a list.
pub(super) fn visit(value: &Value, on_leaf: &mut impl FnMut(&str, &Value)) {
    fn walk(value: &Value, path: &mut String, on_leaf: &mut impl FnMut(&str, &Value)) {
        let start = path.len();
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    if start > 0 {
                        path.push('.');
                    }
                    path.push_str(name);
                    walk(inner, path, on_leaf);
                    path.truncate(start);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    path.push_str(&format!("[{index}]"));
                    walk(inner, path, on_leaf);
                    path.truncate(start);
                }
            }
            leaf => on_leaf(path, leaf),
        }
    }
    walk(value, &mut String::new(), on_leaf);
}
