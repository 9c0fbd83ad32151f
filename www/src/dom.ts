/** Helpers for views, which change the page only where a value differs. */

export function byId<E extends Element = HTMLElement>(id: string, type?: new () => E): E {
  const found = document.getElementById(id);
  if (found === null || (type !== undefined && !(found instanceof type))) throw new Error(`No #${id} on the page`);
  return found as Element as E;
}

export function setText(element: Element, text: string) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setShown(element: HTMLElement, shown: boolean) {
  if (element.hidden === shown) element.hidden = !shown;
}

/** Enables or disables a button by `aria-disabled`, which, unlike `disabled`, keeps its focus. */
export function setEnabled(element: HTMLElement, enabled: boolean) {
  setAttribute(element, "aria-disabled", String(!enabled));
}

export function make<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const TICK = "M2.5 8.5 L6.5 12.5 L13.5 3.5";
const CROSS = "M3 3 L13 13 M13 3 L3 13";

/** Makes a tick or a cross: right and wrong differ in shape as well as in colour. */
export function makeMark(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "mark");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  return svg;
}

export function setMark(svg: SVGSVGElement, right: boolean | null) {
  const path = svg.firstElementChild;
  if (path !== null) setAttribute(path, "d", right === null ? "" : right ? TICK : CROSS);
  setAttribute(svg, "data-right", String(right));
}
