"""The staff pages: one file each, thin. A selector reads, a service changes the books, a template shows."""
