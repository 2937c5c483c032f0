"""Makes the sample pictures beside it, and what Pillow decodes them to.

    python golden/imaging/make_samples.py

Every sample is a few kilobytes at most of the same smooth picture, 23×17 pixels (odd
tails in every block size), in one format or with one oddity. `NAME.raw` is the
right answer: width, height, channels and bytes per value as four little-endian
u32, then the values in sRGB, upright, little-endian. Where a colour profile is
involved the answer is LittleCMS's (through Pillow), perceptual intent.

Nothing is random. Made with Pillow 13.0 (libjpeg-turbo, libwebp, libtiff, LittleCMS 2).
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

HERE = Path(__file__).parent
W, H = 23, 17
XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
    ' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' tiff:Orientation="6" dc:format="sample"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def smooth(full=255):
    """RGB that is smooth, so that subsampled colour loses little, and asymmetric."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float64)
    r = 0.1 + 0.8 * x / (W - 1)
    g = 0.1 + 0.8 * y / (H - 1)
    b = 0.5 + 0.4 * np.sin(x / 5) * np.cos(y / 4)
    return np.rint(np.stack([r, g, b], -1) * full).astype(np.uint8 if full == 255 else np.uint16)


def alpha(full=255):
    y, x = np.mgrid[0:H, 0:W]
    return np.rint((x + y) / (W + H - 2) * full).astype(np.uint8 if full == 255 else np.uint16)


def answer(name, values):
    values = np.asarray(values)
    if values.ndim == 2:
        values = values[..., None]
    h, w, c = values.shape
    head = struct.pack("<4I", w, h, c, values.dtype.itemsize)
    (HERE / f"{name}.raw").write_bytes(
        head + values.astype(values.dtype.newbyteorder("<")).tobytes()
    )


def sample(name, data, values=None):
    """Writes a sample; without `values`, the answer is Pillow's upright decode."""
    (HERE / name).write_bytes(data)
    if values is None:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        image.load()
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        if image.mode == "1":
            image = image.convert("L")
        values = np.array(image)
    answer(name, values)


def saved(image, fmt, **options):
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


def exif(orientation=1, extra=True):
    block = Image.Exif()
    block[0x0112] = orientation
    if extra:
        block[0x010F] = "Sample Maker"
        inner = block.get_ifd(0x8769)
        inner[0x829A] = (1, 50)
        inner[0xA002] = W
        inner[0xA003] = H
    return block


def png(colour, depth, rows, chunks=()):
    """A PNG from raw filter-0 rows, for kinds that Pillow does not write."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", W, H, depth, colour, 0, 0, 0))
    out += b"".join(chunk(k, d) for k, d in chunks)
    out += chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows), 9))
    return out + chunk(b"IEND", b"")


def tag(kind, body):
    return kind + b"\0\0\0\0" + body


def profile(space, tags, pcs=b"XYZ ", device=b"mntr"):
    """An ICC version 2 profile."""
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags:
        body += b"\0" * (-len(body) % 4)
        table += name + struct.pack(">2I", start + len(data), len(body))
        data += body
    size = start + len(data)
    head = struct.pack(">I4sI4s4s4s12s4s", size, b"\0\0\0\0", 0x02400000, device, space, pcs, b"", b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def s15(*values):
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


TEXT = [
    (b"desc", tag(b"desc", struct.pack(">I", 7) + b"sample\0" + b"\0" * 78)),
    (b"cprt", tag(b"text", b"none\0")),
    (b"wtpt", tag(b"XYZ ", s15(0.9642, 1.0, 0.8249))),
]


def display_p3():
    """Display P3's primaries with a plain gamma of 2.2."""
    colorants = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    curve = tag(b"curv", struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0")
    tags = [(k, tag(b"XYZ ", s15(*v))) for k, v in colorants.items()]
    return profile(b"RGB ", TEXT + tags + [(k, curve) for k in (b"rTRC", b"gTRC", b"bTRC")])


def grey_gamma():
    curve = tag(b"curv", struct.pack(">IH", 1, round(1.8 * 256)) + b"\0\0")
    return profile(b"GRAY", TEXT + [(b"kTRC", curve)])


def inks():
    """A made-up press: a 7-point table over four inks, somewhat duller than the formula."""
    grid = 7
    ramp = bytes(range(256))
    nodes = b""
    for i in range(grid**4):
        c, m, y, k = [(i // grid**p % grid) / (grid - 1) for p in (3, 2, 1, 0)]
        light = 100 * (1 - 0.45 * c) * (1 - 0.5 * m) * (1 - 0.1 * y) * (1 - 0.9 * k)
        a = (-35 * c + 75 * m) * (1 - 0.9 * k)
        b = (-50 * c - 5 * m + 90 * y) * (1 - 0.9 * k)
        nodes += bytes([round(light * 2.55), round(np.clip(a, -128, 127)) + 128, round(np.clip(b, -128, 127)) + 128])
    body = struct.pack(">4B", 4, 3, grid, 0) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1) + ramp * 4 + nodes + ramp * 3
    return profile(b"CMYK", TEXT + [(b"A2B0", tag(b"mft1", body))], b"Lab ", b"prtr")


def through(image, icc, mode="RGB"):
    return np.array(
        ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=0,
            outputMode=mode,
        )
    )


def jpegs():
    rgb = Image.fromarray(smooth())
    q = dict(quality=95, subsampling=0)
    sample("plain.jpg", saved(rgb, "JPEG", **q))
    sample("subsampled.jpg", saved(rgb, "JPEG", quality=90, subsampling=2))
    sample("progressive.jpg", saved(rgb, "JPEG", progressive=True, **q))
    sample("grey.jpg", saved(rgb.convert("L"), "JPEG", quality=95))
    for turn in range(1, 9):
        sample(f"turned{turn}.jpg", saved(rgb, "JPEG", exif=exif(turn), **q))
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    srgb[24:36] = b"\0" * 12  # the time it was made
    meta = saved(rgb, "JPEG", exif=exif(6), xmp=XMP.encode(), icc_profile=bytes(srgb), **q)
    sample("metadata.jpg", meta)
    p3 = display_p3()
    data = saved(rgb, "JPEG", icc_profile=p3, **q)
    sample("p3.jpg", data, through(Image.open(io.BytesIO(data)), p3))
    cmyk = Image.fromarray(np.concatenate([255 - smooth(), 255 - alpha()[..., None]], -1) // 2, "CMYK")
    data = saved(cmyk, "JPEG", **q)
    decoded = np.array(Image.open(io.BytesIO(data))).astype(np.float64)
    formula = np.rint((255 - decoded[..., :3]) * (255 - decoded[..., 3:]) / 255).astype(np.uint8)
    sample("cmyk.jpg", data, formula)
    icc = inks()
    data = saved(cmyk, "JPEG", icc_profile=icc, **q)
    sample("cmyk_profile.jpg", data, through(Image.open(io.BytesIO(data)), icc))


def pngs():
    rgb, rgb16, a, a16 = smooth(), smooth(65535), alpha(), alpha(65535)
    sample("plain.png", saved(Image.fromarray(rgb), "PNG"))
    rgba = np.concatenate([rgb, a[..., None]], -1)
    sample("alpha.png", saved(Image.fromarray(rgba), "PNG"))
    be = lambda values: [row.astype(">u2").tobytes() for row in values]
    sample("deep.png", png(2, 16, be(rgb16)), rgb16)
    rgba16 = np.concatenate([rgb16, a16[..., None]], -1)
    sample("deep_alpha.png", png(6, 16, be(rgba16)), rgba16)
    sample("deep_grey.png", png(0, 16, be(rgb16[..., 0])), rgb16[..., 0])
    grey_alpha = np.stack([rgb[..., 0], a], -1)
    sample("grey_alpha.png", png(4, 8, [r.tobytes() for r in grey_alpha]), grey_alpha)
    sample("grey.png", saved(Image.fromarray(rgb[..., 1]), "PNG"))
    palette = Image.fromarray(rgb).quantize(13)
    sample("palette.png", saved(palette, "PNG"))
    sample("palette_alpha.png", saved(palette, "PNG", transparency=bytes(range(0, 250, 20))))
    sample("bilevel.png", saved(Image.fromarray(rgb[..., 0]).convert("1"), "PNG"))
    keyed = np.where((rgb[..., :1] > 128) & np.ones((1, 1, 3), bool), rgb, 7).astype(np.uint8)
    opaque = np.where(rgb[..., :1] > 128, 255, 0).astype(np.uint8)
    data = png(2, 8, [r.tobytes() for r in keyed], [(b"tRNS", struct.pack(">3H", 7, 7, 7))])
    sample("keyed.png", data, np.concatenate([keyed, opaque], -1))
    grey = Image.fromarray(rgb[..., 0])
    icc = grey_gamma()
    sample("grey_profile.png", saved(grey, "PNG", icc_profile=icc), through(grey, icc)[..., 1])
    linear = (rgb / 255.0)
    srgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    data = png(2, 8, [r.tobytes() for r in rgb], [(b"gAMA", struct.pack(">I", 100000))])
    sample("linear.png", data, np.rint(srgb * 255).astype(np.uint8))
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP)
    sample("metadata.png", saved(Image.fromarray(rgb), "PNG", exif=exif(3), pnginfo=info))
    p3 = display_p3()
    sample("p3.png", saved(Image.fromarray(rgb), "PNG", icc_profile=p3), through(Image.fromarray(rgb), p3))


def others():
    rgb, a = smooth(), alpha()
    image = Image.fromarray(rgb)
    rgba = Image.fromarray(np.concatenate([rgb, a[..., None]], -1))
    sample("lossy.webp", saved(image, "WEBP", quality=90))
    sample("lossless.webp", saved(image, "WEBP", lossless=True))
    sample("alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True))
    sample("metadata.webp", saved(image, "WEBP", lossless=True, exif=exif(8), xmp=XMP.encode()))
    for name, options in {"plain": {}, "lzw": {"compression": "tiff_lzw"}, "deflate": {"compression": "tiff_adobe_deflate"}}.items():
        sample(f"{name}.tif", saved(image, "TIFF", **options))
    sample("alpha.tif", saved(rgba, "TIFF"))
    sample("grey.tif", saved(image.convert("L"), "TIFF"))
    sample("deep_grey.tif", saved(Image.fromarray(smooth(65535)[..., 0]), "TIFF"), smooth(65535)[..., 0])
    sample("palette.tif", saved(image.quantize(13), "TIFF"))
    sample("bilevel.tif", saved(Image.fromarray(rgb[..., 0]).convert("1"), "TIFF", compression="group4"))
    cmyk = np.concatenate([255 - rgb, 255 - a[..., None]], -1) // 2
    light = (255.0 - cmyk[..., :3]) * (255.0 - cmyk[..., 3:]) / 255
    sample("cmyk.tif", saved(Image.fromarray(cmyk, "CMYK"), "TIFF"), np.rint(light).astype(np.uint8))
    sample("metadata.tif", saved(image, "TIFF", exif=exif(6)))
    sample("deep.tif", deep_tiff(), smooth(65535))
    sample("plain.bmp", saved(image, "BMP"))
    sample("grey.bmp", saved(image.convert("L"), "BMP"), rgb_of(image.convert("L")))
    sample("palette.bmp", saved(image.quantize(13), "BMP"))
    sample("alpha.bmp", saved(rgba, "BMP"))
    sample("plain.gif", saved(image.quantize(13), "GIF"))
    frames = [image.quantize(13), image.rotate(180).quantize(13)]
    sample("animated.gif", saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), np.array(frames[0].convert("RGB")))
    sample("clear.gif", saved(image.quantize(13), "GIF", transparency=3))


def rgb_of(image):
    return np.array(image.convert("RGB"))


def deep_tiff(declared=(W, H)):
    """16-bit RGB, big-endian: Pillow does not write it."""
    strip = smooth(65535).astype(">u2").tobytes()
    bits = 8 + 2 + 12 * 9 + 4
    entries = [
        (256, 4, 1, declared[0]), (257, 4, 1, declared[1]), (258, 3, 3, bits), (259, 3, 1, 1 << 16),
        (262, 3, 1, 2 << 16), (273, 4, 1, bits + 6), (277, 3, 1, 3 << 16), (278, 4, 1, declared[1]),
        (279, 4, 1, len(strip)),
    ]
    out = b"MM\0\x2a" + struct.pack(">IH", 8, len(entries))
    out += b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return out + struct.pack(">I3H", 0, 16, 16, 16) + strip


def bombs():
    """Headers that declare far more than the file holds; there is no answer."""
    big = struct.pack(">2I5B", 2**30, 2**30, 8, 2, 0, 0, 0)
    body = b"IHDR" + big
    (HERE / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)))
    jpeg = (HERE / "plain.jpg").read_bytes()
    at = jpeg.index(b"\xff\xc0") + 5
    (HERE / "bomb.jpg").write_bytes(jpeg[:at] + b"\xff\xff\xff\xff" + jpeg[at + 4 :])
    gif = (HERE / "plain.gif").read_bytes()
    (HERE / "bomb.gif").write_bytes(gif[:6] + b"\xff\xff\xff\xff" + gif[10:])
    bmp = (HERE / "plain.bmp").read_bytes()
    (HERE / "bomb.bmp").write_bytes(bmp[:18] + b"\xff\xff\xff\x7f\xff\xff\xff\x7f" + bmp[26:])
    (HERE / "bomb.tif").write_bytes(deep_tiff((2**31, 2**31)))
    webp = (HERE / "metadata.webp").read_bytes()
    assert webp[12:16] == b"VP8X"
    (HERE / "bomb.webp").write_bytes(webp[:24] + b"\xff" * 6 + webp[30:])


if __name__ == "__main__":
    jpegs()
    pngs()
    others()
    bombs()
