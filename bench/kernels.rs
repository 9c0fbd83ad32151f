//! The crate's kernels alone, called pass by pass.

use std::cell::RefCell;

use overfit_lab_kernels::buffers::Buffers;
use overfit_lab_kernels::convolution::{self, Block, LARGEST_POOL, Padding, Path, Plan, Shape};
use overfit_lab_kernels::dense::{self, Dense};
use overfit_lab_kernels::lanes::Instructions;
use overfit_lab_kernels::update::Update;

/// Something to measure, with its numbers.
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
    /// Of the output.
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

/// Numbers between -1 and 1.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = 2 * seed + 1;
    let number = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(number).take(count).collect()
}

fn open(case: Case, [inputs, weights, units, outputs]: [usize; 4]) -> usize {
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

/// A convolution with ReLU and, where `pool` is more than 1, a max-pool. `path` is 0 for the rule's own choice, 1 for direct,
/// 2 for Winograd and 3 for direct forward and from the winners backward. Returns its number, or -1 where the path or the pool
/// does not fit.
#[unsafe(no_mangle)]
pub extern "C" fn open_block(
    images: usize,
    side: usize,
    channels: usize,
    filters: usize,
    kernel: usize,
    stride: usize,
    same: usize,
    pool: usize,
    path: usize,
) -> i32 {
    let padding =
        if same == 1 { Padding::alike((kernel - 1) / 2, kernel / 2) } else { Padding::NONE };
    let shape =
        Shape { images, height: side, width: side, channels, filters, kernel, stride, padding };
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
    let sizes = [shape.input_size(), shape.kernel_size(), filters, outputs];
    open(Case::Block { block, plan, winners: vec![0; outputs] }, sizes) as i32
}

#[unsafe(no_mangle)]
pub extern "C" fn open_dense(images: usize, inputs: usize, units: usize) -> i32 {
    let dense = Dense { images, inputs, units, relu: units > 2 };
    open(Case::Dense(dense), [images * inputs, inputs * units, units, images * units]) as i32
}

fn with<T>(number: usize, work: impl FnOnce(&mut Bench) -> T) -> T {
    BENCHES.with_borrow_mut(|benches| work(&mut benches[number]))
}

/// Operations of one pass, as by the definition: two for each multiplication, before any pool.
#[unsafe(no_mangle)]
pub extern "C" fn operations(number: usize) -> f64 {
    with(number, |bench| match &bench.case {
        Case::Block { block, .. } => block.shape.operations(),
        Case::Dense(dense) => 2.0 * (dense.images * dense.inputs * dense.units) as f64,
    })
}

/// How a case's passes are computed: forward, kernel gradient and input gradient in the bits 0 to 2, 1 for Winograd.
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

/// The gradients of kernel and bias and, with `input` 1, of the input.
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

/// One step of Adam over the kernel.
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

/// How far a convolution's output is from the same sums in f64, as a share of their l2 norm.
#[unsafe(no_mangle)]
pub extern "C" fn forward_error(number: usize) -> f64 {
    forward(number);
    with(number, |bench| {
        let Case::Block { block, .. } = &bench.case else { return f64::NAN };
        let (mut distance, mut norm) = (0.0, 0.0);
        for (at, &found) in bench.output.iter().enumerate() {
            let expected = by_definition(block, &bench.input, &bench.kernel, at);
            distance += (f64::from(found) - expected).powi(2);
            norm += expected.powi(2);
        }
        (distance / norm).sqrt()
    })
}

/// One output of a block without bias.
fn by_definition(block: &Block, input: &[f32], kernel: &[f32], at: usize) -> f64 {
    let Block { shape, pool, .. } = *block;
    let (filter, pixel) = (at % shape.filters, at / shape.filters);
    let (width, height) = (block.output_width(), block.output_height());
    let (image, row, column) = (pixel / (width * height), pixel / width % height, pixel % width);
    let mut best = 0.0_f64;
    for place in 0..pool * pool {
        let (row, column) = (row * pool + place / pool, column * pool + place % pool);
        let mut sum = 0.0;
        for y in 0..shape.kernel {
            for x in 0..shape.kernel {
                let from = [row * shape.stride + y, column * shape.stride + x];
                let Some(from_row) = from[0].checked_sub(shape.padding.top) else { continue };
                let Some(from_column) = from[1].checked_sub(shape.padding.left) else { continue };
                if from_row >= shape.height || from_column >= shape.width {
                    continue;
                }
                let pixel = (image * shape.height + from_row) * shape.width + from_column;
                for channel in 0..shape.channels {
                    let weight = (y * shape.kernel + x) * shape.channels + channel;
                    sum += f64::from(input[pixel * shape.channels + channel])
                        * f64::from(kernel[weight * shape.filters + filter]);
                }
            }
        }
        best = best.max(sum);
    }
    best
}
