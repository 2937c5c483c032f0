/** Hints of colour on a picture. */

/** A place, in pixels of the full picture, and its colour, `#rrggbb`. */
export interface Hint {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly color: string;
}

export type Hints = readonly Hint[];

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function placed(hints: Hints, at: Omit<Hint, "id">, within: Size): Hints {
  const id = 1 + hints.reduce((most, hint) => Math.max(most, hint.id), 0);
  return [...hints, { ...at, ...inside(at, within), id }];
}

export function moved(hints: Hints, id: number, to: { x: number; y: number }, within: Size): Hints {
  return hints.map((hint) => (hint.id === id ? { ...hint, ...inside(to, within) } : hint));
}

export function recoloured(hints: Hints, id: number, color: string): Hints {
  return hints.map((hint) => (hint.id === id ? { ...hint, color } : hint));
}

export function without(hints: Hints, id: number): Hints {
  return hints.filter((hint) => hint.id !== id);
}

/** The pixel that a place falls on: whole, and within the picture. */
export function inside({ x, y }: { x: number; y: number }, { width, height }: Size): { x: number; y: number } {
  const whole = (v: number, most: number): number => Math.min(most - 1, Math.max(0, Math.floor(v)));
  return { x: whole(x, width), y: whole(y, height) };
}
