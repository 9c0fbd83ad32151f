//! Numbers of floats. Unchecked loops rely on the lengths of slices: a size that wrapped around would let them read past the end.

/// The floats of a tensor of this shape.
///
/// # Panics
/// If the product does not fit a `usize`: no slice is that long.
pub fn product(shape: &[usize]) -> usize {
    let product = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    product.unwrap_or_else(|| panic!("{shape:?} is no shape of a tensor that fits the memory"))
}
