"""The Asterisk Manager Interface: a codec without I/O and an asyncio session that drives it."""
