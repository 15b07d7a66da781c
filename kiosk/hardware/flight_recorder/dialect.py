"""What reading and replaying a trace need to know about a protocol. Each protocol's folder has its own."""

from typing import Protocol

SLIP = b"slip"  # stands for bytes of a slip, which a trace does not have


class Dialect(Protocol):
    """Cuts, compares and names what the host sends, and fits recorded answers to it. One object follows one conversation."""

    def cut(self, data: bytes) -> list[bytes]:
        """The whole host frames that these bytes complete; the rest waits for more."""
        ...

    def key(self, frame: bytes) -> bytes:
        """What of a host frame must be as recorded."""
        ...

    def repeats(self, frame: bytes, before: bytes) -> bool:
        """Whether this is the frame before it again, which a device answers without doing anything."""
        ...

    def objection(self, frame: bytes, before: bytes) -> str:
        """Why no device would carry this frame out after that one; empty if it would."""
        ...

    def fit(self, answer: bytes, recorded: bytes, frame: bytes) -> bytes:
        """The answer to the recorded frame, as this one needs it."""
        ...

    def remember(self, frame: bytes, answer: bytes) -> None:
        """This exchange has been played."""
        ...

    def another(self, frame: bytes) -> bytes | None:
        """The answer if the host asks this once more than recorded; None where that is not the same conversation."""
        ...

    def says_nothing_new(self, frame: bytes, answer: bytes) -> bool:
        """Whether the host may leave this exchange out."""
        ...

    def quiet(self, frame: bytes) -> bytes:
        """An answer by which a device that knows nothing commits itself to nothing."""
        ...

    def words(self, frame: bytes) -> str:
        """A host frame for people."""
        ...

    def answer_words(self, answer: bytes, frame: bytes) -> str:
        """What the device said to it, for people."""
        ...
