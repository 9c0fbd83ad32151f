//! Images, labels and weights as closed formulas of integers, which give the same numbers in Python and here.

/// lowbias32 of the flat index, with a different sequence for each tensor id.
fn hash(tensor_id: u32, index: u32) -> u32 {
    let mut x = index.wrapping_add(0x9E37_79B9_u32.wrapping_mul(tensor_id.wrapping_add(1)));
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// A number in [0, 1), exact in f32.
pub fn uniform(tensor_id: u32, index: u32) -> f32 {
    (hash(tensor_id, index) >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// A class below `classes`.
pub fn label(tensor_id: u32, index: u32, classes: u32) -> u32 {
    ((u64::from(hash(tensor_id, index)) * u64::from(classes)) >> 32) as u32
}

#[test]
fn hashes_have_their_known_values() {
    assert_eq!(
        [0, 1, 2, 3].map(|i| hash(0, i)),
        [33_350_994, 2_672_842_292, 127_880_910, 260_803_382]
    );
    assert_eq!([0, 1].map(|i| hash(13, i)), [3_587_226_866, 3_185_239_469]);
    assert!((uniform(0, 0) - 0.007_765_11).abs() < 1e-8);
}
