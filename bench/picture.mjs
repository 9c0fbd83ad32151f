// Draws the contenders' times as an SVG, for light and dark pages.
const WIDTH = 820;
const BAR = { height: 20, gap: 8, left: 290, right: 90 };
const GROUP = { top: 34, bottom: 18 };
const TOP = 44;
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-weight: 600; }
  .note { font-size: 11px; fill: #59636e; }
  rect { fill: #8c959f; }
  .ours { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    rect { fill: #656c76; }
    .ours { fill: #4493f8; }
  }`;

/** A group of bars for each example, on one logarithmic scale. */
export function picture({ machine, contenders, simd_peak_gflops }) {
  const able = contenders.filter(({ median }) => median !== undefined);
  const [least, most] = [Math.min, Math.max].map((pick) => pick(...able.map(({ median }) => median)));
  const decades = Math.log10(most) - Math.floor(Math.log10(least));
  const room = WIDTH - BAR.left - BAR.right;
  const length = (ms) => ((Math.log10(ms) - Math.floor(Math.log10(least))) / decades) * room;
  const parts = [`<text class="title" x="0" y="16">Milliseconds per epoch, logarithmic: less is better</text>`];
  let y = TOP;
  for (const example of new Set(able.map((one) => one.example))) {
    parts.push(`<text class="group" x="0" y="${y}">${text(example)}</text>`);
    y += GROUP.top - BAR.height;
    const sorted = able.filter((one) => one.example === example).sort((a, b) => a.median - b.median);
    for (const one of sorted) {
      const { contender, median } = one;
      const style = contender.startsWith("Overfit Lab") ? ` class="ours"` : "";
      const middle = y + BAR.height / 2 + 4;
      const width = Math.max(1, length(median)).toFixed(1);
      parts.push(`<text x="${BAR.left - 8}" y="${middle}" text-anchor="end">${text(label(one))}</text>`);
      parts.push(`<rect${style} x="${BAR.left}" y="${y}" width="${width}" height="${BAR.height}" rx="2"/>`);
      parts.push(`<text x="${(BAR.left + Number(width) + 6).toFixed(1)}" y="${middle}">${milliseconds(median)}</text>`);
      y += BAR.height + BAR.gap;
    }
    y += GROUP.bottom + BAR.height;
  }
  const where = `${machine.cpu}, one thread each unless stated otherwise, Chromium ${machine.chromium}, simd128 peak ${simd_peak_gflops} GFLOP/s, medians of one run`;
  parts.push(`<text class="note" x="0" y="${y - 8}">${text(where)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="Milliseconds per epoch by contender">
<style>${STYLE}
</style>
${parts.join("\n")}
</svg>
`;
}

function label({ contender, threads, processor }) {
  const means = processor ?? (threads > 1 ? `${threads} threads` : undefined);
  return means ? `${contender} (${means})` : contender;
}

function milliseconds(ms) {
  return ms < 100 ? ms.toFixed(1) : Math.round(ms).toLocaleString("en");
}

function text(words) {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
