"""The kiosk API under /api/v1, as docs/office-api.md describes it."""
