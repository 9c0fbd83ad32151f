/** Values that were sent to Rust and not yet answered. */
import type { State } from "../store";

/**
 * Whether all values of a field have been answered. Until then its control shows the last entered value, which the state does not
 * have yet, so that the control never jumps back while a person uses it.
 */
export const isSettled = ({ pending }: State, field: string) => !pending.has(field);
