//! The project's folders, and its manifest.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Project {
    /// The repository: the crate's own folder.
    pub root: PathBuf,
    /// The page's sources.
    pub www: PathBuf,
    /// The crate as an npm package, as `wasm-pack build` writes it.
    pub pkg: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// The crate's manifest, from `cargo metadata`.
    pub manifest: Value,
}

/// The crate's name in file names, as in `overfit_lab.wasm`.
pub const LIBRARY: &str = "overfit_lab";

impl Project {
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies inside the repository")?
            .to_owned();
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(&root)
            .output()
            .context("cannot run cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let mut metadata: Value = serde_json::from_slice(&output.stdout)?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target folder")?
            .into();
        let manifest = metadata["packages"]
            .as_array_mut()
            .and_then(|packages| {
                packages.iter_mut().find(|package| package["name"] == "overfit-lab")
            })
            .map(Value::take)
            .context("cargo metadata does not list overfit-lab")?;
        Ok(Self { www: root.join("www"), pkg: root.join("pkg"), target, manifest, root })
    }

    /// The folder for files that these commands keep between runs.
    pub fn cache(&self) -> PathBuf {
        self.target.join("xtask-cache")
    }
}

/// The cargo that runs this program.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}
