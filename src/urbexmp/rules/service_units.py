"""A watch as a service of the user: a systemd unit, a launchd job, a Windows task. Text only."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.sax.saxutils import escape

STOP_SECONDS = 30
"""A watch stops within five; a photo on a slow share may take longer."""
WATCHDOG_SECONDS = 600
"""Silence after which systemd takes it for stuck. One photo may take a minute."""
RESTART_SECONDS = 30
LABEL = "org.urbexmp."


@dataclass(frozen=True, slots=True)
class Service:
    """What a service is made of."""

    name: str
    """Of letters, digits, `-`, `_` and `.`."""
    command: tuple[str, ...]
    """The program by its full path, and its arguments."""
    what: str
    """For people: what it watches."""
    nice: int = 10
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    log: str = "/dev/null"
    """Where launchd puts what it prints; systemd has its journal."""
    hopeless: tuple[int, ...] = (2,)
    """Exit codes that another try would only repeat."""


# --- systemd ----------------------------------------------------------------------------------


def systemd_unit(service: Service) -> str:
    """A unit for `~/.config/systemd/user`, as systemd.service(5) has it.

    130 and 143 are our exit codes after Ctrl-C and SIGTERM: a wish to end is no failure.
    `KillMode=mixed` asks only the watch itself to stop, which then ends what it started.
    Raises `ValueError` for text that no unit can hold.
    """
    environment = "".join(
        f"Environment={_word(f'{name}={value}', dollars=False)}\n"
        for name, value in sorted(service.environment.items())
    )
    return f"""\
[Unit]
Description={_specifiers(_one_line(f"urbexmp watch {service.what}"))}
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
ExecStart={_command(service.command)}
ExecReload=/bin/kill -HUP $MAINPID
{environment}WatchdogSec={WATCHDOG_SECONDS}
Restart=on-failure
RestartSec={RESTART_SECONDS}
RestartPreventExitStatus={" ".join(map(str, service.hopeless))}
SuccessExitStatus=130 143
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec={STOP_SECONDS}
Nice={service.nice}
IOSchedulingClass=idle

[Install]
WantedBy=default.target
"""


def _command(words: Sequence[str]) -> str:
    # A dollar sign in the program's own path is not unescaped, so another program names it.
    program = ("/usr/bin/env", *words) if "$" in words[0] else words
    return " ".join(_word(word) for word in program)


_PLAIN = re.compile(r"[A-Za-z0-9_./:=@+,-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _word(text: str, *, dollars: bool = True) -> str:
    """One word of a command line, quoted as systemd.syntax(7) and systemd.service(5) have it.

    `%` begins a specifier and `$` a variable; both stand for themselves when doubled.
    """
    if "\0" in text or not _is_text(text):
        raise ValueError(f"{text!r} cannot stand in a systemd unit")
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", escaped)
    escaped = _specifiers(escaped)
    return f'"{escaped.replace("$", "$$") if dollars else escaped}"'


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _one_line(text: str) -> str:
    """For a description: without line breaks, and without the backslash that would join lines."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(" ", plain).replace("\\", "/").strip()


# --- launchd ----------------------------------------------------------------------------------


def launchd_job(service: Service) -> bytes:
    """A property list for `~/Library/LaunchAgents`, as launchd.plist(5) has it.

    `ProcessType Background` gives processor and disk a lower share; `KeepAlive` starts it again
    when it fails, not when it ends by itself. Raises `ValueError` for text that no list can hold.
    """
    job: dict[str, object] = {
        "Label": LABEL + service.name,
        "ProgramArguments": list(service.command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "Nice": service.nice,
        "ThrottleInterval": RESTART_SECONDS,
        "ExitTimeOut": STOP_SECONDS,
        "StandardOutPath": service.log,
        "StandardErrorPath": service.log,
    }
    if service.environment:
        job["EnvironmentVariables"] = dict(service.environment)
    return plistlib.dumps(job, sort_keys=False)


# --- Windows ----------------------------------------------------------------------------------

TASK_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def windows_task(service: Service, user: str) -> bytes:
    """A task for `schtasks /Create /XML`: UTF-16 with its mark, as schtasks wants it.

    It starts when `user` logs on, and again a minute after a failure. The watch pauses on battery
    by itself, so the task does not stop there. Priority 7 is below normal, 9 the lowest but
    idle. A task holds no environment variables. Raises `ValueError` for text that XML cannot hold.
    """
    program, arguments = service.command[0], command_line(service.command[1:])
    for text in (program, arguments, service.what, user):
        if _FORBIDDEN.search(text):
            raise ValueError(f"{text!r} cannot stand in a Windows task")
    who = f"<UserId>{escape(user)}</UserId>"
    text = f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="{TASK_NAMESPACE}">
  <RegistrationInfo>
    <Description>{escape(f"urbexmp watch {service.what}")}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      {who}
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      {who}
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <AllowHardTerminate>true</AllowHardTerminate>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>{9 if service.nice > 14 else 7}</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(program)}</Command>
      <Arguments>{escape(arguments)}</Arguments>
    </Exec>
  </Actions>
</Task>
"""
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")


def command_line(words: Sequence[str]) -> str:
    """Words as one line that the C runtime of Windows splits into the same words.

    Backslashes count only before a quote, where each is doubled ("Parsing C++ command-line
    arguments", Microsoft).
    """
    return " ".join(_windows_word(word) for word in words)


def _windows_word(word: str) -> str:
    if word and not re.search(r'[\s"]', word):
        return word
    quoted = re.sub(r'(\\*)"', r'\1\1\\"', word)
    quoted = re.sub(r"(\\+)$", r"\1\1", quoted)
    return f'"{quoted}"'
