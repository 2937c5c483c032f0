/** The page: header, what the view shows, its panel, and the session's strip. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Empty, openAny, useDropAndPaste } from "./parts/dropzone";
import { Header, useViewsThere } from "./parts/header";
import { Lock, Notices } from "./parts/notices";
import { Strip } from "./parts/strip";
import { Toolbar } from "./parts/toolbar";
import { useCell } from "./state/cell";
import * as colouring from "./state/colouring";
import * as inside from "./state/inside";
import { opened, type Opened } from "./state/picture";
import { open, view, type ViewName } from "./state/place";
import { about, line } from "./state/session";
import * as stylise from "./state/stylise";
import { ColourPanel, ColourStage } from "./views/colour";
import { InsidePanel } from "./views/inside";
import { InsideStage } from "./views/inside-stage";
import { StylisePanel, StyliseStage } from "./views/stylise";
import { TrainStage } from "./views/train";
import { TrainPanel, openPainting } from "./views/train-panel";

export function App() {
  const now = useCell(view);
  const state = useCell(line);
  useHome();
  const over = useDropAndPaste((file) => (now === "train" ? void openPainting(file) : openAny(file)));
  return (
    <div class="app" data-view={now}>
      <Header />
      <Notices />
      <main aria-busy={state === "joining"}>
        <div id="view" role="tabpanel" aria-labelledby={`tab-${now}`}>
          {state === "locked" ? <Lock /> : <View name={now} />}
        </div>
      </main>
      {over && <div class="drop-over" aria-hidden="true"><p>{now === "train" ? "Drop the painting" : "Drop to open"}</p></div>}
    </div>
  );
}

/** Leaves a view that this server has nothing for. */
function useHome(): void {
  const now = useCell(view);
  const there = useViewsThere();
  const first = there[0];
  useEffect(() => {
    if (first && !there.includes(now)) open(first);
  }, [first, now, there.length]);
}

const TITLES: Record<ViewName, string> = {
  stylise: "Paint a photograph",
  colour: "Colour a photograph",
  inside: "See what a network sees",
  train: "",
};

function View({ name }: { name: ViewName }) {
  const picture = useCell(opened);
  const known = useCell(about);
  const shown = useShown(name);
  if (!known) return <div class="empty" />;
  if (name === "train") return <Layout work={<TrainStage />} panel={<TrainPanel />} />;
  if (!picture) return <Empty title={TITLES[name]} />;
  const key = picture.local ?? picture.picture?.id ?? picture.name;
  if (!picture.size) return <Layout work={<Coming picture={picture} />} panel={<div class="panel-scroll" />} strip={<Strip now={undefined} />} />;
  const sized = { ...picture, size: picture.size };
  const [work, panel] = {
    stylise: [<StyliseStage key={key} picture={sized} />, <StylisePanel picture={sized} />],
    colour: [<ColourStage key={key} picture={sized} />, <ColourPanel picture={sized} />],
    inside: [<InsideStage key={key} picture={sized} />, <InsidePanel />],
  }[name];
  return <Layout work={work} panel={panel} strip={<Strip now={shown} />} />;
}

/** What a browser cannot show by itself is seen once the server has read it. */
function Coming({ picture }: { picture: Opened }) {
  return (
    <>
      <div class="stage"><p class="stage-word" role="status">Reading {picture.name} …</p></div>
      <Toolbar picture={picture} canCompare={false} />
    </>
  );
}

function Layout({ work, panel, strip }: { work: ComponentChildren; panel: ComponentChildren; strip?: ComponentChildren }) {
  return (
    <div class="layout">
      <div class="work">{work}</div>
      <aside class="panel" aria-label="Settings">{panel}</aside>
      {strip}
    </div>
  );
}

/** The result that a view shows. */
function useShown(name: ViewName): string | undefined {
  const painted = useCell(stylise.painted)?.result;
  const coloured = useCell(colouring.coloured);
  const way = useCell(inside.way);
  const seen = useCell(inside.seen)[way]?.id;
  return { stylise: painted, colour: coloured, inside: seen, train: undefined }[name];
}
