//! A convolution with the ReLU and the max-pool after it, as one operation: the output before the pool is never written, and
//! only the winner of each window is remembered.
//!
//! Activations lie in NHWC order and kernels in HWIO, as in Keras. In both orders the window of an output pixel is `window` rows
//! of `window * channels` consecutive floats; the direct kernels know nothing else of a convolution. `direct` goes over all
//! output pixels; `winners`, in backward passes, over the winners of the pool's windows alone; `winograd` does all three passes
//! for 3 x 3 kernels. [`Plan::of`] chooses among them.

mod direct;
mod winners;
mod winograd;

use crate::buffers::{Buffer, Buffers};
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{Matrix, transpose};

/// Rows and columns of zeros around an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    pub top: usize,
    pub bottom: usize,
    pub left: usize,
    pub right: usize,
}

impl Padding {
    pub const NONE: Self = Self::alike(0, 0);

    /// The same zeros around rows as around columns.
    pub const fn alike(before: usize, after: usize) -> Self {
        Self { top: before, bottom: after, left: before, right: after }
    }

    fn map(self, side: impl Fn(usize) -> usize) -> Self {
        Self {
            top: side(self.top),
            bottom: side(self.bottom),
            left: side(self.left),
            right: side(self.right),
        }
    }

    /// The zeros of the side that has the most.
    fn most(self) -> usize {
        self.top.max(self.bottom).max(self.left).max(self.right)
    }
}

/// A convolution and the sizes of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub images: usize,
    /// The input's height and width.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub filters: usize,
    /// Side of the kernel's window, a square.
    pub window: usize,
    pub stride: usize,
    pub padding: Padding,
}

/// A convolution, ReLU and max-pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub shape: Shape,
    pub relu: bool,
    /// Side of the max-pool's windows, which do not overlap; 1 for no pool.
    pub pool: usize,
}

/// The winner of a window of which no pixel carries a gradient, because ReLU has cut them all off.
const NO_WINNER: u8 = u8::MAX;

/// The largest pool whose windows' places a byte can number.
pub const LARGEST_POOL: usize = 15;

impl Shape {
    pub fn output_height(&self) -> usize {
        (self.height + self.padding.top + self.padding.bottom - self.window) / self.stride + 1
    }

    pub fn output_width(&self) -> usize {
        (self.width + self.padding.left + self.padding.right - self.window) / self.stride + 1
    }

    /// Floats of one row of a window.
    fn window_row(&self) -> usize {
        self.window * self.channels
    }

    /// Floats of one window.
    fn window_size(&self) -> usize {
        self.window * self.window_row()
    }

    pub fn kernel_size(&self) -> usize {
        product(&[self.window, self.window, self.channels, self.filters])
    }

    pub fn input_size(&self) -> usize {
        product(&[self.images, self.height, self.width, self.channels])
    }

    /// The same convolution of an input that already has its zeros around it.
    fn padded(&self) -> Self {
        let Padding { top, bottom, left, right } = self.padding;
        let around = |size: usize, before: usize, after: usize| {
            let all = before.checked_add(after).filter(|&zeros| zeros <= usize::MAX / 2);
            size + all.expect("padding that fits the memory")
        };
        Self {
            height: around(self.height, top, bottom),
            width: around(self.width, left, right),
            padding: Padding::NONE,
            ..*self
        }
    }

    /// Floating-point operations of one pass over all output pixels: two for each multiply-add.
    pub fn operations(&self) -> f64 {
        let pixels = self.images * self.output_height() * self.output_width();
        2.0 * pixels as f64 * self.kernel_size() as f64
    }
}

impl Block {
    pub fn output_height(&self) -> usize {
        self.shape.output_height() / self.pool
    }

    pub fn output_width(&self) -> usize {
        self.shape.output_width() / self.pool
    }

    /// Floats of all images' output.
    pub fn output_size(&self) -> usize {
        product(&[self.shape.images, self.output_height(), self.output_width(), self.shape.filters])
    }

    /// Checks the sizes on which all passes rely, except the lengths of their slices.
    fn check(&self) {
        let Shape { window, stride, .. } = self.shape;
        let padded = self.shape.padded();
        // Refuses a padded copy whose size overflows.
        padded.input_size();
        assert!((1..=padded.height.min(padded.width)).contains(&window) && stride > 0);
        assert!((1..=LARGEST_POOL).contains(&self.pool));
    }
}

/// The way of computing a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// By the definition, from all pixels.
    Direct,
    /// Backward, from the winners of the pool's windows alone; any convolution can go this way. There is no such path forward.
    Winners,
    /// By Winograd's transform.
    Winograd,
}

/// The paths of a block's passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub forward: Path,
    pub kernel_gradient: Path,
    pub input_gradient: Path,
}

impl Plan {
    /// The only place where the rule stands.
    pub fn of(block: &Block) -> Self {
        let Block { shape, pool, .. } = *block;
        // Measured in V8, 20 images of 16 x 16, forward, direct and by Winograd in ms: 0.41 and 0.55 for 16 channels and filters,
        // 1.17 and 1.20 for 24, 1.51 and 1.44 for 32, 0.79 and 0.95 for 32 and 16. With few channels a transformed tile has too
        // few products to pay for the transform.
        let wins = Self::fits(block) && shape.channels >= 24 && shape.filters >= 24;
        let all = |path| Self::all(block, path);
        let forward = all(if wins { Path::Winograd } else { Path::Direct });
        let backward = all(match pool {
            1 if wins => Path::Winograd,
            // With fewer filters, most of a vector along them would be empty.
            1 if shape.filters >= GROUP => Path::Direct,
            // After a pool the winners are a quarter of the pixels, which is less than what the transform leaves.
            _ => Path::Winners,
        });
        Self { forward: forward.forward, ..backward }
    }

    /// All passes on `path`; a pass that cannot take it takes one that every convolution can.
    pub fn all(block: &Block, path: Path) -> Self {
        Self {
            forward: if path == Path::Winograd { path } else { Path::Direct },
            kernel_gradient: path,
            input_gradient: match path {
                Path::Direct if !direct::fits_input_gradient(&block.shape) => Path::Winners,
                path => path,
            },
        }
    }

    /// Whether Winograd's transform can compute a block.
    pub fn fits(block: &Block) -> bool {
        winograd::fits(block)
    }
}

/// The inputs of a block's forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[images, height, width, channels]`
    pub input: &'a [f32],
    /// `[window, window, channels, filters]`
    pub kernel: &'a [f32],
    /// `[filters]`
    pub bias: &'a [f32],
}

/// The inputs of a block's backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// `[images, height, width, channels]`
    pub input: &'a [f32],
    /// `[window, window, channels, filters]`
    pub kernel: &'a [f32],
    /// The gradient of the output, `[images, output height, output width, filters]`.
    pub gradient: &'a [f32],
    /// The winners that [`forward`] wrote, of the same size.
    pub winners: &'a [u8],
}

/// Computes the block's output `[images, output height, output width, filters]` and, if wanted, the `winners`, of the same size:
/// the place in its window from which each output comes.
pub fn forward(
    block: &Block,
    plan: &Plan,
    inputs: Inputs,
    output: &mut [f32],
    winners: Option<&mut [u8]>,
    instructions: Instructions,
    buffers: &Buffers,
) {
    let shape = block.shape;
    block.check();
    assert_eq!(inputs.input.len(), shape.input_size());
    assert_eq!(inputs.kernel.len(), shape.kernel_size());
    assert_eq!(inputs.bias.len(), shape.filters);
    assert_eq!(output.len(), block.output_size());
    let mut unwanted;
    let winners = match winners {
        Some(winners) => winners,
        None => {
            unwanted = buffers.bytes(output.len());
            &mut unwanted
        }
    };
    assert_eq!(winners.len(), output.len());
    let compute = match plan.forward {
        Path::Direct | Path::Winners => direct::forward,
        Path::Winograd => winograd::forward,
    };
    compute(block, inputs, output, winners, instructions, buffers);
}

/// The gradients to compute; the input's is optional.
pub struct Gradients<'a> {
    /// `[images, height, width, channels]`
    pub input: Option<&'a mut [f32]>,
    /// `[window, window, channels, filters]`
    pub kernel: &'a mut [f32],
    /// `[filters]`
    pub bias: &'a mut [f32],
}

/// Overwrites `gradients` with the block's gradients.
pub fn backward(
    block: &Block,
    plan: &Plan,
    known: Known,
    gradients: Gradients,
    instructions: Instructions,
    buffers: &Buffers,
) {
    let Known { input, kernel, gradient: output_gradient, winners } = known;
    let shape = block.shape;
    block.check();
    assert_eq!(input.len(), shape.input_size());
    assert_eq!(kernel.len(), shape.kernel_size());
    assert_eq!(output_gradient.len(), block.output_size());
    assert_eq!(winners.len(), block.output_size());
    assert_eq!(gradients.kernel.len(), kernel.len());
    assert_eq!(gradients.bias.len(), shape.filters);
    if !instructions.run(AllFinite(output_gradient)) {
        // As in TensorFlow, where ReLU's gradient is a product: 0 times NaN is NaN. The window's first place gets it.
        let cut = |(value, winner): (&f32, &u8)| match (*winner, value.is_finite()) {
            (NO_WINNER, false) => (f32::NAN, 0),
            (winner, _) => (*value, winner),
        };
        let (gradient, passing): (Vec<_>, Vec<_>) =
            output_gradient.iter().zip(winners).map(cut).unzip();
        if passing != winners {
            let known = Known { gradient: &gradient, winners: &passing, ..known };
            return backward(block, plan, known, gradients, instructions, buffers);
        }
    }
    let needs_all = match plan.kernel_gradient {
        Path::Direct if block.pool == 1 => false,
        path => path != Path::Winners,
    };
    let needs_all =
        needs_all || (gradients.input.is_some() && plan.input_gradient != Path::Winners);
    let all = needs_all.then(|| before_pool(block, output_gradient, winners, buffers));
    let all = all.as_deref();
    match (plan.kernel_gradient, all) {
        (Path::Direct, all) => direct::kernel_gradient(
            &shape,
            input,
            match all {
                Some(all) => direct::OutputGradient { values: all, winners: None },
                // Without a pool each pixel is its own window.
                None => direct::OutputGradient { values: output_gradient, winners: Some(winners) },
            },
            gradients.kernel,
            gradients.bias,
            instructions,
            buffers,
        ),
        (Path::Winograd, Some(all)) => {
            bias_gradient(all, all.len() / shape.images, gradients.bias);
            winograd::kernel_gradient(&shape, input, all, gradients.kernel, instructions, buffers);
        }
        _ => winners::kernel_gradient(
            block,
            known,
            gradients.kernel,
            gradients.bias,
            instructions,
            buffers,
        ),
    }
    let Some(gradient) = gradients.input else { return };
    assert_eq!(gradient.len(), input.len());
    let compute = match plan.input_gradient {
        Path::Direct => direct::forward,
        Path::Winograd => winograd::forward,
        Path::Winners => {
            return winners::input_gradient(block, known, gradient, instructions, buffers);
        }
    };
    let all = all.expect("all pixels' gradients were computed");
    // The input's gradient is a convolution of the output's gradient, with more zeros around it and the kernel rotated by 180
    // degrees.
    let (rotated_shape, rotated) = rotated(&shape, kernel, buffers);
    let block = Block { shape: rotated_shape, relu: false, pool: 1 };
    let bias = buffers.zeros(shape.channels);
    let mut winners = buffers.bytes(gradient.len());
    let inputs = Inputs { input: all, kernel: &rotated, bias: &bias };
    compute(&block, inputs, gradient, &mut winners, instructions, buffers);
}

/// The convolution that computes a convolution's input gradient from its output gradient, and the kernel of that convolution.
fn rotated(shape: &Shape, kernel: &[f32], buffers: &Buffers) -> (Shape, Buffer<f32>) {
    let Shape { channels, filters, .. } = *shape;
    let rotated_shape = Shape {
        height: shape.output_height(),
        width: shape.output_width(),
        channels: filters,
        filters: channels,
        padding: shape.padding.map(|padding| shape.window - 1 - padding),
        ..*shape
    };
    let mut rotated = buffers.floats(kernel.len());
    let last = shape.window * shape.window - 1;
    for (place, from) in kernel.chunks_exact(channels * filters).enumerate() {
        let to = &mut rotated[(last - place) * channels * filters..][..channels * filters];
        transpose(Matrix { rows: channels, columns: filters }, from, filters, to, channels);
    }
    (rotated_shape, rotated)
}

/// Whether no value is infinite or NaN.
struct AllFinite<'a>(&'a [f32]);

impl Computation for AllFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<L: Lanes, const ROWS: usize, const VECTORS: usize>(self) -> bool {
        let (groups, rest) = self.0.as_chunks::<GROUP>();
        // A value minus itself is zero, but NaN where it is not finite, and NaN stays in a sum.
        let mut sums = [L::splat(0.0); VECTORS];
        for group in groups {
            let values: [L; VECTORS] = load(group, 0);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = sum.add(value.sub(value));
            }
        }
        let mut group = [0.0; GROUP];
        store(sums, &mut group, 0);
        group.iter().chain(rest).all(|value| value.is_finite())
    }
}

/// Sums `all` over all pixels; the sums of single images, of `image` floats each, are added up in f64.
fn bias_gradient(all: &[f32], image: usize, gradient: &mut [f32]) {
    let filters = gradient.len();
    let mut sums = vec![0.0_f64; filters];
    for image in all.chunks_exact(image) {
        gradient.fill(0.0);
        for pixel in image.chunks_exact(filters) {
            for (sum, value) in gradient.iter_mut().zip(pixel) {
                *sum += value;
            }
        }
        for (sum, &of_image) in sums.iter_mut().zip(&*gradient) {
            *sum += f64::from(of_image);
        }
    }
    for (gradient, sum) in gradient.iter_mut().zip(sums) {
        *gradient = sum as f32;
    }
}

/// The gradient of the convolution's output, before ReLU and pool: the winners' places have the gradient of the block's output, and
/// the others are zero.
fn before_pool(block: &Block, gradient: &[f32], winners: &[u8], buffers: &Buffers) -> Buffer<f32> {
    let Block { shape, pool, .. } = *block;
    let (height, width) = (block.output_height(), block.output_width());
    if pool == 1 {
        let mut all = buffers.floats(gradient.len());
        for (all, (&value, &winner)) in all.iter_mut().zip(gradient.iter().zip(winners)) {
            *all = if winner == NO_WINNER { 0.0 } else { value };
        }
        return all;
    }
    let mut all =
        buffers.zeros(shape.images * shape.output_height() * shape.output_width() * shape.filters);
    let pixels = gradient.chunks_exact(shape.filters).zip(winners.chunks_exact(shape.filters));
    for (pixel, (values, winners)) in pixels.enumerate() {
        let (image, row, column) =
            (pixel / (height * width), pixel / width % height, pixel % width);
        for (filter, (&value, &winner)) in values.iter().zip(winners).enumerate() {
            if winner != NO_WINNER {
                let place = usize::from(winner);
                let y = image * shape.output_height() + row * pool + place / pool;
                let x = column * pool + place % pool;
                all[(y * shape.output_width() + x) * shape.filters + filter] = value;
            }
        }
    }
    all
}

/// Updates the best values so far, and their places, by the values of the next place. As in Burn's operations, the first of equal
/// values wins, and NaN wins over all numbers.
#[inline(always)]
fn compare<L: Lanes, const V: usize>(
    best: &mut [L; V],
    winner: &mut [L; V],
    values: [L; V],
    place: usize,
) {
    // Places are whole numbers in the bits of a float: nothing computes with them.
    let place = L::splat(f32::from_bits(place as u32));
    for ((best, winner), value) in best.iter_mut().zip(winner).zip(values) {
        *winner = best.where_beaten(value, place, *winner);
        *best = best.where_beaten(value, value, *best);
    }
}

/// Writes values and winners of a group of filters at one pixel, after ReLU if there is one, which lets NaN pass.
#[inline(always)]
fn put<L: Lanes, const V: usize>(
    mut best: [L; V],
    mut winner: [L; V],
    relu: bool,
    output: &mut [f32],
    winners: &mut [u8],
) {
    if relu {
        let none = L::splat(f32::from_bits(u32::from(NO_WINNER)));
        for (best, winner) in best.iter_mut().zip(&mut winner) {
            *winner = best.where_cut(none, *winner);
            *best = best.where_cut(L::splat(0.0), *best);
        }
    }
    let places = L::bytes(winner);
    if output.len() == GROUP {
        // Copies of a known size need no call.
        store(best, output, 0);
        winners.copy_from_slice(&places);
    } else {
        let mut values = [0.0; GROUP];
        store(best, &mut values, 0);
        output.copy_from_slice(&values[..output.len()]);
        winners.copy_from_slice(&places[..winners.len()]);
    }
}

/// Adds sums of few terms each to a sum of many: adding up all terms one by one would round too often.
#[inline(always)]
fn add_to<L: Lanes, const V: usize>(gradient: &mut [f32], at: usize, sums: [L; V]) {
    let before: [L; V] = load(gradient, at);
    let after: [L; V] = std::array::from_fn(|v| before[v].add(sums[v]));
    store(after, gradient, at);
}

/// The height and width of images.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Size {
    height: usize,
    width: usize,
}

/// An input with its zeros around it; copied only if there are zeros.
struct Padded<'a> {
    input: Option<&'a [f32]>,
    copy: Option<Buffer<f32>>,
    size: Size,
}

impl std::ops::Deref for Padded<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.copy.as_deref().or(self.input).expect("one of the two")
    }
}

impl<'a> Padded<'a> {
    /// The input with the convolution's padding.
    fn new(shape: &Shape, input: &'a [f32], buffers: &Buffers) -> Self {
        Self::of_size(shape, input, Size { height: 0, width: 0 }, buffers)
    }

    /// The input with the convolution's padding, and with more zeros below and to the right where an image is smaller than `least`.
    fn of_size(shape: &Shape, input: &'a [f32], least: Size, buffers: &Buffers) -> Self {
        let padded = shape.padded();
        let size =
            Size { height: padded.height.max(least.height), width: padded.width.max(least.width) };
        if size == (Size { height: shape.height, width: shape.width }) {
            return Self { input: Some(input), copy: None, size };
        }
        let row = size.width * shape.channels;
        let mut copy = buffers.zeros(shape.images * size.height * row);
        let Padding { top, left, .. } = shape.padding;
        for (index, from) in input.chunks_exact(shape.width * shape.channels).enumerate() {
            let (image, y) = (index / shape.height, index % shape.height);
            let at = (image * size.height + y + top) * row + left * shape.channels;
            copy[at..at + from.len()].copy_from_slice(from);
        }
        Self { input: None, copy: Some(copy), size }
    }
}
