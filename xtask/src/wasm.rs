//! The first half of the build: the crate as a wasm package in `pkg/`, as a bare `wasm-pack build` writes it.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_bindgen_cli_support::Bindgen;

use crate::project::{LIBRARY, Project, cargo};
use crate::stamp::Stamp;
use crate::step::{run, step};
use crate::tools::WASM;

/// The profiles for a site: one for development, one for publishing.
pub const PROFILES: [&str; 2] = ["release", PUBLISHED];
pub const PUBLISHED: &str = "dist";

/// The licences, which are copied into the package.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
/// All files that are copied into the package.
const COPIED: [&str; 3] = [LICENCES[0], LICENCES[1], "README.md"];

/// Compiles the crate for wasm32; returns the file that cargo wrote.
pub fn compile(project: &Project, profile: &str, features: Option<&str>) -> Result<PathBuf> {
    let note = if profile == PUBLISHED {
        "fully optimised: several minutes"
    } else {
        "a few minutes the first time"
    };
    step(&format!("Compiling the crate to WebAssembly, profile {profile} ({note})"), || {
        let mut build = Command::new(cargo());
        build
            .args(["build", "--lib", "--target", WASM, "--profile", profile])
            .current_dir(&project.root);
        // A page needs one backend; the others, which only tests and the benchmark compare it with, stay out of the published site.
        if profile == PUBLISHED {
            build.arg("--no-default-features");
        }
        if let Some(features) = features {
            build.args(["--features", features]);
        }
        run(&mut build)
    })?;
    Ok(project.target.join(WASM).join(profile).join(LIBRARY).with_extension("wasm"))
}

/// Writes a package into a folder: the wasm, its JavaScript and its TypeScript types. `small` leaves out the functions' names,
/// which only stack traces show.
pub fn package(project: &Project, wasm: &Path, folder: &Path, small: bool) -> Result<()> {
    let copied = COPIED.map(|name| project.root.join(name));
    let lock = project.root.join("Cargo.lock");
    let mut inputs: Vec<&Path> = vec![wasm, &lock];
    inputs.extend(copied.iter().map(PathBuf::as_path));
    let name = format!("package-{}", folder.file_name().unwrap_or_default().display());
    let stamp = Stamp::new(project, &name, &inputs, &[folder]);
    if stamp.is_fresh() {
        return Ok(());
    }
    step(&format!("Writing the wasm package into {}", folder.display()), || {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context(format!("cannot empty {}", folder.display()));
            }
            _ => fs::create_dir_all(folder)?,
        }
        Bindgen::new()
            .input_path(wasm)
            .typescript(true)
            .remove_name_section(small)
            .generate(folder)?;
        fs::write(
            folder.join("package.json"),
            serde_json::to_string_pretty(&package_json(&project.manifest))?,
        )?;
        for (name, file) in COPIED.iter().zip(&copied) {
            fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
        }
        stamp.refresh()
    })
}

fn package_json(manifest: &Value) -> Value {
    let file = |suffix: &str| format!("{LIBRARY}{suffix}");
    json!({
        "name": manifest["name"],
        "type": "module",
        "description": manifest["description"],
        "version": manifest["version"],
        "license": manifest["license"],
        "files": [file("_bg.wasm"), file(".js"), file("_bg.js"), file(".d.ts"), LICENCES[0], LICENCES[1]],
        "main": file(".js"),
        "types": file(".d.ts"),
        "sideEffects": [format!("./{}", file(".js")), "./snippets/*"],
    })
}
