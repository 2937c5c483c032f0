/** Zoom and pan: wheel, pinch, drag and keys. */

import { panned, zoomed, fit, type Point, type Size, type View } from "../pure/view";

export interface Window {
  readonly view: View;
  readonly picture: Size;
  readonly window: Size;
}

export interface Hands {
  now(): Window;
  set(view: View): void;
  /** A tap or click that was no drag, at a place of the window. */
  press(at: Point): void;
}

/** Screen pixels that a finger may tremble. */
const TREMBLE = 5;
/** What one press of a key does. */
const KEY_ZOOM = 1.25;
const KEY_PAN = 64;

export function attach(element: HTMLElement, hands: Hands): () => void {
  const fingers = new Map<number, Point>();
  let moved = 0;
  const place = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const off = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(name: K, then: (event: HTMLElementEventMap[K]) => void): void =>
    element.addEventListener(name, then, { signal: off.signal, passive: false });

  on("wheel", (event) => wheel(event, place(event), hands));
  on("pointerdown", (event) => {
    if (event.button !== 0 || (event.target as Element).closest("button, [role=slider], [role=dialog]")) return;
    fingers.set(event.pointerId, place(event));
    element.setPointerCapture(event.pointerId);
    if (fingers.size === 1) moved = 0;
  });
  on("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    if (other) pinch(before, now, other, hands);
    else if (moved > TREMBLE) drag(before, now, hands);
  });
  on("pointerup", (event) => {
    const last = fingers.size === 1 && fingers.has(event.pointerId);
    fingers.delete(event.pointerId);
    if (last && moved <= TREMBLE) hands.press(place(event));
  });
  on("pointercancel", (event) => void fingers.delete(event.pointerId));
  on("keydown", (event) => key(event, element, hands));
  return () => off.abort();
}

function wheel(event: WheelEvent, at: Point, hands: Hands): void {
  // where the page itself scrolls, only a pinch on a trackpad zooms
  const scrolls = document.documentElement.scrollHeight > document.documentElement.clientHeight + 1;
  if (scrolls && !event.ctrlKey) return;
  event.preventDefault();
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
  const by = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016));
  const { view, picture, window } = hands.now();
  hands.set(zoomed(view, view.scale * by, at, picture, window));
}

function drag(before: Point, now: Point, hands: Hands): void {
  const { view, picture, window } = hands.now();
  hands.set(panned(view, { x: now.x - before.x, y: now.y - before.y }, picture, window));
}

function pinch(before: Point, now: Point, other: Point, hands: Hands): void {
  const apart = (a: Point): number => Math.max(8, Math.hypot(a.x - other.x, a.y - other.y));
  const about = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
  const { view, picture, window } = hands.now();
  const larger = zoomed(view, (view.scale * apart(now)) / apart(before), about, picture, window);
  hands.set(panned(larger, { x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 }, picture, window));
}

function key(event: KeyboardEvent, element: HTMLElement, hands: Hands): void {
  if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = keyed(event.key, hands.now());
  if (!next) return;
  event.preventDefault();
  hands.set(next);
}

function keyed(name: string, { view, picture, window }: Window): View | undefined {
  const middle = { x: window.width / 2, y: window.height / 2 };
  const pan = (x: number, y: number): View => panned(view, { x: x * KEY_PAN, y: y * KEY_PAN }, picture, window);
  switch (name) {
    case "+": case "=": return zoomed(view, view.scale * KEY_ZOOM, middle, picture, window);
    case "-": return zoomed(view, view.scale / KEY_ZOOM, middle, picture, window);
    case "0": return fit(picture, window);
    case "1": return zoomed(view, 1 / devicePixelRatio, middle, picture, window);
    case "ArrowLeft": return pan(1, 0);
    case "ArrowRight": return pan(-1, 0);
    case "ArrowUp": return pan(0, 1);
    case "ArrowDown": return pan(0, -1);
    default: return undefined;
  }
}
