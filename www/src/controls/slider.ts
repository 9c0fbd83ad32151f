/** A slider for a number. Its owner maps values to positions. */
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
  /** The smallest and the largest value, or null while they are unknown. */
  rangeOf(state: State): Range | null;
  valueOf(state: State): number;
  toPosition(value: number, range: Range): number;
  fromPosition(position: number): number;
  /** The value as text, for assistive technology. */
  format(value: number): string;
  /** Called with each value that the slider shows, also before Rust has answered. */
  onShown?(value: number): void;
}

export function mountSlider(intents: Intents, options: Slider) {
  const { slider, field, rangeOf, valueOf, toPosition, fromPosition, format, onShown } = options;
  const show = (value: number) => {
    setAttribute(slider, "aria-valuetext", format(value));
    onShown?.(value);
  };
  /** Whether the thumb has moved since it was taken: a drag is one step of Undo. */
  let isDragged = false;
  slider.addEventListener("input", () => {
    const value = fromPosition(Number(slider.value));
    show(value);
    void intents.edit(field, value, isDragged);
    isDragged = true;
  });
  slider.addEventListener("change", () => (isDragged = false));
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
