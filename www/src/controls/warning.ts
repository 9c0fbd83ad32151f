/** The sign "!" beside the name of a field or a layer that a warning is about. Its words float over the page and move nothing. */
import type { Warning } from "overfit-lab";
import { byId, make, setAttribute, setShown, setText } from "../dom";
import { listOf } from "../problems";
import type { Form } from "../store";

const MARGIN = 8;

export function makeWarningSign() {
  const sign = make("button", { type: "button", class: "warning-sign", hidden: "" }, "!");
  let words = "";
  const show = () => {
    const tip = byId("tip");
    setText(tip, words);
    setShown(tip, true);
    const at = sign.getBoundingClientRect();
    const left = Math.max(MARGIN, Math.min(at.left, innerWidth - tip.offsetWidth - MARGIN));
    const below = at.bottom + MARGIN;
    const fits = below + tip.offsetHeight < innerHeight;
    tip.style.cssText = `left:${left}px;top:${fits ? below : at.top - tip.offsetHeight - MARGIN}px`;
  };
  const hide = () => setShown(byId("tip"), false);
  for (const event of ["pointerenter", "focus", "click"]) sign.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) sign.addEventListener(event, hide);
  sign.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  return {
    element: sign,
    render(warnings: Warning[]) {
      words = warnings.map(({ message }) => message).join(" ");
      setAttribute(sign, "aria-label", `Warning: ${words}`);
      setShown(sign, warnings.length > 0);
    },
  };
}

/** The warnings about a field; a list of layers has those of all its entries. */
export function warningsOf({ description }: Form, field: string): Warning[] {
  return description?.warnings.filter((warning) => warning.field === field || listOf(warning.field) === field) ?? [];
}
