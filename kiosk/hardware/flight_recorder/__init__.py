"""What went over a device's wire just before a fault: remembered in a ring, frozen into a file, read and replayed later."""
