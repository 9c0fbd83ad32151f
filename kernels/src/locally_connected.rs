//! A convolution with weights of its own at each place, and the ReLU after it: at each place a small dense layer, whose rows are
//! the images' windows there.

use crate::buffers::Buffers;
use crate::lanes::{Computation, GROUP, Instructions, Lanes, load, store};
use crate::sizes::product;
use crate::tile::{Piece, Walk, pieces, tile, transpose};

/// A locally connected layer and the sizes of what it works on: stride 1, no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocallyConnected {
    pub images: usize,
    /// Of the input.
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub filters: usize,
    /// The window is a square.
    pub kernel: usize,
    pub relu: bool,
}

/// What the layer's output is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `[images, height, width, channels]`
    pub input: &'a [f32],
    /// `[output height, output width, kernel * kernel * channels, filters]`
    pub kernel: &'a [f32],
    /// `[output height, output width, filters]`
    pub bias: &'a [f32],
}

/// Where the gradients go; the input's only where it is wanted.
pub struct Gradients<'a> {
    /// `[images, height, width, channels]`
    pub input: Option<&'a mut [f32]>,
    /// `[output height, output width, kernel * kernel * channels, filters]`
    pub kernel: &'a mut [f32],
    /// `[output height, output width, filters]`
    pub bias: &'a mut [f32],
}

impl LocallyConnected {
    pub fn output_height(&self) -> usize {
        self.height - self.kernel + 1
    }

    pub fn output_width(&self) -> usize {
        self.width - self.kernel + 1
    }

    /// Floats of one window in one row of the input.
    fn run(&self) -> usize {
        self.kernel * self.channels
    }

    /// Floats of one window.
    fn window(&self) -> usize {
        self.kernel * self.run()
    }

    fn places(&self) -> usize {
        self.output_height() * self.output_width()
    }

    pub fn input_size(&self) -> usize {
        product(&[self.images, self.height, self.width, self.channels])
    }

    pub fn kernel_size(&self) -> usize {
        let Self { kernel, channels, filters, .. } = *self;
        product(&[self.output_height(), self.output_width(), kernel, kernel, channels, filters])
    }

    pub fn bias_size(&self) -> usize {
        product(&[self.output_height(), self.output_width(), self.filters])
    }

    pub fn output_size(&self) -> usize {
        product(&[self.images, self.bias_size()])
    }

    /// Where the window of a place starts in an image.
    fn start(&self, place: usize) -> usize {
        let (row, column) = (place / self.output_width(), place % self.output_width());
        (row * self.width + column) * self.channels
    }

    fn check(&self, inputs: &Inputs) {
        assert!((1..=self.height.min(self.width)).contains(&self.kernel));
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
    let image = layer.input_size() / layer.images;
    instructions.run(Forward { layer, inputs, image, output });
}

/// Overwrites `gradients` with those of the layer, whose output has the gradient `gradient`; both have the output's size, and the
/// output is read where there is a ReLU.
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
        for (cut, (&gradient, &output)) in cut.iter_mut().zip(gradient.iter().zip(output)) {
            // A product, as in TensorFlow: a gradient that is not a number stays so.
            *cut = if output <= 0.0 { gradient * 0.0 } else { gradient };
        }
        &cut[..]
    } else {
        gradient
    };
    gradients.bias.fill(0.0);
    for image in gradient.chunks_exact(layer.bias_size()) {
        for (sum, value) in gradients.bias.iter_mut().zip(image) {
            *sum += value;
        }
    }
    // Images of a power of two of bytes would all lie in the same lines of the nearest cache: here they are a line further apart.
    let size = layer.input_size() / layer.images;
    let pitch = size + GROUP;
    let mut apart = buffers.floats(layer.images * pitch);
    for (to, from) in apart.chunks_exact_mut(pitch).zip(inputs.input.chunks_exact(size)) {
        to[..size].copy_from_slice(from);
    }
    let run = layer.run();
    let offset = |row: usize| row / run * layer.width * layer.channels + row % run;
    let offsets: Vec<usize> = (0..layer.window()).map(offset).collect();
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
        let mut turned = buffers.floats(layer.window() * layer.filters);
        let (kernel, turned) = (inputs.kernel, &mut turned[..]);
        let output = gradient;
        instructions.run(InputGradient { layer, kernel, turned, output, gradient: of_input });
    }
}

/// Images, or numbers of a window, that are worked on together.
const ROWS: usize = 4;

struct Forward<'a> {
    layer: &'a LocallyConnected,
    inputs: Inputs<'a>,
    /// Floats of an image of the input.
    image: usize,
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
    /// Where the place's window starts in an image.
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
    /// The `V` vectors of filters from `at` on, of some images; where fewer are left, the last one more than once.
    #[inline(always)]
    fn images<L: Lanes, const V: usize>(&mut self, image: usize, at: usize) {
        let Forward { layer, inputs, image: size, output } = &mut *self.pass;
        let (size, filters) = (*size, layer.filters);
        let bias: [L; V] = load(inputs.bias, self.place * filters + at);
        let mut sums = [bias; ROWS];
        let mut images = [layer.images - 1; ROWS];
        for (r, number) in images.iter_mut().enumerate() {
            *number = (image + r).min(*number);
        }
        let offsets = images.map(|image| image * size);
        let left = Walk { start: self.start, step: [layer.width * layer.channels, 1] };
        let start = self.place * layer.window() * filters + at;
        let right = Walk { start, step: [layer.run() * filters, filters] };
        let steps = [layer.kernel, layer.run()];
        tile(&mut sums, steps, (inputs.input, offsets, left), (inputs.kernel, right));
        for (image, mut sums) in images.into_iter().zip(sums) {
            if layer.relu {
                for sum in &mut sums {
                    // What is not a number passes.
                    *sum = sum.where_cut([L::splat(0.0), *sum]);
                }
            }
            let pixel = image * layer.places() + self.place;
            store(sums, output, pixel * filters + at);
        }
    }
}

struct KernelGradient<'a> {
    layer: &'a LocallyConnected,
    input: &'a [f32],
    /// Floats from one image of the input to the next.
    pitch: usize,
    /// How far each number of a window is from its first, in an image.
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
    /// Where the place's window starts in an image.
    start: usize,
}

impl Piece for KernelPlace<'_, '_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        for row in (0..self.pass.layer.window()).step_by(ROWS) {
            self.rows::<L, V>(row, at);
        }
    }
}

impl KernelPlace<'_, '_> {
    /// The `V` vectors of filters from `at` on, of some numbers of the window from `row` on; where fewer are left, the last one more
    /// than once.
    #[inline(always)]
    fn rows<L: Lanes, const V: usize>(&mut self, row: usize, at: usize) {
        let KernelGradient { layer, input, pitch, offsets, output, gradient } = &mut *self.pass;
        let filters = layer.filters;
        let mut sums = [[L::splat(0.0); V]; ROWS];
        let mut rows = [layer.window() - 1; ROWS];
        for (r, number) in rows.iter_mut().enumerate() {
            *number = (row + r).min(*number);
        }
        let offsets = rows.map(|row| offsets[row]);
        let left = Walk { start: self.start, step: [0, *pitch] };
        let right = Walk { start: self.place * filters + at, step: [0, layer.places() * filters] };
        tile(&mut sums, [1, layer.images], (input, offsets, left), (output, right));
        for (row, sums) in rows.into_iter().zip(sums) {
            let to = self.place * layer.window() + row;
            store(sums, gradient, to * filters + at);
        }
    }
}

struct InputGradient<'a> {
    layer: &'a LocallyConnected,
    kernel: &'a [f32],
    /// The kernel of one place, `[filters, window]`.
    turned: &'a mut [f32],
    /// The gradient of the output before ReLU.
    output: &'a [f32],
    gradient: &'a mut [f32],
}

impl Computation for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes, const R: usize, const V: usize>(mut self) {
        let (window, filters) = (self.layer.window(), self.layer.filters);
        for place in 0..self.layer.places() {
            let kernel = &self.kernel[place * window * filters..][..window * filters];
            transpose(kernel, filters, [window, filters], self.turned, window);
            for row in 0..self.layer.kernel {
                let run = self.layer.run();
                pieces::<L, 2>(run, &mut InputRow { pass: &mut self, place, row });
            }
        }
    }
}

/// One row of a place's windows.
struct InputRow<'a, 'b> {
    pass: &'a mut InputGradient<'b>,
    place: usize,
    row: usize,
}

impl Piece for InputRow<'_, '_> {
    #[inline(always)]
    fn piece<L: Lanes, const V: usize>(&mut self, at: usize) {
        let InputGradient { layer, turned, output, gradient, .. } = &mut *self.pass;
        let size = layer.input_size() / layer.images;
        for image in 0..layer.images {
            let to =
                image * size + layer.start(self.place) + self.row * layer.width * layer.channels;
            let mut sums = [load(gradient, to + at)];
            let start = (image * layer.places() + self.place) * layer.filters;
            let left = Walk { start, step: [0, 1] };
            let right = Walk { start: self.row * layer.run() + at, step: [0, layer.window()] };
            tile::<L, 1, V>(&mut sums, [1, layer.filters], (output, [0], left), (turned, right));
            store(sums[0], gradient, to + at);
        }
    }
}
