/** A chart of losses by step. */

import { path, range, thinned, ticks, type Series } from "../pure/chart";
import { figure, mark } from "../pure/words";

export interface Line {
  readonly name: string;
  readonly points: Series;
  readonly look: "first" | "second";
}

const BOX = { width: 480, height: 190 };
const EDGE = { left: 52, right: 10, top: 10, bottom: 26 };

/** Points that one line is drawn with; more than the screen has columns would be wasted. */
const MOST = 400;

export function Chart({ title, lines }: { title: string; lines: readonly Line[] }) {
  const all = lines.flatMap((line) => line.points);
  const x = range(all.map(([step]) => step));
  const y = range(all.map(([, value]) => value));
  const inner = { width: BOX.width - EDGE.left - EDGE.right, height: BOX.height - EDGE.top - EDGE.bottom };
  const across = (v: number): number => ((v - x.from) / (x.to - x.from)) * inner.width;
  const up = (v: number): number => inner.height - ((v - y.from) / (y.to - y.from)) * inner.height;
  const last = lines.map((line) => `${line.name} ${figure(line.points.at(-1)?.[1] ?? NaN)}`).join(", ");
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        {lines.map((line) => (
          <small key={line.name} class={line.look}>
            {line.name} <b>{figure(line.points.at(-1)?.[1] ?? NaN)}</b>
          </small>
        ))}
      </figcaption>
      {all.length === 0 ? (
        <p class="note chart-none">Nothing yet</p>
      ) : (
        <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} role="img" aria-label={`${title} by step; now ${last}`}>
          <g transform={`translate(${EDGE.left} ${EDGE.top})`}>
            {ticks(y).map((v) => (
              <g key={v} transform={`translate(0 ${up(v)})`}>
                <line x2={inner.width} class="grid" />
                <text x={-8} dy="0.32em" text-anchor="end">{mark(v)}</text>
              </g>
            ))}
            {ticks(x).map((v) => (
              <text key={v} x={across(v)} y={inner.height + 18} text-anchor="middle">{mark(v)}</text>
            ))}
            {lines.map((line) => (
              <path key={line.name} class={`line ${line.look}`} d={path(thinned(line.points, MOST), x, y, inner)} />
            ))}
          </g>
        </svg>
      )}
    </figure>
  );
}
