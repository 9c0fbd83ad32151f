//! The results of all runs: counted, compared, printed and written down.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;

use super::{Case, Place};
use crate::project::Project;

/// The result of one run.
#[derive(Clone)]
pub struct Run {
    /// The accuracy of the trained network on its training images.
    pub accuracy: f64,
    /// The loss, or nothing if it is not a finite number.
    pub loss: Option<f64>,
    pub error: Option<String>,
}

impl Run {
    /// The result in a line of run.py's output.
    pub fn of_driver(line: &Value) -> Self {
        match line["error"].as_str() {
            Some(error) => Self::failed(error),
            None => Self {
                accuracy: line["accuracy"].as_f64().unwrap_or(f64::NAN),
                loss: line["loss"].as_f64(),
                error: None,
            },
        }
    }

    pub fn failed(error: &str) -> Self {
        Self { accuracy: f64::NAN, loss: None, error: Some(error.into()) }
    }

    pub fn text(&self) -> String {
        match &self.error {
            Some(_) => "failed".into(),
            None => format!("accuracy {:.4}, loss {}", self.accuracy, loss_text(self.loss)),
        }
    }
}

fn loss_text(loss: Option<f64>) -> String {
    loss.map_or("NaN".into(), |loss| format!("{loss:.4}"))
}

/// The runs of one case in one place, counted.
#[derive(Clone)]
pub struct Tally {
    pub memorised: u32,
    /// The median loss.
    pub loss: Option<f64>,
}

impl Tally {
    fn of(runs: &[Run]) -> Option<Self> {
        if runs.is_empty() || runs.iter().any(|run| run.error.is_some()) {
            return None;
        }
        // NaN is worse than any number.
        let mut losses: Vec<f64> =
            runs.iter().map(|run| run.loss.unwrap_or(f64::INFINITY)).collect();
        losses.sort_by(f64::total_cmp);
        let middle = losses[losses.len() / 2];
        let memorised = runs.iter().filter(|run| run.accuracy > 0.99995).count() as u32;
        // The digits that a script prints, and no negative 0.
        let loss = middle.is_finite().then(|| (middle * 1e6).round() / 1e6 + 0.0);
        Some(Self { memorised, loss })
    }

    fn json(&self) -> Value {
        json!({ "memorised": self.memorised, "loss": self.loss })
    }
}

pub struct Outcomes {
    pub versions: Vec<(Place, String)>,
    names: Vec<String>,
    seeds: u32,
    /// The runs of each case, with place and seed.
    runs: Vec<Vec<(Place, u32, Run)>>,
}

impl Outcomes {
    pub fn new(cases: &[Case], seeds: u32) -> Self {
        let names = cases.iter().map(|case| case.name.clone()).collect();
        Self { versions: Vec::new(), names, seeds, runs: vec![Vec::new(); cases.len()] }
    }

    pub fn add(&mut self, case: usize, place: Place, seed: u32, run: Run) {
        self.runs[case].push((place, seed, run));
    }

    fn tally(&self, case: usize, place: Place) -> Option<Tally> {
        let runs = self.runs[case].iter().filter(|(of, ..)| *of == place);
        let runs: Vec<Run> = runs.map(|(.., run)| run.clone()).collect();
        Tally::of(&runs)
    }

    /// A line for each run that failed.
    pub fn errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        for (name, runs) in self.names.iter().zip(&self.runs) {
            for (place, seed, run) in runs {
                if let Some(error) = &run.error {
                    errors.push(format!("{name}, seed {seed}, in {}: {error}", place.id()));
                }
            }
        }
        errors
    }
}

/// Prints the number of memorised runs and the median loss, one column per place.
pub fn print_table(cases: &[Case], outcomes: &Outcomes, places: &[Place]) {
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
    print!("\n{:width$}", "");
    places.iter().for_each(|place| print!("  {:>14}", place.id()));
    println!();
    for (index, case) in cases.iter().enumerate() {
        print!("{:width$}", case.name);
        for &place in places {
            let text = outcomes.tally(index, place).map_or("-".into(), |tally| {
                format!("{} of {}  {:>7}", tally.memorised, outcomes.seeds, loss_text(tally.loss))
            });
            print!("  {text:>14}");
        }
        println!();
    }
}

/// The cases in which a framework's result differs from ours.
pub fn disagreements(cases: &[Case], outcomes: &Outcomes) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let Some(here) = outcomes.tally(index, Place::Here) else { continue };
        for place in Place::FRAMEWORKS {
            let Some(there) = outcomes.tally(index, place) else { continue };
            if differ(&here, &there, outcomes.seeds) {
                let text = |tally: &Tally| {
                    format!("{} memorised, loss {}", tally.memorised, loss_text(tally.loss))
                };
                lines.push(format!(
                    "{}: here {}; {} {}",
                    case.name,
                    text(&here),
                    place.id(),
                    text(&there)
                ));
            }
        }
    }
    lines
}

/// Whether the numbers of memorised runs differ by two or more, or the losses by more than chance.
fn differ(here: &Tally, there: &Tally, seeds: u32) -> bool {
    if here.memorised.abs_diff(there.memorised) >= seeds.min(2) {
        return true;
    }
    match (here.loss, there.loss) {
        (Some(here), Some(there)) => (here - there).abs() > 0.05 + 0.1 * here.max(there),
        (here, there) => here.is_some() != there.is_some(),
    }
}

/// Updates `outcomes.json`: rows of other presets, and results of a framework that was not run, stay.
pub fn write_checks(
    project: &Project,
    cases: &[Case],
    outcomes: &Outcomes,
    seeds: u32,
) -> Result<()> {
    let path = project.root.join("src/checks/outcomes.json");
    let mut checks: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    for (place, version) in &outcomes.versions {
        checks[place.id()] = json!(version);
    }
    checks["seeds"] = json!(seeds);
    let rows = checks["rows"].as_array_mut().context("no rows")?;
    for (index, case) in cases.iter().enumerate() {
        let known = rows
            .iter()
            .position(|row| row["preset"] == case.preset.as_str() && row["mended"] == case.mended);
        let mut row = known
            .map_or(json!({ "preset": case.preset, "mended": case.mended }), |at| rows[at].clone());
        for place in [Place::Here, Place::Keras, Place::PyTorch] {
            if let Some(tally) = outcomes.tally(index, place) {
                row[place.id()] = tally.json();
            }
        }
        let whole = ["here", "keras", "pytorch"].iter().all(|id| !row[id].is_null());
        match known {
            Some(at) => rows[at] = row,
            None if whole => rows.push(row),
            None => println!("{}: not written down, because it was not run everywhere", case.name),
        }
    }
    let lines: Vec<String> = rows.iter().map(|row| format!("    {row}")).collect();
    let version = |place: Place| &checks[place.id()];
    let text = format!(
        "{{\n  \"keras\": {},\n  \"pytorch\": {},\n  \"seeds\": {seeds},\n  \"rows\": [\n{}\n  ]\n}}\n",
        version(Place::Keras),
        version(Place::PyTorch),
        lines.join(",\n")
    );
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
