/** What a file is, by its first bytes: names and what the system says of them may be wrong. */

const SIGNATURES: readonly (readonly [type: string, at: number, bytes: readonly number[]])[] = [
  ["image/jpeg", 0, [0xff, 0xd8, 0xff]],
  ["image/png", 0, [0x89, 0x50, 0x4e, 0x47]],
  ["image/webp", 8, [0x57, 0x45, 0x42, 0x50]],
  ["image/tiff", 0, [0x49, 0x49, 0x2a, 0x00]],
  ["image/tiff", 0, [0x4d, 0x4d, 0x00, 0x2a]],
  ["image/gif", 0, [0x47, 0x49, 0x46, 0x38]],
  ["image/bmp", 0, [0x42, 0x4d]],
];

/** Bytes that {@link mediaType} looks at. */
export const HEAD = 12;

export function mediaType(head: Uint8Array): string | undefined {
  return SIGNATURES.find(([, at, bytes]) => bytes.every((byte, i) => head[at + i] === byte))?.[0];
}

/** Kinds that every browser shows by itself, as the program would: first frame, upright. */
export function shownByBrowser(type: string): boolean {
  return ["image/jpeg", "image/png", "image/webp", "image/bmp"].includes(type);
}
