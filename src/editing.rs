//! Changes one field of an experiment by its path: `training.learning_rate=0.01`.

use serde::Serialize;
use serde_json::Value;
use tsify::Tsify;

use crate::experiment::{Experiment, FieldLimit, InvalidField, LayerConfig, label_of, pointer};
use crate::presets;

/// Fields that stand for the same field of every layer of a kind.
const CONV_BIAS: &str = "network.conv_bias";
const DENSE_BIAS: &str = "network.dense_bias";

/// An experiment after a change, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Edited {
    pub experiment: Experiment,
    pub problems: Vec<InvalidField>,
}

impl Experiment {
    /// The experiment with the field at `path` set to what `text` says. A value that the field cannot hold leaves it as
    /// it was, and stands among the problems.
    pub fn edited(&self, path: &str, text: &str) -> Edited {
        let mut experiment = self.clone();
        let refused = experiment.set(path, text).err();
        let invalid = experiment.validate().err().unwrap_or_default();
        Edited { experiment, problems: refused.into_iter().chain(invalid).collect() }
    }

    /// Sets the field at `path` to what `text` says. The value is only required to be one that the field can hold;
    /// ranges are [`Experiment::validate`]'s. On an error nothing is changed.
    ///
    /// A field with kinds takes the id or the name of one of [`presets::choices`]; `network.conv_bias` and
    /// `network.dense_bias` set the biases of all such layers. Objects and lists are written as JSON.
    pub fn set(&mut self, path: &str, text: &str) -> Result<(), InvalidField> {
        let text = text.trim();
        match path {
            CONV_BIAS => self.set_biases(path, "Convolution biases", text, |layer| match layer {
                LayerConfig::Conv2d { use_bias, .. } => Some(use_bias),
                _ => None,
            }),
            DENSE_BIAS => self.set_biases(path, "Dense bias", text, |layer| match layer {
                LayerConfig::Dense { use_bias, .. } => Some(use_bias),
                _ => None,
            }),
            _ if !text.starts_with('{') && !presets::choices(path).is_empty() => {
                let chosen = presets::choice(path, text).ok_or_else(|| {
                    let ids: Vec<_> = presets::choices(path).into_iter().map(|c| c.id).collect();
                    let label = label_of(path).expect("every field with kinds has a label");
                    InvalidField::new(
                        path,
                        label,
                        shown(text),
                        format!("one of {}", ids.join(", ")),
                    )
                })?;
                self.replace(path, chosen)
            }
            _ => self.set_value(path, text),
        }
    }

    /// Whether all convolutions have biases; `None` where some have and some have not, or where there are none.
    pub fn conv_bias(&self) -> Option<bool> {
        self.common_bias(|layer| match layer {
            LayerConfig::Conv2d { use_bias, .. } => Some(*use_bias),
            _ => None,
        })
    }

    /// The same of dense layers.
    pub fn dense_bias(&self) -> Option<bool> {
        self.common_bias(|layer| match layer {
            LayerConfig::Dense { use_bias, .. } => Some(*use_bias),
            _ => None,
        })
    }

    fn common_bias(&self, bias_of: impl Fn(&LayerConfig) -> Option<bool>) -> Option<bool> {
        let mut biases = self.network.layers.iter().filter_map(bias_of);
        let first = biases.next()?;
        biases.all(|bias| bias == first).then_some(first)
    }

    fn set_biases(
        &mut self,
        path: &str,
        label: &str,
        text: &str,
        bias_of: impl Fn(&mut LayerConfig) -> Option<&mut bool>,
    ) -> Result<(), InvalidField> {
        let on = parse_bool(text)
            .ok_or_else(|| InvalidField::new(path, label, shown(text), "true or false"))?;
        let mut found = false;
        for bias in self.network.layers.iter_mut().filter_map(bias_of) {
            *bias = on;
            found = true;
        }
        if found {
            Ok(())
        } else {
            Err(InvalidField::new(
                path,
                label,
                shown(text),
                "left alone: the network has no such layer",
            ))
        }
    }

    fn replace(&mut self, path: &str, value: Value) -> Result<(), InvalidField> {
        let mut whole = serde_json::to_value(&*self).expect("an experiment is plain data");
        *whole.pointer_mut(&pointer(path)).expect("a field of every experiment") = value;
        *self = Self::from_value(whole)?;
        Ok(())
    }

    fn set_value(&mut self, path: &str, text: &str) -> Result<(), InvalidField> {
        let mut whole = serde_json::to_value(&*self).expect("an experiment is plain data");
        let Some(place) = whole.pointer_mut(&pointer(path)) else {
            return Err(InvalidField {
                field: path.into(),
                value: shown(text),
                allowed: field_names(self),
                message: format!(
                    "{path} is not a field of this experiment; the fields are {}.",
                    field_names(self)
                ),
            });
        };
        *place = match place {
            // A field that holds null now holds NaN or no activation.
            Value::Number(_) | Value::Null if FieldLimit::of(path).is_some() => number(path, text)?,
            Value::Bool(_) => Value::Bool(parse_bool(text).ok_or_else(|| {
                InvalidField::new(path, last_name(path), shown(text), "true or false")
            })?),
            Value::Object(_) | Value::Array(_) => serde_json::from_str(text).map_err(|error| {
                InvalidField::new(path, last_name(path), shown(text), format!("JSON ({error})"))
            })?,
            _ if matches!(text, "none" | "null") => Value::Null,
            _ => Value::String(text.into()),
        };
        *self = Self::from_value(whole)?;
        Ok(())
    }
}

/// A finite number that the field's type can hold, whatever its range.
fn number(path: &str, text: &str) -> Result<Value, InvalidField> {
    let limit = FieldLimit::of(path).expect("asked before");
    let invalid = || limit.invalid(path, shown(text));
    let value: f64 = text.parse().map_err(|_| invalid())?;
    if !value.is_finite() {
        return Err(invalid());
    }
    if !limit.whole {
        return Ok(Value::from(value));
    }
    if value.fract() != 0.0 || value < 0.0 || value > f64::from(u32::MAX) {
        return Err(invalid());
    }
    Ok(Value::from(value as u32))
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// What was typed, so that nothing typed is visible too.
fn shown(text: &str) -> String {
    if text.is_empty() { "an empty value".into() } else { text.into() }
}

fn last_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Every path that `set` takes, for the error that names them.
fn field_names(experiment: &Experiment) -> String {
    let mut names = vec![CONV_BIAS.to_string(), DENSE_BIAS.to_string()];
    let value = serde_json::to_value(experiment).expect("an experiment is plain data");
    for (name, inner) in value.as_object().expect("a struct") {
        match inner {
            Value::Object(fields) => {
                names.extend(fields.keys().map(|field| format!("{name}.{field}")))
            }
            _ => names.push(name.clone()),
        }
    }
    names.sort();
    names.join(", ")
}
