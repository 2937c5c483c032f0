/** The line under the stage: which picture it is, and comparing. */

import { useEffect } from "preact/hooks";
import { size as sized } from "../pure/words";
import { useCell } from "../state/cell";
import type { Opened } from "../state/picture";
import { Chooser, openAny } from "./dropzone";
import { Icon } from "./icon";
import { comparing } from "./stage";

export function Toolbar({ picture, canCompare }: { picture: Opened; canCompare: boolean }) {
  const split = useCell(comparing);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing = (event.target as Element).closest("input:not([type=range], [type=radio]), select, textarea, [role=dialog]");
      if (event.key !== "c" || event.ctrlKey || event.metaKey || event.altKey || typing || !canCompare) return;
      comparing.change((now) => !now);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [canCompare]);
  return (
    <div class="toolbar">
      <Chooser words="Open another picture" onFile={openAny} quiet />
      <div class="picture-name">
        <span class="name" title={picture.name}>{picture.name}</span>
        <span class="measure">{picture.size ? sized(picture.size.width, picture.size.height) : " "}</span>
      </div>
      <button
        type="button" class="button quiet" aria-pressed={split && canCompare} disabled={!canCompare}
        aria-keyshortcuts="c" title="Before beside after (c)" onClick={() => (comparing.value = !split)}
      >
        <Icon name="compare" />
        Compare
      </button>
    </div>
  );
}
