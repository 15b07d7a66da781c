"""``kiosk-sim lobby``: a whole lobby on one laptop, made of the commands every integrator has."""
