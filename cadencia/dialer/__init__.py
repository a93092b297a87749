"""The engine: campaigns, agents' sessions, the orchestration of each call, recovery after anything."""
