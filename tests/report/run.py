#!/usr/bin/env python3
"""Opens reports of the shipped model in headless Chromium, in the dark and in the light, and checks
what a reader would see. Screenshots stay in build/report for people to look at.

    run.py --lbrx build/release/lbrx [--chromium PATH]
"""

import argparse
import html.parser
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIDTH = 1280
HEIGHT = 2400


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def expect(self, what, good, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what} {detail}")


def write_reports(lbrx, folder):
    """Makes a page of each kind; returns {name: (page, texts that must be seen)}."""
    model = str(ROOT / "models" / "tiny-llama")
    small = str(folder / "small")

    def run(*arguments, codes=(0,)):
        done = subprocess.run([lbrx, *arguments, "--quiet"], capture_output=True, text=True,
                              check=False)
        if done.returncode not in codes:
            raise SystemExit(f"lbrx {' '.join(arguments)}: exit {done.returncode}: {done.stderr}")

    run("quantize", model, small, "-q", "mixed_3_6", "--report", str(folder / "quantize.html"))
    run("diff", model, small, "--report", str(folder / "diff.html"), codes=(10,))
    run("inspect", small, "--report", str(folder / "inspect.html"))
    data = ROOT / "tests" / "data" / "merge"
    recipe = folder / "ties.yml"
    recipe.write_text(re.sub(r"model: (base|[abc])\b", rf"model: {data}/\1",
                             (data / "ties.yml").read_text()))
    run("merge", str(recipe), str(folder / "merged"), "-q", "4bit",
        "--report", str(folder / "merge.html"))
    tensor = "model.layers.1.mlp.down_proj.weight"
    common = [tensor, "Bits per weight", "All tensors", "self_attn.q_proj", "2,229,504"]
    return {
        "quantize": common + ["bf16", "6bit/64", "3bit/64", "Relative error", "times smaller",
                              "-q mixed_3_6", "before", "after"],
        "diff": common + ["bf16", "3bit/64", "Relative error", "lbrx diff"],
        "inspect": common + ["6bit/64", "Deviation"],
        "merge": ["What the merge did", "Cosine between task vectors", "Agreement of signs",
                  "Trimmed", "Length of what the merge changed", "All tensors", "4bit/64",
                  "self_attn.q_proj"],
    }


class Inventory(html.parser.HTMLParser):
    """What a page could load or run."""

    LOADING = {"script", "link", "img", "iframe", "object", "embed", "video", "audio", "source",
               "base", "form", "image", "use", "foreignobject"}

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag.lower() in self.LOADING:
            self.found.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "action") or name.startswith("on"):
                self.found.append(f"{tag} {name}={value}")


def check_markup(checks, name, path):
    text = path.read_text(encoding="utf-8")
    try:
        root = xml.etree.ElementTree.fromstring(text)
        svgs = list(root.iter("{http://www.w3.org/2000/svg}svg"))
        checks.expect(f"{name}: pictures", len(svgs) >= 8, f"only {len(svgs)}")
    except xml.etree.ElementTree.ParseError as error:
        checks.expect(f"{name}: well-formed", False, str(error))
    inventory = Inventory()
    inventory.feed(text)
    checks.expect(f"{name}: loads and runs nothing", not inventory.found, str(inventory.found[:5]))
    checks.expect(f"{name}: no address in the style",
                  not re.search(r"url\(|@import", text), "")
    checks.expect(f"{name}: size", len(text) < 1_000_000, f"{len(text)} bytes")


def chromium_run(chromium, folder, page, *flags):
    """Chromium without network; returns (stdout, stderr)."""
    done = subprocess.run(
        [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-extensions", "--enable-logging=stderr", "--force-device-scale-factor=1",
         f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()],
        capture_output=True, timeout=180, check=False)
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def read_png(path):
    """(width, height, rows of bytes, bytes a pixel) of a PNG of 8-bit RGB or RGBA."""
    data = path.read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG")
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    if depth != 8 or kind not in (2, 6):
        raise ValueError(f"depth {depth}, type {kind}")
    pixel = 3 if kind == 2 else 4
    packed = b""
    at = 8
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    raw = zlib.decompress(packed)
    stride = width * pixel
    rows = []
    above = bytearray(stride)
    for y in range(height):
        begin = y * (stride + 1)
        above = unfilter(raw[begin], bytearray(raw[begin + 1:begin + 1 + stride]), above, pixel)
        rows.append(bytes(above))
    return width, height, rows, pixel


def unfilter(kind, row, above, pixel):
    """One row of PNG's filters undone (PNG specification, 9.2)."""
    if kind == 2:
        return bytearray((a + b) & 255 for a, b in zip(row, above))
    if kind == 0:
        return row
    for i in range(len(row)):
        left = row[i - pixel] if i >= pixel else 0
        corner = above[i - pixel] if i >= pixel else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[i]) // 2
        else:
            estimate = left + above[i] - corner
            guess = min((left, above[i], corner), key=lambda c: abs(estimate - c))
        row[i] = (row[i] + guess) & 255
    return row


def check_picture(checks, what, path, dark):
    checks.expect(f"{what}: a screenshot", path.exists())
    if not path.exists():
        return
    width, height, rows, pixel = read_png(path)
    checks.expect(f"{what}: its size", (width, height) == (WIDTH, HEIGHT), f"{width}x{height}")
    colors = set()
    for row in rows[::3]:
        colors.update(row[i:i + 3] for i in range(0, len(row), pixel))
    checks.expect(f"{what}: colours", len(colors) > 300, f"only {len(colors)}")
    corner = rows[2][:3]
    checks.expect(f"{what}: its ground", (max(corner) < 60) == dark, str(tuple(corner)))


def check_page(checks, name, page, chromium, folder, texts):
    dom, log = chromium_run(chromium, folder, page, "--dump-dom")
    checks.expect(f"{name}: the whole page is read", dom.rstrip().endswith("</html>"))
    for text in texts:
        checks.expect(f"{name}: shows {text!r}", text in dom)
    console = [line for line in log.splitlines() if "CONSOLE" in line]
    checks.expect(f"{name}: a silent console", not console, str(console[:3]))
    for mode in ("light", "dark"):
        shot = folder / f"{name}-{mode}.png"
        shot.unlink(missing_ok=True)
        chromium_run(chromium, folder, page, f"--screenshot={shot}",
                     f"--window-size={WIDTH},{HEIGHT}",
                     f"--blink-settings=preferredColorScheme={0 if mode == 'dark' else 1}")
        check_picture(checks, f"{name}, {mode}", shot, mode == "dark")


def check_width(checks, name, page, chromium, folder):
    """Nothing sticks out at the side: measured by a frame around a copy, which may run script."""
    for width in (1280, 800, 390):
        probe = folder / f"probe-{name}.html"
        copy = page.read_text(encoding="utf-8").replace("default-src 'none';",
                                                        "default-src 'unsafe-inline';")
        copy = copy.replace("</body>", "<script>document.title = 'measured ' + document."
                            "documentElement.scrollWidth + ' of ' + innerWidth</script></body>")
        probe.write_text(copy, encoding="utf-8")
        dom, _ = chromium_run(chromium, folder, probe, "--dump-dom", f"--window-size={width},900")
        found = re.search(r"<title>measured (\d+) of (\d+)</title>", dom)
        checks.expect(f"{name}: measured at {width}", found is not None)
        if found:
            checks.expect(f"{name}: fits {width}", int(found[1]) <= int(found[2]), found[0])
        probe.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lbrx", type=pathlib.Path, default=ROOT / "build" / "release" / "lbrx")
    parser.add_argument("--chromium", default=shutil.which("chromium") or
                        shutil.which("google-chrome") or shutil.which("chromium-browser"))
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "report")
    arguments = parser.parse_args()
    if not os.access(arguments.lbrx, os.X_OK):
        parser.error(f"no program at {arguments.lbrx}; build it first")
    if not arguments.chromium:
        parser.error("no Chromium here; tools/setup.sh browser installs it")
    folder = arguments.out.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    checks = Checks()
    for name, texts in write_reports(str(arguments.lbrx.resolve()), folder).items():
        page = folder / f"{name}.html"
        check_markup(checks, name, page)
        check_page(checks, name, page, arguments.chromium, folder, texts)
        check_width(checks, name, page, arguments.chromium, folder)
    shutil.rmtree(folder / "profile", ignore_errors=True)
    print(f"screenshots are in {folder}")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
