//! Winograd's transform for 3 x 3 kernels: of every four output pixels (F(2x2, 3x3)), or of every nine numbers of a kernel's
//! gradient (F(3x3, 2x2)), 16 multiplications instead of 36. A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural
//! Networks", 2015, sections 4.1 and 4.2.
//!
//! An input tile of 4 x 4 pixels becomes 16 places. Each place is a matrix product of its own, of tiles by channels and
//! channels by filters, for as many tiles at a time as the second-level cache holds.

use super::super::buffers::Buffers;
use super::super::lanes::{BLOCK, Instructions, Kernel, Lanes, load, store};
use super::super::tile::{Walk, tile, tile_unchecked, transpose};
use super::{Block, Padded, Shape, add_to};

/// Places of a transformed tile.
const PLACES: usize = 16;

/// Floats of transformed tiles at a time, in all places: half of a second-level cache of 512 KB.
const FLOATS_AT_ONCE: usize = 65_536;

/// Room for a place of so many floats. A block more keeps the same float of all places, which are read and written together,
/// from falling into the same lines of the nearest cache.
fn place_size(floats: usize) -> usize {
    floats + BLOCK
}

/// Whether a block can be computed this way.
pub fn fits(block: &Block) -> bool {
    let Block { shape, pool, .. } = *block;
    shape.kernel == 3
        && shape.stride == 1
        && pool <= 2
        && shape.padding.iter().all(|&zeros| zeros <= 2)
}

/// See [`super::forward`].
pub fn forward(
    block: &Block,
    [input, kernel, bias]: [&[f32]; 3],
    output: &mut [f32],
    winners: &mut [u8],
    instructions: Instructions,
    buffers: &Buffers,
) {
    assert!(fits(block));
    let shape = block.shape;
    let tiles = tiles_of(block);
    let padded_size = tiles.map(|tiles| 2 * tiles + 2);
    let padded = Padded::new(&shape, input, padded_size, 0, buffers);
    let filters = shape.filters.next_multiple_of(BLOCK);
    let mut transformed = buffers.zeros(PLACES * place_size(shape.channels * filters));
    instructions.run(TransformKernel { shape: &shape, kernel, transformed: &mut transformed });
    let mut filled_bias = buffers.zeros(filters);
    filled_bias[..shape.filters].copy_from_slice(bias);
    let at_once = tiles_at_once(shape.channels + BLOCK, shape.images * tiles[0] * tiles[1]);
    let mut places = buffers.floats(PLACES * place_size(at_once * shape.channels));
    let mut products = buffers.floats(PLACES * place_size(at_once * BLOCK));
    instructions.run(Forward {
        block,
        tiles: Tiles { input: &padded, size: padded.size(), tiles, channels: shape.channels },
        at_once,
        kernel: &transformed,
        bias: &filled_bias,
        places: &mut places,
        products: &mut products,
        output,
        winners,
    });
}

/// Overwrites `gradient` with that of the kernel, from the gradient `output` of the convolution's output, before any pool.
pub fn kernel_gradient(
    shape: &Shape,
    [input, output]: [&[f32]; 2],
    gradient: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let block = Block { shape: *shape, relu: false, pool: 1 };
    assert!(fits(&block));
    let tiles = tiles_of(&block);
    let padded = Padded::new(shape, input, tiles.map(|tiles| 2 * tiles + 2), 0, buffers);
    // The gradient's tiles must be whole, too.
    let size = [shape.output_height(), shape.output_width()];
    let pixels = Shape {
        height: size[0],
        width: size[1],
        channels: shape.filters,
        padding: [0, 0],
        ..*shape
    };
    let output = Padded::new(&pixels, output, tiles.map(|tiles| 2 * tiles), 0, buffers);
    let filters = shape.filters.next_multiple_of(BLOCK);
    let at_once = tiles_at_once(shape.channels + filters, shape.images * tiles[0] * tiles[1]);
    let mut places = buffers.floats(PLACES * place_size(at_once * shape.channels));
    let mut right = buffers.zeros(PLACES * place_size(at_once * filters));
    let mut sums = buffers.zeros(PLACES * place_size(filters * shape.channels));
    instructions.run(KernelGradient {
        tiles: Tiles { input: &padded, size: padded.size(), tiles, channels: shape.channels },
        output: Tiles { input: &output, size: output.size(), tiles, channels: shape.filters },
        images: shape.images,
        at_once,
        places: &mut places,
        right: &mut right,
        sums: &mut sums,
    });
    instructions.run(UntransformGradient { shape, sums: &sums, gradient });
}

/// Overwrites `gradient` with that of the input, from the gradient `output` of the convolution's output, before any pool: that
/// is the convolution of `output`, with more zeros around it, with the kernel turned around.
pub fn input_gradient(
    shape: &Shape,
    [kernel, output]: [&[f32]; 2],
    gradient: &mut [f32],
    instructions: Instructions,
    buffers: &Buffers,
) {
    let Shape { channels, filters, .. } = *shape;
    let turned_shape = Shape {
        height: shape.output_height(),
        width: shape.output_width(),
        channels: filters,
        filters: channels,
        padding: shape.padding.map(|padding| 2 - padding),
        ..*shape
    };
    let mut turned = buffers.floats(kernel.len());
    for (place, from) in kernel.chunks_exact(channels * filters).enumerate() {
        let to = &mut turned[(8 - place) * channels * filters..][..channels * filters];
        transpose(from, filters, [channels, filters], to, channels);
    }
    let block = Block { shape: turned_shape, relu: false, pool: 1 };
    let bias = buffers.zeros(channels);
    let mut winners = buffers.bytes(gradient.len());
    forward(&block, [output, &turned, &bias], gradient, &mut winners, instructions, buffers);
}

/// Rows and columns of tiles that an image's output is cut into; those that no pool's window takes are left out.
fn tiles_of(block: &Block) -> [usize; 2] {
    let size = [block.shape.output_height(), block.shape.output_width()];
    size.map(|size| if block.pool == 2 { size / 2 } else { size.div_ceil(2) })
}

/// A multiple of every machine's rows in a tile of sums, and no more than there are.
fn tiles_at_once(floats_a_tile: usize, tiles: usize) -> usize {
    const STEP: usize = 12;
    let fit = FLOATS_AT_ONCE / (PLACES * floats_a_tile);
    (fit - fit % STEP).clamp(STEP, tiles.next_multiple_of(STEP))
}

/// `G g G'` of each channel and filter.
struct TransformKernel<'a> {
    shape: &'a Shape,
    kernel: &'a [f32],
    /// `[PLACES][blocks of filters][channels][BLOCK]`
    transformed: &'a mut [f32],
}

impl Kernel for TransformKernel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let whole = self.shape.filters - self.shape.filters % L::COUNT;
        for channel in 0..self.shape.channels {
            for filter in (0..whole).step_by(L::COUNT) {
                self.transform::<L>(channel, filter);
            }
            for filter in whole..self.shape.filters {
                self.transform::<f32>(channel, filter);
            }
        }
    }
}

impl TransformKernel<'_> {
    #[inline(always)]
    fn transform<L: Lanes>(&mut self, channel: usize, filter: usize) {
        let Shape { channels, filters, .. } = *self.shape;
        let mut window = [[L::splat(0.0); 3]; 3];
        for (place, value) in window.iter_mut().flatten().enumerate() {
            [*value] = load(self.kernel, (place * channels + channel) * filters + filter);
        }
        let places: [[L; 4]; 4] = both_ways::<L, OfKernel, 3, 4>(window);
        let place_size = self.transformed.len() / PLACES;
        let to = (filter / BLOCK * channels + channel) * BLOCK + filter % BLOCK;
        for (place, value) in places.into_iter().flatten().enumerate() {
            store([value], self.transformed, place * place_size + to);
        }
    }
}

/// `A' m A` of F(3x3, 2x2), for each channel and filter.
struct UntransformGradient<'a> {
    shape: &'a Shape,
    /// `[PLACES][blocks of filters][channels][BLOCK]`
    sums: &'a [f32],
    gradient: &'a mut [f32],
}

impl Kernel for UntransformGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let whole = self.shape.filters - self.shape.filters % L::COUNT;
        for channel in 0..self.shape.channels {
            for filter in (0..whole).step_by(L::COUNT) {
                self.transform::<L>(channel, filter);
            }
            for filter in whole..self.shape.filters {
                self.transform::<f32>(channel, filter);
            }
        }
    }
}

impl UntransformGradient<'_> {
    #[inline(always)]
    fn transform<L: Lanes>(&mut self, channel: usize, filter: usize) {
        let Shape { channels, filters, .. } = *self.shape;
        let place_size = self.sums.len() / PLACES;
        let from = (filter / BLOCK * channels + channel) * BLOCK + filter % BLOCK;
        let mut places = [[L::splat(0.0); 4]; 4];
        for (place, value) in places.iter_mut().flatten().enumerate() {
            [*value] = load(self.sums, place * place_size + from);
        }
        let window: [[L; 3]; 3] = both_ways::<L, ToKernel, 4, 3>(places);
        for (place, value) in window.into_iter().flatten().enumerate() {
            store([value], self.gradient, (place * channels + channel) * filters + filter);
        }
    }
}

/// Overlapping tiles of images that are large enough for all of them.
#[derive(Clone, Copy)]
struct Tiles<'a> {
    input: &'a [f32],
    /// Height and width.
    size: [usize; 2],
    /// Rows and columns of tiles, each two pixels behind the one before.
    tiles: [usize; 2],
    channels: usize,
}

impl Tiles<'_> {
    /// Image, row and column of a tile.
    #[inline(always)]
    fn position(&self, tile: usize) -> [usize; 3] {
        let [rows, columns] = self.tiles;
        [tile / (rows * columns), tile / columns % rows, tile % columns]
    }

    /// Where the first pixel of a tile is.
    #[inline(always)]
    fn start(&self, tile: usize) -> usize {
        let [image, row, column] = self.position(tile);
        ((image * self.size[0] + 2 * row) * self.size[1] + 2 * column) * self.channels
    }

    /// Writes the tiles from `first` on, `count` of them, transformed, in rows of `width` floats.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn transform<L: Lanes, T: Transform<SIDE>, const SIDE: usize>(
        &self,
        [first, count]: [usize; 2],
        width: usize,
        places: &mut [f32],
    ) {
        let whole = self.channels - self.channels % L::COUNT;
        let place_size = places.len() / PLACES;
        assert!(self.channels <= width && count * width <= place_size);
        for tile in 0..count {
            let start = self.start(first + tile);
            let row = self.size[1] * self.channels;
            assert!(start + (SIDE - 1) * row + SIDE * self.channels <= self.input.len());
            // SAFETY: the pixels of the tile were checked, and so was the room for all places of so many tiles.
            unsafe {
                let from = self.input.as_ptr().add(start);
                let to = places.as_mut_ptr().add(tile * width);
                for channel in (0..whole).step_by(L::COUNT) {
                    let (from, to) = (from.add(channel), to.add(channel));
                    transform_part::<L, T, SIDE>(from, row, self.channels, to, place_size);
                }
                for channel in whole..self.channels {
                    let (from, to) = (from.add(channel), to.add(channel));
                    transform_part::<f32, T, SIDE>(from, row, self.channels, to, place_size);
                }
            }
        }
    }
}

/// # Safety
/// Vectors of a tile's pixels can be read from `from` on, in rows of `row` floats, and one written in each place.
#[inline(always)]
unsafe fn transform_part<L: Lanes, T: Transform<SIDE>, const SIDE: usize>(
    from: *const f32,
    row: usize,
    channels: usize,
    to: *mut f32,
    place_size: usize,
) {
    let mut pixels = [[L::splat(0.0); SIDE]; SIDE];
    for (y, pixels) in pixels.iter_mut().enumerate() {
        for (x, pixel) in pixels.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *pixel = unsafe { L::load(from.add(y * row + x * channels)) };
        }
    }
    let places: [[L; 4]; 4] = both_ways::<L, T, SIDE, 4>(pixels);
    for (place, value) in places.into_iter().flatten().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { value.store(to.add(place * place_size)) };
    }
}

/// One of the algorithms' matrices, times a column of `N`.
///
/// Functions and no closures: only what is surely inlined is compiled to the machine's vectors.
trait Transform<const N: usize, const M: usize = 4> {
    fn apply<L: Lanes>(column: [L; N]) -> [L; M];
}

/// `T x T'` of a square.
#[inline(always)]
fn both_ways<L: Lanes, T: Transform<N, M>, const N: usize, const M: usize>(
    square: [[L; N]; N],
) -> [[L; M]; M] {
    let mut half = [[L::splat(0.0); N]; M];
    for x in 0..N {
        let mut column = [L::splat(0.0); N];
        for y in 0..N {
            column[y] = square[y][x];
        }
        for (half, value) in half.iter_mut().zip(T::apply(column)) {
            half[x] = value;
        }
    }
    let mut whole = [[L::splat(0.0); M]; M];
    for (whole, half) in whole.iter_mut().zip(half) {
        *whole = T::apply(half);
    }
    whole
}

/// `B'` of both algorithms, for tiles of 4 x 4 pixels.
struct OfInput;

impl Transform<4> for OfInput {
    #[inline(always)]
    fn apply<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 4] {
        [a.sub(c), b.add(c), c.sub(b), b.sub(d)]
    }
}

/// `G` of F(3, 2), for tiles of 2 x 2 pixels of the output's gradient.
struct OfGradient;

impl Transform<2> for OfGradient {
    #[inline(always)]
    fn apply<L: Lanes>([a, b]: [L; 2]) -> [L; 4] {
        let half = L::splat(0.5);
        [a, a.add(b).mul(half), a.sub(b).mul(half), b]
    }
}

/// `G` of F(2, 3), for a kernel.
struct OfKernel;

impl Transform<3> for OfKernel {
    #[inline(always)]
    fn apply<L: Lanes>([a, b, c]: [L; 3]) -> [L; 4] {
        let half = L::splat(0.5);
        [a, a.add(b).add(c).mul(half), a.sub(b).add(c).mul(half), c]
    }
}

/// `A'` of F(2, 3): places to output pixels.
struct ToPixels;

impl Transform<4, 2> for ToPixels {
    #[inline(always)]
    fn apply<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 2] {
        [a.add(b).add(c), b.sub(c).sub(d)]
    }
}

/// `A'` of F(3, 2): places to a kernel's gradient.
struct ToKernel;

impl Transform<4, 3> for ToKernel {
    #[inline(always)]
    fn apply<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 3] {
        [a.add(b).add(c), b.sub(c), b.add(c).sub(d)]
    }
}

struct Forward<'a> {
    block: &'a Block,
    tiles: Tiles<'a>,
    at_once: usize,
    /// `[PLACES][blocks][channels][BLOCK]`
    kernel: &'a [f32],
    /// `[blocks][BLOCK]`
    bias: &'a [f32],
    /// `[PLACES][at_once][channels]`
    places: &'a mut [f32],
    /// Of one block of filters: `[PLACES][at_once][BLOCK]`.
    products: &'a mut [f32],
    output: &'a mut [f32],
    winners: &'a mut [u8],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let Block { shape, .. } = *self.block;
        let [rows, columns] = self.tiles.tiles;
        let all = shape.images * rows * columns;
        for first in (0..all).step_by(self.at_once) {
            let count = self.at_once.min(all - first);
            self.tiles.transform::<L, OfInput, 4>([first, count], shape.channels, self.places);
            for block in 0..shape.filters.div_ceil(BLOCK) {
                self.multiply::<L, ROWS, VECTORS>(block, count);
                self.write_all::<L, VECTORS>(block, first, count);
            }
        }
    }
}

impl Forward<'_> {
    /// The products of all places for one block of filters.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn multiply<L: Lanes, const R: usize, const V: usize>(&mut self, block: usize, count: usize) {
        let channels = self.tiles.channels;
        let sizes = [self.places.len(), self.kernel.len(), self.products.len()];
        let [place_size, kernel_size, products_size] = sizes.map(|size| size / PLACES);
        // What is behind the last tile is computed, too, and never read.
        assert!(self.at_once.is_multiple_of(R) && count <= self.at_once);
        assert!(self.at_once * channels <= place_size && self.at_once * BLOCK <= products_size);
        assert!((block + 1) * channels * BLOCK <= kernel_size);
        for place in 0..PLACES {
            let right =
                Walk { start: place * kernel_size + block * channels * BLOCK, step: [0, BLOCK] };
            for tile in (0..count).step_by(R) {
                let left = Walk { start: place * place_size + tile * channels, step: [0, 1] };
                let offsets = std::array::from_fn(|r| r * channels);
                let mut sums = [[L::splat(0.0); V]; R];
                // SAFETY: there are so many tiles in each place, and a whole block of the kernel.
                unsafe {
                    tile_unchecked(
                        &mut sums,
                        [1, channels],
                        (self.places, offsets, left),
                        (self.kernel, right),
                    );
                    let to = place * products_size + tile * BLOCK;
                    let to = self.products.as_mut_ptr().add(to);
                    for (r, sums) in sums.into_iter().enumerate() {
                        for (v, sum) in sums.into_iter().enumerate() {
                            sum.store(to.add(r * BLOCK + v * L::COUNT));
                        }
                    }
                }
            }
        }
    }

    /// The output pixels of all tiles.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn write_all<L: Lanes, const V: usize>(&mut self, block: usize, first: usize, count: usize) {
        for tile in 0..count {
            self.write::<L, V>(block, tile, self.tiles.position(first + tile));
        }
    }

    /// The four output pixels of one tile, or what the pool takes of them.
    #[inline(always)]
    fn write<L: Lanes, const V: usize>(
        &mut self,
        block: usize,
        tile: usize,
        [image, row, column]: [usize; 3],
    ) {
        let Block { shape, relu, pool } = *self.block;
        let filters = block * BLOCK..shape.filters.min((block + 1) * BLOCK);
        let bias: [L; V] = load(self.bias, block * BLOCK);
        let mut pixels = [[L::splat(0.0); V]; 4];
        let products_size = self.products.len() / PLACES;
        assert!((tile + 1) * BLOCK <= products_size);
        for (v, bias) in bias.into_iter().enumerate() {
            let mut places = [[L::splat(0.0); 4]; 4];
            for (place, value) in places.iter_mut().flatten().enumerate() {
                let at = place * products_size + tile * BLOCK + v * L::COUNT;
                // SAFETY: there is a block for each of so many tiles in each place.
                *value = unsafe { L::load(self.products.as_ptr().add(at)) };
            }
            let values: [[L; 2]; 2] = both_ways::<L, ToPixels, 4, 2>(places);
            for (place, value) in values.into_iter().flatten().enumerate() {
                pixels[place][v] = value.add(bias);
            }
        }
        let size = [self.block.output_height(), self.block.output_width()];
        let first = [L::splat(f32::from_bits(0)); V];
        if pool == 2 {
            let (mut best, mut winner) = (pixels[0], first);
            for (place, pixel) in pixels.into_iter().enumerate().skip(1) {
                super::compare(&mut best, &mut winner, pixel, place);
            }
            let at = ((image * size[0] + row) * size[1] + column) * shape.filters;
            let range = at + filters.start..at + filters.end;
            let (output, winners) = (&mut self.output[range.clone()], &mut self.winners[range]);
            return super::put(best, winner, relu, output, winners);
        }
        for (place, pixel) in pixels.into_iter().enumerate() {
            let [row, column] = [2 * row + place / 2, 2 * column + place % 2];
            if row < size[0] && column < size[1] {
                let at = ((image * size[0] + row) * size[1] + column) * shape.filters;
                let range = at + filters.start..at + filters.end;
                let (output, winners) = (&mut self.output[range.clone()], &mut self.winners[range]);
                super::put(pixel, first, relu, output, winners);
            }
        }
    }
}

struct KernelGradient<'a> {
    tiles: Tiles<'a>,
    /// The tiles of the output's gradient, which do not overlap.
    output: Tiles<'a>,
    images: usize,
    at_once: usize,
    /// `[PLACES][at_once][channels]`
    places: &'a mut [f32],
    /// `[PLACES][at_once][filters, filled up]`
    right: &'a mut [f32],
    /// `[PLACES][blocks][channels][BLOCK]`
    sums: &'a mut [f32],
}

impl Kernel for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(mut self) {
        let [rows, columns] = self.tiles.tiles;
        let all = self.images * rows * columns;
        let channels = self.tiles.channels;
        let width = self.output.channels.next_multiple_of(BLOCK);
        for first in (0..all).step_by(self.at_once) {
            let count = self.at_once.min(all - first);
            let range = [first, count];
            self.tiles.transform::<L, OfInput, 4>(range, channels, self.places);
            self.output.transform::<L, OfGradient, 2>(range, width, self.right);
            for place in 0..PLACES {
                self.multiply::<L, ROWS, VECTORS>(place, count);
            }
        }
    }
}

impl KernelGradient<'_> {
    /// Adds one place's products of some tiles, for all channels and filters.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn multiply<L: Lanes, const R: usize, const V: usize>(&mut self, place: usize, count: usize) {
        let channels = self.tiles.channels;
        for block in 0..self.output.channels.div_ceil(BLOCK) {
            let mut channel = 0;
            while channel + R <= channels {
                self.add::<L, R, V>(place, block, channel, count);
                channel += R;
            }
            for channel in channel..channels {
                self.add::<L, 1, V>(place, block, channel, count);
            }
        }
    }

    #[inline(always)]
    fn add<L: Lanes, const R: usize, const V: usize>(
        &mut self,
        place: usize,
        block: usize,
        channel: usize,
        count: usize,
    ) {
        let channels = self.tiles.channels;
        let width = self.output.channels.next_multiple_of(BLOCK);
        let mut sums = [[L::splat(0.0); V]; R];
        let sizes = [self.places.len(), self.right.len(), self.sums.len()];
        let [place_size, right_size, sums_size] = sizes.map(|size| size / PLACES);
        let left = Walk { start: place * place_size + channel, step: [0, channels] };
        let right = Walk { start: place * right_size + block * BLOCK, step: [0, width] };
        let offsets = std::array::from_fn(|r| r);
        tile(&mut sums, [1, count], (self.places, offsets, left), (self.right, right));
        let to = place * sums_size + (block * channels + channel) * BLOCK;
        for (r, sums) in sums.into_iter().enumerate() {
            add_to(self.sums, to + r * BLOCK, sums);
        }
    }
}
