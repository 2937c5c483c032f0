/** Where the page begins. */

import { render } from "preact";
import { App } from "./app";
import * as colouring from "./state/colouring";
import { listen } from "./state/events";
import * as inside from "./state/inside";
import { opened, remember } from "./state/picture";
import { dress } from "./state/place";
import { complain, learn, line, styles } from "./state/session";
import * as stylise from "./state/stylise";

dress();

/** Every view begins anew with another picture. */
let last: string | undefined;
opened.watch(() => {
  const now = opened.value?.picture?.id;
  if (now === last) return;
  last = now;
  stylise.begin();
  colouring.begin();
  inside.begin();
});
styles.watch(stylise.fillGallery);
line.watch(() => line.value === "joined" && stylise.fillGallery());

const root = document.getElementById("app");
if (root) render(<App />, root);
learn().then(listen).then(remember).catch(complain);
