"""What we ask of Asterisk: the configuration we generate, and a private one to try everything on."""

from __future__ import annotations

from cadencia.telephony.asterisk.commands import lab_console, lab_info, root_command, start_lab, stop_lab
from cadencia.telephony.asterisk.config import (
    EXTENSIONS_FILE,
    HASH_VARIABLE,
    MANAGER_FILE,
    PJSIP_FILE,
    config_hash,
    extensions_conf,
    generate,
    manager_conf,
    pjsip_conf,
)
from cadencia.telephony.asterisk.fitness import NEEDED, Expected, Finding, Fitness, demand_fit, inspect
from cadencia.telephony.asterisk.install import LAST_GREEN, ROOT_VARIABLE, Installation, default_root, find_asterisk
from cadencia.telephony.asterisk.lab import Lab
from cadencia.telephony.asterisk.plan import (
    ENGINE_EVENTS,
    ENGINE_READ,
    ENGINE_WRITE,
    AgentPhone,
    AmiAccount,
    SwitchPlan,
    Trunk,
    Waits,
)
from cadencia.telephony.asterisk.root import build_root, ensure_asterisk
from cadencia.telephony.asterisk.site import expected_of, files_of, phone_secret, plan_of

__all__ = [
    "ENGINE_EVENTS",
    "ENGINE_READ",
    "ENGINE_WRITE",
    "EXTENSIONS_FILE",
    "HASH_VARIABLE",
    "LAST_GREEN",
    "MANAGER_FILE",
    "NEEDED",
    "PJSIP_FILE",
    "ROOT_VARIABLE",
    "AgentPhone",
    "AmiAccount",
    "Expected",
    "Finding",
    "Fitness",
    "Installation",
    "Lab",
    "SwitchPlan",
    "Trunk",
    "Waits",
    "build_root",
    "config_hash",
    "default_root",
    "demand_fit",
    "ensure_asterisk",
    "expected_of",
    "extensions_conf",
    "files_of",
    "find_asterisk",
    "generate",
    "inspect",
    "lab_console",
    "lab_info",
    "manager_conf",
    "phone_secret",
    "pjsip_conf",
    "plan_of",
    "root_command",
    "start_lab",
    "stop_lab",
]
