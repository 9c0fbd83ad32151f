// Contenders take turns, an epoch each: whatever else the machine does meanwhile hits them all alike.
//
// A contender is anything with `open(problem)`, which answers what is to be told about it, `run()`, which answers the figures of
// one epoch, and `close()`. A peer may be unable to do its work, and is stopped when it has had its time.

/** The engines compile hot code anew, and Keras traces its graph: these epochs are left out. */
const WARM_UP = 5;
/** A peer is warm after so many ms, too. It has had its time after so many more and so many epochs, and at the latest in `mostMs`. */
const PEER = { warmUpMs: 4000, measuredMs: 10000, least: 3, mostMs: 30000 };

/** Epochs that a contender may come to train. */
export function mostEpochs(epochs) {
  return WARM_UP + epochs;
}

/** Opens all contenders, runs them in turn, closes them; the result is an entry each: `{ contender, about, first, results, unable }`. */
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
    [entry.unable] = error.message.split("\n"); // what follows is where in its code
  }
}
