// What the tests of a file share: one browser, and a studio for each set of options.
import { after, afterEach } from "node:test";
import { launch, leave } from "./browser.mjs";
import { start } from "./studio.mjs";

/** Starts them before the first test and ends them after the last; what a test leaves open is closed. */
export async function shared(...options) {
  const [browser, ...studios] = await Promise.all([launch(), ...options.map((one) => start(one))]);
  afterEach(() => leave(browser));
  after(() => Promise.all([browser.close(), ...studios.map((studio) => studio.stop())]));
  return [browser, ...studios];
}
