/** Short names of runs that are drawn together: only what differs between them. */
import type { Experiment } from "overfit-lab";
import { formatRate } from "./format";
import type { Run } from "./store";

type Named = Pick<Run, "id" | "presetId" | "mended" | "experiment" | "changes">;

/** The value that a run has without a change, if it is one that people know as a number. */
function presetValue(experiment: Experiment, field: string): string | null {
  let value: unknown = experiment;
  for (const name of field.split(".")) value = (value as Record<string, unknown> | null | undefined)?.[name];
  return typeof value === "number" ? formatRate(value) : null;
}

/** The name of each run by its id: "0.01" if only one setting differs, "seed 7, epochs 60" if several do. */
export function labelsOf(runs: Named[], nameOf: (run: Named) => string): Map<number, string> {
  const byField = new Map<string, string>();
  for (const { changes } of runs) for (const { field, label } of changes) byField.set(field, label);
  const valueOf = ({ changes, experiment }: Named, field: string) =>
    changes.find((change) => change.field === field)?.value ?? presetValue(experiment, field) ?? "as in the preset";
  const differing = [...byField].filter(([field]) => new Set(runs.map((run) => valueOf(run, field))).size > 1);
  const names = new Set(runs.map(nameOf));
  const texts = runs.map((run): [number, string] => {
    const alone = differing.length === 1 && names.size === 1;
    // Where the names tell all runs apart, they are enough.
    if (names.size === runs.length && names.size > 1) return [run.id, nameOf(run)];
    const values = differing.map(([field, label]) => (alone ? valueOf(run, field) : `${label} ${valueOf(run, field)}`));
    return [run.id, [...(names.size > 1 ? [nameOf(run)] : []), ...values].join(", ")];
  });
  // Runs that do not differ have their numbers as names.
  const count = (text: string) => texts.filter(([, other]) => other === text).length;
  return new Map(
    texts.map(([id, text]) => [
      id,
      count(text) > 1 || text === "" ? [`run ${id}`, text].filter(Boolean).join(", ") : text,
    ]),
  );
}
