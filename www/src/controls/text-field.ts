/** A text field for a number or a line of text. Rust parses it and reports problems; nothing typed is changed silently. */
import { make, setAttribute } from "../dom";
import { formatPlain, withoutCommas } from "../format";
import type { Intents } from "../lab/intents";
import type { Form, State } from "../store";
import { isSettled } from "./pending";
import { limitOf, showProblem } from "./problem";

/** Milliseconds without typing until a problem is shown: "0" on the way to "0.01" is none. */
const TYPING_MS = 500;

/** Replaces the text. If all of it is selected, to be typed over, the new text is selected too. */
function replaceText(input: HTMLInputElement, text: string) {
  const { selectionStart, selectionEnd, value } = input;
  const isSelected = selectionStart === 0 && selectionEnd === value.length && value !== "";
  const selected = document.activeElement === input && isSelected;
  input.value = text;
  if (selected) input.select();
}

interface TextField {
  input: HTMLInputElement;
  problem: HTMLElement;
  field: string;
  valueOf(form: Form): string;
  /** The text after an arrow key: the value, one step up or down. */
  stepped?(value: number, direction: 1 | -1): string;
  alsoInvalid?: HTMLElement[];
}

export function mountTextField(intents: Intents, options: TextField) {
  const { input, problem, field } = options;
  let latest: State | null = null;
  let typing: ReturnType<typeof setTimeout> | undefined;

  /** Sends the text. Until it is finished, all its letters are one step of Undo, and the browser's own undo goes back in it. */
  const send = (isTyped = false) => {
    void intents.edit(field, input.value, isTyped && input.dataset.editing === "true");
    input.dataset.editing = String(isTyped);
  };
  const stopTyping = () => {
    clearTimeout(typing);
    typing = undefined;
    if (latest !== null) render(latest);
  };
  input.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(stopTyping, TYPING_MS);
    send(true);
  });
  input.addEventListener("change", () => {
    input.dataset.editing = "false";
    stopTyping();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") stopTyping();
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : null;
    const value = Number(input.value);
    if (options.stepped === undefined || direction === null || Number.isNaN(value)) return;
    event.preventDefault();
    input.value = options.stepped(value, direction);
    send();
  });

  /** Offers a button that enters the intended number, next to the problem of a number with commas. */
  const offer = () => {
    const meant = options.stepped === undefined || problem.hidden ? null : withoutCommas(input.value);
    if (meant === null || problem.querySelector("button") !== null) return;
    const use = make("button", { type: "button" }, `Use ${meant}`);
    use.addEventListener("click", () => {
      input.focus();
      input.value = meant;
      send();
    });
    problem.append(" ", use);
  };

  const render = (state: State) => {
    latest = state;
    const { form } = state;
    if (form === null) return;
    const shown = form.typed.get(field) ?? options.valueOf(form);
    if (isSettled(state, field) && input.value !== shown) replaceText(input, shown);
    const limit = limitOf(state, field);
    if (limit !== undefined) {
      setAttribute(input, "aria-valuemin", formatPlain(limit.min));
      setAttribute(input, "aria-valuemax", formatPlain(limit.max));
    }
    if (limit !== undefined && Number.isFinite(Number(shown)))
      setAttribute(input, "aria-valuenow", formatPlain(Number(shown)));
    else input.removeAttribute("aria-valuenow");
    if (typing !== undefined) return;
    showProblem(form, field, problem, [input, ...(options.alsoInvalid ?? [])]);
    offer();
  };
  return render;
}
