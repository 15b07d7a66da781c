"""The arrows of docs/architecture.md, held against every import statement of the product."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A module may import from its own part and from the parts named here; the longest matching prefix decides.
# "kiosk.domain" is for everyone. Composition roots and commands name what they build.
LOW = ("kiosk.domain", "kiosk.clock", "kiosk.settings")
ALLOWED: dict[str, tuple[str, ...]] = {
    "kiosk.domain": (),
    "kiosk.clock": ("kiosk.domain",),
    "kiosk.settings": ("kiosk.domain",),
    "kiosk.text": ("kiosk.domain", "kiosk.views"),
    "kiosk.views": ("kiosk.domain",),
    "kiosk.taps": (),
    "kiosk.supervisor": (),
    "kiosk.screen_link": (*LOW, "kiosk.views", "kiosk.taps"),
    "kiosk.screens": (*LOW, "kiosk.views", "kiosk.taps", "kiosk.text"),
    # The Kivy App joins the link's end and the router; screens themselves never see the link.
    "kiosk.screens.app": (*LOW, "kiosk.views", "kiosk.taps", "kiosk.text", "kiosk.screen_link", "kiosk.screens"),
    "kiosk.screen": (*LOW, "kiosk.views", "kiosk.taps", "kiosk.text", "kiosk.screen_link", "kiosk.screens"),
    "kiosk.gallery": (*LOW, "kiosk.views", "kiosk.taps", "kiosk.text", "kiosk.screens"),
    "kiosk.office_client": LOW,
    "kiosk.offline_queue": (*LOW, "kiosk.office_client", "kiosk.hardware.faults"),
    "kiosk.hardware": (),
    "kiosk.hardware.faults": (),
    "kiosk.hardware.ports": ("kiosk.domain", "kiosk.hardware.faults"),
    "kiosk.hardware.flight_recorder": (*LOW, "kiosk.hardware.ports", "kiosk.hardware.faults"),
    "kiosk.hardware.bill_acceptor": (
        *LOW,
        "kiosk.hardware.flight_recorder",
        "kiosk.hardware.ports",
        "kiosk.hardware.faults",
        "kiosk.hardware.simulators",
    ),
    "kiosk.hardware.receipt_printer": (
        *LOW,
        "kiosk.text",
        "kiosk.hardware.flight_recorder",
        "kiosk.hardware.ports",
        "kiosk.hardware.faults",
        "kiosk.hardware.simulators",
    ),
    "kiosk.hardware.simulators": (*LOW, "kiosk.hardware.flight_recorder"),
    "kiosk.payment": (
        *LOW,
        "kiosk.views",
        "kiosk.taps",
        "kiosk.offline_queue",
        "kiosk.office_client",
        "kiosk.hardware.ports",
        "kiosk.hardware.faults",
        "kiosk.screen_link",
    ),
    # The receipt it makes carries unit, period and times as words, in the payer's language.
    "kiosk.payment.slip": (*LOW, "kiosk.text", "kiosk.offline_queue"),
    "office": ("kiosk.domain",),
}
# They put parts together or are a program of their own, and may name any part of the kiosk.
ROOTS = (
    "kiosk.__main__",
    "kiosk.agent",
    "kiosk.check",
    "kiosk.devices",
    "kiosk.replace_journal",
    "kiosk.hardware.probe",
    "kiosk.hardware.dialects",
    "kiosk.hardware.flight_recorder.command",
    "kiosk.hardware.simulators.replay_command",
    "kiosk.hardware.receipt_printer.redraw_command",
    "kiosk.office_client.pairing",
)
ONLY_IN_SCREENS = ("kivy",)
ONLY_BESIDE_DEVICES = ("serial", "escpos")


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("kiosk", "office"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the arrow"
            yield from ((node.lineno, module_meant(str(node.module), alias.name)) for alias in node.names)


def module_meant(module: str, name: str) -> str:
    """``from kiosk.hardware import ports`` means kiosk.hardware.ports."""
    inner = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inner.is_dir() or inner.with_suffix(".py").exists() else module


def is_within(module: str, part: str) -> bool:
    return module == part or module.startswith(part + ".")


def part_of(module: str) -> str | None:
    parts = [part for part in ALLOWED if is_within(module, part)]
    return max(parts, key=len) if parts else None


def test_every_import_follows_the_arrows() -> None:
    wrong = []
    for module, path in modules():
        if module in ROOTS or module == "kiosk":
            continue
        part = part_of(module)
        assert part is not None, f"{module} has no place in the architecture; add it to ALLOWED and to the document"
        for line, imported in imports(path):
            ours = is_within(imported, "kiosk") or is_within(imported, "office")
            if ours and not any(is_within(imported, allowed) for allowed in (part, *ALLOWED[part])):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {part} may not import {imported}")
    assert not wrong, "\n".join(wrong)


def test_kivy_is_imported_by_the_screen_process_only_and_devices_libraries_beside_their_driver() -> None:
    wrong = []
    for module, path in modules():
        for line, imported in imports(path):
            top = imported.partition(".")[0]
            on_screen = is_within(module, "kiosk.screens") or module in ("kiosk.screen", "kiosk.gallery")
            if top in ONLY_IN_SCREENS and not on_screen:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {top} belongs to the screen process")
            if top in ONLY_BESIDE_DEVICES and not is_within(module, "kiosk.hardware"):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {top} belongs beside a device's driver")
    assert not wrong, "\n".join(wrong)


def test_the_domain_does_no_io() -> None:
    forbidden = {"os", "pathlib", "socket", "sqlite3", "threading", "time", "requests", "subprocess", "logging"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {imported}"
        for module, path in modules()
        if is_within(module, "kiosk.domain")
        for line, imported in imports(path)
        if imported.partition(".")[0] in forbidden
    ]
    assert not wrong, "\n".join(wrong)


def test_no_file_has_grown_two_jobs() -> None:
    limit = 400
    long_ones = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for _, path in modules()
        if "migrations" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > limit
    ]
    assert not long_ones, "\n".join(long_ones)
