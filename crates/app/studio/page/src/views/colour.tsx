/** The picture in colour, and hints on it. */

import { useEffect, useState } from "preact/hooks";
import { at } from "../api/client";
import { levelFor, type Point } from "../pure/view";
import { percent } from "../pure/words";
import { IconButton, Section, Slider } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Download, FormatSelect } from "../parts/output";
import { Palette } from "../parts/palette";
import { Pane } from "../parts/pane";
import { Pins } from "../parts/pins";
import { Source } from "../parts/source";
import { Stage, type Shown } from "../parts/stage";
import { Toolbar } from "../parts/toolbar";
import { useCell } from "../state/cell";
import * as state from "../state/colouring";
import { spot } from "../state/spot";
import type { Sized } from "../state/picture";
import { results } from "../state/session";

export function ColourStage({ picture }: { picture: Sized }) {
  const all = useCell(results);
  const result = all.get(useCell(state.coloured) ?? "");
  const agreed = useCell(state.recolour);
  const allowed = picture.picture?.in_color === false || agreed;
  const busy = useCell(state.busy);
  const label = result ? `${picture.name}, coloured` : picture.name;
  const before = (shown: Shown) => <Source picture={picture} shown={shown} />;
  const after = (shown: Shown) => {
    if (!result) return before(shown);
    const full = Math.max(result.width ?? 0, result.height ?? 0);
    return <Pane name="coloured" src={at.preview(result.id, levelFor(shown.pixels, full))} alt={label} />;
  };
  const place = ({ x, y }: Point): void => {
    const { width, height } = picture.size;
    if (x < 0 || y < 0 || x >= width || y >= height) spot.value = undefined;
    else spot.value = { x: Math.floor(x), y: Math.floor(y) };
  };
  useEffect(() => () => void (spot.value = undefined), []);
  return (
    <>
      <Stage
        place={picture.name} picture={picture.size} label={label} after={after}
        before={result ? before : undefined} pinned={allowed && <Pins picture={picture} />}
        onPress={allowed ? place : undefined} clear={picture.picture?.alpha ?? false}
      >
        {busy && <p class="stage-word" role="status">Colouring …</p>}
      </Stage>
      <Palette picture={picture} />
      <Toolbar picture={picture} canCompare={Boolean(result)} />
    </>
  );
}

export function ColourPanel({ picture }: { picture: Sized }) {
  const all = useCell(results);
  const result = all.get(useCell(state.coloured) ?? "");
  const agreed = useCell(state.recolour);
  const inColor = picture.picture?.in_color === true;
  if (inColor && !agreed) return <InColour />;
  return (
    <>
      <div class="panel-scroll">
        <HintList picture={picture} />
        <Section title="Colours">
          <Adjust />
        </Section>
        <Section title="File">
          <FormatSelect picture={picture.picture} />
        </Section>
      </div>
      <div class="panel-foot">
        {result ? <Download result={result} words="Download" primary /> : <ColourButton ready={Boolean(picture.picture)} />}
      </div>
    </>
  );
}

function ColourButton({ ready }: { ready: boolean }) {
  const busy = useCell(state.busy);
  return (
    <button type="button" class="button primary" disabled={busy || !ready} onClick={() => void state.colour()}>
      {busy ? "Colouring …" : "Colour this picture"}
    </button>
  );
}

function InColour() {
  const agree = (): void => {
    state.recolour.value = true;
    void state.colour();
  };
  return (
    <div class="panel-scroll">
      <Section title="This picture is in colour">
        <p class="note">Colouring is for black-and-white photographs. It would take this one's own colours away and put others in their place.</p>
        <button type="button" class="button" onClick={agree}>Colour it all the same</button>
      </Section>
    </div>
  );
}

function HintList({ picture }: { picture: Sized }) {
  const { before, now, after } = useCell(state.hints);
  const open = useCell(spot);
  useUndoKeys();
  const middle = (): void => {
    const { width, height } = picture.size;
    spot.value = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  };
  const tools = (
    <div class="tools">
      <IconButton icon="undo" label="Undo" keys="Control+Z" disabled={before.length === 0} onClick={state.undo} />
      <IconButton icon="redo" label="Redo" keys="Control+Shift+Z" disabled={after.length === 0} onClick={state.redo} />
      <IconButton icon="trash" label="Delete all hints" disabled={now.length === 0} onClick={state.clearHints} />
    </div>
  );
  return (
    <Section title="Hints" aside={tools}>
      <p class="note">Press on the picture to say what colour something has. Drag a hint to move it.</p>
      <ul class="hints">
        {now.map((hint, i) => (
          <li key={hint.id}>
            <button type="button" class="hint-row" aria-pressed={open?.id === hint.id} onClick={() => (spot.value = { ...hint })}>
              <i class="swatch" style={{ background: hint.color }} />
              <span>Hint {i + 1}</span>
              <small>{hint.color}</small>
            </button>
            <IconButton icon="close" label={`Delete hint ${i + 1}`} onClick={() => state.deleteHint(hint.id)} />
          </li>
        ))}
      </ul>
      <button type="button" class="button" onClick={middle} disabled={!picture.picture}>
        <Icon name="pin" />
        Add a hint
      </button>
    </Section>
  );
}

function useUndoKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || (event.target as Element).closest("input:not([type=range]), textarea")) return;
      const key = event.key.toLowerCase();
      if (key === "z") (event.shiftKey ? state.redo : state.undo)();
      else if (key === "y") state.redo();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

function Adjust() {
  const saturation = useCell(state.saturation);
  const temperature = useCell(state.temperature);
  const [, redraw] = useState({});
  const set = (cell: { value: number }, to: number): void => {
    cell.value = to;
    redraw({});
    if (state.coloured.value !== undefined) state.colourSoon();
  };
  return (
    <>
      <Slider
        label="Saturation" value={saturation} min={0} max={2} step={0.05} usual={1} words={percent(saturation)}
        onInput={(to) => set(state.saturation, to)}
      />
      <Slider
        label="Vividness" value={vividness(temperature)} min={0} max={1} step={0.01} usual={vividness(state.USUAL)}
        words={percent(vividness(temperature))} onInput={(to) => set(state.temperature, heat(to))}
      />
    </>
  );
}

/** From 1, most careful, to 0.05, most vivid; the network's own middle near the slider's. */
const COLDEST = 0.05;

const vividness = (temperature: number): number => (1 - temperature) / (1 - COLDEST);

const heat = (vivid: number): number => Number((1 - vivid * (1 - COLDEST)).toFixed(3));
