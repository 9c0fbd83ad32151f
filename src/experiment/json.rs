//! An experiment from JSON and back, and paths into it.
//!
//! A file may leave out what has a default. So JSON is first completed from the defaults, by the table of fields; that pass names
//! the path of everything that is unknown or mistyped, inside a layer or an optimizer, too.

use serde_json::{Map, Value, json};

use super::data::{SIDE, SIDES};
use super::fields::{FieldKind, shown};
use super::{Choice, Experiment, Field, InvalidField, KERAS_BATCH_SIZE, OptimizerConfig};

impl Experiment {
    /// Reads an experiment from JSON. Unknown or mistyped fields and broken JSON are named in the error; what is left out has its
    /// default; ranges are [`Experiment::validate`]'s.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        let value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
            let message = format!("The experiment is not JSON: {error}.");
            InvalidField::told("experiment", "this text", "a JSON object", message)
        })?;
        Self::from_value(value)
    }

    /// The same from a JSON value; an error names the path, the value and what belongs there.
    pub fn from_value(value: Value) -> Result<Self, InvalidField> {
        let complete = completed(value)?;
        serde_json::from_value(complete).map_err(|error| {
            let message = format!("The experiment cannot be read: {error}.");
            InvalidField::told("experiment", "this object", "an experiment", message)
        })
    }

    /// The experiment as indented JSON, every field.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an experiment is plain data")
    }

    /// The experiment as a JSON value, every field.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("an experiment is plain data")
    }
}

/// The whole experiment that `given` asks for: each field as given, or its default.
fn completed(given: Value) -> Result<Value, InvalidField> {
    let defaults = Experiment::default().to_value();
    let names = |path: &str| given.pointer(&pointer(path)).is_some();
    let (has_rate, has_batch) = (names("training.learning_rate"), names("training.batch_size"));
    let mut whole = complete("", given, &defaults)?;
    // Two defaults follow from other fields: an optimizer has a usual rate, and Keras' batch holds no more than all images.
    let training = &whole["training"];
    let optimizer = serde_json::from_value::<OptimizerConfig>(training["optimizer"].clone());
    if let (false, Ok(optimizer)) = (has_rate, optimizer) {
        whole["training"]["learning_rate"] = json!(optimizer.usual_rate());
    }
    let images = whole["dataset"]["images"].as_u64().unwrap_or_default();
    if !has_batch {
        whole["training"]["batch_size"] = json!(images.clamp(1, u64::from(KERAS_BATCH_SIZE)));
    }
    Ok(whole)
}

/// `given` at `path` with what it leaves out taken from `default`.
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
            Err(InvalidField::told(name, value, "a JSON object", message))
        }
    }
}

/// A dataset with the height and the width that its `side` stands for.
fn with_both_sides(mut dataset: Map<String, Value>) -> Result<Map<String, Value>, InvalidField> {
    let Some(side) = dataset.shift_remove("side") else { return Ok(dataset) };
    let side = number(SIDE.path, side, true, &SIDE)?;
    for name in SIDES {
        match dataset.get(name) {
            None => _ = dataset.insert(name.into(), side.clone()),
            Some(given) if given.as_f64() == side.as_f64() => {}
            Some(given) => {
                let given = shown(&given.to_string());
                let allowed = format!("the image's {name}, {given}, or absent");
                return Err(InvalidField::new(SIDE.path, SIDE.label, side.to_string(), allowed));
            }
        }
    }
    Ok(dataset)
}

/// One of a field's kinds: by its name alone, or with some of its fields.
fn choice(path: &str, field: &Field, given: Value, default: &Value) -> Result<Value, InvalidField> {
    let kinds = field.choices();
    // A layer's activation may be none, but not that of an activation layer.
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

/// The fields of an object that are given, and the defaults of the others, in the defaults' order.
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
            Err(InvalidField::told(shown(&below(&name)), value.to_string(), allowed, message))
        }
    }
}

/// A number that the field's type can hold, whatever its range. Whole numbers may be written as 500.0.
fn number(path: &str, given: Value, whole: bool, field: &Field) -> Result<Value, InvalidField> {
    match given.as_f64() {
        // JSON has no NaN; null stands where a number that is none was written.
        None => Err(field.invalid(path, given.to_string())),
        Some(_) if !whole => Ok(given),
        Some(number) => {
            as_whole(number).map(Value::from).ok_or_else(|| field.invalid(path, given.to_string()))
        }
    }
}

/// The whole number that a field holds for `number`, where the field's type can hold it.
pub(super) fn as_whole(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number))
        .then_some(number as u32)
}

/// Where `path` points in a JSON value: `network.layers[0].units` is `/network/layers/0/units`.
pub(super) fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"))
}

/// Calls `on_leaf` with the path of every value that is no object or list.
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
