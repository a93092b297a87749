"""What a site has of its own and a throwaway server needs: the files around the three generated ones, ports, sounds."""

from __future__ import annotations

import math
import random
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from cadencia.errors import ConfigError, SwitchUnfit, Words
from cadencia.telephony.asterisk.config import EXTENSIONS_FILE, MANAGER_FILE, PJSIP_FILE, generate
from cadencia.telephony.asterisk.install import Installation
from cadencia.telephony.asterisk.plan import SwitchPlan

#: Loaded by name: with autoload a start takes seconds. Also what a site's modules.conf must have at least.
_MODULES = """
res_timing_timerfd res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb
res_pjsip res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_rtp_asterisk chan_pjsip res_pjsip_registrar
res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_ip
res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest
res_pjsip_caller_id res_pjsip_rfc3326 res_pjsip_logger res_pjsip_dtmf_info
codec_ulaw codec_alaw codec_a_mu codec_gsm codec_resample format_gsm format_pcm format_wav format_sln
pbx_config app_amd app_playback app_userevent app_bridgewait app_mixmonitor app_chanspy app_exec app_verbose
app_stack app_senddtmf res_mutestream res_tonedetect
bridge_simple bridge_native_rtp bridge_holding bridge_softmix bridge_builtin_features
func_callerid func_channel func_logic func_strings func_timeout func_global func_talkdetect func_math
func_periodic_hook func_cut func_groupcount func_uri func_hangupcause func_pjsip_endpoint func_volume
res_musiconhold res_manager_devicestate
"""
MODULES = tuple(_MODULES.split())

#: Also needed where agents speak in their browser.
BROWSER_MODULES = ("res_crypto", "res_srtp", "res_http_websocket", "res_pjsip_transport_websocket")

#: Hertz of what a server of this kind plays, apart from each other and from the tones of the test peers.
MESSAGE_HZ = 1400
MUSIC_HZ = 550
RING_HZ = 425

MESSAGE_S = 2.0
ADMIN = "lab-admin"

_FOLDERS = ("etc", "var", "data", "data/sounds/cadencia", "data/moh", "spool", "run", "log", "keys/keys", "agi", "sbin")


def free_ports(tcp: int, udp: int) -> tuple[list[int], list[int]]:
    """Ports of 127.0.0.1 that are free now, below the range the kernel gives to outgoing connections.

    Raises:
        SwitchUnfit: none could be found.
    """
    taken: set[int] = set()
    return _free(socket.SOCK_STREAM, tcp, taken), _free(socket.SOCK_DGRAM, udp, taken)


def _free(kind: socket.SocketKind, count: int, taken: set[int]) -> list[int]:
    found: list[int] = []
    for _ in range(500):
        if len(found) == count:
            return found
        port = random.randint(10_000, 19_999)
        with socket.socket(socket.AF_INET, kind) as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in taken:
            taken.add(port)
            found.append(port)
    if len(found) == count:
        return found
    raise SwitchUnfit(
        Words("No free ports were found on 127.0.0.1.", "No se hallaron puertos libres en 127.0.0.1."),
        Words("Stop other servers and try again.", "Detenga otros servidores e intente de nuevo."),
    )


@dataclass(frozen=True)
class LabPorts:
    """Where a throwaway server listens on 127.0.0.1; 0: it does not.

    Attributes:
        ami: the manager interface.
        sip: SIP over UDP.
        tls: the manager interface over TLS.
        ws: the WebSocket of browsers, without TLS.
    """

    ami: int
    sip: int
    tls: int = 0
    ws: int = 0


def write_files(
    folder: Path, asterisk: Installation, plan: SwitchPlan, ports: LabPorts, *, admin_secret: str = ""
) -> None:
    """Writes the whole configuration of a throwaway server into the folder.

    Args:
        folder: an existing empty folder.
        asterisk: what will run in it.
        plan: trunks, telephones and account.
        ports: where it listens. With TLS, certificate and key are made: `keys/ami.pem`, issued by `keys/ca.pem`.
        admin_secret: if not empty, there is a second account with all rights, `lab-admin`.

    Raises:
        ConfigError: TLS is wanted, and trustme is not installed.
    """
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    _link_data(folder, asterisk.data_dir)
    _sound(folder / "data/sounds/cadencia/identify.sln", MESSAGE_HZ, MESSAGE_S)
    _sound(folder / "data/moh/hold.sln", MUSIC_HZ, 10.0)
    if ports.tls:
        _certificate(folder)
    modules = MODULES + (BROWSER_MODULES if ports.ws else ())
    texts = {
        **generate(plan),
        "asterisk.conf": _asterisk_conf(folder, asterisk),
        "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {m}.so\n" for m in modules),
        "manager.conf": _manager_conf(folder, ports, admin_secret),
        "extensions.conf": _EXTENSIONS,
        "pjsip.conf": _PJSIP.format(port=ports.sip, ws=_WS if ports.ws else ""),
        **({"http.conf": _HTTP.format(port=ports.ws)} if ports.ws else {}),
        "musiconhold.conf": f"[default]\nmode = files\ndirectory = {folder}/data/moh\n",
        **_FIXED,
    }
    for name, text in texts.items():
        path = folder / "etc" / name
        path.write_text(text)
        path.chmod(0o600)


def _link_data(folder: Path, data: Path) -> None:
    for entry in data.iterdir():
        if entry.name != "sounds":
            (folder / "data" / entry.name).symlink_to(entry)
    sounds = folder / "data/sounds"
    for entry in (data / "sounds").iterdir():
        (sounds / entry.name).symlink_to(entry)
    spanish = next(iter(sorted((data / "sounds").glob("es*"))), None)
    if spanish is not None and not (sounds / "es").exists():
        (sounds / "es").symlink_to(spanish)


def _sound(path: Path, hertz: int, seconds: float) -> None:
    """16-bit linear, 8 kHz: a tone that a test can tell from any other."""
    samples = (round(8000 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(round(8000 * seconds)))
    path.write_bytes(b"".join(struct.pack("<h", s) for s in samples))


def _asterisk_conf(folder: Path, asterisk: Installation) -> str:
    places = {
        "astetcdir": "etc", "astvarlibdir": "var", "astdbdir": "var", "astkeydir": "keys", "astdatadir": "data",
        "astagidir": "agi", "astspooldir": "spool", "astrundir": "run", "astlogdir": "log", "astsbindir": "sbin",
    }  # fmt: skip
    lines = ["[directories]", f"astmoddir = {asterisk.modules_dir}"]
    lines += [f"{key} = {folder}/{value}" for key, value in places.items()]
    lines += ["[options]", "nocolor = yes", "maxfiles = 65536", "live_dangerously = no", "defaultlanguage = es"]
    return "\n".join(lines) + "\n"


def _manager_conf(folder: Path, ports: LabPorts, admin_secret: str) -> str:
    text = (
        f"[general]\nenabled = yes\nwebenabled = no\nport = {ports.ami}\nbindaddr = 127.0.0.1\ntimestampevents = yes\n"
    )
    if ports.tls:
        text += f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{ports.tls}\ntlscertfile = {folder}/keys/ami.pem\n"
    if admin_secret:
        text += f"[{ADMIN}]\nsecret = {admin_secret}\nread = all\nwrite = all\n"
        text += "deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\n"
    return text + f"#include {MANAGER_FILE}\n"


def _certificate(folder: Path) -> None:
    try:
        import trustme
    except ImportError:
        raise ConfigError(
            Words("A lab with TLS needs trustme.", "Un laboratorio con TLS necesita trustme."),
            Words("Install the tools for tests: scripts/setup dev.", "Instale lo de pruebas: scripts/setup dev."),
        ) from None
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(folder / "keys/ca.pem")
    issuer.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "keys/ami.pem")
    (folder / "keys/ami.pem").chmod(0o600)


_EXTENSIONS = f"""[general]
static = yes
writeprotect = yes
clearglobalvars = yes
[globals]
#include {EXTENSIONS_FILE}
"""

# A telephone and a trunk on the same address are told apart by name; only a name that is not known goes by address.
_PJSIP = (
    """[global]
type = global
endpoint_identifier_order = username,auth_username,ip
unidentified_request_count = 100000
[system]
type = system
threadpool_initial_size = 5
threadpool_max_size = 50
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}
{ws}"""
    + f"#include {PJSIP_FILE}\n"
)

# Loopback is a secure context to a browser, so it may go without TLS; a site needs wss.
_WS = "[ws]\ntype = transport\nprotocol = ws\nbind = 127.0.0.1\n"
_HTTP = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {port}\ntlsenable = no\n"

_FIXED = {
    "logger.conf": "[general]\ndateformat = %F %T.%3q\n[logfiles]\nmessages.log => notice,warning,error\n",
    "stasis.conf": "[threadpool]\ninitial_size = 5\nidle_timeout_sec = 20\nmax_size = 50\n",
    # below the kernel's own range of ports, so that test peers and server do not take each other's
    "rtp.conf": "[general]\nrtpstart = 20000\nrtpend = 32000\nstrictrtp = no\n",
    "cdr.conf": "[general]\nenable = no\n",
    "cel.conf": "[general]\nenable = no\n",
    # tones of Colombia; without `ring` a waiting debtor hears nothing
    "indications.conf": "[general]\ncountry = co\n[co]\ndescription = Colombia\nringcadence = 1000,4000\n"
    f"dial = {RING_HZ}\nbusy = {RING_HZ}/250,0/250\nring = {RING_HZ}/1000,0/4500\n"
    f"congestion = {RING_HZ}/100,0/250,{RING_HZ}/350,0/250,{RING_HZ}/650,0/250\n",
    "amd.conf": "[general]\ntotal_analysis_time = 5000\nsilence_threshold = 256\ninitial_silence = 2500\n"
    "after_greeting_silence = 800\ngreeting = 1500\nmin_word_length = 100\nmaximum_word_length = 5000\n"
    "between_words_silence = 50\nmaximum_number_of_words = 3\n",
    "pjproject.conf": "[startup]\ntype = startup\nlog_level = 2\n",
    **dict.fromkeys(("features.conf", "udptl.conf", "ccss.conf"), "[general]\n"),
    **dict.fromkeys(("acl.conf", "sorcery.conf"), ""),
}
