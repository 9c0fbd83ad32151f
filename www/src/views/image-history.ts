/** The history of one image: the probability of its label in each epoch. */
import { byId, setAttribute, setShown, setText } from "../dom";
import { formatPercent } from "../format";
import type { History } from "../history";
import type { Intents } from "../lab/intents";
import { shownRun, type State } from "../store";

const WIDTH = 400;
const HEIGHT = 120;
const MAX_POINTS = 400;

/** The SVG path of an image's probability, with room for all epochs of the run. */
function pathOf(history: History, image: number, lastEpoch: number, logarithmic: boolean): string {
  const x = (epoch: number) =>
    lastEpoch === 1 ? 0 : logarithmic ? Math.log(epoch) / Math.log(lastEpoch) : (epoch - 1) / (lastEpoch - 1);
  const points: string[] = [];
  let before = -1;
  for (let at = 0; at < history.length; at++) {
    const along = x(history.epoch[at] ?? 1);
    if (along - before < 1 / MAX_POINTS && at < history.length - 1) continue;
    before = along;
    const probability = history.labelProbability[at * history.images + image] ?? NaN;
    if (Number.isFinite(probability))
      points.push(`${(along * WIDTH).toFixed(1)} ${((1 - probability) * HEIGHT).toFixed(1)}`);
  }
  return points.length === 0 ? "" : `M${points.join("L")}`;
}

export function mountImageHistory(intents: Intents) {
  const panel = byId("image-history");
  const title = byId("image-history-title");
  const note = byId("image-history-note");
  const from = byId("image-history-from");
  const to = byId("image-history-to");
  const svg = byId("image-history-plot", SVGSVGElement);
  const path = svg.querySelector("path");
  let selected: number | null = null;
  byId("image-history-close").addEventListener("click", () => {
    const index = selected;
    intents.selectImage(null);
    document.querySelectorAll<HTMLElement>("#images button")[index ?? 0]?.focus();
  });

  return (state: State) => {
    const { selectedImage: image, preview } = state;
    selected = image;
    setShown(panel, image !== null && preview !== null);
    if (image === null || preview === null || path === null) return;
    const run = shownRun(state);
    const probability = run?.history.last?.label_probability[image];
    setText(title, `Image ${image + 1}: how sure the network is of its label, class ${preview.data.labels[image]}`);
    if (run === null || probability === undefined) {
      setText(note, "The history appears as the network trains.");
    } else if (!run.history.remembersImages) {
      setText(note, "The image histories of this older run were deleted to save memory.");
    } else {
      setText(note, `${formatPercent(probability)} at epoch ${run.history.last?.epoch}`);
    }
    const lastEpoch = run?.experiment.training.epochs ?? state.form?.experiment.training.epochs ?? 1;
    setAttribute(path, "d", run === null ? "" : pathOf(run.history, image, lastEpoch, state.logarithmicEpochs));
    setAttribute(svg, "aria-label", `Probability from 0 to 100 %, from epoch 1 to ${lastEpoch}`);
    setText(from, "epoch 1");
    setText(to, `epoch ${lastEpoch}`);
  };
}
