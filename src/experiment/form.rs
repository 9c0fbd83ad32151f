//! Every field of an experiment as a form shows it: label, control and current value.

use serde::Serialize;
use serde_json::Value;
use tsify::Tsify;

use super::fields::{FieldGroup, FieldKind};
use super::{Experiment, Field, number_text};

/// Fields that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct FormGroup {
    #[tsify(type = "string")]
    pub title: &'static str,
    pub fields: Vec<FormField>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct FormField {
    /// The path of the field, which [`Experiment::set`] takes.
    pub field: String,
    #[tsify(type = "string")]
    pub label: &'static str,
    /// Keras' name of the field, shown beside the label.
    #[tsify(type = "string | null")]
    pub keras: Option<&'static str>,
    /// The unit of the field's numbers, where the label does not say it.
    #[tsify(type = "string | null")]
    pub unit: Option<&'static str>,
    pub control: FormControl,
    /// The field's value, as a person would enter it.
    pub value: String,
}

/// The control by which a field is edited.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FormControl {
    Number {},
    Flag {},
    /// A list to choose from.
    Choice {
        options: Vec<FormOption>,
    },
    /// A list in JSON, on one line.
    Line {},
    /// A list in JSON, one entry per line.
    Lines {},
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct FormOption {
    #[tsify(type = "string")]
    pub id: &'static str,
    #[tsify(type = "string")]
    pub name: &'static str,
}

impl FormOption {
    /// The kinds of a field.
    pub fn of(field: &Field) -> Vec<Self> {
        let options = field.choices().into_iter();
        options.map(|choice| Self { id: choice.id, name: choice.name }).collect()
    }
}

impl Experiment {
    /// Every field that the page has no other control for, in groups.
    pub fn form(&self) -> Vec<FormGroup> {
        let mut groups = FieldGroup::OF_FORM.map(|group| (group, Vec::new()));
        let mut add = |field: &'static Field, form_field: FormField| {
            let group = groups.iter_mut().find(|(group, _)| *group == field.group);
            if let Some((_, fields)) = group {
                fields.push(form_field);
            }
        };
        walk("", &self.to_value(), &mut add);
        groups.map(|(group, fields)| FormGroup { title: group.title(), fields }).into()
    }
}

/// Calls `add` with every field at and below `path`, in the order of the experiment.
fn walk(path: &str, value: &Value, add: &mut impl FnMut(&'static Field, FormField)) {
    let field = Field::of(path);
    let mut put = |field: &'static Field, control, value| {
        let Field { label, keras, unit, .. } = *field;
        add(field, FormField { field: path.into(), label, keras, unit, control, value });
    };
    match (field.map(|field| (field, field.kind)), value) {
        (Some((field, FieldKind::Layers)), Value::Array(layers)) => {
            put(field, FormControl::Lines {}, lines(layers));
        }
        (Some((field, FieldKind::Numbers)), value) => {
            put(field, FormControl::Line {}, value.to_string());
        }
        (Some((field, FieldKind::Flag)), value) => {
            put(field, FormControl::Flag {}, value.to_string());
        }
        (Some((field, FieldKind::Number(_))), value) => {
            // In JSON, null stands for NaN and infinity.
            put(field, FormControl::Number {}, value.as_f64().map_or("NaN".into(), number_text));
        }
        (Some((field, FieldKind::Choice(_))), value) => {
            let id = field.chosen(value).map_or(value.to_string(), |choice| choice.id.into());
            put(field, FormControl::Choice { options: FormOption::of(field) }, id);
        }
        _ => {}
    }
    if let Value::Object(fields) = value {
        for (name, inner) in fields.iter().filter(|(name, _)| *name != "type") {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            walk(&below, inner, add);
        }
    }
}

/// A list of layers in JSON, one layer per line, with spaces where lines may break. A layer's kernel initializer is left out where
/// the network's applies.
fn lines(layers: &[Value]) -> String {
    let line = |layer: &Value| {
        let mut layer = layer.clone();
        if let Some(fields) = layer.as_object_mut() {
            fields.retain(|name, value| name != "kernel_initializer" || !value.is_null());
        }
        format!("  {}", layer.to_string().replace(",\"", ", \"").replace("\":", "\": "))
    };
    let lines: Vec<_> = layers.iter().map(line).collect();
    format!("[\n{}\n]", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;
    use crate::experiment::fields;

    #[wasm_bindgen_test(unsupported = test)]
    fn every_kind_can_be_chosen_and_shows_its_fields() {
        for field in fields().filter(|field| !field.path.contains("[]")) {
            for kind in field.choices() {
                let mut changed = Experiment::default();
                changed.set("dataset.pixels", "stripes").unwrap();
                changed.set("dataset.validation_images", "4").unwrap();
                changed.set(field.path, kind.id).unwrap_or_else(|problem| panic!("{problem}"));
                assert_eq!(changed.validate(), Ok(()), "{} {}", field.path, kind.id);
                let shown: Vec<_> =
                    changed.form().into_iter().flat_map(|group| group.fields).collect();
                let fields = kind.value.as_object().into_iter().flatten();
                for (name, _) in fields.filter(|(name, _)| *name != "type") {
                    let path = format!("{}.{name}", field.path);
                    assert!(shown.iter().any(|field| field.field == path), "{path}");
                }
            }
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn every_field_of_an_experiment_has_a_row_in_the_table() {
        let mut missing = Vec::new();
        let mut experiments = vec![Experiment::default()];
        for field in fields().filter(|field| !field.path.contains("[]")) {
            for kind in field.choices() {
                let mut changed = Experiment::default();
                changed.set(field.path, kind.id).unwrap();
                experiments.push(changed);
            }
        }
        for kind in Field::of("network.layers[]").unwrap().choices() {
            let mut changed = Experiment::default();
            changed.set("network.layers", &format!("[{}]", kind.value)).unwrap();
            experiments.push(changed);
        }
        for experiment in experiments {
            super::super::json::visit(&experiment.to_value(), &mut |path, _| {
                if Field::of(path).is_none() && !path.ends_with("type") {
                    missing.push(path.to_string());
                }
            });
        }
        assert_eq!(missing, [""; 0]);
    }
}
