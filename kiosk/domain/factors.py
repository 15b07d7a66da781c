"""The factors of a bill's computation in English: bills carry them in Chinese only, such as 1 个月 or 2.50 元/㎡·月."""

_UNITS = (
    ("元", "¥"),
    ("平方米", "m²"),
    ("㎡", "m²"),
    ("个月", "month"),
    ("月", "month"),
    ("吨", "t"),
    ("度", "kWh"),
    ("天", "days"),
)


def in_english(value: str) -> str:
    """A number and its unit: "1 month", "¥2.50/m²·month"; what has no unit stays as it is."""
    number, space, unit = value.partition(" ")
    if not space:
        return value
    if unit == "个月":
        return f"{number} month" if number == "1" else f"{number} months"
    for chinese, english in _UNITS:
        unit = unit.replace(chinese, english)
    return f"¥{number}{unit.removeprefix('¥')}" if unit.startswith("¥") else f"{number} {unit}"
