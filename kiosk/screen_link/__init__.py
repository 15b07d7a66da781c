"""Views to the screen and taps back, as frames on one Unix socket; notices when the other end is gone."""
