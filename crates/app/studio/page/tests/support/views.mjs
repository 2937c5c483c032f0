// Every view that the page has, and the way to it: for axe, for phones, for screenshots.
import { choose, painted, sample, style } from "./browser.mjs";
import { greyHills, hills } from "./pictures.mjs";

const view = (page, name) => page.getByRole("tab", { name }).click();

/** Begins a run of a few small steps. */
async function begin(page, name) {
  await page.locator("input[type=file]").first().setInputFiles({ name: "slopes.png", mimeType: "image/png", buffer: hills(300, 200) });
  await page.waitForFunction(() => document.querySelector("#run-name").value !== "");
  for (const [label, value] of [["Name", name], ["Steps", "12"], ["Side of the crops", "64"], ["Photographs a step", "1"]]) {
    await page.getByLabel(label, { exact: true }).fill(value);
  }
  await page.getByRole("button", { name: "Train", exact: true }).click();
}

export const VIEWS = {
  empty: async () => undefined,

  error: async (page) => {
    await choose(page, { name: "notes of a walk.txt", mimeType: "text/plain", buffer: Buffer.from("hello") });
    await page.getByRole("alert").locator(".notice").waitFor();
  },

  stylise: async (page) => {
    await sample(page, /Mountains/);
    await style(page, "Starry night").check();
    await painted(page);
    await page.waitForFunction(() => [...document.querySelectorAll(".thumb")].every((thumb) => thumb.dataset.ready === "true"));
    await page.getByRole("button", { name: "Compare" }).click();
  },

  "colour with hints": async (page) => {
    await view(page, "Colour");
    await choose(page, { name: "a very long name of an old photograph of hills, scanned from an album, page 17.png", mimeType: "image/png", buffer: greyHills(640, 420) });
    await page.getByRole("button", { name: "Colour this picture" }).click();
    await page.locator(".pane.coloured").waitFor();
    await page.getByRole("button", { name: "Add a hint" }).click();
    const swatch = page.getByRole("group", { name: /Plausible here/ }).getByRole("button");
    await swatch.first().click();
    await page.locator(".pin[aria-expanded]").waitFor();
  },

  "in colour already": async (page) => {
    await view(page, "Colour");
    await sample(page, /Mountains/);
    await page.getByRole("heading", { name: "This picture is in colour" }).waitFor();
  },

  activations: async (page) => {
    await view(page, "Look inside");
    await sample(page, /Mountains/);
    await page.getByRole("button", { name: "Show activations", exact: true }).click();
    await page.getByText(/\d+ channels/).waitFor();
  },

  patterns: async (page) => {
    await view(page, "Look inside");
    await sample(page, /Mountains/);
    await page.getByRole("radio", { name: "Patterns" }).check();
    await page.getByRole("button", { name: "Draw patterns", exact: true }).click();
    await page.locator(".patterns img").first().waitFor();
  },

  "class map": async (page) => {
    await view(page, "Look inside");
    await sample(page, /Mountains/);
    await page.getByRole("radio", { name: "Class map" }).check();
    await page.getByRole("button", { name: "Show the map", exact: true }).click();
    await page.getByRole("group", { name: "Likeliest classes" }).waitFor();
  },

  train: async (page) => {
    await view(page, "Train");
    await page.getByLabel("Photographs to learn from").waitFor();
  },

  "a run": async (page) => {
    await view(page, "Train");
    const name = "A painting with a very long name, seen twice and hung too high".replaceAll(",", "");
    await page.getByLabel("Photographs to learn from").waitFor();
    if ((await page.getByRole("button", { name }).count()) === 0) await begin(page, name);
    await page.locator(".run-summary", { hasText: "Done" }).waitFor();
    await page.locator(".previews img").first().waitFor();
  },
};
