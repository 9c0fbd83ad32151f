//! The learning rate of each step.

use std::f64::consts::PI;

use crate::experiment::ScheduleConfig;

/// The learning rate of step `step`, which counts from 0, under a schedule that starts from `rate`. As in Keras, a schedule sees
/// the number of earlier updates.
pub fn learning_rate(schedule: &ScheduleConfig, rate: f64, step: u64) -> f64 {
    let at = step as f64;
    let power = |decay_steps: u32, staircase: bool| {
        let power = at / f64::from(decay_steps);
        if staircase { power.floor() } else { power }
    };
    match schedule {
        ScheduleConfig::Constant {} => rate,
        ScheduleConfig::Exponential { decay_steps, decay_rate, staircase } => {
            rate * decay_rate.powf(power(*decay_steps, *staircase))
        }
        ScheduleConfig::InverseTime { decay_steps, decay_rate, staircase } => {
            rate / (1.0 + decay_rate * power(*decay_steps, *staircase))
        }
        ScheduleConfig::Piecewise { boundaries, factors } => {
            let passed = boundaries.iter().filter(|&&boundary| step > u64::from(boundary)).count();
            passed.checked_sub(1).map_or(rate, |last| rate * factors[last])
        }
        ScheduleConfig::Cosine { warmup_steps, warmup_from, decay_steps, alpha } => {
            let warm = f64::from(*warmup_steps);
            if at < warm {
                return warming_up(rate, *warmup_from, at / warm);
            }
            let share = ((at - warm) / f64::from(*decay_steps)).min(1.0);
            rate * ((1.0 - alpha) * (1.0 + (PI * share).cos()) / 2.0 + alpha)
        }
        ScheduleConfig::Warmup { warmup_steps, warmup_from } => {
            let warm = f64::from(*warmup_steps);
            if at < warm { warming_up(rate, *warmup_from, at / warm) } else { rate }
        }
    }
}

fn warming_up(rate: f64, from: f64, share: f64) -> f64 {
    rate * (from + (1.0 - from) * share)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    use super::*;

    #[wasm_bindgen_test(unsupported = test)]
    fn rates_worked_by_hand() {
        let staircase = true;
        let rows: [(ScheduleConfig, [f64; 5]); 6] = [
            (ScheduleConfig::Constant {}, [1.0; 5]),
            (
                ScheduleConfig::Exponential { decay_steps: 2, decay_rate: 0.25, staircase },
                [1.0, 1.0, 0.25, 0.25, 0.0625],
            ),
            (
                ScheduleConfig::InverseTime { decay_steps: 1, decay_rate: 1.0, staircase: false },
                [1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0],
            ),
            (
                ScheduleConfig::Piecewise { boundaries: vec![1, 3], factors: vec![0.5, 0.1] },
                [1.0, 1.0, 0.5, 0.5, 0.1],
            ),
            (
                ScheduleConfig::Cosine {
                    warmup_steps: 2,
                    warmup_from: 0.0,
                    decay_steps: 2,
                    alpha: 0.5,
                },
                [0.0, 0.5, 1.0, 0.75, 0.5],
            ),
            (
                ScheduleConfig::Warmup { warmup_steps: 4, warmup_from: 0.2 },
                [0.2, 0.4, 0.6, 0.8, 1.0],
            ),
        ];
        for (schedule, expected) in rows {
            for (step, expected) in expected.into_iter().enumerate() {
                let found = learning_rate(&schedule, 1.0, step as u64);
                assert!((found - expected).abs() < 1e-12, "{schedule:?}, step {step}: {found}");
            }
        }
    }
}
