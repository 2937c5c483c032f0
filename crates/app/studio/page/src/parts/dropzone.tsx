/** Where a picture comes from. */

import { useEffect, useRef, useState } from "preact/hooks";
import { at } from "../api/client";
import type { About } from "../api/types";
import { bytes } from "../pure/words";
import { useCell } from "../state/cell";
import { openFile, openSample } from "../state/picture";
import { about, samples } from "../state/session";
import { Icon } from "./icon";

/** Width of a sample's thumbnail, for screens of two pixels a point. */
const THUMBNAIL = 384;

function kinds(known: About | undefined): string {
  return known?.reads.map((format) => format.media_type).join(",") ?? "image/*";
}

/** A button that chooses a file. */
export function Chooser({ words, onFile, primary, quiet }: {
  words: string;
  onFile: (file: File) => void;
  primary?: boolean;
  /** Only its icon is seen. */
  quiet?: boolean;
}) {
  const known = useCell(about);
  const input = useRef<HTMLInputElement>(null);
  const chosen = (): void => {
    const file = input.current?.files?.[0];
    if (file) onFile(file);
    if (input.current) input.current.value = ""; // so that the same one can be chosen again
  };
  return (
    <>
      <button
        type="button" class={quiet ? "icon-button" : `button ${primary ? "primary" : ""}`} onClick={() => input.current?.click()}
        {...(quiet && { "aria-label": words, title: words })}
      >
        <Icon name="open" />
        {!quiet && words}
      </button>
      <input ref={input} type="file" hidden tabIndex={-1} aria-hidden="true" accept={kinds(known)} onChange={chosen} />
    </>
  );
}

export const openAny = (file: File): void => void openFile(file, file.name || "pasted picture");

/** The whole view while there is no picture. */
export function Empty({ title }: { title: string }) {
  const known = useCell(about);
  const shipped = useCell(samples);
  return (
    <div class="empty">
      <div class="empty-drop">
        <h2>{title}</h2>
        <p>Drop it here, paste it, or choose a file. It never leaves this machine.</p>
        <Chooser words="Choose a picture" onFile={openAny} primary />
        {known && (
          <p class="note">
            {known.reads.map((format) => format.format.toUpperCase()).join(", ")}, up to {bytes(known.limits.upload_bytes)}
            {` and ${Math.round(known.limits.pixels / 1e6)}\u00a0megapixels`}
          </p>
        )}
      </div>
      {shipped.length > 0 && (
        <section class="samples" aria-labelledby="samples-title">
          <h3 id="samples-title">Or begin with one of these</h3>
          <ul>
            {shipped.map((sample) => (
              <li key={sample.name}>
                <button type="button" class="sample" onClick={() => void openSample(sample.name)}>
                  <img
                    src={at.sample(sample.name, THUMBNAIL)} alt="" loading="lazy"
                    width={sample.width} height={sample.height}
                  />
                  <span>{sample.title}</span>
                  <small title={`${sample.credit}, ${sample.licence}`}>{sample.credit}</small>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** Takes what is dropped or pasted anywhere on the page. */
export function useDropAndPaste(onFile: (file: File) => void): boolean {
  const [over, setOver] = useState(false);
  const take = useRef(onFile);
  take.current = onFile;
  useEffect(() => {
    let depth = 0;
    const off = new AbortController();
    const on = <K extends keyof WindowEventMap>(name: K, then: (event: WindowEventMap[K]) => void): void =>
      addEventListener(name, then, { signal: off.signal });
    const holdsFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const count = (by: number): void => setOver((depth = Math.max(0, depth + by)) > 0);
    on("dragenter", (event) => holdsFile(event) && count(1));
    on("dragleave", (event) => holdsFile(event) && count(-1));
    on("dragover", (event) => holdsFile(event) && event.preventDefault());
    on("drop", (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      count(-depth);
      const file = event.dataTransfer?.files[0];
      if (file) take.current(file);
    });
    on("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])][0];
      if (file) take.current(file);
    });
    return () => off.abort();
  }, []);
  return over;
}
