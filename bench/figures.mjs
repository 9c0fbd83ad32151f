// Turns measurements into the reported figures.

/** The largest relative difference of a first loss from ours: from the same start, only rounding differs. */
const LOSS_TOLERANCE = 1e-4;
/** The fewest epochs for a 95th percentile. */
const FOR_P95 = 20;

/** The value below which `percent` per cent of the values lie, by nearest rank. */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

export function round(value, digits) {
  return Number(value.toFixed(digits));
}

/** The reported figures of one example's contenders. */
export function compared(example, entries) {
  const ours = entries.find(({ contender }) => contender.isOurs);
  const keras = entries.find(({ contender }) => contender.isKeras);
  const median = (entry) => percentile(times(entry), 50);
  const ratio = (entry, to) => (to && entry.results.length > 0 ? round(median(entry) / median(to), 3) : undefined);
  return entries.map((entry) => {
    const { contender, about, first, results, unable } = entry;
    const apart = first && Math.abs(first.loss - ours.first.loss) / Math.abs(ours.first.loss);
    return {
      contender: contender.name,
      version: about.version ?? contender.version,
      threads: about.threads,
      processor: about.processor,
      adapter: about.adapter,
      example,
      median: results.length > 0 ? round(median(entry), 2) : undefined,
      p95: results.length >= FOR_P95 ? round(percentile(times(entry), 95), 2) : undefined,
      epochs: results.length,
      to_keras: ratio(entry, keras),
      to_ours: ratio(entry, ours),
      first_loss: first?.loss,
      unable,
      wrong:
        apart <= LOSS_TOLERANCE || unable !== undefined
          ? undefined
          : `its first loss is ${first.loss}, not ${ours.first.loss}`,
    };
  });
}

/** The crate's own speed and memory. */
export function cases(example, entries) {
  return entries
    .filter(({ contender }) => contender.backend)
    .map((entry) => {
      const [median, p95] = [50, 95].map((percent) => round(percentile(times(entry), percent), 2));
      return {
        name: example,
        backend: entry.contender.backend,
        epoch_ms: { median, p95, epochs: entry.results.length },
        wasm_memory_bytes: entry.results.at(-1).memory,
      };
    });
}

function times({ results }) {
  return results.map(({ milliseconds }) => milliseconds);
}
