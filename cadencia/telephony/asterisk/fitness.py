"""Whether a server and our account on it are what we may dial with: asked over the manager interface, at every start.

The account can read neither the server's files nor its console, so four things are asked that tell a lot: what the
account may do (ListCommands), the hash of what we generated (Getvar CADENCIA_CONFIG), whether the trunks are there
(DeviceStateList, and Getvar PJSIP_ENDPOINT for those that it leaves out), and whether the event filter of manager.conf
is in force, by an event that it must swallow. What only the server itself can tell is in
`cadencia.telephony.asterisk.deep`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cadencia.errors import AmiRefused, SwitchUnfit, Words
from cadencia.telephony.ami.session import AmiSession, rights
from cadencia.telephony.asterisk.config import HASH_VARIABLE, PJSIP_FILE
from cadencia.telephony.asterisk.plan import ENGINE_EVENTS, ENGINE_READ, ENGINE_WRITE

#: Without these there is no dialling.
NEEDED = frozenset(
    "DeviceStateList Originate Bridge Hangup Redirect Setvar Getvar Status ListCommands".split()  # noqa: SIM905
)

#: What Asterisk 22 gives to every account, and to one with `write = originate,call`; measured with all its modules.
_OURS = """
BridgeDestroy BridgeInfo BridgeKick BridgeList BridgeTechnologyList BridgeTechnologySuspend BridgeTechnologyUnsuspend
Challenge Events ListCommands Login Logoff Ping QueueChangePriorityCaller QueueReload QueueReset QueueRule QueueStatus
QueueSummary QueueWithdrawCaller WaitEvent
Atxfer BlindTransfer Bridge CancelAtxfer ConfbridgeKick ConfbridgeLock ConfbridgeMute ConfbridgeSetSingleVideoSrc
ConfbridgeUnlock ConfbridgeUnmute ControlPlayback FAXSession FAXSessions Park ParkedCalls Parkinglots PlayDTMF PlayMF
Redirect SendFlash SendText Setvar DeviceStateList ExtensionState ExtensionStateList Getvar MailboxCount MailboxStatus
PresenceState PresenceStateList VoicemailBoxSummary VoicemailUsersList VoicemailUserStatus Originate AbsoluteTimeout
Hangup LocalOptimizeAway MixMonitorMute PJSIPHangup StopMixMonitor Status
"""

#: What it gives only to accounts with more: a dialer that is broken into must not own the server.
_OTHERS = """
AgentLogoff Agents QueueAdd QueueLog QueueMemberRingInUse QueuePause QueuePenalty QueueRemove AGI AOCMessage Command
CreateConfig ListCategories UpdateConfig ShowDialPlan MessageSend ConfbridgeList ConfbridgeListRooms FAXStats
ConfbridgeStartRecord ConfbridgeStopRecord DBDel DBDelTree DBPut DialplanExtensionAdd DialplanExtensionRemove Filter
MixMonitor ModuleCheck ModuleLoad MuteAudio PJSIPNotify PJSIPSetMaintenance PJSIPShowAors PJSIPShowAuths
PJSIPShowContacts PJSIPShowEndpoint PJSIPShowEndpoints PJSIPShowRegistrationInboundContactStatuses
PJSIPShowRegistrationsInbound PJSIPShowResourceLists PJSIPShowSubscriptionsInbound PJSIPShowSubscriptionsOutbound
SorceryMemoryCacheExpire SorceryMemoryCacheExpireObject SorceryMemoryCachePopulate SorceryMemoryCacheStale
SorceryMemoryCacheStaleObject GetConfig GetConfigJSON Reload CoreSettings CoreShowChannelMap CoreShowChannels
CoreStatus DBGet DBGetTree IAXnetstats IAXpeerlist IAXpeers IAXregistry LoggerRotate PJSIPQualify PJSIPRegister
PJSIPShowMaintenance PJSIPShowRegistrationsOutbound PJSIPUnregister UserEvent VoicemailForward VoicemailMove
VoicemailRefresh VoicemailRemove
"""
TOLERATED = frozenset(_OURS.split())
TOO_MANY = frozenset(_OTHERS.split())

#: Names of a finding's matter.
RIGHTS, CONFIG, FILTER, TRUNK = "rights", "config", "filter", "trunk"

#: Real seconds in which an event that the filter ought to swallow would have come (measured: 2 ms).
_PROBE_S = 0.1

_AS_GENERATED = f"read = {ENGINE_READ}; write = {ENGINE_WRITE}"


@dataclass(frozen=True)
class Expected:
    """What a server ought to be.

    Attributes:
        user: the account we came with.
        config: the hash of what was generated for it.
        trunks: names of its trunks' endpoints.
    """

    user: str
    config: str
    trunks: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """Something that keeps us from dialling.

    Attributes:
        code: its matter: `rights`, `config`, `filter`, `trunk`, or one of the deep check's.
        what: what is wrong.
        mend: what to do about it.
        trunk: only this trunk cannot be used; empty: the whole server cannot.
    """

    code: str
    what: Words
    mend: Words
    trunk: str = ""


@dataclass(frozen=True)
class Fitness:
    """What was found.

    Attributes:
        allowed: the actions that the account may use.
        config: the hash that the server has; empty if it has none.
        devices: state of each expected trunk's endpoint, such as NOT_INUSE, or UNAVAILABLE while it does not answer
            OPTIONS; empty if the server does not know it.
        findings: what keeps us from dialling, the server's first.
        notes: what is odd and does no harm.
    """

    allowed: frozenset[str]
    config: str
    devices: Mapping[str, str]
    findings: tuple[Finding, ...]
    notes: tuple[Words, ...] = ()


async def inspect(session: AmiSession, expected: Expected) -> Fitness:
    """Ask a server whether it is fit.

    Args:
        session: logged in with `wanted` events that are a part of ENGINE_EVENTS: of what it does not want it knows
            whether it came, which shows an account without the filter.
        expected: what it ought to be.

    Raises:
        AmiLost, AmiTimeout, RemoteProtocolError: it could not be asked, or named no action at all.
    """
    allowed = await rights(session)
    findings = _about_rights(allowed, expected.user)
    config, devices = "", {}
    if "Getvar" in allowed:
        config = (await session.action("Getvar", {"Variable": HASH_VARIABLE})).get("Value")
        findings += _about_config(config, expected.config)
    if "Originate" in allowed and not await _is_filtered(session):
        findings.append(_unfiltered(expected.user))
    if "DeviceStateList" in allowed:
        devices = await _devices(session, expected.trunks, ask="Getvar" in allowed)
        findings += [_no_trunk(name) for name, state in devices.items() if state in ("", "INVALID")]
    return Fitness(allowed, config, devices, tuple(findings), _unknown(allowed))


async def demand_fit(session: AmiSession, expected: Expected) -> Fitness:
    """Ask a server whether it is fit, and refuse one that is not; single trunks that are unfit are in the findings.

    Raises:
        SwitchUnfit: the account, the configuration, the filter, or every trunk is not as it must be.
        AmiLost, AmiTimeout: it could not be asked.
    """
    fitness = await inspect(session, expected)
    unfit = [finding for finding in fitness.findings if not finding.trunk]
    trunkless = {finding.trunk for finding in fitness.findings if finding.trunk}
    if not unfit and expected.trunks and trunkless >= set(expected.trunks):
        unfit = list(fitness.findings)
    if unfit:
        raise SwitchUnfit(unfit[0].what, unfit[0].mend)
    return fitness


def _about_rights(allowed: Collection[str], user: str) -> list[Finding]:
    missing, too_many = NEEDED - frozenset(allowed), TOO_MANY & frozenset(allowed)
    mend = Words(
        f"Give it {_AS_GENERATED} in manager.conf and nothing more, then `manager reload`.",
        f"Déle {_AS_GENERATED} en manager.conf y nada más, y luego `manager reload`.",
    )
    found = []
    for names, en, es in ((missing, "lacks", "no puede usar"), (too_many, "may use", "puede usar")):
        if names:
            what = _few(names)
            found.append(
                Finding(
                    RIGHTS,
                    Words(
                        f"The switch's account {user!r} {en} {what}.", f"La cuenta {user!r} del conmutador {es} {what}."
                    ),
                    mend,
                )
            )
    return found


def _few(names: Collection[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:6]) + (f" (+{len(listed) - 6})" if len(listed) > 6 else "")


def _unknown(allowed: Collection[str]) -> tuple[Words, ...]:
    unknown = frozenset(allowed) - TOLERATED - TOO_MANY
    if not unknown:
        return ()
    names = _few(unknown)
    return (Words(f"Actions that Asterisk 22 does not have: {names}.", f"Acciones que Asterisk 22 no tiene: {names}."),)


def _about_config(config: str, expected: str) -> list[Finding]:
    if config == expected:
        return []
    if config:
        what = Words(
            f"The switch has another configuration ({config}) than the settings give ({expected}).",
            f"El conmutador tiene otra configuración ({config}) que la de los ajustes ({expected}).",
        )
    else:
        what = Words(
            "The switch has not loaded the dialplan that Cadencia generates.",
            "El conmutador no ha cargado el plan de marcación que genera Cadencia.",
        )
    return [
        Finding(
            CONFIG,
            what,
            Words(
                "Run `cadencia asterisk config` with the same settings, and reload manager, dialplan and PJSIP.",
                "Ejecute `cadencia asterisk config` con los mismos ajustes, y recargue manager, dialplan y PJSIP.",
            ),
        )
    ]


async def _is_filtered(session: AmiSession) -> bool:
    """Whether the account's filter is in force.

    A Local channel to an extension that cannot be is made and dropped within a millisecond, and nothing runs. Its
    Newchannel comes to an account of our rights, unless it is filtered. (Setvar of a global does not do: VarSet asks
    for the `dialplan` right to be read.) The call is not asynchronous, so it is over when the answer is there.
    """
    if not session.unwanted <= frozenset(ENGINE_EVENTS):
        return False
    try:
        fields: dict[str, str | int] = {"Channel": "Local/nobody@cad-nowhere", "Timeout": 1000}
        await session.action("Originate", {**fields, "Context": "cad-agent", "Exten": "s", "Priority": 1})
    except AmiRefused:
        pass  # as it must
    await asyncio.sleep(_PROBE_S)
    await session.action("Ping")
    return session.unwanted <= frozenset(ENGINE_EVENTS)


def _unfiltered(user: str) -> Finding:
    return Finding(
        FILTER,
        Words(
            f"The switch's account {user!r} has no event filter: it is told five times what it needs.",
            f"La cuenta {user!r} del conmutador no tiene filtro de eventos: recibe cinco veces lo que necesita.",
        ),
        Words(
            "Keep the eventfilter lines of the generated cadencia_manager.conf, then `manager reload`.",
            "Conserve las líneas eventfilter del cadencia_manager.conf generado, y luego `manager reload`.",
        ),
    )


async def _devices(session: AmiSession, trunks: Collection[str], *, ask: bool) -> dict[str, str]:
    """State of each trunk's endpoint.

    The list knows only whose state changed since the server's start: an endpoint that came with a reload and does not
    answer is not in it, and one that was gone for a while stays INVALID (both measured). The endpoint itself tells.
    """
    if not trunks:
        return {}
    rows = await session.rows("DeviceStateList")
    listed = {row.get("Device"): row.get("State") for row in rows}
    states = {name: listed.get(f"PJSIP/{name}", "") for name in trunks}
    for name, state in states.items():
        if ask and state in ("", "INVALID"):
            variable = f"PJSIP_ENDPOINT({name},direct_media)"
            if (await session.action("Getvar", {"Variable": variable})).get("Value"):
                states[name] = "UNAVAILABLE"
    return states


def _no_trunk(name: str) -> Finding:
    return Finding(
        TRUNK,
        Words(f"The switch does not know the trunk {name}.", f"El conmutador no conoce la troncal {name}."),
        Words(
            f"Write its endpoint in pjsip.conf, or include {PJSIP_FILE}, then `module reload res_pjsip.so`.",
            f"Escriba su endpoint en pjsip.conf, o incluya {PJSIP_FILE}, y luego `module reload res_pjsip.so`.",
        ),
        name,
    )
