/** Keeps the open tab of the bench in the page's address, so that it can be linked, reloaded, and left by the Back button. */
import type { Store } from "../store";
import { searchWith, type TabId, tabIn } from "../tabs";

const addressWith = (tab: TabId | null) => `${location.pathname}${searchWith(location.search, tab)}${location.hash}`;

export class AddressLab {
  /** Whether a person, or the address, has decided what is open. */
  private decided: boolean;

  constructor(private readonly store: Store) {
    const tab = tabIn(location.search);
    this.decided = tab !== null;
    store.set({ tab });
    addEventListener("popstate", () => store.set({ tab: tabIn(location.search) }));
  }

  openTab(tab: TabId | null) {
    this.decided = true;
    if (tab === this.store.state.tab) return;
    history.pushState(null, "", addressWith(tab));
    this.store.set({ tab });
  }

  /** Opens a tab for a person who has not opened or closed any. */
  offerTab(tab: TabId) {
    if (this.decided) return;
    this.decided = true;
    history.replaceState(null, "", addressWith(tab));
    this.store.set({ tab });
  }
}
