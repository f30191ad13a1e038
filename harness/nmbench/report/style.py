"""How figures look: one style, and one table that gives each platform its colour, marker and dash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, PALE = "#6E6E6E", "#D9D9D9"
"""Okabe and Ito's palette (2008), which most colour-blind people can tell apart, and two greys."""

WIDTH_IN, HEIGHT_IN = 3.4, 2.5
"""One column of a paper; rows beyond those that fit make a figure taller, never wider."""

RC: Mapping[Any, Any] = {
    "font.size": 8,
    "font.family": "DejaVu Sans",
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "lines.linewidth": 1.0,
    "lines.markersize": 4.5,
    "hatch.linewidth": 0.5,
    "savefig.dpi": 300,
    "figure.facecolor": "white",
    "text.parse_math": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "nmbench",
    "svg.fonttype": "none",
}
"""matplotlib's settings; ``parse_math`` is off since names of strangers may hold dollar signs.

Text stays text in SVG: a quarter of the bytes of outlines, and it can be searched and read aloud.
"""

FONTS = ("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
"""The font in an SVG, and those that stand in where it is missing: Verdana is as wide, letter for letter."""

FORMATS: Mapping[str, Mapping[str, str | None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Formats that a figure is saved in; dates and versions are left out: bytes depend on content alone."""


@dataclass(frozen=True)
class Look:
    """Colour, marker and dash of a platform, the same in every figure."""

    colour: str
    marker: str
    dash: str


FAMILIES: Mapping[str, str] = {
    "cpu": BLACK,
    "gpu": VERMILLION,
    "loihi": BLUE,
    "spinnaker": GREEN,
    "akida": ORANGE,
    "memristor": PURPLE,
}
OTHERS = SKY
"""Colour of families that are not in the table: plug-ins."""

PLATFORMS: Mapping[str, Look] = {
    "numba-event": Look(BLACK, "o", "-"),
    "cpu-dense": Look(BLACK, "s", "--"),
    "gpu-h100": Look(VERMILLION, "^", "-"),
    "gpu-jetson": Look(VERMILLION, "v", "--"),
    "loihi": Look(BLUE, "o", "-"),
    "loihi2": Look(BLUE, "D", "--"),
    "spinnaker": Look(GREEN, "o", "-"),
    "spinnaker2": Look(GREEN, "D", "--"),
    "akida": Look(ORANGE, "h", "-"),
    "memristor-rram": Look(PURPLE, "s", "-"),
    "memristor-pcm": Look(PURPLE, "D", "--"),
}
MARKERS = ("P", "X", "p", "*", "<", ">", "8", "d")
DASHES = ("-.", ":", "-", "--")


def look(platform: str, family: str) -> Look:
    """Return a platform's look: from the table, or from its family's colour and a hash of its name."""
    if platform in PLATFORMS:
        return PLATFORMS[platform]
    digest = hashlib.sha256(platform.encode()).digest()
    return Look(
        FAMILIES.get(family, OTHERS), MARKERS[digest[0] % len(MARKERS)], DASHES[digest[1] % len(DASHES)]
    )


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style: matplotlib's defaults and `RC`, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def save(figure: Figure, stem: Path, formats: Iterable[str] = tuple(FORMATS)) -> list[Path]:
    """Save a figure as ``stem.svg``, ``.png`` and ``.pdf``; equal figures give equal bytes."""
    paths = []
    with styled():
        for form in formats:
            path = stem.with_name(f"{stem.name}.{form}")
            figure.savefig(path, format=form, metadata=dict(FORMATS[form]))
            if form == "svg":
                path.write_text(path.read_text(encoding="utf-8").replace(*FONTS), encoding="utf-8")
            paths.append(path)
    return paths
