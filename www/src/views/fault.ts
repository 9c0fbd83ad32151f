/** What went wrong with a worker, and the way on. */
import { byId, setShown, setText } from "../dom";
import type { Intents } from "../lab";
import type { State } from "../store";

export function mountFault(intents: Intents) {
  const [box, sentence, again] = [byId("fault"), byId("fault-sentence"), byId("start-again")];
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
