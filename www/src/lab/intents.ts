/** What the views may ask for. */
import type { FieldValue, Job, RunId } from "../protocol";
import type { Form } from "../store";

export interface Intents {
  /** Puts a preset in the form as it is; the one that is chosen already, too. */
  choosePreset(id: string): Promise<void>;
  /** Puts the chosen preset in the form without its mistake, or with it again. */
  setMended(mended: boolean): Promise<void>;
  /** Enters a value in a field. What is refused stays as it was typed, with the problem beside it. */
  edit(field: string, value: FieldValue): Promise<void>;
  /** Gives a field back the value that the chosen preset has there. */
  resetField(field: string): Promise<void>;
  newSeed(): void;
  chooseBackend(backend: string): void;

  /** Starts the experiment in the form, in place of the run under way; where a field is wrong nothing starts, and the form comes back. */
  train(start?: Job["start"]): Promise<Form | null>;
  pauseOrResume(): void;
  /** Trains the run on stage on, after its end, to so many epochs in all. */
  prolong(epochs: number): void;
  /** One epoch: of the run on stage or under way, or the first of a new one; where a field is wrong the form comes back. */
  step(): Promise<Form | null>;
  stop(): void;
  /** After a fault: loads the engine anew, or trains the run anew that it ended. */
  startAgain(): void;

  /** Puts the experiment of an earlier run in the form and its history on stage. */
  restore(id: RunId): Promise<void>;
  /** Ticks a run, so that its curves are drawn as thin lines. */
  compare(id: RunId, compared: boolean): void;
  /** Takes a run that is over off the table. */
  remove(id: RunId): void;

  chooseFramework(framework: string): void;
  selectImage(index: number | null): void;
  setLogarithmicEpochs(logarithmicEpochs: boolean): void;
  setTableOpen(tableOpen: boolean): void;
}
