//! The boundary to JavaScript: it converts, calls and converts back, without any algorithm.
//!
//! Records cross as plain objects, whose TypeScript types are generated from the Rust types; images cross as `ImageData`. Bad
//! input throws an `Error` whose `problem` is the [`InvalidField`].

use js_sys::{Error, Float32Array, Reflect, Uint8ClampedArray, Uint32Array, WebAssembly};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::ImageData;
use web_time::Instant;

use crate::backend::{self, BACKENDS, BackendInfo};
use crate::causes::{self, Warning};
use crate::checks::{Checks, checks};
use crate::dataset;
use crate::diagnosis::{EventKind, RunResult};
use crate::experiment::{
    Change, Edited, Experiment, Field, FieldLimit, FormGroup, FormOption, InvalidField, Summary,
    field_limits, number_text,
};
use crate::presets::{self, Preset, PresetGroup};
use crate::run::{EpochReport, Run};
use crate::script::{self, Framework, FrameworkChoice, ScriptLine};

/// Makes panics readable messages in the console. A panic still loses the instance.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Everything that the page requests once: presets, choices and limits.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Catalogue {
    /// The groups of presets, in the page's order.
    pub groups: Vec<GroupTitle>,
    pub presets: Vec<Preset>,
    pub optimizers: Vec<FormOption>,
    pub fields: Vec<FieldLimit>,
    /// The backends, the default first.
    pub backends: Vec<BackendInfo>,
    /// The meaning of every kind of event.
    pub events: Vec<EventMeaning>,
    /// The frameworks that have scripts.
    pub frameworks: Vec<FrameworkChoice>,
    /// The results of the presets' scripts in those frameworks.
    pub checks: Checks,
}

/// The title of a group of presets.
#[derive(Serialize, Tsify)]
pub struct GroupTitle {
    pub group: PresetGroup,
    #[tsify(type = "string")]
    pub title: &'static str,
}

/// The meaning of one kind of event, for a person who points at its mark.
#[derive(Serialize, Tsify)]
pub struct EventMeaning {
    pub kind: EventKind,
    pub meaning: String,
}

#[wasm_bindgen]
pub fn catalogue() -> Result<Ts<Catalogue>, JsValue> {
    to_js(&Catalogue {
        presets: presets::presets(),
        optimizers: FormOption::of(Field::of("training.optimizer").expect("a field")),
        fields: field_limits(),
        backends: BACKENDS.to_vec(),
        events: EventKind::ALL.map(|kind| EventMeaning { kind, meaning: kind.meaning() }).into(),
        groups: PresetGroup::ALL.map(|group| GroupTitle { group, title: group.title() }).into(),
        frameworks: Framework::ALL.map(Framework::choice).into(),
        checks: checks(),
    })
}

/// Everything that the page shows of an experiment, edited or not.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Described {
    pub experiment: Experiment,
    /// The error of an entered value that its field cannot hold.
    pub refused: Option<InvalidField>,
    /// The problems of the experiment.
    pub problems: Vec<InvalidField>,
    /// Every field that the page has no other control for.
    pub groups: Vec<FormGroup>,
    /// The description of an experiment without problems.
    pub description: Option<Description>,
}

/// A valid experiment in words and as scripts.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Description {
    pub summary: Summary,
    pub warnings: Vec<Warning>,
    /// The differences between the experiment and its preset.
    pub changes: Vec<Change>,
    /// The experiment's script in every framework.
    pub scripts: Vec<Script>,
}

/// A script in one framework, with the lines marked that the preset's script does not have.
#[derive(Serialize, Tsify)]
pub struct Script {
    /// The id of the framework.
    #[tsify(type = "string")]
    pub framework: &'static str,
    pub lines: Vec<ScriptLine>,
}

impl Described {
    fn of(edited: Edited, preset: &Experiment) -> Result<Self, JsValue> {
        let Edited { experiment, refused, problems } = edited;
        let description = if problems.is_empty() {
            let scripts = Framework::ALL.map(|framework| Script {
                framework: framework.choice().id,
                lines: script::compared(&experiment, preset, framework),
            });
            Some(Description {
                summary: experiment.summary().map_err(thrown)?,
                warnings: causes::warnings(&experiment),
                changes: experiment.changes_from(preset),
                scripts: scripts.into(),
            })
        } else {
            None
        };
        Ok(Self { groups: experiment.form(), experiment, refused, problems, description })
    }
}

/// The experiment with one field set to `value`: a number, a boolean or typed text. Bad input does not throw: it is `refused` or
/// one of the problems.
#[wasm_bindgen]
pub fn edit(
    experiment: Ts<Experiment>,
    preset_id: &str,
    field: &str,
    #[wasm_bindgen(unchecked_param_type = "string | number | boolean")] value: JsValue,
) -> Result<Ts<Described>, JsValue> {
    let number = || value.as_f64().map(number_text);
    let boolean = || value.as_bool().map(|on| on.to_string());
    let text = value.as_string().or_else(number).or_else(boolean);
    // No field can hold any other value, and the problem names it.
    let text = text.unwrap_or_else(|| format!("{value:?}"));
    let edited = from_js(&experiment)?.edited(field, &text);
    to_js(&Described::of(edited, &preset(preset_id)?)?)
}

/// Everything that the page shows of an experiment, compared with a preset.
#[wasm_bindgen]
pub fn describe(experiment: Ts<Experiment>, preset_id: &str) -> Result<Ts<Described>, JsValue> {
    let experiment = from_js(&experiment)?;
    let problems = experiment.validate().err().unwrap_or_default();
    let edited = Edited { experiment, refused: None, problems };
    to_js(&Described::of(edited, &preset(preset_id)?)?)
}

/// The largest new seed: four digits, which people can easily tell each other.
const LARGEST_NEW_SEED: u32 = 9_999;

/// A seed from the browser's own randomness, from 1 to 9,999.
#[wasm_bindgen(js_name = newSeed)]
pub fn new_seed() -> Result<u32, JsValue> {
    let drawn = getrandom::u32();
    // The remainder makes the first few seeds more likely by one part in 400,000.
    let seed = drawn.map(|number| number % LARGEST_NEW_SEED + 1);
    seed.map_err(|error| Error::new(&format!("The browser gave no random seed: {error}.")).into())
}

/// The images and labels of an experiment, without a network.
#[wasm_bindgen]
pub struct DatasetPreview(dataset::Dataset);

#[wasm_bindgen]
impl DatasetPreview {
    #[wasm_bindgen(constructor)]
    pub fn new(experiment: Ts<Experiment>) -> Result<DatasetPreview, JsValue> {
        let experiment = from_js(&experiment)?;
        experiment.validate().map_err(|problems| thrown(problems[0].clone()))?;
        Ok(Self(dataset::Dataset::of(&experiment)))
    }

    pub fn labels(&self) -> Uint32Array {
        Uint32Array::from(self.0.labels.as_slice())
    }

    /// The first `count` images, or all if there are fewer, for a canvas. The bytes are copies, because the wasm's memory moves
    /// when it grows.
    pub fn images(&self, count: usize) -> Result<Vec<ImageData>, JsValue> {
        let size = self.0.size;
        let (height, width) = (size.height as u32, size.width as u32);
        let bytes = self.0.rgba(count);
        let images = bytes.chunks_exact(4 * size.pixels());
        let image = |bytes: &[u8]| {
            let bytes = Uint8ClampedArray::from(bytes);
            ImageData::new_with_js_u8_clamped_array_and_sh(&bytes, width, height)
        };
        images.map(image).collect()
    }

    /// All pixels in the order image, row, column, channel, the channel fastest.
    pub fn pixels(&self) -> Float32Array {
        Float32Array::from(self.0.images.as_slice())
    }
}

/// A copy of one variable of a network, such as a kernel or a moving average.
#[wasm_bindgen(getter_with_clone)]
pub struct Weight {
    /// The name, numbered as in Keras: `conv2d_0/kernel`, `dense_1/bias`.
    #[wasm_bindgen(readonly)]
    pub name: String,
    /// Keras' shape: height, width, channels and filters of a convolution's kernel, inputs and units of a dense kernel.
    #[wasm_bindgen(readonly)]
    pub shape: Vec<u32>,
    #[wasm_bindgen(readonly)]
    pub values: Vec<f32>,
}

/// The output of one layer for one image, in inference mode; see [`Look`](crate::training::Look).
#[wasm_bindgen(getter_with_clone)]
pub struct LayerLook {
    /// Height, width and channels, or units.
    #[wasm_bindgen(readonly)]
    pub shape: Vec<u32>,
    #[wasm_bindgen(readonly)]
    pub values: Vec<f32>,
    /// The gradient of the image's loss by each value.
    #[wasm_bindgen(readonly)]
    pub gradients: Vec<f32>,
}

/// JavaScript's class `Run`, a training run; see [`Run`].
#[wasm_bindgen(js_name = Run)]
pub struct JsRun(Run);

#[wasm_bindgen(js_class = Run)]
impl JsRun {
    #[wasm_bindgen(constructor)]
    pub fn new(experiment: Ts<Experiment>, backend: &str) -> Result<JsRun, JsValue> {
        Run::new(from_js(&experiment)?, backend).map(Self).map_err(thrown)
    }

    /// Trains one epoch.
    #[wasm_bindgen(js_name = runEpoch)]
    pub fn run_epoch(&mut self) -> Result<Ts<EpochReport>, JsValue> {
        self.check_unfinished()?;
        to_js(&self.0.next_epoch())
    }

    /// Trains steps until the epoch is complete, or until this many milliseconds have passed after a step. Then nothing is
    /// returned, and the next call continues the same epoch.
    pub fn advance(&mut self, milliseconds: f64) -> Result<Option<Ts<EpochReport>>, JsValue> {
        self.check_unfinished()?;
        let start = Instant::now();
        let report = self.0.advance(|| start.elapsed().as_secs_f64() * 1000.0 >= milliseconds);
        report.map(|report| to_js(&report)).transpose()
    }

    fn check_unfinished(&self) -> Result<(), JsValue> {
        match self.0.finished() {
            true => Err(Error::new("This run has trained all its epochs.").into()),
            false => Ok(()),
        }
    }

    #[wasm_bindgen(getter)]
    pub fn epoch(&self) -> u32 {
        self.0.epoch()
    }

    #[wasm_bindgen(getter)]
    pub fn epochs(&self) -> u32 {
        self.0.experiment().training.epochs
    }

    #[wasm_bindgen(getter)]
    pub fn finished(&self) -> bool {
        self.0.finished()
    }

    /// Copies of all variables, moving averages included, in the order of the layers.
    pub fn weights(&self) -> Vec<Weight> {
        let variables = self.0.network().variables.iter();
        let weight = variables.map(|variable| Weight {
            name: variable.name.clone(),
            shape: variable.shape.iter().map(|&size| size as u32).collect(),
            values: variable.values(),
        });
        weight.collect()
    }

    /// The current output of the layer with this index for one image, and the gradient of the image's loss by it.
    pub fn look(&self, layer: u32, image: u32) -> Result<LayerLook, JsValue> {
        let look = self.0.look(layer as usize, image as usize).map_err(thrown)?;
        Ok(LayerLook { shape: look.shape, values: look.values, gradients: look.gradients })
    }

    /// Sets the learning rate from the next epoch on.
    #[wasm_bindgen(js_name = setLearningRate)]
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), JsValue> {
        self.0.set_learning_rate(learning_rate).map_err(thrown)
    }

    /// Sets the total number of epochs, so that a run can continue after its end.
    #[wasm_bindgen(js_name = planEpochs)]
    pub fn plan_epochs(&mut self, epochs: u32) -> Result<(), JsValue> {
        self.0.plan_epochs(epochs).map_err(thrown)
    }

    /// Evaluates the current network and concludes the result of the run so far.
    pub fn result(&self) -> Result<Ts<RunResult>, JsValue> {
        to_js(&self.0.result())
    }
}

/// The default backend's id.
#[wasm_bindgen(js_name = defaultBackend)]
pub fn default_backend() -> String {
    backend::default_backend().into()
}

/// The bytes of memory that this instance has taken from the system. It never returns any.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    f64::from(buffer.byte_length())
}

fn preset(id: &str) -> Result<Experiment, JsValue> {
    presets::preset(id).map(|preset| preset.experiment).ok_or_else(|| {
        let ids: Vec<_> = presets::presets().iter().map(|preset| preset.id).collect();
        thrown(InvalidField::new("preset", "Preset", id, format!("one of {}", ids.join(", "))))
    })
}

fn read(experiment: &Ts<Experiment>) -> Result<Experiment, InvalidField> {
    let value = serde_wasm_bindgen::from_value(experiment.js_value());
    let value = value.map_err(|error| {
        InvalidField::new("experiment", "Experiment", error.to_string(), "a plain object")
    })?;
    Experiment::from_value(value)
}

fn from_js(experiment: &Ts<Experiment>) -> Result<Experiment, JsValue> {
    read(experiment).map_err(thrown)
}

fn to_js<T: Tsify + Serialize>(value: &T) -> Result<Ts<T>, JsValue> {
    value.into_ts().map_err(|error| Error::new(&error.to_string()).into())
}

/// A JavaScript `Error` with the problem's sentence as its message and the problem itself as `problem`.
fn thrown(problem: InvalidField) -> JsValue {
    let error = Error::new(&problem.message);
    if let Ok(object) = to_js(&problem) {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&error, &"problem".into(), &object.into());
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wasm_bindgen_test::*;

    use super::*;

    /// A value as JavaScript sees it, in JSON.
    fn seen(value: impl Into<JsValue>) -> Value {
        serde_wasm_bindgen::from_value(value.into()).unwrap()
    }

    fn ts<T: Tsify>(value: Value) -> Ts<T> {
        use serde::Serialize as _;
        let object = value.serialize(&serde_wasm_bindgen::Serializer::json_compatible());
        Ts::new_unchecked(object.unwrap())
    }

    /// Example 1 on tiny images, with one field changed.
    fn example_1(field: &str, value: &str) -> Value {
        let mut experiment = presets::preset("example-1").unwrap().experiment;
        for (field, value) in [("dataset.side", "8"), ("training.epochs", "3"), (field, value)] {
            experiment.set(field, value).unwrap();
        }
        serde_json::to_value(experiment).unwrap()
    }

    fn problem(thrown: &JsValue) -> Value {
        seen(Reflect::get(thrown, &"problem".into()).unwrap())
    }

    #[wasm_bindgen_test]
    fn the_catalogue_holds_presets_and_limits() {
        let catalogue = seen(catalogue().unwrap());
        let ids: Vec<_> =
            catalogue["presets"].as_array().unwrap().iter().map(|p| &p["id"]).collect();
        assert_eq!(ids[..3], ["example-1", "example-2", "example-3"]);
        assert_eq!(catalogue["backends"][0]["id"], default_backend());
        let events = catalogue["events"].as_array().unwrap();
        assert_eq!(events.len(), EventKind::ALL.len());
        assert!(events.iter().all(|event| event["meaning"].as_str().unwrap().ends_with('.')));
        let experiment = catalogue["presets"][0]["experiment"].clone();
        let described = seen(describe(ts(experiment.clone()), "example-1").unwrap());
        assert_eq!(described["problems"], json!([]));
        assert_eq!(described["experiment"], experiment);
        assert_eq!(described["description"]["changes"], json!([]));
        assert_eq!(described["description"]["scripts"].as_array().unwrap().len(), 2);
    }

    #[wasm_bindgen_test]
    fn edits_take_numbers_booleans_and_text() {
        let rows: [(&str, JsValue, &str, Value); 5] = [
            ("training.learning_rate", 0.02.into(), "/training/learning_rate", json!(0.02)),
            ("training.learning_rate", " 2e-2 ".into(), "/training/learning_rate", json!(0.02)),
            ("training.batch_size", 5.into(), "/training/batch_size", json!(5)),
            ("network.conv_bias", false.into(), "/network/layers/0/use_bias", json!(false)),
            ("training.optimizer", "sgd".into(), "/training/optimizer/type", json!("sgd")),
        ];
        for (field, value, place, expected) in rows {
            let edited = seen(edit(ts(example_1("seed", "1")), "example-1", field, value).unwrap());
            assert_eq!(edited["problems"], json!([]), "{field}");
            assert_eq!(edited["experiment"].pointer(place), Some(&expected), "{field}");
        }
        for value in [JsValue::NULL, JsValue::UNDEFINED, "x".into(), f64::NAN.into()] {
            let edited =
                edit(ts(example_1("seed", "1")), "example-1", "training.learning_rate", value);
            assert_eq!(seen(edited.unwrap())["refused"]["field"], "training.learning_rate");
        }
    }

    #[wasm_bindgen_test]
    fn problems_are_returned_or_thrown_with_their_field() {
        let invalid = example_1("training.batch_size", "21");
        let found = seen(describe(ts(invalid.clone()), "example-1").unwrap());
        assert_eq!(found["problems"][0]["field"], "training.batch_size");
        assert_eq!(found["description"], Value::Null);
        let thrown = JsRun::new(ts(invalid), "flex").err().unwrap();
        assert_eq!(problem(&thrown)["value"], "21");
        let thrown = describe(ts(json!({ "seeds": 1 })), "example-1").err().unwrap();
        assert_eq!(problem(&thrown)["field"], "seeds");
        let thrown = describe(Ts::new_unchecked(JsValue::from(7)), "example-1").err().unwrap();
        assert_eq!(problem(&thrown)["field"], "experiment");
        let thrown = describe(ts(example_1("seed", "1")), "example-9").err().unwrap();
        assert_eq!(problem(&thrown)["field"], "preset");
    }

    #[wasm_bindgen_test]
    fn a_run_trains_its_epochs_and_concludes() {
        let mut run = JsRun::new(ts(example_1("seed", "1")), "flex").unwrap();
        assert!(run.set_learning_rate(f64::NAN).is_err());
        run.set_learning_rate(0.5).unwrap();
        for epoch in 1..=3 {
            let report = seen(run.run_epoch().unwrap());
            assert_eq!(report["metrics"]["epoch"], epoch);
            assert_eq!(report["metrics"]["predicted"].as_array().unwrap().len(), 20);
        }
        assert!(run.finished());
        assert!(run.run_epoch().is_err());
        let result = seen(run.result().unwrap());
        assert_eq!(result["epochs"], 3);
        assert_eq!(result["label_probability"].as_array().unwrap().len(), 20);
    }

    #[wasm_bindgen_test]
    fn a_run_can_be_looked_into() {
        let run = JsRun::new(ts(example_1("seed", "1")), "flex").unwrap();
        let look = run.look(0, 3).unwrap();
        assert_eq!(look.shape, [6, 6, 32]);
        assert_eq!((look.values.len(), look.gradients.len()), (1152, 1152));
        let thrown = run.look(4, 0).err().unwrap();
        assert_eq!(problem(&thrown)["field"], "layer");
    }

    #[wasm_bindgen_test]
    fn images_cross_as_a_canvas_takes_them() {
        let preview = DatasetPreview::new(ts(example_1("dataset.channels", "1"))).unwrap();
        let images = preview.images(30).unwrap();
        assert_eq!(images.len(), 20);
        assert_eq!(preview.images(3).unwrap().len(), 3);
        assert!(images.iter().all(|image| (image.width(), image.height()) == (8, 8)));
        assert_ne!(images[0].data().0, images[1].data().0);
        assert_eq!(preview.labels().length(), 20);
        let pixels = preview.pixels().to_vec();
        assert_eq!(pixels.len(), 20 * 8 * 8);
        assert_eq!((pixels[9] * 255.0).round(), f32::from(images[0].data().0[4 * 9]));
    }

    #[wasm_bindgen_test]
    fn weights_have_their_names_shapes_and_numbers() {
        let run = JsRun::new(ts(example_1("seed", "1")), "flex").unwrap();
        let weights = run.weights();
        let seen: Vec<_> =
            weights.iter().map(|weight| (weight.name.clone(), weight.shape.clone())).collect();
        let expected: [(&str, &[u32]); 4] = [
            ("conv2d_0/kernel", &[3, 3, 3, 32]),
            ("conv2d_0/bias", &[32]),
            ("dense_0/kernel", &[288, 2]),
            ("dense_0/bias", &[2]),
        ];
        assert_eq!(seen, expected.map(|(name, shape)| (name.into(), shape.to_vec())));
        let norm = |weight: &Weight| weight.values.iter().map(|w| w * w).sum::<f32>();
        assert_eq!(weights[0].values.len(), 864);
        assert!(norm(&weights[0]) > 0.0);
        assert_eq!(norm(&weights[1]), 0.0);
    }

    /// After the third epoch, later epochs only reuse the buffers that earlier ones returned.
    #[wasm_bindgen_test]
    fn memory_stops_growing_after_the_third_epoch() {
        for preset in ["example-1", "example-2", "example-3"] {
            let mut experiment = presets::preset(preset).unwrap().experiment;
            experiment.set("training.epochs", "20").unwrap();
            let experiment = ts(serde_json::to_value(experiment).unwrap());
            let mut run = JsRun::new(experiment, "flex").unwrap();
            let mut memory = Vec::new();
            while !run.finished() {
                run.run_epoch().unwrap();
                memory.push(memory_bytes());
            }
            assert!(memory[2..].iter().all(|bytes| *bytes == memory[2]), "{preset}: {memory:?}");
        }
    }

    #[wasm_bindgen_test]
    fn memory_is_counted_in_pages() {
        assert!(memory_bytes() > 0.0 && memory_bytes() % 65_536.0 == 0.0, "{}", memory_bytes());
    }

    #[wasm_bindgen_test]
    fn new_seeds_differ() {
        let seeds: Vec<_> = (0..4).map(|_| new_seed().unwrap()).collect();
        assert!(seeds.iter().any(|seed| *seed != seeds[0]), "{seeds:?}");
        assert!(seeds.iter().all(|seed| (1..=9_999).contains(seed)), "{seeds:?}");
    }
}
