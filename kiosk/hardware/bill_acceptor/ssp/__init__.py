"""ITL SSP, plain: frames, the driver, and the same protocol's device side for the simulator."""
