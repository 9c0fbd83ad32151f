/** The network as a list of layers, with the number of weights and the memory of a run. */
import type { Summary } from "overfit-lab";
import { make, setText } from "../dom";
import { formatBytes, formatCount } from "../format";
import type { State } from "../store";

export function makeNetworkSummary() {
  const list = make("ol", { id: "layers", class: "layers" });
  const total = make("p", { id: "network-total", class: "muted" });
  let drawn: Summary | null = null;
  const render = ({ form }: State) => {
    const summary = form?.description?.summary ?? null;
    if (summary === null || summary === drawn) return;
    drawn = summary;
    list.replaceChildren(
      ...summary.layers.map(({ name, output, parameters }) => {
        const weights = parameters > 0 ? `, ${formatCount(parameters)} weights` : "";
        return make("li", {}, name, make("span", { class: "muted" }, `${output}${weights}`));
      }),
    );
    setText(
      total,
      `${formatCount(summary.parameters)} weights in all; about ${formatBytes(summary.memory_bytes)} to train.`,
    );
  };
  return { element: make("div", { class: "network-summary" }, list, total), render };
}
