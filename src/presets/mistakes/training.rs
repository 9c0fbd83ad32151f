//! Rates, weights, widths and what is left switched on.

use super::{RELU, SIDE, SIGMOID, Words, balanced, hidden, mistake, small};
use crate::experiment::{
    Activation, Experiment, KernelInitializer, LayerConfig, OptimizerConfig, Padding,
};
use crate::presets::Preset;
use crate::presets::parts::{
    alone, batch_norm, conv_same, conv_with, dense, experiment, flatten, max_pool, softmax,
};

/// Eight hidden layers on images of 16 x 16.
fn deep(optimizer: OptimizerConfig, learning_rate: f64, epochs: u32) -> Experiment {
    let hidden = (0..8).map(|_| dense(32, RELU));
    let layers = [flatten()].into_iter().chain(hidden).chain([softmax(2)]).collect();
    let mut experiment = balanced(experiment(16, layers, optimizer, learning_rate, epochs));
    experiment.network.initializer.kernel = KernelInitializer::HeUniform {};
    experiment
}

/// Dense layers for ten classes.
fn ten_classes(layers: Vec<LayerConfig>, epochs: u32) -> Experiment {
    let layers = [flatten()].into_iter().chain(layers).chain([softmax(10)]).collect();
    let mut experiment = balanced(experiment(SIDE, layers, OptimizerConfig::ADAM, 0.001, epochs));
    experiment.dataset.classes = 10;
    experiment
}

/// Six convolutions with batch normalisation on three images.
fn deep_batch_norm() -> Experiment {
    let block = || [conv_same(16, None), batch_norm(0.5), alone(Activation::Relu)];
    let blocks = (0..6).flat_map(|_| block());
    let layers = blocks.chain([max_pool(2), flatten(), softmax(3)]).collect();
    let mut experiment = balanced(experiment(16, layers, OptimizerConfig::ADAM, 0.001, 60));
    experiment.dataset.images = 3;
    experiment.dataset.classes = 3;
    experiment.training.batch_size = 3;
    experiment
}

/// AdamW without its decay.
fn without_decay() -> Experiment {
    let mut experiment = small(200);
    experiment.training.optimizer = with_decay(0.0);
    experiment
}

fn with_decay(decay: f64) -> OptimizerConfig {
    let mut optimizer = OptimizerConfig::ADAMW;
    if let OptimizerConfig::AdamW { weight_decay, .. } = &mut optimizer {
        *weight_decay = decay;
    }
    optimizer
}

pub fn presets() -> Vec<Preset> {
    vec![
        mistake(
            Words {
                id: "rate-too-high",
                name: "Learning rate too high",
                summary: "Adam at 0.1, a hundred times its default",
                sees: "The loss jumps up in the first epochs and then stays at exactly ln K.",
                does: "The first steps throw every ReLU below 0: no gradient passes any more.",
                mends: "A lower rate: Adam's default is 0.001.",
            },
            small(100),
            |experiment| experiment.training.learning_rate = 0.1,
        ),
        mistake(
            Words {
                id: "rate-too-low",
                name: "Learning rate too low",
                summary: "Adam at 0.000001",
                sees: "The loss creeps down in its third digit.",
                does: "Nothing is stuck: each step is right, and a thousand times too small.",
                mends: "A higher rate: Adam's default is 0.001.",
            },
            small(100),
            |experiment| experiment.training.learning_rate = 1e-6,
        ),
        mistake(
            Words {
                id: "too-few-steps",
                name: "Too few steps",
                summary: "Five epochs of one step each",
                sees: "The loss is still falling when the run ends.",
                does: "There is no plateau, only an end: with 20 images in one batch an epoch is a single step.",
                mends: "More epochs.",
            },
            small(100),
            |experiment| experiment.training.epochs = 5,
        ),
        mistake(
            Words {
                id: "zero-weights",
                name: "All weights zero",
                summary: "Every kernel starts from 0",
                sees: "The loss is exactly ln K from the first epoch on.",
                does: "Every filter puts out 0 for every image, so no kernel gets a gradient.",
                mends: "Random initial weights, as every framework has by default.",
            },
            small(100),
            |experiment| experiment.network.initializer.kernel = KernelInitializer::Zeros {},
        ),
        mistake(
            Words {
                id: "weights-too-large",
                name: "Initial weights too large",
                summary: "Glorot's weights times 100",
                sees: "The first loss is in the thousands, and it is still in the tens or hundreds at the end.",
                does: "The scores are ten thousand times too large; Adam's steps of 0.001 take ages to shrink them.",
                mends: "An initialiser that looks at the fans: Glorot, He, LeCun.",
            },
            small(100),
            |experiment| experiment.network.initializer.factor = 100.0,
        ),
        mistake(
            Words {
                id: "weights-too-small",
                name: "Initial weights too small",
                summary: "Eight layers, He's weights times 0.01",
                sees: "The loss is ln K and flat.",
                does: "Each layer shrinks what passes by 100, forward and backward: nothing arrives.",
                mends: "An initialiser that looks at the fans: Glorot, He, LeCun.",
            },
            deep(OptimizerConfig::ADAM, 0.001, 100),
            |experiment| experiment.network.initializer.factor = 0.01,
        ),
        mistake(
            Words {
                id: "deep-sigmoid",
                name: "Deep sigmoid stack",
                summary: "Eight sigmoid layers, plain SGD",
                sees: "The loss falls to ln K and stays there.",
                does: "A sigmoid passes at most a quarter of a gradient: through eight of them nothing arrives.",
                mends: "ReLU with He initialisation, or batch normalisation.",
            },
            deep(OptimizerConfig::SGD, 0.03, 300),
            |experiment| {
                experiment.network.initializer.kernel = KernelInitializer::GlorotUniform {};
                for layer in &mut experiment.network.layers {
                    if let LayerConfig::Dense { activation, units: 32, .. } = layer {
                        *activation = SIGMOID;
                    }
                }
            },
        ),
        mistake(
            Words {
                id: "too-narrow",
                name: "Too narrow",
                summary: "One hidden unit for ten classes",
                sees: "The loss stops somewhere between 1 and ln K, elsewhere for each seed.",
                does: "One number an image cannot tell ten classes apart, and a single ReLU easily dies.",
                mends: "A wider layer.",
            },
            ten_classes(vec![dense(64, RELU)], 300),
            |experiment| experiment.network.layers[1] = dense(1, RELU),
        ),
        hidden(
            Words {
                id: "no-activation",
                name: "Missing activation",
                summary: "A convolution without its ReLU",
                sees: "Training goes as it should.",
                does: "A nearly linear network can tell 20 noise images apart, so it memorises all the same: this check cannot reveal the mistake.",
                mends: "Give each hidden layer its activation.",
            },
            small(100),
            |experiment| {
                experiment.network.layers[0] = conv_with(32, Padding::Valid, None);
            },
        ),
        hidden(
            Words {
                id: "dropout",
                name: "Dropout 0.5 left on",
                summary: "Half of the features dropped at each step",
                sees: "Training loss is a little higher than in inference.",
                does: "Enough gets through: it memorises all the same, and this check cannot reveal the mistake.",
                mends: "Switch dropout off for this check.",
            },
            small(200),
            |experiment| experiment.network.layers.insert(3, LayerConfig::Dropout { rate: 0.5 }),
        ),
        mistake(
            Words {
                id: "dropout-strong",
                name: "Dropout 0.9 left on",
                summary: "Nine of ten units dropped, in two layers",
                sees: "Training accuracy stays near chance.",
                does: "A tenth of each layer is another network at each step: the loss stays near ln K.",
                mends: "Switch dropout off for this check.",
            },
            ten_classes(vec![dense(64, RELU), dense(64, RELU)], 200),
            |experiment| {
                for place in [3, 2] {
                    experiment.network.layers.insert(place, LayerConfig::Dropout { rate: 0.9 });
                }
            },
        ),
        hidden(
            Words {
                id: "weight-decay",
                name: "Weight decay 0.1 left on",
                summary: "AdamW with weight_decay=0.1",
                sees: "Training goes as it should.",
                does: "At a rate of 0.001 it takes one part in ten thousand off the weights each step, so it memorises all the same: this check cannot reveal the mistake.",
                mends: "Switch weight decay off for this check.",
            },
            without_decay(),
            |experiment| experiment.training.optimizer = with_decay(0.1),
        ),
        mistake(
            Words {
                id: "batch-norm-lag",
                name: "Batch norm's averages lag",
                summary: "Six batch norms of momentum 0.99, three images",
                sees: "Training accuracy is 100 %, and the same images are wrong in inference.",
                does: "The moving averages start from 0 and 1 and are not there yet after 60 steps: the loss in inference stays near ln K.",
                mends: "A momentum of 0.5 for this check (PyTorch counts the other way: 0.5 there, too), or many more steps.",
            },
            deep_batch_norm(),
            |experiment| {
                for layer in &mut experiment.network.layers {
                    if let LayerConfig::BatchNorm { momentum, .. } = layer {
                        *momentum = 0.99;
                    }
                }
            },
        ),
    ]
}
