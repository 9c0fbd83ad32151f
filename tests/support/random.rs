//! Draws random experiments from any source of whole numbers: a generator in the tests, bytes in the fuzzer.

use overfit_lab::experiment::{
    Activation, AugmentationConfig, ClippingConfig, ConstraintConfig, DatasetConfig,
    EarlyStoppingConfig, Experiment, Field, FieldKind, InitializerConfig, KernelInitializer,
    Labels, LayerConfig, LoopConfig, LossConfig, NetworkConfig, OptimizerConfig, Pixels,
    RegularizerConfig, ScheduleConfig, TrainingConfig,
};

/// Draws a whole number below another.
pub struct Draw<'a>(pub &'a mut dyn FnMut(u32) -> u32);

impl Draw<'_> {
    fn below(&mut self, end: u32) -> u32 {
        (self.0)(end)
    }

    fn within(&mut self, from: u32, to: u32) -> u32 {
        from + self.below(to - from + 1)
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// A number between two others, in thousandths of the way; often the first one.
    fn real(&mut self, from: f64, to: f64) -> f64 {
        if self.flag() { from } else { from + (to - from) * f64::from(self.below(1000)) / 1000.0 }
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    /// An experiment with tiny images, a few layers and one epoch. Everything except the layers is valid.
    pub fn experiment(&mut self) -> Experiment {
        let dataset = self.dataset();
        Experiment {
            network: NetworkConfig {
                layers: self.layers(&dataset),
                initializer: InitializerConfig {
                    kernel: self.initializer(),
                    factor: self.real(1.0, 10.0),
                    bias: self.real(0.0, 1.0),
                },
                regularizer: RegularizerConfig {
                    l1: self.real(0.0, 0.1),
                    l2: self.real(0.0, 0.1),
                    bias_l2: self.real(0.0, 0.1),
                },
                constraint: if self.flag() {
                    ConstraintConfig::None {}
                } else {
                    ConstraintConfig::MaxNorm { limit: self.real(0.5, 3.0) }
                },
            },
            training: self.training(&dataset),
            dataset,
            seed: self.below(1000),
        }
    }

    fn dataset(&mut self) -> DatasetConfig {
        let images = self.within(1, 6);
        let [height, width] = [self.within(1, 10), self.within(1, 10)];
        let mut kinds = vec![Pixels::Uniform, Pixels::Normal, Pixels::Constant];
        // A pattern needs images of side 3 or more.
        if height.min(width) >= 3 {
            kinds.extend([Pixels::Patterned, Pixels::Stripes]);
        }
        let pixels = self.pick(&kinds);
        let follows = matches!(pixels, Pixels::Patterned | Pixels::Stripes) && self.flag();
        DatasetConfig {
            images,
            height,
            width,
            channels: self.within(1, 4),
            classes: self.within(2, 4),
            first_label: if self.flag() { 0 } else { self.below(3) },
            pixels,
            scale: self.real(1.0, 255.0),
            shift: self.real(0.0, 10.0),
            labels: if follows {
                Labels::Pattern
            } else {
                self.pick(&[Labels::Random, Labels::Balanced])
            },
            flipped: self.real(0.0, 1.0),
            conflicting_pairs: self.within(0, images / 2),
            validation_images: self.within(1, 4),
        }
    }

    fn initializer(&mut self) -> KernelInitializer {
        match self.below(12) {
            0 => KernelInitializer::GlorotUniform {},
            1 => KernelInitializer::GlorotNormal {},
            2 => KernelInitializer::HeUniform {},
            3 => KernelInitializer::HeNormal {},
            4 => KernelInitializer::LecunUniform {},
            5 => KernelInitializer::LecunNormal {},
            6 => KernelInitializer::Zeros {},
            7 => KernelInitializer::RandomUniform { limit: self.real(0.1, 1.0) },
            8 => KernelInitializer::RandomNormal { stddev: self.real(0.1, 1.0) },
            9 => KernelInitializer::TruncatedNormal { stddev: self.real(0.1, 1.0) },
            10 => KernelInitializer::PytorchDefault {},
            _ => KernelInitializer::Constant { value: self.real(0.0, 1.0) },
        }
    }

    /// Any list of layers; in three of four cases with a head, which has a unit for each label or any other number of units.
    fn layers(&mut self, dataset: &DatasetConfig) -> Vec<LayerConfig> {
        let count = self.below(8);
        let mut layers: Vec<_> = (0..count).map(|_| self.layer()).collect();
        if self.below(4) > 0 {
            let activation = self.activation();
            let labels = dataset.last_label() + 1;
            let units = if self.below(4) > 0 { labels } else { self.within(1, labels + 2) };
            layers.push(LayerConfig::Flatten {});
            layers.push(LayerConfig::Dense {
                units,
                use_bias: self.flag(),
                activation,
                kernel_initializer: None,
            });
        }
        layers
    }

    /// A layer of any kind, with small numbers in its fields, which come from the table of fields.
    fn layer(&mut self) -> LayerConfig {
        let kinds = Field::of("network.layers[]").expect("a field").choices();
        let mut layer = kinds[self.below(kinds.len() as u32) as usize].value.clone();
        for (name, value) in layer.as_object_mut().expect("a layer is an object") {
            let Some(field) = Field::of(&format!("network.layers[].{name}")) else { continue };
            match field.kind {
                FieldKind::Number(range) if range.whole => {
                    *value = self.within(1, 5).min(range.max as u32).into();
                }
                FieldKind::Number(range) => {
                    let usual = value.as_f64().expect("a number");
                    *value = self.real(usual, 0.99 * range.max).into();
                }
                FieldKind::Flag => *value = self.flag().into(),
                FieldKind::Choice(choices) => {
                    let mut choices = choices();
                    // Only some kinds of layer may have no activation.
                    choices.retain(|choice| !choice.value.is_null() || value.is_null());
                    *value = choices[self.below(choices.len() as u32) as usize].value.clone();
                }
                FieldKind::Numbers | FieldKind::Layers => {}
            }
        }
        serde_json::from_value(layer).expect("a layer of the table")
    }

    fn activation(&mut self) -> Option<Activation> {
        self.pick(&[
            None,
            Some(Activation::Relu),
            Some(Activation::LeakyRelu),
            Some(Activation::Elu),
            Some(Activation::Gelu),
            Some(Activation::Silu),
            Some(Activation::Tanh),
            Some(Activation::Sigmoid),
            Some(Activation::Softmax),
        ])
    }

    fn training(&mut self, dataset: &DatasetConfig) -> TrainingConfig {
        TrainingConfig {
            optimizer: self.optimizer(),
            loss: self.loss(),
            learning_rate: self.real(0.001, 1.0),
            schedule: self.schedule(),
            clipping: match self.below(4) {
                0 => ClippingConfig::None {},
                1 => ClippingConfig::Norm { limit: self.real(0.1, 2.0) },
                2 => ClippingConfig::Value { limit: self.real(0.1, 2.0) },
                _ => ClippingConfig::GlobalNorm { limit: self.real(0.1, 2.0) },
            },
            batch_size: self.within(1, dataset.images),
            epochs: 1,
            early_stopping: self.early_stopping(),
            augmentation: AugmentationConfig {
                horizontal_flip: self.flag(),
                vertical_flip: self.flag(),
                shift: self.real(0.0, 0.9),
                crop: self.real(0.0, 0.9),
                rotation: self.real(0.0, 180.0),
                brightness: self.real(0.0, 1.0),
                noise: self.real(0.0, 1.0),
                mixup: self.real(0.0, 1.0),
            },
            training_loop: LoopConfig {
                zero_grad: self.flag(),
                // The number of layers is not known here.
                frozen: if self.flag() { vec![0] } else { Vec::new() },
                labels_rolled_by: self.below(10),
                labels_shuffled: self.flag(),
                optimizer_recreated: self.flag(),
                inference_mode: self.flag(),
            },
        }
    }

    fn optimizer(&mut self) -> OptimizerConfig {
        let [beta_1, beta_2] = [self.real(0.9, 0.99), self.real(0.99, 0.999)];
        let [momentum, weight_decay] = [self.real(0.0, 0.9), self.real(0.0, 0.1)];
        let (epsilon, flag) = (1e-7, self.flag());
        match self.below(7) {
            0 => OptimizerConfig::Adam { beta_1, beta_2, epsilon, amsgrad: flag, weight_decay },
            1 => OptimizerConfig::AdamW { beta_1, beta_2, epsilon, amsgrad: flag, weight_decay },
            2 => OptimizerConfig::Nadam { beta_1, beta_2, epsilon, weight_decay },
            3 => OptimizerConfig::Adagrad {
                initial_accumulator_value: self.real(0.0, 1.0),
                epsilon,
                weight_decay,
            },
            4 => OptimizerConfig::Lion { beta_1, beta_2, weight_decay },
            5 => OptimizerConfig::Sgd { momentum, nesterov: flag, weight_decay },
            _ => OptimizerConfig::RmsProp {
                rho: beta_1,
                momentum,
                epsilon,
                centered: flag,
                weight_decay,
            },
        }
    }

    /// A loss of any kind, each of its fields anywhere in its range.
    fn loss(&mut self) -> LossConfig {
        let kinds = Field::of("training.loss").expect("a field").choices();
        let mut kind = kinds[self.below(kinds.len() as u32) as usize].value.clone();
        for (name, value) in kind.as_object_mut().expect("kinds of loss are objects") {
            let Some(field) = Field::of(&format!("training.loss.{name}")) else { continue };
            match field.kind {
                FieldKind::Flag => *value = self.flag().into(),
                FieldKind::Number(range) => *value = self.real(range.min, range.max).into(),
                _ => {}
            }
        }
        serde_json::from_value(kind).expect("a kind of loss")
    }

    fn schedule(&mut self) -> ScheduleConfig {
        let (decay_steps, decay_rate) = (self.within(1, 10), self.real(0.5, 1.0));
        let (warmup_steps, warmup_from) = (self.below(10), self.real(0.0, 1.0));
        let staircase = self.flag();
        match self.below(6) {
            0 => ScheduleConfig::Constant {},
            1 => ScheduleConfig::Exponential { decay_steps, decay_rate, staircase },
            2 => ScheduleConfig::InverseTime { decay_steps, decay_rate, staircase },
            3 => ScheduleConfig::Piecewise { boundaries: vec![1, 3], factors: vec![0.5, 0.1] },
            4 => ScheduleConfig::Cosine { warmup_steps, warmup_from, decay_steps, alpha: 0.1 },
            _ => ScheduleConfig::Warmup { warmup_steps, warmup_from },
        }
    }

    fn early_stopping(&mut self) -> EarlyStoppingConfig {
        let (patience, min_delta) = (self.below(3), self.real(0.0, 0.1));
        let restore_best_weights = self.flag();
        match self.below(3) {
            0 => EarlyStoppingConfig::None {},
            1 => EarlyStoppingConfig::Loss { patience, min_delta, restore_best_weights },
            _ => EarlyStoppingConfig::ValidationLoss { patience, min_delta, restore_best_weights },
        }
    }
}

/// Checks that an experiment is refused at a layer or trains an epoch; returns whether it trained.
pub fn trains_or_is_refused(experiment: &Experiment) -> bool {
    use overfit_lab::training::TrainingSession;
    if let Err(problems) = experiment.validate() {
        for problem in problems {
            assert!(
                problem.field.starts_with("network.layers") || problem.field.contains("frozen"),
                "{problem:?}"
            );
            assert!(problem.message.contains(&problem.allowed), "{problem:?}");
        }
        return false;
    }
    overfit_lab::causes::warnings(experiment);
    let mut session = TrainingSession::new(experiment.clone(), "flex").expect("valid");
    let metrics = session.run_epoch();
    assert_eq!(metrics.predicted.len(), experiment.dataset.images as usize);
    // A single unit answers class 0 or 1.
    let answers = experiment.output_units().max(2);
    assert!(metrics.predicted.iter().all(|label| *label < answers));
    assert!(session.finished());
    session.evaluate();
    true
}
