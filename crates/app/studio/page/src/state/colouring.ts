/** The picture in colour, and the hints on it. */

import type { Colouring, ProposalsData, Result } from "../api/types";
import { placed, moved, recoloured, without, type Hints } from "../pure/hints";
import * as past from "../pure/past";
import { Cell } from "./cell";
import { opened } from "./picture";
import { complain, results, spoken } from "./session";
import { patiently, run } from "./work";

export const hints = new Cell<past.Past<Hints>>(past.begin([]));
export const saturation = new Cell(1);
export const temperature = new Cell(0.38);
/** Whether a picture that is in colour already may lose its own. */
export const recolour = new Cell(false);
export const coloured = new Cell<string | undefined>(undefined);
export const busy = new Cell(false);

/** Milliseconds that hints rest before the picture is coloured again. */
const REST = 150;

/** The paper's temperature. */
export const USUAL = 0.38;

let turn = new AbortController();
let timer: number | undefined;
/** Results by what was asked for, so that undo and redo are at once. */
let known = new Map<string, string>();

export function begin(): void {
  turn.abort();
  clearTimeout(timer);
  known = new Map();
  hints.value = past.begin([]);
  saturation.value = 1;
  temperature.value = USUAL;
  recolour.value = false;
  coloured.value = undefined;
}

function request(): Colouring | undefined {
  const picture = opened.value?.picture?.id;
  if (!picture) return undefined;
  const plain = hints.value.now.map(({ x, y, color }) => ({ x, y, color }));
  const how = { saturation: saturation.value, temperature: temperature.value, recolor: recolour.value };
  return { kind: "colorize", picture, hints: plain, ...how };
}

/** Colours the picture as everything stands now. */
export async function colour(): Promise<void> {
  const asked = request();
  if (!asked) return;
  turn.abort();
  const mine = (turn = new AbortController());
  const key = JSON.stringify(asked);
  const ready = known.get(key);
  if (ready && results.value.has(ready)) {
    coloured.value = ready;
    busy.value = false;
    return;
  }
  busy.value = true;
  try {
    const result = await run(asked, { signal: mine.signal });
    known.set(key, result.id);
    if (mine.signal.aborted) return;
    coloured.value = result.id;
    spoken.value = "The picture is coloured.";
  } catch (error) {
    complain(error);
  } finally {
    if (turn === mine) busy.value = false;
  }
}

/** Whether colouring would take no colours away that the picture has, or that was agreed to. */
export function mayColour(): boolean {
  return opened.value?.picture?.in_color === false || recolour.value;
}

/** As {@link colour}, once nothing more changes. */
export function colourSoon(): void {
  clearTimeout(timer);
  if (!mayColour()) return;
  timer = window.setTimeout(() => void colour(), REST);
}

function change(to: Hints): void {
  hints.change((now) => past.step(now, to));
  colourSoon();
}

export function addHint(at: { x: number; y: number }, color: string): void {
  const size = opened.value?.size;
  if (!size) return;
  change(placed(hints.value.now, { ...at, color }, size));
  spoken.value = `Hint placed at ${Math.round(at.x)}, ${Math.round(at.y)}.`;
}

export function moveHint(id: number, to: { x: number; y: number }): void {
  const size = opened.value?.size;
  if (size) change(moved(hints.value.now, id, to, size));
}

export function recolourHint(id: number, color: string): void {
  change(recoloured(hints.value.now, id, color));
}

export function deleteHint(id: number): void {
  change(without(hints.value.now, id));
  spoken.value = "Hint deleted.";
}

export function clearHints(): void {
  change([]);
  spoken.value = "All hints deleted.";
}

export function undo(): void {
  hints.change(past.undo);
  colourSoon();
}

export function redo(): void {
  hints.change(past.redo);
  colourSoon();
}

/** The colours that the network holds plausible at a place, likeliest first. */
export async function proposals(at: { x: number; y: number }, but: number | undefined, signal: AbortSignal): Promise<ProposalsData["colors"]> {
  const picture = opened.value?.picture?.id;
  if (!picture) return [];
  const others = hints.value.now.filter((hint) => hint.id !== but).map(({ x, y, color }) => ({ x, y, color }));
  const request = { kind: "proposals" as const, picture, ...at, hints: others, count: 8 };
  const result = await patiently(request, { signal, quiet: true });
  return (result.data as ProposalsData).colors;
}

/** Shows a result of the history, with its hints. */
export function revisit(result: Result): void {
  turn.abort();
  busy.value = false;
  const asked = result.request as unknown as Partial<Colouring>;
  hints.value = past.begin((asked.hints ?? []).map((hint, i) => ({ ...hint, id: i + 1 })));
  saturation.value = asked.saturation ?? 1;
  temperature.value = asked.temperature ?? USUAL;
  recolour.value = asked.recolor ?? false;
  coloured.value = result.id;
}
