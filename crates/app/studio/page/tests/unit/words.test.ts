import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, counted, figure, mark, percent, size, time, titled } from "../../src/pure/words";

/** As it is read: with the spaces that do not break as plain ones. */
const plain = (words: string): string => words.replaceAll("\u00a0", " ");

test("bytes have two or three digits", () => {
  const cases: [number, string][] = [[0, "0 B"], [999, "999 B"], [1000, "1.0 kB"], [9949, "9.9 kB"], [9960, "10 kB"], [999_600, "1.0 MB"], [200e6, "200 MB"], [2e9, "2.0 GB"]];
  for (const [count, words] of cases) assert.equal(plain(bytes(count)), words);
});

test("times are in round words, as on the command line", () => {
  const cases: [number, string][] = [[-3, "0 s"], [0.4, "0 s"], [99, "99 s"], [100, "2 min"], [3601, "61 min"], [7320, "2 h 2 min"]];
  for (const [seconds, words] of cases) assert.equal(plain(time(seconds)), words);
});

test("figures keep three digits at any size", () => {
  const cases: [number, string][] = [[0, "0"], [0.5, "0.5"], [123.456, "123"], [1_410_000, "1.41e6"], [0.000123, "1.23e-4"], [-250000, "-2.50e5"], [NaN, "—"], [Infinity, "—"]];
  for (const [value, words] of cases) assert.equal(figure(value), words);
});

test("marks at an axis are short", () => {
  const cases: [number, string][] = [[500000, "5e5"], [1_200_000, "1.2e6"], [200, "200"], [0, "0"], [0.30000000000000004, "0.3"]];
  for (const [value, words] of cases) assert.equal(mark(value), words);
});

test("units never leave their numbers", () => {
  for (const words of [bytes(2e8), time(7320), size(4000, 3000), percent(0.5)]) assert.ok(words.includes("\u00a0"), words);
  assert.equal(plain(size(4000, 3000)), "4000 × 3000");
  assert.equal(plain(percent(0.734)), "73 %");
  assert.equal(plain(percent(0.0112, 1)), "1.1 %");
});

test("nouns follow their number", () => {
  assert.deepEqual([counted(1, "class", "classes"), counted(2, "class", "classes"), counted(1234, "step")], ["1 class", "2 classes", "1,234 steps"]);
});

test("names become titles", () => {
  assert.deepEqual(["starry-night", "pytorch_tutorial", ""].map(titled), ["Starry night", "Pytorch tutorial", ""]);
});
