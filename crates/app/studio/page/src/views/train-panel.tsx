/** Beginning a run, and the list of runs. */

import { useEffect, useId, useState } from "preact/hooks";
import { api, at } from "../api/client";
import type { Picture, Recipe, Training, TrainingOptions } from "../api/types";
import { counted, titled } from "../pure/words";
import { Section, Select } from "../parts/controls";
import { Chooser } from "../parts/dropzone";
import { FaultWords } from "../parts/notices";
import { mediaType, HEAD } from "../pure/sniff";
import { Cell, useCell } from "../state/cell";
import { opened } from "../state/picture";
import { complain, trainingOptions, trainings, trouble } from "../state/session";
import * as state from "../state/training";
import { STATES } from "./train";

/** The painting of the run that is being prepared. */
export const painting = new Cell<Picture | undefined>(undefined);

/** Opens a painting: what is dropped on this view. */
export async function openPainting(file: File): Promise<void> {
  const type = mediaType(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  if (!type) {
    trouble.value = { code: "not_a_picture", message: `${file.name} is no picture that can be read here.`, remedy: "Choose another file." };
    return;
  }
  await api.upload(file, file.name || "painting", type).then((picture) => (painting.value = picture), complain);
}

export function TrainPanel() {
  const options = useCell(trainingOptions);
  const all = state.listed(useCell(trainings));
  const now = state.current(useCell(trainings), useCell(state.selected));
  useEffect(() => void state.refreshOptions(), []);
  return (
    <div class="panel-scroll">
      {all.length > 0 && (
        <Section title="Runs">
          <ul class="rows">
            {all.map((run) => <RunRow key={run.id} run={run} current={run.id === now?.id} />)}
          </ul>
        </Section>
      )}
      <Section title="New style">
        {options?.available ? <Form options={options} /> : <p class="note">{options?.remedy ?? "Asking what is there …"}</p>}
      </Section>
    </div>
  );
}

function RunRow({ run, current }: { run: Training; current: boolean }) {
  const share = run.total ? Math.min(1, run.steps / run.total) : 0;
  return (
    <li>
      <button type="button" class="row run-row" aria-pressed={current} onClick={() => (state.selected.value = run.id)}>
        <span class="run-name" title={run.name}>{run.name}</span>
        <small>{STATES[run.state]}</small>
        <i style={{ transform: `scaleX(${share})` }} class={state.isAtWork(run) ? "going" : ""} />
      </button>
    </li>
  );
}

const NAME = "[A-Za-z0-9][A-Za-z0-9 _\\-]{0,63}";

function Form({ options }: { options: TrainingOptions }) {
  const [name, setName] = useState("");
  const [folder, setFolder] = useState(options.folders[0]?.id ?? "");
  const [recipe, setRecipe] = useState(options.recipes[0]?.name ?? "pentimento");
  const [steps, setSteps] = useState("");
  const [size, setSize] = useState("");
  const [batch, setBatch] = useState("");
  const picture = useCell(painting);
  const busy = useCell(state.beginning);
  const refused = useCell(state.refused);
  const chosen = options.recipes.find((one) => one.name === recipe);
  const begin = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!picture) return;
    const begun = await state.train({ name: name.trim(), painting: picture.id, folder, recipe, ...numbers({ steps, size, batch }) });
    if (begun) setName("");
  };
  return (
    <form class="form" onSubmit={(event) => void begin(event)}>
      <Painting picture={picture} onName={(from) => name === "" && setName(from)} />
      <div class="field">
        <label for="run-name">Name</label>
        <input
          id="run-name" value={name} required maxLength={64} pattern={NAME} autocomplete="off" spellcheck={false}
          title="Letters, digits, spaces, - and _" onInput={(event) => setName(event.currentTarget.value)}
        />
      </div>
      <Select
        label="Photographs to learn from" value={folder} onChange={setFolder}
        options={options.folders.map((one) => [one.id, `${one.name} (${one.photographs.toLocaleString("en")})`] as const)}
      />
      <Select
        label="Recipe" value={recipe} onChange={setRecipe} note={chosen && recipeWords(chosen)}
        options={options.recipes.map((one) => [one.name, titled(one.name)] as const)}
      />
      <NumberField label="Steps" value={steps} usual={chosen?.steps} range={[1, 10_000_000]} onInput={setSteps} />
      <div class="pair">
        <NumberField label="Side of the crops" value={size} usual={chosen?.size} range={[32, 1024]} onInput={setSize} />
        <NumberField label="Photographs a step" value={batch} usual={chosen?.batch} range={[1, 64]} onInput={setBatch} />
      </div>
      {refused && <div class="notice bad" role="alert"><FaultWords fault={refused} /></div>}
      <button type="submit" class="button primary" disabled={busy || !picture || name.trim() === "" || !folder}>
        {busy ? "Beginning …" : "Train"}
      </button>
    </form>
  );
}

/** What was filled in; the recipe says the rest. */
function numbers(words: Record<"steps" | "size" | "batch", string>): Partial<Record<"steps" | "size" | "batch", number>> {
  return Object.fromEntries(Object.entries(words).filter(([, word]) => word !== "").map(([name, word]) => [name, Number(word)]));
}

interface NumberFieldProps {
  readonly label: string;
  readonly value: string;
  /** What the recipe has, seen while nothing is filled in. */
  readonly usual: number | null | undefined;
  readonly range: readonly [number, number];
  readonly onInput: (value: string) => void;
}

function NumberField({ label, value, usual, range: [min, max], onInput }: NumberFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id} type="number" min={min} max={max} step={1} value={value} placeholder={usual ? String(usual) : "as the recipe says"}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}

function recipeWords(recipe: Recipe): string {
  const length = recipe.steps ? counted(recipe.steps, "step") : `${recipe.epochs} times through the photographs`;
  return `${length} of ${counted(recipe.batch, "photograph")} at ${recipe.size} px, judged by ${recipe.loss_network}`;
}

function Painting({ picture, onName }: { picture: Picture | undefined; onName: (name: string) => void }) {
  const current = useCell(opened)?.picture;
  const named = (found: Picture): void => onName(found.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9 _-]+/g, "-").slice(0, 64));
  useEffect(() => {
    if (picture) named(picture);
  }, [picture?.id]);
  return (
    <div class="field">
      <span class="label" id="painting-label">Painting</span>
      <div class="painting-pick" role="group" aria-labelledby="painting-label">
        {picture && <img src={at.picture(picture.id, 256)} alt={picture.name} />}
        <div>
          {picture && <p class="name" title={picture.name}>{picture.name}</p>}
          <Chooser words={picture ? "Another" : "Choose a painting"} onFile={(file) => void openPainting(file)} />
          {!picture && current && (
            <button type="button" class="button quiet" onClick={() => (painting.value = current)}>Use the open picture</button>
          )}
        </div>
      </div>
    </div>
  );
}
