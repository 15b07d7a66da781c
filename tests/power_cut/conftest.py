"""The recorder, compiled once for all tests here."""

from pathlib import Path

import pytest

from tests.power_cut.operations import compile_recorder


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_recorder(tmp_path_factory.mktemp("recorder"))
