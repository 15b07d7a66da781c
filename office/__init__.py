"""The property office's server (收费处): a Django project; it imports kiosk.domain and nothing else from kiosk."""
