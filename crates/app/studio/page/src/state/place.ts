/** Which view is open, and how the page looks. */

import { Cell } from "./cell";

export type ViewName = "stylise" | "colour" | "inside" | "train";

export const VIEWS: readonly (readonly [name: ViewName, title: string])[] = [
  ["stylise", "Stylise"],
  ["colour", "Colour"],
  ["inside", "Look inside"],
  ["train", "Train"],
];

export const view = new Cell<ViewName>(named(location.hash) ?? "stylise");

function named(hash: string): ViewName | undefined {
  return VIEWS.find(([name]) => `#${name}` === hash)?.[0];
}

export function open(name: ViewName): void {
  view.value = name;
  history.replaceState(null, "", `#${name}`);
}

addEventListener("hashchange", () => (view.value = named(location.hash) ?? view.value));

/** `auto` follows the system. */
export type Theme = "auto" | "light" | "dark";

const MEMORY = "pentimento.theme";
const THEMES: readonly Theme[] = ["auto", "light", "dark"];

export const theme = new Cell<Theme>(THEMES.find((one) => one === localStorage.getItem(MEMORY)) ?? "auto");

export function wear(next: Theme): void {
  theme.value = next;
  localStorage.setItem(MEMORY, next);
  dress();
}

export function nextTheme(now: Theme): Theme {
  return THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "auto";
}

/** Puts the theme on the document. */
export function dress(): void {
  if (theme.value === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset["theme"] = theme.value;
}
