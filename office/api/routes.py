"""The kiosk API."""

from ninja import NinjaAPI

api = NinjaAPI(title="Menting kiosk API", version="1", docs_url=None, openapi_url="/openapi.json")
