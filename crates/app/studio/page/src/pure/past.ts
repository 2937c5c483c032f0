/** A value with what it was before, and what was undone. */
export interface Past<T> {
  readonly before: readonly T[];
  readonly now: T;
  readonly after: readonly T[];
}

/** More steps back than anybody takes. */
const LONGEST = 200;

export function begin<T>(now: T): Past<T> {
  return { before: [], now, after: [] };
}

/** Goes on to a new value; what was undone is forgotten. */
export function step<T>(past: Past<T>, now: T): Past<T> {
  return { before: [...past.before, past.now].slice(-LONGEST), now, after: [] };
}

export function undo<T>(past: Past<T>): Past<T> {
  const last = past.before.at(-1);
  if (last === undefined) return past;
  return { before: past.before.slice(0, -1), now: last, after: [past.now, ...past.after] };
}

export function redo<T>(past: Past<T>): Past<T> {
  const [next, ...after] = past.after;
  if (next === undefined) return past;
  return { before: [...past.before, past.now], now: next, after };
}
