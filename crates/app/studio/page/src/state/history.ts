/** What of the session's jobs and results is listed. */

import type { Job, Result } from "../api/types";
import { isActive } from "./session";

/** Jobs that wait or run, the one that runs first; but for those that are shown elsewhere. */
export function waiting(all: ReadonlyMap<string, Job>, hushed: ReadonlySet<string>): Job[] {
  return [...all.values()]
    .filter((job) => isActive(job) && !hushed.has(job.id) && job.kind !== "gallery" && job.kind !== "proposals")
    .sort((a, b) => a.ahead - b.ahead || a.created - b.created);
}

/** Results, newest first, without those that give way to another. */
export function history(all: ReadonlyMap<string, Result>): Result[] {
  const listed = [...all.values()].filter(({ complete, kind }) => complete && kind !== "gallery" && kind !== "proposals");
  return listed.filter((one) => !listed.some((other) => givesWay(one, other))).sort((a, b) => b.created - a.created);
}

/** Whether one need not be listed beside another of the same picture. */
function givesWay(one: Result, other: Result): boolean {
  if (one.kind !== other.kind || one.picture !== other.picture) return false;
  const newer = other.created > one.created;
  if (one.kind === "colorize") return newer;
  if (one.kind !== "stylize" || one.request["style"] !== other.request["style"]) return false;
  return (long(one) < long(other) || (newer && long(one) === long(other))) && looksAs(one, other);
}

/** Whether a painting shows how a larger one looks: with as large strokes beside the picture, or as what that was painted over. */
function looksAs(one: Result, other: Result): boolean {
  const [begun, whole] = [long(one) / strokesOf(one), long(other) / strokesOf(other)];
  return Math.abs(begun - whole) <= 0.001 * whole || (strokesOf(one) === 1 && begun <= whole);
}

/** How many times as large strokes were asked for. */
export function strokesOf({ request }: Pick<Result, "request">): number {
  return Number(request["strokes"] ?? 1);
}

/** The longer side. */
export function long({ width, height }: Result): number {
  return Math.max(width ?? 0, height ?? 0);
}
