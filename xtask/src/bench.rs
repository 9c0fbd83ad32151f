//! Measures the optimised site in headless Chromium. `bench/bench.mjs` does the measuring.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::env::consts::EXE_EXTENSION;
use std::path::PathBuf;
use std::process::Command;

use crate::contenders;
use crate::page;
use crate::project::{Project, cargo};
use crate::serve::serve_in_background;
use crate::step::{run, step};
use crate::{tools, wasm};

/// The benchmark's package, whose example `turns` is the native contender.
const BENCH: &str = "overfit-lab-bench";
const NATIVE: &str = "turns";

#[derive(Args)]
pub struct BenchArgs {
    /// Also write the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Epochs to measure for each case, after a few for warm-up.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    /// Cargo profile of the wasm: `dist` is the published one, `release` is quicker to build.
    #[arg(long, default_value = wasm::PUBLISHED, value_parser = wasm::PROFILES)]
    profile: String,
    /// Cargo features of the crate; with `ndarray`, that backend is also measured.
    #[arg(long, value_name = "LIST")]
    features: Option<String>,
    /// Show path and time of convolutions of many shapes.
    #[arg(long)]
    shapes: bool,
    /// Also measure native Keras on one thread, epoch by epoch in turn; it is downloaded once.
    #[arg(long)]
    keras: bool,
    /// Also measure TensorFlow.js and jax-js, which takes some ten minutes; they are downloaded once.
    #[arg(long)]
    peers: bool,
    /// Also measure the crate compiled for this machine.
    #[arg(long)]
    native: bool,
    /// Measure the growth of time and memory with images, side and filters, and show which large experiments are refused.
    #[arg(long)]
    growth: bool,
    /// Compare every network preset, and dropout, augmentation and batch normalisation, with the arithmetic limit and, with
    /// `--keras`, with Keras.
    #[arg(long)]
    networks: bool,
    /// Draw the contenders' times to this SVG file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub fn bench(project: &Project, args: &BenchArgs) -> Result<()> {
    let site = page::build_site(project, &args.profile, args.features.as_deref())?;
    let package = package_to_measure(project, args)?;
    let browser = tools::need_browser()?;
    let keras = args.keras.then(|| contenders::need_keras(project)).transpose()?;
    let packages = args.peers.then(|| contenders::need_peers(project)).transpose()?;
    let native = args.native.then(|| compile_native(project)).transpose()?;
    let bundle = project.cache().join("peers");
    let scripts = project.root.join("bench");
    let kernels = compile_kernels(project, &args.profile)?;
    let mut folders = vec![
        ("site", site.clone()),
        ("pkg", package),
        ("bench", scripts.clone()),
        ("kernels", kernels),
    ];
    if let Some(packages) = packages {
        folders.extend([("peers", bundle.clone()), ("packages", packages)]);
    }
    // An isolated page has finer clocks and may use threads.
    let address = serve_in_background(folders, true)?;
    let order = json!({
        "address": address,
        "site": site,
        "www": project.www,
        "chromium": browser.chromium,
        "version": project.manifest["version"],
        "profile": args.profile,
        "epochs": args.epochs,
        "shapes": args.shapes,
        "growth": args.growth,
        "networks": args.networks,
        "native": native,
        "keras": keras,
        "peers": args.peers.then_some(bundle),
        "json": args.json.as_deref().map(std::path::absolute).transpose()?,
        "svg": args.svg.as_deref().map(std::path::absolute).transpose()?,
    });
    step("Measuring in headless Chromium", || {
        run(Command::new("node").arg(scripts.join("bench.mjs")).arg(order.to_string()))
    })
}

/// The site's package or, where that lacks Burn's own operations, a package like it that has them: the kernels are compared with
/// the operations that they replace.
fn package_to_measure(project: &Project, args: &BenchArgs) -> Result<PathBuf> {
    if args.profile != wasm::PUBLISHED {
        return Ok(project.pkg.clone());
    }
    let features = ["plain"].into_iter().chain(args.features.as_deref()).collect::<Vec<_>>();
    let compiled = wasm::compile(project, &args.profile, Some(&features.join(",")))?;
    let folder = project.cache().join("pkg-plain");
    wasm::package(project, &compiled, &folder, true)?;
    Ok(folder)
}

/// Compiles the example `turns` for this machine.
fn compile_native(project: &Project) -> Result<PathBuf> {
    step("Compiling the crate for this machine (many minutes the first time)", || {
        let words = ["build", "--release", "--package", BENCH, "--example", NATIVE];
        run(Command::new(cargo()).args(words).current_dir(&project.root))
    })?;
    Ok(project.target.join("release/examples").join(NATIVE).with_extension(EXE_EXTENSION))
}

/// Compiles the kernels without Burn, and the multiply-add peak, to one small module; returns the module's folder.
fn compile_kernels(project: &Project, profile: &str) -> Result<PathBuf> {
    step("Compiling the kernels alone, and the multiply-add peak", || {
        let words = ["build", "--package", BENCH, "--lib", "--target", tools::WASM, "--profile"];
        run(Command::new(cargo()).args(words).arg(profile).current_dir(&project.root))
    })?;
    Ok(project.target.join(tools::WASM).join(profile))
}
