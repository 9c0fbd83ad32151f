/** The mistake of the chosen preset, in Rust's words, with a button that fixes it. */
import { byId, make, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import { narrowPage } from "../narrow";
import { findPreset, type State } from "../store";

export function mountMistake(intents: Intents) {
  const section = byId("mistake");
  const hidden = byId("mistake-hidden");
  const words = byId("mistake-words");
  const mend = byId("mend");
  const note = byId("mend-note");
  let mended = false;
  let drawn: string | null = null;
  mend.addEventListener("click", () => {
    if (!mended && narrowPage.matches) byId("history").scrollIntoView({ block: "start" });
    void intents.setMended(!mended);
  });

  const rowsOf = (rows: [string, string][]) =>
    rows.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]);

  return (state: State) => {
    const { form } = state;
    const preset = findPreset(state, form?.presetId);
    const mistake = preset?.mistake ?? null;
    setShown(section, mistake !== null);
    if (form === null || preset === null || mistake === null) return;
    mended = form.mended;
    setText(mend, mended ? "Undo the fix" : "Apply the fix");
    setText(note, mended ? "Now without the mistake." : "");
    if (drawn === preset.id) return;
    drawn = preset.id;
    setShown(hidden, mistake.hidden);
    words.replaceChildren(
      ...rowsOf([
        ["What you see", mistake.sees],
        ["What it does", mistake.does],
        ["How to fix it", mistake.mends],
      ]),
    );
  };
}
