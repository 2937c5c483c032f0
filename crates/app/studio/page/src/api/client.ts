/** Requests to the server that served the page, and to no other. */

import type {
  About, Fault, Job, JobRequest, Network, NetworkSummary, Picture, Result, Sample, Styles, Table,
  Training, TrainingOptions, TrainingRequest,
} from "./types";

/** What the server refused, in its own words. */
export class Refusal extends Error {
  constructor(
    readonly fault: Fault,
    readonly status: number,
    /** Seconds after which to try again, if the server said so. */
    readonly retryAfter?: number,
  ) {
    super(fault.message);
  }
}

const AWAY: Fault = {
  code: "away",
  message: "The studio does not answer.",
  remedy: "See whether it is still running where you started it.",
};

async function ask(method: string, path: string, body?: BodyInit, type?: string): Promise<Response> {
  const init: RequestInit = { method, ...(body !== undefined && { body }) };
  if (type) init.headers = { "Content-Type": type };
  const answer = await fetch(path, init).catch(() => undefined);
  if (!answer) throw new Refusal(AWAY, 0);
  if (answer.ok) return answer;
  const told = (await answer.json().catch(() => undefined)) as { error?: Fault } | undefined;
  const fault = told?.error ?? { code: "internal", message: `The studio answered ${answer.status}.`, remedy: "" };
  const after = Number(answer.headers.get("Retry-After") ?? NaN);
  throw new Refusal(fault, answer.status, ...(Number.isFinite(after) ? [after] : []));
}

async function read<T>(path: string): Promise<T> {
  return (await ask("GET", path)).json() as Promise<T>;
}

async function send<T>(path: string, body: unknown): Promise<T> {
  return (await ask("POST", path, JSON.stringify(body), "application/json")).json() as Promise<T>;
}

const part = encodeURIComponent;

/** How a result is shown and saved, where it can be blended. */
export interface Blend {
  readonly strength: number;
  readonly keep: number;
}

export const api = {
  about: () => read<About>("/api/about"),
  async signIn(token: string): Promise<void> {
    await ask("POST", "/api/session", JSON.stringify({ token }), "application/json");
  },

  pictures: async () => (await read<{ pictures: Picture[] }>("/api/pictures")).pictures,
  picture: (id: string) => read<Picture>(`/api/pictures/${part(id)}`),
  async upload(file: Blob, name: string, type: string): Promise<Picture> {
    const path = `/api/pictures?name=${part(name.slice(-255))}`;
    return (await ask("POST", path, file, type)).json() as Promise<Picture>;
  },
  samples: async () => (await read<{ samples: Sample[] }>("/api/samples")).samples,
  async openSample(name: string): Promise<Picture> {
    return (await ask("POST", `/api/samples/${part(name)}`)).json() as Promise<Picture>;
  },

  styles: () => read<Styles>("/api/styles"),

  submit: (request: JobRequest & { client?: string }) => send<Job>("/api/jobs", request),
  jobs: async () => (await read<{ jobs: Job[] }>("/api/jobs")).jobs,
  async cancel(id: string): Promise<Job> {
    return (await ask("DELETE", `/api/jobs/${part(id)}`)).json() as Promise<Job>;
  },

  results: async () => (await read<{ results: Result[] }>("/api/results")).results,
  result: (id: string) => read<Result>(`/api/results/${part(id)}`),
  async forget(id: string): Promise<void> {
    await ask("DELETE", `/api/results/${part(id)}`);
  },

  networks: async () => (await read<{ networks: NetworkSummary[] }>("/api/networks")).networks,
  network: (id: string) => read<Network>(`/api/networks/${part(id)}`),

  training: () => read<TrainingOptions>("/api/training"),
  trainings: async () => (await read<{ trainings: Training[] }>("/api/trainings")).trainings,
  train: (request: TrainingRequest) => send<Training>("/api/trainings", request),
  losses: (id: string, after: number) => read<Table>(`/api/trainings/${part(id)}/losses?after=${after}`),
  validation: (id: string) => read<Table>(`/api/trainings/${part(id)}/validation`),
  async steer(id: string, verb: "stop" | "resume"): Promise<Training> {
    return (await ask("POST", `/api/trainings/${part(id)}/${verb}`)).json() as Promise<Training>;
  },
};

/** Addresses of images. */
export const at = {
  picture: (id: string, side: number) => `/api/pictures/${part(id)}/preview?side=${side}`,
  sample: (name: string, side: number) => `/api/samples/${part(name)}/preview?side=${side}`,
  preview: (id: string, side: number) => `/api/results/${part(id)}/preview?side=${side}`,
  kept: (id: string, side: number) => `/api/results/${part(id)}/preview?side=${side}&colors=picture`,
  original: (id: string, side: number) => `/api/results/${part(id)}/original?side=${side}`,
  file(id: string, format: string | undefined, blend: Blend | undefined): string {
    const query = new URLSearchParams();
    if (format) query.set("format", format);
    if (blend && blend.strength < 1) query.set("strength", String(blend.strength));
    if (blend && blend.keep > 0) query.set("keep", String(blend.keep));
    const words = query.toString();
    return `/api/results/${part(id)}/file${words && `?${words}`}`;
  },
};
