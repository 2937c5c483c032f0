/** The stream of events that keeps the page up to date. */

import { Refusal, api } from "../api/client";
import type { Job, Part, Training } from "../api/types";
import { catchUp, catchUpResults, complain, drop, isActive, jobs, learnJob, learnTraining, line, parts, put, results, trainings } from "./session";

/** Milliseconds before the next try when the server is away. */
const PAUSE = 1500;

let source: EventSource | undefined;
let client: string | undefined;
let waiting: ((client: string) => void)[] = [];

/** The name under which the server knows this page, as soon as it has said it. */
export function clientName(): Promise<string> {
  return client ? Promise.resolve(client) : new Promise((resolve) => waiting.push(resolve));
}

export function listen(): void {
  source?.close();
  source = new EventSource("/api/events");
  on<{ client: string }>("hello", (hello) => void greet(hello.client));
  on<Job>("job", heard);
  on<Part>("part", (part) => put(parts, part.job, [...(parts.value.get(part.job) ?? []), part]));
  on<{ id: string }>("result-gone", ({ id }) => drop(results, id));
  on<Training>("training", learnTraining);
  on("lagged", () => void catchUp().catch(complain));
  source.onerror = () => void lost();
}

function on<T>(name: string, then: (said: T) => void): void {
  source?.addEventListener(name, (event) => then(JSON.parse((event as MessageEvent<string>).data) as T));
}

/** One event for each job and training that there is follows. */
async function greet(name: string): Promise<void> {
  client = name;
  jobs.value = new Map();
  trainings.value = new Map();
  await catchUpResults().catch(complain);
  if (client !== name) return; // the line broke meanwhile
  line.value = "joined";
  for (const resolve of waiting) resolve(name);
  waiting = [];
}

async function lost(): Promise<void> {
  source?.close();
  client = undefined;
  if (line.value === "joined") line.value = "lost";
  jobs.change(calledOff);
  const locked = await api.about().then(() => false, lockedOut);
  if (locked) line.value = "locked";
  else setTimeout(listen, PAUSE);
}

/** Whether it wants a token; if it does not answer at all, the page says so, had it been joined or not. */
function lockedOut(error: unknown): boolean {
  if (error instanceof Refusal && error.status === 401) return true;
  line.value = "lost";
  return false;
}

/** The server calls off what a page wanted that is gone: so it is for the page too. */
function calledOff(all: ReadonlyMap<string, Job>): ReadonlyMap<string, Job> {
  const off = (job: Job): Job => (isActive(job) ? { ...job, state: "cancelled" } : job);
  return new Map([...all].map(([id, job]) => [id, off(job)]));
}

function heard(job: Job): void {
  const before = jobs.value.get(job.id);
  learnJob(job);
  if (job.state !== "done" || !isActive(before)) return;
  if (!job.result || job.kind === "proposals" || job.kind === "gallery") return;
  api.result(job.result).then((result) => put(results, result.id, result), complain);
}
