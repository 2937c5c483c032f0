import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../../src/api/types";
import { jobs, learnJob } from "../../src/state/session";

const job = (state: Job["state"]): Job => ({ id: "a", state, ahead: 0 }) as Job;

test("an answer that an event overtook does not begin a job again", () => {
  learnJob(job("running"));
  learnJob(job("cancelled"));
  learnJob(job("running")); // the answer to cancelling, written before the job ended
  assert.equal(jobs.value.get("a")?.state, "cancelled");
});

test("a job that ends, or ends otherwise than was thought, is told of", () => {
  jobs.value = new Map();
  learnJob(job("queued"));
  learnJob(job("running"));
  assert.equal(jobs.value.get("a")?.state, "running");
  learnJob(job("cancelled"));
  learnJob(job("done"));
  assert.equal(jobs.value.get("a")?.state, "done");
});
