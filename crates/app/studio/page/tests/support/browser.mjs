// Debian's chromium, driven by playwright-core, with nothing of it asking the network.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** A browser with a user-data-dir of its own, made and removed by playwright. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

/** Closes what a test that failed has left open, so that its jobs do not hold up the next. */
export async function leave(browser) {
  for (const context of browser.contexts()) await context.close();
}

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 360, height: 740 };

/** Answers that a test asked for: the browser tells of each as if it were a fault of the page. */
const ANSWERS = /status of (400|404|409|410|413|415|422|429|503)/;

/**
 * A page of the studio in a browser of its own state. `told` gathers what must never be: requests
 * to other hosts, errors, what the content security policy stopped.
 */
export async function visit(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(Number(process.env.PATIENCE ?? 60_000));
  const told = [];
  const own = new URL(url).host;
  await context.route("**/*", (route) => {
    const to = new URL(route.request().url());
    if (to.host === own || to.protocol === "blob:" || to.protocol === "data:") return route.fallback();
    told.push(`a request to ${to.host}`);
    return route.abort();
  });
  page.on("pageerror", (error) => told.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !ANSWERS.test(message.text())) told.push(message.text());
  });
  await page.goto(url);
  await page.getByRole("tablist").waitFor();
  const close = async () => {
    await context.close();
    assert.deepEqual(told, []);
  };
  return { page, context, told, close };
}

/** Opens a file as if it had been chosen. */
export async function choose(page, file) {
  await page.locator("input[type=file]").first().setInputFiles(file);
}

/** Opens a sample from the page without a picture. */
export async function sample(page, name) {
  await page.getByRole("button", { name }).click();
  await page.locator(".picture-name").waitFor();
}

/** The style's card, by its title. */
export const style = (page, title) => page.getByRole("radio", { name: title });

/** Waits for the painting that the stage shows to be whole, and gives its result's id. */
export async function painted(page) {
  const mixed = page.locator('.mixed[data-complete="true"]').last();
  await mixed.waitFor();
  return mixed.getAttribute("data-result");
}
