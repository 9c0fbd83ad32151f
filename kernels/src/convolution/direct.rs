//! Convolution by the definition. Forward: rows of output pixels, a group of filters at a time, pooled while they are in the
//! nearest cache. The kernel's gradient: for each place of the window, the products of the pixels there with the gradients of all
//! outputs.

use super::{Block, Inputs, NO_WINNER, Padded, Shape, add_to, compare, put};
use crate::buffers::Buffers;
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, load_unchecked, store};
use crate::tile::{Left, Piece, Right, Steps, Walk, pieces, tile, tile_unchecked};

/// See [`super::forward`].
pub fn forward(
    block: &Block,
    Inputs { input, kernel, bias }: Inputs,
    output: &mut [f32],
    winners: &mut [u8],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let shape = block.shape;
    let input = Padded::new(&shape, input, buffers);
    let groups = shape.filters.div_ceil(GROUP);
    let mut packed = buffers.floats(groups * (1 + shape.window_size()) * GROUP);
    let (packed_bias, packed_kernel) = packed.split_at_mut(groups * GROUP);
    packed_bias.fill(0.0);
    packed_bias[..shape.filters].copy_from_slice(bias);
    pack(kernel, shape.filters, packed_kernel);
    let mut lines = buffers.floats(block.pool * shape.output_width() * GROUP);
    let shape = shape.padded();
    instructions.run(Forward {
        block: Block { shape, ..*block },
        input: &input,
        kernel: packed_kernel,
        bias: packed_bias,
        lines: &mut lines,
        output,
        winners,
    });
}

/// Packs a kernel into consecutive groups of filters, the last one padded with zeros: `[groups][window size][GROUP]`.
fn pack(kernel: &[f32], filters: usize, packed: &mut [f32]) {
    let groups = filters.div_ceil(GROUP);
    for (group, packed) in packed.chunks_exact_mut(packed.len() / groups).enumerate() {
        let from = group * GROUP..filters.min((group + 1) * GROUP);
        let rows = kernel.chunks_exact(filters).map(|row| &row[from.clone()]);
        for (to, row) in packed.chunks_exact_mut(GROUP).zip(rows) {
            let (values, rest) = to.split_at_mut(row.len());
            values.copy_from_slice(row);
            rest.fill(0.0);
        }
    }
}

struct Forward<'a> {
    block: Block,
    input: &'a [f32],
    /// `[groups][window][window row][GROUP]`
    kernel: &'a [f32],
    /// `[groups][GROUP]`
    bias: &'a [f32],
    /// Rows of the convolution's output, for one row of pool windows and one group: `[pool][output width][GROUP]`.
    lines: &'a mut [f32],
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Computation for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) {
        let Block { shape, relu, pool } = self.block;
        let (rows, width) = (self.block.output_height(), self.block.output_width());
        // Columns outside all windows of the pool are left out.
        let columns = width * pool;
        let line_size = shape.output_width() * GROUP;
        let kernels = self.kernel.chunks_exact(shape.window_size() * GROUP);
        for image in 0..shape.images {
            let groups = kernels.clone().zip(self.bias.chunks_exact(GROUP)).enumerate();
            for (number, (kernel, bias)) in groups {
                let filters = number * GROUP..shape.filters.min((number + 1) * GROUP);
                for row in 0..rows {
                    for (y, line) in self.lines.chunks_exact_mut(line_size).enumerate() {
                        let y = image * shape.height + (row * pool + y) * shape.stride;
                        let start = y * shape.width * shape.channels;
                        let line = &mut line[..columns * GROUP];
                        convolve_line::<L, ROWS, VECTORS>(
                            &shape, self.input, start, kernel, bias, line,
                        );
                    }
                    let at = (image * rows + row) * width * shape.filters;
                    let to = at + filters.start..at + width * shape.filters;
                    let pooled = Pooled {
                        lines: self.lines,
                        line_size,
                        pitch: shape.filters,
                        filters: filters.len(),
                        relu,
                        output: &mut self.output[to.clone()],
                        winners: &mut self.winners[to],
                    };
                    match pool {
                        1 => pooled.write::<L, VECTORS, 1>(pool, width),
                        2 => pooled.write::<L, VECTORS, 2>(pool, width),
                        _ => pooled.write::<L, VECTORS, 0>(pool, width),
                    }
                }
            }
        }
    }
}

/// Computes one row of output pixels for one group of filters. The row of the input starts at `start`.
#[cfg_attr(target_arch = "wasm32", inline(never))]
#[cfg_attr(not(target_arch = "wasm32"), inline(always))]
fn convolve_line<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    shape: &Shape,
    input: &[f32],
    start: usize,
    kernel: &[f32],
    bias: &[f32],
    line: &mut [f32],
) {
    let columns = line.len() / GROUP;
    let step = shape.stride * shape.channels;
    let pitch = shape.width * shape.channels;
    // The tiles rely on this: the last pixel's window and the kernel are inside.
    let last = start + (columns - 1) * step;
    assert!(last + (shape.window - 1) * pitch + shape.window_row() <= input.len());
    assert_eq!(kernel.len(), shape.window_size() * GROUP);
    let bias = load(bias, 0);
    if columns >= ROWS {
        for column in (0..columns).step_by(ROWS) {
            // The last tile computes some pixels a second time instead of fewer at a time.
            let column = column.min(columns - ROWS);
            // SAFETY: the row was checked.
            unsafe {
                convolve_pixels::<L, ROWS, VECTORS>(shape, input, start, kernel, bias, line, column)
            };
        }
    } else {
        for column in 0..columns {
            // SAFETY: as above.
            unsafe {
                convolve_pixels::<L, 1, VECTORS>(shape, input, start, kernel, bias, line, column)
            };
        }
    }
}

/// # Safety
/// The windows of `ROWS` pixels from `column` on are inside the input, and the kernel is that of a whole group.
#[inline(always)]
unsafe fn convolve_pixels<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    shape: &Shape,
    input: &[f32],
    start: usize,
    kernel: &[f32],
    bias: [L; VECTORS],
    line: &mut [f32],
    column: usize,
) {
    let mut sums = [bias; ROWS];
    let step = shape.stride * shape.channels;
    let steps = Steps { outer: shape.window, inner: shape.window_row() };
    let left = Left {
        values: input,
        rows: std::array::from_fn(|row| row * step),
        walk: Walk { start: start + column * step, outer: shape.width * shape.channels, inner: 1 },
    };
    let right = Right {
        values: kernel,
        walk: Walk { start: 0, outer: shape.window_row() * GROUP, inner: GROUP },
    };
    // SAFETY: the caller's promise.
    unsafe { tile_unchecked(&mut sums, steps, left, right) };
    for (row, sums) in sums.into_iter().enumerate() {
        store(sums, line, (column + row) * GROUP);
    }
}

/// A row of output pixels after the pool, for one group of filters.
struct Pooled<'a> {
    /// Rows before the pool, of `line_size` floats each.
    lines: &'a [f32],
    line_size: usize,
    /// Floats from one output pixel to the next.
    pitch: usize,
    /// Filters of this group.
    filters: usize,
    relu: bool,
    /// The output from the group's first filter of the row's first pixel on.
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Pooled<'_> {
    /// `POOL` is `pool` where the compiler is to know it, and 0 otherwise.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn write<L: Lanes, const V: usize, const POOL: usize>(self, pool: usize, width: usize) {
        let pool = if POOL == 0 { pool } else { POOL };
        // The loads rely on this: the last window is inside.
        assert!((pool - 1) * self.line_size + width * pool * GROUP <= self.lines.len());
        for x in 0..width {
            let at = x * pool * GROUP;
            // SAFETY: the window was checked.
            let mut best: [L; V] = unsafe { load_unchecked(self.lines, at) };
            let mut winner = [L::splat(f32::from_bits(0)); V];
            for place in 1..pool * pool {
                let at = at + (place / pool) * self.line_size + place % pool * GROUP;
                // SAFETY: as above.
                let values = unsafe { load_unchecked(self.lines, at) };
                compare(&mut best, &mut winner, values, place);
            }
            let range = x * self.pitch..x * self.pitch + self.filters;
            let (output, winners) = (&mut self.output[range.clone()], &mut self.winners[range]);
            put(best, winner, self.relu, output, winners);
        }
    }
}

/// Whether the input's gradient is a convolution of the output's: with a stride, the output's pixels would lie apart.
pub fn fits_input_gradient(shape: &Shape) -> bool {
    shape.stride == 1 && shape.padding.most() < shape.window
}

/// The gradient of a convolution's output, before any pool.
#[derive(Clone, Copy)]
pub struct OutputGradient<'a> {
    /// `[images, output height, output width, filters]`
    pub values: &'a [f32],
    /// One per value: where ReLU cut the output off, the gradient is zero whatever its value. `None` where the values have these
    /// zeros.
    pub winners: Option<&'a [u8]>,
}

/// Overwrites the gradients of kernel and bias.
pub fn kernel_gradient(
    shape: &Shape,
    input: &[f32],
    output: OutputGradient,
    gradient: &mut [f32],
    bias: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let padded = Padded::new(shape, input, buffers);
    let filters = shape.filters.next_multiple_of(GROUP);
    let mut sums = buffers.zeros(filters * shape.window_size());
    let shape = shape.padded();
    let band_rows = rows_at_once(&shape, filters);
    let mut pixels = buffers.zeros(band_rows * shape.output_width() * filters);
    let mut bias_of_band = buffers.floats(filters);
    let mut bias_sums = vec![0.0_f64; shape.filters];
    instructions.run(KernelGradient {
        shape,
        input: &padded,
        output,
        band_rows,
        pixels: &mut pixels,
        filters,
        sums: &mut sums,
        bias_of_band: &mut bias_of_band,
        bias: &mut bias_sums,
    });
    for (row, gradient) in gradient.chunks_exact_mut(shape.filters).enumerate() {
        for (group, gradient) in gradient.chunks_mut(GROUP).enumerate() {
            let at = (group * shape.window_size() + row) * GROUP;
            gradient.copy_from_slice(&sums[at..at + gradient.len()]);
        }
    }
    for (bias, sum) in bias.iter_mut().zip(bias_sums) {
        *bias = sum as f32;
    }
}

/// Rows of output whose pixels, with their part of the input, stay in the nearest cache of some 32 KB.
fn rows_at_once(shape: &Shape, filters: usize) -> usize {
    const FLOATS: usize = 7000;
    let row = shape.width * shape.channels * shape.stride + shape.output_width() * filters;
    (FLOATS / row).clamp(1, shape.output_height())
}

struct KernelGradient<'a> {
    /// The convolution of the padded input.
    shape: Shape,
    input: &'a [f32],
    output: OutputGradient<'a>,
    /// The most rows of output in a band.
    band_rows: usize,
    /// The gradient that passes ReLU, in a band: `[band_rows, output width, filters]`.
    pixels: &'a mut [f32],
    /// Filters, rounded up to whole groups.
    filters: usize,
    /// `[groups][window][window row][GROUP]`
    sums: &'a mut [f32],
    /// `[filters]`
    bias_of_band: &'a mut [f32],
    /// `[shape.filters]`
    bias: &'a mut [f64],
}

/// Rows of one image's output that are worked on together.
#[derive(Clone, Copy)]
struct Band {
    image: usize,
    /// The first row.
    first: usize,
    rows: usize,
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let rows = self.shape.output_height();
        let window_size = self.shape.window_size();
        for image in 0..self.shape.images {
            for first in (0..rows).step_by(self.band_rows) {
                let band = Band { image, first, rows: self.band_rows.min(rows - first) };
                self.copy::<L>(band);
                self.add_bias::<L, VECTORS>(band);
                for group in 0..self.filters / GROUP {
                    let mut place = 0;
                    while place + ROWS <= window_size {
                        self.add::<L, ROWS, VECTORS>(band, group, place);
                        place += ROWS;
                    }
                    for place in place..window_size {
                        self.add::<L, 1, VECTORS>(band, group, place);
                    }
                }
            }
        }
    }
}

impl KernelGradient<'_> {
    /// Copies a band of the output's gradient.
    #[inline(always)]
    fn copy<L: Lanes>(&mut self, Band { image, first, rows }: Band) {
        let (filters, width) = (self.shape.filters, self.shape.output_width());
        let OutputGradient { values, winners } = self.output;
        let at = (image * self.shape.output_height() + first) * width * filters;
        let range = at..at + rows * width * filters;
        let from = &values[range.clone()];
        if filters == self.filters {
            copy_passing::<L>(from, winners.map(|winners| &winners[range]), self.pixels);
            return;
        }
        let pixels = self.pixels.chunks_exact_mut(self.filters).zip(from.chunks_exact(filters));
        for (pixel, (to, from)) in pixels.enumerate() {
            let at = at + pixel * filters;
            copy_passing::<L>(from, winners.map(|winners| &winners[at..at + filters]), to);
        }
    }

    /// Adds a band's gradient to the bias' gradient.
    #[inline(always)]
    fn add_bias<L: Lanes, const V: usize>(&mut self, band: Band) {
        let pixels = &self.pixels[..band.rows * self.shape.output_width() * self.filters];
        for first in (0..self.filters).step_by(GROUP) {
            let mut sums = [L::splat(0.0); V];
            for pixel in pixels.chunks_exact(self.filters) {
                let values: [L; V] = load(pixel, first);
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = sum.add(value);
                }
            }
            store(sums, self.bias_of_band, first);
        }
        for (sum, &of_band) in self.bias.iter_mut().zip(&*self.bias_of_band) {
            *sum += f64::from(of_band);
        }
    }

    /// Adds the products of a band, for `R` places of the window and one group of filters.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn add<L: Lanes, const R: usize, const V: usize>(
        &mut self,
        band: Band,
        group: usize,
        place: usize,
    ) {
        let Self { shape, filters, .. } = *self;
        let (pitch, width) = (shape.width * shape.channels, shape.output_width());
        let left = Left {
            values: self.input,
            rows: std::array::from_fn(|r| {
                let place = place + r;
                place / shape.window_row() * pitch + place % shape.window_row()
            }),
            walk: Walk {
                start: (band.image * shape.height + band.first * shape.stride) * pitch,
                outer: shape.stride * pitch,
                inner: shape.stride * shape.channels,
            },
        };
        let walk = Walk { start: group * GROUP, outer: width * filters, inner: filters };
        let right = Right { values: self.pixels, walk };
        let mut sums = [[L::splat(0.0); V]; R];
        tile(&mut sums, Steps { outer: band.rows, inner: width }, left, right);
        let to = (group * shape.window_size() + place) * GROUP;
        for (r, sums) in sums.into_iter().enumerate() {
            add_to(self.sums, to + r * GROUP, sums);
        }
    }
}

/// Copies a gradient; with `winners`, zero where a place has no winner.
#[inline(always)]
fn copy_passing<L: Lanes>(from: &[f32], winners: Option<&[u8]>, to: &mut [f32]) {
    let to = &mut to[..from.len()];
    match winners {
        Some(winners) => pieces::<L, 4>(from.len(), &mut Passing { from, winners, to }),
        None => to.copy_from_slice(from),
    }
}

struct Passing<'a> {
    from: &'a [f32],
    winners: &'a [u8],
    to: &'a mut [f32],
}

impl Piece for Passing<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        const { assert!(NO_WINNER == 255) };
        let winners = &self.winners[at..][..V * L::COUNT];
        let mut values: [L; V] = load(self.from, at);
        for (v, value) in values.iter_mut().enumerate() {
            // SAFETY: there are as many winners as values.
            *value = unsafe { value.where_not_255(winners.as_ptr().add(v * L::COUNT)) };
        }
        store(values, self.to, at);
    }
}
