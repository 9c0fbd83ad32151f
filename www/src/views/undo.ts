/** Undo and redo, by buttons and by Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y. */
import { byId, setEnabled } from "../dom";
import type { Intents } from "../lab/intents";
import type { State } from "../store";

/** Whether a text field has the focus and the browser's own undo is better: in text that is not finished, or that is only searched for. */
function isTyping(target: EventTarget | null): boolean {
  const isText =
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && /^(text|search)$/.test(target.type));
  return isText && (target.dataset.editing === "true" || !target.matches(".fields *, .rate-slot *, #settings *"));
}

export function mountUndo(intents: Intents) {
  const undo = byId("undo");
  const redo = byId("redo");
  const press = (button: HTMLElement, act: () => void) =>
    button.addEventListener("click", () => button.getAttribute("aria-disabled") !== "true" && act());
  press(undo, () => intents.undo());
  press(redo, () => intents.redo());
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    const isRedo = key === "y" || (key === "z" && event.shiftKey);
    if (!isRedo && key !== "z") return;
    event.preventDefault();
    if (isRedo) intents.redo();
    else intents.undo();
  });
  return ({ undo: { past, future } }: State) => {
    setEnabled(undo, past.length > 0);
    setEnabled(redo, future.length > 0);
  };
}
