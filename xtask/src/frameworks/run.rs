//! Runs experiments: each framework in its own processes, one script after the other, and Overfit Lab at the same time.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::outcome::{Outcomes, Run};
use super::{Case, Place};
use crate::step::run_quietly;

pub struct Task {
    pub program: PathBuf,
    pub python: PathBuf,
    pub driver: PathBuf,
    /// The folder for the scripts.
    pub folder: PathBuf,
    /// The most seconds per script.
    pub limit: u32,
    /// Processes per place.
    pub jobs: usize,
}

/// One seed of one case.
#[derive(Clone, Copy)]
struct Job<'a> {
    index: usize,
    case: &'a Case,
    seed: u32,
}

/// A message from a process.
enum Message {
    Version(Place, String),
    Done { place: Place, index: usize, seed: u32, run: Run },
}

impl Task {
    /// Runs every case with every seed in every place.
    pub fn run(&self, cases: &[Case], seeds: u32, places: &[Place]) -> Result<Outcomes> {
        let jobs = cases
            .iter()
            .enumerate()
            .flat_map(|(index, case)| (1..=seeds).map(move |seed| Job { index, case, seed }));
        let jobs: Vec<Job> = jobs.collect();
        let mut outcomes = Outcomes::new(cases, seeds);
        let (sender, messages) = channel();
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for &place in places {
                for worker in 0..self.jobs {
                    let share: Vec<Job> =
                        jobs.iter().skip(worker).step_by(self.jobs).copied().collect();
                    let sender = sender.clone();
                    workers.push(scope.spawn(move || match place {
                        Place::Here => self.run_here(&share, &sender),
                        framework => self.run_scripts(framework, &share, &sender),
                    }));
                }
            }
            drop(sender);
            for item in messages {
                match item {
                    Message::Version(place, version) => outcomes.versions.push((place, version)),
                    Message::Done { place, index, seed, run } => {
                        let name = &cases[index].name;
                        println!("    {:8} {name}, seed {seed}: {}", place.id(), run.text());
                        outcomes.add(index, place, seed, run);
                    }
                }
            }
            workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
        })?;
        Ok(outcomes)
    }

    fn program(&self, command: &str, job: &Job) -> Command {
        let mut program = Command::new(&self.program);
        program.args([command, &job.case.preset]).args(&job.case.settings);
        program.arg(format!("--seed={}", job.seed));
        if job.case.mended {
            program.arg("--mended");
        }
        program
    }

    fn run_here(&self, jobs: &[Job], messages: &Sender<Message>) -> Result<()> {
        for job in jobs {
            let lines = run_quietly(self.program("run", job).arg("--json"))?;
            let last: Value = serde_json::from_str(lines.lines().last().context("no result")?)?;
            let run = Run {
                accuracy: last["accuracy"].as_f64().unwrap_or(f64::NAN),
                loss: last["loss"].as_f64(),
                error: None,
            };
            let _ = messages.send(Message::Done {
                place: Place::Here,
                index: job.index,
                seed: job.seed,
                run,
            });
        }
        Ok(())
    }

    fn run_scripts(&self, place: Place, jobs: &[Job], messages: &Sender<Message>) -> Result<()> {
        let folder = self.folder.join(place.id());
        fs::create_dir_all(&folder)?;
        let mut scripts = Vec::new();
        for job in jobs {
            let twin = if job.case.mended { "-mended" } else { "" };
            let stem = if job.case.settings.is_empty() { &job.case.preset } else { &job.case.name };
            let path = folder.join(format!("{stem}{twin}-{}.py", job.seed));
            let script = run_quietly(self.program("code", job).args(["--framework", place.id()]))?;
            fs::write(&path, script)?;
            scripts.push(path);
        }
        let mut rest = jobs.iter().zip(&scripts).peekable();
        // A script that ends its process fails alone: a new process runs the rest.
        while rest.peek().is_some() {
            let paths: Vec<&Path> = rest.clone().map(|(_, path)| path.as_path()).collect();
            let mut driver = Command::new(&self.python)
                .arg(&self.driver)
                .args([place.id(), &self.limit.to_string()])
                .args(paths)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .with_context(|| format!("cannot start {}", self.python.display()))?;
            let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
            let Some(first) = lines.next() else {
                bail!("{} has no {}", self.python.display(), place.id());
            };
            let first: Value = serde_json::from_str(&first?)?;
            let version = first["version"].as_str().context("no version")?.to_string();
            let _ = messages.send(Message::Version(place, version));
            let done =
                |job: &Job, run| Message::Done { place, index: job.index, seed: job.seed, run };
            for line in lines {
                let Some((job, _)) = rest.next() else { break };
                let run = Run::of_driver(&serde_json::from_str(&line?)?);
                let _ = messages.send(done(job, run));
            }
            if !driver.wait()?.success()
                && let Some((job, _)) = rest.next()
            {
                let _ = messages.send(done(job, Run::failed("its process ended")));
            }
        }
        Ok(())
    }
}
