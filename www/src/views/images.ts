/** The training images: drawn once, then only marked right or wrong and how sure. */
import { byId, make, makeMark, setAttribute, setMark, setText } from "../dom";
import type { Intents } from "../lab";
import type { Preview } from "../protocol";
import { datasetKey, shownRun, type State } from "../store";

type Item = ReturnType<typeof makeItem>;

function makeItem(image: ImageData, index: number, intents: Intents) {
  const canvas = make("canvas", { width: String(image.width), height: String(image.height), "aria-hidden": "true" });
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  const name = make("span", { id: `image-${index}`, class: "visually-hidden" });
  const [mark, caption] = [makeMark(), make("span", { class: "caption" })];
  const sure = make("span", { class: "sure" }, make("span"));
  const judged = make("span", { class: "judged" }, mark, caption);
  const shown = make("span", { "aria-hidden": "true", class: "shown" }, sure, judged);
  const label = `History of image ${index + 1}`;
  const button = make("button", { type: "button", "aria-label": label, "aria-pressed": "false" }, canvas);
  button.addEventListener("click", () => intents.selectImage(button.ariaPressed === "true" ? null : index));
  const item = make("li", { "aria-labelledby": name.id }, name, button, shown);
  return { item, name, mark, caption, sure, button };
}

export function mountImages(intents: Intents) {
  const list = byId("images");
  let items: Item[] = [];
  let drawn: Preview | null = null;

  return (state: State) => {
    if (state.preview === null) return;
    const { key, data } = state.preview;
    if (data !== drawn) {
      drawn = data;
      items = data.images.map((image, index) => makeItem(image, index, intents));
      list.replaceChildren(...items.map(({ item }) => item));
    }
    const run = shownRun(state);
    const ofThese = run !== null && datasetKey(run.experiment) === key;
    // At the end, what the trained network answers; before that, what each epoch's training pass saw.
    const answers = ofThese ? (run.result ?? run.history.last) : null;
    items.forEach((parts, index) => {
      const label = data.labels[index];
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
      setAttribute(parts.button, "aria-pressed", String(state.selectedImage === index));
    });
  };
}
