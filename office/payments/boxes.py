"""A note's state and the box it lies in, which change together and nowhere else."""

from django.db.models import F

from office.kiosks.models import CashBoxFace
from office.payments.models import Note
from office.rows import derived_id

IN_THE_BOX = (Note.State.CREDITED, Note.State.SUSPENSE)


def move(note: Note, to: str, face_fen: int | None) -> None:
    """Bring a note to a state and a face, and the box along with it."""
    _into_box(note, -1)
    note.state, note.face_fen = to, face_fen
    note.save()
    _into_box(note, 1)


def _into_box(note: Note, by: int) -> None:
    """Count a note into its kiosk's box, or out of it; one that is in no box changes nothing."""
    if note.state in IN_THE_BOX:
        column = "confirmed"
    elif note.state == Note.State.UNKNOWN:
        column = "unknown"
    else:
        return
    face_fen = note.face_fen or 0
    face_id = derived_id(note.kiosk_id, "face", face_fen)
    if not CashBoxFace.objects.filter(id=face_id).update(**{column: F(column) + by}):
        told = {"project_id": note.project_id, "kiosk_id": note.kiosk_id, "face_fen": face_fen}
        CashBoxFace.objects.create(id=face_id, **told, **{column: by})
