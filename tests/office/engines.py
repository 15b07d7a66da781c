"""For test modules that must hold on both database engines: ``pytestmark = both_engines``."""

import pytest

both_engines = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
