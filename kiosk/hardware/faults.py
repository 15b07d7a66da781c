"""One table of faults: code, severity, the key of the payer's sentence, the operator's next step.

``docs/fault-codes.md`` is written from this table; a test holds both together.
"""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How soon a person must come; see ux-and-accessibility section 12, column "alarm"."""

    INFO = "info"
    WARN = "warn"
    NOW = "now"
    SECURITY = "security"


class FaultKind(msgspec.Struct, frozen=True, kw_only=True):
    """What one code means. ``payer_code`` is the E-number whose sentence the payer reads."""

    code: str
    severity: Severity
    payer_code: str
    stops_cash: bool
    meaning: str
    next_step: str


class Fault(msgspec.Struct, frozen=True):
    """One occurrence: the code from the table below, and what the device said."""

    code: str
    detail: str = ""

    @property
    def kind(self) -> FaultKind:
        return FAULTS[self.code]


_ROWS = (
    # bill acceptor
    ("acceptor.port_missing", Severity.NOW, "E34", True, "The acceptor's port does not exist.", "Check the cable and the port in the settings."),
    ("acceptor.port_busy", Severity.NOW, "E34", True, "Another program holds the acceptor's port.", "Stop the other program."),
    ("acceptor.silent", Severity.NOW, "E34", True, "The acceptor does not answer.", "Check its power and cable."),
    ("acceptor.wrong_device", Severity.NOW, "E34", True, "What answers is not a usable note validator.", "Compare model, currency and protocol version with the settings."),
    ("acceptor.protocol", Severity.NOW, "E34", True, "The acceptor sent something its protocol does not know.", "Note the raw frame in the log; update the firmware or the driver."),
    ("acceptor.jam_safe", Severity.NOW, "E32", True, "A note is stuck beyond the payer's reach.", "Open the unit, take the note out, record its face against the claim number."),
    ("acceptor.jam_unsafe", Severity.NOW, "E31", True, "A note is stuck where the payer could pull it.", "Open the unit, hand the note back to its owner, power the unit off and on."),
    ("acceptor.fraud", Severity.SECURITY, "E35", True, "The acceptor saw a note being pulled back or a trick.", "Look at the log and the camera of the hall; check the note path."),
    ("acceptor.stacker_full", Severity.NOW, "E33", True, "The cash box is full.", "Collect the cash."),
    ("acceptor.cashbox_removed", Severity.SECURITY, "E34", True, "The cash box is out.", "Put it back; find out who took it."),
    ("acceptor.note_lost", Severity.NOW, "E32", True, "Counters and journal differ by a note.", "Count the box; settle the claim by evidence."),
    ("acceptor.path_open", Severity.NOW, "E34", True, "The note path is open.", "Close the lid."),
    # receipt printer
    ("printer.port_missing", Severity.NOW, "E51", False, "The printer's port does not exist.", "Check the cable and the port in the settings."),
    ("printer.port_busy", Severity.NOW, "E51", False, "Another program holds the printer's port.", "Stop the other program."),
    ("printer.silent", Severity.NOW, "E51", False, "The printer does not answer.", "Check its power and cable."),
    ("printer.paper_out", Severity.NOW, "E51", False, "The roll is empty.", "Put in a new roll."),
    ("printer.near_end", Severity.WARN, "E50", False, "The roll is nearly empty.", "Bring a new roll."),
    ("printer.cover_open", Severity.NOW, "E51", False, "The printer's cover is open.", "Close it."),
    ("printer.cutter", Severity.NOW, "E51", False, "The cutter is stuck.", "Free the cutter, close the cover."),
    ("printer.error", Severity.NOW, "E51", False, "The printer reports an error.", "Power it off and on."),
    ("printer.unconfirmed", Severity.WARN, "E52", False, "The printer took the data but never said that it printed.", "Look at the slip; print again marked 补打 if it is missing."),
    # the box itself
    ("journal.unwritable", Severity.NOW, "E80", True, "The journal can't be written.", "Free space or replace the storage; no money is taken meanwhile."),
    ("journal.damaged", Severity.NOW, "E80", True, "The journal failed its check at start.", "Keep the file; run kiosk journal verify; call the maker."),
    ("disk.margin", Severity.NOW, "E80", True, "Too little free space.", "Free space on the state partition."),
    ("office.unreachable", Severity.WARN, "E21", False, "The office does not answer.", "Check the network; cash goes on, uploads wait."),
    ("office.refused", Severity.NOW, "E80", True, "The office refuses this kiosk.", "The office's page of this kiosk says why: pair it again, or replace its journal (`kiosk journal replace`); everything queued is kept."),
    ("config.unfit", Severity.WARN, "E80", False, "The office told a configuration that this kiosk can't work with; the one before stays in use.", "The detail names the value: put it right in the office."),
    ("screen.gone", Severity.WARN, "E61", True, "The screen process is gone or hangs.", "It is started again by itself; look at its log if this repeats."),
    ("internal", Severity.NOW, "E61", True, "The program met a case it does not know.", "Send the log to the maker."),
)  # fmt: skip

FAULTS: dict[str, FaultKind] = {
    code: FaultKind(code=code, severity=severity, payer_code=payer, stops_cash=stops, meaning=meaning, next_step=step)
    for code, severity, payer, stops, meaning, step in _ROWS
}
