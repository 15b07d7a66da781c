"""Which faults of one device are true now; tells each beginning and each end once."""

from collections.abc import Callable

from kiosk.hardware.faults import Fault
from kiosk.hardware.ports import DeviceEvent, DeviceFault, FaultCleared

DEVICE = "bill_acceptor"


class FaultBook:
    """``emit`` hears DeviceFault when a code becomes true and FaultCleared when it is over."""

    def __init__(self, emit: Callable[[DeviceEvent], object]) -> None:
        self._emit = emit
        self._standing: dict[str, Fault] = {}

    def __contains__(self, code: str) -> bool:
        return code in self._standing

    def raise_fault(self, fault: Fault) -> bool:
        """Whether this is news."""
        if fault.code in self._standing:
            return False
        self._standing[fault.code] = fault
        self._emit(DeviceFault(device=DEVICE, fault=fault))
        return True

    def clear(self, *codes: str) -> None:
        for code in codes:
            if self._standing.pop(code, None) is not None:
                self._emit(FaultCleared(device=DEVICE, code=code))
