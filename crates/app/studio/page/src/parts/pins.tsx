/** Hints on the picture: to press, drag, and move with keys. */

import { useRef } from "preact/hooks";
import type { Hint } from "../pure/hints";
import type { Size } from "../pure/view";
import { useCell } from "../state/cell";
import { deleteHint, hints, moveHint } from "../state/colouring";
import type { Sized } from "../state/picture";
import { spot } from "../state/spot";

/** Screen pixels that a finger may tremble. */
const TREMBLE = 5;

export function Pins({ picture }: { picture: Sized }) {
  const { now } = useCell(hints);
  const open = useCell(spot);
  const size = picture.size;
  return (
    <div class="pins">
      {now.map((hint, i) => <Pin key={hint.id} hint={hint} number={i + 1} size={size} open={open?.id === hint.id} />)}
      {open && open.id === undefined && (
        <span class="pin pending" style={{ left: `${(100 * (open.x + 0.5)) / size.width}%`, top: `${(100 * (open.y + 0.5)) / size.height}%` }} />
      )}
    </div>
  );
}

/** Steps of the arrow keys, as shares of the longer side. */
const STEP = 0.01;

function Pin({ hint, number, size, open }: { hint: Hint; number: number; size: Size; open: boolean }) {
  const grip = useRef<{ x: number; y: number; far: boolean } | undefined>(undefined);
  const place = (x: number, y: number): { left: string; top: string } => ({
    left: `${(100 * (x + 0.5)) / size.width}%`,
    top: `${(100 * (y + 0.5)) / size.height}%`,
  });
  const under = (event: PointerEvent & { currentTarget: HTMLElement }): { x: number; y: number } => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect() ?? new DOMRect(0, 0, 1, 1);
    return { x: ((event.clientX - box.left) / box.width) * size.width, y: ((event.clientY - box.top) / box.height) * size.height };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = event.shiftKey ? 1 : Math.max(1, Math.round(STEP * Math.max(size.width, size.height)));
    const ways: Record<string, [number, number]> = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] };
    const way = ways[event.key];
    if (way) moveHint(hint.id, { x: hint.x + way[0], y: hint.y + way[1] });
    else if (event.key === "Delete" || event.key === "Backspace") deleteHint(hint.id);
    else return;
    event.preventDefault();
  };
  return (
    <button
      type="button" class="pin" aria-label={`Hint ${number}, ${hint.color}. Arrows move it, Delete removes it`} aria-haspopup="dialog"
      aria-expanded={open} style={{ ...place(hint.x, hint.y), background: hint.color }} onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        grip.current = { x: event.clientX, y: event.clientY, far: false };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const held = grip.current;
        if (!held) return;
        held.far ||= Math.hypot(event.clientX - held.x, event.clientY - held.y) > TREMBLE;
        if (!held.far) return;
        const { x, y } = under(event);
        Object.assign(event.currentTarget.style, place(x, y));
      }}
      onPointerUp={(event) => {
        if (grip.current?.far) moveHint(hint.id, under(event));
      }}
      onPointerCancel={() => (grip.current = undefined)}
      onClick={() => {
        const dragged = grip.current?.far;
        grip.current = undefined;
        if (!dragged) spot.value = open ? undefined : { x: hint.x, y: hint.y, id: hint.id };
      }}
    />
  );
}
