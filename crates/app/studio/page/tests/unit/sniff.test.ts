import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { opacities } from "../../src/pure/blend";
import { HEAD, mediaType, shownByBrowser } from "../../src/pure/sniff";

const head = (...bytes: number[]): Uint8Array => Uint8Array.from([...bytes, ...Array<number>(HEAD).fill(0)].slice(0, HEAD));
const text = (words: string): Uint8Array => new TextEncoder().encode(words.padEnd(HEAD, "\0"));

test("files are told by their first bytes", async () => {
  const cases: [Uint8Array, string | undefined][] = [
    [head(0xff, 0xd8, 0xff, 0xe0), "image/jpeg"],
    [head(0x89, 0x50, 0x4e, 0x47), "image/png"],
    [text("RIFF1234WEBP"), "image/webp"],
    [text("RIFF1234WAVE"), undefined],
    [text("II*\0"), "image/tiff"],
    [text("MM\0*"), "image/tiff"],
    [text("GIF89a"), "image/gif"],
    [text("BM"), "image/bmp"],
    [text("%PDF-1.7"), undefined],
    [new Uint8Array(), undefined],
  ];
  for (const [bytes, type] of cases) assert.equal(mediaType(bytes), type, String(bytes));
  const photo = await readFile(new URL("../../../../../../examples/pictures/mountains.jpg", import.meta.url));
  assert.equal(mediaType(photo.subarray(0, HEAD)), "image/jpeg");
});

test("what moves or is unknown to browsers waits for the server", () => {
  assert.deepEqual(["image/jpeg", "image/png", "image/gif", "image/tiff"].map(shownByBrowser), [true, true, false, false]);
});

test("opacities make the sum of shares that the program's own blend is", () => {
  const over = (below: number, above: number, share: number): number => below * (1 - share) + above * share;
  const [photo, styled, kept] = [0.2, 0.9, 0.6];
  for (const strength of [0, 0.25, 1]) {
    for (const keep of [0, 0.5, 1]) {
      const at = opacities(strength, keep);
      const seen = over(photo, over(styled, kept, at.kept), at.painted);
      const want = photo + strength * (styled + keep * (kept - styled) - photo);
      assert.ok(Math.abs(seen - want) < 1e-12, `${strength} ${keep}: ${seen} is not ${want}`);
    }
  }
  assert.deepEqual(opacities(7, NaN), { painted: 1, kept: 0 });
});
