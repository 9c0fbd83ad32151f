//! The native program: `overfit-lab run example-1 --seed 1`. Arguments, progress and printing; no algorithm.

#[cfg(not(target_arch = "wasm32"))]
mod program;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    program::main()
}

/// Building every target for the browser's tests reaches this file too.
#[cfg(target_arch = "wasm32")]
fn main() {}
