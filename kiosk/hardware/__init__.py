"""Devices: what the flow relies on, the drivers that speak to them, and simulators that speak the same bytes."""
