//! An experiment from JSON and back, and paths into it.

use serde_json::Value;

use super::{Experiment, FieldLimit, InvalidField};

impl Experiment {
    /// Reads an experiment from JSON. Unknown, missing or mistyped fields and broken JSON are named in the error;
    /// ranges are [`Experiment::validate`]'s.
    pub fn from_json(text: &str) -> Result<Self, InvalidField> {
        let value = serde_json::from_str(text).map_err(|error| InvalidField {
            field: "experiment".into(),
            value: "this text".into(),
            allowed: "a JSON object".into(),
            message: format!("Experiment: this text is not JSON ({error}); it must be a JSON object with the fields dataset, network, training and seed."),
        })?;
        Self::from_value(value)
    }

    /// The same from a JSON value; an error names the path, the value and what belongs there.
    pub fn from_value(value: Value) -> Result<Self, InvalidField> {
        // serde loses the path inside a tagged enum, such as a layer: so numbers are looked at first.
        let mut mistyped = None;
        visit(&value, &mut |path, leaf| {
            if let (Some(limit), None) = (FieldLimit::of(path), &mistyped) {
                let whole = leaf.as_u64().is_some_and(|number| number <= u64::from(u32::MAX));
                if !leaf.is_number() || limit.whole && !whole {
                    mistyped = Some(limit.invalid(path, leaf.to_string()));
                }
            }
        });
        if let Some(problem) = mistyped {
            return Err(problem);
        }
        let given = value.clone();
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "experiment" } else { &path };
            let reason = error.inner().to_string();
            InvalidField {
                field: field.into(),
                value: given.pointer(&pointer(&path)).map_or("nothing".into(), Value::to_string),
                allowed: reason.split_once("expected ").map_or("", |(_, expected)| expected).into(),
                message: format!("{field}: {}.", reason.trim_end_matches('.')),
            }
        })
    }

    /// The experiment as indented JSON, every field.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("an experiment is plain data")
    }
}

/// Where `path` points in a JSON value: `network.layers[0].units` is `/network/layers/0/units`.
pub(crate) fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"))
}

/// Calls `on_leaf` with the path of every value that is no object or list.
pub(crate) fn visit(value: &Value, on_leaf: &mut impl FnMut(&str, &Value)) {
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
