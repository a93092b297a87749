"""Settings: one TOML file, and environment variables over it. Unknown keys are refused."""

from cadencia.config.servers import Phones, Server, Trunk
from cadencia.config.settings import Settings, load

__all__ = ["Phones", "Server", "Settings", "Trunk", "load"]
