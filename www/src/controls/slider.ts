/** A number on a slider. What the slider's positions stand for is its owner's. */
import { setAttribute } from "../dom";
import type { Intents } from "../lab/intents";
import type { State } from "../store";
import { isSettled } from "./pending";

interface Range {
  min: number;
  max: number;
}

interface Slider {
  slider: HTMLInputElement;
  field: string;
  /** The least and the greatest value, or null while they are not known. */
  rangeOf(state: State): Range | null;
  valueOf(state: State): number;
  /** Where a value stands on the slider, and back. */
  toPosition(value: number, range: Range): number;
  fromPosition(position: number): number;
  /** How the number reads. */
  format(value: number): string;
  /** Called with what is shown, also while it is on its way. */
  onShown?(value: number): void;
}

export function mountSlider(intents: Intents, options: Slider) {
  const { slider, field, rangeOf, valueOf, toPosition, fromPosition, format, onShown } = options;
  const show = (value: number) => {
    setAttribute(slider, "aria-valuetext", format(value));
    onShown?.(value);
  };
  slider.addEventListener("input", () => {
    const value = fromPosition(Number(slider.value));
    show(value);
    void intents.edit(field, value);
  });
  return (state: State) => {
    const range = rangeOf(state);
    if (state.form === null || range === null || !isSettled(state, field)) return;
    setAttribute(slider, "min", String(toPosition(range.min, range)));
    setAttribute(slider, "max", String(toPosition(range.max, range)));
    const value = valueOf(state);
    const position = String(toPosition(value, range));
    if (slider.value !== position) slider.value = position;
    show(value);
  };
}
