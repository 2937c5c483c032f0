/** What the server says, as far as the page reads it. See api/openapi.json. */

export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface FileFormat {
  readonly format: string;
  readonly media_type: string;
  readonly extension: string;
}

export interface About {
  readonly version: string;
  readonly threads: number;
  readonly limits: {
    readonly upload_bytes: number;
    readonly pixels: number;
    readonly queue: number;
    readonly memory_bytes: number;
    readonly result_seconds: number;
    readonly stored_bytes: number;
  };
  readonly features: Readonly<Record<"stylize" | "colorize" | "inspect" | "train", boolean>>;
  readonly reads: readonly FileFormat[];
  readonly writes: readonly FileFormat[];
}

export interface Picture {
  readonly id: string;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly depth: number;
  readonly alpha: boolean;
  readonly in_color: boolean;
  readonly metadata: readonly string[];
  readonly bytes: number;
  readonly sample: string | null;
}

export interface Sample {
  readonly name: string;
  readonly title: string;
  readonly credit: string;
  readonly licence: string;
  readonly width: number;
  readonly height: number;
}

export interface Style {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly painting: string;
  readonly origin: "shipped" | "user";
}

export interface Styles {
  readonly styles: readonly Style[];
  readonly problems: readonly { readonly file: string; readonly message: string }[];
}

export interface PlainHint {
  readonly x: number;
  readonly y: number;
  readonly color: string;
}

export type JobRequest =
  | { kind: "stylize"; picture: string; style: string; size?: number; strokes?: number }
  | { kind: "gallery"; picture: string; styles?: readonly string[]; side?: number }
  | Colouring
  | { kind: "proposals"; picture: string; x: number; y: number; hints: readonly PlainHint[]; count?: number }
  | { kind: "activations"; picture: string; network: string; layer: string }
  | { kind: "filters"; network: string; layer: string }
  | { kind: "cam"; picture: string; network: string; layer?: string; method: string; class?: number };

export interface Colouring {
  kind: "colorize";
  picture: string;
  hints: readonly PlainHint[];
  saturation: number;
  temperature: number;
  recolor: boolean;
}

export type Kind = JobRequest["kind"];

export interface Job {
  readonly id: string;
  readonly kind: Kind;
  readonly state: "queued" | "running" | "done" | "failed" | "cancelled";
  readonly ahead: number;
  readonly fraction: number;
  readonly stage: string;
  readonly seconds_left: number | null;
  readonly created: number;
  readonly request: Readonly<Record<string, unknown>>;
  readonly result: string | null;
  readonly error: Fault | null;
}

/** An image that is there before its job is done. */
export interface Part {
  readonly job: string;
  readonly result: string;
  readonly role: "quick" | "thumbnail" | "pattern";
  readonly index: number;
  readonly style: string | null;
  readonly channel: number | null;
  readonly url: string;
}

export interface ResultImage {
  readonly index: number;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly style: string | null;
  readonly channel: number | null;
  readonly answer: number | null;
}

export interface Result {
  readonly id: string;
  readonly job: string;
  readonly kind: Kind;
  readonly complete: boolean;
  readonly created: number;
  readonly request: Readonly<Record<string, unknown>>;
  readonly picture: string | null;
  readonly title: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly blend: boolean;
  readonly images: readonly ResultImage[];
  readonly data: unknown;
}

export interface ProposalsData {
  readonly colors: readonly { readonly color: string; readonly probability: number }[];
}

export interface ActivationsData {
  readonly layer: string;
  readonly operation: string;
  readonly channels: number;
  readonly columns: number;
  readonly cell_width: number;
  readonly cell_height: number;
  readonly silent: number;
}

export interface FiltersData {
  readonly layer: string;
  readonly mute: number;
}

export interface CamData {
  readonly layer: string | null;
  readonly method: string;
  readonly class: number;
  readonly class_name: string;
  readonly score: number;
  readonly fault: string | null;
  readonly classes: readonly { readonly class: number; readonly name: string; readonly probability: number }[];
}

export interface NetworkSummary {
  readonly id: string;
  readonly title: string;
  readonly kind: "classifier" | "style";
  readonly classes: number;
}

export interface Layer {
  readonly name: string;
  readonly operation: string;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly parameters: number;
  readonly activations: boolean;
  readonly filters: boolean;
  readonly cam: boolean;
}

export interface Network extends NetworkSummary {
  readonly parameters: number;
  readonly width: number;
  readonly height: number;
  readonly layers: readonly Layer[];
  readonly defaults: Readonly<Record<"activations" | "filters" | "cam", string | null>>;
  readonly methods: readonly { readonly name: string; readonly layer: boolean; readonly slow: boolean }[];
  readonly class_names: readonly string[];
}

export interface Recipe {
  readonly name: string;
  readonly loss_network: string;
  readonly batch: number;
  readonly size: number;
  readonly style_size: number | null;
  readonly steps: number | null;
  readonly epochs: number;
  readonly start: string | null;
}

export interface TrainingOptions {
  readonly available: boolean;
  readonly remedy: string | null;
  readonly folders: readonly { readonly id: string; readonly name: string; readonly photographs: number }[];
  readonly recipes: readonly Recipe[];
  readonly loss_networks: readonly { readonly name: string; readonly available: boolean; readonly remedy: string | null }[];
  readonly starts: readonly string[];
}

export interface TrainingRequest {
  name: string;
  painting: string;
  folder: string;
  recipe: string;
  steps?: number;
  size?: number;
  batch?: number;
}

export interface Losses {
  readonly content: number;
  readonly style: number;
  readonly variation: number;
  readonly total: number;
}

export interface Training {
  readonly id: string;
  readonly name: string;
  readonly origin: "studio" | "command";
  readonly state: "waiting" | "running" | "stopping" | "stopped" | "done" | "failed" | "elsewhere";
  readonly steps: number;
  readonly total: number | null;
  readonly seconds_left: number | null;
  readonly steps_per_second: number | null;
  readonly losses: Losses | null;
  readonly validation: Losses | null;
  readonly previews: readonly { readonly index: number; readonly step: number; readonly name: string; readonly url: string }[];
  readonly style: string | null;
  readonly can_resume: boolean;
  readonly note: string | null;
  readonly error: Fault | null;
}

/** Rows of numbers, by step. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
}
