/** The colours to choose from for a place of the picture. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ProposalsData } from "../api/types";
import { percent } from "../pure/words";
import { useCell } from "../state/cell";
import { addHint, deleteHint, hints, proposals, recolourHint } from "../state/colouring";
import type { Sized } from "../state/picture";
import { complain } from "../state/session";
import { spot, type Spot } from "../state/spot";
import { IconButton } from "./controls";
import { Icon } from "./icon";

type Colours = ProposalsData["colors"];

/** What the picker offers before anything was chosen. */
const FIRST = "#8a6f52";

export function Palette({ picture }: { picture: Sized }) {
  const open = useCell(spot);
  if (!open) return null;
  return <Dialog key={`${open.x} ${open.y}`} open={open} picture={picture} />;
}

function Dialog({ open, picture }: { open: Spot; picture: Sized }) {
  const colours = useProposals(open);
  const box = useRef<HTMLDivElement>(null);
  const hint = useCell(hints).now.find((one) => one.id === open.id);
  const now = hint?.color;
  useEffect(() => box.current?.focus(), []);
  const choose = (color: string): void => {
    if (hint) return recolourHint(hint.id, color);
    addHint(open, color);
    const placed = hints.value.now.at(-1);
    if (placed) spot.value = { x: placed.x, y: placed.y, id: placed.id };
  };
  const close = (): void => {
    spot.value = undefined;
    document.querySelector<HTMLElement>(".window")?.focus({ preventScroll: true });
  };
  return (
    <div
      ref={box} class="palette" role="dialog" aria-label="The colour here" tabIndex={-1} {...sideOf(open, picture)}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <div class="palette-head">
        <h3>{hint ? "Colour of this hint" : "What colour is this?"}</h3>
        <IconButton icon="close" label="Close" onClick={close} />
      </div>
      <Swatches colours={colours} now={now} onChoose={choose} />
      <div class="palette-foot">
        <label class="own-colour">
          <input type="color" value={now ?? colours?.[0]?.color ?? FIRST} onChange={(event) => choose(event.currentTarget.value)} />
          <span>Any colour</span>
        </label>
        {hint && (
          <button type="button" class="button quiet" onClick={() => { deleteHint(hint.id); close(); }}>
            <Icon name="trash" />
            Delete
          </button>
        )}
      </div>
    </div>
  );
}

function Swatches({ colours, now, onChoose }: { colours: Colours | undefined; now: string | undefined; onChoose: (color: string) => void }) {
  return (
    <div class="swatches" role="group" aria-label="Plausible here, likeliest first" aria-busy={colours === undefined}>
      {colours === undefined && Array.from({ length: 8 }, (_, i) => <i key={i} class="swatch waiting" />)}
      {colours?.map(({ color, probability }) => (
        <button
          key={color} type="button" class="swatch" style={{ background: color }} aria-pressed={color === now}
          aria-label={`${color}, ${percent(probability)} likely`} title={`${percent(probability)} likely`} onClick={() => onChoose(color)}
        />
      ))}
      {colours?.length === 0 && <p class="note">The network proposes nothing here.</p>}
    </div>
  );
}

function useProposals(open: Spot): Colours | undefined {
  const [colours, setColours] = useState<Colours | undefined>(undefined);
  useEffect(() => {
    const off = new AbortController();
    proposals({ x: open.x, y: open.y }, open.id, off.signal).then(
      (found) => off.signal.aborted || setColours(found),
      (error) => {
        if (off.signal.aborted) return;
        setColours([]);
        complain(error);
      },
    );
    return () => off.abort();
  }, []);
  return colours;
}

/** Which side of the stage has more room, so that the place itself stays in sight. */
function sideOf({ x, y }: Spot, { size }: Sized): Record<string, string> {
  const { width, height } = size;
  return { "data-x": x > width / 2 ? "left" : "right", "data-y": y > height / 2 ? "top" : "bottom" };
}
