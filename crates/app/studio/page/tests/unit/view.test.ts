import assert from "node:assert/strict";
import { test } from "node:test";
import { fit, held, levelFor, panned, pictured, zoomed, type View } from "../../src/pure/view";

const picture = { width: 4000, height: 3000 };
const window = { width: 1032, height: 800 };

const close = (got: number, want: number): void => assert.ok(Math.abs(got - want) < 1e-6, `${got} is not ${want}`);

test("a whole picture lies in the middle, with air around it", () => {
  const view = fit(picture, window);
  close(view.scale, 1000 / 4000);
  close(view.x, 16);
  close(view.y, (800 - 750) / 2);
  assert.ok(view.fits);
});

test("a small window gives all it has, a small picture is at most doubled", () => {
  close(fit(picture, { width: 360, height: 400 }).scale, 360 / 4000);
  close(fit({ width: 100, height: 50 }, window).scale, 2);
});

test("what is under the pointer stays there", () => {
  const about = { x: 500, y: 300 };
  const from = zoomed(fit(picture, window), 0.8, about, picture, window);
  const before = pictured(from, about);
  const after = pictured(zoomed(from, 1.7, about, picture, window), about);
  close(after.x, before.x);
  close(after.y, before.y);
});

test("zooming out ends at the whole picture, zooming in somewhere", () => {
  const middle = { x: 500, y: 400 };
  const deep = zoomed(fit(picture, window), 1e9, middle, picture, window);
  assert.equal(deep.scale, 16);
  assert.deepEqual(zoomed(deep, 0.001, middle, picture, window), fit(picture, window));
});

test("a small picture can be seen at its own size", () => {
  const small = { width: 100, height: 50 };
  const view = zoomed(fit(small, window), 1, { x: 0, y: 0 }, small, window);
  assert.equal(view.scale, 1);
});

test("no edge is dragged into the window, and a whole picture is not dragged at all", () => {
  const whole = fit(picture, window);
  assert.equal(panned(whole, { x: 50, y: 50 }, picture, window), whole);
  const near: View = zoomed(whole, 1, { x: 0, y: 0 }, picture, window);
  const far = panned(near, { x: 1e6, y: -1e6 }, picture, window);
  close(far.x, 0);
  close(far.y, 800 - 3000);
});

test("a window that grows past the picture has it in the middle", () => {
  const view = held({ scale: 0.3, x: -50, y: 0, fits: false }, picture, { width: 1400, height: 1000 });
  close(view.x, 100);
  close(view.y, 50);
});

test("pictures are fetched in few sizes, and never larger than they are", () => {
  const cases: [number, number, number][] = [[500, 4000, 1024], [1100, 4000, 1024], [1200, 4000, 2048], [3000, 4000, 4000], [9000, 8000, 8000], [500, 600, 600]];
  for (const [pixels, full, level] of cases) assert.equal(levelFor(pixels, full), level, `${pixels} of ${full}`);
});
