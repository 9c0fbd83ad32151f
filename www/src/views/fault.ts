/** A fault of a worker, with a button that starts again. Without a fault, a notice on the address of the page. */
import { byId, setShown, setText } from "../dom";
import type { Intents } from "../lab/intents";
import type { State } from "../store";

export function mountFault(intents: Intents) {
  const box = byId("fault");
  const sentence = byId("fault-sentence");
  const again = byId("start-again");
  again.addEventListener("click", () => {
    byId("train").focus();
    intents.startAgain();
  });
  return ({ fault, notice }: State) => {
    const words = fault?.sentence ?? notice;
    const appears = box.hidden && words !== null;
    setShown(box, words !== null);
    setShown(again, fault !== null);
    setText(sentence, words ?? "");
    if (appears) box.scrollIntoView({ block: "nearest" });
  };
}
