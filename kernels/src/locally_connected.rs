//! A convolution with separate weights at each place of the output, and the ReLU after it. Each place is a small dense layer, whose
//! rows are the images' windows there.

use crate::buffers::Buffers;
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{Left, Matrix, Piece, Right, Steps, Walk, pieces, tile, transpose};

/// A locally connected layer of stride 1 and without padding, and the sizes of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocallyConnected {
    pub images: usize,
    /// The input's height and width.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub filters: usize,
    /// Side of the window, a square.
    pub window: usize,
    pub relu: bool,
}

/// The inputs of the forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[images, height, width, channels]`
    pub input: &'a [f32],
    /// `[output height, output width, window * window * channels, filters]`
    pub kernel: &'a [f32],
    /// `[output height, output width, filters]`
    pub bias: &'a [f32],
}

/// The gradients to compute; the input's is optional.
pub struct Gradients<'a> {
    /// `[images, height, width, channels]`
    pub input: Option<&'a mut [f32]>,
    /// `[output height, output width, window * window * channels, filters]`
    pub kernel: &'a mut [f32],
    /// `[output height, output width, filters]`
    pub bias: &'a mut [f32],
}

impl LocallyConnected {
    pub fn output_height(&self) -> usize {
        self.height - self.window + 1
    }

    pub fn output_width(&self) -> usize {
        self.width - self.window + 1
    }

    /// Floats of one row of a window.
    fn window_row(&self) -> usize {
        self.window * self.channels
    }

    /// Floats of one window.
    fn window_size(&self) -> usize {
        self.window * self.window_row()
    }

    fn places(&self) -> usize {
        self.output_height() * self.output_width()
    }

    pub fn input_size(&self) -> usize {
        product(&[self.images, self.height, self.width, self.channels])
    }

    pub fn kernel_size(&self) -> usize {
        let Self { window, channels, filters, .. } = *self;
        product(&[self.output_height(), self.output_width(), window, window, channels, filters])
    }

    pub fn bias_size(&self) -> usize {
        product(&[self.output_height(), self.output_width(), self.filters])
    }

    pub fn output_size(&self) -> usize {
        product(&[self.images, self.bias_size()])
    }

    /// The start of a place's window in an image.
    fn start(&self, place: usize) -> usize {
        let (row, column) = (place / self.output_width(), place % self.output_width());
        (row * self.width + column) * self.channels
    }

    fn check(&self, inputs: &Inputs) {
        assert!((1..=self.height.min(self.width)).contains(&self.window));
        assert_eq!(inputs.input.len(), self.input_size());
        assert_eq!(inputs.kernel.len(), self.kernel_size());
        assert_eq!(inputs.bias.len(), self.bias_size());
    }
}

/// Computes the layer's output `[images, output height, output width, filters]`.
pub fn forward(
    layer: &LocallyConnected,
    inputs: Inputs,
    output: &mut [f32],
    instructions: Instructions,
) {
    layer.check(&inputs);
    assert_eq!(output.len(), layer.output_size());
    let image_size = layer.input_size() / layer.images;
    instructions.run(Forward { layer, inputs, image_size, output });
}

/// Overwrites `gradients` with the layer's gradients. `gradient` is that of `output` and has its size; `output` is read only if
/// there is a ReLU.
pub fn backward(
    layer: &LocallyConnected,
    inputs: Inputs,
    output: &[f32],
    gradient: &[f32],
    gradients: Gradients,
    instructions: Instructions,
    buffers: &Buffers,
) {
    layer.check(&inputs);
    assert_eq!(gradient.len(), layer.output_size());
    assert_eq!(gradients.kernel.len(), layer.kernel_size());
    assert_eq!(gradients.bias.len(), layer.bias_size());
    let mut cut;
    let gradient = if layer.relu {
        assert_eq!(output.len(), gradient.len());
        cut = buffers.floats(gradient.len());
        instructions.run(Cut { output, gradient, cut: &mut cut });
        &cut[..]
    } else {
        gradient
    };
    instructions.run(BiasGradient { output: gradient, gradient: gradients.bias });
    // Images whose bytes are a power of two would all lie in the same lines of the nearest cache: here they are a line further
    // apart.
    let size = layer.input_size() / layer.images;
    let pitch = size + GROUP;
    let mut apart = buffers.floats(layer.images * pitch);
    for (to, from) in apart.chunks_exact_mut(pitch).zip(inputs.input.chunks_exact(size)) {
        to[..size].copy_from_slice(from);
    }
    let window_row = layer.window_row();
    let offset = |at: usize| at / window_row * layer.width * layer.channels + at % window_row;
    let offsets: Vec<usize> = (0..layer.window_size()).map(offset).collect();
    instructions.run(KernelGradient {
        layer,
        input: &apart,
        pitch,
        offsets: &offsets,
        output: gradient,
        gradient: gradients.kernel,
    });
    if let Some(of_input) = gradients.input {
        assert_eq!(of_input.len(), layer.input_size());
        of_input.fill(0.0);
        let mut transposed = buffers.floats(layer.window_size() * layer.filters);
        instructions.run(InputGradient {
            layer,
            kernel: inputs.kernel,
            transposed: &mut transposed,
            output: gradient,
            gradient: of_input,
        });
    }
}

/// Images, or floats of a window, that are worked on together.
const ROWS: usize = 4;

struct Forward<'a> {
    layer: &'a LocallyConnected,
    inputs: Inputs<'a>,
    /// Floats of one image of the input.
    image_size: usize,
    output: &'a mut [f32],
}

impl Computation for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const R: usize, const V: usize>(mut self) {
        for place in 0..self.layer.places() {
            let start = self.layer.start(place);
            let filters = self.layer.filters;
            pieces::<L, 2>(filters, &mut ForwardPlace { pass: &mut self, place, start });
        }
    }
}

struct ForwardPlace<'a, 'b> {
    pass: &'a mut Forward<'b>,
    place: usize,
    /// The start of the place's window in an image.
    start: usize,
}

impl Piece for ForwardPlace<'_, '_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        for image in (0..self.pass.layer.images).step_by(ROWS) {
            self.images::<L, V>(image, at);
        }
    }
}

impl ForwardPlace<'_, '_> {
    /// Computes the `V` vectors of filters from `at` on, for [`ROWS`] images from `image` on; where fewer are left, the last one
    /// more than once.
    #[inline(always)]
    fn images<L: Lanes, const V: usize>(&mut self, image: usize, at: usize) {
        let Forward { layer, inputs, image_size, output } = &mut *self.pass;
        let (image_size, filters) = (*image_size, layer.filters);
        let bias: [L; V] = load(inputs.bias, self.place * filters + at);
        let mut sums = [bias; ROWS];
        let mut images = [layer.images - 1; ROWS];
        for (r, number) in images.iter_mut().enumerate() {
            *number = (image + r).min(*number);
        }
        let left = Left {
            values: inputs.input,
            rows: images.map(|image| image * image_size),
            walk: Walk { start: self.start, outer: layer.width * layer.channels, inner: 1 },
        };
        let right = Right {
            values: inputs.kernel,
            walk: Walk {
                start: self.place * layer.window_size() * filters + at,
                outer: layer.window_row() * filters,
                inner: filters,
            },
        };
        let steps = Steps { outer: layer.window, inner: layer.window_row() };
        tile(&mut sums, steps, left, right);
        for (image, mut sums) in images.into_iter().zip(sums) {
            if layer.relu {
                for sum in &mut sums {
                    // NaN passes.
                    *sum = sum.where_cut(L::splat(0.0), *sum);
                }
            }
            let pixel = image * layer.places() + self.place;
            store(sums, output, pixel * filters + at);
        }
    }
}

/// The output's gradient where ReLU passes it.
struct Cut<'a> {
    output: &'a [f32],
    gradient: &'a [f32],
    cut: &'a mut [f32],
}

impl Computation for Cut<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const R: usize, const V: usize>(mut self) {
        pieces::<L, 2>(self.gradient.len(), &mut self);
    }
}

impl Piece for Cut<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let output: [L; V] = load(self.output, at);
        let gradient: [L; V] = load(self.gradient, at);
        // A product, as in TensorFlow: a gradient of NaN stays NaN.
        let cut = |v: usize| output[v].where_cut(gradient[v].mul(L::splat(0.0)), gradient[v]);
        store(std::array::from_fn::<L, V, _>(cut), self.cut, at);
    }
}

/// The bias' gradient: the sum of the output's gradient before ReLU over all images.
struct BiasGradient<'a> {
    output: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for BiasGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const R: usize, const V: usize>(mut self) {
        pieces::<L, 2>(self.gradient.len(), &mut self);
    }
}

impl Piece for BiasGradient<'_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let mut sums = [L::splat(0.0); V];
        for image in self.output.chunks_exact(self.gradient.len()) {
            let values: [L; V] = load(image, at);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = sum.add(value);
            }
        }
        store(sums, self.gradient, at);
    }
}

struct KernelGradient<'a> {
    layer: &'a LocallyConnected,
    input: &'a [f32],
    /// Floats from one image of the input to the next.
    pitch: usize,
    /// The distance in an image of each float of a window from the window's first.
    offsets: &'a [usize],
    /// The gradient of the output before ReLU.
    output: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const R: usize, const V: usize>(mut self) {
        for place in 0..self.layer.places() {
            let start = self.layer.start(place);
            let filters = self.layer.filters;
            pieces::<L, 2>(filters, &mut KernelPlace { pass: &mut self, place, start });
        }
    }
}

struct KernelPlace<'a, 'b> {
    pass: &'a mut KernelGradient<'b>,
    place: usize,
    /// The start of the place's window in an image.
    start: usize,
}

impl Piece for KernelPlace<'_, '_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        for row in (0..self.pass.layer.window_size()).step_by(ROWS) {
            self.rows::<L, V>(row, at);
        }
    }
}

impl KernelPlace<'_, '_> {
    /// Computes the `V` vectors of filters from `at` on, for [`ROWS`] floats of the window from `row` on; where fewer are left,
    /// the last one more than once.
    #[inline(always)]
    fn rows<L: Lanes, const V: usize>(&mut self, row: usize, at: usize) {
        let KernelGradient { layer, input, pitch, offsets, output, gradient } = &mut *self.pass;
        let filters = layer.filters;
        let mut sums = [[L::splat(0.0); V]; ROWS];
        let mut rows = [layer.window_size() - 1; ROWS];
        for (r, number) in rows.iter_mut().enumerate() {
            *number = (row + r).min(*number);
        }
        let left = Left {
            values: input,
            rows: rows.map(|row| offsets[row]),
            walk: Walk { start: self.start, outer: 0, inner: *pitch },
        };
        let start = self.place * filters + at;
        let walk = Walk { start, outer: 0, inner: layer.places() * filters };
        let right = Right { values: output, walk };
        tile(&mut sums, Steps { outer: 1, inner: layer.images }, left, right);
        for (row, sums) in rows.into_iter().zip(sums) {
            let to = self.place * layer.window_size() + row;
            store(sums, gradient, to * filters + at);
        }
    }
}

struct InputGradient<'a> {
    layer: &'a LocallyConnected,
    kernel: &'a [f32],
    /// The kernel of one place, `[filters, window size]`.
    transposed: &'a mut [f32],
    /// The gradient of the output before ReLU.
    output: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const R: usize, const V: usize>(mut self) {
        let (window_size, filters) = (self.layer.window_size(), self.layer.filters);
        for place in 0..self.layer.places() {
            let kernel = &self.kernel[place * window_size * filters..][..window_size * filters];
            let matrix = Matrix { rows: window_size, columns: filters };
            transpose(matrix, kernel, filters, self.transposed, window_size);
            for row in 0..self.layer.window {
                let window_row = self.layer.window_row();
                pieces::<L, 2>(window_row, &mut InputRow { pass: &mut self, place, row });
            }
        }
    }
}

/// The input's gradient for one row of a place's windows.
struct InputRow<'a, 'b> {
    pass: &'a mut InputGradient<'b>,
    place: usize,
    row: usize,
}

impl Piece for InputRow<'_, '_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let InputGradient { layer, transposed, output, gradient, .. } = &mut *self.pass;
        let image_size = layer.input_size() / layer.images;
        for image in 0..layer.images {
            let to = image * image_size
                + layer.start(self.place)
                + self.row * layer.width * layer.channels;
            let mut sums = [load(gradient, to + at)];
            let start = (image * layer.places() + self.place) * layer.filters;
            let walk = Walk { start, outer: 0, inner: 1 };
            let left = Left { values: output, rows: [0], walk };
            let start = self.row * layer.window_row() + at;
            let walk = Walk { start, outer: 0, inner: layer.window_size() };
            let right = Right { values: transposed, walk };
            tile::<L, 1, V>(&mut sums, Steps { outer: 1, inner: layer.filters }, left, right);
            store(sums[0], gradient, to + at);
        }
    }
}
