/** What the page knows of the session: the server's lists, and how the line to it is. */

import type {
  About, Fault, Job, NetworkSummary, Part, Result, Sample, Styles, Training, TrainingOptions,
} from "../api/types";
import { api, Refusal } from "../api/client";
import { Cell } from "./cell";

type Book<T> = ReadonlyMap<string, T>;

export const about = new Cell<About | undefined>(undefined);
export const samples = new Cell<readonly Sample[]>([]);
export const styles = new Cell<Styles>({ styles: [], problems: [] });
export const networks = new Cell<readonly NetworkSummary[]>([]);
export const trainingOptions = new Cell<TrainingOptions | undefined>(undefined);
export const jobs = new Cell<Book<Job>>(new Map());
export const parts = new Cell<Book<readonly Part[]>>(new Map());
export const results = new Cell<Book<Result>>(new Map());
export const trainings = new Cell<Book<Training>>(new Map());

/** `locked`: the server wants its token first. */
export const line = new Cell<"joining" | "joined" | "lost" | "locked">("joining");

/** What went wrong, until it is put away. */
export const trouble = new Cell<Fault | undefined>(undefined);

/** What a screen reader says next. */
export const spoken = new Cell("");

export function put<T>(book: Cell<Book<T>>, key: string, value: T): void {
  book.change((now) => new Map(now).set(key, value));
}

export function drop<T>(book: Cell<Book<T>>, key: string): void {
  book.change((now) => {
    const next = new Map(now);
    next.delete(key);
    return next;
  });
}

function keyed<T extends { id: string }>(list: readonly T[]): Book<T> {
  return new Map(list.map((one) => [one.id, one]));
}

/** Shows what went wrong. What was cancelled is nothing wrong. */
export function complain(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (error instanceof Refusal) {
    trouble.value = error.fault;
    if (error.status === 401) line.value = "locked";
    return;
  }
  console.error(error);
  const message = error instanceof Error ? error.message : String(error);
  trouble.value = { code: "internal", message: `Something went wrong: ${message}`, remedy: "Reload the page." };
}

/** What does not change while the server runs, and styles. */
export async function learn(): Promise<void> {
  const [known, shipped] = await Promise.all([api.about(), api.samples(), refreshStyles()]);
  samples.value = shipped;
  const { inspect } = known.features;
  const [nets, options] = await Promise.all([inspect ? api.networks() : [], api.training()]);
  networks.value = nets;
  trainingOptions.value = options;
  about.value = known; // last: from then on it is known which views there are
}

export async function refreshStyles(): Promise<void> {
  styles.value = await api.styles();
}

/** Fetches the history, which events do not tell. */
export async function catchUpResults(): Promise<void> {
  results.value = keyed(await api.results());
}

/** Fetches everything, after events were lost. */
export async function catchUp(): Promise<void> {
  const [allJobs, allTrainings] = await Promise.all([api.jobs(), api.trainings(), catchUpResults()]);
  allJobs.forEach(learnJob);
  trainings.value = keyed(allTrainings);
}

/** Answers and events overtake each other: what has ended is not begun again by older news. */
export function learnJob(job: Job): void {
  const known = jobs.value.get(job.id);
  if (!known || isActive(known) || !isActive(job)) put(jobs, job.id, job);
}

/** A run that has made its style has changed the gallery. */
export function learnTraining(training: Training): void {
  const before = trainings.value.get(training.id);
  put(trainings, training.id, training);
  if (training.style && training.style !== before?.style) void refreshStyles().catch(complain);
}

export function isActive(job: Job | undefined): boolean {
  return job?.state === "queued" || job?.state === "running";
}
