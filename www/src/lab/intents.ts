/** The actions that views may request. */
import type { FieldValue, Job, RunId } from "../protocol";
import type { Form } from "../store";
import type { TabId } from "../tabs";

export interface Intents {
  /** Puts a preset into the form, also if it is already chosen. */
  choosePreset(id: string): Promise<void>;
  /** Puts the chosen preset into the form without its mistake, and trains it; or puts it there with its mistake again. */
  setMended(mended: boolean): Promise<void>;
  /**
   * Enters a value into a field. A refused entry stays as it was typed, with its problem. An edit that continues the one before, in
   * a drag or while typing, is undone together with it.
   */
  edit(field: string, value: FieldValue, continues?: boolean): Promise<void>;
  /** Resets a field to its value in the chosen preset. */
  resetField(field: string): Promise<void>;
  newSeed(): void;
  chooseBackend(backend: string): void;
  undo(): void;
  redo(): void;

  /** Trains the form's experiment instead of the active run. If a field has a problem, nothing starts and the form is returned. */
  train(start?: Job["start"]): Promise<Form | null>;
  pauseOrResume(): void;
  /** Goes on with the run on stage after its end, up to `epochs` epochs in all. */
  prolong(epochs: number): void;
  /** Trains one epoch of the active run, of the run on stage, or of a new one. If a field has a problem, the form is returned. */
  step(): Promise<Form | null>;
  stop(): void;
  /** After a fault: loads the engine again, or trains again the run that it ended. */
  startAgain(): void;

  /** Puts the experiment of an earlier run into the form, and the run on stage. */
  restore(id: RunId): Promise<void>;
  /** Ticks or unticks a run: the curves of ticked runs are drawn with those of the run on stage. */
  compare(id: RunId, compared: boolean): void;
  /** Lifts the line of a run above the others. */
  lift(id: RunId | null): void;
  /** Removes a run that is over from the table. */
  remove(id: RunId): void;

  chooseFramework(framework: string): void;
  selectImage(index: number | null): void;
  setLogarithmicEpochs(logarithmicEpochs: boolean): void;
  setTableOpen(tableOpen: boolean): void;
  /** Opens a tab of the bench, or closes the bench. */
  openTab(tab: TabId | null): void;
  /** Opens or closes the sheet of controls on a narrow page. */
  setSheetOpen(sheetOpen: boolean): void;
}
