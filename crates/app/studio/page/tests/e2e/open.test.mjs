// Opening pictures: chosen, dropped, pasted, samples; and what cannot be opened.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { choose, painted, sample, style, visit } from "../support/browser.mjs";
import { hills } from "../support/pictures.mjs";
import { shared } from "../support/shared.mjs";
import { MOUNTAINS } from "../support/studio.mjs";

const [browser, studio] = await shared({ words: ["--max-upload", "3000000", "--max-pixels", "2000000"] });

/** A file handed to the page by an event that carries one. */
async function hand(page, kind, name, bytes) {
  await page.evaluate(
    ([kind, name, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const held = new DataTransfer();
      held.items.add(new File([bytes], name));
      const how = { bubbles: true, cancelable: true };
      const event = kind === "paste" ? new ClipboardEvent("paste", { ...how, clipboardData: held }) : new DragEvent(kind, { ...how, dataTransfer: held });
      document.body.dispatchEvent(event);
    },
    [kind, name, bytes.toString("base64")],
  );
}

test("without a picture the page says what to do, and which files it takes", async () => {
  const { page, close } = await visit(browser, studio.url);
  await page.getByRole("heading", { name: "Paint a photograph" }).waitFor();
  const words = await page.locator(".empty-drop").innerText();
  assert.match(words.replaceAll("\u00a0", " "), /JPEG, PNG.* up to 3\.0 MB and 2 megapixels/s);
  await close();
});

test("a sample opens, and stays open when the page is loaded again", async () => {
  const { page, close } = await visit(browser, studio.url);
  await sample(page, /Mountains/);
  assert.match(await page.locator(".picture-name").innerText(), /1024\s×\s680/);
  await page.reload();
  await page.locator(".picture-name").waitFor();
  await close();
});

test("a chosen picture is seen before the server has it", async () => {
  const { page, close } = await visit(browser, studio.url);
  let go;
  const held = new Promise((resolve) => (go = resolve));
  await page.route("**/api/pictures?*", async (route) => {
    await held;
    await route.continue();
  });
  await choose(page, MOUNTAINS);
  const image = page.locator(".frame img.original").first();
  await image.waitFor();
  assert.match(await image.getAttribute("src"), /^blob:/);
  assert.ok(await image.evaluate((img) => img.decode().then(() => img.naturalWidth === 1024)));
  assert.equal(await page.locator(".thumb[data-ready=true]").count(), 0);
  await style(page, "Udnie").check();
  go();
  await painted(page); // what was chosen meanwhile
  assert.ok(await style(page, "Udnie").isChecked());
  await page.locator(".thumb[data-ready=true]").first().waitFor();
  await close();
});

for (const kind of ["drop", "paste"]) {
  test(`a picture may come by ${kind}`, async () => {
    const { page, close } = await visit(browser, studio.url);
    const name = "hills with a very long name ".repeat(8) + ".png";
    if (kind === "drop") {
      await hand(page, "dragenter", name, Buffer.from("x"));
      await page.getByText("Drop to open").waitFor();
    }
    await hand(page, kind, name, hills(300, 200));
    await page.locator(".picture-name").waitFor();
    assert.equal(await page.getByText("Drop to open").count(), 0);
    assert.match(await page.locator(".measure").innerText(), /300\s×\s200/);
    const shown = await page.locator(".picture-name .name").boundingBox();
    assert.ok(shown.width < 1000, "a long name is cut, not the page widened");
    await close();
  });
}

const whole = await readFile(MOUNTAINS);
const REFUSED = [
  ["a file that is no picture", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("hello") }, /notes\.txt is no picture/],
  ["a picture that ends early", { name: "half.jpg", mimeType: "image/jpeg", buffer: whole.subarray(0, 60_000) }, /./],
  ["a file of too many bytes", { name: "long.png", mimeType: "image/png", buffer: Buffer.concat([hills(8, 8), Buffer.alloc(3_000_000)]) }, /long\.png has 3\.0 MB; at most 3\.0 MB/],
  ["a picture of too many pixels", { name: "wide.png", mimeType: "image/png", buffer: hills(2001, 1000) }, /pixel/],
];

for (const [what, file, words] of REFUSED) {
  test(`${what} is refused in words, and the page goes on`, async () => {
    const { page, close } = await visit(browser, studio.url);
    await sample(page, /Mountains/);
    await choose(page, file);
    const notice = page.getByRole("alert").locator(".notice");
    await notice.waitFor();
    assert.match((await notice.innerText()).replaceAll("\u00a0", " "), words);
    await page.locator(".picture-name .name", { hasText: "mountains" }).waitFor();
    await page.getByRole("button", { name: "Put this message away" }).click();
    await notice.waitFor({ state: "detached" });
    await choose(page, { name: "good.png", mimeType: "image/png", buffer: hills(64, 48) });
    await page.locator(".picture-name .name", { hasText: "good" }).waitFor();
    await close();
  });
}
