//! `cargo xtask frameworks`: compares experiments in Keras, in PyTorch and here. It runs their scripts as a person would, over a
//! few seeds, and writes the results of the presets down for the page.

#[path = "../../../tests/support/corpus.rs"]
mod corpus;
mod outcome;
mod run;

use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::contenders;
use crate::project::{Project, cargo};
use crate::step::{run_quietly, step};
use outcome::{Outcomes, disagreements, print_table, write_checks};
use run::Task;

#[derive(Args)]
pub struct FrameworksArgs {
    /// Run only these presets.
    #[arg(long = "preset", value_name = "ID")]
    presets: Vec<String>,
    /// Run only this framework, and Overfit Lab.
    #[arg(long, value_name = "ID", value_parser = ["keras", "pytorch"])]
    framework: Option<String>,
    /// Parallel processes of each framework, with one thread each.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// The most seconds that a script may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    limit: u32,
    /// Instead of presets, run the small experiments that cover every kind of every field, once each. Writes nothing down.
    #[arg(long, conflicts_with_all = ["presets", "names"])]
    corpus: bool,
    /// Only compute the fixtures that `tests/keras_parity.rs` compares with, in Keras.
    #[arg(long, conflicts_with_all = ["presets", "framework", "corpus", "names"])]
    fixtures: bool,
    /// Compute only these fixtures.
    #[arg(long = "case", value_name = "NAME", requires = "fixtures")]
    cases: Vec<String>,
    /// Write the fixtures to this folder instead of tests/fixtures/keras.
    #[arg(long, value_name = "FOLDER", requires = "fixtures")]
    out: Option<PathBuf>,
    /// Add this number to every tensor id of the fixtures, which gives other images, labels and weights.
    #[arg(long, value_name = "NUMBER", requires = "fixtures", default_value_t = 0)]
    offset: u32,
    /// Only write down the names that these versions of the frameworks have, which `tests/scripts.rs` compares with.
    #[arg(long)]
    names: bool,
}

/// The number of seeds over which a preset is run.
const SEEDS: u32 = 3;
const CORPUS: &str = "tests/fixtures/corpus.txt";
const NAMES: &str = "tests/fixtures/python_names.json";
/// The script that computes the fixtures of `tests/keras_parity.rs`, in the fixtures' folder.
const MAKE_FIXTURES: &str = "tests/fixtures/keras/make.py";

/// One experiment, as arguments of the program.
#[derive(Clone)]
pub struct Case {
    /// The experiment's name in the table.
    pub name: String,
    pub preset: String,
    pub mended: bool,
    /// Further arguments of the program.
    pub settings: Vec<String>,
}

/// The program in which an experiment runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    Here,
    Keras,
    PyTorch,
}

impl Place {
    pub const FRAMEWORKS: [Self; 2] = [Self::Keras, Self::PyTorch];

    /// The id in `outcomes.json` and in the program's arguments.
    pub fn id(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Keras => "keras",
            Self::PyTorch => "pytorch",
        }
    }
}

pub fn frameworks(project: &Project, args: &FrameworksArgs) -> Result<ExitCode> {
    let python = contenders::need_frameworks(project)?;
    if args.names {
        let names = run_quietly(Command::new(&python).arg("xtask/frameworks/names.py"))?;
        fs::write(project.root.join(NAMES), names)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.fixtures {
        step("Computing fixtures in Keras", || {
            crate::step::run(&mut make_fixtures(project, &python, args))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    step("Compiling the native program", || {
        // The same build as the tests: nothing is compiled twice.
        let words = ["build", "--release", "--features", "ndarray", "--tests", "--bins", "--quiet"];
        crate::step::run(Command::new(cargo()).args(words).current_dir(&project.root))
    })?;
    let program =
        project.target.join("release/overfit-lab").with_extension(std::env::consts::EXE_EXTENSION);
    let cases = match args.corpus {
        true => corpus_cases(&fs::read_to_string(project.root.join(CORPUS))?)?,
        false => presets(&program, &args.presets)?,
    };
    let seeds = if args.corpus { 1 } else { SEEDS };
    let mut places = vec![Place::Here];
    places.extend(
        Place::FRAMEWORKS
            .into_iter()
            .filter(|place| args.framework.as_deref().is_none_or(|id| id == place.id())),
    );
    let task = Task {
        program,
        python,
        driver: project.root.join("xtask/frameworks/run.py"),
        folder: project.target.join("frameworks"),
        limit: args.limit,
        jobs: args.jobs as usize,
    };
    let outcomes: Outcomes = step("Running", || task.run(&cases, seeds, &places))?;
    print_table(&cases, &outcomes, &places);
    let errors = outcomes.errors();
    if !args.corpus {
        write_checks(project, &cases, &outcomes, seeds)?;
    }
    println!();
    for line in disagreements(&cases, &outcomes) {
        println!("differs: {line}");
    }
    for error in &errors {
        println!("error: {error}");
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn make_fixtures(project: &Project, python: &Path, args: &FrameworksArgs) -> Command {
    let mut make = Command::new(python);
    make.arg(project.root.join(MAKE_FIXTURES)).arg(format!("--offset={}", args.offset));
    if let Some(folder) = &args.out {
        make.arg("--out").arg(folder);
    }
    for name in &args.cases {
        make.args(["--case", name]);
    }
    make
}

/// Every preset and its fixed twin, or those in `wanted`.
fn presets(program: &Path, wanted: &[String]) -> Result<Vec<Case>> {
    let list = run_quietly(Command::new(program).arg("presets"))?;
    // Only presets are indented; titles of groups are not.
    let ids = list.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let ids: Vec<&str> = ids.collect();
    if let Some(unknown) = wanted.iter().find(|id| !ids.contains(&id.as_str())) {
        bail!("there is no preset {unknown}; the presets are {}", ids.join(", "));
    }
    let mut cases = Vec::new();
    for id in ids.into_iter().filter(|id| wanted.is_empty() || wanted.iter().any(|name| name == id))
    {
        let case =
            |name: String, mended| Case { name, preset: id.into(), mended, settings: Vec::new() };
        cases.push(case(id.into(), false));
        if run_quietly(Command::new(program).args(["show", id, "--mended"])).is_ok() {
            cases.push(case(format!("{id}, mended"), true));
        }
    }
    Ok(cases)
}

/// Example 1 with the settings of each case of the corpus.
fn corpus_cases(text: &str) -> Result<Vec<Case>> {
    let case = |case: corpus::Case| Case {
        name: case.name.into(),
        preset: "example-1".into(),
        mended: false,
        settings: case.settings.iter().map(|setting| format!("--set={setting}")).collect(),
    };
    let cases: Vec<Case> = corpus::corpus(text).into_iter().map(case).collect();
    cases.first().context("the corpus is empty")?;
    Ok(cases)
}
