/** The small things that views are made of. */

import type { ComponentChildren, CSSProperties } from "preact";
import { useId } from "preact/hooks";
import { Icon, type IconName } from "./icon";

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The value in words, beside the slider and for a screen reader. */
  readonly words: string;
  readonly onInput: (value: number) => void;
  /** Where a double click takes it. */
  readonly usual: number;
  readonly disabled?: boolean;
}

export function Slider({ label, value, min, max, step, words, onInput, usual, disabled }: SliderProps) {
  const id = useId();
  const share = (value - min) / (max - min);
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{words}</output>
      <input
        id={id} type="range" min={min} max={max} step={step} value={value} aria-valuetext={words}
        disabled={disabled ?? false} style={{ "--share": share } as CSSProperties}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
        onDblClick={() => onInput(usual)}
      />
    </div>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly keys?: string;
}

export function IconButton({ icon, label, onClick, disabled, pressed, keys }: IconButtonProps) {
  return (
    <button
      type="button" class="icon-button" aria-label={label} title={keys ? `${label} (${keys})` : label}
      disabled={disabled ?? false} onClick={onClick}
      {...(pressed !== undefined && { "aria-pressed": pressed })}
      {...(keys && { "aria-keyshortcuts": keys })}
    >
      <Icon name={icon} />
    </button>
  );
}

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, words: string, disabled?: boolean])[];
  readonly onChange: (value: T) => void;
  readonly note?: string | undefined;
  /** Where a heading says the same already. */
  readonly labelUnseen?: boolean;
}

export function Select<T extends string>({ label, value, options, onChange, note, labelUnseen }: SelectProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={labelUnseen ? "unseen" : ""}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map(([one, words, disabled]) => (
          <option key={one} value={one} disabled={disabled ?? false} selected={one === value}>{words}</option>
        ))}
      </select>
      {note && <p class="note">{note}</p>}
    </div>
  );
}

/** A part of a panel under its heading. */
export function Section({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

interface SegmentsProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, words: string])[];
  readonly onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  const name = useId();
  return (
    <div class="segments" role="radiogroup" aria-label={label}>
      {options.map(([one, words]) => (
        <label key={one}>
          <input type="radio" name={name} checked={one === value} onChange={() => onChange(one)} />
          <span>{words}</span>
        </label>
      ))}
    </div>
  );
}

/** How far something is; `share` none: nobody knows yet. */
export function Progress({ share, label }: { share: number | undefined; label: string }) {
  const value = share === undefined ? {} : { "aria-valuenow": Math.round(100 * share) };
  return (
    <div class="progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} {...value}>
      <i class={share === undefined ? "unknown" : ""} style={{ transform: `scaleX(${share ?? 1})` }} />
    </div>
  );
}
