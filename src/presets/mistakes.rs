//! What people report when their network does not memorise a few images: each cause as a preset, with the twin that it becomes by its
//! cure. `tests/presets.rs` holds each to what it says, over seeds.

use super::{Mistake, Preset, PresetGroup};
use crate::causes::{Cause, causes};

pub fn presets() -> Vec<Preset> {
    causes().map(preset).collect()
}

fn preset(cause: &Cause) -> Preset {
    Preset {
        id: cause.code,
        group: PresetGroup::Mistakes,
        name: cause.name,
        summary: cause.summary,
        experiment: cause.mistaken(),
        mistake: Some(Mistake {
            sees: cause.sees,
            does: cause.consequence(),
            mends: cause.mends,
            hidden: cause.level.is_memorised(),
            cure: cause.cure(),
            mended: cause.healthy(),
        }),
    }
}
