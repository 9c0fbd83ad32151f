/** The controls of the experiment: each emits an edit, and shows what came of it. */
import type { LayerConfig, Summary } from "overfit-lab";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { formatRate, fromSlider, SLIDER_STEP, toSlider } from "../format";
import type { Intents } from "../lab";
import { homelessProblem, problemOf } from "../problems";
import type { State } from "../store";
import { limitOf, mountTextField, showProblem } from "./number-field";
import { settingId } from "./settings";

const RATE = "training.learning_rate";
const BATCH = "training.batch_size";
const OPTIMIZER = "training.optimizer";

/** The control of each field, in the order of the page. */
const focusable: Record<string, string> = {
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
    mountRateSlider(intents, rate),
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

/** Shows an answer only when no newer value is under way, so that a control never jumps back under the hand. */
function sender(intents: Intents, field: string) {
  let unanswered = 0;
  return {
    send: async (value: number | string | boolean) => {
      unanswered++;
      await intents.edit(field, value);
      unanswered--;
    },
    settled: () => unanswered === 0,
  };
}

function mountRateSlider(intents: Intents, slider: HTMLInputElement) {
  const { send, settled } = sender(intents, RATE);
  slider.step = String(SLIDER_STEP);
  slider.addEventListener("input", () => void send(fromSlider(Number(slider.value))));
  return (state: State) => {
    const limit = limitOf(state, RATE);
    if (state.form === null || limit === undefined) return;
    if (!settled()) return;
    const [min, max] = [limit.slider_min ?? limit.min, limit.slider_max ?? limit.max];
    setAttribute(slider, "min", String(Math.log10(min)));
    setAttribute(slider, "max", String(Math.log10(max)));
    const value = state.form.experiment.training.learning_rate;
    const position = String(toSlider(value, min, max));
    if (slider.value !== position) slider.value = position;
    setAttribute(slider, "aria-valuetext", formatRate(value));
  };
}

function mountBatchSize(intents: Intents) {
  const slider = byId("batch-size", HTMLInputElement);
  const [value, note, problem] = [byId("batch-size-value"), byId("batch-note"), byId("batch-size-problem")];
  const { send, settled } = sender(intents, BATCH);
  slider.addEventListener("input", () => {
    setText(value, slider.value);
    void send(Number(slider.value));
  });
  return ({ form }: State) => {
    if (form === null || !settled()) return;
    setAttribute(slider, "max", String(form.experiment.dataset.images));
    const size = String(form.experiment.training.batch_size);
    if (slider.value !== size) slider.value = size;
    setText(value, size);
    setText(note, form.description?.summary.batch_note ?? "");
    showProblem(form, BATCH, problem, [slider]);
  };
}

function mountBias(
  intents: Intents,
  { id, field, layer }: { id: string; field: string; layer: LayerConfig["type"] },
  valueOf: (summary: Summary) => boolean | null,
) {
  const box = byId(id, HTMLInputElement);
  const { send, settled } = sender(intents, field);
  box.addEventListener("change", () => void send(box.checked));
  return ({ form }: State) => {
    if (form === null || !settled()) return;
    const none = !form.experiment.network.layers.some(({ type }) => type === layer);
    if (box.disabled !== none) box.disabled = none;
    const value = form.description === null ? null : valueOf(form.description.summary);
    if (box.checked !== (value === true)) box.checked = value === true;
    const mixed = value === null && !none;
    if (box.indeterminate !== mixed) box.indeterminate = mixed;
  };
}

function mountOptimizer(intents: Intents) {
  const select = byId("optimizer", HTMLSelectElement);
  const { send, settled } = sender(intents, OPTIMIZER);
  select.addEventListener("change", () => void send(select.value));
  return ({ catalogue, form }: State) => {
    if (catalogue === null || form === null || !settled()) return;
    if (select.options.length === 0)
      select.append(...catalogue.optimizers.map(({ id, name }) => make("option", { value: id }, name)));
    // None of these when a person set its numbers; the entry that says so is there only then.
    const id = form.description?.summary.optimizer_id ?? "";
    const own = select.querySelector('option[value=""]');
    if (id === "" && own === null) select.append(make("option", { value: "" }, "own numbers"));
    if (id !== "") own?.remove();
    if (select.value !== id) select.value = id;
  };
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

/** Goes to the field that Train asks for; a problem of a field that has no control is shown above the controls. */
export function mountFocus(_intents: Intents) {
  const problem = byId("form-problem");
  let done = 0;
  return ({ form, problemCalls }: State) => {
    if (form === null) return;
    const settings = form.groups.flatMap(({ fields }) => fields.map(({ field }) => field));
    const homes = [...Object.keys(focusable), ...settings];
    const homeless = homelessProblem(form, new Set(homes));
    setText(problem, homeless?.message ?? "");
    setShown(problem, homeless !== null);
    if (problemCalls === done) return;
    done = problemCalls;
    const first = homes.find((field) => problemOf(form, field) !== null);
    if (first === undefined) return;
    const control = document.getElementById(focusable[first] ?? settingId(first));
    const folded = control?.closest("details");
    if (folded) folded.open = true;
    control?.focus();
  };
}
