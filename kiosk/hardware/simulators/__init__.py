"""What the ``kiosk-sim`` programs share: terminal pair, control line, loop, arguments, state files."""
