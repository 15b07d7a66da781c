"""Bill acceptors (纸币器): one folder per protocol behind ``ports.BillAcceptor``, and a device model for all simulators."""
