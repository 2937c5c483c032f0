// For everybody: axe on every view in light and dark, keys alone, a phone's width, the token.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PHONE, painted, sample, style, visit } from "../support/browser.mjs";
import { shared } from "../support/shared.mjs";
import { start } from "../support/studio.mjs";
import { VIEWS } from "../support/views.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const [browser, studio] = await shared({ training: true });

/** What axe finds serious or critical. */
async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join("; ")}`);
}

for (const colorScheme of ["light", "dark"]) {
  for (const [name, go] of Object.entries(VIEWS)) {
    test(`axe finds nothing serious in "${name}", ${colorScheme}`, async () => {
      const { page, close } = await visit(browser, studio.url, { colorScheme, reducedMotion: "reduce", bypassCSP: true });
      await go(page, studio.url);
      assert.deepEqual(await faults(page), []);
      await close();
    });
  }
}

for (const [name, go] of Object.entries(VIEWS)) {
  test(`"${name}" fits a phone`, async () => {
    const { page, close } = await visit(browser, studio.url, { viewport: PHONE, hasTouch: true, isMobile: true });
    await go(page, studio.url);
    const { wide, sideways, outside, small } = await page.evaluate(overflow);
    assert.equal(wide, 360);
    assert.deepEqual(outside, []);
    assert.deepEqual(sideways, [], "what scrolls sideways");
    assert.deepEqual(small, [], "targets for a finger");
    await close();
  });
}

/** How wide the page is, what sticks out of it, and what is too small to press (WCAG 2.5.8: 24 px). */
function overflow() {
  const named = (element) => `${element.className || element.tagName} ${element.getAttribute("aria-label") ?? element.textContent.slice(0, 20)}`;
  const scrolls = (element) => element && (/(auto|scroll|hidden)/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  const shown = [...document.querySelectorAll("button, a, select, input:not([type=radio]):not([hidden])")].filter((element) => element.checkVisibility());
  const outside = shown.filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element.parentElement));
  const small = shown.filter((element) => {
    const box = element.getBoundingClientRect();
    return (box.width < 24 || box.height < 24) && !element.classList.contains("pin");
  });
  const sideways = [...document.querySelectorAll("main, .panel-scroll, .run-view")].filter((element) => element.scrollWidth > element.clientWidth);
  return { wide: document.documentElement.scrollWidth, sideways: sideways.map(named), outside: outside.map(named), small: small.map(named) };
}

test("a picture is opened, painted, compared and saved with keys alone", async () => {
  const { page, close } = await visit(browser, studio.url);
  const reach = async (wanted) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const element = document.activeElement;
        const seen = getComputedStyle(element.matches("input[type=radio]") ? element.nextElementSibling ?? element : element);
        return { words: `${element.getAttribute("aria-label") ?? ""} ${element.textContent} ${element.labels?.[0]?.textContent ?? ""}`, ring: seen.outlineStyle !== "none" };
      });
      assert.ok(focus.ring, `the focus on ${focus.words} cannot be seen`);
      if (wanted.test(focus.words)) return;
    }
    assert.fail(`${wanted} cannot be reached`);
  };
  await reach(/Mountains/);
  await page.keyboard.press("Enter");
  await page.locator(".style-card").first().waitFor();
  await reach(/Composition/);
  await page.keyboard.press("ArrowDown");
  await painted(page);
  assert.ok(await page.locator(".style-card").nth(1).getByRole("radio").isChecked());
  await reach(/Strength/);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.getByLabel("Strength").inputValue(), "0.99");
  await page.keyboard.press("c");
  await page.getByRole("slider", { name: "Before and after" }).waitFor();
  await reach(/^ *Download/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  assert.match(download.suggestedFilename(), /mountains.*\.jpe?g$/);
  await page.getByRole("tab", { name: "Stylise" }).focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("tab", { name: "Colour" }).getAttribute("aria-selected"), "true");
  await close();
});

test("a screen reader is told what happens", async () => {
  const { page, close } = await visit(browser, studio.url);
  const said = page.locator(".unseen[role=status]");
  await sample(page, /Mountains/);
  await page.waitForFunction(() => /is open, 1024 by 680 pixels/.test(document.querySelector(".unseen[role=status]").textContent));
  await style(page, "Udnie").check();
  await painted(page);
  assert.match(await said.innerText(), /is painted/);
  await close();
});

test("light and dark follow the system until one is chosen, and the choice is kept", async () => {
  const { page, close } = await visit(browser, studio.url, { colorScheme: "dark" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  const button = page.getByRole("button", { name: /Appearance/ });
  await button.click();
  const light = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  await page.getByRole("tablist").waitFor();
  assert.equal(await paper(), light);
  await button.click();
  assert.equal(await paper(), dark);
  await close();
});

test("motion is left out where it is not wanted", async () => {
  const { page, close } = await visit(browser, studio.url, { reducedMotion: "reduce" });
  await sample(page, /Mountains/);
  const moving = await page.evaluate(() => document.getAnimations().filter((one) => one.playState === "running").length);
  assert.equal(moving, 0);
  await close();
});

test("a studio with a token asks for it", async () => {
  const locked = await start({ words: ["--token", "open-sesame-open-sesame"] });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(locked.url);
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByRole("alert").locator(".notice").waitFor();
    await page.getByLabel("Token").fill("open-sesame-open-sesame");
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByRole("heading", { name: "Paint a photograph" }).waitFor();
    await context.close();
  } finally {
    await locked.stop();
  }
});

test("a studio that goes away before the page has joined it is missed too", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let gone = false;
  await page.route("**/api/**", (route) => {
    gone ||= route.request().url().endsWith("/api/events");
    return gone ? route.abort() : route.continue();
  });
  await page.goto(studio.url);
  await page.getByText("This page goes on as soon as it is back.").waitFor();
  await context.close();
});

test("when the studio goes away the page says so", async () => {
  const brief = await start();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(brief.url);
  await page.getByRole("heading", { name: "Paint a photograph" }).waitFor();
  await brief.stop();
  await page.getByText("The studio does not answer.").waitFor();
  await context.close();
});
