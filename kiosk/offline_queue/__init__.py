"""What happened here and what the office has of it: journal, cursor, upload, and the office's answers kept for bad days."""
