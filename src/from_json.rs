//! Records read from JSON. The derive of the same name writes [`FromJson`] for a record; here are the plain values that records are
//! made of.

pub use overfit_lab_derive::FromJson;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value};

/// A type that can be read from JSON.
pub trait FromJson: Sized {
    /// The value that `value` holds; `None` where it has another form, an unknown field, or too large a number.
    fn read(value: &Value) -> Option<Self>;
}

/// [`FromJson`] as serde's `Deserialize`. `name` is the type's name, for the error.
pub fn deserialize<'de, T: FromJson, D: Deserializer<'de>>(
    source: D,
    name: &str,
) -> Result<T, D::Error> {
    let value = Value::deserialize(source)?;
    T::read(&value).ok_or_else(|| D::Error::custom(format!("{value} is no {name}")))
}

/// The fields of a JSON object while a record reads them.
pub struct Fields<'a> {
    fields: &'a Map<String, Value>,
    read: usize,
}

impl<'a> Fields<'a> {
    pub fn of(value: &'a Value) -> Option<Self> {
        Some(Self { fields: value.as_object()?, read: 0 })
    }

    fn next(&mut self, name: &str) -> Option<&'a Value> {
        let value = self.fields.get(name)?;
        self.read += 1;
        Some(value)
    }

    /// The name of the object's kind.
    pub fn tag(&mut self, name: &str) -> Option<&'a str> {
        self.next(name)?.as_str()
    }

    pub fn read<T: FromJson>(&mut self, name: &str) -> Option<T> {
        T::read(self.next(name)?)
    }

    /// The field, or its type's default where the object lacks it.
    pub fn read_or_default<T: FromJson + Default>(&mut self, name: &str) -> Option<T> {
        self.next(name).map_or_else(|| Some(T::default()), T::read)
    }

    /// Whether the object has no field besides those that were read.
    pub fn are_all_read(&self) -> bool {
        self.read == self.fields.len()
    }
}

impl FromJson for f64 {
    fn read(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

impl FromJson for u32 {
    fn read(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl FromJson for bool {
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FromJson for String {
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(Self::from)
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn read(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::read(value).map(Some) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wasm_bindgen_test::*;

    use super::*;
    use crate::experiment::LayerConfig;
    use crate::presets;

    #[wasm_bindgen_test(unsupported = test)]
    fn every_preset_is_read_as_it_is_written() {
        for preset in presets::presets() {
            let value = preset.experiment.to_value();
            assert_eq!(FromJson::read(&value), Some(preset.experiment), "{}", preset.id);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_record_of_another_form_is_not_read() {
        let pool = json!({ "type": "max_pool", "pool": 2, "strides": 2, "padding": "valid" });
        assert_eq!(FromJson::read(&pool), Some(LayerConfig::max_pool(2)));
        let others = [
            ("type", json!("maxpool")),
            ("type", json!(null)),
            ("pool", json!(-2)),
            ("pool", json!(2.5)),
            ("pool", json!(1_u64 << 32)),
            ("padding", json!("Valid")),
            ("stride", json!(2)),
        ];
        for (name, value) in others {
            let mut other = pool.clone();
            other[name] = value;
            assert_eq!(LayerConfig::read(&other), None, "{other}");
        }
        for lacking in ["type", "pool"] {
            let mut other = pool.clone();
            other.as_object_mut().unwrap().remove(lacking);
            assert_eq!(LayerConfig::read(&other), None, "{other}");
        }
        let error = serde_json::from_value::<LayerConfig>(json!(1)).unwrap_err();
        assert_eq!(error.to_string(), "1 is no LayerConfig");
    }
}
