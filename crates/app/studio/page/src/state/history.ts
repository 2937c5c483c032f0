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
  const shown = [...best.values()];
  return shown.filter((one) => !shown.some((other) => begins(one, other))).sort((a, b) => b.created - a.created);
}

function sameness(result: Result): string {
  const { kind, id, picture, request } = result;
  if (kind === "stylize") return JSON.stringify([kind, picture, request["style"], strokes(result)]);
  if (kind === "colorize") return JSON.stringify([kind, picture]);
  return id;
}

/** How large the strokes are beside the picture, whatever its size; 0 where they are as trained. */
function strokes(result: Result): string {
  const larger = strokesOf(result);
  return larger > 1 ? (larger / long(result)).toPrecision(4) : "0";
}

/** Whether one is a look at another: no larger than what that was painted over. */
function begins(one: Result, other: Result): boolean {
  const looks = one.kind === "stylize" && other.kind === "stylize" && one.picture === other.picture;
  const same = looks && one.request["style"] === other.request["style"];
  return same && strokesOf(one) === 1 && long(one) < long(other) && long(one) <= long(other) / strokesOf(other);
}

/** How many times as large strokes were asked for. */
export function strokesOf({ request }: Pick<Result, "request">): number {
  return Number(request["strokes"] ?? 1);
}

/** The longer side. */
export function long({ width, height }: Result): number {
  return Math.max(width ?? 0, height ?? 0);
}

function area({ width, height }: Result): number {
  return (width ?? 0) * (height ?? 0);
}
