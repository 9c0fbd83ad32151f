//! The memory estimate against the memory that runs take: for random experiments natively, and for a few large ones in a browser.

#[cfg(not(target_arch = "wasm32"))]
#[path = "memory/native.rs"]
mod native;
