/** Names of runs, and their differences, in words. */
import { formatRate } from "./format";
import { changedSince, type Form, isOver, nameOf, type RateStep, type Run, type State } from "./store";

/** The most rates that are listed one by one; more are given as a count and a range. */
const MOST_LISTED = 4;

/** "0.001, 0.002 from epoch 67", or "6 changes, between 0.001 and 0.05"; null if only the experiment's own rate was used. */
export function ratesText(rates: RateStep[]): string | null {
  const [first, ...others] = rates;
  if (first === undefined || others.length === 0) return null;
  if (rates.length <= MOST_LISTED)
    return [formatRate(first.rate), ...others.map(({ epoch, rate }) => `${formatRate(rate)} from epoch ${epoch}`)].join(
      ", ",
    );
  return `${others.length} changes, ${rangeOfRates(rates)}`;
}

/** "between 0.001 and 0.05" */
export function rangeOfRates(rates: RateStep[]): string {
  const sorted = rates.map(({ rate }) => rate).sort((a, b) => a - b);
  return `between ${formatRate(sorted[0] ?? NaN)} and ${formatRate(sorted.at(-1) ?? NaN)}`;
}

/** How a run differs from its preset: "seed 7, learning rate by hand: 0.001, 0.002 from epoch 67"; empty if it does not. */
export function changesText({ changes, rates }: Pick<Run, "changes" | "rates">): string {
  const byHand = ratesText(rates);
  const changed = changes.map(({ label, value }) => `${label} ${value}`);
  return [...changed, ...(byHand === null ? [] : [`learning rate by hand: ${byHand}`])].join(", ");
}

/** "Run 3: Example 1, seed 7" */
export function titleOf(state: State, run: Run): string {
  return [`Run ${run.id}: ${nameOf(state, run)}`, changesText(run)].filter((part) => part !== "").join(", ");
}

/** Says that the settings differ from those of the run on stage; empty if they do not. */
export function changedText(form: Form | null, run: Run | null): string {
  if (form === null || run === null || !changedSince(form, run)) return "";
  const now = "The settings changed. Train starts a new run with them.";
  if (!isOver(run)) return now;
  return `This was run ${run.id}, with learning rate ${ratesText(run.rates) ?? formatRate(run.rates[0]?.rate ?? NaN)}. ${now}`;
}
