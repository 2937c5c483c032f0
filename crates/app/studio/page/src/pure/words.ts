/** Numbers in words. Units stay with their numbers: the spaces before them do not break. */

/** `340 B`, `1.2 MB`, `34 MB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)}\u00a0${units[unit]}`;
}

/** A time in round words, as the command line says it: `8 s`, `3 min`, `2 h 5 min`. */
export function time(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 100) return `${s}\u00a0s`;
  if (s < 6000) return `${Math.ceil(s / 60)}\u00a0min`;
  return `${Math.floor(s / 3600)}\u00a0h ${Math.floor((s % 3600) / 60)}\u00a0min`;
}

/** `4000 × 3000`. */
export function size(width: number, height: number): string {
  return `${width}\u00a0×\u00a0${height}`;
}

/** `73 %`. */
export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)}\u00a0%`;
}

/** `1.41e+6` for what is too large or small to read, else three digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(2).replace("e+", "e");
  return Number(value.toPrecision(3)).toString();
}

/** A number at an axis, as short as it can be: `5e5`, `200`. */
export function mark(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return Number(value.toPrecision(4)).toExponential().replace("e+", "e");
  return Number(value.toPrecision(4)).toString();
}

/** A number with its noun: `1 picture`, `3 pictures`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** `starry-night` as a title: `Starry night`. */
export function titled(name: string): string {
  const words = name.replace(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
