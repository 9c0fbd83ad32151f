//! What came of experiments in Keras, in PyTorch and here: `cargo xtask frameworks`. Their scripts are run as a person would run
//! them, over a few seeds, and what the presets came to is written down for the page.

mod outcome;
mod run;

use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::process::{Command, ExitCode};

use crate::contenders;
use crate::project::{Project, cargo};
use crate::step::{run_quietly, step};
use outcome::{Outcomes, disagreements, print_table, write_checks};
use run::{Place, Task};

#[derive(Args)]
pub struct FrameworksArgs {
    /// Only these presets.
    #[arg(long = "preset", value_name = "ID")]
    presets: Vec<String>,
    /// Only this framework, beside ourselves.
    #[arg(long, value_name = "ID", value_parser = ["keras", "pytorch"])]
    framework: Option<String>,
    /// Processes at a time of each framework, with one thread each.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// Seconds that a script may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    limit: u32,
    /// Instead of presets, once each: the small experiments that have every kind of every field. Writes nothing down.
    #[arg(long, conflicts_with_all = ["presets", "names"])]
    corpus: bool,
    /// Only writes down the names that these versions of the frameworks have, which `tests/scripts.rs` compares with.
    #[arg(long)]
    names: bool,
}

/// Over how many seeds a preset is run.
const SEEDS: u32 = 3;
const CORPUS: &str = "tests/fixtures/corpus.txt";
const NAMES: &str = "tests/fixtures/python_names.json";

/// One experiment, as the program is told of it.
#[derive(Clone)]
pub struct Case {
    /// What the table calls it.
    pub name: String,
    pub preset: String,
    pub mended: bool,
    /// Further arguments.
    pub settings: Vec<String>,
}

pub fn frameworks(project: &Project, args: &FrameworksArgs) -> Result<ExitCode> {
    let python = contenders::need_frameworks(project)?;
    if args.names {
        let names = run_quietly(Command::new(&python).arg("xtask/frameworks/names.py"))?;
        fs::write(project.root.join(NAMES), names)?;
        return Ok(ExitCode::SUCCESS);
    }
    step("Compiling the native program", || {
        // The build that the tests are: nothing is compiled twice.
        let words = ["build", "--release", "--features", "ndarray", "--tests", "--bins", "--quiet"];
        crate::step::run(Command::new(cargo()).args(words).current_dir(&project.root))
    })?;
    let program =
        project.target.join("release/overfit-lab").with_extension(std::env::consts::EXE_EXTENSION);
    let cases = match args.corpus {
        true => corpus(&fs::read_to_string(project.root.join(CORPUS))?)?,
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

/// Every preset and its mended twin, or those that were asked for.
fn presets(program: &std::path::Path, wanted: &[String]) -> Result<Vec<Case>> {
    let list = run_quietly(Command::new(program).arg("presets"))?;
    // Titles of groups are not indented.
    let ids = list.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let ids: Vec<&str> = ids.collect();
    if let Some(unknown) = wanted.iter().find(|id| !ids.contains(&id.as_str())) {
        bail!("{unknown} is no preset: there are {}", ids.join(", "));
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

/// Names at the start of a line, each with a setting a line below it, indented. Those of `*` are everybody's.
fn corpus(text: &str) -> Result<Vec<Case>> {
    let mut common = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '*'])) {
        match (line.strip_prefix("  "), cases.last_mut()) {
            (Some(setting), Some(case)) => case.settings.push(format!("--set={setting}")),
            (Some(setting), None) => common.push(format!("--set={setting}")),
            (None, _) => cases.push(Case {
                name: line.into(),
                preset: "example-1".into(),
                mended: false,
                settings: common.clone(),
            }),
        }
    }
    cases.first().context("the corpus is empty")?;
    Ok(cases)
}
