// Contenders take turns, an epoch each: other work of the machine at the same time affects them all alike.
//
// A contender is anything with `open(problem)`, which returns facts to report about it, `run()`, which returns the figures of one
// epoch, and `close()`. A peer may be unable to do its work, and is stopped when its time is up.

/** Epochs that are not counted: the engines recompile hot code in them, and Keras traces its graph. */
const WARM_UP = 5;
/** A peer is also warm after `warmUpMs`. It is done after `measuredMs` more and `least` epochs, at the latest after `mostMs`. */
const PEER = { warmUpMs: 4000, measuredMs: 10000, least: 3, mostMs: 30000 };

/** The most epochs that a contender may train. */
export function mostEpochs(epochs) {
  return WARM_UP + epochs;
}

/** Opens contenders, runs them in turn and closes them; returns an entry each: `{ contender, about, first, results, unable }`. */
export async function takeTurns(contenders, problem, epochs) {
  const entries = contenders.map((contender) => ({
    contender,
    about: {},
    warmUps: 0,
    warmUpMs: 0,
    measuredMs: 0,
    results: [],
  }));
  try {
    for (const entry of entries) {
      await attempt(entry, async () => {
        entry.about = await entry.contender.open(problem);
      });
    }
    for (let left = entries; left.length > 0;) {
      left = left.filter((entry) => !isDone(entry, epochs));
      for (const entry of left) await attempt(entry, () => turn(entry));
    }
  } finally {
    for (const { contender } of entries) await contender.close();
  }
  return entries;
}

async function turn(entry) {
  const start = performance.now();
  const result = await entry.contender.run();
  const milliseconds = performance.now() - start;
  entry.first ??= result;
  if (isWarm(entry)) {
    entry.results.push(result);
    entry.measuredMs += milliseconds;
  } else {
    entry.warmUps += 1;
    entry.warmUpMs += milliseconds;
  }
}

function isWarm({ contender, warmUps, warmUpMs }) {
  return warmUps >= WARM_UP || (contender.isPeer && warmUpMs >= PEER.warmUpMs);
}

function isDone({ contender, unable, measuredMs, results }, epochs) {
  const enough = measuredMs >= (results.length < PEER.least ? PEER.mostMs : PEER.measuredMs);
  return unable !== undefined || (contender.isPeer && enough) || results.length >= epochs;
}

async function attempt(entry, work) {
  try {
    await work();
  } catch (error) {
    if (!entry.contender.isPeer) throw error;
    [entry.unable] = error.message.split("\n"); // the other lines are its stack trace
  }
}
