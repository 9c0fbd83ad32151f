/** What is kept in this browser. Where a browser allows no storage, nothing is, and the page works all the same. */

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
    // Denied, or full: the choice holds for this visit.
  }
}
