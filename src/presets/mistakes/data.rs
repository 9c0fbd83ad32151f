//! Mistakes in images and labels.

use super::{SIDE, Words, balanced, hidden, mistake, small};
use crate::experiment::{Labels, OptimizerConfig, Pixels};
use crate::presets::Preset;
use crate::presets::parts::{experiment, small_network};

pub fn presets() -> Vec<Preset> {
    vec![
        mistake(
            Words {
                id: "pixels-255-sgd",
                name: "Pixels 0 to 255, SGD",
                summary: "Images as bytes, not divided by 255",
                sees: "The loss starts in the tens or hundreds, drops within a few epochs and never moves again.",
                does: "The first steps are so large that every ReLU dies: the loss is ln K, or the entropy of the labels.",
                mends: "Divide the pixels by 255.",
            },
            balanced(experiment(SIDE, small_network(), OptimizerConfig::SGD, 0.05, 300)),
            |experiment| experiment.dataset.scale = 255.0,
        ),
        hidden(
            Words {
                id: "pixels-255-adam",
                name: "Pixels 0 to 255, Adam",
                summary: "The same bytes, with Adam",
                sees: "The loss starts in the tens or hundreds, and then falls to 0.",
                does: "Adam's steps do not grow with the gradient, so it memorises all the same: this check cannot reveal the mistake, its first loss can.",
                mends: "Divide the pixels by 255.",
            },
            small(100),
            |experiment| experiment.dataset.scale = 255.0,
        ),
        mistake(
            Words {
                id: "conflicting-labels",
                name: "One image, two labels",
                summary: "Five pairs of equal images, labelled 0 and 1",
                sees: "Accuracy stops at 75 %, and the loss at 0.3466.",
                does: "No network can answer both: each such pair costs 2 ln 2, so the loss stays at ln 2 times their share of the images.",
                mends: "Remove duplicates, or make their labels agree.",
            },
            small(200),
            |experiment| experiment.dataset.conflicting_pairs = 5,
        ),
        mistake(
            Words {
                id: "same-image",
                name: "The same image every time",
                summary: "A loader that always returns the first image",
                sees: "Accuracy is the share of the larger class from the first epochs on.",
                does: "Only the shares of the classes can be learnt: the loss falls to their entropy and stops there.",
                mends: "Look at a batch: the images must differ.",
            },
            {
                let mut experiment = small(200);
                experiment.dataset.labels = Labels::Random;
                experiment
            },
            |experiment| experiment.dataset.pixels = Pixels::Constant,
        ),
        hidden(
            Words {
                id: "labels-rolled",
                name: "Labels shifted",
                summary: "Each image has the label of the third before it",
                sees: "Training looks as it should; only new images would be answered wrongly.",
                does: "Noise can be memorised under any labels, so it memorises all the same: this check cannot reveal the mistake.",
                mends: "Shuffle images and labels together, with one order for both.",
            },
            small(100),
            |experiment| experiment.training.training_loop.labels_rolled_by = 3,
        ),
        mistake(
            Words {
                id: "labels-shuffled",
                name: "Labels shuffled each step",
                summary: "Images and labels drawn in different orders",
                sees: "Accuracy wanders about chance, and the loss about ln K.",
                does: "Every step asks for something else: what one teaches, the next takes back.",
                mends: "Draw an image together with its label.",
            },
            small(100),
            |experiment| experiment.training.training_loop.labels_shuffled = true,
        ),
        mistake(
            Words {
                id: "augmentation",
                name: "Augmentation left on",
                summary: "Flips, shifts and noise drawn anew each epoch",
                sees: "Training accuracy comes near 100 % late and does not stay there.",
                does: "Loss and accuracy are of the altered images, and lag; the images as they are may all be right by then.",
                mends: "Switch augmentation off for this check.",
            },
            small(250),
            |experiment| {
                let augmentation = &mut experiment.training.augmentation;
                augmentation.horizontal_flip = true;
                augmentation.shift = 0.1;
                augmentation.noise = 0.3;
            },
        ),
    ]
}
