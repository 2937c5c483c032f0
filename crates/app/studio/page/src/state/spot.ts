/** The place on the picture whose colour is being chosen. */

import { Cell } from "./cell";

export interface Spot {
  /** Pixels of the full picture. */
  readonly x: number;
  readonly y: number;
  /** The hint that lies there already. */
  readonly id?: number;
}

export const spot = new Cell<Spot | undefined>(undefined);
