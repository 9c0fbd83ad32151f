//! Tests scripts as text: each parses as Python and uses only names that the pinned version of its framework has. `cargo xtask
//! frameworks` runs the scripts and compares their results.

#![cfg(not(target_arch = "wasm32"))]

#[path = "support/corpus.rs"]
mod corpus;

use std::collections::{BTreeMap, BTreeSet};

use overfit_lab::experiment::{Experiment, FieldKind, fields};
use overfit_lab::presets;
use overfit_lab::script::{Framework, lines};
use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, Stmt};
use serde_json::Value;

/// The names of the pinned versions, with their parameters; `cargo xtask frameworks --names` writes this file.
const NAMES: &str = include_str!("fixtures/python_names.json");
const CORPUS: &str = include_str!("fixtures/corpus.txt");

/// The classes of the scripts' own variables, in Keras and PyTorch.
const VARIABLES: [(&str, [&str; 2]); 5] = [
    ("model", ["keras.Sequential", "torch.nn.Sequential"]),
    ("stopping", ["keras.callbacks.EarlyStopping", ""]),
    ("history", ["keras.callbacks.History", ""]),
    ("optimizer", ["keras.optimizers.Adam", "torch.optim.Adam"]),
    ("schedule", ["", "torch.optim.lr_scheduler.LambdaLR"]),
];

/// Attributes of instances, which no class lists; `part_0` and so on are the scripts' own.
const ATTRIBUTES: [&str; 4] = [
    "keras.Sequential.stop_training",
    "keras.callbacks.History.epoch",
    "keras.callbacks.History.history.items",
    "torch.optim.Adam.param_groups",
];

type Names = BTreeMap<String, Option<String>>;

fn names() -> Names {
    serde_json::from_str(NAMES).expect("a list of names")
}

/// Reads a script and collects the names and parameters that its framework lacks.
struct Reader<'a> {
    names: &'a Names,
    /// The full name for each of the script's names.
    meanings: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// The full name of `a.b.c`, if `a` is known.
    fn full_name(&self, expression: &Expr) -> Option<String> {
        match expression {
            Expr::Name(name) => self.meanings.get(name.id.as_str()).cloned(),
            Expr::Attribute(part) => {
                Some(format!("{}.{}", self.full_name(&part.value)?, part.attr.as_str()))
            }
            _ => None,
        }
    }

    fn check_call(&mut self, name: &str, call: &ExprCall) {
        let Some(Some(parameters)) = self.names.get(name) else { return };
        let parameters: Vec<&str> = parameters.split_whitespace().collect();
        for keyword in &call.arguments.keywords {
            let Some(given) = &keyword.arg else { continue };
            if !parameters.contains(&given.as_str()) {
                self.problems.push(format!("{name} has no {}=", given.as_str()));
            }
        }
        let values = &call.arguments.args;
        let counted = !parameters.contains(&"*") && !values.iter().any(|one| one.is_starred_expr());
        if counted && values.len() > parameters.len() {
            self.problems.push(format!("{name} takes no {} values", values.len()));
        }
    }
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let mut import = |module: &str, name: &str, other: Option<&str>| {
            let meaning = if module.is_empty() { name.into() } else { format!("{module}.{name}") };
            self.meanings.insert(other.unwrap_or(name).into(), meaning);
        };
        match statement {
            Stmt::Import(import_) => {
                for alias in &import_.names {
                    import(
                        "",
                        alias.name.as_str(),
                        alias.asname.as_ref().map(|name| name.as_str()),
                    );
                }
            }
            Stmt::ImportFrom(import_) => {
                let module = import_.module.as_ref().map_or("", |module| module.as_str());
                for alias in &import_.names {
                    import(
                        module,
                        alias.name.as_str(),
                        alias.asname.as_ref().map(|name| name.as_str()),
                    );
                }
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression
            && let Some(name) = self.full_name(&call.func)
        {
            self.check_call(&name, call);
        }
        match expression {
            Expr::Attribute(_) => match self.full_name(expression) {
                Some(name) => {
                    let own = name.starts_with("torch.nn.Sequential.part_");
                    let known = own || ATTRIBUTES.contains(&name.as_str());
                    if !known && !self.names.contains_key(&name) {
                        self.problems.push(format!("there is no {name}"));
                    }
                }
                None => walk_expr(self, expression),
            },
            _ => walk_expr(self, expression),
        }
    }
}

/// The problems of a script.
fn problems(script: &str, framework: Framework, names: &Names) -> Vec<String> {
    let parsed = match ruff_python_parser::parse_module(script) {
        Ok(parsed) => parsed.into_syntax(),
        Err(error) => return vec![format!("no Python: {error}")],
    };
    let of_framework = |(name, classes): &(&str, [&str; 2])| {
        let class = classes[usize::from(framework == Framework::PyTorch)];
        (!class.is_empty()).then(|| (name.to_string(), class.to_string()))
    };
    let meanings = VARIABLES.iter().filter_map(of_framework).collect();
    let mut reader = Reader { names, meanings, problems: Vec::new() };
    reader.visit_body(&parsed.body);
    reader.problems
}

/// The experiments of the corpus.
fn corpus() -> Vec<(String, Experiment)> {
    let base = presets::preset("example-1").unwrap().experiment;
    let set_up = |case: corpus::Case| {
        let mut experiment = base.clone();
        for setting in case.settings {
            let (field, value) = setting.split_once('=').expect(setting);
            let problem = experiment.set(field, value).err();
            assert!(problem.is_none(), "{}: {problem:?}", case.name);
        }
        assert_eq!(experiment.validate(), Ok(()), "{}", case.name);
        (case.name.to_string(), experiment)
    };
    let cases: Vec<_> = corpus::corpus(CORPUS).into_iter().map(set_up).collect();
    assert!(!cases.is_empty(), "the corpus is empty");
    cases
}

/// Every preset, every fixed twin, and the corpus.
fn experiments() -> Vec<(String, Experiment)> {
    let mut all = corpus();
    for preset in presets::presets() {
        all.push((preset.id.into(), preset.experiment));
        let mended = preset.mistake.map(|mistake| mistake.mended);
        all.extend(mended.map(|mended| (format!("{}, mended", preset.id), mended)));
    }
    all
}

#[test]
fn scripts_are_python_and_name_only_what_is_there() {
    let names = names();
    for (name, experiment) in experiments() {
        for framework in Framework::ALL {
            let script = lines(&experiment, framework).join("\n");
            let problems = problems(&script, framework, &names);
            assert!(problems.is_empty(), "{name}, {framework:?}: {problems:?} in\n{script}");
        }
    }
}

#[test]
fn what_is_not_there_is_found() {
    let names = names();
    let rows = [
        ("import keras\nkeras.layers.Conv3D2(4)", "there is no keras.layers.Conv3D2"),
        ("import keras\nkeras.layers.Dense(4, unit=2)", "keras.layers.Dense has no unit="),
        ("import keras\nx = [keras.optimizers.Adam(lr=0.1)]", "keras.optimizers.Adam has no lr="),
        ("import numpy as np\nx = np.random.uniforms()", "there is no numpy.random.uniforms"),
        (
            "import numpy as np\nx = np.random.randint(2, shape=3)",
            "numpy.random.randint has no shape=",
        ),
        ("import keras\ndef f():\n    return keras.ops.blurr(1)", "there is no keras.ops.blurr"),
        (
            "import keras\nmodel = keras.Sequential([])\nmodel.fit(x, epoch=3)",
            "keras.Sequential.fit has no epoch=",
        ),
        (
            "import keras\nkeras.Sequential([keras.layers.Flaten()])",
            "there is no keras.layers.Flaten",
        ),
        ("import keras\nclass A(keras.Module): pass", "there is no keras.Module"),
        (
            "import keras\nkeras.constraints.MaxNorm(1, 2, 3)",
            "keras.constraints.MaxNorm takes no 3 values",
        ),
        ("import keras\nmodel.fit(", "no Python"),
        ("if True:\nx = 1", "no Python"),
    ];
    for (script, expected) in rows {
        let found = problems(script, Framework::Keras, &names);
        assert_eq!(found.len(), 1, "{script}: {found:?}");
        assert!(found[0].starts_with(expected), "{script}: {found:?}");
    }
    let rows = [
        ("from torch import nn\nnn.Conv2D(3, 4, 3)", "there is no torch.nn.Conv2D"),
        ("from torch import nn\nnn.Conv2d(3, 4, 3, strides=2)", "torch.nn.Conv2d has no strides="),
        (
            "import torch\ntorch.optim.SGD(model.parameters(), learning_rate=1)",
            "torch.optim.SGD has no learning_rate=",
        ),
        ("import torch\nmodel.training_mode()", "there is no torch.nn.Sequential.training_mode"),
        ("import torch\noptimizer.zero_grads()", "there is no torch.optim.Adam.zero_grads"),
    ];
    for (script, expected) in rows {
        assert_eq!(problems(script, Framework::PyTorch, &names), [expected], "{script}");
    }
}

/// The corpus must change every field: otherwise nobody has run the script of that field.
#[test]
fn the_corpus_has_every_kind_of_every_field() {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, experiment) in corpus() {
        visit(&serde_json::to_value(&experiment).unwrap(), String::new(), &mut seen);
    }
    // Every script contains these fields.
    let numbers = ["dataset.images", "training.batch_size", "training.epochs", "seed"];
    let mut missing = Vec::new();
    for field in fields() {
        let path = field.path;
        let values = |path: &str| seen.get(path).cloned().unwrap_or_default();
        match field.kind {
            FieldKind::Number(_) | FieldKind::Flag
                if !numbers.contains(&path) && values(path).len() < 2 =>
            {
                missing.push(format!("{path} has one value"));
            }
            FieldKind::Choice(choices) => {
                for choice in choices() {
                    let (path, value) = match choice.value.get("type") {
                        Some(kind) => (format!("{path}.type"), kind.to_string()),
                        None => (path.to_string(), choice.value.to_string()),
                    };
                    if !values(&path).contains(&value) {
                        missing.push(format!("{path} is never {value}"));
                    }
                }
            }
            _ => {}
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Collects every value of every field, by the field's path without indices.
fn visit(value: &Value, path: String, seen: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            fields
                .iter()
                .for_each(|(name, inner)| visit(inner, format!("{path}{dot}{name}"), seen));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, format!("{path}[]"), seen)),
        leaf => {
            seen.entry(path).or_default().insert(leaf.to_string());
        }
    }
}
