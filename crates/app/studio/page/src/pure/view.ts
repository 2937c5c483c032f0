/** Where a picture lies in a window on it: zoom and pan. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** `scale`: screen pixels for each of the picture's; `x`, `y`: its corner in the window. */
export interface View extends Point {
  readonly scale: number;
  /** Whether it follows the window's size. */
  readonly fits: boolean;
}

/** No larger than this many screen pixels for one of the picture's. */
const LARGEST = 16;

/** Small pictures fill the window at most so far, unless they are zoomed. */
const ENLARGED = 2;

/** Air around a whole picture, pixels; in a small window none is left for it. */
const AIR = 16;

/** The whole picture, in the middle. */
export function fit(picture: Size, window: Size): View {
  const air = Math.min(window.width, window.height) < 480 ? 0 : 2 * AIR;
  const scale = Math.min((window.width - air) / picture.width, (window.height - air) / picture.height, ENLARGED);
  return centred(picture, window, Math.max(scale, 1e-6), true);
}

function centred(picture: Size, window: Size, scale: number, fits: boolean): View {
  const x = (window.width - picture.width * scale) / 2;
  const y = (window.height - picture.height * scale) / 2;
  return { scale, x, y, fits };
}

/** Zoomed to `scale` with the picture's place at `about` staying where it is. */
export function zoomed(view: View, scale: number, about: Point, picture: Size, window: Size): View {
  const whole = fit(picture, window);
  const least = Math.min(1, whole.scale);
  if (scale <= least * 1.001 && whole.scale <= 1) return whole;
  const to = Math.min(LARGEST, Math.max(least, scale));
  const x = about.x - ((about.x - view.x) * to) / view.scale;
  const y = about.y - ((about.y - view.y) * to) / view.scale;
  return held({ scale: to, x, y, fits: false }, picture, window);
}

export function panned(view: View, by: Point, picture: Size, window: Size): View {
  if (view.fits) return view;
  return held({ ...view, x: view.x + by.x, y: view.y + by.y }, picture, window);
}

/** Kept so that no edge is dragged further in than the window's: nothing gets lost. */
export function held(view: View, picture: Size, window: Size): View {
  const axis = (at: number, length: number, room: number): number =>
    length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, at));
  return {
    ...view,
    x: axis(view.x, picture.width * view.scale, window.width),
    y: axis(view.y, picture.height * view.scale, window.height),
  };
}

/** The same view of a picture of another size in its place: a preview turned full size. */
export function rescaled(view: View, from: Size, to: Size): View {
  return { ...view, scale: (view.scale * from.width) / to.width };
}

/** The picture's place under a place of the window. */
export function pictured(view: View, at: Point): Point {
  return { x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale };
}

/** Longer sides that pictures are fetched at, so that few versions of one are made. */
const LEVELS = [1024, 2048, 4096];

/** The longer side to fetch of a picture of `full` that is shown `pixels` long on the screen. */
export function levelFor(pixels: number, full: number): number {
  return Math.min(full, LEVELS.find((level) => level >= pixels * 0.9) ?? full);
}
