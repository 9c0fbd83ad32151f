/** Events of a run, written above the chart at their epoch. Each is a button whose tip says what it means. */
import type { EventMeaning, RunEvent } from "overfit-lab";
import type uPlot from "uplot";
import { make } from "../dom";
import { formatRate } from "../format";
import { rangeOfRates } from "../run-words";
import type { Run } from "../store";

const ROWS = 2;
const ROW_HEIGHT = 28;
/** The labels' average width of a letter, to place them without measuring each. */
const LETTER = 7.4;

/** An event of a run; one of the learning rate knows which rate was set. */
export interface ChartEvent extends RunEvent {
  rate?: number;
}

interface Mark {
  x: number;
  row: number;
  right: number;
  flipped: boolean;
  /** How wide its label may be. */
  room: number;
  /** Whether there is no room for its label. */
  bare: boolean;
  events: ChartEvent[];
}

/** The events of a run, those of its learning rate as the rates that were trained with. */
export function eventsOf({ events, rates }: Pick<Run, "events" | "rates">): ChartEvent[] {
  const others = events.filter(({ kind }) => kind !== "learning_rate_changed");
  const changed = rates.slice(1).map(({ epoch, rate }): ChartEvent => {
    return { epoch, kind: "learning_rate_changed", text: `rate ${formatRate(rate)}`, rate };
  });
  return [...others, ...changed];
}

const widthOf = (text: string) => text.length * LETTER + 16;

/** What stands at a mark: its last event of each kind, and of several rates how many there are. */
export function textOf(events: ChartEvent[]): string {
  const rates = events.flatMap(({ epoch, rate }) => (rate === undefined ? [] : [{ epoch, rate }]));
  const told = new Map(events.map(({ kind, text }) => [kind, text]));
  if (rates.length > 1) told.set("learning_rate_changed", `${rates.length} rates ${rangeOfRates(rates)}`);
  return [...told.values()].join(", ");
}

const isRate = ({ rate }: ChartEvent) => rate !== undefined;

/**
 * Places the events from left to right in rows. One that has no room joins the mark before it; but rates join rates alone, and
 * stand where they were set, with a point for a label.
 */
export function placeMarks(events: ChartEvent[], xOf: (epoch: number) => number, width: number): Mark[] {
  const marks: Mark[] = [];
  const rowEnds = Array.from({ length: ROWS }, () => -Infinity);
  for (const event of [...events].sort((a, b) => a.epoch - b.epoch)) {
    const x = xOf(event.epoch);
    const before = marks.at(-1);
    const sameKind = before?.events.at(-1)?.kind === event.kind;
    const extent = widthOf(event.text);
    const flipped = x + extent > width && x > width / 2;
    const start = flipped ? Math.max(0, x - extent) : x;
    const row = rowEnds.findIndex((end) => end + 4 <= start);
    const overlaps = before !== undefined && start < before.right;
    const joins = row === -1 ? sameKind || !(isRate(event) || before?.events.some(isRate)) : sameKind && overlaps;
    if (before !== undefined && joins) {
      before.events.push(event);
      if (!before.flipped) before.right = before.x + widthOf(textOf(before.events));
      rowEnds[before.row] = Math.max(rowEnds[before.row] ?? 0, before.right);
      continue;
    }
    const bare = row === -1;
    const right = bare ? x : start + extent;
    if (!bare) rowEnds[row] = right;
    marks.push({ x, row: Math.max(0, row), right, flipped, room: flipped ? x : width - x, bare, events: [event] });
  }
  return marks;
}

/** Where the curves are drawn, in the page's pixels. uPlot knows: asking the page would have it lay itself out in mid-frame. */
export function boxOf({ bbox }: uPlot) {
  const ratio = devicePixelRatio;
  return { left: bbox.left / ratio, top: bbox.top / ratio, width: bbox.width / ratio, height: bbox.height / ratio };
}

export class Marks {
  private drawn = "";

  constructor(private readonly layer: HTMLElement) {}

  render(plot: uPlot, events: ChartEvent[], meanings: EventMeaning[]) {
    const { left, top, width, height } = boxOf(plot);
    const marks = placeMarks(events, (epoch) => plot.valToPos(epoch, "x"), width);
    const key = JSON.stringify([left, top, width, height, marks]);
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.layer.contains(document.activeElement);
    const index = [...this.layer.children].indexOf(document.activeElement as Element);
    this.layer.style.cssText = `--plot-height:${height}px;left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
    this.layer.replaceChildren(...marks.map((mark) => this.make(mark, meanings)));
    if (focused) (this.layer.children[index] as HTMLElement | undefined)?.focus();
  }

  private make({ x, row, flipped, room, bare, events }: Mark, meanings: EventMeaning[]): HTMLElement {
    const last = events.at(-1);
    if (last === undefined) return make("span");
    const tip = make("span", { class: "tip" });
    const meaningOf = (kind: EventMeaning["kind"]) => meanings.find((event) => event.kind === kind)?.meaning ?? "";
    const told = events.slice(-6).map(({ epoch, kind, text }) => `Epoch ${epoch}: ${text}. ${meaningOf(kind)}`);
    tip.append(...told.map((line) => make("span", {}, line)));
    const name = [...(events.length > 1 ? [`${textOf(events)}.`] : []), ...told].join(" ");
    const label = make("span", { class: "mark-text", "aria-hidden": "true" }, bare ? "•" : textOf(events));
    const button = make(
      "button",
      { type: "button", class: "mark-button", "data-kind": last.kind, "aria-label": name },
      label,
      tip,
    );
    tip.setAttribute("aria-hidden", "true");
    if (flipped) button.classList.add("flipped");
    button.style.cssText = `left:${x}px;--room:${room}px;--row:${row};--drop:${(ROWS - row) * ROW_HEIGHT}px`;
    button.addEventListener("keydown", (event) => event.key === "Escape" && button.classList.add("dismissed"));
    for (const again of ["blur", "pointerenter"])
      button.addEventListener(again, () => button.classList.remove("dismissed"));
    return button;
  }
}
