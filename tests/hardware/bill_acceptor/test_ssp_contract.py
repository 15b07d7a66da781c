"""SSP keeps the contract of ports.BillAcceptor."""

from kiosk.hardware.bill_acceptor.ssp.driver import SspBillAcceptor
from tests.hardware.bill_acceptor.contract import BillAcceptorContract


class TestSspKeepsTheContract(BillAcceptorContract):
    protocol = "ssp"
    driver = SspBillAcceptor
