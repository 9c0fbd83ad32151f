// Measures the kernels pass by pass, on the measuring page: the speed of each of Example 2's passes, and the path of other shapes.

/** Images, side, channels, filters, kernel, stride, same padding, pool. */
const ARTICLE = [
  { name: "first convolution", block: [20, 64, 3, 32, 3, 1, 0, 2] },
  { name: "second convolution", block: [20, 31, 32, 64, 3, 1, 0, 2] },
  { name: "third convolution", block: [20, 14, 64, 128, 3, 1, 0, 1] },
  { name: "Dense 128", dense: [20, 18432, 128] },
  { name: "Dense 2 of Example 1", dense: [20, 30752, 2] },
];

const SHAPES = [
  [20, 32, 16, 32, 1, 1, 0, 1],
  [20, 32, 3, 16, 2, 1, 1, 2],
  [20, 32, 16, 32, 3, 1, 1, 1],
  [20, 32, 16, 32, 3, 1, 1, 2],
  [20, 33, 17, 30, 3, 1, 0, 2],
  [20, 32, 8, 8, 3, 1, 0, 3],
  [20, 32, 16, 32, 3, 2, 1, 1],
  [20, 31, 5, 7, 5, 1, 1, 2],
  [20, 32, 16, 16, 5, 3, 0, 1],
  [20, 48, 3, 24, 7, 4, 0, 2],
  [20, 40, 4, 12, 11, 1, 1, 4],
  [1, 64, 3, 32, 3, 1, 0, 2],
  [1, 14, 64, 128, 3, 1, 0, 1],
  [512, 16, 8, 16, 3, 1, 1, 2],
  [20, 9, 256, 256, 3, 1, 1, 1],
  [20, 4, 1, 1, 3, 1, 0, 2],
  [20, 50, 3, 8, 3, 1, 0, 16],
];

/** Measures each pass of the article's layers on each path that fits it, alternating with the peak. */
export async function measureKernels(page, rounds, percentile) {
  const cases = ARTICLE.flatMap((one) =>
    (one.block ? [0, 1, 2] : [0]).map((path) => ({ ...one, path, update: !one.block })),
  );
  const { peaks, results } = await page.evaluate((plan) => window.measureKernels(plan), { cases, rounds });
  const peak = percentile(peaks, 50);
  const chosen = results.filter(({ path }) => path === 0);
  return {
    peak,
    rows: chosen.flatMap(({ name, operations, paths, times }) =>
      Object.keys(times).map((pass) => {
        const of = (path) => results.find((other) => other.name === name && other.path === path)?.times[pass];
        const median = (list) => (list ? percentile(list, 50) : null);
        const ms = median(times[pass]);
        const gflops = pass === "Adam" ? null : operations / ms / 1e6;
        return {
          name,
          pass,
          path: paths[pass] ?? "one pass",
          ms,
          gflops,
          share_of_peak: gflops && gflops / peak,
          direct_ms: median(of(1)),
          winograd_ms: median(of(2)),
        };
      }),
    ),
    errors: await page.evaluate(
      (cases) => window.kernelErrors(cases),
      ARTICLE.filter(({ block }) => block),
    ),
  };
}

/** Finds the path of each shape, and measures it. */
export async function measureShapes(page, rounds, percentile) {
  const cases = SHAPES.map((block) => ({ block, path: 0 }));
  const { results } = await page.evaluate((plan) => window.measureKernels(plan), { cases, rounds });
  const measured = results.map(({ block, operations, paths, times }) => ({
    shape: block,
    passes: Object.entries(times).map(([pass, list]) => {
      const ms = percentile(list, 50);
      return { pass, path: paths[pass], ms, gflops: operations / ms / 1e6 };
    }),
  }));
  // Other shapes are no block: the kernels compute only their convolution, and Burn's own operation the pool. They are not timed.
  const apart = SHAPES.filter((shape) => !results.some(({ block }) => `${block}` === `${shape}`));
  return [...measured, ...apart.map((shape) => ({ shape, passes: [] }))];
}

/** A shape in words. */
export function shapeText([images, side, channels, filters, kernel, stride, same, pool]) {
  const parts = [`${images} × ${side} × ${side} × ${channels}`, `${filters} filters ${kernel} × ${kernel}`];
  if (stride > 1) parts.push(`stride ${stride}`);
  if (same) parts.push("same");
  if (pool > 1) parts.push(`pool ${pool}`);
  return parts.join(", ");
}
