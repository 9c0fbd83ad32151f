//! Rotated and cropped images: each pixel is interpolated between four pixels.

/// The source of an image's pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// The image, rotated counterclockwise about its centre.
    Turned { radians: f64 },
    /// A part of the image, `kept` rows and columns from `top` and `left` on, stretched over the whole image.
    Cropped { top: usize, left: usize, kept: [usize; 2] },
}

/// A place in an image, which may lie between pixels.
struct Place {
    row: f64,
    column: f64,
}

/// Overwrites the image with its rotated or cropped self, by bilinear interpolation; pixels outside the image are 0.
///
/// # Shapes
/// - image: `[height, width, channels]`
pub fn sample(image: &mut [f32], [height, width]: [usize; 2], source: Source) {
    match source {
        Source::Turned { radians } => {
            let (sine, cosine) = radians.sin_cos();
            let [middle_row, middle_column] = [height, width].map(|side| (side - 1) as f64 / 2.0);
            each_pixel(image, [height, width], |row, column| {
                let [y, x] = [row - middle_row, column - middle_column];
                Place {
                    row: middle_row + cosine * y + sine * x,
                    column: middle_column + cosine * x - sine * y,
                }
            });
        }
        Source::Cropped { top, left, kept } => {
            // Pixels are squares, whose centres lie half a pixel inside; outside, the edge pixels are repeated.
            let [rows, columns] = kept;
            let from = |start: usize, kept: usize, stretch: f64, at: f64| {
                let at = (at + 0.5) * stretch - 0.5;
                start as f64 + at.clamp(0.0, (kept - 1) as f64)
            };
            let (down, across) = (rows as f64 / height as f64, columns as f64 / width as f64);
            each_pixel(image, [height, width], |row, column| Place {
                row: from(top, rows, down, row),
                column: from(left, columns, across, column),
            });
        }
    }
}

/// Interpolates each pixel at the place that `from` returns for its row and column.
#[inline(always)]
fn each_pixel(image: &mut [f32], [height, width]: [usize; 2], from: impl Fn(f64, f64) -> Place) {
    let channels = image.len() / (height * width);
    let before = image.to_vec();
    image.fill(0.0);
    for (row, pixels) in image.chunks_exact_mut(width * channels).enumerate() {
        for (column, pixel) in pixels.chunks_exact_mut(channels).enumerate() {
            let Place { row: y, column: x } = from(row as f64, column as f64);
            let [top, left] = [y.floor(), x.floor()];
            for [down, right] in [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] {
                let [row, column] = [top + down, left + right];
                let weight = ((1.0 - (y - row).abs()) * (1.0 - (x - column).abs())) as f32;
                let inside = |at: f64, side: usize| (0.0..side as f64).contains(&at);
                if weight > 0.0 && inside(row, height) && inside(column, width) {
                    let start = (row as usize * width + column as usize) * channels;
                    for (sum, value) in pixel.iter_mut().zip(&before[start..start + channels]) {
                        *sum += weight * value;
                    }
                }
            }
        }
    }
}
