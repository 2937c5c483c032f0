/** Training runs: how one goes. */

import { useEffect, useState } from "preact/hooks";
import { Refusal } from "../api/client";
import type { Table, Training } from "../api/types";
import { column } from "../pure/table";
import { counted, percent, time } from "../pure/words";
import { Chart } from "../parts/chart";
import { Progress } from "../parts/controls";
import { Icon } from "../parts/icon";
import { FaultWords } from "../parts/notices";
import { useCell } from "../state/cell";
import { open } from "../state/place";
import { complain, trainingOptions, trainings } from "../state/session";
import * as stylise from "../state/stylise";
import * as state from "../state/training";

/** Milliseconds between two looks at what other programs do. */
const LOOK = 3000;

function useOthersRuns(): void {
  useEffect(() => {
    // A server that is away is told of by the stream of events.
    const look = (): void => void (document.hidden || state.lookAround().catch(() => undefined));
    const timer = setInterval(look, LOOK);
    return () => clearInterval(timer);
  }, []);
}

export function TrainStage() {
  useOthersRuns();
  const run = state.current(useCell(trainings), useCell(state.selected));
  const options = useCell(trainingOptions);
  const curves = useCurves(run);
  if (!run) {
    return (
      <div class="run-view">
        <div class="blank">
          <Icon name="picture" />
          <h2>{options?.available ? "No run yet" : "Training is not set up here"}</h2>
          <p>
            {options?.available
              ? "Choose a painting and a folder of photographs. Its losses and previews appear here, as do runs of the command line."
              : options?.remedy}
          </p>
        </div>
      </div>
    );
  }
  return (
    <div class="run-view" tabIndex={0} role="region" aria-label={`Run ${run.name}`}>
      <Summary run={run} />
      <div class="charts">
        <Loss title="Style" name="style" curves={curves} />
        <Loss title="Content" name="content" curves={curves} />
      </div>
      <Previews run={run} />
    </div>
  );
}

function useCurves(run: Training | undefined): { losses: Table; validation: Table } | undefined {
  const curves = useCell(state.curves);
  useEffect(() => {
    state.curves.value = undefined;
  }, [run?.id]);
  useEffect(() => {
    if (run) state.fetchCurves(run.id).catch(unlessNone);
  }, [run?.id, run?.steps, run?.state]);
  return curves;
}

/** A run that has just begun has no curves yet. */
function unlessNone(error: unknown): void {
  if (!(error instanceof Refusal && error.status === 404)) complain(error);
}

function Loss({ title, name, curves }: { title: string; name: string; curves: { losses: Table; validation: Table } | undefined }) {
  const lines = [
    { name: "training", look: "first" as const, points: column(curves?.losses, name) },
    { name: "kept out", look: "second" as const, points: column(curves?.validation, name) },
  ];
  return <Chart title={`${title} loss`} lines={lines.filter((line) => line.look === "first" || line.points.length > 0)} />;
}

export const STATES: Record<Training["state"], string> = {
  waiting: "Waiting for its turn",
  running: "Running",
  stopping: "Stopping after this step",
  stopped: "Stopped",
  done: "Done",
  failed: "Failed",
  elsewhere: "Running in another program",
};

function Summary({ run }: { run: Training }) {
  const share = run.total ? run.steps / run.total : undefined;
  const facts = [
    STATES[run.state],
    run.total ? `step ${run.steps} of ${run.total}` : `step ${run.steps}`,
    run.steps_per_second !== null ? speed(run.steps_per_second) : "",
    run.seconds_left !== null ? `${time(run.seconds_left)} left` : "",
  ];
  return (
    <div class="run-summary">
      <div class="run-head">
        <h2 title={run.name}>{run.name}</h2>
        <Steering run={run} />
      </div>
      <p class="note">{facts.filter(Boolean).join(" · ")}</p>
      {run.state !== "done" && <Progress share={share} label={share === undefined ? "Training" : `Training, ${percent(share)}`} />}
      {run.note && <p class="note">{run.note}</p>}
      {run.error && <div class="notice bad"><Icon name="alert" /><FaultWords fault={run.error} /></div>}
    </div>
  );
}

function speed(perSecond: number): string {
  return perSecond >= 1 ? `${perSecond.toFixed(1)} steps a second` : `${(1 / Math.max(perSecond, 1e-9)).toFixed(1)} s a step`;
}

function Steering({ run }: { run: Training }) {
  const use = (): void => {
    open("stylise");
    if (run.style) stylise.choose(run.style);
  };
  const [asked, ask] = useState(false);
  const going = ["running", "waiting", "elsewhere"].includes(run.state);
  const steer = (verb: "stop" | "resume"): void => {
    ask(true);
    void state.steer(run.id, verb).finally(() => ask(false));
  };
  return (
    <div class="tools">
      {run.style && <button type="button" class="button" onClick={use}>Paint with it</button>}
      {going && <button type="button" class="button" disabled={asked} onClick={() => steer("stop")}><Icon name="stop" />Stop</button>}
      {run.can_resume && !state.isAtWork(run) && (
        <button type="button" class="button" disabled={asked} onClick={() => steer("resume")}><Icon name="play" />Resume</button>
      )}
    </div>
  );
}

/** Steps of which previews are shown; all would be a very long page. */
const LAST = 12;

function Previews({ run }: { run: Training }) {
  const last = run.previews.slice(-LAST).reverse();
  return (
    <section class="previews" aria-label="Previews">
      <h3>Previews</h3>
      {last.length === 0 && <p class="note">{state.isAtWork(run) ? "The first comes with the first checkpoint." : "None was painted."}</p>}
      <ul>
        {last.map((one) => (
          <li key={one.index}>
            <img src={one.url} alt={`${one.name} after ${counted(one.step, "step")}`} loading="lazy" />
            <small>{counted(one.step, "step")}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
