/** "About" opens a text over the page, which Escape or a click elsewhere closes. */
import { byId } from "../dom";

export function mountAbout() {
  const about = byId("about", HTMLDetailsElement);
  about.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !about.open) return;
    about.open = false;
    about.querySelector("summary")?.focus();
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (about.open && target instanceof Node && !about.contains(target)) about.open = false;
  });
}
