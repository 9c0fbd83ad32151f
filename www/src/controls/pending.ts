/** Values on their way to Rust. */
import type { State } from "../store";

/**
 * Whether no newer value of a field is under way. Until then its control shows what was entered last, which the state does not
 * have yet, so that it never jumps back under the hand.
 */
export const isSettled = ({ pending }: State, field: string) => !pending.has(field);
