// Measures what a person waits for: node tests/measure.mjs PHOTOGRAPH.jpg (about 12 megapixels).
// Prints milliseconds, for each of several runs: from the choice of the file to the picture on the
// page, to the first thumbnail of the gallery, and from a click on a style to its painting.
import { choose, launch, style, visit } from "./support/browser.mjs";
import { start } from "./support/studio.mjs";

const [photograph, runs = "5"] = process.argv.slice(2);
if (!photograph) throw new Error("which photograph?");

/** Notes when the first image that matches is there and decoded, from the file's choice on. */
function watch() {
  const times = {};
  addEventListener("change", () => (times.began = performance.now()), { capture: true, once: true });
  const seen = { shown: ".frame img.original", thumbnail: ".thumb img" };
  const look = async () => {
    for (const [name, selector] of Object.entries(seen)) {
      const image = document.querySelector(selector);
      if (!image || times[name] !== undefined) continue;
      times[name] = NaN;
      await image.decode();
      times[name] = performance.now() - times.began;
    }
  };
  new MutationObserver(() => void look()).observe(document, { subtree: true, childList: true });
  globalThis.times = times;
}

const ms = (value) => `${Math.round(value)} ms`;
const [browser, studio] = await Promise.all([launch(), start()]);
try {
  for (let run = 0; run < Number(runs); run++) {
    const { page, close } = await visit(browser, studio.url);
    await page.evaluate(watch);
    await choose(page, photograph);
    await page.waitForFunction(() => globalThis.times.thumbnail > 0);
    const { shown, thumbnail } = await page.evaluate(() => globalThis.times);
    await page.waitForFunction(() => [...document.querySelectorAll(".thumb")].every((one) => one.dataset.ready === "true"));
    const all = await page.evaluate(() => performance.now() - globalThis.times.began);
    const click = performance.now();
    await style(page, "Starry night").check();
    await page.locator(".painted .styled").first().waitFor();
    const quick = performance.now() - click;
    await page.locator('.mixed[data-complete="true"]').waitFor();
    const look = performance.now() - click;
    console.log(`shown ${ms(shown)}, first thumbnail ${ms(thumbnail)}, gallery ${ms(all)}, quick painting ${ms(quick)}, look ${ms(look)}`);
    await close();
  }
} finally {
  await browser.close();
  await studio.stop();
}
