/** What a network shows, large. */

import type { CamData, Part, Result } from "../api/types";
import { at } from "../api/client";
import { levelFor } from "../pure/view";
import { counted } from "../pure/words";
import { Chooser, openAny } from "../parts/dropzone";
import { Icon } from "../parts/icon";
import { Pane } from "../parts/pane";
import { Source } from "../parts/source";
import { Stage, type Shown } from "../parts/stage";
import { Toolbar } from "../parts/toolbar";
import { useCell } from "../state/cell";
import * as state from "../state/inside";
import type { Sized } from "../state/picture";
import { caption, SaveSheet } from "./inside";

export function InsideStage({ picture }: { picture: Sized }) {
  const way = useCell(state.way);
  const seen = useCell(state.seen)[way];
  const patterns = useCell(state.patterns);
  const busy = useCell(state.busy);
  if (way === "filters") return <Patterns result={seen} parts={patterns} busy={busy} />;
  if (way === "activations" && seen) return <Sheet result={seen} />;
  return <Mapped picture={picture} result={seen} busy={busy} />;
}

function CaptionBar({ result, words }: { result: Result | undefined; words?: string }) {
  const said = result ? caption(result) : words ?? "";
  return (
    <div class="toolbar">
      <Chooser words="Open another picture" onFile={openAny} quiet />
      <div class="picture-name"><span class="name" title={said}>{said}</span></div>
      {result && <SaveSheet result={result} />}
    </div>
  );
}

/** A grid of a layer's channels. */
function Sheet({ result }: { result: Result }) {
  const size = { width: result.width ?? 1, height: result.height ?? 1 };
  const full = Math.max(size.width, size.height);
  return (
    <>
      <Stage
        place={result.id} picture={size} label={caption(result)}
        after={(shown: Shown) => <Pane src={at.preview(result.id, levelFor(shown.pixels, full))} alt={caption(result)} />}
      />
      <CaptionBar result={result} />
    </>
  );
}

/** The picture, with the heat map over it once there is one. */
function Mapped({ picture, result, busy }: { picture: Sized; result: Result | undefined; busy: boolean }) {
  const opacity = useCell(state.opacity);
  const data = result?.data as CamData | undefined;
  const heat = result?.images[0]?.url;
  const label = result ? `${picture.name}: ${caption(result)}` : picture.name;
  const after = (shown: Shown) => (
    <>
      <Source picture={picture} shown={shown} />
      {heat && !data?.fault && <img class="pane heat" src={heat} alt={label} style={{ opacity }} draggable={false} />}
    </>
  );
  return (
    <>
      <Stage place={picture.name} picture={picture.size} label={label} after={after}>
        {busy && <p class="stage-word" role="status">Looking …</p>}
        {!busy && data?.fault && <p class="stage-word" role="status">{data.fault}</p>}
      </Stage>
      {result ? <CaptionBar result={result} /> : <Toolbar picture={picture} canCompare={false} />}
    </>
  );
}

/** Patterns, each as soon as it is drawn. */
function Patterns({ result, parts, busy }: { result: Result | undefined; parts: readonly Part[]; busy: boolean }) {
  const tiles = result ? result.images : parts;
  if (tiles.length === 0) {
    return (
      <>
        <div class="stage">
          <div class="blank">
            <Icon name="picture" />
            <p>{busy ? "Drawing the first pattern …" : "Choose a layer and draw its patterns. That takes a while: each begins as noise."}</p>
          </div>
        </div>
        <CaptionBar result={undefined} />
      </>
    );
  }
  return (
    <>
      <div class="stage">
        <ul class="patterns" tabIndex={0} aria-label="Patterns">
          {tiles.map(({ index, url, channel }) => (
            <li key={index}>
              <img src={url} alt={`What channel ${channel ?? index} answers to`} />
              <small>{channel ?? index}</small>
            </li>
          ))}
        </ul>
      </div>
      <CaptionBar result={result} words={`${counted(tiles.length, "pattern")} so far`} />
    </>
  );
}
