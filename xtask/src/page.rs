//! The second half of the build: the page around the wasm package, as a folder of static files.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::project::Project;
use crate::stamp::Stamp;
use crate::step::{run_quietly, seconds, step};
use crate::{licences, tools, wasm};

/// Builds the wasm package and the page; npm installs its packages while the crate compiles. Returns the site's folder: `dist/`
/// for the published profile, `www/dist/` otherwise.
pub fn build_site(project: &Project, profile: &str, features: Option<&str>) -> Result<PathBuf> {
    tools::need_node()?;
    tools::need_wasm_target()?;
    let published = profile == wasm::PUBLISHED;
    thread::scope(|scope| -> Result<()> {
        let packages = scope.spawn(|| install_packages(project));
        let compiled = wasm::compile(project, profile, features)?;
        wasm::package(project, &compiled, &project.pkg, published)?;
        packages.join().expect("the thread that runs npm does not panic")
    })?;
    let folder = if published { &project.root } else { &project.www }.join("dist");
    bundle(project, &folder, &format!("site-{profile}"))?;
    Ok(folder)
}

/// Installs the page's npm packages, exactly those of package-lock.json.
fn install_packages(project: &Project) -> Result<()> {
    let installed = packages_installed(project);
    let stamp = Stamp::new(
        project,
        "npm",
        &[&project.www.join("package.json"), &project.www.join("package-lock.json")],
        &[&installed],
    );
    if stamp.is_fresh() {
        return Ok(());
    }
    println!("==> Installing the page's npm packages at the same time");
    let start = std::time::Instant::now();
    run_quietly(npm(project).args(["ci", "--no-audit", "--no-fund"]))
        .context("cannot install the page's npm packages")?;
    println!("    npm packages installed: {}", seconds(start.elapsed()));
    stamp.refresh()
}

fn bundle(project: &Project, folder: &Path, name: &str) -> Result<()> {
    let installed = packages_installed(project);
    let stamp = Stamp::new(project, name, &[&project.www, &project.pkg, &installed], &[folder]);
    if stamp.is_fresh() {
        println!("==> The page is up to date");
        return Ok(());
    }
    step("Building the page", || {
        let words = ["run", "build", "--", "--emptyOutDir", "--outDir"];
        run_quietly(npm(project).args(words).arg(folder))?;
        licences::write(project, folder)?;
        stamp.refresh()
    })
}

/// npm writes this file last, so it exists only when all packages do.
fn packages_installed(project: &Project) -> PathBuf {
    project.www.join("node_modules/.package-lock.json")
}

/// npm in the page's folder.
pub fn npm(project: &Project) -> Command {
    let mut npm = Command::new(tools::NPM);
    npm.current_dir(&project.www);
    npm
}
