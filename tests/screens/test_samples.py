"""The samples of the gallery are whole: every screen is there, and every sentence in them can be said."""

from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest

from kiosk import text
from kiosk.screens.samples import LANGUAGES, samples
from kiosk.views import AnyView, Saying, TroubleView

ROWS = 5


def _sayings(struct: msgspec.Struct) -> Iterator[Saying]:
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Saying):
                yield item
            elif isinstance(item, msgspec.Struct):
                yield from _sayings(item)


def test_every_view_has_a_sample():
    drawn = {type(sample.view) for sample in samples("zh-Hans", 0, ROWS)}
    assert set(get_args(AnyView)) == drawn


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_in_a_sample_can_be_said(language):
    for sample in samples(language, 0, ROWS):
        for saying in _sayings(sample.view):
            if isinstance(sample.view, TroubleView) and saying is sample.view.saying:
                for part in ("what", "money", "next"):
                    assert text.say(language, f"{saying.key}.{part}", **saying.values)
            else:
                assert text.say_saying(language, saying)


def test_sample_names_are_file_names_and_appear_once():
    names = [sample.name for sample in samples("en", 0, ROWS)]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in names)
