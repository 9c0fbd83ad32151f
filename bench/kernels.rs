//! The kernels alone, called pass by pass.

use std::cell::RefCell;

use overfit_lab_kernels::buffers::Buffers;
use overfit_lab_kernels::convolution::{self, Block, LARGEST_POOL, Padding, Path, Plan, Shape};
use overfit_lab_kernels::dense::{self, Dense};
use overfit_lab_kernels::lanes::Instructions;
use overfit_lab_kernels::reference::{self, numbers};
use overfit_lab_kernels::update::Update;

/// The kernel to measure.
enum Case {
    Block { block: Block, plan: Plan, winners: Vec<u8> },
    Dense(Dense),
}

struct Bench {
    case: Case,
    input: Vec<f32>,
    kernel: Vec<f32>,
    bias: Vec<f32>,
    output: Vec<f32>,
    /// The gradient of the output.
    gradient: Vec<f32>,
    of_input: Vec<f32>,
    of_kernel: Vec<f32>,
    of_bias: Vec<f32>,
    slots: [Vec<f32>; 2],
    buffers: Buffers,
}

thread_local! {
    static BENCHES: RefCell<Vec<Bench>> = const { RefCell::new(Vec::new()) };
}

/// The number of floats of each part of a case.
struct Sizes {
    inputs: usize,
    weights: usize,
    units: usize,
    outputs: usize,
}

fn open(case: Case, sizes: Sizes) -> usize {
    let Sizes { inputs, weights, units, outputs } = sizes;
    // Pixels lie between 0 and 1, as in the article's images.
    let input = numbers(inputs, 1).iter().map(|value| (value + 1.0) / 2.0).collect();
    let scale = (units as f32 / weights as f32).sqrt();
    let bench = Bench {
        case,
        input,
        kernel: numbers(weights, 2).iter().map(|value| value * scale).collect(),
        bias: vec![0.0; units],
        output: vec![0.0; outputs],
        gradient: numbers(outputs, 3),
        of_input: vec![0.0; inputs],
        of_kernel: vec![0.0; weights],
        of_bias: vec![0.0; units],
        slots: [vec![0.0; weights], vec![0.0; weights]],
        buffers: Buffers::default(),
    };
    BENCHES.with_borrow_mut(|benches| {
        benches.push(bench);
        benches.len() - 1
    })
}

/// Opens a convolution with ReLU and, if `pool` is more than 1, a max-pool. `path` is 0 for the rule's choice, 1 for direct, 2 for
/// Winograd and 3 for direct forward and from the winners backward. Returns the case's number, or -1 if the path or the pool does
/// not fit.
#[unsafe(no_mangle)]
pub extern "C" fn open_block(
    images: usize,
    side: usize,
    channels: usize,
    filters: usize,
    window: usize,
    stride: usize,
    same: usize,
    pool: usize,
    path: usize,
) -> i32 {
    let padding =
        if same == 1 { Padding::alike((window - 1) / 2, window / 2) } else { Padding::NONE };
    let shape =
        Shape { images, height: side, width: side, channels, filters, window, stride, padding };
    let block = Block { shape, relu: true, pool };
    if pool > LARGEST_POOL {
        return -1;
    }
    let plan = match path {
        1 => Plan::all(&block, Path::Direct),
        3 => Plan::all(&block, Path::Winners),
        2 if !Plan::fits(&block) => return -1,
        2 => Plan::all(&block, Path::Winograd),
        _ => Plan::of(&block),
    };
    let outputs = block.output_size();
    let (inputs, weights) = (shape.input_size(), shape.kernel_size());
    let sizes = Sizes { inputs, weights, units: filters, outputs };
    open(Case::Block { block, plan, winners: vec![0; outputs] }, sizes) as i32
}

#[unsafe(no_mangle)]
pub extern "C" fn open_dense(images: usize, inputs: usize, units: usize) -> i32 {
    let dense = Dense { images, inputs, units, relu: units > 2 };
    let sizes =
        Sizes { inputs: images * inputs, weights: inputs * units, units, outputs: images * units };
    open(Case::Dense(dense), sizes) as i32
}

fn with<T>(number: usize, work: impl FnOnce(&mut Bench) -> T) -> T {
    BENCHES.with_borrow_mut(|benches| work(&mut benches[number]))
}

/// Floating-point operations of one pass by the definition, before any pool: two for each multiplication.
#[unsafe(no_mangle)]
pub extern "C" fn operations(number: usize) -> f64 {
    with(number, |bench| match &bench.case {
        Case::Block { block, .. } => block.shape.operations(),
        Case::Dense(dense) => 2.0 * (dense.images * dense.inputs * dense.units) as f64,
    })
}

/// The paths of a case's passes: forward, kernel gradient and input gradient in the bits 0 to 2, 1 for Winograd.
#[unsafe(no_mangle)]
pub extern "C" fn paths(number: usize) -> u32 {
    with(number, |bench| match &bench.case {
        Case::Block { plan: Plan { forward, kernel_gradient, input_gradient }, .. } => {
            let bit = |path: &Path, at: u32| u32::from(*path == Path::Winograd) << at;
            bit(forward, 0) | bit(kernel_gradient, 1) | bit(input_gradient, 2)
        }
        Case::Dense(_) => 0,
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn forward(number: usize) {
    with(number, |bench| {
        let (input, kernel, bias) = (&bench.input[..], &bench.kernel[..], &bench.bias[..]);
        let (output, buffers) = (&mut bench.output, &bench.buffers);
        let instructions = Instructions::best();
        match &mut bench.case {
            Case::Block { block, plan, winners } => convolution::forward(
                block,
                plan,
                convolution::Inputs { input, kernel, bias },
                output,
                Some(winners),
                instructions,
                buffers,
            ),
            Case::Dense(dense) => {
                let inputs = dense::Inputs { input, kernel, bias };
                dense::forward(dense, inputs, output, instructions, buffers);
            }
        }
    });
}

/// Computes the gradients of kernel and bias and, if `input` is 1, of the input.
#[unsafe(no_mangle)]
pub extern "C" fn backward(number: usize, input: usize) {
    with(number, |bench| {
        let of_input = (input == 1).then_some(&mut bench.of_input[..]);
        let (kernel, bias) = (&mut bench.of_kernel[..], &mut bench.of_bias[..]);
        let instructions = Instructions::best();
        match &bench.case {
            Case::Block { block, plan, winners } => convolution::backward(
                block,
                plan,
                convolution::Known {
                    input: &bench.input,
                    kernel: &bench.kernel,
                    gradient: &bench.gradient,
                    winners,
                },
                convolution::Gradients { input: of_input, kernel, bias },
                instructions,
                &bench.buffers,
            ),
            Case::Dense(dense) => dense::backward(
                dense,
                dense::Known {
                    input: &bench.input,
                    kernel: &bench.kernel,
                    output: &bench.output,
                    gradient: &bench.gradient,
                },
                dense::Gradients { input: of_input, kernel, bias },
                instructions,
                &bench.buffers,
            ),
        }
    });
}

/// Runs one step of Adam over the kernel.
#[unsafe(no_mangle)]
pub extern "C" fn update(number: usize) {
    with(number, |bench| {
        let [first, second] = &mut bench.slots;
        let adam = Update::Adam {
            rate: 1e-3,
            one_minus_beta_1: 0.1,
            one_minus_beta_2: 1e-3,
            epsilon: 1e-7,
            decay: 0.0,
        };
        adam.apply(&mut bench.kernel, &bench.of_kernel, [first, second], Instructions::best());
    });
}

/// The distance of a convolution's output from the same sums in f64, as a share of their l2 norm.
#[unsafe(no_mangle)]
pub extern "C" fn forward_error(number: usize) -> f64 {
    forward(number);
    with(number, |bench| {
        let Case::Block { block, .. } = &bench.case else { return f64::NAN };
        let shape = &block.shape;
        let convolved = reference::convolve(shape, &bench.input, &bench.kernel, &bench.bias);
        let (mut distance, mut norm) = (0.0, 0.0);
        for (at, &found) in bench.output.iter().enumerate() {
            let expected = reference::output(block, &convolved, at);
            distance += (f64::from(found) - expected).powi(2);
            norm += expected.powi(2);
        }
        (distance / norm).sqrt()
    })
}
