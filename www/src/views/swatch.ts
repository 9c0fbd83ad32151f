/** A piece of a run's line, to find it on the chart. */
import { setAttribute } from "../dom";
import { colourToken, DASHES } from "../run-colours";

const SVG = "http://www.w3.org/2000/svg";

export function makeSwatch() {
  const element = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ class: "swatch", viewBox: "0 0 32 8", "aria-hidden": "true" }))
    element.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M0 4H32");
  element.append(path);
  /** Shows the line of a slot; null shows that of the run on stage, or nothing in a table. */
  const show = (slot: number | null) => {
    setAttribute(element, "data-slot", String(slot));
    path.style.stroke = slot === null ? "var(--accent)" : `var(${colourToken(slot)})`;
    path.style.strokeDasharray = slot === null ? "none" : (DASHES[slot]?.join(" ") ?? "none");
  };
  return { element, show };
}
