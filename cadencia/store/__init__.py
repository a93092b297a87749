"""Where things are kept: the port, its PostgreSQL adapter and its twin in memory."""
