import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../../src/api/types";
import { history } from "../../src/state/history";

let made = 0;

/** A painting of one picture, its longer side and how many times as large strokes were asked for. */
function painting(id: string, width: number, strokes?: number, style = "udnie"): Result {
  const request = { style, ...(strokes !== undefined && { strokes }) };
  return { id, kind: "stylize", complete: true, created: made++, picture: "p", request, width, height: width / 2 } as unknown as Result;
}

const shown = (...all: Result[]): string[] => history(new Map(all.map((one) => [one.id, one]))).map(({ id }) => id);

test("a look gives way to the painting that it was a look at", () => {
  assert.deepEqual(shown(painting("look", 1024, 1.5), painting("whole", 2048, 3)), ["whole"]);
  assert.deepEqual(shown(painting("look", 1024), painting("whole", 3000)), ["whole"]);
  // painted once, as the first of the whole's paintings was
  assert.deepEqual(shown(painting("look", 1024), painting("whole", 2100, 2)), ["whole"]);
});

test("of equals, and of one picture in colour, the newest is listed", () => {
  assert.deepEqual(shown(painting("old", 1024, 2), painting("new", 1024, 2)), ["new"]);
  assert.deepEqual(shown(painting("large", 2048, 2), painting("small again", 1024)), ["large"]);
  const coloured = (id: string): Result => ({ ...painting(id, 500), kind: "colorize" });
  assert.deepEqual(shown(coloured("first"), coloured("second"), painting("painted", 500)), ["painted", "second"]);
});

test("other strokes, styles and what is still alone stay", () => {
  assert.deepEqual(shown(painting("fine", 1024), painting("bold", 3000, 4)), ["bold", "fine"]);
  assert.deepEqual(shown(painting("fine", 1024), painting("other", 3000, 1, "scream")), ["other", "fine"]);
  assert.deepEqual(shown(painting("look", 1024)), ["look"]);
});
