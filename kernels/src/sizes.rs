//! Numbers of floats. Unchecked loops rely on the lengths of slices, so a product that wrapped around would be read past the end.

/// The floats of a tensor of this shape.
///
/// # Panics
/// If they are more than a `usize` counts: no slice is that long.
pub fn product(shape: &[usize]) -> usize {
    let product = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    product.unwrap_or_else(|| panic!("{shape:?} is no shape of a tensor that fits the memory"))
}
