#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""page.py VFI_COMPARE: its page in a headless Chromium. It loads, the slider and the zoom change
what is seen, by mouse and by keyboard; nothing complains, and nothing is asked of a network."""
import hashlib
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import browser  # noqa: E402
from clips import compare, make_clip  # noqa: E402
from tap import check, finish, skip_all  # noqa: E402

# Where the pictures are, from the page's own corner.
BOX = """(() => { const box = find('stage').getBoundingClientRect();
  return [box.x + scrollX, box.y + scrollY, box.width, box.height]; })()"""


class Stage:
    """The two pictures with the slider between them."""

    def __init__(self, page: browser.Page):
        self.page = page
        self.x, self.y, self.width, self.height = page.value(BOX)

    def at(self, across: float, down: float) -> tuple[float, float]:
        return self.x + across * self.width, self.y + down * self.height

    def seen(self, left: float = 0.0, right: float = 1.0) -> str:
        """A digest of the pixels between two places, without the captions at the top."""
        clip = {"x": self.x + left * self.width, "y": self.y + 0.15 * self.height,
                "width": (right - left) * self.width, "height": 0.3 * self.height, "scale": 1}
        image = self.page.call("Page.captureScreenshot", clip=clip)["data"]
        return hashlib.sha256(image.encode()).hexdigest()

    def split(self) -> float:
        return float(self.page.value("find('stage').style.getPropertyValue('--split')")[:-1])


def test_loading(page: browser.Page) -> None:
    value = page.value
    check(value("document.querySelectorAll('#table tbody tr').length") == 2 and
          value("document.querySelectorAll('#charts svg path.own').length") == 2 and
          value("document.querySelectorAll('#list button').length") == 3,
          "the table, the charts and the list of frames are there")
    check(value("find('left').selectedOptions[0].text") == "Truth" and
          value("find('right').options.length") == 7 and
          "dB" in value("find('right-tag').textContent"), "what is seen is said")


def test_slider(page: browser.Page, stage: Stage) -> None:
    page.value("choose('left', 'truth'); choose('right', 'd1'); moveSplit(0.5)")
    left, right = stage.seen(0.25, 0.45), stage.seen(0.55, 0.75)
    page.drag(stage.at(0.5, 0.7), stage.at(0.2, 0.7))
    check(abs(stage.split() - 20) < 1 and stage.seen(0.25, 0.45) != left and
          stage.seen(0.55, 0.75) == right, "the slider is dragged", stage.split())
    page.drag(stage.at(0.2, 0.7), stage.at(0.5, 0.7))
    check(stage.seen(0.25, 0.45) == left, "and back")
    page.key("ArrowRight")
    check(abs(stage.split() - 52) < 1, "arrow keys move it", stage.split())
    page.value("find('slider').value = 900; find('slider').dispatchEvent(new Event('input'))")
    check(abs(stage.split() - 90) < 0.2 and stage.seen(0.55, 0.75) != right,
          "and so does the control below it", stage.split())
    page.value("moveSplit(0.5)")


def test_zoom(page: browser.Page, stage: Stage) -> None:
    transforms = "Object.values(canvases).map((c) => getComputedStyle(c).transform)"
    before = stage.seen()
    page.key("+")
    both = page.value(transforms)
    check(both[0] == both[1] and both[0].startswith("matrix(1.5,") and stage.seen() != before,
          "both pictures are zoomed together", both)
    zoomed = stage.seen(0.6, 0.9)
    page.drag(stage.at(0.8, 0.7), stage.at(0.7, 0.6))
    moved = page.value(transforms)
    check(moved[0] == moved[1] != both[0] and stage.seen(0.6, 0.9) != zoomed,
          "and moved together", moved)
    page.mouse("mouseWheel", *stage.at(0.5, 0.5), deltaX=0, deltaY=-400)
    check(page.value("state.zoom") > 1.6, "the wheel zooms", page.value("state.zoom"))
    page.key("0")
    check(page.value("state.zoom") == 1 and stage.seen() == before, "0 shows the whole picture")


def test_choices(page: browser.Page, stage: Stage) -> None:
    frame = page.value("state.frame")
    seen = stage.seen(0.55, 0.95)
    page.key("ArrowDown")
    page.value("showFrame(state.frame)")
    check(page.value("state.frame") == (frame + 1) % 3 and stage.seen(0.55, 0.95) != seen and
          page.value("document.querySelector('#list [aria-current]').textContent"),
          "arrow keys choose another frame")
    page.value("document.querySelectorAll('#gallery button')[3].click()")
    check(page.value("state.right") == "0" and page.value("find('right').value") == "0",
          "a click on a picture shows it", page.value("state.right"))
    left, right = page.value("[state.left, state.right]")
    page.key("x")
    check(page.value("[state.left, state.right]") == [right, left], "X swaps the sides")
    page.key("x")
    page.key("m")
    page.key("d")
    check(page.value("state.right") == "d1", "M and D choose a model and its difference")
    page.value("document.querySelectorAll('#gallery button')[3].focus()")
    split = stage.split()
    page.key("ArrowRight")
    page.key("D")
    check(stage.split() > split and page.value("state.right") == "1",
          "after a click on a picture keys work, with Caps Lock too", stage.split())
    page.key("M", shift=True)
    check(page.value("state.right") == "0", "Shift with M is the model before",
          page.value("state.right"))
    page.value("find('right').focus()")
    page.key("x")
    check(page.value("state.right") == "0", "but those of a list are its own")
    page.value("document.activeElement.blur()")
    # Grey is no difference: truth against itself.
    gain = page.value("find('gain').value = 5; find('gain').dispatchEvent(new Event('input'));"
                      "showFrame(state.frame).then(() => state.gain)")
    check(gain == 32, "differences are amplified as much as one likes", gain)


def test_themes(page: browser.Page) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    page.prefer("light")
    light = page.value(colour)
    page.prefer("dark")
    dark = page.value(colour)
    page.key("t")
    check(light != dark and page.value(colour) == light, "it is light or dark", (light, dark))


def test_long_clips(page: browser.Page) -> None:
    """The scales of the charts of 200000 frames; the page has fewer afterwards."""
    low, high = page.value("""(() => {
        const [model] = compared, few = model.frame_psnr;
        model.frame_psnr = new Array(200000).fill(30);
        model.frame_psnr[7] = 12;
        const {low, high} = chartScales();
        model.frame_psnr = few;
        return [low, high]; })()""")
    check(low == 11 and high >= 31, "clips of 200000 frames have charts", (low, high))


def test_odd_results(page: browser.Page, scratch: Path) -> None:
    """Pictures that are equal, whose PSNR is infinite, and a model that there is not."""
    fade = "color=size=64x48:rate=10,geq=lum='40+X+N*6':cb=128:cr=128,format=gray"
    clip = make_clip(scratch / "fade.mkv", fade, "-t", "0.7", "-pix_fmt", "gray")
    run = compare("--models", "missing,blend", "--device", "cpu", "-o", "fade.html", clip,
                  folder=scratch)
    page.open(scratch / "fade.html")
    text = page.value("find('table').textContent")
    check(run.returncode == 3 and "not compared" in text and "equal" in text and
          page.value("find('right').options.length") == 5 and
          "equal" in page.value("find('right-tag').textContent") and
          page.value("document.querySelectorAll('#charts svg').length") == 1,
          "equal pictures and models without a result", (run, text))


def main() -> None:
    program = browser.find()
    if program is None:
        skip_all("chromium is not installed (Debian: chromium)")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        clip = make_clip(scratch / "clip.mkv",
                         "testsrc2=size=160x120:rate=10,scroll=h=0.03:v=0.02,format=yuv420p",
                         "-t", "1.3")
        run = compare("--models", "flow,blend", "--device", "cpu", "--shown", "3", "-o",
                      "page.html", clip, folder=scratch)
        if run.returncode != 0:
            sys.exit(f"vfi-compare: {run.stderr}")
        page = browser.Page(program, scratch / "profile", height=2200)
        try:
            page.prefer("light")
            page.open(scratch / "page.html")
            test_loading(page)
            stage = Stage(page)
            test_slider(page, stage)
            test_zoom(page, stage)
            test_choices(page, stage)
            test_themes(page)
            test_long_clips(page)
            test_odd_results(page, scratch)
        finally:
            page.close()
        outside = [url for url in page.requests if not url.startswith(("data:", "file://"))]
        check(not page.complaints, "nothing complains", page.complaints)
        check(not outside and sum(url.startswith("file://") for url in page.requests) == 2,
              "nothing but the pages themselves is asked for", page.requests)
    finish()


if __name__ == "__main__":
    main()
