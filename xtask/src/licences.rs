//! The licence notices of everything that a site contains: the crates in the wasm, and the page's npm package.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::{Project, cargo};
use crate::step::run_quietly;
use crate::tools::WASM;

/// The notices' name in the site.
pub const FILE: &str = "licences.txt";

/// The npm packages whose code is in the page; the others only build and test it.
const PAGE: [&str; 1] = ["uplot"];

/// Writes the notices into a site's folder.
pub fn write(project: &Project, site: &Path) -> Result<()> {
    let mut notices = crates(project)?;
    for name in PAGE {
        let folder = project.www.join("node_modules").join(name);
        let manifest: Value = serde_json::from_slice(&fs::read(folder.join("package.json"))?)?;
        notices.add(&manifest, &folder)?;
    }
    fs::write(site.join(FILE), notices.text()).context("cannot write the licence notices")
}

/// Packages by their licences, and by the texts that they bring.
#[derive(Default)]
struct Notices {
    licences: BTreeMap<String, String>,
    packages_by_text: BTreeMap<String, BTreeSet<String>>,
}

impl Notices {
    /// Adds a package by its manifest, with the texts in its folder.
    fn add(&mut self, manifest: &Value, folder: &Path) -> Result<()> {
        let field = |name: &str| manifest[name].as_str().unwrap_or_default();
        let package = format!("{} {}", field("name"), field("version"));
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            let is_notice = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"]
                .iter()
                .any(|start| name.starts_with(start));
            if is_notice && path.is_file() {
                let text = String::from_utf8_lossy(&fs::read(&path)?).replace("\r\n", "\n");
                let packages = self.packages_by_text.entry(text.trim().into()).or_default();
                packages.insert(package.clone());
            }
        }
        let licence = match field("license") {
            "" if manifest["license_file"].is_string() => "see its text below",
            licence => licence,
        };
        self.licences.insert(package, licence.into());
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "What this site contains, and under which licences. The WebAssembly also contains parts of Rust's standard library,\nby the Rust Project Developers, under MIT or Apache-2.0.\n\n",
        );
        for (package, licence) in &self.licences {
            text += &format!("{package}: {licence}\n");
        }
        for (notice, packages) in &self.packages_by_text {
            let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
            text += &format!("\n{}\n{}:\n\n{notice}\n", "-".repeat(80), packages.join(", "));
        }
        text
    }
}

/// The crates whose code is in the site's wasm: this project's, and what they depend on, but for macros.
fn crates(project: &Project) -> Result<Notices> {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--format-version", "1", "--no-default-features"]);
    command.args(["--filter-platform", WASM]).current_dir(&project.root);
    let metadata: Value = serde_json::from_str(&run_quietly(&mut command)?)?;
    let by_id = |list: &Value| -> BTreeMap<String, Value> {
        let entries = list.as_array().into_iter().flatten();
        entries
            .map(|entry| (entry["id"].as_str().unwrap_or_default().into(), entry.clone()))
            .collect()
    };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let root = metadata["resolve"]["root"].as_str().context("the workspace has a root package")?;
    let mut notices = Notices::default();
    let (mut seen, mut left) = (BTreeSet::new(), vec![root.to_string()]);
    while let Some(id) = left.pop() {
        let Some(package) = packages.get(&id) else { continue };
        if !seen.insert(id.clone()) || is_macro(package) {
            continue;
        }
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        notices.add(package, manifest.parent().context("a manifest lies in a folder")?)?;
        for dependency in nodes[&id]["deps"].as_array().into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
            // Not for building or testing.
            if kinds.clone().any(|kind| kind["kind"].is_null()) {
                left.push(dependency["pkg"].as_str().unwrap_or_default().into());
            }
        }
    }
    Ok(notices)
}

fn is_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    let mut kinds = targets.flat_map(|target| target["kind"].as_array().into_iter().flatten());
    kinds.any(|kind| kind == "proc-macro")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_of_the_wasm_has_a_licence_and_the_texts_are_there() {
        let notices = crates(&Project::find().unwrap()).unwrap();
        for (package, licence) in &notices.licences {
            assert!(!licence.is_empty(), "{package} names no licence");
        }
        let has = |name: &str| notices.licences.keys().any(|package| package.starts_with(name));
        assert!(has("overfit-lab ") && has("overfit-lab-kernels ") && has("burn ") && has("rand "));
        assert!(!has("clap ") && !has("serde_derive ") && !has("proptest "), "not in the wasm");
        assert!(notices.text().contains("Permission is hereby granted"));
    }
}
