"""The screens: what a view looks like, and which tap a finger means. Kivy lives here and nowhere else."""
