//! Every field of an experiment as a form shows it: what it is called, how it is entered, and what stands in it.

use serde::Serialize;
use serde_json::Value;
use tsify::Tsify;

use crate::experiment::{Experiment, FieldLimit, label_of, number_text};
use crate::presets;

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
    /// Its path: what [`Experiment::set`] takes.
    pub field: String,
    #[tsify(type = "string")]
    pub label: &'static str,
    pub control: FormControl,
    /// What stands in it, as a person would enter it.
    pub value: String,
}

/// How a field is entered.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FormControl {
    Number {},
    Flag {},
    /// One of these.
    Choice {
        options: Vec<FormOption>,
    },
    /// A list in JSON, on one line.
    Line {},
    /// A list in JSON, an entry a line.
    Lines {},
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct FormOption {
    pub id: String,
    #[tsify(type = "string")]
    pub name: &'static str,
}

/// Where the fields of a path stand. Those of the learning rate, the batch size, the optimizer's kind, epochs and seed are not
/// among them: the page has controls for these.
const GROUPS: &[(&str, &[&str])] = &[
    ("Data", &["dataset"]),
    ("Network", &["network"]),
    (
        "Loss and optimizer",
        &["training.loss", "training.optimizer", "training.schedule", "training.clipping"],
    ),
    ("Early stopping", &["training.early_stopping"]),
    ("Augmentation", &["training.augmentation"]),
    ("Mistakes in the loop", &["training.loop"]),
];

/// Every field, in groups.
pub fn form(experiment: &Experiment) -> Vec<FormGroup> {
    let whole = serde_json::to_value(experiment).expect("an experiment is plain data");
    let group = |&(title, paths): &(&'static str, &[&str])| {
        let mut fields = Vec::new();
        for path in paths {
            let value = &whole.pointer(&crate::experiment::pointer(path)).expect("a field");
            add(path, value, &mut fields);
        }
        FormGroup { title, fields }
    };
    GROUPS.iter().map(group).collect()
}

fn add(path: &str, value: &Value, fields: &mut Vec<FormField>) {
    let label = label_of(path);
    let mut field = |control, value| {
        let label = label.expect("every field has a label");
        fields.push(FormField { field: path.into(), label, control, value });
    };
    match value {
        Value::Object(inner) => {
            if let (Some(id), true) = (presets::chosen(path, value), path != "training.optimizer") {
                field(choice(path), id);
            }
            for (name, inner) in inner.iter().filter(|(name, _)| *name != "type") {
                add(&format!("{path}.{name}"), inner, fields);
            }
        }
        Value::Array(entries) if entries.iter().any(Value::is_object) => {
            // Spaces where lines may be broken.
            let spaced =
                |entry: &Value| entry.to_string().replace(",\"", ", \"").replace("\":", "\": ");
            let lines: Vec<_> =
                entries.iter().map(|entry| format!("  {}", spaced(entry))).collect();
            field(FormControl::Lines {}, format!("[\n{}\n]", lines.join(",\n")));
        }
        Value::Array(_) => field(FormControl::Line {}, value.to_string()),
        Value::Bool(on) => field(FormControl::Flag {}, on.to_string()),
        Value::String(text) => field(choice(path), text.clone()),
        Value::Number(number) => {
            let text = number.as_f64().map_or(number.to_string(), number_text);
            field(FormControl::Number {}, text);
        }
        // JSON's word for a number that is none.
        Value::Null if FieldLimit::of(path).is_some() => {
            field(FormControl::Number {}, "NaN".into())
        }
        Value::Null => {}
    }
}

fn choice(path: &str) -> FormControl {
    let options = presets::choices(path).into_iter();
    let options = options.map(|choice| FormOption { id: choice.id, name: choice.name }).collect();
    FormControl::Choice { options }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    #[wasm_bindgen_test(unsupported = test)]
    fn every_field_of_every_preset_can_be_entered_as_it_stands() {
        for preset in presets::presets() {
            let mut copy = preset.experiment.clone();
            for field in form(&preset.experiment).into_iter().flat_map(|group| group.fields) {
                copy.set(&field.field, &field.value)
                    .unwrap_or_else(|problem| panic!("{}: {problem}", preset.id));
            }
            assert_eq!(copy, preset.experiment, "{}", preset.id);
        }
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn every_kind_can_be_chosen_and_shows_its_fields() {
        let base = presets::preset("example-1").unwrap().experiment;
        for path in presets::FIELDS_WITH_KINDS {
            let kinds = presets::choices(path);
            assert!(kinds.len() > 1, "{path}");
            for kind in kinds {
                let mut changed = base.clone();
                changed.set("dataset.pixels", "stripes").unwrap();
                changed.set("dataset.validation_images", "4").unwrap();
                changed.set(path, &kind.id).unwrap_or_else(|problem| panic!("{problem}"));
                assert_eq!(changed.validate(), Ok(()), "{path} {}", kind.id);
                form(&changed);
            }
        }
    }
}
