//! An experiment that cannot be trained is refused before any work, with an error that names the field, the value and its range.

use overfit_lab::experiment::{
    Experiment, InvalidField, LayerConfig, MEMORY_LIMIT_BYTES, Pixels, estimate_memory_bytes,
    layer_shapes,
};
use overfit_lab::presets;
use overfit_lab::training::TrainingSession;
use wasm_bindgen_test::*;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn example_1() -> Experiment {
    presets::preset("example-1").unwrap().experiment
}

/// The first problem of an experiment, with which `validate` and a training session both refuse it.
fn refusal(experiment: &Experiment) -> InvalidField {
    let problems = experiment.validate().expect_err("refused");
    let refused = TrainingSession::new(experiment.clone(), "flex").err().expect("refused, too");
    assert_eq!(problems[0], refused);
    refused
}

/// Checks a problem's field, its shown value and words of its allowed range; the message must contain value and range.
fn check(problem: &InvalidField, field: &str, value: &str, allowed: &str) {
    assert_eq!(problem.field, field, "{problem:?}");
    assert_eq!(problem.value, value, "{problem:?}");
    assert!(problem.allowed.contains(allowed), "{problem:?}");
    assert!(problem.message.contains(value) && problem.message.contains(allowed), "{problem:?}");
}

#[wasm_bindgen_test(unsupported = test)]
fn numbers_out_of_range() {
    let rate = "a number from 1e-8 to 1000";
    type Change = fn(&mut Experiment);
    let rows: &[(Change, &str, &str, &str)] = &[
        (|e| e.training.learning_rate = 0.0, "training.learning_rate", "0", rate),
        (|e| e.training.learning_rate = -0.1, "training.learning_rate", "-0.1", rate),
        (|e| e.training.learning_rate = f64::NAN, "training.learning_rate", "NaN", rate),
        (|e| e.training.learning_rate = f64::INFINITY, "training.learning_rate", "infinity", rate),
        (
            |e| e.training.learning_rate = f64::NEG_INFINITY,
            "training.learning_rate",
            "-infinity",
            rate,
        ),
        (|e| e.training.learning_rate = 1e9, "training.learning_rate", "1000000000", rate),
        (|e| e.training.batch_size = 0, "training.batch_size", "0", "from 1 to 20"),
        (|e| e.training.batch_size = 21, "training.batch_size", "21", "from 1 to 20"),
        (
            |e| e.training.batch_size = 1_000_000_000,
            "training.batch_size",
            "1000000000",
            "from 1 to 20",
        ),
        (|e| e.training.epochs = 0, "training.epochs", "0", "from 1 to 100000"),
        (|e| e.training.epochs = 1_000_000, "training.epochs", "1000000", "from 1 to 100000"),
        (|e| e.dataset.images = 0, "dataset.images", "0", "from 1 to 2000"),
        (|e| e.dataset.images = u32::MAX, "dataset.images", "4294967295", "from 1 to 2000"),
        (|e| e.dataset.classes = 0, "dataset.classes", "0", "from 2 to 100"),
        (|e| e.dataset.classes = 1, "dataset.classes", "1", "from 2 to 100"),
        (|e| e.dataset.height = 0, "dataset.height", "0", "from 1 to 1024"),
        (|e| e.dataset.width = 1025, "dataset.width", "1025", "from 1 to 1024"),
        (
            |e| (e.dataset.height, e.dataset.width) = (1024, 65),
            "dataset.width",
            "65",
            "from 1 to 64 at a height of 1024, because an image has at most 65536 pixels",
        ),
        (
            |e| (e.dataset.width, e.dataset.pixels) = (2, Pixels::Stripes),
            "dataset.pixels",
            "stripes",
            "64 × 2 pixels have no room for a pattern, which needs 3 × 3",
        ),
        (
            |e| (e.dataset.height, e.dataset.pixels) = (2, Pixels::Patterned),
            "dataset.pixels",
            "patterned",
            "uniform, normal or constant",
        ),
        (|e| e.dataset.channels = 0, "dataset.channels", "0", "from 1 to 4"),
    ];
    for (change, field, value, allowed) in rows {
        let mut experiment = example_1();
        change(&mut experiment);
        check(&refusal(&experiment), field, value, allowed);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn every_problem_is_told_at_once() {
    let mut experiment = example_1();
    experiment.training.learning_rate = 0.0;
    experiment.training.batch_size = 0;
    experiment.training.epochs = 0;
    experiment.dataset.classes = 1;
    let problems = experiment.validate().unwrap_err();
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        ["dataset.classes", "training.learning_rate", "training.batch_size", "training.epochs"]
    );
}

/// Sets fields as the program's `--set` and the page's controls do.
#[wasm_bindgen_test(unsupported = test)]
fn fields_that_are_set() {
    let optimizers = "adam, sgd, sgd-momentum, sgd-nesterov, rmsprop, adamw, nadam, adagrad, lion";
    let rows = [
        ("training.learning_rate", "abc", "abc", "a number from 1e-8 to 1000"),
        ("training.learning_rate", "", "an empty value", "a number from 1e-8 to 1000"),
        ("training.learning_rate", "NaN", "NaN", "a number from 1e-8 to 1000"),
        ("training.learning_rate", "inf", "inf", "a number from 1e-8 to 1000"),
        ("training.batch_size", "2.5", "2.5", "a whole number from 1 to 2000"),
        ("training.batch_size", "-1", "-1", "a whole number from 1 to 2000"),
        ("training.epochs", "1e12", "1e12", "a whole number from 1 to 100000"),
        ("seed", "-1", "-1", "a whole number from 0 to 4294967295"),
        ("seed", "4294967296", "4294967296", "a whole number from 0 to 4294967295"),
        ("training.optimizer", "adamant", "adamant", optimizers),
        ("training.optimizer.beta_1", "x", "x", "a number from 0 to below 1"),
        ("dataset.side", "wide", "wide", "a whole number from 1 to 256"),
        ("dataset.height", "2.5", "2.5", "a whole number from 1 to 1024"),
        ("network.conv_bias", "maybe", "maybe", "true or false"),
        ("network.dense_bias", "2", "2", "true or false"),
        ("network.layers[0].filters", "many", "many", "a whole number from 1 to 1024"),
        ("network.layers[0].use_bias", "maybe", "maybe", "true or false"),
    ];
    for (field, text, value, allowed) in rows {
        let mut experiment = example_1();
        check(&experiment.set(field, text).unwrap_err(), field, value, allowed);
        assert_eq!(experiment, example_1(), "{field}={text} changed something");
    }
    for field in ["", "training", "training.momentum", "network.layers[9].units", "Seed", "seed.x"]
    {
        let mut experiment = example_1();
        let problem = experiment.set(field, "1").unwrap_err();
        assert!(problem.message.contains(field), "{problem:?}");
        assert_eq!(experiment, example_1(), "{field} changed something");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_number_with_commas_is_refused_with_the_one_that_was_meant() {
    for (field, text, meant) in [
        ("training.learning_rate", "0,01", Some("0.01")),
        ("training.learning_rate", "0,001", Some("0.001")),
        ("training.learning_rate", "1,5", Some("1.5")),
        ("training.epochs", "1,000", Some("1000")),
        ("training.epochs", "1,2,3", None),
        ("training.epochs", "a,b", None),
        ("training.epochs", ",", None),
    ] {
        let message = example_1().set(field, text).unwrap_err().message;
        let asked = message.split_once(" Did you mean ").map(|(_, asked)| asked);
        assert_eq!(asked, meant.map(|meant| format!("{meant}?")).as_deref(), "{text}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_out_of_range_value_is_kept_and_told() {
    let edited = example_1().edited("training.batch_size", "21");
    assert_eq!(edited.experiment.training.batch_size, 21);
    check(&edited.problems[0], "training.batch_size", "21", "from 1 to 20");
}

/// The layers of Example 1 with some of them replaced, as JSON.
fn layers(text: &str) -> Experiment {
    let mut experiment = example_1();
    experiment.network.layers = serde_json::from_str::<Vec<LayerConfig>>(text).expect(text);
    experiment
}

const CONV: &str = r#"{"type":"conv2d","filters":4,"kernel":3,"strides":1,"padding":"valid","use_bias":true,"activation":"relu"}"#;
const HEAD: &str = r#"{"type":"dense","units":2,"use_bias":true,"activation":"softmax"}"#;
const FLATTEN: &str = r#"{"type":"flatten"}"#;
const POOL: &str = r#"{"type":"max_pool","pool":2,"strides":2,"padding":"valid"}"#;

#[wasm_bindgen_test(unsupported = test)]
fn layers_that_do_not_fit() {
    let join = |parts: &[&str]| format!("[{}]", parts.join(","));
    let pools = [POOL; 6];
    let too_many_pools = [&pools[..], &[POOL, FLATTEN, HEAD]].concat();
    let many = [&[CONV; 64][..], &[FLATTEN, HEAD]].concat();
    let one_unit = HEAD.replace(r#""units":2"#, r#""units":1"#);
    let wide_pool = POOL.replace(r#""pool":2"#, r#""pool":17"#);
    let wide_kernel = CONV.replace(r#""kernel":3"#, r#""kernel":12"#);
    let no_kernel = CONV.replace(r#""kernel":3"#, r#""kernel":0"#);
    let no_filters = CONV.replace(r#""filters":4"#, r#""filters":0"#);
    let fast_conv = CONV.replace(r#""strides":1"#, r#""strides":5"#);
    let softmax = r#"{"type":"activation","activation":"softmax"}"#;
    let (save, add) = (r#"{"type":"save"}"#, r#"{"type":"add_saved"}"#);
    let dropout = r#"{"type":"dropout","rate":1.0}"#;
    let rows: &[(&[&str], &str, &str, &str)] = &[
        (&[], "network.layers", "0", "1 to 64"),
        (&many, "network.layers", "66", "1 to 64"),
        (&[CONV], "network.layers[0]", "62 × 62 × 4 numbers", "2, one unit per class"),
        (&[softmax], "network.layers[0]", "64 × 64 × 3 numbers", "2, one unit per class"),
        (&[FLATTEN, &one_unit], "network.layers[1].units", "1", "binary cross-entropy"),
        (&[&fast_conv, FLATTEN, HEAD], "network.layers[0].strides", "5", "from 1 to 4"),
        (&[add, FLATTEN, HEAD], "network.layers[0]", "add_saved", "after a save layer"),
        (
            &[save, CONV, add, FLATTEN, HEAD],
            "network.layers[2]",
            "add_saved of 64 × 64 × 3 to 62 × 62 × 4",
            "64 × 64 × 3",
        ),
        (&[FLATTEN, dropout, HEAD], "network.layers[1].rate", "1", "from 0 to below 1"),
        (
            &too_many_pools,
            "network.layers[6].pool",
            "2",
            "from 1 to 1, because its input is 1 × 1 × 3",
        ),
        (&[&wide_pool, FLATTEN, HEAD], "network.layers[0].pool", "17", "from 1 to 16"),
        (&[&wide_kernel, FLATTEN, HEAD], "network.layers[0].kernel", "12", "from 1 to 11"),
        (&[&no_kernel, FLATTEN, HEAD], "network.layers[0].kernel", "0", "from 1 to 11"),
        (&[&no_filters, FLATTEN, HEAD], "network.layers[0].filters", "0", "from 1 to 1024"),
        (
            &[POOL, POOL, POOL, POOL, POOL, CONV, FLATTEN, HEAD],
            "network.layers[5].kernel",
            "3",
            "from 1 to 2, because its input is 2 × 2 × 3",
        ),
        (&[HEAD], "network.layers[0]", "dense on an image", "after a flatten layer"),
        (
            &[FLATTEN, CONV, HEAD],
            "network.layers[1]",
            "a convolution on a flat row",
            "before the flatten layer",
        ),
        (
            &[FLATTEN, POOL, HEAD],
            "network.layers[1]",
            "a pool on a flat row",
            "before the flatten layer",
        ),
    ];
    for (parts, field, value, allowed) in rows {
        check(&refusal(&layers(&join(parts))), field, value, allowed);
    }
}

/// Input that a framework accepts is accepted, even if it is a mistake.
#[wasm_bindgen_test(unsupported = test)]
fn heads_that_are_only_unusual() {
    let softmax = r#"{"type":"activation","activation":"softmax"}"#;
    let heads = [
        HEAD.replace(r#""softmax""#, "null"),
        HEAD.replace("softmax", "relu"),
        HEAD.replace("softmax", "sigmoid"),
        format!("{HEAD},{softmax}"),
    ];
    for head in heads {
        assert_eq!(layers(&format!("[{FLATTEN},{head}]")).validate(), Ok(()), "{head}");
    }
    let mut one_unit =
        layers(&format!("[{FLATTEN},{}]", HEAD.replace(r#""units":2"#, r#""units":1"#)));
    one_unit.set("training.loss", r#"{"type":"mean_squared_error"}"#).unwrap();
    assert_eq!(one_unit.validate(), Ok(()));
    let without_dense = layers(&format!("[{CONV},{POOL},{FLATTEN}]"));
    assert_eq!(without_dense.validate(), Ok(()));
}

/// An experiment with a head of these units, a loss, a number of classes and a first label.
fn with_head(units: u32, loss: &str, classes: u32, first_label: u32) -> Experiment {
    let head = HEAD.replace(r#""units":2"#, &format!(r#""units":{units}"#));
    let mut experiment = layers(&format!("[{FLATTEN},{head}]"));
    experiment.set("training.loss", loss).unwrap();
    experiment.dataset.classes = classes;
    experiment.dataset.first_label = first_label;
    experiment
}

const SPARSE: &str = "sparse_categorical_crossentropy";
const CATEGORICAL: &str = "categorical_crossentropy";
const BINARY: &str = "binary_crossentropy";

/// Keras trains each of these; `tests/fixtures/keras/README.md` has the results.
#[wasm_bindgen_test(unsupported = test)]
fn units_that_keras_accepts() {
    let rows = [
        (1, BINARY, 10, 0),
        (1, BINARY, 2, 1),
        (1, CATEGORICAL, 10, 0),
        (1, "mean_squared_error", 10, 0),
        (10, SPARSE, 9, 1),
        (11, SPARSE, 10, 1),
        (12, SPARSE, 10, 0),
        (12, CATEGORICAL, 10, 0),
        (12, BINARY, 10, 0),
        (12, "mean_squared_error", 10, 0),
        (12, "torch_cross_entropy", 10, 0),
    ];
    for (units, loss, classes, first_label) in rows {
        let mut experiment = with_head(units, loss, classes, first_label);
        assert_eq!(experiment.validate(), Ok(()), "{units} {loss} {classes} {first_label}");
        // Here it trains, too, on small images.
        experiment.set("dataset.side", "4").unwrap();
        let mut session = TrainingSession::new(experiment, "flex").unwrap();
        let metrics = session.run_epoch();
        assert!(metrics.loss.is_finite(), "{units} {loss} {classes} {first_label}");
        let labels = session.dataset().labels.iter();
        assert!(labels.clone().all(|label| (first_label..first_label + classes).contains(label)));
        let right = labels.zip(&metrics.predicted).filter(|(label, answer)| label == answer);
        assert_eq!(right.count(), metrics.images_right as usize);
    }
}

/// Keras and PyTorch end with an error if a label is not below the number of units.
#[wasm_bindgen_test(unsupported = test)]
fn units_that_a_label_lies_beyond() {
    let rows = [
        (2, SPARSE, 3, 0, "at least 3, because the labels of the 3 classes go from 0 to 2"),
        (2, SPARSE, 2, 1, "at least 3, because the labels of the 2 classes go from 1 to 2"),
        (1, SPARSE, 3, 0, "at least 3, because the labels of the 3 classes go from 0 to 2"),
        (10, SPARSE, 10, 1, "at least 11, because the labels of the 10 classes go from 1 to 10"),
        (10, "torch_cross_entropy", 10, 1, "at least 11"),
        (10, CATEGORICAL, 10, 1, "at least 11"),
        (2, BINARY, 10, 0, "at least 10, or 1, because"),
    ];
    for (units, loss, classes, first_label, allowed) in rows {
        let problem = refusal(&with_head(units, loss, classes, first_label));
        check(&problem, "network.layers[1].units", &units.to_string(), allowed);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn schedules_that_do_not_fit() {
    let rows = [
        (r#"{"type":"piecewise","boundaries":[5,5],"factors":[1,1]}"#, "[5, 5]", "in rising order"),
        (r#"{"type":"piecewise","boundaries":[5],"factors":[1,1]}"#, "1", "2 factors"),
        (r#"{"type":"piecewise","boundaries":[],"factors":[]}"#, "0", "at least one"),
    ];
    for (schedule, value, allowed) in rows {
        let mut experiment = example_1();
        experiment.set("training.schedule", schedule).unwrap();
        check(&refusal(&experiment), "training.schedule.boundaries", value, allowed);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn json_that_is_no_experiment() {
    let good = example_1().to_json();
    let change = |old: &str, new: &str| {
        let changed = good.replacen(old, new, 1);
        assert_ne!(good, changed, "{old}");
        changed
    };
    let rows = [
        (good[..good.len() / 2].to_string(), "experiment", "not JSON"),
        (String::new(), "experiment", "not JSON"),
        ("[]".into(), "experiment", "[]; it must be a JSON object"),
        ("7".into(), "experiment", "7; it must be a JSON object"),
        (change("\"seed\"", "\"sede\""), "sede", "sede is not a field"),
        (change("\"width\"", "\"size\""), "dataset.size", "dataset.size is not a field"),
        (change("\"width\": 64", "\"side\": 32"), "dataset.side", "the image's height, 64"),
        (change("\"height\": 64", "\"side\": 32"), "dataset.side", "the image's width, 64"),
        (change("\"width\": 64", "\"side\": 1.5"), "dataset.side", "1.5 is not allowed"),
        (
            change("\"kernel\"", "\"kernal\""),
            "network.layers[0].kernal",
            "is not a field of conv2d; its fields are type, filters, kernel",
        ),
        (
            change("\"max_pool\"", "\"min_pool\""),
            "network.layers[1].type",
            "\"min_pool\" is not allowed; it must be one of conv2d",
        ),
        (change("\"adam\"", "\"adamant\""), "training.optimizer.type", "one of adam, sgd"),
        (
            r#"{"network":{"layers":[{"type":"activation","activation":null}]}}"#.into(),
            "network.layers[0].activation",
            "null is not allowed",
        ),
        (change("\"valid\"", "\"vali\""), "network.layers[0].padding", "one of valid, same"),
        (change("\"valid\"", "3"), "network.layers[0].padding", "one of valid, same"),
        (
            change("\"amsgrad\": false", "\"amsgrad\": 0"),
            "training.optimizer.amsgrad",
            "true or false",
        ),
        (change("\"frozen\": []", "\"frozen\": [true]"), "training.loop.frozen[0]", "true"),
        (change("\"frozen\": []", "\"frozen\": 1"), "training.loop.frozen", "a list of numbers"),
        (change("\"epochs\": 500", "\"epochs\": \"500\""), "training.epochs", "\"500\""),
        (change("\"epochs\": 500", "\"epochs\": 1.5"), "training.epochs", "1.5"),
        (change("\"epochs\": 500", "\"epochs\": -5"), "training.epochs", "-5"),
        (change("\"epochs\": 500", "\"epochs\": 1e99"), "training.epochs", "1e+99"),
        (change("\"epochs\": 500", "\"epochs\": null"), "training.epochs", "null"),
        (
            change("\"use_bias\": true", "\"use_bias\": 1"),
            "network.layers[0].use_bias",
            "true or false",
        ),
        (
            change("\"filters\": 32", "\"filters\": [32]"),
            "network.layers[0].filters",
            "[32] is not allowed; it must be a whole number",
        ),
        (
            change("\"epochs\": 500", &format!("\"epochs\": \"\\u001b{}\"", "x".repeat(1000))),
            "training.epochs",
            "x… is not allowed",
        ),
    ];
    for (text, field, words) in rows {
        let problem = Experiment::from_json(&text).expect_err(&text);
        assert_eq!(problem.field, field, "{problem:?}");
        assert!(problem.message.contains(words), "{problem:?}");
    }
}

/// A field that is left out has its default: that of its kind, of Keras, or of Example 1.
#[wasm_bindgen_test(unsupported = test)]
fn json_may_leave_out_what_has_a_default() {
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("{}", &[]),
        ("\u{feff}{}", &[]),
        (r#"{"seed":7.0,"training":{"epochs":5e2}}"#, &[("seed", "7")]),
        (
            r#"{"training":{"optimizer":"sgd"}}"#,
            &[("training.optimizer", "sgd"), ("training.learning_rate", "0.01")],
        ),
        (
            r#"{"training":{"optimizer":{"type":"sgd","momentum":0.9}}}"#,
            &[("training.optimizer", "momentum"), ("training.learning_rate", "0.01")],
        ),
        (r#"{"training":{"optimizer":{"beta_1":0.8}}}"#, &[("training.optimizer.beta_1", "0.8")]),
        (
            r#"{"dataset":{"images":50}}"#,
            &[("dataset.images", "50"), ("training.batch_size", "32")],
        ),
        (r#"{"dataset":{"images":5}}"#, &[("dataset.images", "5")]),
        (r#"{"dataset":{"side":8}}"#, &[("dataset.height", "8"), ("dataset.width", "8")]),
        (r#"{"dataset":{"side":8,"height":8.0}}"#, &[("dataset.side", "8")]),
        (r#"{"dataset":{"width":1000}}"#, &[("dataset.width", "1000")]),
        (
            r#"{"network":{"layers":["flatten",{"type":"dense","units":2,"activation":"softmax"}]}}"#,
            &[(
                "network.layers",
                r#"[{"type":"flatten"},{"type":"dense","units":2,"use_bias":true,"activation":"softmax"}]"#,
            )],
        ),
    ];
    for (text, settings) in rows {
        let mut expected = example_1();
        for (field, value) in *settings {
            expected.set(field, value).unwrap();
        }
        assert_eq!(Experiment::from_json(text), Ok(expected), "{text}");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_batch_of_all_images_stays_one() {
    for (images, batch, expected) in
        [("2", "20", 2), ("40", "20", 40), ("2", "5", 5), ("40", "5", 5)]
    {
        let mut experiment = example_1();
        experiment.set("training.batch_size", batch).unwrap();
        experiment.set("dataset.images", images).unwrap();
        assert_eq!(experiment.training.batch_size, expected, "{images} {batch}");
    }
    // Too many images are one problem, not two, and the batch size still follows when the number is corrected.
    let mut experiment = example_1();
    for images in ["100000", "0"] {
        experiment.set("dataset.images", images).unwrap();
        check(&refusal(&experiment), "dataset.images", images, "from 1 to 2000");
        assert_eq!(experiment.validate().unwrap_err().len(), 1);
    }
    experiment.set("dataset.images", "12").unwrap();
    assert_eq!(experiment.training.batch_size, 12);
}

#[wasm_bindgen_test(unsupported = test)]
fn json_gives_the_same_experiment_back() {
    for preset in presets::presets() {
        let text = preset.experiment.to_json();
        assert_eq!(Experiment::from_json(&text), Ok(preset.experiment));
    }
}

/// The configuration alone is refused: nothing is allocated, or this test would need the refused memory.
#[wasm_bindgen_test(unsupported = test)]
fn networks_too_large_for_memory() {
    let mut experiment = example_1();
    experiment.dataset.images = 2000;
    experiment.set("dataset.side", "256").unwrap();
    experiment.training.batch_size = 2000;
    experiment.set("network.layers[0].filters", "1024").unwrap();
    let problem = refusal(&experiment);
    assert_eq!(problem.field, "network.layers");
    assert!(problem.value.ends_with(" GiB"), "{problem:?}");
    check(&problem, "network.layers", &problem.value, "at most 2 GiB");
    experiment.training.batch_size = 1;
    experiment.dataset.images = 20;
    experiment.set("dataset.side", "64").unwrap();
    assert_eq!(experiment.validate(), Ok(()));
    assert!(estimate_memory_bytes(&experiment) <= MEMORY_LIMIT_BYTES);
}

/// Counts of weights are 64-bit also where a usize is not: these are 2^32 and more.
#[wasm_bindgen_test(unsupported = test)]
fn weights_that_32_bits_cannot_count() {
    let mut experiment = example_1();
    experiment.dataset.height = 256;
    experiment.dataset.width = 256;
    experiment.network.layers = vec![
        LayerConfig::conv2d(64).padded_same(),
        LayerConfig::Flatten {},
        LayerConfig::dense(1024),
        LayerConfig::dense(2),
    ];
    let shapes = layer_shapes(&experiment.network, &experiment.dataset).unwrap();
    assert_eq!(shapes[2].parameters, 256 * 256 * 64 * 1024 + 1024);
    let problem = refusal(&experiment);
    assert_eq!(problem.field, "network.layers");
    // 2^32 weights and as many gradients.
    assert!(estimate_memory_bytes(&experiment) >= 1 << 35, "{problem:?}");
}

/// Only a pool that is computed together with its convolution leaves the convolution's output unwritten. Of 2,000 images the output
/// takes gigabytes.
#[wasm_bindgen_test(unsupported = test)]
fn a_convolution_before_a_pool_of_its_own_needs_its_output() {
    let mut experiment = example_1();
    experiment.dataset.images = 2000;
    experiment.training.batch_size = 2000;
    assert_eq!(experiment.validate(), Ok(()));
    let rows = [
        ("network.layers[0].activation", "gelu"),
        ("network.layers[0].activation", "leaky_relu"),
        ("network.layers[1].strides", "1"),
        ("network.layers[1].padding", "same"),
        ("network.layers[1].pool", "3"),
    ];
    for (field, value) in rows {
        let mut changed = experiment.clone();
        changed.set(field, value).unwrap();
        let problem = refusal(&changed);
        assert_eq!(problem.field, "network.layers", "{field} {value}: {problem:?}");
        assert!(problem.value.ends_with(" GiB"), "{problem:?}");
    }
}

/// A refusal's number never reads like the limit, however little it is above it.
#[wasm_bindgen_test(unsupported = test)]
fn memory_just_above_the_limit() {
    let mut experiment = example_1();
    experiment.network.layers = vec![LayerConfig::Flatten {}, LayerConfig::dense(2)];
    experiment.set("dataset.side", "256").unwrap();
    let above = (1..=2000).find(|&images| {
        experiment.dataset.images = images;
        experiment.training.batch_size = images;
        estimate_memory_bytes(&experiment) > MEMORY_LIMIT_BYTES
    });
    assert!(above.is_some());
    assert_eq!(refusal(&experiment).value, "2.01 GiB");
}

#[wasm_bindgen_test(unsupported = test)]
fn backends_that_are_not_there() {
    let problem = TrainingSession::new(example_1(), "cuda").err().unwrap();
    check(&problem, "backend", "cuda", "one of flex");
}

#[wasm_bindgen_test(unsupported = test)]
fn learning_rates_of_a_run_under_way() {
    let mut session = TrainingSession::new(example_1(), "flex").unwrap();
    for (rate, value) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (1e9, "1000000000")] {
        let problem = session.set_learning_rate(rate).unwrap_err();
        check(&problem, "training.learning_rate", value, "a number from 1e-8 to 1000");
        assert_eq!(session.learning_rate(), 0.001);
    }
}
