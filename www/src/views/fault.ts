/** A fault of a worker, with a button that starts again. */
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
  return ({ fault }: State) => {
    const appears = box.hidden && fault !== null;
    setShown(box, fault !== null);
    setText(sentence, fault?.sentence ?? "");
    if (appears) box.scrollIntoView({ block: "nearest" });
  };
}
