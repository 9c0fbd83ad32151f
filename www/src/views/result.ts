/** The result of the run that is shown, in Rust's words. */
import type { RunResult } from "overfit-lab";
import { byId, make, makeMark, setMark } from "../dom";
import type { Intents } from "../lab";
import { shownRun, type State } from "../store";

export function mountResult(_intents: Intents) {
  const body = byId("result-body");
  let drawn = "";

  const draw = (result: RunResult) => {
    const mark = makeMark();
    setMark(mark, result.verdict === "unfinished" ? null : result.memorised);
    return [
      make("p", { class: "article-line" }, result.article_line),
      make("p", { class: "headline" }, mark, result.headline),
      make("ul", { class: "findings" }, ...result.findings.map(({ text }) => make("li", {}, text))),
    ];
  };

  return (state: State) => {
    const run = shownRun(state);
    const result = run?.result ?? null;
    const words =
      run === null
        ? "It comes at the end of a run."
        : run.phase === "failed"
          ? "The run failed before its end."
          : "Training; it comes at the end.";
    const key = result === null ? words : String(run?.id);
    if (key === drawn) return;
    drawn = key;
    body.replaceChildren(...(result === null ? [make("p", { class: "muted" }, words)] : draw(result)));
  };
}
