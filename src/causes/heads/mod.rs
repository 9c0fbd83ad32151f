//! Heads and losses that do not fit each other.

mod causes;
mod ending;
mod signs;

pub(super) use causes::CAUSES;
pub(super) use signs::signs;

const LOSS: &str = "training.loss";
const FROM_LOGITS: &str = "training.loss.from_logits";
const SPARSE: &str = "sparse_categorical_crossentropy";

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use crate::causes::{Warning, warnings};
    use crate::experiment::Experiment;
    use crate::presets;

    /// The warnings of Example 1 with another head and loss.
    fn warned(head: &str, loss: &str) -> Vec<Warning> {
        warned_of(head, loss, "2", "0")
    }

    /// The same with these classes and this first label.
    fn warned_of(head: &str, loss: &str, classes: &str, first_label: &str) -> Vec<Warning> {
        warnings(&experiment_of(head, loss, classes, first_label))
    }

    fn experiment_of(head: &str, loss: &str, classes: &str, first_label: &str) -> Experiment {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        experiment.set("dataset.classes", classes).unwrap();
        experiment.set("dataset.first_label", first_label).unwrap();
        let layers = format!(r#"[{{"type":"flatten"}},{head}]"#);
        experiment.set("network.layers", &layers).unwrap();
        experiment.set("training.loss", loss).unwrap();
        assert_eq!(experiment.validate(), Ok(()), "{head} {loss}");
        experiment
    }

    fn dense(units: u32, activation: &str) -> String {
        format!(r#"{{"type":"dense","units":{units},"use_bias":true,"activation":{activation}}}"#)
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn heads_and_losses_that_do_not_belong_together() {
        let softmax = dense(2, r#""softmax""#);
        let twice = format!(r#"{softmax},{{"type":"activation","activation":"softmax"}}"#);
        let hidden = format!(r#"{softmax},{{"type":"reshape"}}"#);
        let sparse = r#"{"type":"sparse_categorical_crossentropy","from_logits":false}"#;
        let logits = r#"{"type":"sparse_categorical_crossentropy","from_logits":true}"#;
        let one_hot =
            r#"{"type":"categorical_crossentropy","from_logits":false,"label_smoothing":0}"#;
        let binary = r#"{"type":"binary_crossentropy","from_logits":false,"label_smoothing":0}"#;
        let torch = r#"{"type":"torch_cross_entropy","label_smoothing":0}"#;
        let squared = r#"{"type":"mean_squared_error"}"#;
        let focal = r#"{"type":"categorical_focal_crossentropy"}"#;
        let focal_logits = r#"{"type":"categorical_focal_crossentropy","from_logits":true}"#;
        let binary_logits = r#"{"type":"binary_crossentropy","from_logits":true}"#;
        let binary_focal = r#"{"type":"binary_focal_crossentropy"}"#;
        let binary_focal_logits = r#"{"type":"binary_focal_crossentropy","from_logits":true}"#;
        let sigmoid = dense(1, r#""sigmoid""#);
        let sigmoid_hidden = format!(r#"{sigmoid},{{"type":"reshape"}}"#);
        let pooled = r#"{"type":"dense","units":1},{"type":"reshape"}"#;
        let rows: &[(&str, &str, &[&str])] = &[
            (&softmax, sparse, &[]),
            (&softmax, one_hot, &[]),
            (&softmax, squared, &[]),
            (&dense(2, "null"), logits, &[]),
            (&dense(2, "null"), torch, &[]),
            (&dense(1, r#""sigmoid""#), binary, &[]),
            (&softmax, logits, &["from-logits-changes-nothing"]),
            (&twice, sparse, &["softmax-twice"]),
            (&softmax, torch, &["softmax-twice"]),
            (&hidden, logits, &["softmax-twice"]),
            (&hidden, sparse, &["logits-lost"]),
            (&dense(2, "null"), sparse, &["outputs-clipped"]),
            (&dense(1, "null"), binary, &["outputs-clipped"]),
            (&dense(2, r#""relu""#), sparse, &["outputs-clipped", "relu-at-the-end"]),
            (&dense(2, r#""sigmoid""#), sparse, &["sigmoid-per-class"]),
            (&dense(1, r#""softmax""#), binary, &["one-softmax-unit"]),
            (&dense(1, r#""softmax""#), one_hot, &["one-softmax-unit", "one-unit-categorical"]),
            (&softmax, binary, &["binary-of-several"]),
            // Keras' focal losses do not look past a head, so `from_logits` takes effect.
            (&softmax, focal, &[]),
            (&dense(2, "null"), focal_logits, &[]),
            (&softmax, focal_logits, &["softmax-twice"]),
            (&twice, focal, &["softmax-twice"]),
            (&hidden, focal, &[]),
            (&dense(2, "null"), focal, &["outputs-clipped"]),
            (&dense(2, r#""sigmoid""#), focal, &["sigmoid-per-class"]),
            (&dense(1, r#""softmax""#), focal, &["one-softmax-unit", "one-unit-categorical"]),
            (&sigmoid, binary_focal, &[]),
            (&dense(1, "null"), binary_focal_logits, &["accuracy-of-logits"]),
            (&sigmoid, binary_focal_logits, &["sigmoid-twice"]),
            (&sigmoid_hidden, binary_logits, &["sigmoid-twice"]),
            (&dense(1, "null"), binary_focal, &["outputs-clipped"]),
            (&dense(2, r#""relu""#), logits, &["relu-at-the-end"]),
            (pooled, binary_logits, &["accuracy-of-logits"]),
        ];
        for (head, loss, expected) in rows {
            let found = warned(head, loss);
            let codes: Vec<_> = found.iter().map(|warning| warning.code).collect();
            assert_eq!(codes, *expected, "{head} {loss}");
            for warning in found {
                let mut cured = experiment_of(head, loss, "2", "0");
                for setting in &warning.cure {
                    cured.apply(setting).unwrap();
                }
                assert_eq!(cured.validate(), Ok(()), "{head} {loss}: {warning:?}");
                let is_left = warnings(&cured).iter().any(|left| left.code == warning.code);
                assert!(!is_left, "{head} {loss}: {warning:?}");
            }
        }
    }

    /// A head without an activation field gets a warning without a cure, and no panic.
    #[wasm_bindgen_test(unsupported = test)]
    fn a_head_without_an_activation_has_a_warning_alone() {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        let layers = r#"[{"type":"conv2d","filters":1},{"type":"global_max_pool"}]"#;
        experiment.set("network.layers", layers).unwrap();
        experiment.set("training.loss", "categorical_crossentropy").unwrap();
        let found = warnings(&experiment);
        let told: Vec<_> = found.iter().map(|found| (found.code, found.cure.len())).collect();
        assert_eq!(told, [("one-unit-categorical", 0), ("outputs-clipped", 1)]);
    }

    /// Any number of units that a framework accepts can be trained; the warning describes the effect.
    #[wasm_bindgen_test(unsupported = test)]
    fn units_that_do_not_match_the_labels() {
        let linear = dense(1, "null");
        let rows: &[(&str, &str, &str, &str, &[&str])] = &[
            (
                &dense(1, r#""sigmoid""#),
                "binary_crossentropy",
                "10",
                "0",
                &["0 to 9, and answers only 0 or 1. Binary cross-entropy", "Use 10 softmax units"],
            ),
            (
                &dense(1, r#""sigmoid""#),
                "binary_crossentropy",
                "2",
                "1",
                &["1 to 2, and answers only 0 or 1. Binary", "Number the classes from 0."],
            ),
            (&linear, "mean_squared_error", "10", "0", &["only 0 or 1. Use 10 softmax units"]),
            (
                &dense(12, r#""softmax""#),
                "sparse_categorical_crossentropy",
                "10",
                "0",
                &["12 units for 10 classes. That is harmless: no label belongs to 2 of them"],
            ),
            (
                &dense(11, r#""softmax""#),
                "sparse_categorical_crossentropy",
                "10",
                "1",
                &["11 units for 10 classes. That is harmless: no label belongs to 1 of them"],
            ),
            (&dense(10, r#""softmax""#), "categorical_crossentropy", "10", "0", &[]),
        ];
        for (head, loss, classes, first_label, expected) in rows {
            let found = warned_of(head, loss, classes, first_label);
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{head} {loss}: {found:?}");
            for words in *expected {
                assert!(found[0].message.contains(words), "{head} {loss}: {found:?}");
            }
        }
    }
}
