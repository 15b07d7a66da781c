"""A host as a process of its own, made to be killed: ``host_process LINK DIR [deaf]`` keeps its books in DIR/books.

Deaf, it sees a credit, says so, and does nothing about it.
"""

import json
import os
import sys
import threading
from pathlib import Path

from kiosk.clock import SystemClock
from kiosk.hardware.bill_acceptor.ssp.driver import SspBillAcceptor
from kiosk.hardware.ports import (
    AcceptorEnabled,
    DeviceEvent,
    NoteCredited,
    NoteEscrowed,
    NoteReturned,
    NoteUnclear,
)
from tests.hardware.bill_acceptor.acceptor_harness import ALL_FACES, SPEED


def main(link: str, directory: Path, deaf: bool) -> None:
    books = os.open(directory / "books", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(what: str, face: int | None) -> None:
        os.write(books, json.dumps({"what": what, "face": face}).encode() + b"\n")

    def heard(event: DeviceEvent) -> None:
        match event:
            case AcceptorEnabled():
                print("ready", flush=True)
            case NoteEscrowed(face=face):
                write("intent", face)
                driver.accept()
            case NoteCredited() if deaf:
                print("credit seen", flush=True)
            case NoteCredited(face=face):
                write("credited", face)
                driver.acknowledge(event)
            case NoteUnclear(face=face):
                write("unclear", face)
                driver.acknowledge(event)
            case NoteReturned(accepted=accepted):
                write("returned", None)
                if accepted:
                    driver.acknowledge(event)

    driver = SspBillAcceptor(link, heard, SystemClock(), speed=SPEED, recall_path=directory / "recall")
    driver.start(intent_open=False)
    while True:
        driver.enable(ALL_FACES)
        threading.Event().wait(0.2)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), "deaf" in sys.argv[3:])
