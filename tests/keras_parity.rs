//! Compares every fixture with Keras, rung by rung of a ladder. `KERAS_FIXTURES_DIR` names another folder of fixtures.

mod support;

use support::{Fixture, check};

/// Fixtures that are not compared on a backend: burn-ndarray approximates the error function, 6e-5 off in GELU's gradient.
#[cfg(not(target_arch = "wasm32"))]
const LEFT_OUT: &[(&str, &str)] = &[("ndarray", "gelu")];

/// Fixtures of features that this crate lacks. A fixture that can be read must leave this list.
#[cfg(not(target_arch = "wasm32"))]
const NOT_UNDERSTOOD: &[&str] = &[];

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::*;
    use crate::support::check_moving_averages;
    use overfit_lab::experiment::{
        Distribution, Fans, KernelInitializer, ScheduleConfig, estimate_memory_bytes,
    };
    use serde_json::Value;
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    /// Compares every fixture on one backend, with a thread per core, and reports all failures together.
    fn every_fixture(backend: &str) {
        let given = std::env::var_os("KERAS_FIXTURES_DIR").map(PathBuf::from);
        let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keras");
        let folder = given.unwrap_or(own);
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<PathBuf> =
            entries.map(|entry| entry.expect("a readable entry").path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        // The largest first, so that at the end no thread is alone with a large one.
        files.sort_by_cached_key(|file| std::cmp::Reverse((weight(file), file.clone())));
        assert!(!files.is_empty(), "no fixtures in {}", folder.display());
        let queue = Mutex::new(files.into_iter());
        let failures = Mutex::new(Vec::new());
        let work = || {
            while let Some(file) = { queue.lock().unwrap().next() } {
                let name = file.file_stem().unwrap().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&file).expect("a readable fixture");
                let outcome = match Fixture::parse(&text) {
                    Err(_) if NOT_UNDERSTOOD.contains(&&*name) => continue,
                    Err(unknown) => Err(format!("not understood: {unknown}")),
                    Ok(_) if NOT_UNDERSTOOD.contains(&&*name) => {
                        Err("understood now; take it off NOT_UNDERSTOOD".into())
                    }
                    Ok(_) if LEFT_OUT.contains(&(backend, &name)) => Ok(()),
                    Ok(fixture) => check(&fixture, backend),
                };
                match outcome {
                    Ok(()) => println!("{name}: ok"),
                    Err(why) => failures.lock().unwrap().push(format!("{name}: {why}")),
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(work);
            }
        });
        let failures = failures.into_inner().unwrap();
        assert!(failures.is_empty(), "on {backend}:\n{}", failures.join("\n"));
    }

    /// A rough measure of the work of a fixture; nothing if it cannot be read.
    fn weight(file: &Path) -> u64 {
        let text = std::fs::read_to_string(file).expect("a readable fixture");
        let experiment = Fixture::parse(&text).and_then(|fixture| fixture.experiment());
        experiment.map_or(0, |experiment| estimate_memory_bytes(&experiment))
    }

    #[test]
    fn every_fixture_on_flex() {
        every_fixture("flex");
    }

    #[test]
    fn every_fixture_on_flex_plain() {
        every_fixture("flex-plain");
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn every_fixture_on_ndarray() {
        every_fixture("ndarray");
    }

    #[test]
    fn moving_averages_are_those_of_keras() {
        let fixtures = [
            include_str!("fixtures/keras/batch_norm_b4.json"),
            include_str!("fixtures/keras/batch_norm_dense.json"),
            include_str!("fixtures/keras/ex1_batch_norm_adam.json"),
        ];
        for fixture in fixtures.map(|text| Fixture::parse(text).unwrap()) {
            for backend in ["flex", "flex-plain"] {
                check_moving_averages(&fixture, backend)
                    .unwrap_or_else(|why| panic!("{} on {backend}: {why}", fixture.name));
            }
        }
    }

    /// Enough numbers, uniform within a limit, that the largest is within a thousandth of the limit, and the mean square within a
    /// twentieth of a third of the limit's square.
    #[test]
    fn the_default_of_pytorch_draws_within_its_limit() {
        let file: Value =
            serde_json::from_str(include_str!("fixtures/pytorch_default.json")).unwrap();
        for row in file["rows"].as_array().unwrap() {
            let shape: Vec<usize> = serde_json::from_value(row["shape"].clone()).unwrap();
            let drawn = KernelInitializer::PytorchDefault {}.distribution(Fans::of(&shape));
            let Distribution::Uniform { limit } = drawn else { panic!("{row}: {drawn:?}") };
            for drawn in [&row["kernel"], &row["bias"]] {
                let largest = drawn["largest"].as_f64().unwrap() / limit;
                let square = drawn["mean_square"].as_f64().unwrap() / (limit * limit / 3.0);
                assert!((0.999..1.000_001).contains(&largest), "{row}: {largest} of the limit");
                assert!((square - 1.0).abs() < 0.05, "{row}: mean square {square}");
            }
        }
    }

    #[test]
    fn what_is_absent_has_the_default_of_keras() {
        let example = include_str!("fixtures/keras/ex1_adam.json");
        let with = Fixture::parse(example).unwrap().experiment();
        let keys = [
            r#","padding":"valid""#,
            r#","use_bias":true"#,
            r#","pool":2"#,
            r#","learning_rate":0.001"#,
            r#","beta_1":0.9,"beta_2":0.999,"epsilon":1e-07"#,
        ];
        for key in keys {
            let left_out = example.replacen(key, "", 1);
            assert_ne!(example, left_out, "{key}");
            let without = Fixture::parse(&left_out).and_then(|fixture| fixture.experiment());
            assert_eq!(without, with, "{key}");
        }
        // A cosine schedule without a target for the warm-up decays from the initial rate.
        let warming =
            r#""initial_learning_rate":0.0,"decay_steps":15,"alpha":0.1,"warmup_target":0.002,"#;
        let plain = r#""initial_learning_rate":0.003,"decay_steps":15,"#;
        let cosine = include_str!("fixtures/keras/adam_cosine_warmup.json");
        assert!(cosine.contains(warming));
        let cosine = Fixture::parse(&cosine.replacen(warming, plain, 1)).unwrap();
        let training = cosine.experiment().unwrap().training;
        let (warmup_steps, warmup_from, alpha) = (0, 1.0, 0.0);
        let schedule = ScheduleConfig::Cosine { warmup_steps, warmup_from, decay_steps: 15, alpha };
        assert_eq!((training.learning_rate, training.schedule), (0.003, schedule));
    }

    #[test]
    fn what_is_unknown_is_named() {
        let text = include_str!("fixtures/keras/ex1_adam.json");
        let rows = [
            (r#""type":"max_pool""#, r#""type":"min_pool""#, "min_pool"),
            (r#""type":"adam""#, r#""type":"adamant""#, "adamant"),
            (r#""batch_size":32"#, r#""batch_size":32,"dropout":1"#, "dropout"),
            (r#""use_bias":true"#, r#""use_bias":true,"groups":2"#, "groups"),
            (r#""l2":0.0"#, r#""l2":0.0,"loop":{"epochs":1}"#, "epochs"),
        ];
        for (known, unknown, name) in rows {
            let changed = text.replacen(known, unknown, 1);
            assert_ne!(text, changed, "{known}");
            let error = Fixture::parse(&changed).err().expect(unknown);
            assert!(error.contains(name), "{error}");
        }
    }
}

/// The article's three examples and one of each kind of layer, head, loss, optimizer, data and mistake: natively and in the
/// browser.
mod everywhere {
    use super::*;
    use wasm_bindgen_test::*;

    macro_rules! fixtures {
        ($($name:ident)*) => {$(
            #[wasm_bindgen_test(unsupported = test)]
            fn $name() {
                let text = include_str!(concat!("fixtures/keras/", stringify!($name), ".json"));
                let fixture = Fixture::parse(text).unwrap();
                if let Err(why) = check(&fixture, "flex") {
                    panic!("{}: {why}", fixture.name);
                }
            }
        )*};
    }

    fixtures! {
        ex1_adam
        ex2_adam
        ex3_sgd_lr1
        conv_stride2
        max_pool3_stride2_same
        average_pool
        global_max_pool
        batch_norm_dense
        layer_norm
        dropout
        resnet_adam
        locally_connected
        leaky_relu
        gelu
        silu
        tanh
        head_softmax_twice
        head_linear_no_from_logits
        head_relu_categorical_nan
        head_sigmoid_binary
        head_softmax1_binary
        head_softmax_squared
        focal
        binary_focal_balanced
        binary_focal_hidden
        head_sigmoid1_10classes
        head_sigmoid1_from_1
        head_linear1_squared_10classes
        head_softmax12_sparse
        head_softmax11_from_1
        head_sigmoid12_binary
        head_softmax_smoothed
        adam_amsgrad
        nadam
        adagrad
        lion
        ex1_rmsprop
        adam_cosine_warmup
        sgd_clipnorm
        l1_l2
        max_norm
        he_uniform
        zeros
        pixels_255
        duplicates
        stripes
        rectangle_same
        rectangle_line
        loop_no_zero_grad
        loop_frozen
        loop_labels_rolled
        loop_optimizer_recreated
        loop_batch_norm_inference
    }
}

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
