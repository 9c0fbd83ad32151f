//! Convolution with what follows it in a CNN, ReLU and max-pool, as one operation: the output before the pool is never
//! written, and of each window only the winner is remembered.
//!
//! Activations lie in NHWC order and kernels in HWIO, as in Keras. In both orders the window of an output pixel is `kernel`
//! runs of `kernel * channels` floats, and that is all that these kernels know of a convolution.

mod backward;
mod forward;

pub use backward::{Gradients, backward};
pub use forward::forward;

use super::buffers::{Buffer, Buffers};

/// A convolution and the sizes of what it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub images: usize,
    /// Of the input.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub filters: usize,
    /// The window is a square.
    pub kernel: usize,
    pub stride: usize,
    /// Rows and columns of zeros before and after the input.
    pub padding: [usize; 2],
}

/// A convolution and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub shape: Shape,
    pub relu: bool,
    /// Side of the max-pool's windows, which lie side by side; 1 for none.
    pub pool: usize,
}

/// Where no pixel of a window carries a gradient, because ReLU has cut them all off.
const NO_WINNER: u8 = u8::MAX;

/// The largest pool whose windows' places are numbered by a byte.
pub const LARGEST_POOL: usize = 15;

impl Shape {
    pub fn output_height(&self) -> usize {
        (self.height + self.padding[0] + self.padding[1] - self.kernel) / self.stride + 1
    }

    pub fn output_width(&self) -> usize {
        (self.width + self.padding[0] + self.padding[1] - self.kernel) / self.stride + 1
    }

    /// Floats of one output pixel's window in one row of the input.
    fn run(&self) -> usize {
        self.kernel * self.channels
    }

    pub fn kernel_size(&self) -> usize {
        self.kernel * self.run() * self.filters
    }

    pub fn input_size(&self) -> usize {
        self.images * self.height * self.width * self.channels
    }

    /// The same convolution of an input that has its zeros around it.
    fn padded(&self) -> Self {
        let around = self.padding[0] + self.padding[1];
        Self { height: self.height + around, width: self.width + around, padding: [0, 0], ..*self }
    }

    /// Multiply-adds, two operations each, of one pass over all output pixels.
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

    /// Of all images.
    pub fn output_size(&self) -> usize {
        self.shape.images * self.output_height() * self.output_width() * self.shape.filters
    }
}

/// An input with its zeros around it, copied only where there are some.
enum Padded<'a> {
    AsItIs(&'a [f32]),
    Copy(Buffer<f32>),
}

impl std::ops::Deref for Padded<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::AsItIs(input) => input,
            Self::Copy(copy) => copy,
        }
    }
}

impl<'a> Padded<'a> {
    /// `slack` more floats than the input has may be read behind it.
    fn new(shape: &Shape, input: &'a [f32], slack: usize, buffers: &Buffers) -> Self {
        if shape.padding == [0, 0] && slack == 0 {
            return Self::AsItIs(input);
        }
        let padded = shape.padded();
        let mut copy = buffers.zeros(padded.input_size() + slack);
        let row = padded.width * shape.channels;
        let before = shape.padding[0];
        for (index, from) in input.chunks_exact(shape.width * shape.channels).enumerate() {
            let (image, y) = (index / shape.height, index % shape.height);
            let at = (image * padded.height + y + before) * row + before * shape.channels;
            copy[at..at + from.len()].copy_from_slice(from);
        }
        Self::Copy(copy)
    }
}
