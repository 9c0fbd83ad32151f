//! Looks for known vulnerabilities of crates and npm packages by `cargo audit` and `npm audit`, where their databases are
//! available.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::project::{Project, cargo};
use crate::step::run_quietly;
use crate::tools::NPM;

/// The outcome of an audit without a finding; a vulnerability is an error.
pub enum Audit {
    Clean,
    /// The reason why the audit is not possible on this machine.
    NotPossible(String),
}

/// Checks the crates of Cargo.lock against the copy of RustSec's database on this machine: nothing is downloaded.
pub fn crates(project: &Project) -> Result<Audit> {
    let mut audit = Command::new(cargo());
    audit.arg("audit").current_dir(&project.root);
    if run_quietly(Command::new(cargo()).args(["audit", "--version"])).is_err() {
        return Ok(Audit::NotPossible("cargo-audit is not installed".into()));
    }
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    if !home.is_some_and(|home| home.join("advisory-db").is_dir()) {
        return Ok(Audit::NotPossible("RustSec's advisory-db is not in Cargo's home".into()));
    }
    run_quietly(audit.args(["--no-fetch", "--stale"]))?;
    Ok(Audit::Clean)
}

/// Checks the packages of the page and of the benchmark's peers, by npm's configured registry.
pub fn packages(project: &Project) -> Result<Audit> {
    for folder in ["www", "bench/peers"] {
        let output = Command::new(NPM)
            .args(["audit", "--json"])
            .current_dir(project.root.join(folder))
            .stdin(Stdio::null())
            .output()
            .context("cannot start npm")?;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        match report["metadata"]["vulnerabilities"]["total"].as_u64() {
            Some(0) => {}
            Some(count) => bail!("{count} vulnerabilities in {folder}: see `npm audit` there"),
            None => {
                let reason = report["message"].as_str().unwrap_or("no report");
                return Ok(Audit::NotPossible(format!(
                    "npm's registry answers: {}",
                    first_words(reason)
                )));
            }
        }
    }
    Ok(Audit::Clean)
}

/// A message without the address at its end.
fn first_words(message: &str) -> &str {
    message.split(" - ").next().unwrap_or(message)
}
