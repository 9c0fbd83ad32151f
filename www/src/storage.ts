/** Choices that are kept in this browser. Without storage the page works, but keeps nothing. */

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is denied or full: the choice holds for this visit.
  }
}
