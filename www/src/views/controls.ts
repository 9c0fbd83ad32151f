/** The controls that are always visible: each emits edits, and shows their results. */
import type { LayerConfig, Summary } from "overfit-lab";
import { mountChoice } from "../controls/choice";
import { mountFlag } from "../controls/flag";
import { limitOf, makeProblem, showProblem } from "../controls/problem";
import { mountSlider } from "../controls/slider";
import { mountTextField } from "../controls/text-field";
import { byId, make, setShown, setText } from "../dom";
import { formatRate, fromSlider, SLIDER_STEP, toSlider } from "../format";
import type { Intents } from "../lab/intents";
import { problemOf } from "../problems";
import type { State } from "../store";

const RATE = "training.learning_rate";
const BATCH = "training.batch_size";
const OPTIMIZER = "training.optimizer";

/** The id of each field's control, in page order. */
export const controlIds: Record<string, string> = {
  [RATE]: "learning-rate-value",
  [BATCH]: "batch-size",
  "training.epochs": "epochs",
  seed: "seed",
  [OPTIMIZER]: "optimizer",
  "network.conv_bias": "conv-bias",
  "network.dense_bias": "dense-bias",
};

const byOne = (value: number, direction: 1 | -1) => String(Math.round(value) + direction);

export function mountControls(intents: Intents) {
  const rate = byId("learning-rate", HTMLInputElement);
  rate.step = String(SLIDER_STEP);
  const parts = [
    mountTextField(intents, {
      input: byId("learning-rate-value", HTMLInputElement),
      problem: byId("learning-rate-problem"),
      field: RATE,
      valueOf: (form) => formatRate(form.experiment.training.learning_rate),
      stepped: (value, direction) => formatRate(Number((value * 10 ** (direction / 10)).toPrecision(2))),
      alsoInvalid: [rate],
    }),
    mountTextField(intents, {
      input: byId("epochs", HTMLInputElement),
      problem: byId("epochs-problem"),
      field: "training.epochs",
      valueOf: (form) => String(form.experiment.training.epochs),
      stepped: byOne,
    }),
    mountTextField(intents, {
      input: byId("seed", HTMLInputElement),
      problem: byId("seed-problem"),
      field: "seed",
      valueOf: (form) => String(form.experiment.seed),
      stepped: byOne,
    }),
    mountSlider(intents, {
      slider: rate,
      field: RATE,
      rangeOf: (state) => {
        const limit = limitOf(state, RATE);
        return limit === undefined ? null : { min: limit.slider_min ?? limit.min, max: limit.slider_max ?? limit.max };
      },
      valueOf: ({ form }) => form?.experiment.training.learning_rate ?? 1,
      toPosition: toSlider,
      fromPosition: fromSlider,
      format: formatRate,
    }),
    mountBatchSize(intents),
    mountBias(
      intents,
      { id: "conv-bias", field: "network.conv_bias", layer: "conv2d" },
      (summary) => summary.conv_bias,
    ),
    mountBias(
      intents,
      { id: "dense-bias", field: "network.dense_bias", layer: "dense" },
      (summary) => summary.dense_bias,
    ),
    mountOptimizer(intents),
    mountBackend(intents),
  ];
  byId("new-seed").addEventListener("click", () => intents.newSeed());
  return (state: State) => {
    for (const render of parts) render(state);
  };
}

function mountBatchSize(intents: Intents) {
  const slider = byId("batch-size", HTMLInputElement);
  const value = byId("batch-size-value");
  const note = byId("batch-note");
  const problem = byId("batch-size-problem");
  const render = mountSlider(intents, {
    slider,
    field: BATCH,
    // A refused number of images cannot be the end of the slider.
    rangeOf: ({ form }) =>
      form === null || problemOf(form, "dataset.images") !== null
        ? null
        : { min: 1, max: form.experiment.dataset.images },
    valueOf: ({ form }) => form?.experiment.training.batch_size ?? 1,
    toPosition: (size) => size,
    fromPosition: (position) => position,
    format: String,
    onShown: (size) => setText(value, String(size)),
  });
  return (state: State) => {
    render(state);
    if (state.form === null) return;
    setText(note, state.form.description?.summary.batch_note ?? "");
    showProblem(state.form, BATCH, problem, [slider]);
  };
}

function mountBias(
  intents: Intents,
  { id, field, layer }: { id: string; field: string; layer: LayerConfig["type"] },
  biasOf: (summary: Summary) => boolean | null,
) {
  const box = byId(id, HTMLInputElement);
  const problem = makeProblem(id);
  box.closest("label")?.after(problem);
  return mountFlag(intents, {
    box,
    field,
    problem,
    valueOf: ({ form }) => (form?.description ? biasOf(form.description.summary) : null),
    isIdle: ({ form }) => !form?.experiment.network.layers.some(({ type }) => type === layer),
  });
}

function mountOptimizer(intents: Intents) {
  const select = byId("optimizer", HTMLSelectElement);
  const problem = makeProblem("optimizer");
  select.after(problem);
  const chosen = ({ form }: State) => form?.description?.summary.optimizer_id ?? "";
  return mountChoice(intents, {
    select,
    field: OPTIMIZER,
    problem,
    // Rust has no id for an optimizer whose numbers a person set: only then there is an entry "custom".
    optionsOf: (state) => [
      ...(state.catalogue?.optimizers.map(({ id, name }) => ({ id, name })) ?? []),
      ...(chosen(state) === "" ? [{ id: "", name: "custom" }] : []),
    ],
    valueOf: chosen,
  });
}

function mountBackend(intents: Intents) {
  const select = byId("backend", HTMLSelectElement);
  select.addEventListener("change", () => intents.chooseBackend(select.value));
  return ({ catalogue, form }: State) => {
    if (catalogue === null || form === null || catalogue.backends.length < 2) return;
    if (select.options.length === 0)
      select.append(...catalogue.backends.map(({ id, name }) => make("option", { value: id }, name)));
    setShown(byId("backend-field"), true);
    if (select.value !== form.backend) select.value = form.backend;
  };
}
