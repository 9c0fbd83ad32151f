/** The view for projectors, `?view=stage`: only the bar and the stage, in large type. As in stage-view.css. */
export const isStageView = new URLSearchParams(globalThis.location?.search ?? "").get("view") === "stage";
