"""Money in: payments, notes, allocations, prepaid balance, suspense, and the cases about them."""
