import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { api, at } from "../../src/api/client";

interface Operation {
  parameters?: { name: string; in: string }[];
}
const described = JSON.parse(await readFile(new URL("../../../api/openapi.json", import.meta.url), "utf8")) as {
  paths: Record<string, Record<string, Operation>>;
};

/** The description of a request, or nothing if the server offers no such thing. */
function operation(method: string, address: string): Operation | undefined {
  const { pathname } = new URL(address, "http://studio");
  const parts = pathname.split("/");
  const fits = (path: string): boolean => {
    const wanted = path.split("/");
    return wanted.length === parts.length && wanted.every((part, i) => part === parts[i] || part.startsWith("{"));
  };
  const path = Object.keys(described.paths).find(fits);
  return path === undefined ? undefined : described.paths[path]?.[method.toLowerCase()];
}

function check(method: string, address: string): void {
  const found = operation(method, address);
  assert.ok(found, `${method} ${address} is in no description`);
  const known = (found.parameters ?? []).filter((one) => one.in === "query").map((one) => one.name);
  for (const name of new URL(address, "http://studio").searchParams.keys()) assert.ok(known.includes(name), `${method} ${address}: ${name}`);
}

test("every request of the page is one that the server describes", async () => {
  const asked: string[] = [];
  const answer = new Proxy({}, { get: (_, name) => (name === "then" ? undefined : []) });
  globalThis.fetch = ((address: string, { method = "GET" }: RequestInit = {}) => {
    asked.push(`${method} ${address}`);
    return Promise.resolve({ ok: true, json: () => Promise.resolve(answer) });
  }) as unknown as typeof fetch;
  const calls: Record<string, unknown[]> = { upload: [new Blob(), "a b&c.jpg", "image/jpeg"], losses: ["id", 3], steer: ["id", "stop"] };
  for (const [name, call] of Object.entries(api)) await (call as (...given: unknown[]) => Promise<unknown>)(...(calls[name] ?? ["a/b", 1]));
  await api.steer("id", "resume");
  assert.ok(asked.length > 20, asked.join("\n"));
  for (const one of asked) {
    const [method = "", address = ""] = one.split(/ (.*)/);
    check(method, address);
  }
});

test("every image and file is where the server describes it", () => {
  const addresses = [
    at.picture("p/q", 100), at.sample("s", 100), at.preview("r", 100), at.kept("r", 100), at.original("r", 100),
    at.file("r", undefined, undefined), at.file("r", "png", { strength: 0.5, keep: 0.25 }), at.file("r", "png", { strength: 1, keep: 0 }),
  ];
  for (const address of addresses) check("GET", address);
  assert.equal(addresses.at(-1), "/api/results/r/file?format=png");
});
