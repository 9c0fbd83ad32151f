//! What people report when their network does not memorise a few images, each with what it does and what mends it.

use super::Preset;

pub fn presets() -> Vec<Preset> {
    Vec::new()
}
