//! Runs all checks that must pass before a change lands, in order of cost, and prints one summary at the end.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::audit::{self, Audit};
use crate::page::{self, npm};
use crate::project::{LIBRARY, Project, cargo};
use crate::step::{line, seconds};
use crate::tools::{self, WASM};

#[derive(Args)]
pub struct TestArgs {
    /// Run only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting, lints, documentation and native tests.
    Rust,
    /// The core's tests in a browser, by wasm-pack.
    Browser,
    /// The page: formatting, types, unit tests, and the built site in a browser.
    Page,
}

/// One line of the summary.
struct Check {
    part: Part,
    name: &'static str,
    work: Work,
}

/// The work of a check. It returns the number of its tests; a check without tests counts as one.
enum Work {
    /// A cargo command in the repository.
    Cargo(&'static str),
    /// An npm command in the page's folder, with the path of Chromium in its environment.
    Npm(&'static str),
    Own(fn(&Project) -> Result<Counts>),
    /// A check that is not possible on some machines; the summary then gives the reason.
    Audit(fn(&Project) -> Result<Audit>),
}

/// Every build of Burn takes minutes, so there are few. Lints and documentation share their metadata and generate no code (their
/// procedural macros are those of this program's profile), native tests are one build, and everything in a browser is another.
/// Native tests and lints compile with both backends; the wasm has only the default one.
const CHECKS: [Check; 16] = [
    of_rust("rustfmt", Work::Cargo("fmt --all --check")),
    of_rust(
        "clippy",
        Work::Cargo(
            "clippy --profile xtask --workspace --all-targets --features overfit-lab/ndarray -- -D warnings",
        ),
    ),
    of_rust("clippy for wasm32", Work::Own(clippy_wasm)),
    of_rust(
        "documentation",
        Work::Cargo("doc --profile xtask --workspace --no-deps --features overfit-lab/ndarray"),
    ),
    of_rust("tests of xtask", Work::Cargo("test --profile xtask --package xtask")),
    of_rust("tests of the core, native", Work::Cargo("test --release --features ndarray")),
    of_rust("tests of the kernels, every bound checked", Work::Own(test_kernels_checked)),
    of_page("the site", Work::Own(build_site)),
    of_page("prettier", Work::Npm("run format:check")),
    of_rust("vulnerabilities of crates", Work::Audit(audit::crates)),
    of_page("vulnerabilities of packages", Work::Audit(audit::packages)),
    of_page("tsc", Work::Npm("run typecheck")),
    of_page("tests of the page's parts", Work::Npm("test")),
    of_page("tests of the page", Work::Npm("run e2e")),
    in_browser("wasm-pack build", Work::Own(wasm_pack_build)),
    in_browser("tests of the core, in Chromium", Work::Own(wasm_pack_test)),
];

const fn of_rust(name: &'static str, work: Work) -> Check {
    Check { part: Part::Rust, name, work }
}

const fn of_page(name: &'static str, work: Work) -> Check {
    Check { part: Part::Page, name, work }
}

const fn in_browser(name: &'static str, work: Work) -> Check {
    Check { part: Part::Browser, name, work }
}

/// Runs all checks, even after one fails, and prints the result of each.
pub fn test(project: &Project, args: &TestArgs) -> Result<ExitCode> {
    tools::need_lints()?;
    let mut total = Counts::default();
    let mut summary = Vec::new();
    for check in
        CHECKS.iter().filter(|check| args.only.is_empty() || args.only.contains(&check.part))
    {
        println!("\n==> {}", check.name);
        let start = Instant::now();
        let mut not_run = None;
        let counts = match check.work.run(project) {
            Ok(Outcome::Ran(counts)) => counts.at_least_one(),
            Ok(Outcome::NotRun(reason)) => {
                not_run = Some(reason);
                Counts::default()
            }
            Err(error) => {
                println!("error: {error:#}");
                Counts { passed: 0, failed: 1 }
            }
        };
        let row = Row { name: check.name, counts, not_run, time: start.elapsed() };
        println!("    {}", row.text());
        summary.push(row);
        total.passed += counts.passed;
        total.failed += counts.failed;
    }
    println!("\nSummary");
    summary.iter().for_each(|row| println!("  {}", row.text()));
    println!("\n{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Row {
    name: &'static str,
    counts: Counts,
    /// The reason why the check is not possible on this machine.
    not_run: Option<String>,
    time: Duration,
}

enum Outcome {
    Ran(Counts),
    /// The reason why the check is not possible on this machine.
    NotRun(String),
}

impl Row {
    fn text(&self) -> String {
        let Counts { passed, failed } = self.counts;
        if let Some(reason) = &self.not_run {
            return format!("not run {:<42} {reason}", self.name);
        }
        let outcome = if failed == 0 { "ok    " } else { "FAILED" };
        format!(
            "{outcome}  {:<42} {:>12}  {passed} passed, {failed} failed",
            self.name,
            seconds(self.time)
        )
    }
}

impl Work {
    fn run(&self, project: &Project) -> Result<Outcome> {
        let counts = match self {
            Self::Cargo(words) => watch(&mut cargo_in(project, words)),
            Self::Npm(words) => {
                let chromium = tools::need_browser()?.chromium;
                watch(npm(project).args(words.split(' ')).env("CHROMIUM", chromium))
            }
            Self::Own(work) => work(project),
            Self::Audit(work) => match work(project)? {
                Audit::Clean => Ok(Counts::default()),
                Audit::NotPossible(reason) => return Ok(Outcome::NotRun(reason)),
            },
        };
        counts.map(Outcome::Ran)
    }
}

fn cargo_in(project: &Project, words: &str) -> Command {
    let mut command = Command::new(cargo());
    command.args(words.split(' ')).current_dir(&project.root).env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Unsafe code relies on bounds that were checked before; this build checks each one again where it is used. (Miri supports few of
/// the vector instructions, and needs another toolchain.)
fn test_kernels_checked(project: &Project) -> Result<Counts> {
    let words = "test --release --features ndarray --test kernels --test properties";
    let mut command = cargo_in(project, words);
    for package in ["overfit-lab", "overfit-lab-kernels"] {
        for check in ["debug-assertions", "overflow-checks"] {
            command.arg("--config").arg(format!("profile.release.package.{package}.{check}=true"));
        }
    }
    watch(&mut command)
}

fn clippy_wasm(project: &Project) -> Result<Counts> {
    tools::need_wasm_target()?;
    let words = format!("clippy --profile xtask --lib --tests --target {WASM} -- -D warnings");
    watch(&mut cargo_in(project, &words))
}

fn build_site(project: &Project) -> Result<Counts> {
    page::build_site(project, "release", None).map(|_| Counts::default())
}

/// A bare `wasm-pack build`, which people type by habit, works and writes the package that the page is built from.
fn wasm_pack_build(project: &Project) -> Result<Counts> {
    let out = project.cache().join("wasm-pack-build");
    let counts = watch(wasm_pack(project)?.arg("build").arg("--out-dir").arg(&out))?;
    build_site(project)?;
    for name in [
        "package.json",
        &format!("{LIBRARY}.js"),
        &format!("{LIBRARY}_bg.js"),
        &format!("{LIBRARY}.d.ts"),
    ] {
        let [theirs, ours] = [&out, &project.pkg].map(|folder| folder.join(name));
        if read(&theirs)? != read(&ours)? {
            bail!("{} differs from {}", ours.display(), theirs.display());
        }
    }
    Ok(counts)
}

/// A file of a package to compare: the manifest as JSON, any other file as text.
fn read(file: &Path) -> Result<Value> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    if !file.ends_with("package.json") {
        return Ok(text.into());
    }
    let mut manifest: Value = serde_json::from_str(&text)?;
    // wasm-pack lists the licences only if an earlier run left them in the folder, and in any order.
    if let Some(files) = manifest["files"].as_array_mut() {
        files.retain(|name| !name.as_str().is_some_and(|name| name.starts_with("LICENSE")));
    }
    Ok(manifest)
}

/// Tests in the release profile, which the site's build has compiled already, and in which training takes seconds.
fn wasm_pack_test(project: &Project) -> Result<Counts> {
    let driver = tools::need_browser()?.chromedriver;
    let mut command = wasm_pack(project)?;
    watch(
        command.args(["test", "--headless", "--chrome", "--release", "--chromedriver"]).arg(driver),
    )
}

fn wasm_pack(project: &Project) -> Result<Command> {
    let mut command = Command::new(tools::need_wasm_pack(project)?);
    command.current_dir(&project.root);
    Ok(command)
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Counts {
    /// Counts a check that passed without running a test as one passed test.
    fn at_least_one(self) -> Self {
        if self == Self::default() { Self { passed: 1, failed: 0 } } else { self }
    }

    /// Adds the counts in a line of a test runner's output: libtest's and wasm-bindgen-test's "test result: ok. 3 passed; 0
    /// failed", and Playwright's "3 passed (2.1s)" and "1 failed".
    fn read(&mut self, line: &str) {
        let line = line.trim();
        let parts: Vec<&str> = match line.strip_prefix("test result:") {
            Some(result) => result.split(['.', ';']).collect(),
            None => line.split(" (").take(1).collect(),
        };
        for (count, what) in parts.iter().filter_map(|part| part.trim().split_once(' ')) {
            match (count.parse::<usize>(), what) {
                (Ok(count), "passed") => self.passed += count,
                (Ok(count), "failed") => self.failed += count,
                _ => {}
            }
        }
    }
}

/// Runs a command, shows its output and counts the tests in it. A command that fails without a failed test is an error.
fn watch(command: &mut Command) -> Result<Counts> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", line(command)))?;
    let mut counts = Counts::default();
    for text in BufReader::new(child.stdout.take().expect("stdout is piped")).split(b'\n') {
        let text = text?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        counts.read(&text);
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_test_runners_are_counted() {
        for (line, passed, failed) in [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s",
                12,
                0,
            ),
            ("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 filtered out", 2, 3),
            ("  7 passed (12.3s)", 7, 0),
            ("  1 failed", 0, 1),
            ("  2 skipped", 0, 0),
            ("the test that 3 passed yesterday", 0, 0),
            ("3 passed in other words", 0, 0),
            ("", 0, 0),
        ] {
            let mut counts = Counts::default();
            counts.read(line);
            assert_eq!(counts, Counts { passed, failed }, "{line}");
        }
    }
}
