"""What Kivy is told before it starts: true density, no way in, exactly one input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.screens import environment

ROOT = Path(__file__).parents[2]
TELL = """
import json, sys
from pathlib import Path
from kiosk.screens import environment
from kiosk.settings import ScreenSection
environment.connected_card = lambda: "1"
environment.prepare(ScreenSection(**json.loads(sys.argv[2])), Path(sys.argv[1]))
from kivy.config import Config
import os
print(json.dumps({
    "config": {name: dict(Config.items(name)) for name in ("kivy", "graphics", "input", "modules")},
    "environment": {name: value for name, value in os.environ.items() if name.startswith(("KIVY_", "SDL_"))},
}))
"""


def told(home, driver="offscreen", **section):
    done = subprocess.run(
        [sys.executable, "-c", TELL, str(home), json.dumps(section)],
        cwd=ROOT,
        env={**os.environ, "SDL_VIDEODRIVER": driver},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_millimetre_is_the_panels_own(tmp_path):
    kivy = told(tmp_path, width_px=1080, height_px=1920, diagonal_inch=21.5)
    assert float(kivy["environment"]["KIVY_DPI"]) == pytest.approx(102.46, abs=0.01)
    assert kivy["environment"]["KIVY_METRICS_DENSITY"] == "1"
    assert (kivy["config"]["graphics"]["width"], kivy["config"]["graphics"]["height"]) == ("1080", "1920")


def test_nobody_gets_in_by_keyboard_arguments_files_or_modules(tmp_path):
    kivy = told(tmp_path)
    for name in ("KIVY_NO_ARGS", "KIVY_NO_CONFIG", "KIVY_NO_FILELOG"):
        assert kivy["environment"][name] == "1"
    assert kivy["config"]["kivy"]["exit_on_escape"] == "0"
    assert kivy["config"]["modules"] == {}
    assert kivy["environment"]["KIVY_HOME"] == str(tmp_path)


def test_sixty_frames_are_enough_and_no_multisampling(tmp_path):
    graphics = told(tmp_path)["config"]["graphics"]
    assert (graphics["maxfps"], graphics["multisamples"]) == ("60", "0")


@pytest.mark.parametrize(
    ("driver", "provider"), [("x11", "mouse"), ("offscreen", "mouse"), ("kmsdrm", "provider=mtdev")]
)
def test_there_is_exactly_one_input_or_a_tap_would_count_twice(tmp_path, driver, provider):
    inputs = told(tmp_path, driver, fullscreen=False)["config"]["input"]
    assert len(inputs) == 1
    assert provider in next(iter(inputs.values()))


def test_without_x_the_connected_card_is_named(tmp_path):
    assert told(tmp_path, "kmsdrm")["environment"]["SDL_KMSDRM_DEVICE_INDEX"] == "1"


def test_the_card_with_a_connected_connector_is_found(tmp_path, monkeypatch):
    for name, status in (("card0-HDMI-A-1", "disconnected"), ("card2-DSI-1", "connected")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "status").write_text(status + "\n", encoding="ascii")
    monkeypatch.setattr(environment, "DRM", tmp_path)
    assert environment.connected_card() == "2"


def test_no_connected_panel_is_said_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "DRM", tmp_path)
    with pytest.raises(environment.NoPanel, match="cable"):
        environment.connected_card()
