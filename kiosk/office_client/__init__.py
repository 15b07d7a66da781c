"""Typed, signed calls to the office; Unreachable and Refused are different errors."""
