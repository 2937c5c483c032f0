// Training: begun, watched, stopped and resumed from the page.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { painted, sample, style, visit } from "../support/browser.mjs";
import { hills } from "../support/pictures.mjs";
import { shared } from "../support/shared.mjs";
import { run } from "../support/studio.mjs";

const [browser, studio, bare] = await shared({ training: true }, {});

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
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 120_000 });
  await page.locator(".run-summary", { hasText: "Stopped" }).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 120_000 });
  await close();
});

/** Fills in a run of small steps. */
async function prepare(page, name, steps) {
  await page.locator("input[type=file]").first().setInputFiles(painting);
  await page.waitForFunction(() => document.querySelector("#run-name").value !== "");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Steps").fill(String(steps));
  await page.getByLabel("Side of the crops").fill("64");
  await page.getByLabel("Photographs a step").fill("1");
}

test("a run that is done has previews, and its style paints", async () => {
  const { page, close } = await visit(browser, `${studio.url}/#train`);
  await prepare(page, "short", 3);
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.getByRole("heading", { name: "short" }).waitFor();
  await page.locator(".run-summary", { hasText: "Done" }).waitFor({ timeout: 120_000 });
  const preview = page.getByRole("img", { name: /after 3 steps/ }).first();
  await preview.waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll(".previews img")].some((image) => image.naturalWidth > 0));
  await page.getByRole("button", { name: "Paint with it" }).click();
  await sample(page, /Mountains/);
  assert.ok(await style(page, "short").isChecked());
  await painted(page);
  await close();
});

test("a run of the command line is watched, stopped and gone on with", async () => {
  await writeFile(join(studio.place, "painting.png"), hills(100, 90));
  const words = "train style --style-picture painting.png --photos photos --batch 1 --size 64 --steps 3000 --checkpoint-every 5 -o wave.safetensors";
  const command = run(studio.place, words.split(" "));
  const { page, close } = await visit(browser, `${studio.url}/#train`);
  try {
    await page.getByRole("button", { name: /^wave/ }).click({ timeout: 120_000 });
    await page.locator(".run-summary", { hasText: "Running in another program" }).waitFor();
    await page.waitForFunction(() => /step [1-9]\d* of 3000/.test(document.querySelector(".run-summary .note")?.textContent ?? ""), undefined, { timeout: 120_000 });
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    assert.equal(await command.ended, 130);
    await page.getByRole("button", { name: "Resume" }).click({ timeout: 120_000 });
    await page.locator(".run-summary", { hasText: /Running ·/ }).waitFor({ timeout: 120_000 });
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 120_000 });
  } finally {
    command.child.kill();
  }
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
