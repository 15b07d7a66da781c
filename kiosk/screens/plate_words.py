"""How an address is written on the plate and on buttons, in either language."""

from kiosk import text
from kiosk.domain.identifiers import is_numbered
from kiosk.screens.widgets import Part

LEAST_SLOTS = 3  # a room has three digits at least; more slots appear as they are needed


def building_name(language: str, building: str) -> str:
    """3 is 3 栋; a name that already says what it is (A 座) stays as it is."""
    return text.say(language, "unit.building", building=building) if is_numbered(building) else building


def entrance_name(language: str, entrance: str) -> str:
    return text.say(language, "unit.entrance", entrance=entrance) if is_numbered(entrance) else entrance


def plate_parts(language: str, now: str, building: str = "", entrance: str = "", room: str = "") -> list[Part]:
    """The plate while ``now`` ("building", "entrance" or "room") is being filled in."""
    order = ("building", "entrance", "room")
    slots = {"building": 1, "entrance": 1, "room": max(LEAST_SLOTS, len(room))}
    values = {"building": building, "entrance": entrance, "room": room}
    parts = []
    for name in order:
        state = "now" if name == now else "done" if values[name] else "next"
        word = "" if state == "done" and not is_numbered(values[name]) else text.say(language, f"plate.{name}")
        places = 0 if state == "done" else slots[name]
        parts.append(Part(state, values[name], places, word, word_first=language == "en"))
    return parts
