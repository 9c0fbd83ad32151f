//! Downloads the frameworks that this project is compared with, once: Python frameworks into virtual environments, libraries for
//! the browser as npm packages.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

use crate::project::Project;
use crate::stamp::Stamp;
use crate::step::{run_quietly, step};
use crate::tools;

/// The oldest Python that Keras supports.
const PYTHON: (u32, u32) = (3, 11);
const PROGRAM: &str = if cfg!(windows) { "python" } else { "python3" };

/// Installs Keras in the version of bench/requirements.txt; returns its environment's Python.
pub fn need_keras(project: &Project) -> Result<PathBuf> {
    need_environment(project, "keras", "bench/requirements.txt")
}

/// Installs Keras and PyTorch in the versions of frameworks/requirements.txt, unless a Python that has them is given; returns the
/// Python.
pub fn need_frameworks(project: &Project) -> Result<PathBuf> {
    match std::env::var_os("OVERFIT_LAB_PYTHON") {
        Some(python) => Ok(python.into()),
        None => need_environment(project, "frameworks", "xtask/frameworks/requirements.txt"),
    }
}

/// Installs the packages that `requirements` lists into a virtual environment under target/; returns that environment's Python.
fn need_environment(project: &Project, name: &str, requirements: &str) -> Result<PathBuf> {
    let environment = project.target.join(format!("{name}-venv"));
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let list = project.root.join(requirements);
    let stamp = Stamp::new(project, name, &[&list], &[&python]);
    if stamp.is_fresh() {
        return Ok(python);
    }
    need_python()?;
    step(&format!("Installing {requirements} into target/{name}-venv, once"), || {
        run_quietly(Command::new(PROGRAM).args(["-m", "venv", "--clear"]).arg(&environment))
            .context(
                "cannot make a virtual environment: on Debian, install the package python3-venv",
            )?;
        let words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        run_quietly(Command::new(&python).args(words).arg(&list)).context(
            "cannot install the packages; TensorFlow may have no build for this Python or machine",
        )?;
        stamp.refresh()
    })?;
    Ok(python)
}

/// Installs the libraries for the browser, exactly those of bench/peers/package-lock.json; returns their folder.
pub fn need_peers(project: &Project) -> Result<PathBuf> {
    let folder = project.root.join("bench/peers");
    let packages = folder.join("node_modules");
    let stamp = Stamp::new(
        project,
        "peers",
        &[&folder.join("package.json"), &folder.join("package-lock.json")],
        // npm writes this file last.
        &[&packages.join(".package-lock.json")],
    );
    if !stamp.is_fresh() {
        step("Installing the libraries to compare with into bench/peers, once", || {
            let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
            run_quietly(Command::new(tools::NPM).args(words).current_dir(&folder))
                .context("cannot install the npm packages to compare with")?;
            stamp.refresh()
        })?;
    }
    Ok(packages)
}

fn need_python() -> Result<()> {
    let wanted = format!("install Python {}.{} or later", PYTHON.0, PYTHON.1);
    let print = "import sys; print(*sys.version_info[:2])";
    let Ok(version) = run_quietly(Command::new(PROGRAM).args(["-c", print])) else {
        bail!("{PROGRAM} not found: {wanted}");
    };
    let numbers: Vec<u32> =
        version.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if numbers < vec![PYTHON.0, PYTHON.1] {
        bail!("{PROGRAM} is Python {}: {wanted}", version.trim().replace(' ', "."));
    }
    Ok(())
}
