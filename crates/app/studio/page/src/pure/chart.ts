/** The arithmetic of a chart of losses. */

export type Series = readonly (readonly [x: number, y: number])[];

export interface Scale {
  readonly from: number;
  readonly to: number;
}

/** The range that all values lie in; never empty. */
export function range(values: Iterable<number>): Scale {
  let [from, to] = [Infinity, -Infinity];
  for (const v of values) {
    if (!Number.isFinite(v)) continue;
    from = Math.min(from, v);
    to = Math.max(to, v);
  }
  if (from > to) return { from: 0, to: 1 };
  if (from === to) return { from: from - Math.abs(from || 1) / 2, to: to + Math.abs(to || 1) / 2 };
  return { from, to };
}

/** At most `most` points, the mean of neighbours, so that a long run draws fast. */
export function thinned(series: Series, most: number): Series {
  const each = Math.ceil(series.length / most);
  if (each <= 1) return series;
  const out: [number, number][] = [];
  for (let i = 0; i < series.length; i += each) {
    const part = series.slice(i, i + each);
    const mean = part.reduce((sum, [, y]) => sum + y, 0) / part.length;
    out.push([part.at(-1)?.[0] ?? 0, mean]);
  }
  return out;
}

/** Round numbers, two to seven, within a scale. */
export function ticks({ from, to }: Scale): number[] {
  const widest = (to - from) / 2.5;
  const power = 10 ** Math.floor(Math.log10(widest));
  const by = power * ([5, 2].find((m) => m * power <= widest) ?? 1);
  const out: number[] = [];
  for (let i = Math.ceil(from / by); i * by <= to * (1 + 1e-9) && out.length < 8; i++) out.push(Number((i * by).toPrecision(12)));
  return out;
}

/** An SVG path through points brought to a box. */
export function path(series: Series, x: Scale, y: Scale, box: { width: number; height: number }): string {
  const at = (v: number, s: Scale, length: number): number => ((v - s.from) / (s.to - s.from)) * length;
  return series
    .filter(([, v]) => Number.isFinite(v))
    .map(([a, b], i) => {
      const [px, py] = [at(a, x, box.width), box.height - at(b, y, box.height)];
      return `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`;
    })
    .join("");
}
