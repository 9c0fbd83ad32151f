//! The project's own commands. `cargo xtask serve` builds the page and serves it, `cargo xtask test` checks everything;
//! both download what they need on a machine that has Rust, Node and npm.
//!
//! Read in this order: [`project`] (the project's folders), [`step`] and [`stamp`] (announce, time and skip work), [`tools`] (the
//! programs that must be installed), [`wasm`] and [`page`] (the two halves of the build), then the commands.

mod audit;
mod bench;
mod contenders;
mod frameworks;
mod licences;
mod page;
mod project;
mod serve;
mod stamp;
mod step;
mod test;
mod tools;
mod wasm;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

use crate::project::Project;

/// Overfit Lab's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page and serve it on this machine.
    Serve {
        /// Cargo profile of the wasm: `release` is quick to build, `dist` is what `cargo xtask build` uses.
        #[arg(long, default_value = "release", value_parser = wasm::PROFILES)]
        profile: String,
        /// Cargo features of the crate, such as `ndarray`.
        #[arg(long, value_name = "LIST")]
        features: Option<String>,
        /// Port to listen on; if it is in use, the next free one.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Also send the headers that isolate the page from other origins (COOP and COEP).
        #[arg(long)]
        isolate: bool,
    },
    /// Build the optimised site into dist/: static files for any folder of any host.
    Build {
        /// Cargo features of the crate, such as `ndarray`.
        #[arg(long, value_name = "LIST")]
        features: Option<String>,
    },
    /// Check everything: formatting, lints, documentation, and tests of the core, of the core in a browser, and of the page.
    Test(test::TestArgs),
    /// Measure training speed, start-up, responsiveness and size in headless Chromium.
    Bench(bench::BenchArgs),
    /// Run every preset here, and its scripts in Keras and PyTorch, and write down the results.
    Frameworks(frameworks::FrameworksArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let project = Project::find()?;
    match command {
        Command::Serve { profile, features, port, isolate } => {
            let site = page::build_site(&project, &profile, features.as_deref())?;
            serve::serve(&site, port, isolate)?;
        }
        Command::Build { features } => {
            let site = page::build_site(&project, wasm::PUBLISHED, features.as_deref())?;
            println!("The site is in {}", site.display());
        }
        Command::Test(args) => return test::test(&project, &args),
        Command::Bench(args) => bench::bench(&project, &args)?,
        Command::Frameworks(args) => return frameworks::frameworks(&project, &args),
    }
    Ok(ExitCode::SUCCESS)
}
