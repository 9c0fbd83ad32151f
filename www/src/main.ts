/** Wires the store, the workers and the views together. */
import { drawEachFrame } from "./frames";
import { exposeHooks } from "./hooks";
import { Lab } from "./lab";
import { initialState, Store } from "./store";
import { mountChecks, mountCode } from "./views/code";
import { mountChart } from "./views/chart";
import { mountControls, mountFocus } from "./views/controls";
import { mountFault } from "./views/fault";
import { mountHistoryTable } from "./views/history-table";
import { mountImageHistory } from "./views/image-history";
import { mountImages } from "./views/images";
import { mountMistake, mountWarnings } from "./views/mistake";
import { mountNetwork } from "./views/network";
import { mountOutcome } from "./views/outcome";
import { mountPresets } from "./views/presets";
import { mountResult } from "./views/result";
import { mountRunBar } from "./views/run-bar";
import { mountRuns } from "./views/runs";
import { mountSettings } from "./views/settings";
import { mountTheme } from "./views/theme";

const store = new Store(initialState);
const lab = new Lab(store, new URLSearchParams(location.search).get("backend"));
mountTheme();

const views = [
  mountPresets,
  mountControls,
  mountMistake,
  mountWarnings,
  mountSettings,
  mountFocus,
  mountNetwork,
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
].map((mount) => mount(lab));

drawEachFrame(store, views);
exposeHooks(lab, store);
void lab.boot().then(() => performance.mark("ready"));
