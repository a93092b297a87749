"""The deep check of a server, by its own command line and files: what an account with least rights cannot see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cadencia.config import Server
from cadencia.config.system import reason
from cadencia.errors import Words
from cadencia.telephony.asterisk.config import EXTENSIONS_FILE, MANAGER_FILE, PJSIP_FILE, extensions_conf
from cadencia.telephony.asterisk.console import Console, settings_in, steps_shown, steps_written, values
from cadencia.telephony.asterisk.fitness import Finding
from cadencia.telephony.asterisk.install import LAST_GREEN
from cadencia.telephony.asterisk.labfiles import BROWSER_MODULES, MODULES
from cadencia.telephony.asterisk.plan import ENGINE_EVENTS, ENGINE_READ, ENGINE_WRITE, AgentPhone, SwitchPlan, Trunk
from cadencia.telephony.asterisk.site import plan_of

#: Of what the private server loads a site may lack these.
_SPARE_MODULES = frozenset(
    """res_timing_timerfd res_pjsip_logger res_pjsip_dtmf_info app_verbose app_senddtmf codec_gsm format_gsm format_pcm
    codec_a_mu func_math func_hangupcause func_volume res_sorcery_astdb""".split()  # noqa: SIM905
)

#: Measured: descriptors of a channel, and RTP ports of a leg; and what the server itself has open.
_FILES_A_CHANNEL, _PORTS_A_LEG, _FILES_OF_ITS_OWN = 4, 2, 200

#: Older ones of each line do not tell the SIP code of a hang-up; of line 21 none does.
_OLDEST = {20: (20, 17), 21: (22, 7), 22: (22, 7), 23: (23, 1)}

#: Ticks of 50 that a timer may miss in a second; a machine that was busy for a moment gets another try.
_TICKS_MISSED, _TIMING_TRIES = 5, 4


@dataclass(frozen=True)
class Checked:
    """One matter that was looked at.

    Attributes:
        code: its name, also in the findings.
        title: its name for people.
        findings: what is wrong; empty if nothing is.
        seen: what was seen, in a few signs; may be empty.
    """

    code: str
    title: Words
    findings: tuple[Finding, ...]
    seen: str = ""


class _Look:
    """What all checks of one server share."""

    def __init__(self, console: Console, server: Server, plan: SwitchPlan, proc: Path) -> None:
        self.ask, self.server, self.plan, self.proc = console.ask, server, plan, proc
        self.core = values(console.ask("core show settings"))
        self.etc = Path(self.core.get("Configuration directory", "/etc/asterisk"))
        self.legs = server.channels + len(plan.agents)


def look(console: Console, name: str, server: Server, proc: Path = Path("/proc")) -> list[Checked]:
    """Look at everything.

    Args:
        console: of the server.
        name: the server's, as in the settings.
        server: its settings.
        proc: where the kernel tells of processes.

    Raises:
        SwitchUnfit: the server does not answer on this machine.
    """
    seen = _Look(console, server, plan_of(name, server), proc)
    done = []
    for code, title, check in _CHECKS:
        notes: list[str] = []
        findings = tuple(Finding(code, what, mend) for what, mend in check(seen, notes))
        done.append(Checked(code, title, findings, ", ".join(notes)))
    return done


Told = Iterator[tuple[Words, Words]]


def _version(seen: _Look, notes: list[str]) -> Told:
    found = re.search(r"Asterisk\s+(?:certified[/-])?(\d+)\.(\d+)(?:\.(\d+))?", seen.ask("core show version"))
    if found is None:
        return
    major, minor = int(found[1]), int(found[2])
    version = ".".join(part for part in found.groups() if part)
    notes.append(version)
    if (major, minor) < _OLDEST.get(major, max((20, 17), (major, 0))):
        yield (
            Words(
                f"Asterisk {version} does not tell the SIP code of a hang-up (TechCause).",
                f"Asterisk {version} no dice el código SIP de un colgado (TechCause).",
            ),
            Words(
                f"Use 20.17, 22.7, 23.1 or later; tested is {LAST_GREEN}.",
                f"Use 20.17, 22.7, 23.1 o posterior; probado está {LAST_GREEN}.",
            ),
        )


def _dialplan(seen: _Look, notes: list[str]) -> Told:
    written = steps_written(extensions_conf(seen.plan))
    for context, steps in written.items():
        shown = steps_shown(seen.ask(f"dialplan show {context}"))
        if shown == steps:
            continue
        include = Words(
            f"Include {EXTENSIONS_FILE} in extensions.conf, nothing else into its contexts, then `dialplan reload`.",
            f"Incluya {EXTENSIONS_FILE} en extensions.conf, sin nada más en sus contextos, y luego `dialplan reload`.",
        )
        if not shown:
            yield Words(f"There is no context {context}.", f"No hay contexto {context}."), include
        else:
            odd = min((shown ^ steps), key=lambda step: (step[0], step[1]))
            step = f"{odd[0]},{odd[1]}"
            yield (
                Words(
                    f"Context {context} is another than the generated one, from step {step} on.",
                    f"El contexto {context} es otro que el generado, desde el paso {step}.",
                ),
                include,
            )
    notes.append(str(len(written)))


def _account(seen: _Look, notes: list[str]) -> Told:
    account = seen.plan.account
    reload = Words(
        f"Include {MANAGER_FILE} at the end of manager.conf, then `manager reload`.",
        f"Incluya {MANAGER_FILE} al final de manager.conf, y luego `manager reload`.",
    )
    shown = values(seen.ask(f"manager show user {account.user}"))
    if "username" not in shown:
        yield Words(f"There is no account {account.user}.", f"No hay una cuenta {account.user}."), reload
        return
    for kind, wanted in (("read", ENGINE_READ), ("write", ENGINE_WRITE)):
        has = shown.get(f"{kind} perm", "")
        notes.append(f"{kind}={has}")
        if set(has.split(",")) != set(wanted.split(",")):
            yield (
                Words(
                    f"Account {account.user} has {kind} = {has}, and must have {wanted}.",
                    f"La cuenta {account.user} tiene {kind} = {has}, y debe tener {wanted}.",
                ),
                reload,
            )


def _filter(seen: _Look, notes: list[str]) -> Told:
    user = seen.plan.account.user
    try:
        lines = settings_in(seen.etc, "manager.conf", user)
    except OSError as error:
        why = reason(error)
        yield (
            Words(f"{seen.etc}/manager.conf cannot be read: {why}.", f"No se lee {seen.etc}/manager.conf: {why.es}."),
            Words("Run the check as root.", "Ejecute la revisión como root."),
        )
        return
    names = {
        found[1]
        for key, _ in lines
        if (found := re.fullmatch(r"eventfilter\s*\(action\(include\),name\((\w+)\)\)", key, re.IGNORECASE))
    }
    # Keys come in small letters; so do these names.
    wanted = {name.lower() for name in ENGINE_EVENTS}
    others = [key for key, _ in lines if key.startswith("eventfilter")]
    notes.append(str(len(names)))
    if names != wanted or len(others) != len(wanted):
        yield (
            Words(
                f"The event filter of account {user} is not the generated one.",
                f"El filtro de eventos de la cuenta {user} no es el generado.",
            ),
            Words(
                f"Include {MANAGER_FILE} and write no other section [{user}], then `manager reload`.",
                f"Incluya {MANAGER_FILE} y no escriba otra sección [{user}], y luego `manager reload`.",
            ),
        )
    waits = [value for key, value in lines if key == "writetimeout"]
    if waits != [str(seen.plan.account.write_timeout_ms)]:
        yield (
            Words(
                f"A slow reader of account {user} is not cut off after {seen.plan.account.write_timeout_ms} ms.",
                f"A un lector lento de la cuenta {user} no se le corta a los {seen.plan.account.write_timeout_ms} ms.",
            ),
            Words(
                f"Include the generated {MANAGER_FILE} as it is, then `manager reload`.",
                f"Incluya {MANAGER_FILE} tal como se generó, y luego `manager reload`.",
            ),
        )


def _manager(seen: _Look, notes: list[str]) -> Told:
    shown = values(seen.ask("manager show settings"))
    notes.append(shown.get("TLS Bindaddress" if seen.server.tls else "TCP Bindaddress", ""))
    reload = Words("Then `manager reload`.", "Y luego `manager reload`.")
    if shown.get("Timestamp events") != "Yes":
        yield (
            Words("Events carry no time.", "Los eventos no traen hora."),
            Words(
                f"Set timestampevents = yes in [general] of manager.conf. {reload}",
                f"Ponga timestampevents = yes en [general] de manager.conf. {reload.es}",
            ),
        )
    if seen.server.tls and shown.get("TLS Enable") != "Yes":
        yield (
            Words("The settings ask for TLS, and AMI has none.", "La configuración pide TLS, y AMI no lo tiene."),
            Words(
                f"Set tlsenable, tlsbindaddr and tlscertfile in [general] of manager.conf. {reload}",
                f"Ponga tlsenable, tlsbindaddr y tlscertfile en [general] de manager.conf. {reload.es}",
            ),
        )


def _endpoints(seen: _Look, notes: list[str]) -> Told:
    shown = frozenset(re.findall(r"^ Endpoint:  ([^\s/<]+)", seen.ask("pjsip show endpoints"), re.MULTILINE))
    endpoints: tuple[Trunk | AgentPhone, ...] = (*seen.plan.trunks, *seen.plan.agents)
    missing = [one.name for one in endpoints if one.name not in shown]
    notes.append(str(len(endpoints) - len(missing)))
    if missing:
        named = ", ".join(missing[:6]) + (f" (+{len(missing) - 6})" if len(missing) > 6 else "")
        yield (
            Words(f"There is no endpoint {named}.", f"No hay endpoint {named}."),
            Words(
                f"Include {PJSIP_FILE} in pjsip.conf, or write it there, then `module reload res_pjsip.so`.",
                f"Incluya {PJSIP_FILE} en pjsip.conf, o escríbalo allí, y luego `module reload res_pjsip.so`.",
            ),
        )
    for one in endpoints:
        if one.own and one.name not in missing:
            yield from _own_endpoint(seen, one.name, trunk=isinstance(one, Trunk))


def _own_endpoint(seen: _Look, name: str, *, trunk: bool) -> Told:
    shown = values(seen.ask(f"pjsip show endpoint {name}"))
    wrong = []
    if shown.get("direct_media") != "false":
        wrong.append("direct_media = no")
    if trunk and shown.get("rtp_timeout", "0") == "0":
        wrong.append("rtp_timeout = 15")
    if wrong:
        needed = ", ".join(wrong)
        yield (
            Words(f"Endpoint {name} needs {needed}.", f"El endpoint {name} necesita {needed}."),
            Words(
                "Set it in your pjsip.conf, then `module reload res_pjsip.so`: else a dead line is not noticed.",
                "Póngalo en su pjsip.conf, y luego `module reload res_pjsip.so`: si no, una línea muerta no se nota.",
            ),
        )


def _transport(seen: _Look, notes: list[str]) -> Told:
    shown = re.findall(r"^Transport:  ([^\s<]+)", seen.ask("pjsip show transports"), re.MULTILINE)
    notes.append(" ".join(shown))
    written = any(not one.own for one in seen.plan.trunks)
    written = written or any(not one.own and not one.browser for one in seen.plan.agents)
    if written and seen.plan.transport not in shown:
        name = seen.plan.transport
        yield (
            Words(f"There is no PJSIP transport {name}.", f"No hay un transporte PJSIP {name}."),
            Words(
                "Name one of yours as transport in the settings, or write it in pjsip.conf and restart Asterisk.",
                "Nombre uno suyo como transport en la configuración, o escríbalo en pjsip.conf y reinicie Asterisk.",
            ),
        )


def _identify(seen: _Look, notes: list[str]) -> Told:
    order = values(seen.ask("pjsip show settings")).get("endpoint_identifier_order", "")
    notes.append(order)
    ways = [way.strip() for way in order.split(",")]
    if "username" not in ways or ("ip" in ways and ways.index("ip") < ways.index("username")):
        yield (
            Words(
                "A telephone on the address of a trunk is taken for the trunk.",
                "Un teléfono en la dirección de una troncal se toma por la troncal.",
            ),
            Words(
                "Set endpoint_identifier_order = username,auth_username,ip in [global] of pjsip.conf and restart.",
                "Ponga endpoint_identifier_order = username,auth_username,ip en [global] de pjsip.conf y reinicie.",
            ),
        )


def _codecs(seen: _Look, notes: list[str]) -> Told:
    wanted: dict[str, None] = {}
    for trunk in seen.plan.trunks:
        allowed = trunk.codecs
        if trunk.own:
            allow = values(seen.ask(f"pjsip show endpoint {trunk.name}")).get("allow", "")
            allowed = tuple(allow.strip("()").split("|")) if allow.strip("()") not in ("", "nothing") else ()
        wanted |= dict.fromkeys(allowed)
    phones = ("ulaw", "alaw") if any(not agent.own for agent in seen.plan.agents) else ()
    for codec in dict.fromkeys((*wanted, *phones)):
        shown = seen.ask(f"core show translation paths {codec}")
        if re.search(r"To slin:8000 .*: \(", shown):
            notes.append(codec)
            continue
        yield (
            Words(
                f"Codec {codec} is allowed and cannot be turned into sound: no message, detection or recording.",
                f"El códec {codec} está permitido y no se puede volver audio: sin mensaje, detección ni grabación.",
            ),
            Words(
                f"Load codec_{codec}.so, or take {codec} from the codecs of the trunk.",
                f"Cargue codec_{codec}.so, o quite {codec} de los códecs de la troncal.",
            ),
        )


def _modules(seen: _Look, notes: list[str]) -> Told:
    running = set(re.findall(r"^(\w+)\.so .*(?<!Not )Running", seen.ask("module show"), re.MULTILINE))
    notes.append(str(len(running)))
    needed = set(MODULES) - _SPARE_MODULES
    if any(agent.browser for agent in seen.plan.agents):
        needed |= set(BROWSER_MODULES)
    missing = sorted(needed - running)
    if missing:
        named = ", ".join(missing)
        yield (
            Words(f"Modules are not loaded: {named}.", f"Hay módulos sin cargar: {named}."),
            Words(
                "Load them in modules.conf and restart; where one is not there, install it.",
                "Cárguelos en modules.conf y reinicie; si alguno no está, instálelo.",
            ),
        )


def _timing(seen: _Look, notes: list[str]) -> Told:
    ticks, module = 0, ""
    for _ in range(_TIMING_TRIES):
        shown = seen.ask("timing test")
        found, using = re.search(r"got (\d+) timer ticks", shown), re.search(r"Using the '(\w+)'", shown)
        ticks, module = int(found[1]) if found else 0, using[1] if using else ""
        if abs(ticks - 50) <= _TICKS_MISSED or not module:
            break
    notes.append(f"{module} {ticks}/50".lstrip())
    if abs(ticks - 50) > _TICKS_MISSED:
        yield (
            Words(
                "Asterisk's clock does not tick 50 times a second.", "El reloj de Asterisk no da 50 tics por segundo."
            ),
            Words(
                "Load res_timing_timerfd, and give the machine more processor if it is busy.",
                "Cargue res_timing_timerfd, y dé más procesador a la máquina si está ocupada.",
            ),
        )


def _limits(seen: _Look, notes: list[str]) -> Told:
    allowed = _open_files(seen)
    needed = _FILES_A_CHANNEL * seen.legs + _FILES_OF_ITS_OWN
    notes.append(f"{allowed or '?'} >= {needed}")
    if allowed is None or allowed < needed:
        yield (
            Words(
                f"Asterisk may open {allowed or 'an unknown number of'} files, and {seen.legs} legs need {needed}.",
                f"Asterisk abre hasta {allowed or 'no se sabe cuántos'} archivos; {seen.legs} tramos piden {needed}.",
            ),
            Words(
                f"Set LimitNOFILE={2 * needed} in its systemd unit and maxfiles in asterisk.conf, then restart.",
                f"Ponga LimitNOFILE={2 * needed} en su unidad de systemd y maxfiles en asterisk.conf, y reinicie.",
            ),
        )
    most = seen.core.get("Maximum calls", "").split(" ")[0]
    if most.isdigit() and int(most) < seen.legs:
        yield (
            Words(f"Asterisk takes {most} calls at most.", f"Asterisk acepta {most} llamadas como máximo."),
            Words(
                f"Set maxcalls in asterisk.conf to {seen.legs} or more, or fewer channels in the settings.",
                f"Ponga maxcalls en asterisk.conf en {seen.legs} o más, o menos channels en la configuración.",
            ),
        )


def _open_files(seen: _Look) -> int | None:
    try:
        pid = int(Path(seen.core.get("PID file", "")).read_text())
        limits = (seen.proc / str(pid) / "limits").read_text()
        found = re.search(r"^Max open files\s+(\d+)", limits, re.MULTILINE)
    except (OSError, ValueError):  # in a container, or not our process: what it says of itself
        found = re.match(r"(\d+)", seen.core.get("Maximum open file handles", ""))
    return int(found[1]) if found else None


def _rtp(seen: _Look, notes: list[str]) -> Told:
    shown = values(seen.ask("rtp show settings"))
    start, end = shown.get("Port start", ""), shown.get("Port end", "")
    if not (start.isdigit() and end.isdigit()):
        return
    ports, needed = int(end) - int(start) + 1, _PORTS_A_LEG * seen.legs
    notes.append(f"{start}-{end}")
    if ports < needed:
        yield (
            Words(
                f"There are {ports} RTP ports, and {seen.legs} legs need {needed}.",
                f"Hay {ports} puertos RTP, y {seen.legs} tramos necesitan {needed}.",
            ),
            Words(
                "Widen rtpstart and rtpend in rtp.conf, here and in the firewall, and restart.",
                "Amplíe rtpstart y rtpend en rtp.conf, aquí y en el cortafuegos, y reinicie.",
            ),
        )


def _ring(seen: _Look, notes: list[str]) -> Told:
    country = re.search(r"Default tone zone: (\w+)", seen.ask("indication show"))
    name = country[1] if country else ""
    notes.append(name)
    if not name or not re.search(rf"^{name}\s+ring\s", seen.ask(f"indication show {name}"), re.MULTILINE):
        yield (
            Words(
                "The country's tones have no ring: a debtor who waits hears silence.",
                "Los tonos del país no traen ring: un deudor que espera oye silencio.",
            ),
            Words(
                "Set country in indications.conf to one with `ring`, such as co, then `module reload indications`.",
                "Ponga en country de indications.conf uno con `ring`, como co, y luego `module reload indications`.",
            ),
        )


def _sound(seen: _Look, notes: list[str]) -> Told:
    message = seen.plan.message
    notes.append(message)
    folder = Path(seen.core.get("Data directory", "/usr/share/asterisk")) / "sounds"
    places = [Path(f"{message}.*")] if message.startswith("/") else [folder / f"{message}.*"]
    if not message.startswith("/"):
        language = seen.core.get("Default language", "en")
        places += [folder / part / f"{message}.*" for part in (language, language.partition("_")[0])]
    if not any(place.parent.is_dir() and any(place.parent.glob(place.name)) for place in places):
        yield (
            Words(
                f"The identifying message {message} is not among the sounds in {folder}.",
                f"El mensaje de identificación {message} no está entre los sonidos de {folder}.",
            ),
            Words(
                f"Record it there as {message}.wav, 16 bit, 8000 Hz, mono; or name another as message.",
                f"Grábelo allí como {message}.wav, 16 bits, 8000 Hz, mono; o nombre otro como message.",
            ),
        )


def _browsers(seen: _Look, notes: list[str]) -> Told:
    if not any(agent.browser for agent in seen.plan.agents):
        return
    shown = seen.ask("http show status")
    secure = seen.server.wss.startswith("wss:")
    notes.append(seen.server.wss)
    if not seen.server.wss:
        yield (
            Words("There are telephones in browsers, and no wss.", "Hay teléfonos en navegadores, y falta wss."),
            Words(
                'Set the address they reach: wss = "wss://NAME:8089/ws".',
                'Ponga la dirección a la que llegan: wss = "wss://NOMBRE:8089/ws".',
            ),
        )
    if "/ws =>" not in shown or (secure and "HTTPS Server Enabled and Bound" not in shown):
        yield (
            Words(
                "Browsers cannot register: there is no WebSocket at /ws.",
                "Los navegadores no se pueden registrar: no hay un WebSocket en /ws.",
            ),
            Words(
                "Set enabled, tlsenable, tlsbindaddr and tlscertfile in http.conf, load the modules, and restart.",
                "Ponga enabled, tlsenable, tlsbindaddr y tlscertfile en http.conf, cargue los módulos, y reinicie.",
            ),
        )


_Check = Callable[[_Look, list[str]], Iterable[tuple[Words, Words]]]
_CHECKS: tuple[tuple[str, Words, _Check], ...] = (
    ("version", Words("version", "versión"), _version),
    ("dialplan", Words("dialplan", "plan de marcación"), _dialplan),
    ("account", Words("account", "cuenta"), _account),
    ("filter", Words("event filter", "filtro de eventos"), _filter),
    ("manager", Words("manager interface", "interfaz manager"), _manager),
    ("endpoints", Words("endpoints", "endpoints"), _endpoints),
    ("transport", Words("transport", "transporte"), _transport),
    ("identify", Words("who is who", "quién es quién"), _identify),
    ("codecs", Words("codecs", "códecs"), _codecs),
    ("modules", Words("modules", "módulos"), _modules),
    ("timing", Words("timing", "reloj"), _timing),
    ("limits", Words("file limits", "límites de archivos"), _limits),
    ("rtp", Words("RTP ports", "puertos RTP"), _rtp),
    ("ring", Words("ring tone", "tono de llamada"), _ring),
    ("sound", Words("identifying message", "mensaje de identificación"), _sound),
    ("browsers", Words("browsers", "navegadores"), _browsers),
)
