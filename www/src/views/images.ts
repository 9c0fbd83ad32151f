/** The training images: drawn once, then marked by the answers. They are one Tab stop; arrow keys move among them. */
import type { EpochMetrics, RunResult } from "overfit-lab";
import { byId, make, makeMark, setAttribute, setMark, setShown, setText } from "../dom";
import { formatCount } from "../format";
import type { Intents } from "../lab/intents";
import type { Preview } from "../protocol";
import { datasetKey, shownRun, type State } from "../store";

type Item = ReturnType<typeof makeItem>;
type Answers = Pick<EpochMetrics & RunResult, "predicted" | "label_probability">;

function makeItem(image: ImageData, index: number, intents: Intents) {
  const canvas = make("canvas", { width: String(image.width), height: String(image.height), "aria-hidden": "true" });
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  const name = make("span", { id: `image-${index}`, class: "visually-hidden" });
  const mark = makeMark();
  const caption = make("span", { class: "caption" });
  const sure = make("span", { class: "sure" }, make("span"));
  const judged = make("span", { class: "judged" }, mark, caption);
  const shown = make("span", { "aria-hidden": "true", class: "shown" }, sure, judged);
  const label = `History of image ${index + 1}`;
  const tabindex = index === 0 ? "0" : "-1";
  const button = make("button", { type: "button", "aria-label": label, "aria-pressed": "false", tabindex }, canvas);
  button.addEventListener("click", () => intents.selectImage(button.ariaPressed === "true" ? null : index));
  const item = make("li", { "aria-labelledby": name.id }, name, button, shown);
  return { item, name, mark, caption, sure, button };
}

/** Images that are made or marked per frame: hundreds would take longer than a frame. */
const MADE_AT_ONCE = 12;
const MARKED_AT_ONCE = 25;
/** The most images that are drawn large; more are drawn small, in a list that scrolls, and marked less often. */
const FEW = 60;
const MARK_MANY_EVERY_MS = 500;
/** The largest ratio of an image's sides in a square: an image with a larger ratio would be too thin to see. */
const LONG = 3;

export function mountImages(intents: Intents) {
  const list = byId("images");
  const more = byId("images-more");
  let items: Item[] = [];
  let drawn: Preview | null = null;
  let latest: State | null = null;
  /** The answers and the selected image that are on the page, or that the current pass draws. */
  let answered: Answers | null = null;
  let selected: number | null = null;
  /** The item at which the next pass begins, and the number of items that are out of date. */
  let next = 0;
  let left = 0;
  let frame: number | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let begunAt = 0;

  list.addEventListener("keydown", (event) => {
    const from = items.findIndex(({ button }) => button === event.target);
    if (from === -1) return;
    const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -from, End: Infinity };
    const move = moves[event.key as keyof typeof moves];
    if (move === undefined) return;
    event.preventDefault();
    const to = Math.min(items.length - 1, from + move);
    if (to >= 0) items[to]?.button.focus();
  });
  list.addEventListener("focusin", ({ target }) => {
    // Tab returns to the image that had the focus last.
    for (const { button } of items) setAttribute(button, "tabindex", button === target ? "0" : "-1");
  });

  const answersTo = (key: string) => {
    const run = latest === null ? null : shownRun(latest);
    const ofThese = run !== null && datasetKey(run.experiment) === key;
    // After the end of a run, the answers of the trained network; before that, those of the last epoch's training pass.
    return ofThese ? (run.result ?? run.history.last) : null;
  };

  const mark = (index: number, { labels, images }: Preview, answers: Answers | null) => {
    const image = images[index];
    if (image === undefined) return;
    const parts = items[index] ?? makeItem(image, index, intents);
    if (items[index] === undefined) list.append((items[index] = parts).item);
    const label = labels[index];
    const predicted = answers?.predicted[index];
    const right = predicted === undefined ? null : predicted === label;
    const judged = right === null ? "not trained yet" : `predicted ${predicted}, ${right ? "right" : "wrong"}`;
    setText(parts.name, `Image ${index + 1}, class ${label}, ${judged}`);
    setMark(parts.mark, right);
    setText(parts.caption, String(label));
    const share = (answers?.label_probability[index] ?? 0).toFixed(2);
    if (parts.sure.dataset.share !== share) {
      parts.sure.dataset.share = share;
      parts.sure.style.setProperty("--share", share);
    }
    setAttribute(parts.item, "data-right", String(right));
    setAttribute(parts.button, "aria-pressed", String(latest?.selectedImage === index));
  };

  /** Updates some items with the newest answers, and the others in the next frames. */
  const pass = () => {
    if (latest?.preview == null) return;
    const { key, data } = latest.preview;
    const answers = answersTo(key);
    const atOnce = items.length < data.images.length ? MADE_AT_ONCE : MARKED_AT_ONCE;
    for (let done = 0; left > 0 && done < atOnce; done++, left--, next++) {
      next %= data.images.length;
      mark(next, data, answers);
    }
    if (left > 0)
      frame ??= requestAnimationFrame(() => {
        frame = null;
        pass();
      });
  };

  const begin = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    begunAt = performance.now();
    left = drawn?.images.length ?? 0;
    pass();
  };

  return (state: State) => {
    latest = state;
    if (state.preview === null) return;
    const { key, data } = state.preview;
    const answers = answersTo(key);
    if (data === drawn && answers === answered && state.selectedImage === selected) return;
    const onlyAnswers = data === drawn && state.selectedImage === selected;
    answered = answers;
    selected = state.selectedImage;
    if (data !== drawn) {
      drawn = data;
      items = [];
      next = 0;
      list.replaceChildren();
      list.classList.toggle("many", data.images.length > FEW);
      const { width, height } = data.images[0] ?? { width: 1, height: 1 };
      list.classList.toggle("wide", width > LONG * height);
      list.classList.toggle("tall", height > LONG * width);
      const others = data.labels.length - data.images.length;
      setText(more, others === 0 ? "" : `and ${formatCount(others)} more`);
      setShown(more, others > 0);
    }
    const wait = onlyAnswers && data.images.length > FEW ? begunAt + MARK_MANY_EVERY_MS - performance.now() : 0;
    if (wait > 0) timer ??= setTimeout(begin, wait);
    else begin();
  };
}
