//! The second half of the build: the page around the wasm package, as a folder of static files.

use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::project::Project;
use crate::stamp::Stamp;
use crate::step::{run_quietly, seconds, step};
use crate::{tools, wasm};

/// What to build, and where it goes.
pub struct Site {
    profile: String,
    features: Option<String>,
    folder: PathBuf,
}

impl Site {
    /// The site that `serve` shows and the tests drive.
    pub fn for_work(project: &Project, profile: &str, features: Option<String>) -> Self {
        Self { profile: profile.to_owned(), features, folder: project.www.join("dist") }
    }

    /// The site to put on a host.
    pub fn for_publishing(project: &Project, features: Option<String>) -> Self {
        Self { profile: wasm::PUBLISHED.to_owned(), features, folder: project.root.join("dist") }
    }
}

/// Builds the wasm package and the page; npm fetches its packages while the crate compiles. The result is the site's folder.
pub fn build_site(project: &Project, site: &Site) -> Result<PathBuf> {
    tools::need_node()?;
    tools::need_wasm_target()?;
    thread::scope(|scope| -> Result<()> {
        let packages = scope.spawn(|| install_packages(project));
        let compiled = wasm::compile(project, &site.profile, site.features.as_deref())?;
        wasm::package(project, &compiled, site.profile == wasm::PUBLISHED)?;
        packages.join().expect("the thread that runs npm does not panic")
    })?;
    bundle(project, site)?;
    Ok(site.folder.clone())
}

/// The page's npm packages, exactly those of package-lock.json.
pub fn install_packages(project: &Project) -> Result<()> {
    // npm writes this file last, so it is there only when everything is.
    let installed = project.www.join("node_modules/.package-lock.json");
    let stamp = Stamp::new(
        project,
        "npm",
        &[&project.www.join("package.json"), &project.www.join("package-lock.json")],
        &[&installed],
    );
    if stamp.is_fresh() {
        return Ok(());
    }
    println!("==> Installing the page's npm packages, meanwhile");
    let start = std::time::Instant::now();
    run_quietly(npm(project).args(["ci", "--no-audit", "--no-fund"]))
        .context("cannot install the page's npm packages")?;
    println!("    npm packages installed: {}", seconds(start.elapsed()));
    stamp.refresh()
}

fn bundle(project: &Project, site: &Site) -> Result<()> {
    let name = if site.folder.starts_with(&project.www) { "site" } else { "published-site" };
    let installed = project.www.join("node_modules/.package-lock.json");
    let stamp =
        Stamp::new(project, name, &[&project.www, &project.pkg, &installed], &[&site.folder]);
    if stamp.is_fresh() {
        println!("==> The page is up to date");
        return Ok(());
    }
    step("Building the page", || {
        run_quietly(
            npm(project)
                .args(["run", "build", "--", "--emptyOutDir", "--outDir"])
                .arg(&site.folder),
        )?;
        stamp.refresh()
    })
}

/// npm in the page's folder.
pub fn npm(project: &Project) -> Command {
    let mut npm = Command::new(tools::NPM);
    npm.current_dir(&project.www);
    npm
}
