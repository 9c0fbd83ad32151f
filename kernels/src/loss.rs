//! Softmax and sparse categorical cross-entropy from logits, with the gradient from the same exponentials.
//!
//! Exponentials and logarithms are the crate `libm`'s on every target, as they are in WebAssembly: those of the system differ in
//! the last bit.

/// Returns the mean over the rows of `-log softmax(logits)[label]`, and overwrites `gradient` with the logits' gradient.
///
/// # Shapes
/// - logits and gradient: `[rows, classes]`
/// - labels: one per row, each below `classes`
pub fn cross_entropy(logits: &[f32], labels: &[u32], gradient: &mut [f32]) -> f32 {
    assert_eq!(logits.len(), gradient.len());
    let classes = logits.len() / labels.len();
    let share = 1.0 / labels.len() as f32;
    // In f64: the mean of equal losses is that loss, exactly.
    let mut total = 0.0_f64;
    let rows = logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes));
    for ((logits, gradient), &label) in rows.zip(labels) {
        // `max` would ignore NaN.
        let larger = |a: f32, b: f32| if b > a || b.is_nan() { b } else { a };
        let highest = logits.iter().copied().fold(f32::NEG_INFINITY, larger);
        let mut sum = 0.0;
        for (exponential, logit) in gradient.iter_mut().zip(logits) {
            *exponential = libm::expf(logit - highest);
            sum += *exponential;
        }
        let label = label as usize;
        total += f64::from((logits[label] - highest) - libm::logf(sum));
        for (class, value) in gradient.iter_mut().enumerate() {
            *value = (*value / sum - f32::from(u8::from(class == label))) * share;
        }
    }
    (-total / labels.len() as f64) as f32
}
