/** Wires the store, the workers and the views together. */
import { drawEachFrame } from "./frames";
import { openLab } from "./lab";
import { askBeforeLeaving } from "./leaving";
import { initialState, Store } from "./store";
import { mountAnnouncements } from "./views/announcements";
import { mountChecks, mountCode } from "./views/code";
import { mountChart } from "./views/chart";
import { mountControls } from "./views/controls";
import { mountFault } from "./views/fault";
import { mountFormProblem } from "./views/form-problem";
import { mountHistoryTable } from "./views/history-table";
import { mountImageHistory } from "./views/image-history";
import { mountImages } from "./views/images";
import { mountMistake, mountWarnings } from "./views/mistake";
import { mountOutcome } from "./views/outcome";
import { mountPresets } from "./views/presets";
import { mountResult } from "./views/result";
import { mountRunBar } from "./views/run-bar";
import { mountRuns } from "./views/runs";
import { mountSettings } from "./views/settings";
import { mountTheme } from "./views/theme";

document.querySelector(".not-started")?.remove();
const store = new Store(initialState);
const lab = openLab(store, new URLSearchParams(location.search).get("backend"));

const views = [
  mountPresets,
  mountControls,
  mountMistake,
  mountWarnings,
  mountSettings,
  mountFormProblem,
  mountCode,
  mountChecks,
  mountFault,
  mountOutcome,
  mountRunBar,
  mountChart,
  mountHistoryTable,
  mountImages,
  mountImageHistory,
  mountResult,
  mountRuns,
  mountAnnouncements,
].map((mount) => mount(lab.intents));

drawEachFrame(store, views);
askBeforeLeaving(store);
mountTheme();
if (navigator.webdriver) (await import("./testing/hooks")).exposeHooks(lab, store);
await lab.boot();
performance.mark("ready");
