/** The picture in a style. */

import { at } from "../api/client";
import type { Result, Style } from "../api/types";
import { opacities } from "../pure/blend";
import { levelFor } from "../pure/view";
import { percent, size as sized } from "../pure/words";
import { FormatSelect, Download } from "../parts/output";
import { Section, Select, Slider } from "../parts/controls";
import { Pane } from "../parts/pane";
import { Source } from "../parts/source";
import { Stage, type Shown } from "../parts/stage";
import { Toolbar } from "../parts/toolbar";
import { useCell } from "../state/cell";
import { opened, type Sized } from "../state/picture";
import { isActive, jobs, results, styles } from "../state/session";
import * as state from "../state/stylise";

export function StyliseStage({ picture }: { picture: Sized }) {
  const painted = useCell(state.painted);
  const made = useCell(results);
  const result = painted && made.get(painted.result);
  const all = useCell(styles).styles;
  const title = all.find((style) => style.id === painted?.style)?.title;
  const ready = painted && (painted.quick !== undefined || result);
  const label = ready ? `${picture.name}, painted as ${title ?? "a style"}` : picture.name;
  const before = (shown: Shown) => <Source picture={picture} shown={shown} />;
  const after = (shown: Shown) =>
    ready ? <Mixed painted={painted} result={result} picture={picture} shown={shown} label={label} /> : before(shown);
  return (
    <>
      <Stage
        place={picture.name} picture={picture.size} label={label} after={after}
        before={ready ? before : undefined} clear={picture.picture?.alpha ?? false}
      >
        {useCell(state.looking) && !ready && <p class="stage-word" role="status">Painting a preview …</p>}
      </Stage>
      <Toolbar picture={picture} canCompare={Boolean(ready)} />
    </>
  );
}

interface MixedProps {
  readonly painted: state.Painted;
  readonly result: Result | undefined;
  readonly picture: Sized;
  readonly shown: Shown;
  readonly label: string;
}

/** The photograph, the painting over it, and over that the painting in the photograph's colours. */
function Mixed({ painted, result, picture, shown, label }: MixedProps) {
  const mix = opacities(useCell(state.strength), useCell(state.keep));
  const full = Math.max(result?.width ?? state.LOOK, result?.height ?? 0);
  const side = levelFor(shown.pixels, full);
  // what cannot be seen now is fetched small, so that a slider finds it there
  const small = Math.min(side, state.LOOK);
  const id = painted.result;
  const style = { "--painted": mix.painted, "--kept": mix.kept };
  return (
    <div class="mixed" style={style} data-result={id} data-complete={Boolean(result)}>
      {result ? <Pane name="original" src={at.original(id, mix.painted < 1 ? side : small)} alt={label} /> : <Source picture={picture} shown={shown} />}
      <div class="painted">
        <Pane name="styled" src={result ? at.preview(id, side) : painted.quick ?? ""} alt="" />
        {result && <Pane name="kept" src={at.kept(id, mix.kept > 0 ? side : small)} alt="" />}
      </div>
    </div>
  );
}

export function StylisePanel({ picture }: { picture: Sized }) {
  return (
    <>
      <div class="panel-scroll">
        <Gallery />
        <Section title="Mix">
          <Mix />
        </Section>
        <Section title="File">
          <SizeSelect />
          <FormatSelect picture={picture.picture} />
        </Section>
      </div>
      <Actions />
    </>
  );
}

function Gallery() {
  const { styles: all, problems } = useCell(styles);
  const thumbnails = useCell(state.thumbnails);
  const chosen = useCell(state.chosen);
  return (
    <Section title="Styles">
      <div class="gallery" role="radiogroup" aria-label="Style">
        {all.map((style) => (
          <StyleCard key={style.id} style={style} thumbnail={thumbnails.get(style.id)} checked={style.id === chosen} />
        ))}
      </div>
      {problems.map((one) => (
        <p key={one.file} class="note warn"><strong>{one.file}</strong>: {one.message}</p>
      ))}
    </Section>
  );
}

function StyleCard({ style, thumbnail, checked }: { style: Style; thumbnail: string | undefined; checked: boolean }) {
  const about = style.painting || (style.origin === "user" ? "Yours" : "");
  return (
    <label class="style-card" title={[style.title, about].filter(Boolean).join(", ")}>
      <input type="radio" name="style" checked={checked} onChange={() => state.choose(style.id)} onClick={() => checked && state.choose(style.id)} />
      <span class="thumb" data-ready={thumbnail !== undefined}>
        {thumbnail && <img src={thumbnail} alt="" />}
      </span>
      <span class="style-name">{style.title}</span>
      {style.origin === "user" && <span class="badge">Yours</span>}
    </label>
  );
}

function Mix() {
  const strength = useCell(state.strength);
  const keep = useCell(state.keep);
  const idle = useCell(state.chosen) === undefined;
  return (
    <>
      <StrokesSelect />
      <Slider
        label="Strength" value={strength} min={0} max={1} step={0.01} usual={1} words={percent(strength)} disabled={idle}
        onInput={(to) => (state.strength.value = to)}
      />
      <Slider
        label="Keep colours" value={keep} min={0} max={1} step={0.01} usual={0} words={percent(keep)} disabled={idle}
        onInput={(to) => (state.keep.value = to)}
      />
    </>
  );
}

const LARGER = new Map([[1, "Fine"], [2, "Twice as large"], [4, "Four times as large"], [8, "Eight times as large"]]);

function StrokesSelect() {
  useCell(state.strokes);
  useCell(state.wanted);
  useCell(opened);
  return (
    <Select
      label="Strokes" value={String(state.largerBy())}
      options={state.possibleStrokes().map((one) => [String(one), LARGER.get(one) ?? `× ${one}`] as const)}
      onChange={(to) => state.restroke(Number(to))}
    />
  );
}

/** Longer sides to choose from. */
const SIDES = [512, 1024, 1600, 2048, 4096];

function SizeSelect() {
  const own = useCell(opened)?.size;
  const wanted = useCell(state.wanted);
  const long = Math.max(own?.width ?? 0, own?.height ?? 0);
  const sides = [...new Set([...SIDES.filter((side) => side < long), ...(wanted ? [wanted] : [])])].sort((a, b) => a - b);
  const measured = (side: number): string =>
    own ? sized(Math.max(1, Math.round((own.width * side) / long)), Math.max(1, Math.round((own.height * side) / long))) : "";
  return (
    <Select
      label="Size" value={wanted === undefined ? "" : String(wanted)}
      options={[["", `Own size${own ? `, ${sized(own.width, own.height)}` : ""}`], ...sides.map((side) => [String(side), measured(side)] as const)]}
      onChange={(to) => state.resize(to === "" ? undefined : Number(to))}
      note="The smaller, the larger the strokes"
    />
  );
}

function Actions() {
  const painted = useCell(state.painted);
  const all = useCell(results);
  const blend = { strength: useCell(state.strength), keep: useCell(state.keep) };
  const result = painted && all.get(painted.result);
  const own = useCell(opened)?.size;
  useCell(state.wanted);
  const at = useCell(jobs);
  if (!result || !own) return <Foot words={painted ? "Painting …" : "Choose a style to begin."} />;
  if (!state.isLook(painted, all)) {
    return <div class="panel-foot"><Download result={result} blend={blend} words="Download" primary /></div>;
  }
  const busy = [...at.values()].some((job) => isActive(job) && state.isWhole(job));
  return (
    <div class="panel-foot">
      <button type="button" class="button primary" disabled={busy} onClick={state.paintWhole}>
        {busy ? "In the queue" : `Paint at ${state.measured(own)}`}
      </button>
      <Download result={result} blend={blend} words="Download this preview" primary={false} />
    </div>
  );
}

function Foot({ words }: { words: string }) {
  return <div class="panel-foot"><p class="note">{words}</p></div>;
}
