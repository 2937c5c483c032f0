// The picture in colour, with hints.
import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, sample, visit } from "../support/browser.mjs";
import { greyHills } from "../support/pictures.mjs";
import { shared } from "../support/shared.mjs";

const [browser, studio] = await shared({});

const grey = { name: "old.png", mimeType: "image/png", buffer: greyHills(480, 320) };

/** Once the server has the picture: until then hints are not taken. */
async function greyPage() {
  const visited = await visit(browser, `${studio.url}/#colour`);
  await choose(visited.page, grey);
  await visited.page.getByRole("button", { name: "Colour this picture", disabled: false }).waitFor();
  return visited;
}

/** A press on the picture, at shares of its width and height. */
async function press(page, x, y) {
  const box = await page.locator(".frame").boundingBox();
  await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
}

/** The address of the coloured picture, once it is another than `old`. */
async function coloured(page, old) {
  await page.waitForFunction((old) => {
    const src = document.querySelector(".pane.coloured")?.getAttribute("src");
    return src && src !== old;
  }, old);
  return page.locator(".pane.coloured").getAttribute("src");
}

test("one click colours", async () => {
  const { page, close } = await greyPage();
  await page.getByRole("button", { name: "Colour this picture" }).click();
  await coloured(page, null);
  await page.getByRole("link", { name: "Download", exact: true }).waitFor();
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("slider", { name: "Before and after" }).waitFor();
  await close();
});

test("hints are placed from what the network proposes, moved, deleted, undone and redone", async () => {
  const { page, close } = await greyPage();
  await press(page, 0.5, 0.25);
  const swatches = page.getByRole("group", { name: /Plausible here/ }).getByRole("button");
  await swatches.first().waitFor();
  assert.match(await swatches.first().getAttribute("aria-label"), /^#[0-9a-f]{6}, \d+\s% likely$/);
  await swatches.nth(1).click();
  const first = await coloured(page, null);
  const pins = page.locator(".pin:not(.pending)");
  assert.equal(await pins.count(), 1);

  await swatches.nth(0).click(); // the same hint, another colour
  const second = await coloured(page, first);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  const pin = await pins.first().boundingBox();
  await page.mouse.move(pin.x + 11, pin.y + 11);
  await page.mouse.down();
  await page.mouse.move(pin.x + 90, pin.y + 120, { steps: 5 });
  await page.mouse.up();
  const third = await coloured(page, second);
  const moved = await pins.first().boundingBox();
  assert.ok(Math.abs(moved.x - pin.x - 79) < 3 && Math.abs(moved.y - pin.y - 109) < 3, "it lies where it was let go");

  await page.getByRole("button", { name: "Undo" }).click();
  assert.equal(await coloured(page, third), second);
  await page.keyboard.press("Control+Shift+z");
  assert.equal(await coloured(page, second), third);

  await pins.first().focus();
  await page.keyboard.press("Delete");
  assert.equal(await pins.count(), 0);
  await coloured(page, third);
  await page.getByRole("button", { name: "Undo" }).click();
  assert.equal(await pins.count(), 1);
  await close();
});

test("colours are proposed even if the first asking was called off, and the second had no room", async () => {
  const { page, close } = await greyPage();
  const answers = [
    { status: 202, json: { id: "lost", kind: "proposals", state: "cancelled", ahead: 0, created: 0, request: {} } },
    { status: 503, headers: { "Retry-After": "1" }, json: { error: { code: "busy", message: "no room", remedy: "" } } },
  ];
  await page.route("**/api/jobs", (route) => {
    const proposals = route.request().postDataJSON()?.kind === "proposals";
    const answer = proposals ? answers.shift() : undefined;
    return answer ? route.fulfill(answer) : route.continue();
  });
  await press(page, 0.5, 0.25);
  await page.getByRole("group", { name: /Plausible here/ }).getByRole("button").first().waitFor();
  assert.equal(answers.length, 0);
  await close();
});

test("any colour may be chosen, and it counts", async () => {
  const { page, close } = await greyPage();
  await press(page, 0.5, 0.2);
  await page.locator('input[type="color"]').fill("#2040e0");
  await page.locator('input[type="color"]').dispatchEvent("change");
  await coloured(page, null);
  const sent = page.locator(".hint-row");
  assert.match(await sent.innerText(), /#2040e0/);
  await page.waitForFunction(() => document.querySelector(".pane.coloured")?.complete);
  const [r, , b] = await page.locator(".pane.coloured").evaluate(async (img) => {
    await img.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 320 });
    const pen = canvas.getContext("2d");
    pen.drawImage(img, 0, 0, 480, 320);
    return [...pen.getImageData(240, 64, 1, 1).data];
  });
  assert.ok(b > r + 10, `blue is ${b}, red ${r}`);
  await close();
});

test("a picture that is in colour is not robbed of it unasked", async () => {
  const { page, close } = await visit(browser, `${studio.url}/#colour`);
  await sample(page, /Mountains/);
  await page.getByRole("heading", { name: "This picture is in colour" }).waitFor();
  await press(page, 0.5, 0.5);
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.getByRole("button", { name: "Colour it all the same" }).click();
  await coloured(page, null);
  await close();
});

test("saturation changes the colours", async () => {
  const { page, close } = await greyPage();
  await page.getByRole("button", { name: "Colour this picture" }).click();
  const first = await coloured(page, null);
  await page.getByLabel("Saturation").fill("0");
  const grey = await coloured(page, first);
  const spread = await page.locator(".pane.coloured").evaluate(async (img) => {
    await img.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 120, height: 80 });
    const pen = canvas.getContext("2d");
    pen.drawImage(img, 0, 0, 120, 80);
    const { data } = pen.getImageData(0, 0, 120, 80);
    let most = 0;
    for (let i = 0; i < data.length; i += 4) most = Math.max(most, Math.max(...data.slice(i, i + 3)) - Math.min(...data.slice(i, i + 3)));
    return most;
  });
  assert.ok(grey && spread <= 6, `grey but for JPEG's rounding, not ${spread}`);
  await close();
});

test("everything about hints can be done with keys alone", async () => {
  const { page, close } = await greyPage();
  await page.getByRole("button", { name: "Add a hint" }).focus();
  await page.keyboard.press("Enter");
  const swatch = page.getByRole("group", { name: /Plausible here/ }).getByRole("button").first();
  await swatch.waitFor();
  await swatch.focus();
  await page.keyboard.press("Enter");
  await coloured(page, null);
  await page.keyboard.press("Escape");
  const pin = page.locator(".pin:not(.pending)");
  await pin.focus();
  const left = await pin.evaluate((element) => element.style.left);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((left) => document.querySelector(".pin").style.left !== left, left);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "The colour here" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+z");
  await page.waitForFunction((left) => document.querySelector(".pin").style.left === left, left);
  await close();
});
