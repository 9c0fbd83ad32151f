/** The choice of the theme, which is kept in this browser. */
import { byId } from "../dom";
import { recall, remember } from "../storage";

const KEY = "overfit-lab-theme";

export function mountTheme() {
  const select = byId("theme", HTMLSelectElement);
  const apply = () => {
    document.documentElement.dataset.theme = select.value;
    // The chart is drawn on a canvas, which does not follow style sheets.
    window.dispatchEvent(new Event("themechange"));
  };
  select.value = recall(KEY) ?? "system";
  if (select.value === "") select.value = "system";
  apply();
  select.addEventListener("change", () => {
    remember(KEY, select.value);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
}
