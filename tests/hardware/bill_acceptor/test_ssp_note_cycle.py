"""The credit rule as a table: what a note's poll events mean, given what was ordered. Source: bill-acceptors section 0."""

import pytest

from kiosk.domain.money import Fen
from kiosk.hardware.bill_acceptor.ssp.frames import parse_poll
from kiosk.hardware.bill_acceptor.ssp.note_cycle import NoteCycle
from kiosk.hardware.bill_acceptor.states import NoteState

# "accept" stands where the host orders it; the rest are poll answers. Then: what is reported.
LIVES = {
    "accepted, credited, stacked": (["EF 00", "EF 03", "accept", "CC", "EE 03 CC", "EB"], ["Escrowed 1000", "Credited 1000", "Stacked"]),
    "all in one answer": (["EF 03", "accept", "EE 03 CC EB E7"], ["Escrowed 1000", "Credited 1000", "Stacked"]),
    "refused by the device": (["EF 00", "ED", "EC"], ["Rejected"]),
    "timed out in escrow": (["EF 03", "ED", "EC"], ["Escrowed 1000", "Returned"]),
    "accept came too late": (["EF 03", "accept", "ED", "EC"], ["Escrowed 1000", "Returned"]),
    "still shown in escrow after the accept": (["EF 03", "accept", "EF 03", "CC", "EE 03"], ["Escrowed 1000", "Credited 1000"]),
    "next note after one timed out": (["EF 03", "EC EF 02"], ["Escrowed 1000", "Returned", "Escrowed 500"]),
    "two equal notes": (["EF 03", "accept", "EE 03 EB EF 03", "accept", "EE 03 EB"], ["Escrowed 1000", "Credited 1000", "Stacked"] * 2),
    "safe jam after accept": (["EF 03", "accept", "EA E8", "EA"], ["Escrowed 1000", "Unclear 1000"]),
    "safe jam while reading": (["EF 00", "EA E8"], ["Unclear None"]),
    "safe jam after credit": (["EF 03", "accept", "EE 03 CC", "EA E8"], ["Escrowed 1000", "Credited 1000"]),
    "old jam, no note of ours": (["EA"], []),
    "unsafe jam after accept": (["EF 03", "accept", "E9 E8"], ["Escrowed 1000", "Unclear 1000"]),
    "unsafe jam while reading": (["EF 00", "E9 E8"], []),
    "pulled back while stacking": (["EF 03", "accept", "CC", "E6 03"], ["Escrowed 1000", "Unclear 1000"]),
    "pulled out of escrow": (["EF 03", "E6 00"], ["Escrowed 1000", "Returned"]),
    "fished out of the stacker": (["EF 03", "accept", "EE 03 EB", "E6 03"], ["Escrowed 1000", "Credited 1000", "Stacked"]),
    "stacked without a credit": (["EF 03", "accept", "CC", "EB"], ["Escrowed 1000", "Unclear 1000"]),
    "credit without an accept": (["EE 02 EB"], ["Credited 500", "Stacked"]),
    "into the box at power-up": (["EF 03", "accept", "F1 E2 03 E8"], ["Escrowed 1000", "Credited 1000"]),
    "into the box at power-up, unknown": (["F1 E2 00 E8"], ["Credited None"]),
    "credited before the power went": (["EF 03", "accept", "EE 03 CC", "F1 E2 03 E8"], ["Escrowed 1000", "Credited 1000", "Stacked"]),
    "credited although it was claimed": (["EF 03", "accept", "EA E8", "EE 03 CC", "EB"], ["Escrowed 1000", "Unclear 1000", "Stacked"]),
    "credited twice": (["EF 03", "accept", "EE 03 CC", "EE 03 CC", "EB"], ["Escrowed 1000", "Credited 1000", "Stacked"]),
    "credited twice in one answer": (["EF 03", "accept", "EE 03 EE 03 EB"], ["Escrowed 1000", "Credited 1000", "Stacked"]),
    "credited as another note as well": (["EF 03", "accept", "EE 03 CC", "EE 02"], ["Escrowed 1000", "Credited 1000"]),
    "credited at power-up and again": (["EF 03", "accept", "F1 E2 03", "EE 03 EB"], ["Escrowed 1000", "Credited 1000", "Stacked"]),
    "the end of one and the escrow of the next lost": (["EF 03", "accept", "EE 03 CC", "EF 00", "EE 03 EB"], ["Escrowed 1000", "Credited 1000", "Credited 1000", "Stacked"]),
    "next note after a claimed one": (["EF 03", "accept", "EA", "EF 03", "accept", "EE 03 EB"], ["Escrowed 1000", "Unclear 1000", "Escrowed 1000", "Credited 1000", "Stacked"]),
    "claimed before the power went": (["EF 03", "accept", "EA", "F1 E2 03 E8"], ["Escrowed 1000", "Unclear 1000", "Stacked"]),
    "back from escrow at power-up": (["EF 03", "F1 E1 03 E8"], ["Escrowed 1000", "Returned"]),
    "back at power-up, nothing known of it": (["F1 E1 00 E8"], ["Returned"]),
    "some note back at power-up while one was accepted": (["EF 03", "accept", "F1 E1 03 E8"], ["Escrowed 1000"]),
    "a barcode ticket is no note": (["E5"], []),
}  # fmt: skip


@pytest.mark.parametrize("life", LIVES)
def test_each_life_of_a_note_is_reported_as_its_evidence_says(life: str) -> None:
    cycle = NoteCycle()
    cycle.faces = {1: Fen(100), 2: Fen(500), 3: Fen(1000)}
    told: list[str] = []
    answers, expected = LIVES[life]
    for answer in answers:
        if answer == "accept":
            cycle.accept()
            continue
        for event in parse_poll(bytes.fromhex(answer)).events:
            told += [_short(reported) for reported in cycle.take(event)]
    assert told == expected


@pytest.mark.parametrize(("stacked_moved", "told"), [(False, ["Returned"]), (True, [])])
def test_an_accepted_note_is_back_only_if_the_counter_agrees(stacked_moved: bool, told: list[str]) -> None:
    cycle = NoteCycle()
    cycle.faces = {3: Fen(1000)}
    for answer in ("EF 03", "F1 E1 03 E8"):
        if answer.startswith("F1"):
            cycle.accept()
        for event in parse_poll(bytes.fromhex(answer)).events:
            cycle.take(event)
    assert [_short(event) for event in cycle.end_start(stacked_moved=stacked_moved)] == told
    assert cycle.state is NoteState.NONE


def test_an_escrow_the_host_can_not_name_is_never_announced() -> None:
    cycle = NoteCycle()
    cycle.faces = {3: Fen(1000)}
    assert cycle.take(parse_poll(b"\xef\x09").events[0]) == []
    assert cycle.in_escrow
    assert not cycle.announced


def _short(event: object) -> str:
    name = type(event).__name__.removeprefix("Note")
    return f"{name} {event.face}" if hasattr(event, "face") else name
