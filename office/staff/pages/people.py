"""A member of staff by the name that colleagues use."""

from typing import Any


def name_of(user: Any) -> str:
    """Family name first where there is one, else the account's name."""
    return f"{user.last_name}{user.first_name}".strip() or str(user.get_username())
