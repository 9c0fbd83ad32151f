/** The result of the run on stage, in Rust's words. */
import type { RunResult } from "overfit-lab";
import { byId, make, makeMark, setMark, setShown } from "../dom";
import type { Intents } from "../lab/intents";
import { isOver, type Phase, shownRun, type State } from "../store";

/** True (a tick) if memorised, false (a cross) if not; null if unfinished, or if not memorised although every image is right. */
export function markOf({ verdict, memorised, images_right, images }: RunResult): boolean | null {
  if (verdict === "unfinished" || (!memorised && images_right === images)) return null;
  return memorised;
}

/** The text instead of a result. */
function wordsWithout(phase: Phase | null): string {
  switch (phase) {
    case "failed":
      return "The run failed before its end.";
    case "abandoned":
      return "The run was stopped in the middle of a long step, so the network was not measured.";
    case "stopping":
      return "Measuring the network…";
    default:
      return "The verdict comes here when the run ends.";
  }
}

export function mountResult(_intents: Intents) {
  const body = byId("result-body");
  const evaluated = byId("result-evaluated");
  const intro = byId("intro");
  let drawn: RunResult | string = "";

  const draw = (result: RunResult) => {
    const mark = makeMark();
    setMark(mark, markOf(result));
    return [
      make("p", { class: "article-line" }, result.article_line),
      make("p", { class: "headline" }, mark, result.headline),
      make("ul", { class: "findings" }, ...result.findings.map(({ text }) => make("li", {}, text))),
    ];
  };

  return (state: State) => {
    const run = shownRun(state);
    const result = run?.result ?? null;
    // The introduction is only for people who have not seen a run end.
    setShown(intro, !state.runs.some(isOver));
    const words = wordsWithout(run?.phase ?? null);
    if ((result ?? words) === drawn) return;
    drawn = result ?? words;
    body.replaceChildren(...(result === null ? [make("p", { class: "muted" }, words)] : draw(result)));
    const last = run?.history.last ?? null;
    setShown(evaluated, result !== null && last !== null && last.images_right !== result.images_right);
  };
}
