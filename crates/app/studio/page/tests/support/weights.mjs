// A loss network of made-up weights: as large as the real one, and as quick.

/** The channels of VGG16's convolutions, and their numbers among torchvision's `features`. */
const LAYERS = [
  [0, 3, 64], [2, 64, 64], [5, 64, 128], [7, 128, 128], [10, 128, 256], [12, 256, 256], [14, 256, 256],
  [17, 256, 512], [19, 512, 512], [21, 512, 512], [24, 512, 512], [26, 512, 512], [28, 512, 512],
];

/** The same noise every time. */
function noise() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) / 32768 - 1;
  };
}

/** A safetensors file with the convolutions of VGG16. */
export function lossNetwork() {
  const header = {};
  const parts = [];
  const next = noise();
  let at = 0;
  const put = (name, shape, scale) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => scale * next());
    header[name] = { dtype: "F32", shape, data_offsets: [at, (at += values.byteLength)] };
    parts.push(Buffer.from(values.buffer));
  };
  for (const [number, from, to] of LAYERS) {
    put(`features.${number}.weight`, [to, from, 3, 3], Math.sqrt(6 / (9 * from)));
    put(`features.${number}.bias`, [to], 0);
  }
  const words = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(words.length));
  return Buffer.concat([length, words, ...parts]);
}
