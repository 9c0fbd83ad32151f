//! Dependencies point one way: a module may only use modules in rows above its own.

#![cfg(not(target_arch = "wasm32"))]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, each with the modules that it may use. Those are in rows above it, so there is no cycle.
const MODULES: &[(&str, &[&str])] = &[
    // The kernels say which memory they take.
    ("kernels", &[]),
    ("from_json", &[]),
    ("experiment", &["kernels", "from_json"]),
    ("causes", &["experiment"]),
    ("presets", &["experiment", "causes"]),
    ("checks", &["from_json"]),
    ("seeding", &["kernels"]),
    ("operations", &["kernels"]),
    ("backend", &["experiment", "kernels"]),
    ("dataset", &["experiment", "seeding"]),
    ("script", &["experiment", "dataset"]),
    ("network", &["experiment", "seeding", "kernels", "operations", "backend", "dataset"]),
    ("probes", &["operations", "backend", "network"]),
    ("augmentation", &["experiment", "kernels", "seeding", "dataset"]),
    (
        "training",
        &[
            "experiment",
            "seeding",
            "kernels",
            "operations",
            "backend",
            "dataset",
            "network",
            "probes",
            "augmentation",
        ],
    ),
    // It uses only the metrics of training: see `the_diagnosis_sees_numbers_only`.
    ("diagnosis", &["experiment", "causes", "training"]),
    ("run", &["experiment", "dataset", "network", "training", "diagnosis"]),
    (
        "wasm",
        &[
            "experiment",
            "causes",
            "presets",
            "script",
            "checks",
            "backend",
            "dataset",
            "diagnosis",
            "run",
        ],
    ),
    (
        "program",
        &["experiment", "causes", "presets", "script", "backend", "training", "diagnosis", "run"],
    ),
];

/// Names of backends, which only a few files may contain.
const BACKENDS: &[&str] = &["flex", "ndarray", "burn_flex", "burn_ndarray"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// Every source with its module and its code, without comments and tests.
fn code() -> Vec<(String, PathBuf, String)> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for (folder, root) in [("src", "src"), ("kernels/src", "")] {
        let root = repository.join(root);
        let files = sources(&repository.join(folder)).into_iter();
        all.extend(files.map(|file| (file.strip_prefix(&root).unwrap().to_path_buf(), file)));
    }
    let read = |(inside, file): (PathBuf, PathBuf)| {
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_string();
        let text = fs::read_to_string(&file).expect("a readable source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        (module, inside, lines.collect::<Vec<_>>().join("\n"))
    };
    all.into_iter().map(read).collect()
}

/// The names of modules that follow `crate::` or `overfit_lab::`, grouped imports included.
fn used_modules(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for root in ["crate::", "overfit_lab::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            let names = match rest.strip_prefix('{') {
                Some(group) => group.split('}').next().unwrap_or_default(),
                None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap(),
            };
            let firsts = names.split(',').map(|name| name.trim().split("::").next().unwrap());
            used.extend(firsts.filter(|name| !name.is_empty()).map(String::from));
        }
    }
    used
}

#[test]
fn modules_use_only_what_stands_above_them() {
    for (index, (module, allowed)) in MODULES.iter().enumerate() {
        for name in *allowed {
            assert!(MODULES[..index].iter().any(|(above, _)| above == name), "{module}: {name}");
        }
    }
    let mut seen = Vec::new();
    for (module, file, code) in code() {
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        if module == "kernels" {
            // A crate of its own, without dependencies in its manifest.
            seen.push(module);
            continue;
        }
        let row = MODULES.iter().find(|(name, _)| *name == module);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{}: not in the table", file.display()));
        for used in used_modules(&code) {
            assert!(
                used == module || allowed.contains(&used.as_str()),
                "{} uses {used}; {module} may use {allowed:?}",
                file.display()
            );
        }
        seen.push(module);
    }
    for (module, _) in MODULES {
        assert!(seen.iter().any(|name| name == module), "{module} has no source");
    }
}

#[test]
fn only_few_files_name_a_backend() {
    for (module, file, code) in code() {
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let named: Vec<_> = words.filter(|word| BACKENDS.contains(word)).collect();
        // These files choose the backend, add operations to it, and access its tensors for them.
        let may = ["backend.rs", "operations/mod.rs", "operations/storage.rs"];
        let may = may.iter().any(|name| file == Path::new(name));
        assert!(may || named.is_empty(), "{module}: {} names {named:?}", file.display());
    }
}

#[test]
fn the_diagnosis_sees_numbers_only() {
    let tensors = ["burn", "Tensor", "TrainingSession", "network"];
    for (module, file, code) in code().into_iter().filter(|(module, ..)| module == "diagnosis") {
        let found = tensors.iter().find(|word| names(&code, word));
        assert!(found.is_none(), "{module}: {} knows {found:?}", file.display());
    }
}

/// Whether code contains a word other than as a field: `network` may be the module, `experiment.network` is a field.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(|c| is_of_word(c) || c == '.') && !after.is_some_and(is_of_word)
    })
}

#[test]
fn fields_are_told_from_modules() {
    let rows = [
        ("use crate::network::Network;", true),
        ("let network = 1;", true),
        ("experiment.network.layers", false),
        ("experiment.network.layers; network::build()", true),
        ("my_network + networks", false),
    ];
    for (code, expected) in rows {
        assert_eq!(names(code, "network"), expected, "{code}");
    }
}

#[test]
fn only_the_kernels_may_hold_unsafe_code() {
    for (module, file, code) in code() {
        let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let may = module == "kernels" || file == Path::new("operations/storage.rs");
        assert!(may || words.all(|word| word != "unsafe"), "{}", file.display());
    }
}

#[test]
fn imports_are_read_in_every_form() {
    let rows = [
        ("use crate::dataset::Dataset;", vec!["dataset"]),
        ("use crate::{backend, probes::mark};", vec!["backend", "probes"]),
        ("let x = crate::presets::presets();", vec!["presets"]),
        ("use overfit_lab::training::{A, B};", vec!["training"]),
        ("use std::fs;", vec![]),
    ];
    for (code, modules) in rows {
        assert_eq!(used_modules(code), modules, "{code}");
    }
}
