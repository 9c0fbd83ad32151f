//! Measures the optimised site in headless Chromium. What is measured, and how, stands in `xtask/bench/bench.mjs`.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::page::{self, Site};
use crate::project::Project;
use crate::step::{run, step};
use crate::{tools, wasm};

#[derive(Args)]
pub struct BenchArgs {
    /// Write the figures to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Epochs to measure for each case, after a few to warm up.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    /// Cargo profile of the wasm: `dist` is what people get, `release` is quicker to build.
    #[arg(long, default_value = wasm::PUBLISHED, value_parser = wasm::PROFILES)]
    profile: String,
    /// Cargo features of the crate: `ndarray` measures that backend beside the default one.
    #[arg(long, value_name = "LIST")]
    features: Option<String>,
}

pub fn bench(project: &Project, args: &BenchArgs) -> Result<()> {
    let site = match args.profile.as_str() {
        wasm::PUBLISHED => Site::for_publishing(project, args.features.clone()),
        profile => Site::for_work(project, profile, args.features.clone()),
    };
    let site = page::build_site(project, &site)?;
    let browser = tools::need_browser()?;
    let scripts = project.root.join("xtask/bench");
    let peak = step("Compiling the multiply-add peak", || {
        compile_peak(project, &scripts.join("simd_peak.rs"))
    })?;
    let order = json!({
        "site": site, "pkg": project.pkg, "peak": peak, "www": project.www, "chromium": browser.chromium,
        "profile": args.profile, "epochs": args.epochs,
        "json": args.json.as_deref().map(std::path::absolute).transpose()?,
    });
    step("Measuring in headless Chromium", || {
        run(Command::new("node").arg(scripts.join("bench.mjs")).arg(order.to_string()))
    })
}

/// One file, no dependency, and no part of the site: rustc alone compiles it.
fn compile_peak(project: &Project, source: &Path) -> Result<PathBuf> {
    let wasm = project.notes().join("simd_peak.wasm");
    std::fs::create_dir_all(project.notes())?;
    run(Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "--target",
            tools::WASM,
            "-C",
            "target-feature=+simd128",
        ])
        .args(["-C", "opt-level=3", "-C", "panic=abort", "-o"])
        .args([&wasm, source]))?;
    Ok(wasm)
}
