"""Kiosks: pairing, their journals kept verbatim, cash boxes, alarms, heartbeats."""
