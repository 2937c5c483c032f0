import assert from "node:assert/strict";
import { test } from "node:test";
import { path, range, thinned, ticks } from "../../src/pure/chart";
import { column } from "../../src/pure/table";

test("a range is never empty, and passes over what is no number", () => {
  assert.deepEqual(range([]), { from: 0, to: 1 });
  assert.deepEqual(range([3, NaN, -1, Infinity]), { from: -1, to: 3 });
  assert.deepEqual(range([4]), { from: 2, to: 6 });
  assert.deepEqual(range([0, 0]), { from: -0.5, to: 0.5 });
});

test("ticks are round, within the range, and not many", () => {
  for (const scale of [{ from: 0, to: 1 }, { from: 123, to: 987 }, { from: -2e-4, to: 3e-4 }, { from: 2.8e5, to: 1.24e6 }]) {
    const marks = ticks(scale);
    assert.ok(marks.length >= 2 && marks.length <= 7, `${marks.length} of ${JSON.stringify(scale)}`);
    assert.ok(marks.every((v) => v >= scale.from - 1e-12 && v <= scale.to * (1 + 1e-9)), String(marks));
  }
  assert.deepEqual(ticks({ from: 0, to: 1 }), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});

test("a long series is drawn by means, up to its last step", () => {
  const series = Array.from({ length: 1001 }, (_, i) => [i + 1, i % 2] as const);
  const few = thinned(series, 100);
  assert.ok(few.length <= 100);
  assert.equal(few.at(-1)?.[0], 1001);
  const inner = few.slice(0, -1).map(([, y]) => y);
  assert.ok(inner.every((y) => Math.abs(y - 0.5) < 0.06), String(inner));
  assert.equal(thinned(series, 2000), series);
});

test("a path runs from left to right, up is more", () => {
  const box = { width: 100, height: 50 };
  const drawn = path([[0, 0], [5, NaN], [10, 2]], { from: 0, to: 10 }, { from: 0, to: 2 }, box);
  assert.equal(drawn, "M0.0 50.0L100.0 0.0");
});

test("a column is found by its name", () => {
  const table = { columns: ["step", "content", "style"], rows: [[1, 10, 20], [2, 11]] };
  assert.deepEqual(column(table, "style"), [[1, 20], [2, NaN]]);
  assert.deepEqual(column(table, "gradient"), []);
  assert.deepEqual(column(undefined, "style"), []);
});
