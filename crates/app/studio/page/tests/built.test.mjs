// What is committed as dist/ is what the source makes, small, and asks nobody for anything.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const page = fileURLToPath(new URL("../", import.meta.url));
const dist = join(page, "dist");

test("the committed page is a fresh build of the source", () => {
  const fresh = mkdtempSync(join(tmpdir(), "pentimento-page-"));
  try {
    execFileSync(process.execPath, [join(page, "build.mjs"), fresh]);
    assert.deepEqual(readdirSync(dist).sort(), readdirSync(fresh).sort());
    for (const name of readdirSync(fresh)) {
      assert.ok(readFileSync(join(dist, name)).equals(readFileSync(join(fresh, name))), `${name} is another: run \`npm run build\` and commit dist`);
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
});

test("the page is small", () => {
  const sizes = readdirSync(dist).map((name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length);
  const all = sizes.reduce((a, b) => a + b, 0);
  console.log(`${all} bytes compressed`);
  assert.ok(all <= 60_000, `${all} bytes compressed`);
});

test("no file of the page names another host, and the lock file no registry", () => {
  for (const name of readdirSync(dist)) {
    const hosts = readFileSync(join(dist, name), "utf8").match(/https?:\/\/[^\s"'`)]+/g) ?? [];
    assert.deepEqual(hosts.filter((host) => !host.startsWith("http://www.w3.org/")), [], name); // namespaces of SVG
  }
  const lock = JSON.parse(readFileSync(join(page, "package-lock.json"), "utf8"));
  for (const [name, entry] of Object.entries(lock.packages)) assert.equal(entry.resolved, undefined, name);
});
