//! Backward: the gradients of kernel, bias and input from the gradient of the block's output.
//!
//! Only the winner of each window carries a gradient, and none where ReLU cut it off: a quarter of the pixels, or less.
//! So both passes gather the winners into [`WinnerLists`] and add up rows of windows, which are contiguous in NHWC: for the
//! kernel, rows of the input over all winners of a filter; for the input, rows of the kernel over all filters that won at a
//! pixel.

use super::{Block, Known, Padded, Padding, Shape, add_to};
use crate::buffers::Buffers;
use crate::lanes::{Computation, Instructions, Lanes};
use crate::tile::{Piece, Rows, WinnerList, WinnerLists, WinnerNumbers, weighted_sum};

/// Overwrites the gradients of kernel and bias.
pub fn kernel_gradient(
    block: &Block,
    Known { input, gradient: output_gradient, winners, .. }: Known,
    gradient: &mut [f32],
    bias: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let shape = block.shape;
    // Rows of the kernel are padded with zeros to whole vectors.
    let row_pitch = shape.window_row().next_multiple_of(instructions.width());
    let mut by_filter = buffers.zeros(shape.filters * shape.window * row_pitch);
    let input = Padded::new(&shape, input, buffers);
    let padded = Block { shape: shape.padded(), ..*block };
    // Rows of the input are read as whole vectors, up to `beyond` floats past their end. From the last image, or from the last few
    // where images are tiny, that is past the end of the input. So these images are copied, with zeros after them.
    let image = padded.shape.input_size() / shape.images;
    let beyond = row_pitch - shape.window_row();
    let last = beyond.div_ceil(image).clamp(1, shape.images);
    let mut last_images = buffers.floats(last * image + beyond);
    let (pixels, rest) = last_images.split_at_mut(last * image);
    pixels.copy_from_slice(&input[input.len() - last * image..]);
    rest.fill(0.0);
    let band_rows = rows_at_once(&padded);
    let mut lists = WinnerLists::new(shape.filters, band_rows * padded.output_width(), buffers);
    let mut bias_sums = vec![0.0; shape.filters];
    instructions.run(KernelGradient {
        winners: &Winners { block: &padded, gradient: output_gradient, winners },
        input: &input,
        last_images: &last_images,
        last,
        band_rows,
        lists: &mut lists,
        row_pitch,
        gradient: &mut by_filter,
        bias: &mut bias_sums,
    });
    from_filters(&shape, row_pitch, &by_filter, gradient);
    for (bias, sum) in bias.iter_mut().zip(bias_sums) {
        *bias = sum as f32;
    }
}

/// Overwrites `gradient` with the input's gradient.
pub fn input_gradient(
    block: &Block,
    Known { kernel, gradient: output_gradient, winners, .. }: Known,
    gradient: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let shape = block.shape;
    // Rows of the kernel are padded with zeros to whole vectors.
    let row_pitch = shape.window_row().next_multiple_of(instructions.width());
    let mut by_filter = buffers.zeros(shape.filters * shape.window * row_pitch);
    to_filters(&shape, row_pitch, kernel, &mut by_filter);
    let padded = Block { shape: shape.padded(), ..*block };
    let winners = &Winners { block: &padded, gradient: output_gradient, winners };
    let row = padded.output_width() * block.pool * block.pool;
    let lists = &mut WinnerLists::new(row, shape.filters, buffers);
    if shape.padding == Padding::NONE {
        gradient.fill(0.0);
        instructions.run(InputGradient { winners, lists, kernel: &by_filter, row_pitch, gradient });
    } else {
        let mut with_padding = buffers.zeros(padded.shape.input_size());
        instructions.run(InputGradient {
            winners,
            lists,
            kernel: &by_filter,
            row_pitch,
            gradient: &mut with_padding,
        });
        crop(&shape, &with_padding, gradient);
    }
}

/// Reorders a kernel from `[window, window, channels, filters]` to `[filters][window][row_pitch]`.
fn to_filters(shape: &Shape, row_pitch: usize, kernel: &[f32], by_filter: &mut [f32]) {
    by_filter.fill(0.0);
    for (row, values) in kernel.chunks_exact(shape.filters).enumerate() {
        let at = (row / shape.window_row()) * row_pitch + row % shape.window_row();
        for (filter, &value) in values.iter().enumerate() {
            by_filter[filter * shape.window * row_pitch + at] = value;
        }
    }
}

/// The inverse of [`to_filters`].
fn from_filters(shape: &Shape, row_pitch: usize, by_filter: &[f32], kernel: &mut [f32]) {
    for (row, values) in kernel.chunks_exact_mut(shape.filters).enumerate() {
        let at = (row / shape.window_row()) * row_pitch + row % shape.window_row();
        for (filter, value) in values.iter_mut().enumerate() {
            *value = by_filter[filter * shape.window * row_pitch + at];
        }
    }
}

/// Copies a padded input's gradient without the padding.
fn crop(shape: &Shape, with_padding: &[f32], gradient: &mut [f32]) {
    let padded = shape.padded();
    let row = padded.width * shape.channels;
    let Padding { top, left, .. } = shape.padding;
    for (index, to) in gradient.chunks_exact_mut(shape.width * shape.channels).enumerate() {
        let (image, y) = (index / shape.height, index % shape.height);
        let at = (image * padded.height + y + top) * row + left * shape.channels;
        to.copy_from_slice(&with_padding[at..at + to.len()]);
    }
}

/// The gradient of the output, with the place in each window to which it goes.
struct Winners<'a> {
    /// The block of the padded input.
    block: &'a Block,
    /// The output's gradient.
    gradient: &'a [f32],
    winners: &'a [u8],
}

impl Winners<'_> {
    /// For each place of a pool's window, the distance in the input of its convolution window from that of the first place.
    fn places(&self) -> Vec<u32> {
        let Block { shape, pool, .. } = *self.block;
        let pixel = |place: usize| (place / pool) * shape.width + place % pool;
        let place = |place| (pixel(place) * shape.stride * shape.channels) as u32;
        (0..pool * pool).map(place).collect()
    }

    /// The start in the input of an output pixel's window.
    fn start(&self, image: usize, row: usize, column: usize) -> usize {
        let Block { shape, pool, .. } = *self.block;
        let step = pool * shape.stride;
        ((image * shape.height + row * step) * shape.width + column * step) * shape.channels
    }

    /// The gradient and the winner of each filter at an output pixel.
    fn pixel(&self, image: usize, row: usize, column: usize) -> (&[f32], &[u8]) {
        let filters = self.block.shape.filters;
        let pixel = (image * self.block.output_height() + row) * self.block.output_width() + column;
        let range = pixel * filters..(pixel + 1) * filters;
        (&self.gradient[range.clone()], &self.winners[range])
    }
}

struct KernelGradient<'a> {
    winners: &'a Winners<'a>,
    input: &'a [f32],
    /// The last images of the input, `last` of them, with zeros after them.
    last_images: &'a [f32],
    last: usize,
    /// Rows of output at a time.
    band_rows: usize,
    /// One list per filter.
    lists: &'a mut WinnerLists,
    /// Floats from one row of a filter's gradient to the next.
    row_pitch: usize,
    /// `[filters][window][row_pitch]`
    gradient: &'a mut [f32],
    /// `[filters]`
    bias: &'a mut [f64],
}

/// Rows of output whose part of the input stays in the nearest cache, of some 32 KB, while all filters go over it.
fn rows_at_once(block: &Block) -> usize {
    const FLOATS: usize = 5000;
    let row = block.shape.width * block.shape.channels * block.shape.stride * block.pool;
    (FLOATS / row).clamp(1, block.output_height())
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Block { shape, .. } = *self.winners.block;
        let (height, width) =
            (self.winners.block.output_height(), self.winners.block.output_width());
        let places = WinnerNumbers::new(&self.winners.places());
        let Self { band_rows, lists, row_pitch, .. } = self;
        for image in 0..shape.images {
            let (input, image_in_input) = match image.checked_sub(shape.images - self.last) {
                Some(of_last) => (self.last_images, of_last),
                None => (self.input, image),
            };
            for first in (0..height).step_by(band_rows) {
                lists.clear();
                for row in first..height.min(first + band_rows) {
                    for column in 0..width {
                        let start = self.winners.start(image_in_input, row, column);
                        let (values, winners) = self.winners.pixel(image, row, column);
                        lists.push_row(values, winners, start, &places);
                    }
                }
                let pitch = shape.width * shape.channels;
                let filters = self.gradient.chunks_exact_mut(shape.window * row_pitch);
                for (filter, gradient) in filters.enumerate() {
                    let vectors = row_pitch / L::COUNT;
                    let list = lists.list(filter);
                    self.bias[filter] += f64::from(list.sum());
                    match (shape.window, vectors) {
                        (3, 1) => add_rows::<L, 3, 1>(gradient, row_pitch, list, input, pitch),
                        (3, 2) => add_rows::<L, 3, 2>(gradient, row_pitch, list, input, pitch),
                        (3, 3) => add_rows::<L, 3, 3>(gradient, row_pitch, list, input, pitch),
                        (3, 4) => add_rows::<L, 3, 4>(gradient, row_pitch, list, input, pitch),
                        _ => {
                            for (y, gradient) in gradient.chunks_exact_mut(row_pitch).enumerate() {
                                let start = y * pitch;
                                let row = &mut AddRow { gradient, list, input, start };
                                widest_pieces::<L>(row_pitch, row);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds a list's sums to all rows of a small window at once.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn add_rows<L: Lanes, const S: usize, const V: usize>(
    gradient: &mut [f32],
    row_pitch: usize,
    list: WinnerList,
    input: &[f32],
    pitch: usize,
) {
    let mut sums = [[L::splat(0.0); V]; S];
    weighted_sum(&mut sums, list, Rows { values: input, start: 0, pitch });
    for (s, sums) in sums.into_iter().enumerate() {
        add_to(gradient, s * row_pitch, sums);
    }
}

struct InputGradient<'a> {
    winners: &'a Winners<'a>,
    /// One list for each place of each window in a row of output.
    lists: &'a mut WinnerLists,
    /// `[filters][window][row_pitch]`
    kernel: &'a [f32],
    /// Floats from one row of a filter's kernel to the next.
    row_pitch: usize,
    /// The padded input's gradient.
    gradient: &'a mut [f32],
}

impl Computation for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Block { shape, pool, .. } = *self.winners.block;
        let (height, width) =
            (self.winners.block.output_height(), self.winners.block.output_width());
        let places = self.winners.places();
        let places_of_window = WinnerNumbers::new(&(0..places.len() as u32).collect::<Vec<_>>());
        let filter_size = shape.window * self.row_pitch;
        let pitch = shape.width * shape.channels;
        let lists = self.lists;
        for image in 0..shape.images {
            for row in 0..height {
                lists.clear();
                for column in 0..width {
                    let (values, winners) = self.winners.pixel(image, row, column);
                    let first = column * pool * pool;
                    lists.push_by_winner(first, values, winners, filter_size, &places_of_window);
                }
                for y in 0..shape.window {
                    widest_pieces::<L>(
                        shape.window_row(),
                        &mut Spread {
                            gradient: self.gradient,
                            lists,
                            kernel: self.kernel,
                            kernel_row: y * self.row_pitch,
                            pixels: width,
                            places: &places,
                            start: self.winners.start(image, row, 0) + y * pitch,
                            step: pool * shape.stride * shape.channels,
                        },
                    );
                }
            }
        }
    }
}

/// Splits a row into the largest parts that fit the registers.
#[inline(always)]
fn widest_pieces<L: Lanes>(length: usize, work: &mut impl Piece) {
    let mut at = 0;
    while length - at >= 8 * L::COUNT {
        work.piece::<L, 8>(at);
        at += 8 * L::COUNT;
    }
    if length - at >= 4 * L::COUNT {
        work.piece::<L, 4>(at);
        at += 4 * L::COUNT;
    }
    if length - at >= 2 * L::COUNT {
        work.piece::<L, 2>(at);
        at += 2 * L::COUNT;
    }
    if length - at >= L::COUNT {
        work.piece::<L, 1>(at);
        at += L::COUNT;
    }
    while at < length {
        work.piece::<f32, 1>(at);
        at += 1;
    }
}

/// Adds a list's sum to a part of one row of a filter's gradient.
struct AddRow<'a> {
    gradient: &'a mut [f32],
    list: WinnerList<'a>,
    input: &'a [f32],
    /// Distance in the input of this row from the window's first row.
    start: usize,
}

impl Piece for AddRow<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        add::<L, V>(self.gradient, at, self.list, self.input, self.start + at);
    }
}

/// Adds, for each pixel of a row and each place of its window, the sum of its filters' kernels to a part of the input's
/// gradient.
struct Spread<'a> {
    gradient: &'a mut [f32],
    lists: &'a WinnerLists,
    kernel: &'a [f32],
    /// Start of the row in each filter's kernel.
    kernel_row: usize,
    /// Output pixels of the row.
    pixels: usize,
    places: &'a [u32],
    /// Start in the input of the row of the first pixel's window.
    start: usize,
    /// Floats from one pixel's window to the next in the input.
    step: usize,
}

impl Piece for Spread<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        for pixel in 0..self.pixels {
            for (number, &place) in self.places.iter().enumerate() {
                let list = pixel * self.places.len() + number;
                let to = self.start + pixel * self.step + place as usize + at;
                let list = self.lists.list(list);
                add::<L, V>(self.gradient, to, list, self.kernel, self.kernel_row + at);
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn add<L: Lanes, const V: usize>(
    gradient: &mut [f32],
    at: usize,
    list: WinnerList,
    values: &[f32],
    start: usize,
) {
    if list.is_empty() {
        return;
    }
    let mut sums = [[L::splat(0.0); V]];
    weighted_sum(&mut sums, list, Rows { values, start, pitch: 0 });
    add_to(gradient, at, sums[0]);
}
