//! Measures the optimised site in headless Chromium. What is measured, and how, stands in `bench/bench.mjs`.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::env::consts::EXE_EXTENSION;
use std::path::PathBuf;
use std::process::Command;

use crate::contenders;
use crate::page;
use crate::project::{Project, cargo};
use crate::serve::serve_meanwhile;
use crate::step::{run, step};
use crate::{tools, wasm};

/// The package that is compiled for the benchmark, and its example that is the native contender.
const BENCH: &str = "overfit-lab-bench";
const NATIVE: &str = "turns";

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
    /// Cargo features of the crate: with `ndarray`, that backend is measured, too.
    #[arg(long, value_name = "LIST")]
    features: Option<String>,
    /// Show which path convolutions of many shapes take, and what they cost.
    #[arg(long)]
    shapes: bool,
    /// Measure native Keras on one thread in the same run, epoch by epoch in turn; Python fetches it once.
    #[arg(long)]
    keras: bool,
    /// Measure TensorFlow.js and jax-js in the same run; npm fetches them once. Takes some ten minutes.
    #[arg(long)]
    peers: bool,
    /// Measure the crate compiled for this machine in the same run, too.
    #[arg(long)]
    native: bool,
    /// Measure how cost and memory grow with images, side and filters, and what is refused for size.
    #[arg(long)]
    growth: bool,
    /// Measure every network preset, and dropout, augmentation and batch normalisation, beside the arithmetic limit; with
    /// `--keras`, beside Keras, too.
    #[arg(long)]
    networks: bool,
    /// Draw the contenders' times into this file.
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
    let bundle = project.notes().join("peers");
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
    // An isolated page has finer clocks, and may use threads.
    let address = serve_meanwhile(folders, true)?;
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

/// The site's package, or where Burn's own operations were left out of that, one like it that has them: the kernels are
/// measured beside what they replace.
fn package_to_measure(project: &Project, args: &BenchArgs) -> Result<PathBuf> {
    if args.profile != wasm::PUBLISHED {
        return Ok(project.pkg.clone());
    }
    let features = ["plain"].into_iter().chain(args.features.as_deref()).collect::<Vec<_>>();
    let compiled = wasm::compile(project, &args.profile, Some(&features.join(",")))?;
    let folder = project.notes().join("pkg-plain");
    wasm::package(project, &compiled, &folder, true)?;
    Ok(folder)
}

/// The benchmark's example that trains an epoch a line, for this machine.
fn compile_native(project: &Project) -> Result<PathBuf> {
    step("Compiling the crate for this machine (many minutes the first time)", || {
        let words = ["build", "--release", "--package", BENCH, "--example", NATIVE];
        run(Command::new(cargo()).args(words).current_dir(&project.root))
    })?;
    Ok(project.target.join("release/examples").join(NATIVE).with_extension(EXE_EXTENSION))
}

/// The kernels without Burn, and the multiply-add peak, as one small module; the result is the folder that it is in.
fn compile_kernels(project: &Project, profile: &str) -> Result<PathBuf> {
    step("Compiling the kernels alone, and the multiply-add peak", || {
        let words = ["build", "--package", BENCH, "--lib", "--target", tools::WASM, "--profile"];
        run(Command::new(cargo()).args(words).arg(profile).current_dir(&project.root))
    })?;
    Ok(project.target.join(tools::WASM).join(profile))
}
