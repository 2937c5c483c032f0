// The picture in a style: gallery, sliders, sizes, the queue, comparing, zoom, download.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { choose, painted, sample, style, visit } from "../support/browser.mjs";
import { hills } from "../support/pictures.mjs";
import { shared } from "../support/shared.mjs";
import { MOUNTAINS } from "../support/studio.mjs";

const [browser, studio] = await shared({});

const large = { name: "large.png", mimeType: "image/png", buffer: hills(3000, 2000) };

test("the gallery shows the user's own picture in every style", async () => {
  const { page, close } = await visit(browser, studio.url);
  await choose(page, MOUNTAINS);
  const cards = page.locator(".style-card");
  await cards.first().waitFor();
  const { styles } = await (await page.request.get(`${studio.url}/api/styles`)).json();
  assert.equal(await cards.count(), styles.length);
  await page.waitForFunction((n) => document.querySelectorAll(".thumb[data-ready=true]").length === n, styles.length);
  const sources = await cards.locator("img").evaluateAll((all) => all.map((img) => img.getAttribute("src")));
  assert.equal(new Set(sources).size, styles.length);
  await close();
});

test("strength and keep-colours answer at once, without asking anybody", async () => {
  const { page, close } = await visit(browser, studio.url);
  await sample(page, /Mountains/);
  await style(page, "Starry night").check();
  await painted(page);
  await page.waitForLoadState("networkidle").catch(() => undefined);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  const slowest = await page.evaluate(async () => {
    const input = document.querySelector("input[type=range]");
    let most = 0;
    for (let i = 0; i <= 100; i += 5) {
      const start = performance.now();
      input.value = String(i / 100);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      const layer = getComputedStyle(document.querySelector(".painted")).opacity;
      if (Math.abs(Number(layer) - i / 100) > 1e-3) throw new Error(`${i} %: the layer has ${layer}`);
      most = Math.max(most, performance.now() - start);
    }
    return most;
  });
  console.log(`slowest step of the slider: ${slowest.toFixed(1)} ms`);
  await page.getByLabel("Keep colours").fill("0.5");
  assert.equal(await page.locator(".pane.kept").evaluate((img) => getComputedStyle(img).opacity), "0.5");
  assert.deepEqual(asked, []);
  await close();
});

/** What the stage shows at a place, as the screen has it. */
async function colourAt(page, x, y) {
  const box = await page.locator(".frame").boundingBox();
  const clip = { x: Math.round(box.x + x * box.width) - 8, y: Math.round(box.y + y * box.height) - 8, width: 16, height: 16 };
  const shot = (await page.screenshot({ clip })).toString("base64");
  return page.evaluate(meanOf, `data:image/png;base64,${shot}`);
}

async function meanOf(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  return [0, 1, 2].map((c) => data.filter((_, i) => i % 4 === c).reduce((sum, v) => sum + v, 0) / (data.length / 4));
}

test("what is seen is what is saved", async () => {
  const { page, close } = await visit(browser, studio.url);
  await sample(page, /Mountains/);
  await style(page, "Great wave").check();
  const id = await painted(page);
  await page.getByLabel("Strength").fill("0.6");
  await page.getByLabel("Keep colours").fill("0.7");
  const link = await page.getByRole("link", { name: "Download", exact: true }).getAttribute("href");
  assert.match(link, new RegExp(`/api/results/${id}/file\\?strength=0.6&keep=0.7$`));
  await page.waitForFunction(() => [...document.querySelectorAll(".pane")].every((img) => img.complete));
  const file = await page.request.get(`${studio.url}${link}&format=png`);
  assert.equal(file.status(), 200);
  const saved = await page.evaluate(cut, [(await file.body()).toString("base64"), 0.3, 0.8, await page.locator(".frame").evaluate((f) => f.clientWidth)]);
  const seen = await colourAt(page, 0.3, 0.8);
  // previews are JPEG, twice rounded to 8 bits, and scaled by another filter
  for (const c of [0, 1, 2]) assert.ok(Math.abs(seen[c] - saved[c]) < 4, `${seen} on the screen, ${saved} in the file`);
  await close();
});

async function cut([base64, x, y, width]) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  await image.decode();
  const side = (16 * image.width) / width;
  const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
  const pen = canvas.getContext("2d");
  pen.drawImage(image, x * image.width - side / 2, y * image.height - side / 2, side, side, 0, 0, 16, 16);
  const { data } = pen.getImageData(0, 0, 16, 16);
  return [0, 1, 2].map((c) => data.filter((_, i) => i % 4 === c).reduce((sum, v) => sum + v, 0) / 256);
}

test("a download keeps the source's metadata, under a name of its own", async () => {
  const { page, close } = await visit(browser, studio.url);
  const photo = withExif(await readFile(MOUNTAINS));
  await choose(page, { name: "after the long walk.jpg", mimeType: "image/jpeg", buffer: photo });
  await page.getByText(/Keeps .*EXIF/).waitFor();
  await style(page, "Udnie").check();
  await painted(page);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download", exact: true }).click()]);
  assert.match(download.suggestedFilename(), /after the long walk.*\.jpe?g$/);
  const saved = await readFile(await download.path());
  assert.ok(saved.includes(Buffer.from(ARTIST)), "the artist's name is in the file");
  await close();
});

const ARTIST = "A. Walker of the Hills";

/** The photograph with one EXIF entry, Artist, put where the first segment was. */
function withExif(jpeg) {
  const text = Buffer.from(`${ARTIST}\0`);
  const tiff = Buffer.alloc(26);
  tiff.write("II*\0", "latin1");
  tiff.writeUInt32LE(8, 4); // where the directory is
  tiff.writeUInt16LE(1, 8); // its entries
  tiff.writeUInt16LE(0x013b, 10); // Artist
  tiff.writeUInt16LE(2, 12); // ASCII
  tiff.writeUInt32LE(text.length, 14);
  tiff.writeUInt32LE(26, 18); // where the text is
  const payload = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff, text]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(payload.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, payload, withoutSegment(jpeg.subarray(2), 0xe1)]);
}

/** JPEG segments but for those of one marker. */
function withoutSegment(bytes, marker) {
  const kept = [];
  let at = 0;
  while (bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (bytes[at + 1] !== marker) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...kept, bytes.subarray(at)]);
}

test("a large picture is looked at first and painted whole when asked; what waits can be called off", async () => {
  const { page, close } = await visit(browser, studio.url);
  await choose(page, large);
  // every look first, so that the paintings are asked for at once
  const titles = ["The Great Wave", "Udnie", "The Scream"];
  for (const title of titles) {
    await style(page, title).check();
    await page.locator(`.result-open[aria-label^="Show ${title}"][aria-current=true]`).waitFor();
  }
  const look = await painted(page);
  for (const title of titles.slice().reverse()) {
    await style(page, title).check();
    await page.getByRole("button", { name: /^Paint at 3000\s×\s2000$/ }).click();
    await page.locator(".job strong", { hasText: title }).waitFor();
  }
  assert.ok((await page.locator(".job").allInnerTexts()).some((text) => /Waiting/.test(text)), "one waits for another");
  await page.getByRole("button", { name: "Cancel The Great Wave" }).click();
  await page.getByRole("button", { name: "Cancel Udnie" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".job").length <= 1);
  await style(page, "The Scream").check();
  await page.waitForFunction((old) => document.querySelector(".mixed[data-complete=true]")?.getAttribute("data-result") !== old, look, { timeout: 240_000 });
  await page.getByRole("link", { name: "Download", exact: true }).waitFor();
  const { results } = await (await page.request.get(`${studio.url}/api/results`)).json();
  const whole = results.filter((one) => one.kind === "stylize" && one.width === 3000 && one.complete);
  assert.equal(whole.length, 1, "what was called off left nothing");
  await close();
});

test("another size is painted anew, at that size", async () => {
  const { page, close } = await visit(browser, studio.url);
  await sample(page, /Mountains/);
  await style(page, "Udnie").check();
  const own = await painted(page);
  await page.getByLabel("Size").selectOption("512");
  await page.waitForFunction((old) => document.querySelector(".mixed[data-complete=true]")?.getAttribute("data-result") !== old, own);
  const result = await (await page.request.get(`${studio.url}/api/results/${await painted(page)}`)).json();
  assert.deepEqual([result.width, result.height], [512, 340]);
  await close();
});

test("larger strokes are painted anew, a look as the whole will be, and found again in the history", async () => {
  const { page, close } = await visit(browser, studio.url);
  await choose(page, large);
  await style(page, "Udnie").check();
  const fitting = await painted(page);
  assert.equal(await page.getByLabel("Strokes").inputValue(), "4", "what fits 3000 pixels");
  const first = await (await page.request.get(`${studio.url}/api/results/${fitting}`)).json();
  assert.deepEqual([first.width, first.request.strokes], [1024, (4 * 1024) / 3000]);
  await page.getByLabel("Strokes").selectOption("1");
  await page.waitForFunction((old) => document.querySelector(".mixed[data-complete=true]")?.getAttribute("data-result") !== old, fitting);
  const fine = await painted(page);
  await page.getByLabel("Strokes").selectOption("8");
  await page.waitForFunction((old) => document.querySelector(".mixed[data-complete=true]")?.getAttribute("data-result") !== old, fine);
  const look = await (await page.request.get(`${studio.url}/api/results/${await painted(page)}`)).json();
  assert.deepEqual([look.width, look.request.strokes], [1024, (8 * 1024) / 3000]);
  await page.getByLabel("Strokes").selectOption("1");
  await page.waitForFunction((old) => document.querySelector(".mixed[data-complete=true]")?.getAttribute("data-result") === old, fine);
  for (const [id, strokes] of [[look.id, "8"], [fine, "1"], [fitting, "4"]]) {
    await page.locator(".result-open", { has: page.locator(`img[src*="${id}"]`) }).click();
    await page.waitForFunction((want) => document.querySelector("select").value === want, strokes);
  }
  await close();
});

test("before and after lie side by side, by pointer and by keys", async () => {
  const { page, close } = await visit(browser, studio.url);
  await sample(page, /Mountains/);
  assert.ok(await page.getByRole("button", { name: "Compare" }).isDisabled());
  await style(page, "Scream").check();
  await painted(page);
  await page.getByRole("button", { name: "Compare" }).click();
  const divider = page.getByRole("slider", { name: "Before and after" });
  const box = await divider.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x - 200, box.y + 210, { steps: 4 });
  await page.mouse.up();
  const at = Number(await divider.getAttribute("aria-valuenow"));
  assert.ok(at > 20 && at < 40, `at ${at} %`);
  await divider.press("End");
  assert.equal(await divider.getAttribute("aria-valuenow"), "100");
  await divider.press("ArrowLeft");
  assert.equal(await divider.getAttribute("aria-valuenow"), "98");
  await page.keyboard.press("c");
  await divider.waitFor({ state: "detached" });
  await close();
});

test("zoom and pan by wheel, drag and keys, down to the pixels of the full picture", async () => {
  const { page, close } = await visit(browser, studio.url);
  await choose(page, large);
  const window = page.getByRole("group", { name: /large\.png/ });
  await window.waitFor();
  const percent = page.locator(".percent");
  const now = async () => Number.parseInt(await percent.innerText(), 10);
  await page.waitForFunction(() => document.querySelector(".measure")?.textContent.includes("3000"));
  const whole = await now();
  assert.ok(whole < 40, `${whole} %`);
  const box = await window.boundingBox();
  await page.mouse.move(box.x + 300, box.y + 300);
  await page.mouse.wheel(0, -600);
  await page.waitForFunction((from) => Number.parseInt(document.querySelector(".percent").textContent, 10) > from, whole);
  const place = () => page.locator(".frame").evaluate((frame) => frame.style.transform);
  const before = await place();
  await page.mouse.down();
  await page.mouse.move(box.x + 200, box.y + 260, { steps: 3 });
  await page.mouse.up();
  assert.notEqual(await place(), before);
  await window.focus();
  await page.keyboard.press("1");
  assert.equal(await now(), 100);
  const dragged = await place();
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await place(), dragged);
  await page.keyboard.press("0");
  assert.equal(await now(), whole);
  await page.getByRole("button", { name: "Zoom in" }).click();
  assert.ok((await now()) > whole);
  await close();
});

test("what was made in the session comes back, and can be thrown away", async () => {
  const { page, close } = await visit(browser, studio.url);
  await sample(page, /Mountains/);
  for (const title of ["The Wreck of a Transport Ship", "Water Lilies"]) {
    await style(page, title).check();
    await page.locator(`.result-open[aria-label^="Show ${title}"][aria-current=true]`).waitFor();
  }
  const count = await page.locator(".result").count();
  await page.reload();
  await page.locator('.result-open[aria-label^="Show The Wreck"]').first().click();
  assert.ok(await style(page, "The Wreck").isChecked());
  await painted(page);
  await page.locator('.result:has([aria-label^="Show The Wreck"])').first().hover();
  await page.getByRole("button", { name: "Delete The Wreck" }).first().click();
  await page.waitForFunction((n) => document.querySelectorAll(".result").length === n - 1, count);
  await close();
});

test("a page that goes away takes its jobs with it", async () => {
  const { page, context, told } = await visit(browser, studio.url);
  await choose(page, large);
  await style(page, "Composition VII").check();
  await painted(page);
  await page.getByRole("button", { name: /^Paint at/ }).click();
  await page.locator(".job").waitFor();
  await context.close();
  assert.deepEqual(told, []);
  const end = Date.now() + 30_000;
  for (;;) {
    const { jobs } = await (await fetch(`${studio.url}/api/jobs`)).json();
    if (jobs.every((job) => !["queued", "running"].includes(job.state))) break;
    assert.ok(Date.now() < end, "a job goes on for nobody");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});
