/** Training runs. */

import { Refusal, api } from "../api/client";
import type { Fault, Table, Training, TrainingRequest } from "../api/types";
import { Cell } from "./cell";
import { complain, drop, learnTraining, put, spoken, trainingOptions, trainings } from "./session";

export const selected = new Cell<string | undefined>(undefined);
export const curves = new Cell<{ losses: Table; validation: Table } | undefined>(undefined);
export const beginning = new Cell(false);
/** Why a run could not be begun, told at the form. */
export const refused = new Cell<Fault | undefined>(undefined);

/** The run that is looked at: the chosen one, else the first. */
export function current(all: ReadonlyMap<string, Training>, id: string | undefined): Training | undefined {
  return (id !== undefined ? all.get(id) : undefined) ?? listed(all)[0];
}

const AT_WORK = ["running", "stopping", "waiting", "elsewhere"];

export function isAtWork(run: Training): boolean {
  return AT_WORK.includes(run.state);
}

/** Those at work first. */
export function listed(all: ReadonlyMap<string, Training>): Training[] {
  return [...all.values()].sort((a, b) => Number(isAtWork(b)) - Number(isAtWork(a)));
}

export async function refreshOptions(): Promise<void> {
  trainingOptions.value = await api.training().catch((error: unknown) => {
    complain(error);
    return trainingOptions.value;
  });
}

/** Looks for what other programs do with runs, which no event tells. */
export async function lookAround(): Promise<void> {
  const all = await api.trainings();
  for (const run of all) {
    const known = trainings.value.get(run.id);
    if (known?.state !== "running" && known?.state !== "waiting") learnTraining(run);
  }
  for (const id of trainings.value.keys()) if (!all.some((run) => run.id === id)) drop(trainings, id);
}

/** The run whose curves are wanted. */
let drawn: string | undefined;

/** Fetches the curves of a run. */
export async function fetchCurves(id: string): Promise<void> {
  drawn = id;
  const [losses, validation] = await Promise.all([api.losses(id, 0), api.validation(id)]);
  if (drawn === id) curves.value = { losses, validation };
}

export async function train(request: TrainingRequest): Promise<boolean> {
  beginning.value = true;
  refused.value = undefined;
  try {
    const run = await api.train(request);
    put(trainings, run.id, run);
    selected.value = run.id;
    spoken.value = `Training ${run.name} has begun.`;
    return true;
  } catch (error) {
    if (error instanceof Refusal) refused.value = error.fault;
    else complain(error);
    return false;
  } finally {
    beginning.value = false;
  }
}

export async function steer(id: string, verb: "stop" | "resume"): Promise<void> {
  try {
    const run = await api.steer(id, verb);
    put(trainings, run.id, run);
    spoken.value = verb === "stop" ? "Stopping after this step." : "Going on.";
  } catch (error) {
    complain(error);
  }
}
