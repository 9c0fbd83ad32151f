//! Programs that must be on the machine: installed here if possible, otherwise named in one line for a person to install.

use anyhow::{Context, Result, anyhow, bail};
use std::env::consts::EXE_EXTENSION;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{Project, cargo};
use crate::step::{run, run_quietly, step};

pub const WASM: &str = "wasm32-unknown-unknown";
pub const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
const NODE: (u32, u32) = (20, 19);
const WASM_PACK: &str = "0.15.1";
/// The browser and its driver; without any font, the browser draws no text.
const DEBIAN: [&str; 3] = ["chromium", "chromium-driver", "fonts-liberation"];

/// Checks Node and npm, in the version that the page's tools need.
pub fn need_node() -> Result<()> {
    let version = run_quietly(Command::new("node").arg("--version"))
        .map_err(|_| anyhow!(install_node("Node.js not found")))?;
    let version = version.trim();
    let mut numbers =
        version.trim_start_matches('v').split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < NODE {
        bail!(install_node(&format!("Node.js {version} is too old")));
    }
    if find(NPM).is_none() {
        bail!(install_node("npm not found"));
    }
    Ok(())
}

fn install_node(problem: &str) -> String {
    format!("{problem}: install Node.js {}.{} or later, with npm", NODE.0, NODE.1)
}

/// Checks the standard library for wasm32; rustup installs it if it is missing.
pub fn need_wasm_target() -> Result<()> {
    let folder =
        run_quietly(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    step(&format!("Installing Rust's {WASM} target"), || {
        run(Command::new("rustup").args(["target", "add", WASM])).with_context(|| {
            format!("run `rustup target add {WASM}`, or install that target as your Rust came")
        })
    })
}

/// Checks rustfmt and clippy; rustup installs them if they are missing.
pub fn need_lints() -> Result<()> {
    let is_there = |tool| run_quietly(Command::new(cargo()).args([tool, "--version"])).is_ok();
    if is_there("fmt") && is_there("clippy") {
        return Ok(());
    }
    step("Installing rustfmt and clippy", || {
        run(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
    })
}

/// A browser and the program that drives it.
pub struct Browser {
    pub chromium: PathBuf,
    pub chromedriver: PathBuf,
}

/// Finds Chromium and its driver; installs Debian's packages if they are missing and this program may install them.
pub fn need_browser() -> Result<Browser> {
    if let Some(browser) = find_browser() {
        return Ok(browser);
    }
    let may_install = find("apt-get").is_some()
        && run_quietly(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if may_install {
        step(&format!("Installing Debian's packages {}", DEBIAN.join(", ")), || {
            let apt = |words: &[&str]| {
                run_quietly(
                    Command::new("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive"),
                )
            };
            apt(&["update", "-q"])?;
            apt(&[&["install", "-q", "-y", "--no-install-recommends"], &DEBIAN[..]].concat())
        })?;
    }
    find_browser().context("Chromium or chromedriver not found: install the packages chromium and chromium-driver (or Chrome and its driver)")
}

fn find_browser() -> Option<Browser> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find)?;
    Some(Browser { chromium, chromedriver: find("chromedriver")? })
}

/// wasm-pack: the one on PATH, or one compiled into target/tools. It downloads or compiles the wasm-bindgen programs that it needs
/// by itself, once for all projects.
pub fn need_wasm_pack(project: &Project) -> Result<PathBuf> {
    if let Some(installed) = find("wasm-pack") {
        return Ok(installed);
    }
    let tools = project.target.join("tools");
    let compiled = tools.join("bin/wasm-pack").with_extension(EXE_EXTENSION);
    if !compiled.is_file() {
        step(&format!("Compiling wasm-pack {WASM_PACK} into target/tools, once"), || {
            run(Command::new(cargo())
                .args([
                    "install",
                    "--locked",
                    "--quiet",
                    "--version",
                    WASM_PACK,
                    "wasm-pack",
                    "--root",
                ])
                .arg(&tools)
                .env("CARGO_TARGET_DIR", tools.join("build"))
                // wasm-pack only starts other programs: not worth optimising.
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"))
        })?;
    }
    Ok(compiled)
}

/// Finds a program on PATH.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| {
            [folder.join(program), folder.join(program).with_extension(EXE_EXTENSION)]
        })
        .find(|file| file.is_file())
}
