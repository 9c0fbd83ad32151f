//! The native program, such as `overfit-lab run example-1 --seed 1`. `program` reads arguments and prints.

#[cfg(not(target_arch = "wasm32"))]
mod program;

/// Training allocates the same large tensors in every step. The system's allocator may return them to the system and request them
/// again, page by page, which costs two fifths of an epoch with glibc's defaults.
#[cfg(not(target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    program::main()
}

/// An empty program, because building every target for the browser's tests also builds this file.
#[cfg(target_arch = "wasm32")]
fn main() {}
