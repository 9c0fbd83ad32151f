/** Tasks that are carried out one after the other, each on what the one before it left. */
import { Unanswered } from "../worker-pool";

export class Queue {
  private last: Promise<unknown> = Promise.resolve();

  add(task: () => Promise<void>): Promise<void> {
    const done = this.last.then(task).catch((error: unknown) => {
      // That the answerer died has been said by the pool; anything else is a bug here.
      if (!(error instanceof Unanswered)) reportError(error);
    });
    this.last = done;
    return done;
  }

  /** When nothing is left to do, also of what is added meanwhile. */
  async settled() {
    let seen: unknown;
    while (seen !== this.last) await (seen = this.last);
  }
}
