/** The events of a run, above the chart at their epochs. Each is a button whose tip explains the event. */
import type { EventMeaning, RunEvent } from "overfit-lab";
import type uPlot from "uplot";
import { make } from "../dom";
import { formatRate } from "../format";
import { rangeOfRates } from "../run-words";
import type { Run } from "../store";

const ROWS = 2;
const ROW_HEIGHT = 28;
/** The average width of a letter, to place labels without measuring each. */
const LETTER = 7.4;

/** An event of a run; a change of the learning rate has the new rate. */
export interface ChartEvent extends RunEvent {
  rate?: number;
}

interface Mark {
  x: number;
  row: number;
  right: number;
  flipped: boolean;
  /** The greatest width of the label. */
  room: number;
  /** Whether there is no room for the label. */
  bare: boolean;
  events: ChartEvent[];
}

/** The events of a run, with its changes of the learning rate as the rates that it trained with. */
export function eventsOf({ events, rates }: Pick<Run, "events" | "rates">): ChartEvent[] {
  const others = events.filter(({ kind }) => kind !== "learning_rate_changed");
  const changed = rates.slice(1).map(({ epoch, rate }): ChartEvent => {
    return { epoch, kind: "learning_rate_changed", text: `rate ${formatRate(rate)}`, rate };
  });
  return [...others, ...changed];
}

const widthOf = (text: string) => text.length * LETTER + 16;

/** The label of a mark: the last event of each kind; several rates are given as a count and a range. */
export function textOf(events: ChartEvent[]): string {
  const rates = events.flatMap(({ epoch, rate }) => (rate === undefined ? [] : [{ epoch, rate }]));
  const texts = new Map(events.map(({ kind, text }) => [kind, text]));
  if (rates.length > 1) texts.set("learning_rate_changed", `${rates.length} rates ${rangeOfRates(rates)}`);
  return [...texts.values()].join(", ");
}

const isRate = ({ rate }: ChartEvent) => rate !== undefined;

/**
 * Places the events from left to right in rows. An event without room joins the mark before it. But a rate joins only other rates;
 * without room it stays at its epoch, with a dot as its label.
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

/** The area of the curves, in CSS pixels. It comes from uPlot: measuring the page in the middle of a frame would force a layout. */
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
    const lines = events.slice(-6).map(({ epoch, kind, text }) => `Epoch ${epoch}: ${text}. ${meaningOf(kind)}`);
    tip.append(...lines.map((line) => make("span", {}, line)));
    const name = [...(events.length > 1 ? [`${textOf(events)}.`] : []), ...lines].join(" ");
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
