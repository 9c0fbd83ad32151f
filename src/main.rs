//! The native program: `overfit-lab run example-1 --seed 1`. Arguments, progress and printing; no algorithm.

#[cfg(not(target_arch = "wasm32"))]
mod program;

/// Training allocates the same large tensors in every step. The system's allocator may give each back and take it anew, page by
/// page, which costs two fifths of an epoch with glibc's defaults.
#[cfg(not(target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    program::main()
}

/// Building every target for the browser's tests reaches this file too.
#[cfg(target_arch = "wasm32")]
fn main() {}
