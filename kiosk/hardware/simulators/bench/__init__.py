"""The bench: one page from which a person plays every simulated device beside the kiosk's screen."""
