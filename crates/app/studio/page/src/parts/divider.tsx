/** The line between before and after. */

import { useRef } from "preact/hooks";

interface DividerProps {
  /** Share of the window's width. */
  readonly at: number;
  readonly onMove: (share: number) => void;
}

export function Divider({ at, onMove }: DividerProps) {
  const dragging = useRef(false);
  const move = (to: number): void => onMove(Math.min(1, Math.max(0, to)));
  const follow = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (dragging.current && box) move((event.clientX - box.left) / box.width);
  };
  const keys: Record<string, number> = {
    ArrowLeft: at - 0.02, ArrowRight: at + 0.02, ArrowDown: at - 0.02, ArrowUp: at + 0.02,
    PageDown: at - 0.2, PageUp: at + 0.2, Home: 0, End: 1,
  };
  return (
    <div
      class="divider" role="slider" tabIndex={0} aria-label="Before and after" aria-orientation="horizontal"
      aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * at)}
      aria-valuetext={`${Math.round(100 * at)} % before`} style={{ left: `${100 * at}%` }}
      onPointerDown={(event) => {
        dragging.current = true;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={follow}
      onPointerUp={() => (dragging.current = false)}
      onPointerCancel={() => (dragging.current = false)}
      onKeyDown={(event) => {
        const to = keys[event.key];
        if (to === undefined) return;
        event.preventDefault();
        move(to);
      }}
    >
      <span class="tag before" aria-hidden="true">Before</span>
      <span class="knob" aria-hidden="true" />
      <span class="tag after" aria-hidden="true">After</span>
    </div>
  );
}
