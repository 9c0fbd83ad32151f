/** The number of warnings, which opens a list of them over the page, and a sign at each control that a warning is about. */
import type { Warning } from "overfit-lab";
import { makeWarningSign, warningsOf } from "../controls/warning";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import type { State } from "../store";
import { controlIds } from "./controls";
import { controlOf, goTo } from "./form-problem";

export function mountWarnings(intents: Intents) {
  const box = byId("warnings-box");
  const count = byId("warnings-count");
  const popup = byId("warnings");
  const list = byId("warnings-list");
  let drawn = "";

  const setOpen = (open: boolean) => {
    setAttribute(count, "aria-expanded", String(open));
    setShown(popup, open);
  };
  count.addEventListener("click", () => setOpen(count.ariaExpanded !== "true"));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || popup.hidden) return;
    setOpen(false);
    count.focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (target instanceof Node && !box.contains(target)) setOpen(false);
  });

  const makeWarning = ({ field, message }: Warning) => {
    const icon = make("span", { class: "warning-icon", "aria-hidden": "true" }, "!");
    const words = make("p", {}, make("strong", {}, "Warning"), " ", message);
    const show = make("button", { type: "button", class: "quiet" }, "Go to the field");
    show.addEventListener("click", () => {
      const control = controlOf(field);
      if (control === null) return;
      setOpen(false);
      goTo(control, intents);
    });
    return make("li", {}, icon, words, show);
  };

  const signs = Object.entries(controlIds).map(([field, id]) => {
    const sign = makeWarningSign();
    const control = byId(id);
    const label = document.querySelector(`label[for="${id.replace(/-value$/, "")}"]`) ?? control.closest("label");
    // In a line of its own with the name; inside a switch's label the sign would switch it.
    const line = make("span", { class: label?.contains(control) ? "switch-line" : "label-line" });
    label?.replaceWith(line);
    if (label !== null) line.append(label, sign.element);
    return { field, sign };
  });

  return ({ form }: State) => {
    const warnings = form?.description?.warnings ?? [];
    const key = JSON.stringify(warnings);
    if (form === null || key === drawn) return;
    drawn = key;
    for (const { field, sign } of signs) sign.render(warningsOf(form, field));
    list.replaceChildren(...warnings.map(makeWarning));
    setShown(box, warnings.length > 0);
    setText(count, warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`);
  };
}
