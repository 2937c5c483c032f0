/** Looking into a network: what is chosen, and what it shows. */

import { useEffect } from "preact/hooks";
import { at } from "../api/client";
import type { ActivationsData, CamData, FiltersData, Layer, Network, Result } from "../api/types";
import { counted, percent, size as sized } from "../pure/words";
import { Section, Segments, Select, Slider } from "../parts/controls";
import { Icon } from "../parts/icon";
import { useCell } from "../state/cell";
import * as state from "../state/inside";
import { opened } from "../state/picture";
import { networks } from "../state/session";

const WAYS: Record<state.Way, string> = { activations: "Activations", filters: "Patterns", cam: "Class map" };

const ABOUT: Record<state.Way, string> = {
  activations: "What each channel of a layer makes of the picture. Bright: a strong answer.",
  filters: "What each channel of a layer answers to most, drawn by following its gradient from noise.",
  cam: "Where in the picture the network sees a class.",
};

export function InsidePanel() {
  const all = useCell(networks);
  const net = useCell(state.network);
  const way = useCell(state.way);
  useEffect(state.enterFirst, [all.length]);
  if (!net) return <div class="panel-scroll"><p class="note">Opening the network …</p></div>;
  return (
    <>
      <div class="panel-scroll">
        <Section title="Network">
          <Select
            label="Network" labelUnseen value={net.id} options={all.map((one) => [one.id, one.title] as const)} onChange={(id) => void state.enter(id)}
            note={`${counted(net.parameters, "weight")}, ${counted(net.layers.length, "layer")}${net.classes ? `, ${counted(net.classes, "class", "classes")}` : ""}`}
          />
          <Segments label="What to look at" value={way} options={state.waysOf(net).map((one) => [one, WAYS[one]] as const)} onChange={state.go} />
          <p class="note">{ABOUT[way]}</p>
        </Section>
        {way === "cam" && <MapChoices net={net} />}
        <LayerList net={net} way={way} />
      </div>
      <LookButton way={way} />
    </>
  );
}

function LookButton({ way }: { way: state.Way }) {
  const busy = useCell(state.busy);
  const picture = useCell(opened)?.picture;
  const needs = way !== "filters" && !picture;
  const words = { activations: "Show activations", filters: "Draw patterns", cam: "Show the map" };
  return (
    <div class="panel-foot">
      {needs && <p class="note">Open a picture first.</p>}
      <button type="button" class="button primary" disabled={busy || needs} onClick={() => void state.look()}>
        {busy ? "Looking …" : words[way]}
      </button>
    </div>
  );
}

function LayerList({ net, way }: { net: Network; way: state.Way }) {
  const chosen = useCell(state.layers)[way];
  const method = useCell(state.method);
  const of = net.methods.find((one) => one.name === method);
  if (way === "cam" && of && !of.layer) return null;
  const all = state.layersFor(net, way);
  return (
    <Section title="Layer">
      <div class="layers" role="radiogroup" aria-label="Layer">
        {all.map((layer) => <LayerRow key={layer.name} layer={layer} checked={layer.name === chosen} />)}
      </div>
    </Section>
  );
}

function LayerRow({ layer, checked }: { layer: Layer; checked: boolean }) {
  return (
    <label class="layer">
      <input type="radio" name="layer" checked={checked} onChange={() => state.pick(layer.name)} />
      <span class="layer-name" title={layer.name}>{layer.name}</span>
      <small>{layer.operation}</small>
      <small class="shape">{layer.channels} × {sized(layer.height, layer.width)}</small>
    </label>
  );
}

function MapChoices({ net }: { net: Network }) {
  const method = useCell(state.method);
  const opacity = useCell(state.opacity);
  const result = useCell(state.seen).cam;
  const data = result?.data as CamData | undefined;
  const note = net.methods.find((one) => one.name === method)?.slow ? "Runs the network many times" : undefined;
  return (
    <Section title="Map">
      <Select
        label="Method" value={method} note={note} onChange={(to) => (state.method.value = to)}
        options={net.methods.map((one) => [one.name, one.name] as const)}
      />
      <Slider
        label="Opacity" value={opacity} min={0} max={1} step={0.01} usual={0.6} words={percent(opacity)} disabled={!data}
        onInput={(to) => (state.opacity.value = to)}
      />
      {data && <Classes data={data} />}
    </Section>
  );
}

/** The likeliest classes; a press shows the map of one. */
function Classes({ data }: { data: CamData }) {
  return (
    <div class="rows" role="group" aria-label="Likeliest classes">
      {data.classes.map((one) => (
        <button
          key={one.class} type="button" class="row class-row" aria-pressed={one.class === data.class} onClick={() => state.aim(one.class)}
          title={`Show where ${one.name} is seen`}
        >
          <span class="class-name">{one.name}</span>
          <span class="class-share">{percent(one.probability, one.probability < 0.1 ? 1 : 0)}</span>
          <i style={{ transform: `scaleX(${one.probability})` }} />
        </button>
      ))}
    </div>
  );
}

/** What a result says in words, under its picture. */
export function caption(result: Result): string {
  if (result.kind === "activations") {
    const { channels, silent, layer, operation } = result.data as ActivationsData;
    const mute = Math.round(silent * channels);
    return `${layer}, ${operation}: ${counted(channels, "channel")}${mute > 0 ? `, ${mute} of them silent` : ""}`;
  }
  if (result.kind === "filters") {
    const { layer, mute } = result.data as FiltersData;
    return `${layer}: ${counted(result.images.length, "pattern")}${mute > 0 ? `, ${mute} that nothing moved` : ""}`;
  }
  const { class_name, method, layer } = result.data as CamData;
  return `${class_name}, by ${method}${layer ? ` at ${layer}` : ""}`;
}

export function SaveSheet({ result }: { result: Result }) {
  if (!result.width) return null;
  return (
    <a class="button quiet" href={at.file(result.id, "png", undefined)} download="">
      <Icon name="save" />
      Save
    </a>
  );
}
