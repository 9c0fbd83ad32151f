//! A training session, which trains a network epoch by epoch.

use burn::tensor::Tensor;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use web_time::Instant;

use super::early_stopping::EarlyStopping;
use super::epoch::EpochUnderWay;
use super::loss::{Answer, Loss, answer, loss};
use super::metrics::{
    EpochMetrics, Evaluation, InferenceMetrics, Look, ReluLayer, ValidationMetrics,
};
use super::optimizer::Optimizer;
use super::{regularizer, schedule};
use crate::augmentation::{altered, mixup};
use crate::backend::{self, Backend, floats};
use crate::dataset::{Dataset, Drawn};
use crate::experiment::{Activation, Experiment, Field, InvalidField, layer_shapes, number_text};
use crate::network::{Features, Network, Observer, Seen};
use crate::seeding::{Purpose, fill_uniform, stream};

/// A network in training. Only [`TrainingSession::run_epoch`], [`TrainingSession::advance`] and [`TrainingSession::run_step`] train
/// it.
pub struct TrainingSession {
    experiment: Experiment,
    backend: Backend,
    dataset: Dataset,
    images: Tensor<4>,
    /// The augmented images of the current epoch, where augmentation alters images.
    altered: Option<Vec<f32>>,
    /// The held-out images, if there are any.
    validation: Option<(Dataset, Tensor<4>)>,
    network: Network,
    optimizer: Optimizer,
    /// The sum of all gradients so far, where gradients are never set to zero.
    gradients: Option<Vec<Tensor<1>>>,
    early_stopping: Option<EarlyStopping>,
    stopped_early: bool,
    learning_rate: f64,
    order: ChaCha8Rng,
    /// The number of complete epochs.
    epoch: u32,
    /// The current epoch, where only some of its steps are trained.
    under_way: Option<EpochUnderWay>,
    /// The number of steps so far.
    step: u64,
    noise: Noise,
    /// The ReLU layers in the order of the network, with no dead units counted yet.
    relu_layers: Vec<ReluLayer>,
}

/// Fills a slice with uniform numbers in [0, 1) for a step, counted from 1, and a layer, given by its index in the configuration's
/// list.
pub type Noise = Box<dyn FnMut(u64, usize, &mut [f32]) + Send>;

/// The noise of a seed, where each step and each layer has its own stream.
fn seeded_noise(seed: u32) -> Noise {
    Box::new(move |step, layer, numbers| {
        fill_uniform(&mut stream(seed, Purpose::Dropout { layer, step }), numbers);
    })
}

/// The measurements of one step, before its update.
#[derive(Clone, Debug)]
pub struct StepMetrics {
    /// The mean loss of the batch, in nats for cross-entropies, with the penalty of regularisation.
    pub loss: f64,
    /// The answer for each image of the batch.
    pub answers: Vec<Answer>,
    /// The labels that the answers are compared with.
    pub labels: Vec<u32>,
    /// The l2 norm of the gradient over all variables.
    pub gradient_norm: f64,
}

impl TrainingSession {
    /// Validates the experiment and draws its images and weights; trains nothing yet.
    pub fn new(experiment: Experiment, backend: &str) -> Result<Self, InvalidField> {
        let first = |problems: Vec<InvalidField>| problems.into_iter().next().expect("not empty");
        experiment.validate().map_err(first)?;
        let backend = backend::open(backend)?;
        let Drawn { training, validation } = Drawn::new(&experiment);
        let network = Network::new(&experiment, &backend)?;
        let noise = seeded_noise(experiment.seed);
        let mut session = Self::with_parts(experiment, backend, training, network, noise)?;
        session.hold_out(validation);
        Ok(session)
    }

    /// Holds out these images, if there are any, and evaluates them after each epoch.
    pub fn hold_out(&mut self, validation: Dataset) {
        let images = (!validation.is_empty()).then(|| self.network.images(&validation));
        self.validation = images.map(|images| (validation, images));
    }

    /// A session with given images, weights and noise for dropout, and without held-out images.
    pub fn with_parts(
        experiment: Experiment,
        backend: Backend,
        dataset: Dataset,
        network: Network,
        noise: Noise,
    ) -> Result<Self, InvalidField> {
        let shapes = layer_shapes(&experiment.network, &experiment.dataset)?;
        let relu_layers = experiment.network.layers.iter().zip(&shapes).enumerate();
        let relu_layers = relu_layers
            .filter(|(_, (layer, _))| layer.activation() == Some(Activation::Relu))
            .map(|(index, (layer, shape))| ReluLayer {
                layer: index as u32,
                name: layer.name(),
                units: shape.output.units() as u32,
                dead: 0,
            })
            .collect();
        Ok(Self {
            images: network.images(&dataset),
            altered: None,
            validation: None,
            optimizer: optimizer(&experiment, &backend),
            gradients: None,
            early_stopping: EarlyStopping::new(&experiment.training.early_stopping),
            stopped_early: false,
            learning_rate: experiment.training.learning_rate,
            order: stream(experiment.seed, Purpose::Order),
            epoch: 0,
            under_way: None,
            step: 0,
            noise,
            relu_layers,
            experiment,
            backend,
            dataset,
            network,
        })
    }

    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The number of complete epochs.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether all of the experiment's epochs are trained, or early stopping ended the run.
    pub fn finished(&self) -> bool {
        self.stopped_early || self.epoch >= self.experiment.training.epochs
    }

    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the total number of epochs, as if the experiment had it from the start. A run with early stopping refuses this, because
    /// early stopping ends a run for good and restores the best weights at the planned end.
    pub fn plan_epochs(&mut self, epochs: u32) -> Result<(), InvalidField> {
        let path = "training.epochs";
        let field = Field::of(path).expect("a field of the experiment");
        if !field.range().is_some_and(|range| range.contains(f64::from(epochs))) {
            return Err(field.invalid(path, epochs.to_string()));
        }
        if self.early_stopping.is_some() {
            let message = "Epochs: a run with early stopping cannot be continued.";
            return Err(InvalidField::with_message(
                path,
                epochs.to_string(),
                "left as planned",
                message.into(),
            ));
        }
        self.experiment.training.epochs = epochs;
        Ok(())
    }

    /// Sets the learning rate from the next step on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), InvalidField> {
        let path = "training.learning_rate";
        let field = Field::of(path).expect("a field of the experiment");
        if !field.range().is_some_and(|range| range.contains(learning_rate)) {
            return Err(field.invalid(path, number_text(learning_rate)));
        }
        self.learning_rate = learning_rate;
        Ok(())
    }

    /// Trains on every image once, in a new order, batch by batch. The last batch has the remaining images.
    pub fn run_epoch(&mut self) -> EpochMetrics {
        self.advance(|| false).expect("nothing interrupts the epoch")
    }

    /// Trains steps until the epoch is complete, at least one. Where `interrupted` returns true after an earlier step, this returns
    /// `None`, and the next call continues the same epoch.
    pub fn advance(&mut self, mut interrupted: impl FnMut() -> bool) -> Option<EpochMetrics> {
        let start = Instant::now();
        let mut epoch = match self.under_way.take() {
            Some(epoch) => epoch,
            None => self.begin_epoch(),
        };
        while let Some((batch, sums)) = epoch.next_batch() {
            let step = self.run_step(batch, &mut sums.active);
            sums.add(batch, &step);
            if !epoch.is_complete() && interrupted() {
                epoch.milliseconds += milliseconds_since(start);
                self.under_way = Some(epoch);
                return None;
            }
        }
        self.epoch += 1;
        Some(self.end_epoch(epoch, start))
    }

    fn begin_epoch(&mut self) -> EpochUnderWay {
        let count = self.dataset.len();
        let batch_size = (self.experiment.training.batch_size as usize).min(count);
        let mut order: Vec<u32> = (0..count as u32).collect();
        if batch_size < count {
            // A full batch holds all images, so no order needs to be drawn.
            order.shuffle(&mut self.order);
        }
        self.altered = self.altered_images();
        EpochUnderWay::new(order, batch_size, &self.relu_layers)
    }

    /// The metrics of a complete epoch. `start` is the time at which its latest part began.
    fn end_epoch(&mut self, epoch: EpochUnderWay, start: Instant) -> EpochMetrics {
        let count = epoch.images() as f64;
        let EpochUnderWay { sums, milliseconds, .. } = epoch;
        let loss = sums.loss / count;
        let inference = self.inference();
        let validation = self.validate();
        let restored_epoch = self.stop_early(loss, validation.as_ref());
        let training = &self.experiment.training;
        EpochMetrics {
            epoch: self.epoch,
            loss,
            accuracy: f64::from(sums.right) / count,
            images_right: sums.right,
            learning_rate: schedule::learning_rate(
                &training.schedule,
                self.learning_rate,
                self.step - 1,
            ),
            base_learning_rate: self.learning_rate,
            gradient_norm: sums.gradient_norm / f64::from(sums.steps),
            milliseconds: milliseconds + milliseconds_since(start),
            relu_layers: self.relu_layers.iter().map(|layer| sums.seen(layer)).collect(),
            predicted: sums.predicted,
            label_probability: sums.label_probability,
            inference,
            validation,
            stopped_early: self.stopped_early,
            restored_epoch,
        }
    }

    /// The augmented images of the next epoch; `None` where augmentation alters no images.
    fn altered_images(&self) -> Option<Vec<f32>> {
        let config = &self.experiment.training.augmentation;
        config
            .alters_images()
            .then(|| altered(config, &self.dataset, self.experiment.seed, self.epoch + 1))
    }

    /// The evaluation of the unaugmented training images in inference mode, where training differs from it.
    fn inference(&self) -> Option<InferenceMetrics> {
        self.experiment.modes_differ().then(|| {
            let start = Instant::now();
            let Evaluation { loss, accuracy, images_right, .. } = self.evaluate();
            let milliseconds = milliseconds_since(start);
            InferenceMetrics { loss, accuracy, images_right, milliseconds }
        })
    }

    /// The evaluation of the held-out images with the current weights.
    pub fn validate(&self) -> Option<ValidationMetrics> {
        let (dataset, images) = self.validation.as_ref()?;
        let Evaluation { loss, accuracy, .. } = self.evaluate_on(dataset, images);
        Some(ValidationMetrics { loss, accuracy })
    }

    /// Tells early stopping about the epoch that has just ended. Returns the epoch whose weights were restored, if any.
    fn stop_early(&mut self, loss: f64, validation: Option<&ValidationMetrics>) -> Option<u32> {
        let watched = match self.experiment.training.early_stopping.needs_validation() {
            true => validation?.loss,
            false => loss,
        };
        let early_stopping = self.early_stopping.as_mut()?;
        let variables = &mut self.network.variables;
        self.stopped_early = early_stopping.observe(self.epoch, watched, variables);
        let at_the_end = self.stopped_early || self.epoch >= self.experiment.training.epochs;
        let (epoch, best) = if at_the_end { early_stopping.best_weights()? } else { return None };
        *variables = best;
        Some(epoch)
    }

    /// One training step on the images of `batch`. The observer sees the forward pass.
    pub fn run_step(&mut self, batch: &[u32], observer: &mut dyn Observer) -> StepMetrics {
        let labels = self.step_labels(batch);
        self.step += 1;
        let mixed = self.mixed(batch, &labels);
        let images = mixed.images;
        let step = self.step;
        let mut noise = |layer, numbers: &mut [f32]| (self.noise)(step, layer, numbers);
        let passed = self.network.forward(images, &mut noise, observer);
        let logits = passed.logits.clone();
        let mut loss = self.loss(logits.clone(), &labels);
        if let Some((share, others)) = mixed.other_labels {
            let other = self.loss(logits.clone(), &others);
            loss = loss.mixed(share, other);
        }
        let penalty = self.penalty();
        let gradients = self.backward(&loss);
        let gradients = self.not_zeroed(gradients);
        self.network.move_averages(passed);
        let schedule = &self.experiment.training.schedule;
        let rate = schedule::learning_rate(schedule, self.learning_rate, self.step - 1);
        if self.experiment.training.training_loop.optimizer_recreated {
            self.optimizer = optimizer(&self.experiment, &self.backend);
        }
        let gradient_norm = self.optimizer.step(rate, &mut self.network.variables, gradients);
        StepMetrics {
            loss: loss.value + penalty,
            answers: self.answers(&floats(logits.inner().into_data()), &labels),
            labels,
            gradient_norm,
        }
    }

    /// The labels of the next step's images.
    fn step_labels(&self, batch: &[u32]) -> Vec<u32> {
        let mut labels = self.labels(batch);
        if self.experiment.training.training_loop.labels_shuffled {
            let step = self.step + 1;
            labels.shuffle(&mut stream(self.experiment.seed, Purpose::Shuffle { step }));
        }
        labels
    }

    /// The images of a step, mixed with one another where mixup is on.
    fn mixed(&self, batch: &[u32], labels: &[u32]) -> Mixed {
        let images = self.pick(batch);
        let alpha = self.experiment.training.augmentation.mixup;
        if alpha == 0.0 {
            return Mixed { images, other_labels: None };
        }
        let (share, others) = mixup(alpha, batch.len(), self.experiment.seed, self.step);
        let other_images: Vec<u32> = others.iter().map(|&place| batch[place as usize]).collect();
        let other_labels = others.iter().map(|&place| labels[place as usize]).collect();
        let images = images * share + self.pick(&other_images) * (1.0 - share);
        Mixed { images, other_labels: Some((share, other_labels)) }
    }

    /// The gradients for the optimizer: this step's, or the sum of all so far where gradients are never set to zero.
    fn not_zeroed(&mut self, gradients: Vec<Tensor<1>>) -> Vec<Tensor<1>> {
        if self.experiment.training.training_loop.zero_grad {
            return gradients;
        }
        let sums = match self.gradients.take() {
            Some(before) => before.into_iter().zip(gradients).map(|(a, b)| a + b).collect(),
            None => gradients,
        };
        self.gradients = Some(sums.clone());
        sums
    }

    /// The gradients of the next step on `batch`, one per trainable variable, without an update.
    pub fn gradients(&mut self, batch: &[u32]) -> Vec<Vec<f32>> {
        let labels = self.labels(batch);
        let images = self.pick(batch);
        let step = self.step + 1;
        let mut noise = |layer, numbers: &mut [f32]| (self.noise)(step, layer, numbers);
        let passed = self.network.forward(images, &mut noise, &mut ());
        let loss = self.loss(passed.logits, &labels);
        let gradients = self.backward(&loss);
        gradients.into_iter().map(|gradient| floats(gradient.into_data())).collect()
    }

    /// The output of a layer, given by its index in the configuration's list, for one unaugmented image in inference mode, and the
    /// gradient of that image's loss by it.
    pub fn look(&self, layer: usize, image: usize) -> Result<Look, InvalidField> {
        let within = |name: &str, label: &str, value: usize, count: usize| {
            let allowed = format!("a whole number from 0 to {}", count.saturating_sub(1));
            let problem = || InvalidField::new(name, label, value.to_string(), allowed);
            if value < count { Ok(()) } else { Err(problem()) }
        };
        within("layer", "Layer", layer, self.experiment.network.layers.len())?;
        within("image", "Image", image, self.dataset.len())?;
        let batch = [image as u32];
        let images = self.network.picked(&self.dataset, &self.dataset.images, &batch);
        let mut cut = Cut { layer, output: None };
        let logits = self.network.infer_tracked(images, &mut cut);
        let loss = self.loss(logits, &self.labels(&batch));
        let output = cut.output.expect("every layer has an output");
        let mut gradients = loss.tracked.backward();
        let (shape, values) = output.to_nhwc();
        Ok(Look {
            shape: shape[1..].iter().map(|&size| size as u32).collect(),
            values,
            gradients: output.gradient(&mut gradients),
        })
    }

    /// Evaluates the current network on all training images, in inference mode.
    pub fn evaluate(&self) -> Evaluation {
        self.evaluate_on(&self.dataset, &self.images)
    }

    fn evaluate_on(&self, dataset: &Dataset, images_of: &Tensor<4>) -> Evaluation {
        let count = dataset.len();
        let batch_size = (self.experiment.training.batch_size as usize).min(count);
        let images: Vec<u32> = (0..count as u32).collect();
        let mut loss = 0.0;
        let mut answers = Vec::with_capacity(count);
        for batch in images.chunks(batch_size) {
            let labels: Vec<u32> =
                batch.iter().map(|&image| dataset.labels[image as usize]).collect();
            let images = match batch.len() == count {
                true => images_of.clone(),
                false => self.network.picked(dataset, &dataset.images, batch),
            };
            let logits = self.network.infer(images);
            loss += self.loss(logits.clone(), &labels).value * batch.len() as f64;
            answers.extend(self.answers(&floats(logits.into_data()), &labels));
        }
        let right = answers.iter().zip(&dataset.labels);
        let right = right.filter(|(answer, label)| answer.predicted == **label).count();
        Evaluation {
            loss: loss / count as f64 + self.penalty(),
            accuracy: right as f64 / count as f64,
            images_right: right as u32,
            predicted: answers.iter().map(|answer| answer.predicted).collect(),
            label_probability: answers.iter().map(|answer| answer.label_probability).collect(),
        }
    }

    fn labels(&self, batch: &[u32]) -> Vec<u32> {
        batch.iter().map(|&image| self.dataset.labels[image as usize]).collect()
    }

    fn loss(&self, logits: Tensor<2>, labels: &[u32]) -> Loss {
        loss(&self.experiment.training.loss, self.network.head, logits, labels, &self.backend)
    }

    /// The gradients of the loss with the penalty of regularisation, one per trainable variable.
    fn backward(&self, loss: &Loss) -> Vec<Tensor<1>> {
        if self.network.variables.is_empty() {
            // No tensor is tracked, so there is no backward pass.
            return Vec::new();
        }
        let gradients = self.network.take_gradients(&mut loss.tracked.backward());
        let regularizer = &self.experiment.network.regularizer;
        regularizer::add_gradients(regularizer, &self.network, gradients)
    }

    /// The penalty of regularisation.
    fn penalty(&self) -> f64 {
        regularizer::penalty(&self.experiment.network.regularizer, &self.network)
    }

    /// The answers for images with these labels, given one row of logits per image.
    fn answers(&self, logits: &[f32], labels: &[u32]) -> Vec<Answer> {
        let (loss, head) = (&self.experiment.training.loss, self.network.head);
        let rows = logits.chunks_exact(logits.len() / labels.len()).zip(labels);
        rows.map(|(logits, &label)| answer(loss, head, logits, label)).collect()
    }

    /// The images of a batch, augmented for the current epoch. All unaugmented images in their own order need no copy.
    fn pick(&self, batch: &[u32]) -> Tensor<4> {
        let ordered = batch.is_sorted_by(|before, after| before < after);
        match &self.altered {
            None if batch.len() == self.dataset.len() && ordered => self.images.clone(),
            None => self.network.picked(&self.dataset, &self.dataset.images, batch),
            Some(altered) => self.network.picked(&self.dataset, altered, batch),
        }
    }
}

fn milliseconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

fn optimizer(experiment: &Experiment, backend: &Backend) -> Optimizer {
    Optimizer::new(
        experiment.training.optimizer.clone(),
        experiment.training.clipping.clone(),
        experiment.network.constraint.clone(),
        backend,
    )
}

/// An observer that cuts the autodiff graph after one layer, so that a backward pass ends there.
struct Cut {
    layer: usize,
    output: Option<Features>,
}

impl Observer for Cut {
    fn output(&mut self, seen: Seen, output: Features) -> Features {
        if seen.layer != self.layer || !seen.is_complete {
            return output;
        }
        let output = output.cut();
        self.output = Some(output.clone());
        output
    }
}

/// The images of a step, mixed where mixup is on.
struct Mixed {
    images: Tensor<4>,
    /// With mixup, the share that each image keeps of itself, and the labels of the images that are mixed in.
    other_labels: Option<(f64, Vec<u32>)>,
}
