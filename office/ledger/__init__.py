"""The books: accounts, entries that always sum to zero, and the one stream of everything that made them."""
