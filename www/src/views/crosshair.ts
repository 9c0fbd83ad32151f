/** The values of all drawn runs at the crosshair, beside it. */
import type uPlot from "uplot";
import { make, setShown } from "../dom";
import { boxOf } from "./chart-marks";
import { makeSwatch } from "./swatch";

interface Row {
  slot: number | null;
  name: string;
  loss: string;
  accuracy: string;
}

export class CrosshairList {
  private drawn = "";

  constructor(private readonly at: HTMLElement) {}

  hide() {
    setShown(this.at, false);
  }

  show(rows: Row[], plot: uPlot) {
    const { left, top, width } = boxOf(plot);
    const cursor = plot.cursor.left ?? 0;
    const isRight = cursor < width / 2;
    // On the side where the crosshair leaves more room.
    const side = isRight ? `left:${left + cursor + 12}px` : `right:calc(100% - ${left + cursor - 12}px)`;
    this.at.style.cssText = `top:${top + 4}px;${side}`;
    setShown(this.at, true);
    const key = JSON.stringify(rows);
    if (key === this.drawn) return;
    this.drawn = key;
    this.at.replaceChildren(
      ...rows.map(({ slot, name, loss, accuracy }) => {
        const swatch = makeSwatch();
        swatch.show(slot);
        return make("p", {}, swatch.element, make("strong", {}, name), ` loss ${loss}, accuracy ${accuracy}`);
      }),
    );
  }
}
