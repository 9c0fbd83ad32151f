/** The differences of the form from its preset, each with a button that undoes it, and one button that undoes all. */
import type { Change } from "overfit-lab";
import { byId, make, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { changedText } from "../run-words";
import { nameOf, shownRun, type State } from "../store";

export function mountChanges(intents: Intents) {
  const words = make("span", { class: "muted" });
  const list = make("ul", { "aria-label": "Changed settings" });
  const reset = make("button", { type: "button", class: "quiet" }, "Reset");
  byId("changes").append(words, list, reset);
  let presetId = "";
  let drawn = "";
  // A removed button takes the focus with it.
  const keepFocus = () => byId("train").focus();
  reset.addEventListener("click", () => {
    keepFocus();
    void intents.choosePreset(presetId);
  });
  const makeItem = ({ field, label, value }: Change) => {
    const undo = make("button", { type: "button", "aria-label": `Undo ${label} ${value}` }, "×");
    undo.addEventListener("click", () => {
      keepFocus();
      void intents.resetField(field);
    });
    return make("li", {}, `${label} ${value}`, undo);
  };
  return (state: State) => {
    const { form } = state;
    if (form === null) return;
    presetId = form.presetId;
    const changes = form.mended ? [] : (form.description?.changes ?? []);
    const text = wordsOf(state, changes);
    // Redrawn only when they change, because one of them may have the focus.
    const key = JSON.stringify([text, form.mended, changes]);
    if (key === drawn) return;
    drawn = key;
    setText(words, text);
    list.replaceChildren(...changes.map(makeItem));
    setShown(words, text !== "");
    setShown(list, changes.length > 0);
    setShown(reset, changes.length > 0 || form.mended);
  };
}

/** Before the differences: which experiment they belong to, if that is not the one that the stage shows. */
function wordsOf(state: State, changes: Change[]): string {
  const { form } = state;
  const run = shownRun(state);
  if (form === null || changedText(form, run) === "") return "";
  const name = run?.presetId === form.presetId && !form.mended ? "" : ` ${nameOf(state, form)}`;
  return `Next run:${name}${changes.length === 0 ? " unchanged" : ""}`;
}
