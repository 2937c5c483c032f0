// The real program, started for a test and ended after it.
import { spawn } from "node:child_process";
import { mkdtemp, rm, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lossNetwork } from "./weights.mjs";
import { hills } from "./pictures.mjs";

const root = fileURLToPath(new URL("../../../../../../", import.meta.url));

export const MOUNTAINS = join(root, "examples/pictures/mountains.jpg");

/** Seconds that a start may take on a busy machine. */
const PATIENCE = 60;

/** The program to test: `PENTIMENTO`, else what `cargo build` or `cargo test` made. */
function program() {
  return process.env.PENTIMENTO ?? join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/pentimento");
}

/**
 * Starts `pentimento studio` with more words, in a new folder with a cache of its own.
 * `training`: with a folder of photographs and a made-up loss network.
 */
export async function start({ words = [], training = false } = {}) {
  const place = await mkdtemp(join(tmpdir(), "pentimento-studio-"));
  const given = ["studio", "--no-open", "--port", "0", ...words];
  if (training) given.push(...(await materialOf(place)));
  const { child, ended } = run(place, given);
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(place, { recursive: true, force: true });
  };
  try {
    return { url: await address(child), place, stop, child };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The program at work in a folder, with a cache of its own, and its status once it has ended. */
export function run(place, words) {
  const env = { ...process.env, XDG_CACHE_HOME: join(place, "cache"), NO_COLOR: "1" };
  const child = spawn(program(), words, { cwd: place, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  return { child, ended };
}

/** The address that it says it listens at. */
function address(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`it said no address: ${said}`)), 1000 * PATIENCE);
    const hear = (bytes) => {
      said += bytes;
      const found = /http:\/\/[^\s/]+/.exec(said);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
}

async function materialOf(place) {
  const photos = join(place, "photos", "holiday");
  await mkdir(photos, { recursive: true });
  for (let i = 0; i < 8; i++) await writeFile(join(photos, `${i}.png`), hills(96 + 8 * i, 80));
  const weights = join(place, "cache/pentimento/weights");
  await mkdir(weights, { recursive: true });
  // the name under which `pentimento weights pull vgg16` keeps the file
  await writeFile(join(weights, "vgg16-397923af.pth"), lossNetwork());
  return ["--photos", join(place, "photos")];
}
