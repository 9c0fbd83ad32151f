//! The native program: arguments, progress and printing.

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use overfit_lab::backend::{default_backend, prefer_portable};
use overfit_lab::causes;
use overfit_lab::diagnosis::{RunEvent, RunResult};
use overfit_lab::experiment::{EpochCost, Experiment, shown};
use overfit_lab::presets::{self, Preset, PresetGroup};
use overfit_lab::run::{EpochReport, Run};
use overfit_lab::script::{self, Framework};
use overfit_lab::training::{EpochMetrics, InferenceMetrics};
use serde::Serialize;

/// Trains small CNNs on a handful of images, true to Keras, and says whether they memorised them.
#[derive(Parser)]
#[command(name = "overfit-lab", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains an experiment and prints the result.
    Run(RunArguments),
    /// Prints an experiment as JSON with every field; `run` accepts it as a file.
    Show(Chosen),
    /// Prints an experiment as a Keras or PyTorch script that does the same.
    Code(Code),
    /// Lists the presets.
    Presets,
}

/// The choice of an experiment.
#[derive(clap::Args)]
struct Chosen {
    /// A preset's id, such as example-1, or the path of an experiment's JSON file.
    experiment: String,
    /// Uses a preset without its mistake.
    #[arg(long)]
    mended: bool,
    /// Decides images, labels, weights and batch order; the same as --set seed=N.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    seed: Option<String>,
    /// The same as --set training.epochs=N.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    epochs: Option<String>,
    /// Sets one field by its path, for example training.learning_rate=0.01; may be repeated.
    #[arg(long = "set", value_name = "FIELD=VALUE", allow_hyphen_values = true)]
    set: Vec<String>,
}

#[derive(clap::Args)]
struct Code {
    #[command(flatten)]
    chosen: Chosen,
    /// The framework of the script: keras or pytorch.
    #[arg(long, value_name = "ID")]
    framework: String,
}

#[derive(clap::Args)]
struct RunArguments {
    #[command(flatten)]
    chosen: Chosen,
    /// The backend that computes.
    #[arg(long, default_value = default_backend())]
    backend: String,
    /// Prints only JSON: one object per epoch and one at the end.
    #[arg(long)]
    json: bool,
    /// Computes with the instructions that every machine has, slower, for the same bits as in a browser.
    #[arg(long)]
    portable: bool,
}

/// The kind of clap's answer to a call without a command: the help.
const NO_COMMAND: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && error.kind() != NO_COMMAND => {
            // One line, as for all bad input: clap's first paragraph, which may list arguments. The other lines are usage.
            let text = error.to_string();
            let paragraph = text.lines().map(str::trim).take_while(|line| !line.is_empty());
            tell(&format!("{} (try --help)", paragraph.collect::<Vec<_>>().join(" ")));
            return ExitCode::from(2);
        }
        Err(help) if help.use_stderr() => {
            tell(&help.to_string());
            return ExitCode::from(2);
        }
        Err(help) => return exit_code(print_help(&help.to_string())),
    };
    let outcome = match arguments.command {
        Command::Run(arguments) => run(&arguments),
        Command::Show(arguments) => show(&arguments),
        Command::Code(arguments) => code(&arguments),
        Command::Presets => list_presets(),
    };
    exit_code(outcome)
}

fn exit_code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Input(message)) => {
            tell(&message.replace('\n', " "));
            ExitCode::from(2)
        }
        // The reader of the output closed the pipe, as `head` does.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => {
            tell(&format!("Writing failed: {error}."));
            ExitCode::FAILURE
        }
    }
}

/// Writes a line to standard error. An error is ignored, because the run and its exit code matter more than the line.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", line.trim_end());
}

fn print_help(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// The reason why the program ends early.
enum Failure {
    /// Bad input, in one line.
    Input(String),
    Output(std::io::Error),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn list_presets() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let all = presets::presets();
    let width = all.iter().map(|preset| preset.id.len()).max().unwrap_or_default();
    for group in PresetGroup::ALL {
        let members = all.iter().filter(|preset| preset.group == group);
        for (index, preset) in members.enumerate() {
            if index == 0 {
                writeln!(out, "{}", group.title())?;
            }
            writeln!(out, "  {:width$}  {}", preset.id, preset.summary)?;
        }
    }
    Ok(())
}

fn show(arguments: &Chosen) -> Result<(), Failure> {
    let (_, experiment) = experiment(arguments)?;
    writeln!(std::io::stdout().lock(), "{}", experiment.to_json())?;
    Ok(())
}

/// Prints the script of a valid experiment; an invalid one has no script.
fn code(arguments: &Code) -> Result<(), Failure> {
    let framework = Framework::of(&arguments.framework).ok_or_else(|| {
        let ids = Framework::ALL.map(|framework| framework.choice().id).join(", ");
        let given = &arguments.framework;
        Failure::Input(format!("framework: {given} is not allowed; it must be one of {ids}."))
    })?;
    let (_, experiment) = experiment(&arguments.chosen)?;
    if let Err(problems) = experiment.validate() {
        return Err(Failure::Input(problems[0].to_string()));
    }
    let mut out = std::io::stdout().lock();
    for line in script::lines(&experiment, framework) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn run(arguments: &RunArguments) -> Result<(), Failure> {
    if arguments.portable {
        prefer_portable();
    }
    let (preset, experiment) = experiment(&arguments.chosen)?;
    let seed = experiment.seed;
    let mut run = Run::new(experiment, &arguments.backend)
        .map_err(|problem| Failure::Input(problem.to_string()))?;
    for warning in causes::warnings(run.experiment()) {
        tell(&format!("Warning: {}", warning.message));
    }
    if let Some(note) = EpochCost::of(run.experiment()).slow_note() {
        tell(&format!("Note: {note}"));
    }
    let mut report: Box<dyn Report> =
        if arguments.json { Box::new(JsonLines) } else { Box::new(Words::new(&run)) };
    while !run.finished() {
        let EpochReport { metrics, events } = run.next_epoch();
        report.epoch(&metrics, &events)?;
    }
    report.result(&run.result(), preset.as_deref(), seed)?;
    Ok(())
}

/// The experiment that the arguments describe, and the id of its preset if it has one.
fn experiment(arguments: &Chosen) -> Result<(Option<String>, Experiment), Failure> {
    let name = &arguments.experiment;
    let preset = presets::preset(name);
    let id = preset.as_ref().map(|preset| preset.id.to_string());
    let mut experiment = match (preset, arguments.mended) {
        (Some(preset), false) => preset.experiment,
        (Some(Preset { mistake: Some(mistake), .. }), true) => mistake.mended,
        (None, false) => read(name)?,
        (_, true) => {
            let message = format!("--mended: {name} is not a preset with a mistake.");
            return Err(Failure::Input(message));
        }
    };
    let shorthands = [("seed", &arguments.seed), ("training.epochs", &arguments.epochs)];
    let shorthands =
        shorthands.iter().filter_map(|(field, value)| Some((*field, value.as_deref()?)));
    let settings: Result<Vec<_>, _> = arguments.set.iter().map(|setting| split(setting)).collect();
    for (field, value) in shorthands.chain(settings?) {
        experiment.set(field, value).map_err(|problem| Failure::Input(problem.to_string()))?;
    }
    Ok((id, experiment))
}

/// A limit in bytes above every experiment, which has at most 64 layers.
const LARGEST_FILE: u64 = 1 << 20;

fn read(path: &str) -> Result<Experiment, Failure> {
    let name = shown(path);
    let bytes = first_bytes(path).map_err(|error| {
        let near = nearest_preset(path).map_or(String::new(), |id| format!("Did you mean {id}? "));
        Failure::Input(format!(
            "experiment: {name} is neither a preset nor a readable file ({error}). {near}`overfit-lab presets` lists the presets."
        ))
    })?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Failure::Input(format!("{name}: the file is larger than 1 MiB.")));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| Failure::Input(format!("{name}: the file is not text: {error}.")))?;
    Experiment::from_json(&text).map_err(|problem| Failure::Input(format!("{name}: {problem}")))
}

/// The bytes of a file, up to one more than the largest allowed file has.
fn first_bytes(path: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The preset whose id is similar to `name`.
fn nearest_preset(name: &str) -> Option<&'static str> {
    const ALIKE: f64 = 0.85;
    let name = name.to_lowercase();
    let alike = |id: &str| strsim::jaro_winkler(&name, id);
    let presets = presets::presets().into_iter().map(|preset| (alike(preset.id), preset.id));
    let nearest = presets.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (nearest.0 >= ALIKE).then_some(nearest.1)
}

fn split(setting: &str) -> Result<(&str, &str), Failure> {
    setting.split_once('=').ok_or_else(|| {
        let setting = shown(setting);
        Failure::Input(format!("--set {setting}: it must be FIELD=VALUE, such as seed=2."))
    })
}

/// The output format of a run.
trait Report {
    fn epoch(&mut self, metrics: &EpochMetrics, events: &[RunEvent]) -> std::io::Result<()>;
    fn result(
        &mut self,
        result: &RunResult,
        preset: Option<&str>,
        seed: u32,
    ) -> std::io::Result<()>;
}

/// Text for a person: a progress bar and events on a terminal, then the article's line, the verdict and the findings.
struct Words {
    bar: ProgressBar,
}

impl Words {
    fn new(run: &Run) -> Self {
        let bar = ProgressBar::new(u64::from(run.experiment().training.epochs));
        let style = "{bar:30} epoch {pos} of {len}  {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
        Self { bar }
    }
}

impl Report for Words {
    fn epoch(&mut self, metrics: &EpochMetrics, events: &[RunEvent]) -> std::io::Result<()> {
        let right = metrics.judged_right();
        let images = metrics.predicted.len();
        self.bar.set_message(format!("loss {:.4}  {right} of {images} right", metrics.loss));
        self.bar.set_position(u64::from(metrics.epoch));
        if std::io::stderr().is_terminal() {
            for event in events {
                self.bar.println(format!("epoch {:4}: {}", event.epoch, event.text));
            }
        }
        Ok(())
    }

    fn result(&mut self, result: &RunResult, _: Option<&str>, _: u32) -> std::io::Result<()> {
        self.bar.finish_and_clear();
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", result.article_line)?;
        writeln!(out, "{}", result.headline)?;
        for finding in &result.findings {
            writeln!(out, "{}", finding.text)?;
        }
        Ok(())
    }
}

/// JSON for a program, one object per line. JSON has no NaN or infinity and writes null for them.
struct JsonLines;

#[derive(Serialize)]
struct EpochLine<'a> {
    kind: &'static str,
    epoch: u32,
    loss: f64,
    accuracy: f64,
    images_right: u32,
    inference: Option<InferenceMetrics>,
    learning_rate: f64,
    gradient_norm: f64,
    milliseconds: f64,
    events: &'a [RunEvent],
}

#[derive(Serialize)]
struct ResultLine<'a> {
    kind: &'static str,
    preset: Option<&'a str>,
    seed: u32,
    #[serde(flatten)]
    result: &'a RunResult,
}

impl Report for JsonLines {
    fn epoch(&mut self, metrics: &EpochMetrics, events: &[RunEvent]) -> std::io::Result<()> {
        print_line(&EpochLine {
            kind: "epoch",
            epoch: metrics.epoch,
            loss: metrics.loss,
            accuracy: metrics.accuracy,
            images_right: metrics.images_right,
            inference: metrics.inference,
            learning_rate: metrics.learning_rate,
            gradient_norm: metrics.gradient_norm,
            milliseconds: metrics.milliseconds,
            events,
        })
    }

    fn result(
        &mut self,
        result: &RunResult,
        preset: Option<&str>,
        seed: u32,
    ) -> std::io::Result<()> {
        print_line(&ResultLine { kind: "result", preset, seed, result })
    }
}

fn print_line(value: &impl Serialize) -> std::io::Result<()> {
    let text = serde_json::to_string(value).expect("plain numbers and words");
    writeln!(std::io::stdout().lock(), "{text}")
}
