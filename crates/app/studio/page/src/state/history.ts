/** What of the session's jobs and results is listed. */

import type { Job, Result } from "../api/types";
import { isActive } from "./session";

/** Jobs that wait or run, the one that runs first; but for those that are shown elsewhere. */
export function waiting(all: ReadonlyMap<string, Job>, hushed: ReadonlySet<string>): Job[] {
  return [...all.values()]
    .filter((job) => isActive(job) && !hushed.has(job.id) && job.kind !== "gallery" && job.kind !== "proposals")
    .sort((a, b) => a.ahead - b.ahead || a.created - b.created);
}

/**
 * Results, newest first: of one picture in one style with strokes of one size only the largest, of one
 * picture in colour only the last.
 */
export function history(all: ReadonlyMap<string, Result>): Result[] {
  const best = new Map<string, Result>();
  for (const result of [...all.values()].sort((a, b) => a.created - b.created)) {
    if (!result.complete || result.kind === "gallery" || result.kind === "proposals") continue;
    const key = sameness(result);
    const before = best.get(key);
    if (!before || area(result) >= area(before)) best.set(key, result);
  }
  return [...best.values()].sort((a, b) => b.created - a.created);
}

function sameness(result: Result): string {
  const { kind, id, picture, request } = result;
  if (kind === "stylize") return JSON.stringify([kind, picture, request["style"], strokes(result)]);
  if (kind === "colorize") return JSON.stringify([kind, picture]);
  return id;
}

/** How large the strokes are beside the picture, whatever its size; 0 where they are as trained. */
function strokes({ request, width, height }: Result): string {
  const larger = Number(request["strokes"] ?? 1);
  return larger > 1 ? (larger / Math.max(width ?? 1, height ?? 1)).toPrecision(4) : "0";
}

function area({ width, height }: Result): number {
  return (width ?? 0) * (height ?? 0);
}
