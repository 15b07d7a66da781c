"""What is owed: fee items, standards, late fee rules and bills."""
