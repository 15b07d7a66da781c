from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "office.staff"
    label = "staff"
