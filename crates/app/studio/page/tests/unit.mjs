// Bundles the unit tests, which are TypeScript, so that Node can run them.
import { build } from "esbuild";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("./unit/", import.meta.url));
const out = fileURLToPath(new URL("../build/unit/", import.meta.url));
const entryPoints = (await readdir(folder)).filter((name) => name.endsWith(".test.ts")).map((name) => folder + name);

await rm(out, { recursive: true, force: true });
// import.meta.url of a test is where its source lies, as far as the tests are concerned
await build({
  entryPoints, outdir: out, outExtension: { ".js": ".mjs" }, bundle: true, platform: "node", format: "esm", logLevel: "warning",
});
