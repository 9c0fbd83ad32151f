/** A number, or a line of text, as a person types it. Rust reads it and says what is wrong with it; nothing is changed silently. */
import type { FieldLimit } from "overfit-lab";
import { setAttribute, setShown, setText } from "../dom";
import { formatPlain } from "../format";
import type { Intents } from "../lab";
import { problemOf } from "../problems";
import type { Form, State } from "../store";

/** A problem is shown after so long without typing, for "0" on the way to "0.01" is none. */
const TYPING_MS = 500;

/** Shows a field's problem at its inputs, in Rust's words. */
export function showProblem(form: Form, field: string, at: HTMLElement, inputs: HTMLElement[]) {
  const problem = problemOf(form, field);
  setText(at, problem?.message ?? "");
  setShown(at, problem !== null);
  for (const input of inputs) setAttribute(input, "aria-invalid", String(problem !== null));
}

export function limitOf({ catalogue }: State, field: string): FieldLimit | undefined {
  return catalogue?.fields.find((limit) => limit.field === field);
}

/** Text that is selected as a whole, to be typed over, stays so. */
function replaceText(input: HTMLInputElement, text: string) {
  const [from, to] = [input.selectionStart, input.selectionEnd];
  const selected = document.activeElement === input && from === 0 && to === input.value.length && to > 0;
  input.value = text;
  if (selected) input.select();
}

interface TextField {
  input: HTMLInputElement;
  problem: HTMLElement;
  field: string;
  valueOf(form: Form): string;
  /** What the arrow keys do with a number. */
  stepped?(value: number, direction: 1 | -1): string;
  alsoInvalid?: HTMLElement[];
}

export function mountTextField(intents: Intents, options: TextField) {
  const { input, problem } = options;
  let latest: State | null = null;
  let unanswered = 0;
  let typing: ReturnType<typeof setTimeout> | undefined;

  const send = async () => {
    unanswered++;
    await intents.edit(options.field, input.value);
    unanswered--;
  };
  const stopTyping = () => {
    clearTimeout(typing);
    typing = undefined;
    if (latest !== null) render(latest);
  };
  input.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(stopTyping, TYPING_MS);
    void send();
  });
  input.addEventListener("change", stopTyping);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") stopTyping();
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : null;
    const value = Number(input.value);
    if (options.stepped === undefined || direction === null || Number.isNaN(value)) return;
    event.preventDefault();
    input.value = options.stepped(value, direction);
    void send();
  });

  const render = (state: State) => {
    latest = state;
    const { form } = state;
    if (form === null) return;
    // While answers are under way the text on the page is newer than the state.
    const shown = form.typed.get(options.field) ?? options.valueOf(form);
    if (unanswered === 0 && input.value !== shown) replaceText(input, shown);
    const limit = limitOf(state, options.field);
    if (limit !== undefined) {
      setAttribute(input, "aria-valuemin", formatPlain(limit.min));
      setAttribute(input, "aria-valuemax", formatPlain(limit.max));
    }
    if (limit !== undefined && Number.isFinite(Number(shown)))
      setAttribute(input, "aria-valuenow", formatPlain(Number(shown)));
    else input.removeAttribute("aria-valuenow");
    if (typing === undefined) showProblem(form, options.field, problem, [input, ...(options.alsoInvalid ?? [])]);
  };
  return render;
}
