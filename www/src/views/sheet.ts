/** On a narrow page the controls are a sheet that the button "Settings" opens, and the learning rate stands under the chart. */
import { byId, setAttribute } from "../dom";
import type { Intents } from "../lab/intents";
import { narrowPage } from "../narrow";
import type { State } from "../store";

export function mountSheet(intents: Intents) {
  const toggle = byId("sheet-toggle");
  const sheet = byId("controls");
  const rate = byId("rate-field");
  const slot = byId("rate-slot");
  const before = rate.previousElementSibling;

  toggle.addEventListener("click", () => {
    const opens = toggle.ariaExpanded !== "true";
    intents.setSheetOpen(opens);
    if (!opens) return;
    // Shown immediately, so that Tab goes into it.
    setAttribute(sheet, "data-open", "true");
    sheet.focus({ preventScroll: true });
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !narrowPage.matches || event.defaultPrevented) return;
    toggle.focus();
    intents.setSheetOpen(false);
  });
  const place = () => (narrowPage.matches ? slot.append(rate) : before?.after(rate));
  narrowPage.addEventListener("change", place);
  place();

  return ({ sheetOpen }: State) => {
    setAttribute(toggle, "aria-expanded", String(sheetOpen));
    setAttribute(sheet, "data-open", String(sheetOpen));
  };
}
