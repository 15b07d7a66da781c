from django.apps import AppConfig


class PropertyConfig(AppConfig):
    name = "office.property"
    label = "property"
