/** Looking into a network. */

import { api } from "../api/client";
import type { JobRequest, Layer, Network, Part, Result } from "../api/types";
import { Cell } from "./cell";
import { opened } from "./picture";
import { complain, networks, spoken } from "./session";
import { run } from "./work";

export type Way = "activations" | "filters" | "cam";

export const way = new Cell<Way>("activations");
export const network = new Cell<Network | undefined>(undefined);
/** The layer that each way looks at. */
export const layers = new Cell<Readonly<Record<Way, string | undefined>>>(none());
export const method = new Cell("grad-cam");
/** The class that the map is for; none: the likeliest. */
export const target = new Cell<number | undefined>(undefined);
export const opacity = new Cell(0.6);
/** What each way showed last. */
export const seen = new Cell<Readonly<Record<Way, Result | undefined>>>(none());
/** Patterns that are there before all are. */
export const patterns = new Cell<readonly Part[]>([]);
export const busy = new Cell(false);

let turn = new AbortController();

function none(): Record<Way, undefined> {
  return { activations: undefined, filters: undefined, cam: undefined };
}

/** Begins anew with the picture that is open now: filters are of no picture and stay. */
export function begin(): void {
  turn.abort();
  seen.change(({ filters }) => ({ activations: undefined, filters, cam: undefined }));
  target.value = undefined;
}

export async function enter(id: string): Promise<void> {
  turn.abort();
  seen.value = none();
  patterns.value = [];
  target.value = undefined;
  try {
    const found = await api.network(id);
    layers.value = found.defaults as Record<Way, string | undefined>;
    network.value = found;
    if (!waysOf(found).includes(way.value)) way.value = waysOf(found)[0] ?? "activations";
  } catch (error) {
    complain(error);
  }
}

/** The first network, when the view is opened for the first time. */
export function enterFirst(): void {
  const first = networks.value[0];
  if (first && !network.value) void enter(first.id);
}

export function waysOf(net: Network): Way[] {
  const all: Way[] = ["activations", "filters", "cam"];
  return all.filter((one) => layersFor(net, one).length > 0 && (one !== "cam" || net.methods.length > 0));
}

export function layersFor(net: Network, one: Way): readonly Layer[] {
  return net.layers.filter((layer) => layer[one]);
}

export function go(to: Way): void {
  way.value = to;
}

export function pick(layer: string): void {
  layers.change((now) => ({ ...now, [way.value]: layer }));
  seen.change((now) => ({ ...now, [way.value]: undefined }));
}

function request(): JobRequest | undefined {
  const [net, picture] = [network.value?.id, opened.value?.picture?.id];
  const layer = layers.value[way.value] ?? undefined;
  if (!net) return undefined;
  if (way.value === "filters") return layer ? { kind: "filters", network: net, layer } : undefined;
  if (!picture) return undefined;
  if (way.value === "activations") return layer ? { kind: "activations", picture, network: net, layer } : undefined;
  const looks = network.value?.methods.find((one) => one.name === method.value)?.layer;
  const of = { ...(looks && layer && { layer }), ...(target.value !== undefined && { class: target.value }) };
  return { kind: "cam", picture, network: net, method: method.value, ...of };
}

/** Looks, as everything is chosen now. */
export async function look(): Promise<void> {
  const asked = request();
  if (!asked) return;
  turn.abort();
  const mine = (turn = new AbortController());
  const mode = way.value;
  busy.value = true;
  if (mode === "filters") patterns.value = [];
  const part = (one: Part): void => patterns.change((now) => [...now, one]);
  try {
    const result = await run(asked, { signal: mine.signal, ...(mode === "filters" && { part }) });
    if (!mine.signal.aborted) seen.change((now) => ({ ...now, [mode]: result }));
    spoken.value = `${result.title} is there.`;
  } catch (error) {
    complain(error);
  } finally {
    if (turn === mine) busy.value = false;
  }
}

/** The map of another class. */
export function aim(at: number): void {
  target.value = at;
  void look();
}

/** Shows a result of the history. */
export async function revisit(result: Result): Promise<void> {
  const asked = result.request as { network?: string; layer?: string };
  if (asked.network && asked.network !== network.value?.id) await enter(asked.network);
  const mode = result.kind as Way;
  way.value = mode;
  if (asked.layer) layers.change((now) => ({ ...now, [mode]: asked.layer }));
  seen.change((now) => ({ ...now, [mode]: result }));
}
