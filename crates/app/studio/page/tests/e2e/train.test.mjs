// Training: begun, watched, stopped and resumed from the page.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launch, leave, visit } from "../support/browser.mjs";
import { hills } from "../support/pictures.mjs";
import { start } from "../support/studio.mjs";

let browser;
let studio;
let bare;
before(async () => ([browser, studio, bare] = await Promise.all([launch(), start({ training: true }), start()])));
afterEach(() => leave(browser));
after(async () => {
  await browser?.close();
  await studio?.stop();
  await bare?.stop();
});

const painting = { name: "blue & red.png", mimeType: "image/png", buffer: hills(120, 100) };

test("where training is not set up the page says how to", async () => {
  const { page, close } = await visit(browser, `${bare.url}/#train`);
  const words = page.locator(".blank");
  await words.waitFor();
  assert.match(await words.innerText(), /--photos|weights pull/);
  await close();
});

test("a run is begun, watched, stopped and resumed", async () => {
  const { page, close } = await visit(browser, `${studio.url}/#train`);
  const begin = page.getByRole("button", { name: "Train", exact: true });
  assert.ok(await begin.isDisabled());
  await page.locator("input[type=file]").first().setInputFiles(painting);
  await page.waitForFunction(() => document.querySelector("#run-name").value !== "");
  assert.equal(await page.getByLabel("Name").inputValue(), "blue - red");
  await page.getByLabel("Name").fill("blue");
  await page.getByLabel("Photographs to learn from").selectOption({ index: 0 });
  await page.getByLabel("Recipe").selectOption({ index: 0 });
  await page.getByLabel("Steps").fill("3000");
  await page.getByLabel("Side of the crops").fill("64");
  await page.getByLabel("Photographs a step").fill("1");
  await begin.click();
  await page.getByRole("heading", { name: "blue" }).waitFor();
  await page.waitForFunction(() => /step [1-9]\d* of 3000/.test(document.querySelector(".run-summary .note")?.textContent ?? ""), undefined, { timeout: 120_000 });
  await page.getByRole("img", { name: /Style loss by step/ }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 120_000 });
  await page.locator(".run-summary", { hasText: "Stopped" }).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 120_000 });
  await close();
});

test("a name that is taken is refused at the form", async () => {
  const { page, close } = await visit(browser, `${studio.url}/#train`);
  await page.locator("input[type=file]").first().setInputFiles(painting);
  await page.waitForFunction(() => document.querySelector("#run-name").value !== "");
  await page.getByLabel("Name").fill("blue");
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.locator(".form .notice").waitFor();
  assert.match(await page.locator(".form .notice").innerText(), /blue/);
  await close();
});
