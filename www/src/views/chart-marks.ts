/** Events of a run, written above the chart at their epoch. Each is a button whose tip says what it means. */
import type { EventKind, RunEvent } from "overfit-lab";
import type uPlot from "uplot";
import { make } from "../dom";

const ROWS = 2;
const ROW_HEIGHT = 28;
/** The labels' average width of a letter, to place them without measuring each. */
const LETTER = 7.4;

const meanings: Record<EventKind, (streak: number) => string> = {
  first_reached: () => "All images were right for the first time.",
  held: (streak) => `All images right from here on, for at least ${streak} epochs.`,
  lost: () => "100 % had been reached and was lost again.",
  diverged: () => "The loss stopped being a finite number.",
  layer_dead: () => "No image activates any unit of a layer, so nothing passes through it any more.",
  learning_rate_changed: () => "The learning rate was changed by hand.",
  stopped_early: () => "Early stopping ended the run here.",
};

interface Mark {
  x: number;
  row: number;
  right: number;
  flipped: boolean;
  events: RunEvent[];
}

const widthOf = (text: string) => text.length * LETTER + 16;

/** What stands at a mark: its last events of each kind. */
function textOf(events: RunEvent[]): string {
  return [...new Map(events.map(({ kind, text }) => [kind, text])).values()].join(", ");
}

/** Places the events from left to right in rows; one that has no room joins the mark before it. */
export function placeMarks(events: RunEvent[], xOf: (epoch: number) => number, width: number): Mark[] {
  const marks: Mark[] = [];
  const rowEnds = Array.from({ length: ROWS }, () => -Infinity);
  for (const event of [...events].sort((a, b) => a.epoch - b.epoch)) {
    const x = xOf(event.epoch);
    const before = marks.at(-1);
    const sameKind = before?.events.at(-1)?.kind === event.kind;
    const extent = widthOf(event.text);
    const flipped = x + extent > width;
    const start = flipped ? x - extent : x;
    const row = rowEnds.findIndex((end) => end + 4 <= start);
    if (before !== undefined && (row === -1 || (sameKind && start < before.right))) {
      before.events.push(event);
      if (!before.flipped) before.right = before.x + widthOf(textOf(before.events));
      rowEnds[before.row] = Math.max(rowEnds[before.row] ?? 0, before.right);
      continue;
    }
    rowEnds[Math.max(0, row)] = start + extent;
    marks.push({ x, row: Math.max(0, row), right: start + extent, flipped, events: [event] });
  }
  return marks;
}

export class Marks {
  private drawn = "";

  constructor(private readonly layer: HTMLElement) {}

  render(plot: uPlot, events: RunEvent[], streak: number) {
    // uPlot's own numbers, in canvas pixels: asking the page for them would have it lay itself out in mid-frame.
    const [left, top, width, height] = (["left", "top", "width", "height"] as const).map(
      (name) => plot.bbox[name] / devicePixelRatio,
    ) as [number, number, number, number];
    const marks = placeMarks(events, (epoch) => plot.valToPos(epoch, "x"), width);
    const key = JSON.stringify([left, top, width, height, marks]);
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.layer.contains(document.activeElement);
    const index = [...this.layer.children].indexOf(document.activeElement as Element);
    this.layer.style.cssText = `--plot-height:${height}px;left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
    this.layer.replaceChildren(...marks.map((mark) => this.make(mark, streak)));
    if (focused) (this.layer.children[index] as HTMLElement | undefined)?.focus();
  }

  private make({ x, row, flipped, events }: Mark, streak: number): HTMLElement {
    const last = events.at(-1);
    if (last === undefined) return make("span");
    const tip = make("span", { class: "tip" });
    const told = events.slice(-6).map(({ epoch, kind, text }) => `Epoch ${epoch}: ${text}. ${meanings[kind](streak)}`);
    tip.append(...told.map((line) => make("span", {}, line)));
    const name = [...(events.length > 1 ? [`${textOf(events)}.`] : []), ...told].join(" ");
    const label = make("span", { class: "mark-text", "aria-hidden": "true" }, textOf(events));
    const button = make(
      "button",
      { type: "button", class: "mark-button", "data-kind": last.kind, "aria-label": name },
      label,
      tip,
    );
    tip.setAttribute("aria-hidden", "true");
    if (flipped) button.classList.add("flipped");
    button.style.cssText = `left:${x}px;--row:${row};--drop:${(ROWS - row) * ROW_HEIGHT}px`;
    button.addEventListener("keydown", (event) => event.key === "Escape" && button.classList.add("dismissed"));
    for (const again of ["blur", "pointerenter"])
      button.addEventListener(again, () => button.classList.remove("dismissed"));
    return button;
  }
}
