/** Whether the page is narrow: then the controls are a sheet, and the chart has the learning rate under it. As in layout.css. */
export const narrowPage = matchMedia("(max-width: 1023.98px)");
