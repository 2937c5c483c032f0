/** Saving a result as a file. */

import { at, type Blend } from "../api/client";
import type { Picture, Result } from "../api/types";
import { useCell } from "../state/cell";
import { Cell } from "../state/cell";
import { about } from "../state/session";
import { Select } from "./controls";
import { Icon } from "./icon";

/** The format of downloads; none: the source's own. */
export const format = new Cell<string>("");

const KEPT: Record<string, string> = { exif: "EXIF", icc: "colour profile", xmp: "XMP" };

export function FormatSelect({ picture }: { picture: Picture | undefined }) {
  const known = useCell(about);
  const now = useCell(format);
  const writes = known?.writes ?? [];
  const own = writes.find((one) => one.format === picture?.format)?.format;
  const words = own ? `As it came (${own.toUpperCase()})` : "PNG, as it came cannot be written";
  const kept = picture?.metadata.map((one) => KEPT[one] ?? one) ?? [];
  return (
    <Select
      label="Format" value={now} onChange={(to) => (format.value = to)}
      options={[["", words], ...writes.filter((one) => one.format !== own).map((one) => [one.format, one.format.toUpperCase()] as const)]}
      note={kept.length > 0 ? `Keeps ${kept.join(", ")}` : undefined}
    />
  );
}

export function Download({ result, blend, words, primary }: { result: Result; blend?: Blend; words: string; primary: boolean }) {
  const kind = useCell(format) || undefined;
  return (
    <a class={`button ${primary ? "primary" : ""}`} href={at.file(result.id, kind, result.blend ? blend : undefined)} download="">
      <Icon name="save" />
      {words}
    </a>
  );
}
