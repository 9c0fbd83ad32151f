/** Wires the store, the workers and the views together. */
import { drawEachFrame } from "./frames";
import { openLab } from "./lab";
import { askBeforeLeaving } from "./leaving";
import { isStageView } from "./stage-view";
import { initialState, Store } from "./store";
import { mountAbout } from "./views/about";
import { mountAnnouncements } from "./views/announcements";
import { mountBench } from "./views/bench";
import { mountChanges } from "./views/changes";
import { mountChecks, mountCode } from "./views/code";
import { mountChart } from "./views/chart";
import { mountControls } from "./views/controls";
import { mountFault } from "./views/fault";
import { mountFormProblem } from "./views/form-problem";
import { mountHistoryTable } from "./views/history-table";
import { mountImageHistory } from "./views/image-history";
import { mountImages } from "./views/images";
import { mountMistake } from "./views/mistake";
import { mountOutcome } from "./views/outcome";
import { mountPicker } from "./views/picker";
import { mountResult } from "./views/result";
import { mountRunBar } from "./views/run-bar";
import { mountRuns } from "./views/runs";
import { mountSettings } from "./views/settings";
import { mountSheet } from "./views/sheet";
import { mountTheme } from "./views/theme";
import { mountUndo } from "./views/undo";
import { mountWarnings } from "./views/warnings";

document.querySelector(".not-started")?.remove();
if (isStageView) document.documentElement.dataset["view"] = "stage";
const store = new Store(initialState);
const lab = openLab(store, new URLSearchParams(location.search).get("backend"));

const views = [
  mountSheet,
  mountPicker,
  mountChanges,
  mountUndo,
  mountControls,
  mountMistake,
  mountWarnings,
  mountSettings,
  mountFormProblem,
  mountCode,
  mountChecks,
  mountFault,
  mountBench,
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
mountAbout();
if (navigator.webdriver) (await import("./testing/hooks")).exposeHooks(lab, store);
await lab.boot();
performance.mark("ready");
