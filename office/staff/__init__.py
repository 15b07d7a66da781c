"""The people of the office: roles in projects, permissions, the audit log."""
