/** The window on a picture: zoom, pan, and before beside after. */

import type { ComponentChildren, CSSProperties } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { fit, held, pictured, zoomed, type Point, type Size, type View } from "../pure/view";
import { percent } from "../pure/words";
import { Cell, useCell } from "../state/cell";
import { IconButton } from "./controls";
import { Divider } from "./divider";
import { attach } from "./gestures";

/** Where each picture was left, so that going from view to view does not lose the place. */
const places = new Map<string, View>();

export const comparing = new Cell(false);
/** Where before ends and after begins, as a share of the window's width. */
export const divider = new Cell(0.5);

export interface Shown {
  /** Screen pixels of the picture's longer side. */
  readonly pixels: number;
}

interface StageProps {
  /** What the view is remembered by. */
  readonly place: string;
  readonly picture: Size;
  readonly label: string;
  /** What is seen left of the divider, if there is anything to compare with. */
  readonly before?: ((shown: Shown) => ComponentChildren) | undefined;
  readonly after: (shown: Shown) => ComponentChildren;
  /** Things that lie on the picture, placed by percentages of it. */
  readonly pinned?: ComponentChildren;
  readonly onPress?: ((at: Point) => void) | undefined;
  readonly children?: ComponentChildren;
  readonly clear?: boolean;
}

export function Stage(props: StageProps) {
  const { picture, place, onPress } = props;
  const ref = useRef<HTMLDivElement>(null);
  const room = useRoom(ref);
  const [view, set] = useView(place, picture, room);
  const now = useRef({ view, picture, window: room });
  now.current = { view, picture, window: room };
  const press = useRef(onPress);
  press.current = onPress;
  useEffect(() => {
    if (!ref.current) return;
    return attach(ref.current, {
      now: () => now.current,
      set: (next) => {
        now.current = { ...now.current, view: next };
        set(next);
      },
      press: (at) => press.current?.(pictured(now.current.view, at)),
    });
  }, []);
  return (
    <div class="stage">
      <div
        ref={ref} class={`window ${onPress ? "placing" : ""}`} tabIndex={0} role="group" aria-label={props.label}
        aria-roledescription="picture viewer" data-fits={view.fits} aria-keyshortcuts="+ - 0 1"
      >
        {room.width > 0 && <Frame {...props} view={view} room={room} />}
        {props.children}
      </div>
      <Zoom view={view} set={set} picture={picture} room={room} />
    </div>
  );
}

function Frame({ view, room, picture, before, after, pinned, clear }: StageProps & { view: View; room: Size }) {
  const split = useCell(comparing) && before;
  const at = useCell(divider);
  const [width, height] = [picture.width * view.scale, picture.height * view.scale];
  const shown = { pixels: Math.max(width, height) * devicePixelRatio };
  const cut = Math.min(width, Math.max(0, at * room.width - view.x));
  const box: CSSProperties = { width: `${width}px`, height: `${height}px`, transform: `translate(${view.x}px, ${view.y}px)` };
  const sharp = view.scale * devicePixelRatio >= 3 ? "sharp" : "";
  return (
    <>
      <div class={`frame ${sharp} ${clear ? "clear" : ""}`} style={box}>
        {split && <div class="half" style={{ clipPath: `inset(0 ${width - cut}px 0 0)` }}>{before(shown)}</div>}
        <div class="half" style={split ? { clipPath: `inset(0 0 0 ${cut}px)` } : {}}>{after(shown)}</div>
        {pinned}
      </div>
      {split && <Divider at={at} onMove={(share) => (divider.value = share)} />}
    </>
  );
}

function Zoom({ view, set, picture, room }: { view: View; set: (view: View) => void; picture: Size; room: Size }) {
  const middle = { x: room.width / 2, y: room.height / 2 };
  const by = (factor: number): void => set(zoomed(view, view.scale * factor, middle, picture, room));
  const scale = view.scale * devicePixelRatio;
  return (
    <div class="zoom" role="group" aria-label="Zoom">
      <IconButton icon="minus" label="Zoom out" keys="-" onClick={() => by(1 / 1.5)} disabled={view.fits} />
      <button
        type="button" class="percent" title="To one pixel of the picture for each of the screen"
        aria-label={`Zoom ${percent(scale)}; to 100 %`}
        onClick={() => set(zoomed(view, 1 / devicePixelRatio, middle, picture, room))}
      >
        {percent(scale)}
      </button>
      <IconButton icon="plus" label="Zoom in" keys="+" onClick={() => by(1.5)} />
      <IconButton icon="fit" label="Whole picture" keys="0" onClick={() => set(fit(picture, room))} disabled={view.fits} />
    </div>
  );
}

/** The window's size, followed. */
function useRoom(ref: { current: HTMLElement | null }): Size {
  const [room, setRoom] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = (): void => setRoom({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return room;
}

function useView(place: string, picture: Size, room: Size): [View, (view: View) => void] {
  const [, redraw] = useState({});
  const kept = places.get(place);
  const view = kept && !kept.fits ? held(kept, picture, room) : fit(picture, room);
  const set = (next: View): void => {
    places.set(place, next.fits ? fit(picture, room) : next);
    redraw({});
  };
  return [view, set];
}
