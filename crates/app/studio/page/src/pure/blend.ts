/**
 * What the sliders do, without the network: three pictures laid over one another, the
 * photograph, the painting, and the painting in the photograph's colours.
 */

/** How much of each layer shows over those beneath it. */
export interface Opacities {
  /** Of the two painted layers together, over the photograph. */
  readonly painted: number;
  /** Of the painting in the photograph's colours, over the painting. */
  readonly kept: number;
}

/**
 * The opacities that make `photo + strength · (painting − photo)`, where `painting` is
 * `styled + keep · (kept − styled)`, as the program's own downloads are made.
 */
export function opacities(strength: number, keep: number): Opacities {
  return { painted: clamped(strength), kept: clamped(keep) };
}

const clamped = (share: number): number => Math.min(1, Math.max(0, share || 0));
