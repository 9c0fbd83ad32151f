//! Trains an experiment natively, one epoch for each line on standard input, and prints a line of JSON after each: the native
//! program as a contender of the benchmark. The first line names the experiment and the backend.

use overfit_lab::experiment::Experiment;
use overfit_lab::training::TrainingSession;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut lines = std::io::stdin().lock().lines();
    let order: Value = serde_json::from_str(&lines.next().ok_or("no experiment")??)?;
    let experiment = Experiment::from_json(&order["experiment"].to_string())?;
    let backend = order["backend"].as_str().ok_or("no backend")?;
    let mut session = TrainingSession::new(experiment, backend)?;
    say(&json!({ "threads": 1 }))?;
    for line in lines {
        line?;
        let start = Instant::now();
        let metrics = session.run_epoch();
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        say(&json!({ "milliseconds": milliseconds, "loss": metrics.loss }))?;
    }
    Ok(())
}

fn say(answer: &Value) -> std::io::Result<()> {
    println!("{answer}");
    std::io::stdout().flush()
}
