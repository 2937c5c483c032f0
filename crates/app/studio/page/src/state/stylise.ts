/** The picture in a style. */

import type { Job, JobRequest, Result } from "../api/types";
import type { Size } from "../pure/view";
import { size } from "../pure/words";
import { Cell } from "./cell";
import { long, strokesOf } from "./history";
import { opened } from "./picture";
import { complain, results, spoken, styles } from "./session";
import { patiently, run } from "./work";

/** Longer side of what a click on a style paints: enough to judge by, and there at once. */
export const LOOK = 1024;

/** How many times as large strokes can be, in the painting at the wanted size. */
export const STROKES: readonly number[] = [1, 2, 4, 8];

/** The shorter the first painting's longer side, the less is left of the picture. */
const SHORTEST = 100;

/** Of the command's own choice the first painting's longer side is no shorter (decision 0046). */
const FITTING = 640;

/** What the stage shows of a style: a result, or the quick version of one. */
export interface Painted {
  readonly style: string;
  readonly result: string;
  /** The quick version's address while the rest is still being painted. */
  readonly quick?: string;
}

export const chosen = new Cell<string | undefined>(undefined);
export const strength = new Cell(1);
export const keep = new Cell(0);
/** Longer side of the painting; none: the picture's own. */
export const wanted = new Cell<number | undefined>(undefined);
/** One of {@link STROKES}; none: those that fit the painting. */
export const strokes = new Cell<number | undefined>(undefined);
export const thumbnails = new Cell<ReadonlyMap<string, string>>(new Map());
export const painted = new Cell<Painted | undefined>(undefined);
/** Whether a look is being painted. */
export const looking = new Cell(false);

let gallery = new AbortController();
let look = new AbortController();

/** Styles whose thumbnails were asked for. */
let asked = new Set<string>();

/** Begins anew with the picture that is open now. */
export function begin(): void {
  gallery.abort();
  look.abort();
  asked = new Set();
  gallery = new AbortController();
  thumbnails.value = new Map();
  painted.value = undefined;
  const early = chosen.value;
  chosen.value = undefined;
  wanted.value = undefined;
  strokes.value = undefined;
  fillGallery();
  // a style that was chosen while the picture was on its way; another picture was none before
  if (early && opened.value?.picture) choose(early);
}

/** Asks for the thumbnails that are missing. */
export function fillGallery(): void {
  const picture = opened.value?.picture;
  const missing = styles.value.styles.map((style) => style.id).filter((id) => !asked.has(id));
  if (!picture || missing.length === 0) return;
  const mine = asked;
  for (const id of missing) mine.add(id);
  const part = (one: { style: string | null; url: string }): void =>
    thumbnails.change((now) => (one.style ? new Map(now).set(one.style, one.url) : now));
  const request = { kind: "gallery" as const, picture: picture.id, styles: missing };
  patiently(request, { part, signal: gallery.signal, quiet: true }).catch((error: unknown) => {
    for (const id of missing) mine.delete(id); // to be asked for again when the line is back
    complain(error);
  });
}

/** Longer side of the painting that is wanted. */
export function longSide(): number {
  const size = opened.value?.size;
  return wanted.value ?? Math.max(size?.width ?? 0, size?.height ?? 0);
}

export function choose(style: string): void {
  chosen.value = style;
  const ready = best(style);
  if (ready) {
    look.abort();
    show(ready);
    return;
  }
  void paint(style, Math.min(LOOK, longSide()), "look");
}

export function resize(side: number | undefined): void {
  wanted.value = side;
  if (chosen.value) choose(chosen.value);
}

/** How many times as large strokes are at the wanted size. */
export function largerBy(): number {
  return strokes.value ?? STROKES.filter((one) => one === 1 || longSide() / one >= FITTING).at(-1) ?? 1;
}

export function restroke(to: number): void {
  strokes.value = to;
  if (chosen.value) choose(chosen.value);
}

/** The strokes that leave something of the picture, and those that are chosen. */
export function possibleStrokes(): readonly number[] {
  return STROKES.filter((one) => one === 1 || one === largerBy() || longSide() / one >= SHORTEST);
}

/** What to ask for at a size so that it looks as the painting at the wanted size. */
function strokesAt(side: number): number {
  return Math.max(1, (largerBy() * side) / longSide());
}

/** Whether what is shown is smaller than what is wanted. */
export function isLook(shown: Painted | undefined, all: ReadonlyMap<string, Result>): boolean {
  const result = shown && all.get(shown.result);
  return !result || long(result) < longSide();
}

/** The painting at the wanted size, in its turn. */
export function paintWhole(): void {
  if (chosen.value) void paint(chosen.value, longSide(), "whole");
}

async function paint(style: string, side: number, what: "look" | "whole"): Promise<void> {
  const picture = opened.value?.picture;
  if (!picture) return;
  const own = Math.max(picture.width, picture.height);
  const larger = strokesAt(side);
  const request = {
    kind: "stylize" as const, picture: picture.id, style, ...(side !== own && { size: side }), ...(larger > 1 && { strokes: larger }),
  };
  try {
    const result = what === "look" ? await glimpse(request) : await run(request);
    if (chosen.value === style && opened.value?.picture?.id === picture.id) show(result);
    spoken.value = `${result.title} is painted.`;
  } catch (error) {
    complain(error);
  }
}

async function glimpse(request: JobRequest & { kind: "stylize" }): Promise<Result> {
  look.abort();
  const mine = (look = new AbortController());
  looking.value = true;
  try {
    const quick = (one: { role: string; result: string; url: string }): void => {
      if (one.role !== "quick" || mine.signal.aborted) return;
      painted.value = { style: request.style, result: one.result, quick: one.url };
    };
    return await run(request, { part: quick, signal: mine.signal, quiet: true });
  } finally {
    if (look === mine) looking.value = false;
  }
}

function show(result: Result): void {
  painted.value = { style: String(result.request["style"]), result: result.id };
}

/** Shows a result of the history. */
export function revisit(result: Result): void {
  look.abort();
  looking.value = false;
  chosen.value = String(result.request["style"]);
  const side = result.request["size"];
  wanted.value = typeof side === "number" && side !== LOOK ? side : undefined;
  const larger = strokesOf(result);
  strokes.value = undefined;
  if (strokesAt(long(result)) !== larger) {
    const there = larger > 1 ? (0.99 * larger * longSide()) / long(result) : 1;
    strokes.value = STROKES.find((one) => one >= there) ?? 1;
  }
  show(result);
}

/** The largest painting of a style that is there and not larger than wanted. */
function best(style: string): Result | undefined {
  const picture = opened.value?.picture?.id;
  const enough = Math.min(LOOK, longSide());
  return [...results.value.values()]
    .filter((r) => r.kind === "stylize" && r.complete && r.picture === picture && r.request["style"] === style)
    .filter((r) => long(r) >= enough && long(r) <= longSide() && strokesOf(r) === strokesAt(long(r)))
    .sort((a, b) => long(b) - long(a))[0];
}

/** Whether a job paints at the wanted size what is chosen now. */
export function isWhole(job: Job): boolean {
  const { kind, request } = job;
  const picture = opened.value?.picture;
  if (kind !== "stylize" || request["picture"] !== picture?.id || request["style"] !== chosen.value) return false;
  const own = Math.max(picture?.width ?? 0, picture?.height ?? 0);
  return (request["size"] ?? own) === longSide() && strokesOf(job) === largerBy();
}

/** The wanted size, `4000 × 3000`. */
export function measured(own: Size): string {
  const by = longSide() / Math.max(own.width, own.height);
  return size(Math.max(1, Math.round(own.width * by)), Math.max(1, Math.round(own.height * by)));
}
