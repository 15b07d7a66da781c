"""The receipt printer: layout, driver and simulator for thermal printers that speak ESC/POS.

Source of all bytes: the ESC/POS command reference (DLE EOT, DLE DC4, GS v 0, GS ( H, GS r, GS a, GS V).
"""
