/** This session's jobs and results. */

import { at } from "../api/client";
import { api } from "../api/client";
import type { Job, Result } from "../api/types";
import { history, waiting } from "../state/history";
import { size, time } from "../pure/words";
import { useCell } from "../state/cell";
import { revisit } from "../state/revisit";
import { complain, drop, jobs, results, styles } from "../state/session";
import { cancel, hushed } from "../state/work";
import { IconButton, Progress } from "./controls";
import { Icon } from "./icon";

const THUMBNAIL = 256;

export function Strip({ now }: { now: string | undefined }) {
  const active = waiting(useCell(jobs), useCell(hushed));
  const past = history(useCell(results));
  return (
    <section class="strip" aria-label="This session">
      <ul tabIndex={-1}>
        {active.map((job) => <JobCard key={job.id} job={job} />)}
        {past.map((result) => <ResultCard key={result.id} result={result} current={result.id === now} />)}
        {active.length + past.length === 0 && <li class="strip-empty">What you make in this session is kept here.</li>}
      </ul>
    </section>
  );
}

const DOING = { stylize: "Painting", colorize: "Colouring", filters: "Drawing patterns", activations: "Looking", cam: "Looking", gallery: "", proposals: "" };

function JobCard({ job }: { job: Job }) {
  const known = useCell(styles).styles;
  const style = known.find((one) => one.id === job.request["style"])?.title;
  const name = style ?? DOING[job.kind];
  const words = progressWords(job);
  return (
    <li class="card job">
      <div class="job-words">
        <strong>{name}</strong>
        <span>{words}</span>
      </div>
      <Progress share={job.state === "running" ? job.fraction : 0} label={`${name}: ${words}`} />
      <IconButton icon="close" label={`Cancel ${name}`} onClick={() => cancel(job.id)} />
    </li>
  );
}

export function progressWords(job: Job): string {
  if (job.state === "queued") return job.ahead > 0 ? `Waiting, ${job.ahead} before it` : "Waiting";
  if (job.seconds_left !== null) return `${time(job.seconds_left)} left`;
  return job.stage || "Running";
}

function ResultCard({ result, current }: { result: Result; current: boolean }) {
  const measure = result.width && result.height ? size(result.width, result.height) : "";
  const forget = (): void => {
    api.forget(result.id).then(() => drop(results, result.id), complain);
  };
  return (
    <li class={`card result ${current ? "current" : ""}`}>
      <button
        type="button" class="result-open" title={`${result.title}${measure && `, ${measure}`}`}
        aria-label={`Show ${result.title} ${measure}`} aria-current={current} onClick={() => void revisit(result).catch(complain)}
      >
        {result.kind === "cam" ? (
          <img src={result.images[0]?.url ?? ""} alt="" loading="lazy" />
        ) : (
          <img src={at.preview(result.id, THUMBNAIL)} alt="" loading="lazy" />
        )}
        {current && <span class="mark-current"><Icon name="check" /></span>}
      </button>
      <IconButton icon="close" label={`Delete ${result.title}`} onClick={forget} />
    </li>
  );
}
