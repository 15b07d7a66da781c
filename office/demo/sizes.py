"""How large a demo estate is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProjectShape:
    """One project of a demo estate. Floors are counted from 1, so 3-1-502 needs five of them."""

    code: str
    name: str
    name_en: str
    buildings: int
    entrances: int
    floors: int
    per_floor: int


@dataclass(frozen=True)
class Size:
    """A demo estate."""

    projects: tuple[ProjectShape, ...]
    months: int
    every_nth_pays: int  # which share of the households has paid at the kiosk


_OLIVE = ("YG", "阳光花园", "Sunshine Garden")
_OLD = ("LJ", "老街小区", "Old Street Quarter")

SIZES: dict[str, Size] = {
    "tiny": Size((ProjectShape(*_OLIVE, 3, 1, 5, 1), ProjectShape(*_OLD, 1, 1, 3, 1)), months=2, every_nth_pays=5),
    "demo": Size((ProjectShape(*_OLIVE, 3, 1, 5, 2), ProjectShape(*_OLD, 1, 1, 5, 2)), months=3, every_nth_pays=2),
    "big": Size((ProjectShape(*_OLIVE, 15, 2, 17, 4), ProjectShape(*_OLD, 10, 2, 6, 3)), months=12, every_nth_pays=40),
}
