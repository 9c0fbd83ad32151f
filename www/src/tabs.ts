/** The tabs of the bench, in the page's order. Each has a panel on the page, `panel-` with its id. */
export const TABS = [
  { id: "runs", title: "Runs" },
  { id: "settings", title: "All settings" },
  { id: "code", title: "Code" },
] as const;

export type TabId = (typeof TABS)[number]["id"];

const PARAMETER = "tab";

/** The tab in the search part of an address; null if it names none. */
export function tabIn(search: string): TabId | null {
  const named = new URLSearchParams(search).get(PARAMETER);
  return TABS.find(({ id }) => id === named)?.id ?? null;
}

/** The search part of an address with this tab, and all else as it was. */
export function searchWith(search: string, tab: TabId | null): string {
  const parameters = new URLSearchParams(search);
  if (tab === null) parameters.delete(PARAMETER);
  else parameters.set(PARAMETER, tab);
  return parameters.size === 0 ? "" : `?${parameters}`;
}
