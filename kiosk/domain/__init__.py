"""Values and rules of property fees; pure, shared by the kiosk and the office."""
