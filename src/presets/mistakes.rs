//! Mistakes that people report when their network does not memorise a few images: each cause as a preset, with its cured twin.
//! `tests/presets.rs` trains each over seeds and checks its words.

use super::{Mistake, Preset};
use crate::causes::{Cause, causes};

pub fn presets() -> Vec<Preset> {
    causes().map(preset).collect()
}

fn preset(cause: &Cause) -> Preset {
    Preset {
        id: cause.code,
        group: cause.theme().into(),
        name: cause.name,
        summary: cause.summary,
        experiment: cause.mistaken(),
        mistake: Some(Mistake {
            sees: cause.sees,
            does: cause.consequence(),
            mends: cause.mends,
            hidden: cause.level.is_memorised(),
            words: cause.level.words(),
            cure: cause.cure(),
            mended: cause.healthy(),
        }),
    }
}
