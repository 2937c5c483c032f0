import assert from "node:assert/strict";
import { test } from "node:test";
import { inside, moved, placed, recoloured, without, type Hints } from "../../src/pure/hints";
import { begin, redo, step, undo } from "../../src/pure/past";

const size = { width: 200, height: 100 };
const one: Hints = placed([], { x: 10.9, y: 20.2, color: "#aa0000" }, size);

test("hints lie on whole pixels of the picture", () => {
  assert.deepEqual(one, [{ id: 1, x: 10, y: 20, color: "#aa0000" }]);
  const cases: [{ x: number; y: number }, { x: number; y: number }][] = [
    [{ x: -5, y: 3.7 }, { x: 0, y: 3 }],
    [{ x: 200, y: 99.99 }, { x: 199, y: 99 }],
    [{ x: 1e9, y: 1e9 }, { x: 199, y: 99 }],
  ];
  for (const [at, want] of cases) assert.deepEqual(inside(at, size), want);
});

test("each hint keeps its own number whatever happens to the others", () => {
  const two = placed(one, { x: 50, y: 50, color: "#00aa00" }, size);
  const left = without(two, 1);
  assert.deepEqual(left.map((hint) => hint.id), [2]);
  const three = placed(left, { x: 1, y: 1, color: "#0000aa" }, size);
  assert.deepEqual(three.map((hint) => hint.id), [2, 3]);
  assert.deepEqual(moved(three, 3, { x: 300, y: 5 }, size)[1], { id: 3, x: 199, y: 5, color: "#0000aa" });
  assert.equal(recoloured(three, 2, "#123456")[0]?.color, "#123456");
  assert.deepEqual(moved(three, 9, { x: 0, y: 0 }, size), three);
});

test("undo and redo go back and forth, and a new step ends what could be redone", () => {
  let past = begin<string>("");
  assert.equal(undo(past), past);
  assert.equal(redo(past), past);
  for (const text of ["a", "ab", "abc"]) past = step(past, text);
  past = undo(undo(past));
  assert.equal(past.now, "a");
  assert.equal(redo(past).now, "ab");
  assert.equal(redo(redo(redo(past))).now, "abc");
  past = step(past, "ax");
  assert.equal(redo(past), past);
  assert.deepEqual([undo(past).now, undo(undo(past)).now], ["a", ""]);
});

test("the past does not grow for ever", () => {
  let past = begin(0);
  for (let i = 1; i <= 1000; i++) past = step(past, i);
  assert.equal(past.now, 1000);
  assert.equal(past.before.length, 200);
  assert.equal(past.before[0], 800);
});
