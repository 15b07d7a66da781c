from django.apps import AppConfig


class KiosksConfig(AppConfig):
    name = "office.kiosks"
    label = "kiosks"
