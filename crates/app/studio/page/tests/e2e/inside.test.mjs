// Looking into a network: activations, patterns, class maps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sample, visit } from "../support/browser.mjs";
import { shared } from "../support/shared.mjs";

const [browser, studio] = await shared({});

async function open() {
  const visited = await visit(browser, `${studio.url}/#inside`);
  await sample(visited.page, /Mountains/);
  await visited.page.getByRole("radiogroup", { name: "Layer" }).waitFor();
  return visited;
}

test("a layer's activations are a grid of its channels", async () => {
  const { page, close } = await open();
  await page.getByRole("radiogroup", { name: "Layer" }).getByRole("radio").first().check();
  await page.getByRole("button", { name: "Show activations", exact: true }).click();
  const grid = page.locator(".frame .pane");
  await page.getByText(/\d+ channels/).waitFor();
  assert.ok(await grid.evaluate((img) => img.decode().then(() => img.naturalWidth > 100)));
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.getByRole("link", { name: "Save" }).waitFor();
  await close();
});

test("a class map lies over the picture; its opacity and class can be chosen", async () => {
  const { page, close } = await open();
  await page.getByRole("radio", { name: "Class map" }).check();
  await page.getByRole("button", { name: "Show the map", exact: true }).click();
  const classes = page.getByRole("group", { name: "Likeliest classes" }).getByRole("button");
  await classes.first().waitFor();
  assert.ok((await classes.count()) >= 2 && (await classes.count()) <= 5);
  assert.equal(await classes.first().getAttribute("aria-pressed"), "true");
  const seen = await page.locator(".pane.heat, .stage-word").first();
  await seen.waitFor();
  await classes.nth(1).click();
  await page.waitForFunction(() => document.querySelectorAll(".class-row")[1]?.getAttribute("aria-pressed") === "true");
  const heat = page.locator(".pane.heat");
  if (await heat.count()) {
    await page.getByLabel("Opacity").fill("0.25");
    assert.equal(await heat.evaluate((img) => img.style.opacity), "0.25");
  }
  await close();
});

test("patterns come one by one, and can be called off", async () => {
  const { page, close } = await open();
  await page.getByRole("radio", { name: "Patterns" }).check();
  await page.getByRole("radiogroup", { name: "Layer" }).getByRole("radio").first().check();
  await page.getByRole("button", { name: "Draw patterns", exact: true }).click();
  await page.locator(".patterns img").first().waitFor();
  const cancel = page.getByRole("button", { name: "Cancel Drawing patterns" });
  if (await cancel.count()) await cancel.click().catch(() => undefined); // it may just have ended
  await page.getByRole("button", { name: "Draw patterns", exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".job").length === 0); // it ends at the next step
  await close();
});

test("every network that is told of can be opened", async () => {
  const { page, close } = await open();
  const select = page.getByRole("combobox", { name: "Network" });
  const titles = await select.locator("option").allInnerTexts();
  assert.ok(titles.length >= 2, titles.join());
  for (const title of titles) {
    await select.selectOption({ label: title });
    await page.waitForFunction((title) => document.querySelector(".panel select")?.selectedOptions[0]?.label === title, title);
    await page.getByRole("radiogroup", { name: "Layer" }).waitFor();
  }
  await close();
});
