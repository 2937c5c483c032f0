// Pictures of every view, light and dark, on a desk and on a phone: node tests/screenshots.mjs FOLDER [NAME…]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DESKTOP, PHONE, launch, visit } from "./support/browser.mjs";
import { start } from "./support/studio.mjs";
import { VIEWS } from "./support/views.mjs";

const [folder, ...names] = process.argv.slice(2);
if (!folder) throw new Error("which folder?");
await mkdir(folder, { recursive: true });

const DEVICES = {
  desk: { viewport: DESKTOP },
  phone: { viewport: PHONE, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

/** What lies below the window and is loaded lazily may never come. */
function seenImagesAreThere() {
  const seen = (image) => {
    const { top, bottom, left, right } = image.getBoundingClientRect();
    return bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
  };
  return [...document.images].every((image) => image.complete || !seen(image));
}

const [browser, studio] = await Promise.all([launch(), start({ training: true })]);
try {
  for (const [name, go] of Object.entries(VIEWS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    for (const [device, options] of Object.entries(DEVICES)) {
      for (const colorScheme of ["light", "dark"]) {
        const { page, close } = await visit(browser, studio.url, { ...options, colorScheme });
        await go(page);
        await page.waitForFunction(seenImagesAreThere);
        await page.waitForTimeout(300); // what appears has appeared
        await page.screenshot({ path: join(folder, `${name.replaceAll(" ", "-")}-${device}-${colorScheme}.png`) });
        await close();
      }
    }
  }
} finally {
  await browser.close();
  await studio.stop();
}
