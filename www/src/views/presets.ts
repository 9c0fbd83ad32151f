/** The radio group "Experiment". */
import type { Preset } from "overfit-lab";
import { byId, make } from "../dom";
import type { Intents } from "../lab";
import type { State } from "../store";

export function mountPresets(intents: Intents) {
  const group = byId("presets");
  let radios: HTMLInputElement[] = [];

  const makePreset = ({ id, name, summary }: Preset) => {
    const radio = make("input", { type: "radio", name: "preset", id, value: id, "aria-describedby": `${id}-summary` });
    radio.addEventListener("change", () => void intents.choosePreset(id));
    radios.push(radio);
    const words = [make("label", { for: id }, name), make("p", { id: `${id}-summary` }, summary)];
    return make("div", { class: "preset" }, radio, ...words);
  };

  return ({ catalogue, form }: State) => {
    if (catalogue === null || form === null) return;
    if (radios.length === 0) {
      group.querySelectorAll(".preset").forEach((skeleton) => skeleton.remove());
      group.append(...catalogue.presets.map(makePreset));
    }
    for (const radio of radios) if (radio.value === form.presetId && !radio.checked) radio.checked = true;
  };
}
