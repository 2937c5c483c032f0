// Pictures to test with, made from nothing.
import { deflateSync } from "node:zlib";

/** A PNG of 8 bits a channel: `pixel(x, y)` gives one value (grey), three (RGB) or four (RGBA). */
export function png(width, height, pixel) {
  const channels = pixel(0, 0).length;
  const rows = Buffer.alloc(height * (1 + width * channels));
  for (let y = 0, i = 0; y < height; y++) {
    rows[i++] = 0; // no filter
    for (let x = 0; x < width; x++) for (const value of pixel(x, y)) rows[i++] = value;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, { 1: 0, 3: 2, 4: 6 }[channels], 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows, { level: 1 })), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

function chunk(name, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(name, 4, "latin1");
  data.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Hills under a sky: smooth, with edges, in colour. */
export function hills(width, height) {
  return png(width, height, (x, y) => {
    const ridge = height * (0.5 + 0.2 * Math.sin((7 * x) / width) + 0.05 * Math.sin((31 * x) / width));
    return y < ridge ? [90 + (80 * y) / height, 140, 220 - (60 * x) / width] : [70 + (100 * y) / height, 110 + 30 * Math.sin((40 * x) / width), 50];
  });
}

/** The same in grey. */
export function greyHills(width, height) {
  return png(width, height, (x, y) => {
    const ridge = height * (0.5 + 0.2 * Math.sin((7 * x) / width));
    return [y < ridge ? 200 - (90 * y) / height : 60 + 30 * Math.sin((40 * x) / width)];
  });
}
