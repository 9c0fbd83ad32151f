//! Reads a Keras fixture, rebuilds its inputs bit for bit, and climbs the ladder of comparisons with it.

mod climb;
mod fixture;
mod hash;

pub use climb::check;
#[cfg(not(target_arch = "wasm32"))]
pub use climb::check_moving_averages;
pub use fixture::Fixture;
