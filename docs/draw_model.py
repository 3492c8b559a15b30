"""Draw the figures of docs/model.md as SVG, with the shapes at their arrows taken from that page's tables.

Run `python docs/draw_model.py` after a change of either; a test compares the files with what this draws.
"""

import html
import re
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
Point = tuple[float, float]

# After Okabe and Ito's palette, which colour-blind readers can tell apart (jfly.uni-koeln.de/color).
LEARNT = ("#0072B2", "#E1EFF8")
FIXED = ("#6B6B6B", "#F2F2F2")
FRAME = ("#B37A00", "#FDF1D6")
GIVEN = ("#A6487F", "#F7E6EF")
"""Outline and fill of what is learnt here, what learns nothing, pictures, and parts of a released model."""
INK, CONTEXT = "#1A1A1A", "#00795B"
WIDTH = 1010
LEFT, BOX = 160, 400
MIDDLE, RIGHT = LEFT + BOX // 2, LEFT + BOX
WINDOW = ["−8", "−7", "−6", "−5", "−4", "−3", "−2", "−1", "?", "+1", "+2", "+3", "+4", "+5", "+6"]


class Drawing:
    """SVG elements in the order in which they are drawn."""

    def __init__(self, title: str, height: int, shapes: dict[str, str]) -> None:
        self.title, self.height, self.shapes = title, height, shapes
        self.elements: list[str] = []

    def text(self, at: Point, text: str, *, size: float = 13, anchor: str = "start", style: str = "") -> None:
        """Write a line; `at` is where its base line begins, ends or has its middle, by `anchor`."""
        self.elements.append(
            f'<text x="{at[0]:g}" y="{at[1]:g}" font-size="{size:g}" text-anchor="{anchor}"{style}>'
            f"{html.escape(text)}</text>"
        )

    def box(self, at: Point, size: Point, colours: tuple[str, str], title: str, *lines: str) -> None:
        """Draw a box with a bold title and further lines, all in its middle."""
        (x, y), (width, height) = at, size
        outline, fill = colours
        self.elements.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" '
            f'stroke="{outline}" stroke-width="1.6"/>'
        )
        top = y + height / 2 - 8.5 * len(lines) + 5
        self.text((x + width / 2, top), title, size=14, anchor="middle", style=' font-weight="bold"')
        for i, line in enumerate(lines, start=1):
            self.text((x + width / 2, top + 17 * i), line, size=12.5, anchor="middle")

    def arrow(self, *points: Point, colour: str = INK, head: bool = True) -> None:
        """Draw a line through points, with a head at its end."""
        path = " ".join(f"{'ML'[i > 0]}{x:g} {y:g}" for i, (x, y) in enumerate(points))
        marker = f' marker-end="url(#{colour[1:]})"' if head else ""
        self.elements.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.8"{marker}/>')

    def label(self, at: Point, name: str, *, tensor: str | None = None, anchor: str = "start") -> None:
        """Name the tensor at an arrow, its shape (as the table of docs/model.md has it) below it."""
        self.text(at, name, anchor=anchor, style=' font-style="italic"')
        self.text((at[0], at[1] + 15), self.shapes[tensor or name], size=11.5, anchor=anchor)

    def strip(self, at: Point, names: Iterable[str], width: float, gap: float) -> None:
        """Draw a row of frames: references in a thick line, the missing one ("?") dashed."""
        for i, name in enumerate(names):
            x = at[0] + i * (width + gap)
            missing, near = name == "?", name in ("−1", "+1")
            line = ' stroke-dasharray="4 3"' if missing else ""
            self.elements.append(
                f'<rect x="{x:g}" y="{at[1]:g}" width="{width:g}" height="{width * 0.7:g}" '
                f'fill="{"#FFFFFF" if missing else FRAME[1]}" stroke="{FRAME[0]}" '
                f'stroke-width="{3 if near else 1.3}"{line}/>'
            )
            self.text((x + width / 2, at[1] + width * 0.35 + 5), name, anchor="middle")

    def legend(self, at: Point, entries: Iterable[tuple[tuple[str, str], str]]) -> None:
        """Explain the colours in one row."""
        x, y = at
        for (outline, fill), text in entries:
            self.elements.append(
                f'<rect x="{x:g}" y="{y:g}" width="18" height="13" fill="{fill}" stroke="{outline}" '
                'stroke-width="1.6"/>'
            )
            self.text((x + 25, y + 11), text, size=12.5)
            x += 25 + 7.2 * len(text) + 26

    def svg(self) -> str:
        """Return the file's text."""
        heads = "".join(
            f'<marker id="{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
            for colour in (INK, CONTEXT)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" '
            f'font-family="Helvetica, Arial, DejaVu Sans, sans-serif" fill="{INK}" role="img">\n'
            f"<title>{html.escape(self.title)}</title>\n<defs>{heads}</defs>\n"
            f'<rect width="{WIDTH}" height="{self.height}" fill="#FFFFFF"/>\n'
            + "\n".join(self.elements)
            + "\n</svg>\n"
        )


def read_shapes(page: str, heading: str) -> dict[str, str]:
    """Read the table under a heading of docs/model.md: each tensor's shape, without the batch."""
    section = re.split(r"^## ", page, flags=re.MULTILINE)
    (text,) = (part for part in section if part.splitlines()[0] == heading)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:1] == "|"]
    return {row[0]: re.sub(r"^(2·)?B, ", r"\1", row[2]).replace("2·", "2, ") for row in rows[2:]}


def draw_lift(shapes: dict[str, str]) -> str:
    """Draw LIFT-15, from top to bottom; F_ctx runs down on the left, what references give on the right."""
    d = Drawing("LIFT-15: five stages and the shape of every tensor", 1050, shapes)
    bus = 40  # x of F_ctx
    s8, s4, s1, images = 612, 724, 836, 935  # and of what the references give

    before, after = (LEFT + 52 * WINDOW.index(name) + 20 for name in ("−1", "+1"))

    # The window
    d.text((LEFT, 22), "Window of 15 frames by their offsets: references in bold, the missing frame dashed")
    d.strip((LEFT, 32), WINDOW, 40, 12)
    d.arrow((MIDDLE, 62), (MIDDLE, 106))
    d.label((MIDDLE + 10, 80), "frames")

    # Stage 1
    d.box(
        (LEFT, 108),
        (s1 + 50 - LEFT, 64),
        LEARNT,
        "Stage 1 · Encoder, shared by all frames",
        "nine 3×3 convolutions with LeakyReLU; what leaves it is given the frame's position in time",
    )
    d.arrow((MIDDLE, 172), (MIDDLE, 232))
    d.label((MIDDLE + 10, 196), "s16")

    # Stage 2
    d.box(
        (LEFT, 234),
        (BOX, 92),
        LEARNT,
        "Stage 2 · Temporal transformer",
        f"tokens of 2×2 patches: {shapes['tokens']}",
        "3 layers: attention over time, convolution over space, MLP",
        "frames weighted by α, un-patched",
    )
    d.arrow((RIGHT, 280), (RIGHT + 34, 280))
    d.text((RIGHT + 4, 272), "α", style=' font-style="italic"')
    d.text((RIGHT + 4, 297), shapes["α"], size=11.5)
    d.arrow((LEFT, 280), (bus, 280), (bus, 407), (LEFT - 2, 407), colour=CONTEXT)
    d.label((bus + 8, 302), "F_ctx")
    d.text((bus + 8, 400), "× 2", size=12.5)

    # Stage 3
    d.arrow((s8, 172), (s8, 407), (RIGHT + 2, 407))
    d.label((s8 + 6, 196), "s8")
    d.box(
        (LEFT, 374),
        (BOX, 66),
        LEARNT,
        "Stage 3 · Flow head at s8",
        f"{shapes['heard at s8']}, time t among them",
        "convolution, 3 residual blocks, convolution",
    )
    d.arrow((MIDDLE, 440), (MIDDLE, 500))
    d.label((MIDDLE + 10, 464), "maps at s8")
    d.text((MIDDLE - 10, 464), "× 2 in size;", size=12.5, anchor="end")
    d.text((MIDDLE - 10, 479), "flows × 2 in value", size=12.5, anchor="end")
    d.box(
        (LEFT, 502),
        (BOX, 66),
        LEARNT,
        "Stage 3 · Flow head at s4",
        f"{shapes['heard at s4']}, maps × 2 and t among them",
        "convolution, 2 residual blocks, convolution; added",
    )
    d.arrow((bus, 407), (bus, 535), (LEFT - 2, 535), colour=CONTEXT)
    d.text((bus + 8, 528), "× 4", size=12.5)
    d.arrow((s4, 172), (s4, 535), (RIGHT + 2, 535))
    d.label((s4 + 6, 196), "s4")
    d.arrow((MIDDLE - 60, 568), (MIDDLE - 60, 628))
    d.label((MIDDLE - 52, 592), "flow")
    d.arrow((MIDDLE + 60, 568), (MIDDLE + 60, 628))
    d.label((MIDDLE + 68, 592), "O")

    # Stage 4
    d.box((LEFT, 630), (BOX, 48), FIXED, "Stage 4 · Warp and blend", "(O₋ · W₋ + O₊ · W₊) / (O₋ + O₊ + ε)")
    d.arrow((before, 62), (before, 76), (images, 76), (images, 654), (RIGHT + 2, 654))
    d.arrow((after, 62), (after, 76), head=False)
    d.label((images + 6, 196), "− and +", tensor="references")
    d.text((RIGHT + 12, 647), "× 1/4", size=12.5)
    d.arrow((MIDDLE, 678), (MIDDLE, 724))
    d.label((MIDDLE + 10, 696), "blend", tensor="coarse")
    d.box(
        (LEFT, 726),
        (BOX, 66),
        LEARNT,
        "Stage 4 · ContextNet",
        shapes["blend and context"],
        "two convolutions; added to the blend",
    )
    d.arrow((bus, 535), (bus, 759), (LEFT - 2, 759), colour=CONTEXT)
    d.text((bus + 8, 752), "× 4", size=12.5)
    d.arrow((MIDDLE, 792), (MIDDLE, 848))
    d.label((MIDDLE + 10, 816), "coarse")
    d.text((MIDDLE - 10, 824), "× 4", size=12.5, anchor="end")

    # Stage 5
    d.box(
        (LEFT, 850),
        (BOX, 66),
        LEARNT,
        "Stage 5 · Refiner",
        shapes["coarse and s1"],
        "convolution, 2 residual blocks, 2 convolutions; added",
    )
    d.arrow((s1, 172), (s1, 883), (RIGHT + 2, 883))
    d.label((s1 + 6, 196), "s1")
    d.arrow((MIDDLE, 916), (MIDDLE, 966))
    d.label((MIDDLE + 10, 938), "frame")
    d.strip((MIDDLE - 20, 968), ["0"], 40, 0)
    d.legend((LEFT, 1022), ((LEARNT, "learnt here"), (FIXED, "learns nothing"), (FRAME, "pictures")))
    return d.svg()


def draw_lift_rife(shapes: dict[str, str]) -> str:
    """Draw LIFT on RIFE: motion and blend, which learn nothing, and on the right LIFT's stages 1 and 2."""
    d = Drawing("LIFT on RIFE: what is believed, what is learnt, and the shape of every tensor", 905, shapes)
    outer, bus = 34, 112  # x of RIFE's frame and mask, and of the small frames
    right, width, s1 = 660, 240, 930  # the right half
    before, after = (LEFT + 52 * WINDOW.index(name) + 20 for name in ("−1", "+1"))

    # The window
    d.text((LEFT, 22), "Window of 15 frames by their offsets: references in bold, the missing frame dashed")
    d.strip((LEFT, 32), WINDOW, 40, 12)
    d.arrow((before, 62), (before, 106))
    d.arrow((after, 62), (after, 76), (before, 76), head=False)
    d.label((before - 8, 82), "references", anchor="end")

    # RIFE
    d.box((LEFT, 108), (BOX, 64), GIVEN, "RIFE v4.25, frozen", "flow and mask from 1/16 to full resolution")
    d.arrow((MIDDLE, 172), (MIDDLE, 222))
    d.label((MIDDLE + 10, 194), "RIFE's flow")
    d.arrow((LEFT, 150), (outer, 150), (outer, 577), (LEFT - 2, 577))
    d.label((outer + 6, 172), "frame", tensor="RIFE's frame")
    d.label((outer + 6, 208), "mask", tensor="RIFE's mask")

    # Motion
    d.arrow((LEFT, 46), (bus, 46), (bus, 257), (LEFT - 2, 257), colour=CONTEXT)
    d.label((bus - 6, 68), "small", anchor="end")
    d.box(
        (LEFT, 224),
        (BOX, 66),
        FIXED,
        "Refined by the references",
        "until the two agree; a path at half the resolution:",
        "position at offset o = o · v + o² · a",
    )
    d.arrow((MIDDLE, 290), (MIDDLE, 338))
    d.label((MIDDLE - 10, 311), "v", anchor="end")
    d.label((MIDDLE + 10, 311), "a")
    d.box(
        (LEFT, 340),
        (BOX, 66),
        FIXED,
        "Refined by all frames",
        "until each reference also agrees with the frames beyond it,",
        "which show acceleration",
    )
    d.arrow((bus, 257), (bus, 373), (LEFT - 2, 373), colour=CONTEXT)
    d.arrow((MIDDLE, 406), (MIDDLE, 444))
    d.text((MIDDLE - 10, 430), "by RIFE, by the references,", size=12.5, anchor="end")
    d.text((MIDDLE + 10, 430), "and by all frames", size=12.5)
    d.box(
        (LEFT, 446),
        (BOX, 66),
        FIXED,
        "Belief, for each pixel",
        "Do the references agree? Does each far frame?",
        "Is it as far away as even time would have it?",
    )
    d.arrow((bus, 373), (bus, 479), (LEFT - 2, 479), colour=CONTEXT)
    d.arrow((MIDDLE, 512), (MIDDLE, 552))
    d.label((MIDDLE + 10, 530), "belief")

    # Blend
    d.box(
        (LEFT, 554),
        (BOX, 66),
        FIXED,
        "Warp and blend at full resolution",
        "references by the believed motion, by mask and visibility;",
        "RIFE's frame where no other motion is believed",
    )
    d.arrow((before + 60, 76), (before + 60, 587), (RIGHT + 2, 587))
    d.arrow((MIDDLE, 620), (MIDDLE, 696))
    d.label((MIDDLE + 10, 642), "frame so far")
    d.label((MIDDLE + 10, 676), "flow")
    d.label((MIDDLE + 105, 676), "O")
    d.label((MIDDLE - 10, 642), "warped", anchor="end")

    # What is learnt
    d.arrow((right + width / 2, 62), (right + width / 2, 106))
    d.label((right + width / 2 + 10, 80), "frames")
    d.box((right, 108), (s1 + 40 - right, 64), LEARNT, "Stage 1 · Encoder", "as in LIFT, for all frames")
    d.arrow((right + width / 2, 172), (right + width / 2, 222))
    d.label((right + width / 2 + 10, 194), "s16")
    d.box((right, 224), (width, 66), LEARNT, "Stage 2 · Transformer", "as in LIFT")
    d.arrow((right + width / 2, 290), (right + width / 2, 719), (RIGHT + 2, 719), colour=CONTEXT)
    d.label((right + width / 2 + 8, 314), "F_ctx")
    d.arrow((s1, 172), (s1, 747), (RIGHT + 2, 747))
    d.label((s1 + 6, 196), "s1")
    d.box(
        (LEFT, 698),
        (BOX, 82),
        LEARNT,
        "Aligned refiner, starts as nothing",
        f"ContextNet: {shapes['frame and context']}",
        f"refiner, with s1 warped by flow: {shapes['blend and difference']}",
        "both added to the frame so far",
    )
    d.arrow((MIDDLE, 780), (MIDDLE, 828))
    d.label((MIDDLE + 10, 802), "frame")
    d.strip((MIDDLE - 20, 830), ["0"], 40, 0)
    legend = ((LEARNT, "learnt here"), (FIXED, "learns nothing"), (GIVEN, "released"), (FRAME, "pictures"))
    d.legend((LEFT, 880), legend)
    return d.svg()


FIGURES = {"model_lift.svg": ("LIFT", draw_lift), "model_lift_rife.svg": ("LIFT on RIFE", draw_lift_rife)}
"""By file name: the heading whose table has the shapes, and what draws them."""


def main() -> None:
    """Write the figures beside this file."""
    page = (HERE / "model.md").read_text(encoding="utf-8")
    for name, (heading, draw) in FIGURES.items():
        (HERE / name).write_text(draw(read_shapes(page, heading)), encoding="utf-8")


if __name__ == "__main__":
    main()
