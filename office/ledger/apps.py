from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "office.ledger"
    label = "ledger"
