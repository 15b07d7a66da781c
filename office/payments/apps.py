from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "office.payments"
    label = "payments"
