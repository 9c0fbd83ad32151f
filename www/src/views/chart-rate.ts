/** The learning rate as a step line below the chart, if it changed, by hand or by a schedule. */
import type uPlot from "uplot";
import { make, setAttribute, setShown, setText } from "../dom";
import { formatRate } from "../format";
import type { History } from "../history";
import type { Run } from "../store";
import { ratesText } from "../run-words";
import { boxOf } from "./chart-marks";

const HEIGHT = 36;
const MAX_STEPS = 500;
const SVG = "http://www.w3.org/2000/svg";

interface Step {
  epoch: number;
  rate: number;
}

interface Steps {
  steps: Step[];
  min: number;
  max: number;
  /** The number of the history's entries that are in the steps. */
  done: number;
}

/** The epochs at which the rate changed, for each history; new epochs are only added. */
class StepsOf {
  private readonly kept = new WeakMap<History, Steps>();

  get(history: History): Steps {
    let known = this.kept.get(history);
    if (known === undefined || known.done > history.length) {
      known = { steps: [], min: Infinity, max: 0, done: 0 };
      this.kept.set(history, known);
    }
    for (; known.done < history.length; known.done++) {
      const rate = history.learningRate[known.done] ?? 0;
      if (rate === known.steps.at(-1)?.rate) continue;
      known.steps.push({ epoch: history.epoch[known.done] ?? 1, rate });
      known.min = Math.min(known.min, rate);
      known.max = Math.max(known.max, rate);
    }
    return known;
  }
}

export class RateLine {
  private readonly steps = new StepsOf();
  private readonly path = document.createElementNS(SVG, "path");
  private readonly top = make("span", { class: "rate-top" });
  private readonly bottom = make("span", { class: "rate-bottom" });
  private readonly svg = document.createElementNS(SVG, "svg");

  constructor(private readonly at: HTMLElement) {
    this.svg.setAttribute("aria-hidden", "true");
    this.svg.append(this.path);
    at.append(make("span", { class: "rate-name" }, "learning rate"), this.svg, this.top, this.bottom);
  }

  render(plot: uPlot, run: Run | null) {
    const known = run === null || run.epochs === 0 ? null : this.steps.get(run.history);
    const isShown = known !== null && known.steps.length > 1;
    setShown(this.at, isShown);
    if (!isShown || run === null) return;
    const { steps, min, max } = known;
    const { left, width } = boxOf(plot);
    const low = Math.log(Math.max(min, 1e-30));
    const span = Math.log(Math.max(max, 1e-30)) - low || 1;
    const y = (rate: number) =>
      (HEIGHT - 2 - ((Math.log(Math.max(rate, 1e-30)) - low) / span) * (HEIGHT - 4)).toFixed(1);
    const x = (epoch: number) => plot.valToPos(epoch, "x").toFixed(1);
    const every = Math.ceil(steps.length / MAX_STEPS);
    const drawn = steps.filter((_, index) => index % every === 0 || index === steps.length - 1);
    const [first, ...others] = drawn;
    const end = x(run.history.last?.epoch ?? 1);
    const line = others.map(({ epoch, rate }) => `H${x(epoch)}V${y(rate)}`).join("");
    setAttribute(this.path, "d", `M${x(first?.epoch ?? 1)} ${y(first?.rate ?? 0)}${line}H${end}`);
    setAttribute(this.svg, "viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.style.cssText = `margin-left:${left}px;width:${width}px;height:${HEIGHT}px`;
    setText(this.top, formatRate(max));
    setText(this.bottom, formatRate(min));
    const words =
      ratesText(run.rates) ?? `from ${formatRate(steps[0]?.rate ?? 0)} to ${formatRate(steps.at(-1)?.rate ?? 0)}`;
    setAttribute(this.at, "aria-label", `Learning rate: ${words}`);
  }
}
