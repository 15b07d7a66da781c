"""Units, residents and bills from a clerk's xlsx or CSV: read, checked row by row, and written only after a yes."""
