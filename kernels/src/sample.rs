//! Images turned or cropped: each pixel from a place between four pixels.

/// Where the pixels of a square image come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// The image turned about its middle, against the clock.
    Turned { radians: f64 },
    /// A square part, `kept` pixels a side from `top` and `left` on, stretched over the whole image.
    Cropped { top: usize, left: usize, kept: usize },
}

/// Overwrites the image with itself as `source` says, between four pixels in proportion; 0 outside the image.
///
/// # Shapes
/// - image: `[side, side, channels]`
pub fn sample(image: &mut [f32], side: usize, source: Source) {
    match source {
        Source::Turned { radians } => {
            let (sine, cosine) = radians.sin_cos();
            let middle = (side - 1) as f64 / 2.0;
            each_pixel(image, side, |row, column| {
                let [y, x] = [row - middle, column - middle];
                [middle + cosine * y + sine * x, middle + cosine * x - sine * y]
            });
        }
        Source::Cropped { top, left, kept } => {
            // Pixels are squares: their middles lie half a pixel inside, and the edge goes on outside.
            let stretch = kept as f64 / side as f64;
            let from = |start: usize, at: f64| {
                let at = (at + 0.5) * stretch - 0.5;
                start as f64 + at.clamp(0.0, (kept - 1) as f64)
            };
            each_pixel(image, side, |row, column| [from(top, row), from(left, column)]);
        }
    }
}

/// Each pixel from the row and column that `from` says.
#[inline(always)]
fn each_pixel(image: &mut [f32], side: usize, from: impl Fn(f64, f64) -> [f64; 2]) {
    let channels = image.len() / side / side;
    let before = image.to_vec();
    image.fill(0.0);
    for (row, pixels) in image.chunks_exact_mut(side * channels).enumerate() {
        for (column, pixel) in pixels.chunks_exact_mut(channels).enumerate() {
            let [y, x] = from(row as f64, column as f64);
            let [top, left] = [y.floor(), x.floor()];
            for [down, right] in [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] {
                let [row, column] = [top + down, left + right];
                let weight = ((1.0 - (y - row).abs()) * (1.0 - (x - column).abs())) as f32;
                let inside = |at: f64| (0.0..side as f64).contains(&at);
                if weight > 0.0 && inside(row) && inside(column) {
                    let start = (row as usize * side + column as usize) * channels;
                    for (sum, value) in pixel.iter_mut().zip(&before[start..start + channels]) {
                        *sum += weight * value;
                    }
                }
            }
        }
    }
}
