from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "office.billing"
    label = "billing"
