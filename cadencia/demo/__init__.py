"""The main job on embedded defaults: own database, simulated switch and agents, the real engine and pages."""
