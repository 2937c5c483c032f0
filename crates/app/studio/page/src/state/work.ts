/** Jobs: asking for one, following it, calling it off. */

import { Refusal, api } from "../api/client";
import type { Job, JobRequest, Part, Result } from "../api/types";
import { Cell } from "./cell";
import { clientName } from "./events";
import { complain, isActive, jobs, learnJob, parts, put, results, spoken } from "./session";

export interface Following {
  /** Told of every image that is there before the job is done, in order. */
  readonly part?: (part: Part) => void;
  /** Calls the job off. */
  readonly signal?: AbortSignal;
  /** Leaves it out of the list of jobs: what asked for it shows how it goes. */
  readonly quiet?: boolean;
}

/** Jobs that are left out of the list. */
export const hushed = new Cell<ReadonlySet<string>>(new Set());

/**
 * Runs a job to its end.
 *
 * Rejects with a {@link Refusal} if it is refused or fails, and with an `AbortError` if it
 * was called off, here or anywhere.
 */
export async function run(request: JobRequest, { part, signal, quiet }: Following = {}): Promise<Result> {
  const client = await clientName();
  signal?.throwIfAborted();
  const job = await api.submit({ ...request, client });
  if (!jobs.value.has(job.id)) learnJob(job); // an event may have said more of it already
  if (quiet) hushed.change((now) => new Set(now).add(job.id));
  const cancel = (): void => void api.cancel(job.id).catch(() => undefined);
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel);
  const untell = part ? telling(job.id, part) : undefined;
  const end = await ended(job.id);
  untell?.();
  signal?.removeEventListener("abort", cancel);
  return fetched(end);
}

/** How often what nobody ordered is asked for again. */
const TRIES = 5;

/**
 * Asks again when the server has no room now, as it says when, and when the job was called off
 * because the line broke: for what nobody waits for.
 */
export async function patiently(request: JobRequest, following: Following = {}): Promise<Result> {
  for (let tries = 0; ; tries++) {
    try {
      return await run(request, following);
    } catch (error) {
      const pause = secondsUntilAgain(error, following.signal);
      if (pause === undefined || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
    }
  }
}

/** None if asking again would not help, or is not wanted any more. */
function secondsUntilAgain(error: unknown, signal: AbortSignal | undefined): number | undefined {
  if (signal?.aborted) return undefined;
  if (error instanceof DOMException && error.name === "AbortError") return 0; // run waits for the line
  if (error instanceof Refusal && error.retryAfter !== undefined) return Math.max(1, error.retryAfter);
  return undefined;
}

function telling(job: string, part: (part: Part) => void): () => void {
  let told = 0;
  const tell = (): void => {
    const all = parts.value.get(job) ?? [];
    for (const one of all.slice(told)) {
      told += 1;
      part(one);
    }
  };
  tell();
  return parts.watch(tell);
}

function ended(id: string): Promise<Job> {
  return new Promise((resolve) => {
    const look = (): void => {
      const job = jobs.value.get(id);
      if (!job || isActive(job)) return;
      unwatch();
      resolve(job);
    };
    const unwatch = jobs.watch(look);
    look();
  });
}

async function fetched(job: Job): Promise<Result> {
  if (job.state === "cancelled") throw new DOMException("called off", "AbortError");
  if (job.error) throw new Refusal(job.error, 500);
  if (!job.result) throw new Error("a job ended with nothing");
  const result = results.value.get(job.result) ?? (await api.result(job.result));
  const kept = job.kind !== "gallery" && job.kind !== "proposals";
  if (kept) put(results, result.id, result);
  return result;
}

export function cancel(id: string): void {
  spoken.value = "Cancelled.";
  api.cancel(id).then(learnJob, complain);
}
