"""The state directory: where the default database and the secret key of this office lie."""

import os
import secrets
from pathlib import Path


def state_directory() -> Path:
    """OFFICE_STATE_DIR, else the XDG state directory of the user who runs the office."""
    if named := os.environ.get("OFFICE_STATE_DIR"):
        return Path(named).absolute()
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "menting" / "office"


def secret_key(directory: Path) -> str:
    """The key that signs sessions: from the environment, else made once and kept with mode 0600."""
    if given := os.environ.get("OFFICE_SECRET_KEY"):
        return given
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    made = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(made)
    return made
