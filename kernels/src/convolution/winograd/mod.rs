//! Winograd's transform for 3 x 3 kernels: 16 multiplications instead of 36 for every four output pixels (F(2x2, 3x3)), or for
//! every nine numbers of a kernel's gradient (F(3x3, 2x2)). A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural
//! Networks", 2015, sections 4.1 and 4.2.
//!
//! An input tile of 4 x 4 pixels is transformed to 16 places. Each place is a matrix product, of tiles by channels and channels
//! by filters, for as many tiles at a time as the second-level cache holds.

mod forward;
mod kernel_gradient;

pub use forward::forward;
pub use kernel_gradient::kernel_gradient;

use std::ops::Range;

use super::{Block, Shape, Size};
use crate::lanes::{GROUP, Lanes};

/// Places of a transformed tile.
const PLACES: usize = 16;

/// Floats of the transformed tiles that are worked on at a time, in all places: half of a second-level cache of 512 KB.
const FLOATS_AT_ONCE: usize = 65_536;

/// Room for a place of `floats` floats. One more group keeps the same float of all places, which are read and written together,
/// out of the same lines of the nearest cache.
fn place_size(floats: usize) -> usize {
    floats + GROUP
}

/// Whether the transform can compute a block.
pub fn fits(block: &Block) -> bool {
    let Block { shape, pool, .. } = *block;
    shape.window == 3 && shape.stride == 1 && pool <= 2 && shape.padding.most() <= 2
}

/// The rows and columns of tiles of an image.
#[derive(Clone, Copy)]
struct Grid {
    rows: usize,
    columns: usize,
}

impl Grid {
    /// The tiles of a block's output, of 2 x 2 pixels each; those outside all windows of the pool are left out.
    fn of(block: &Block) -> Self {
        let tiles = |size: usize| if block.pool == 2 { size / 2 } else { size.div_ceil(2) };
        let shape = &block.shape;
        Self { rows: tiles(shape.output_height()), columns: tiles(shape.output_width()) }
    }

    fn tiles(self) -> usize {
        self.rows * self.columns
    }

    /// Pixels of an output of whole tiles.
    fn output_size(self) -> Size {
        Size { height: 2 * self.rows, width: 2 * self.columns }
    }

    /// Pixels of an input of whole tiles, which overlap by two pixels.
    fn input_size(self) -> Size {
        Size { height: 2 * self.rows + 2, width: 2 * self.columns + 2 }
    }
}

/// The number of tiles that are worked on at a time: a multiple of every machine's rows in a tile of sums, and no larger than
/// needed for all `tiles`.
fn tiles_at_once(floats_per_tile: usize, tiles: usize) -> usize {
    const STEP: usize = 12;
    let fit = FLOATS_AT_ONCE / (PLACES * floats_per_tile);
    (fit - fit % STEP).clamp(STEP, tiles.next_multiple_of(STEP))
}

/// Images as tiles. Each tile starts two pixels after the one before, and the images are large enough for all tiles.
#[derive(Clone, Copy)]
struct Tiles<'a> {
    pixels: &'a [f32],
    size: Size,
    grid: Grid,
    channels: usize,
}

/// The image, row and column of a tile.
struct Position {
    image: usize,
    row: usize,
    column: usize,
}

impl Tiles<'_> {
    #[inline(always)]
    fn position(&self, tile: usize) -> Position {
        let Grid { rows, columns } = self.grid;
        Position {
            image: tile / (rows * columns),
            row: tile / columns % rows,
            column: tile % columns,
        }
    }

    /// The place of a tile's first pixel.
    #[inline(always)]
    fn start(&self, tile: usize) -> usize {
        let Position { image, row, column } = self.position(tile);
        ((image * self.size.height + 2 * row) * self.size.width + 2 * column) * self.channels
    }

    /// Writes the transforms of a range of tiles, in rows of `width` floats.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn transform<L: Lanes, T: Transform<SIDE>, const SIDE: usize>(
        &self,
        tiles: Range<usize>,
        width: usize,
        places: &mut [f32],
    ) {
        let whole = self.channels - self.channels % L::COUNT;
        let place_size = places.len() / PLACES;
        assert!(self.channels <= width && tiles.len() * width <= place_size);
        for (tile, position) in tiles.enumerate() {
            let start = self.start(position);
            let row = self.size.width * self.channels;
            assert!(start + (SIDE - 1) * row + SIDE * self.channels <= self.pixels.len());
            // SAFETY: the pixels of the tile were checked, and so was the room for all places of the tiles.
            unsafe {
                let from = self.pixels.as_ptr().add(start);
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
/// A vector can be read at each of a tile's pixels, from `from` on in rows of `row` floats, and written to each place from `to` on.
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

/// A pass over a convolution's weights, as many filters at a time as a vector has lanes.
trait WeightsPass {
    /// Works on one channel's weights of the filters from `filter` on.
    fn part<L: Lanes>(&mut self, channel: usize, filter: usize);

    #[inline(always)]
    fn all<L: Lanes>(&mut self, shape: &Shape) {
        let whole = shape.filters - shape.filters % L::COUNT;
        for channel in 0..shape.channels {
            for filter in (0..whole).step_by(L::COUNT) {
                self.part::<L>(channel, filter);
            }
            for filter in whole..shape.filters {
                self.part::<f32>(channel, filter);
            }
        }
    }
}

/// The product of one of the algorithms' matrices and a column of `N`.
///
/// Implementations are functions, not closures: only code that is always inlined is compiled to the machine's vectors.
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

/// `A'` of F(2, 3), from places to output pixels.
struct ToPixels;

impl Transform<4, 2> for ToPixels {
    #[inline(always)]
    fn apply<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 2] {
        [a.add(b).add(c), b.sub(c).sub(d)]
    }
}

/// `A'` of F(3, 2), from places to a kernel's gradient.
struct ToKernel;

impl Transform<4, 3> for ToKernel {
    #[inline(always)]
    fn apply<L: Lanes>([a, b, c, d]: [L; 4]) -> [L; 3] {
        [a.add(b).add(c), b.sub(c), b.add(c).sub(d)]
    }
}
