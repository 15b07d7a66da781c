"""The kiosk: a self-service terminal that takes property fees and loses no fen."""

__version__ = "0.1.0"
