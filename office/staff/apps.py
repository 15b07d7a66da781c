from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "office.staff"
    label = "staff"

    def ready(self) -> None:
        from office.staff.admin_words import put_on_models

        put_on_models()
