/** The experiment as a Keras script, to copy and run. */
import type { ScriptLine } from "overfit-lab";
import { byId, make, setText } from "../dom";
import type { Intents } from "../lab";
import { presetName, type State } from "../store";

export function mountKeras(_intents: Intents) {
  const [script, note, copied] = [byId("script"), byId("keras-note"), byId("copied")];
  let drawn: ScriptLine[] = [];

  byId("copy-script").addEventListener("click", async () => {
    const text = drawn.map((line) => line.text).join("\n") + "\n";
    await navigator.clipboard.writeText(text).then(
      () => setText(copied, "Copied"),
      () => {
        getSelection()?.selectAllChildren(script);
        setText(copied, "Selected: press Ctrl+C or ⌘C");
      },
    );
  });

  const makeLine = ({ text, differs }: ScriptLine) => (differs ? make("mark", {}, text + "\n") : text + "\n");

  return (state: State) => {
    const lines = state.form?.description?.script ?? drawn;
    if (lines === drawn) return;
    drawn = lines;
    script.replaceChildren(...lines.map(makeLine));
    setText(copied, "");
    const name = presetName(state, state.form?.presetId ?? "");
    const differs = lines.some((line) => line.differs);
    setText(note, differs ? `Marked: what differs from the article’s ${name}.` : `The article’s ${name}, unchanged.`);
  };
}
