/** The picture that is looked at. */

import { api } from "../api/client";
import type { Fault, Picture } from "../api/types";
import { HEAD, mediaType, shownByBrowser } from "../pure/sniff";
import type { Size } from "../pure/view";
import { bytes } from "../pure/words";
import { Cell } from "./cell";
import { about, complain, spoken, trouble } from "./session";

/** A picture on the page; the server may not have it yet. */
export interface Opened {
  readonly name: string;
  /** The file itself, shown at once, if the browser can show it. */
  readonly local?: string;
  readonly size?: Size;
  readonly picture?: Picture;
}

/** One whose size is known: from then on it is shown. */
export type Sized = Opened & { readonly size: Size };

export const opened = new Cell<Opened | undefined>(undefined);

/** Remembers the picture when the page is loaded again. */
const MEMORY = "pentimento.picture";

/** Counts openings, so that a slow upload never replaces what was opened after it. */
let turn = 0;

export async function openFile(file: Blob, name: string): Promise<void> {
  const mine = ++turn;
  const before = opened.value;
  trouble.value = undefined;
  const type = mediaType(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  const fault = unfit(file, name, type);
  if (fault || !type) {
    trouble.value = fault;
    return;
  }
  const local = shownByBrowser(type) ? URL.createObjectURL(file) : undefined;
  opened.value = { name, ...(local && { local }) };
  if (local) void measure(local, mine);
  try {
    settle(await api.upload(file, name, type), mine);
  } catch (error) {
    if (mine === turn) opened.value = before;
    complain(error);
  }
}

function unfit(file: Blob, name: string, type: string | undefined): Fault | undefined {
  const reads = about.value?.reads ?? [];
  if (!type || (reads.length > 0 && !reads.some((format) => format.media_type === type))) {
    const known = reads.map((format) => format.format.toUpperCase()).join(", ");
    return { code: "not_a_picture", message: `${name} is no picture that can be read here.`, remedy: `Choose a file of another kind: ${known}.` };
  }
  const most = about.value?.limits.upload_bytes ?? Infinity;
  if (file.size > most) {
    const message = `${name} has ${bytes(file.size)}; at most ${bytes(most)} are taken.`;
    return { code: "too_large", message, remedy: "Save it smaller, or start the studio with a higher limit." };
  }
  return undefined;
}

async function measure(local: string, mine: number): Promise<void> {
  const image = new Image();
  const loaded = new Promise((resolve) => (image.onload = image.onerror = resolve));
  image.src = local;
  await loaded;
  const size = { width: image.naturalWidth, height: image.naturalHeight };
  if (mine === turn && size.width > 0) opened.change((now) => now && { ...now, size: now.size ?? size });
}

function settle(picture: Picture, mine: number): void {
  if (mine !== turn) return;
  const local = opened.value?.local;
  const { name, width, height } = picture;
  opened.value = { name, ...(local && { local }), size: { width, height }, picture };
  sessionStorage.setItem(MEMORY, picture.id);
  spoken.value = `${name} is open, ${width} by ${height} pixels.`;
}

export async function openSample(name: string): Promise<void> {
  const mine = ++turn;
  trouble.value = undefined;
  try {
    const picture = await api.openSample(name);
    if (mine === turn) opened.value = { name: picture.name };
    settle(picture, mine);
  } catch (error) {
    complain(error);
  }
}

/** Opens a picture that the server has, such as a result's source. */
export async function reopen(id: string): Promise<void> {
  if (opened.value?.picture?.id === id) return;
  const mine = ++turn;
  const picture = await api.picture(id);
  if (mine === turn) opened.value = { name: picture.name };
  settle(picture, mine);
}

/** Stands for a picture that the server no longer has, while a result of it is shown. */
export function openTrace(name: string, size: Size): void {
  turn += 1;
  opened.value = { name, size };
}

/** What was open before the page was loaded again. */
export async function remember(): Promise<void> {
  const id = sessionStorage.getItem(MEMORY);
  if (id) await reopen(id).catch(() => sessionStorage.removeItem(MEMORY));
}
