//! Runs the native program as a person or a script does.

#![cfg(not(target_arch = "wasm32"))]

use std::process::{Command, Output};

use overfit_lab::presets;
use serde_json::Value;

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_overfit-lab"));
    command.args(arguments).output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(errors.lines().all(|line| line.starts_with("Warning: ")), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json_lines(arguments: &[&str]) -> Vec<Value> {
    let text = stdout(&program(&[arguments, &["--json"]].concat()));
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Arguments for Example 1 on small images, which is quick.
const SMALL: [&str; 6] =
    ["run", "example-1", "--set", "dataset.side=16", "--set", "training.epochs=30"];

#[test]
fn json_is_an_object_an_epoch_and_one_at_the_end() {
    let lines = json_lines(&[&SMALL[..], &["--seed", "7"]].concat());
    let (result, epochs) = lines.split_last().unwrap();
    assert_eq!(epochs.len(), 30);
    for (index, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch["kind"], "epoch");
        assert_eq!(epoch["epoch"], index + 1);
        assert!(epoch["loss"].as_f64().unwrap() > 0.0);
        assert!((0.0..=1.0).contains(&epoch["accuracy"].as_f64().unwrap()));
    }
    assert_eq!(result["kind"], "result");
    assert_eq!(result["preset"], "example-1");
    assert_eq!(result["seed"], 7);
    assert_eq!(result["epochs"], 30);
    assert!(result["loss"].is_f64() && result["accuracy"].is_f64());
    assert!(result["memorised"].is_boolean());
    for field in ["held_since", "first_reached"] {
        assert!(result[field].is_u64() || result[field].is_null(), "{field}: {result}");
        assert!(result.get(field).is_some(), "{field}");
    }
    assert_eq!(
        result["images_right"],
        (result["accuracy"].as_f64().unwrap() * 20.0).round() as u64
    );
}

#[test]
fn words_end_with_the_articles_line_and_the_verdict() {
    let text =
        stdout(&program(&["run", "example-1", "--epochs", "60", "--set", "dataset.side=24"]));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "Training accuracy after 60 epochs: 1.0000");
    assert!(lines[1].starts_with("Memorised: all 20 images right from epoch "), "{text}");
}

#[test]
fn a_file_is_an_experiment_too() {
    let mut experiment = presets::preset("example-3").unwrap().experiment;
    for (field, value) in [("dataset.side", "8"), ("training.epochs", "2"), ("seed", "5")] {
        experiment.set(field, value).unwrap();
    }
    let file = std::env::temp_dir().join(format!("overfit-lab-{}.json", std::process::id()));
    std::fs::write(&file, experiment.to_json()).unwrap();
    let lines = json_lines(&["run", file.to_str().unwrap()]);
    let result = lines.last().unwrap();
    assert_eq!((lines.len(), &result["preset"], &result["seed"]), (3, &Value::Null, &5.into()));
    std::fs::remove_file(file).unwrap();
}

#[test]
fn settings_change_what_is_trained() {
    let first_loss = |settings: &[&str]| {
        let pairs = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<_> = SMALL.into_iter().chain(pairs).collect();
        let lines = json_lines(&arguments);
        lines.iter().map(|line| line["loss"].to_string()).collect::<Vec<_>>().join(" ")
    };
    let plain = first_loss(&[]);
    assert_eq!(plain, first_loss(&["seed=1"]));
    for setting in [
        "seed=2",
        "training.learning_rate=0.01",
        "training.batch_size=5",
        "training.epochs=3",
        "training.optimizer=rmsprop",
        "training.optimizer.beta_1=0.5",
        "network.conv_bias=false",
        "network.dense_bias=false",
        "network.layers[0].filters=8",
        "dataset.images=10,training.batch_size=10",
    ] {
        let settings: Vec<_> = setting.split(',').collect();
        assert_ne!(plain, first_loss(&settings), "{setting}");
    }
}

#[test]
fn bad_input_is_one_line_on_stderr_and_exit_code_2() {
    let rows: &[(&[&str], &[&str])] = &[
        (
            &["run", "example-1", "--set", "training.learning_rate=0"],
            &["training.learning_rate", "0 ", "1e-8 to 1000"],
        ),
        (
            &["run", "example-1", "--set", "training.learning_rate=nan"],
            &["training.learning_rate", "nan"],
        ),
        (
            &["run", "example-1", "--set", "training.batch_size=21"],
            &["training.batch_size", "21", "1 to 20"],
        ),
        (
            &["run", "example-1", "--set", "training.optimizer=adamant"],
            &["training.optimizer", "adamant", "rmsprop"],
        ),
        (&["run", "example-1", "--set", "training.speed=9"], &["training.speed"]),
        (&["run", "example-1", "--set", "seed"], &["seed", "FIELD=VALUE"]),
        (&["run", "example-1", "--seed", "-1"], &["seed", "-1"]),
        (&["run", "example-1", "--epochs", "0"], &["training.epochs", "0", "1 to 100000"]),
        (&["run", "example-1", "--epochs", "ten"], &["training.epochs", "ten"]),
        (&["run", "example-1", "--backend", "cuda"], &["backend", "cuda", "flex"]),
        (&["run", "example-9"], &["example-9", "Did you mean example-", "overfit-lab presets"]),
        (&["run", "Cargo.toml"], &["Cargo.toml", "JSON"]),
        (&["run", "example-1", "--sed", "1"], &["--sed", "--help"]),
        (&["run"], &["required", "--help"]),
        (&["walk"], &["walk", "--help"]),
        (&["show", "example-9"], &["example-9", "Did you mean example-", "overfit-lab presets"]),
        (&["show", "example-1", "--set", "training.speed=9"], &["training.speed"]),
        (&["show", "example-1", "--mended"], &["--mended", "example-1", "a mistake"]),
        (&["run", "Cargo.toml", "--mended"], &["--mended", "Cargo.toml"]),
        (&["code", "example-1"], &["required", "--help"]),
        (&["code", "example-1", "--framework", "jax"], &["framework", "jax", "keras, pytorch"]),
        (
            &["code", "example-1", "--framework", "keras", "--set", "training.batch_size=21"],
            &["training.batch_size", "21", "1 to 20"],
        ),
    ];
    for (arguments, words) in rows {
        let output = program(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        for word in *words {
            assert!(error.contains(word), "{arguments:?}: {error}");
        }
    }
}

#[test]
fn presets_are_listed_by_group() {
    let text = stdout(&program(&["presets"]));
    let mut lines = text.lines();
    let mut group = None;
    for preset in presets::presets() {
        if group != Some(preset.group) {
            group = Some(preset.group);
            assert_eq!(lines.next(), Some(preset.group.title()), "{text}");
        }
        let words: Vec<_> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(words[0], preset.id, "{text}");
        assert!(preset.summary.starts_with(words[1]), "{text}");
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn what_is_shown_can_be_run() {
    let settings = ["--set", "dataset.side=8", "--seed", "3", "--epochs", "2"];
    let shown = stdout(&program(&[&["show", "example-3"], &settings[..]].concat()));
    let file = std::env::temp_dir().join(format!("overfit-lab-shown-{}.json", std::process::id()));
    std::fs::write(&file, &shown).unwrap();
    let last = |arguments: &[&str]| json_lines(arguments).pop().unwrap();
    let from_file = last(&["run", file.to_str().unwrap()]);
    let direct = last(&[&["run", "example-3"], &settings[..]].concat());
    assert_eq!((&from_file["loss"], &from_file["seed"]), (&direct["loss"], &3.into()));
    assert_eq!(shown, stdout(&program(&["show", file.to_str().unwrap()])));
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_preset_with_a_mistake_can_be_had_without_it() {
    for preset in presets::presets() {
        let Some(mistake) = preset.mistake else { continue };
        let mended = stdout(&program(&["show", preset.id, "--mended"]));
        assert_eq!(mended.trim_end(), mistake.mended.to_json(), "{}", preset.id);
    }
}

#[test]
fn scripts_are_printed() {
    for (framework, line) in [
        ("keras", "    optimizer=keras.optimizers.SGD(learning_rate=0.5),"),
        ("pytorch", "optimizer = torch.optim.SGD(model.parameters(), lr=0.5)"),
    ] {
        let settings = ["--seed", "9", "--set", "training.learning_rate=0.5"];
        let arguments = [&["code", "example-3", "--framework", framework], &settings[..]].concat();
        let script = stdout(&program(&arguments));
        assert!(script.lines().any(|text| text == line), "{script}");
        assert!(script.contains("seed(9)"), "{script}");
    }
}

#[test]
fn what_is_allowed_and_most_likely_wrong_is_said_and_trained() {
    let loss = r#"training.loss={"type":"torch_cross_entropy","label_smoothing":0}"#;
    let output = program(&[&SMALL[..], &["--set", loss]].concat());
    assert!(output.status.success(), "{output:?}");
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.starts_with("Warning: Softmax is applied twice"), "{warning}");
    assert!(
        String::from_utf8(output.stdout).unwrap().contains("Training accuracy after 30 epochs")
    );
}

#[test]
fn a_file_is_read_only_as_far_as_an_experiment_may_go() {
    let large = written("large.json", &format!("{{\"seed\":1{}}}", " ".repeat(1 << 20)));
    let twice = written("twice.json", r#"{"training":{"epochs":1,"epochs":2}}"#);
    let rows = [
        (large.as_str(), "large.json: the file is larger than 1 MiB."),
        (&twice, "the key epochs appears twice at line 1 column"),
        #[cfg(unix)]
        ("/dev/zero", "/dev/zero: the file is larger than 1 MiB."),
    ];
    for (file, words) in rows {
        let output = program(&["run", file]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
}

#[test]
fn what_is_missing_or_misspelt_is_named() {
    let rows: [(&[&str], &str); 4] = [
        (&["run"], "were not provided: <EXPERIMENT> (try --help)"),
        (&["code", "example-1"], "were not provided: --framework <ID> (try --help)"),
        (&["run", "Example-1"], "Did you mean example-1? `overfit-lab presets` lists the presets."),
        (&["run", "pixel-255-adam"], "Did you mean pixels-255-adam?"),
    ];
    for (arguments, words) in rows {
        let output = program(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.lines().count() == 1 && errors.contains(words), "{errors}");
    }
    let output = program(&["run", "nothing-like-it"]);
    assert!(!String::from_utf8(output.stderr).unwrap().contains("Did you mean"));
}

/// Example 3 has a warning, so a run writes to stderr first.
#[cfg(target_os = "linux")]
#[test]
fn a_full_stderr_loses_no_output_and_no_exit_code() {
    let full = || std::fs::File::create("/dev/full").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_overfit-lab"));
        command.args(arguments).stderr(full()).output().unwrap()
    };
    let small = ["run", "example-3", "--set", "dataset.side=8", "--epochs", "1", "--json"];
    let output = run(&small);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
    assert_eq!(run(&["run", "nosuch"]).status.code(), Some(2));
    assert_eq!(run(&["run"]).status.code(), Some(2));
    let help =
        Command::new(env!("CARGO_BIN_EXE_overfit-lab")).arg("--help").stdout(full()).output();
    assert_eq!(help.unwrap().status.code(), Some(1));
}

/// Writes a file of this name for one test; returns its path.
fn written(name: &str, text: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().into()
}
