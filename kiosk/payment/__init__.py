"""The flow of a visit and of a payment: decided by pure functions, performed by the cashier, recovered from the journal."""
