/** The picture as it came. */

import { at } from "../api/client";
import { levelFor } from "../pure/view";
import type { Opened } from "../state/picture";
import { Pane } from "./pane";
import type { Shown } from "./stage";

export function Source({ picture, shown }: { picture: Opened; shown: Shown }) {
  const { local, picture: known, name } = picture;
  const full = Math.max(known?.width ?? 0, known?.height ?? 0);
  const src = local ?? (known && at.picture(known.id, levelFor(shown.pixels, full)));
  return src ? <Pane name="original" src={src} alt={name} /> : null;
}
