/** Going back to a result. */

import type { Result } from "../api/types";
import * as colouring from "./colouring";
import * as inside from "./inside";
import { openTrace, reopen } from "./picture";
import { open } from "./place";
import * as stylise from "./stylise";

export async function revisit(result: Result): Promise<void> {
  const traced = (): void => openTrace(result.title, { width: result.width ?? 1, height: result.height ?? 1 });
  if (result.picture) await reopen(result.picture).catch(traced);
  if (result.kind === "stylize") {
    open("stylise");
    stylise.revisit(result);
  } else if (result.kind === "colorize") {
    open("colour");
    colouring.revisit(result);
  } else {
    open("inside");
    await inside.revisit(result);
  }
}
