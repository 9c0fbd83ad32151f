/** Runs tasks one after the other, each on the state that the previous one left. */
import { Unanswered } from "../worker-pool";

export class Queue {
  private last: Promise<unknown> = Promise.resolve();

  add(task: () => Promise<void>): Promise<void> {
    const done = this.last.then(task).catch((error: unknown) => {
      // The pool has reported a fault of the answerer; any other error is a bug here.
      if (!(error instanceof Unanswered)) reportError(error);
    });
    this.last = done;
    return done;
  }

  /** Resolves when all tasks are done, also those that are added in the meantime. */
  async settled() {
    let seen: unknown;
    while (seen !== this.last) await (seen = this.last);
  }
}
