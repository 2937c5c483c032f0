/** Name, views, and light or dark. */

import { useRef } from "preact/hooks";
import { useCell } from "../state/cell";
import { VIEWS, nextTheme, open, theme, view, wear, type ViewName } from "../state/place";
import { about, networks, trainingOptions, trainings } from "../state/session";
import { IconButton } from "./controls";

/** The views that the server has something for. */
export function useViewsThere(): ViewName[] {
  const known = useCell(about);
  const nets = useCell(networks).length;
  const options = useCell(trainingOptions);
  const runs = useCell(trainings).size;
  if (!known) return [];
  const { stylize, colorize, inspect } = known.features;
  const there: Record<ViewName, boolean> = {
    stylise: stylize,
    colour: colorize,
    inside: inspect && nets > 0,
    train: runs > 0 || options?.available === true || Boolean(options?.remedy),
  };
  return VIEWS.map(([name]) => name).filter((name) => there[name]);
}

export function Header() {
  const there = useViewsThere();
  return (
    <header class="header">
      <h1 class="brand">
        <Mark />
        Pentimento
      </h1>
      {there.length > 0 && <Tabs there={there} />}
      <ThemeButton />
    </header>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="9.5" cy="9.5" r="6.5" class="beneath" />
      <path d="M8 20.5V12a6.25 6.25 0 1 1 6.25 6.25" class="above" />
    </svg>
  );
}

function Tabs({ there }: { there: readonly ViewName[] }) {
  const now = useCell(view);
  const list = useRef<HTMLDivElement>(null);
  const go = (name: ViewName | undefined): void => {
    if (!name) return;
    open(name);
    list.current?.querySelector<HTMLElement>(`#tab-${name}`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = there.indexOf(now);
    const to: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: there.length - 1 };
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    go(there[(next + there.length) % there.length]);
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" ref={list} onKeyDown={onKeyDown}>
      {VIEWS.filter(([name]) => there.includes(name)).map(([name, title]) => (
        <button
          key={name} id={`tab-${name}`} type="button" role="tab" aria-selected={name === now}
          aria-controls="view" tabIndex={name === now ? 0 : -1} onClick={() => open(name)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

function ThemeButton() {
  const now = useCell(theme);
  const icon = { auto: "auto", light: "sun", dark: "moon" } as const;
  const words = { auto: "as the system", light: "light", dark: "dark" };
  return (
    <IconButton icon={icon[now]} label={`Appearance: ${words[now]}. Change it`} onClick={() => wear(nextTheme(now))} />
  );
}
