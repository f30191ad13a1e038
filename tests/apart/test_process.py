"""A process under watch: its ending in words, and none of its kin left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nmbench.apart.limits import GIB, Limits
from nmbench.apart.process import Ending, Process, descendants, resident_bytes
from nmbench.apart.words import LENGTH

ROOMY = Limits(60.0, 4 * GIB)


def spoken(code: str, limits: Limits = ROOMY, request: bytes = b"") -> tuple[Ending, list[bytes]]:
    """Run Python under watch; return its ending, and the lines that it wrote on the other channel."""
    heard: list[bytes] = []
    process = Process([sys.executable, "-S", "-c", code, "%d"])
    return process.run(request, limits, heard.append), heard


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Whether a process ends in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; sys.exit(3)", "ended with code 3 before it wrote a record"),
        ("pass", "ended with code 0 before it wrote a record"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("import os; os.abort()", "ended by SIGABRT"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "ended by SIGKILL (which the kernel sends where memory is out)",
        ),
    ],
)
def test_the_reason_names_the_code_or_the_signal(code: str, reason: str) -> None:
    assert spoken(code)[0] == Ending(reason, "")


def test_a_process_that_does_not_end_is_ended_at_its_time_limit() -> None:
    begun = time.monotonic()
    ending, _ = spoken("import time; print('at work', flush=True); time.sleep(3600)", Limits(0.5, GIB))
    assert ending == Ending("no end within 0.5 s", "at work")
    assert time.monotonic() - begun < 60


def test_one_that_ignores_the_request_to_end_is_ended_all_the_same() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    assert spoken(code, Limits(0.5, GIB))[0].reason == "no end within 0.5 s"


def test_a_request_to_end_can_be_followed_with_last_words() -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_): print('tidied up', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); time.sleep(3600)"
    )
    assert spoken(code, Limits(1.0, GIB))[0] == Ending("no end within 1 s", "tidied up")


def test_memory_over_the_limit_ends_it_with_both_sizes() -> None:
    code = "held = []\nwhile True: held.append(bytearray(b'x' * (8 << 20)))"
    ending, _ = spoken(code, Limits(60.0, 200 << 20))
    found = re.fullmatch(r"over its memory limit of 0\.195 GiB \(reached ([\d.]+) GiB\)", ending.reason)
    assert found and float(found[1]) >= 0.195


def test_memory_of_children_counts() -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    held = bytearray(b'x' * (300 << 20)); time.sleep(3600)\n"
        "time.sleep(3600)"
    )
    assert spoken(code, Limits(60.0, 200 << 20))[0].reason.startswith("over its memory limit")


ESCAPES = """
import os, sys, time
def tell(): os.write({channel}, (str(os.getpid()) + chr(10)).encode())
{how}
"""
GRANDCHILD = "if os.fork() == 0:\n    tell(); time.sleep(3600)\ntime.sleep(0.5)"
NEW_SESSION = "if os.fork() == 0:\n    os.setsid(); tell(); time.sleep(3600)\ntime.sleep(0.5)"
DAEMON = (
    "if os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n    tell(); time.sleep(3600)\n"
    "time.sleep(0.5)"
)
OTHER_PROGRAM = (
    "import subprocess\n"
    "p = subprocess.Popen(['sleep', '3600'], start_new_session=True)\n"
    "os.write({channel}, (str(p.pid) + chr(10)).encode()); time.sleep(0.5)"
)


@pytest.mark.parametrize("end", ["by itself", "at a limit"])
@pytest.mark.parametrize("how", [GRANDCHILD, NEW_SESSION, DAEMON, OTHER_PROGRAM])
def test_no_kin_is_left_behind(how: str, end: str) -> None:
    heard: list[bytes] = []
    process = Process([sys.executable, "-S", "-c", "import sys; exec(sys.stdin.read())"])
    code = ESCAPES.format(channel=process.channel, how=how.replace("{channel}", str(process.channel)))
    code += "" if end == "by itself" else "\ntime.sleep(3600)"
    ending = process.run(code.encode(), Limits(60.0 if end == "by itself" else 2.0, GIB), heard.append)
    assert ("code 0" in ending.reason) == (end == "by itself")
    assert len(heard) == 1 and all(gone(int(pid)) for pid in heard)


def test_an_interrupt_ends_the_process_and_goes_on() -> None:
    seen: list[int] = []

    def hear(line: bytes) -> None:
        seen.append(int(line))
        raise KeyboardInterrupt

    process = Process([sys.executable, "-S", "-c", "import sys; exec(sys.stdin.read())"])
    code = f"import os, time; os.write({process.channel}, b'%d\\n' % os.getpid()); time.sleep(3600)"
    with pytest.raises(KeyboardInterrupt):
        process.run(code.encode(), ROOMY, hear)
    assert gone(*seen)


def test_a_flood_of_output_and_endless_lines_are_borne() -> None:
    heard: list[bytes] = []
    process = Process([sys.executable, "-S", "-c", "import sys; exec(sys.stdin.read())"])
    code = (
        "import os\n"
        "for i in range(2000): print('flood', i, 'x' * 1000, flush=True)\n"
        f"os.write({process.channel}, b'y' * 200_000); os.write({process.channel}, b'\\nshort\\n')\n"
        "print('the end'); raise SystemExit(4)"
    )
    ending = process.run(code.encode(), ROOMY, heard.append)
    assert "code 4" in ending.reason and ending.said.endswith("the end") and len(ending.said) <= LENGTH
    assert heard == [b"short"]


def test_descendants_and_their_memory_are_found() -> None:
    assert resident_bytes(os.getpid()) > 10 << 20
    assert os.getpid() in descendants(os.getppid())
    assert resident_bytes(1 << 30) == 0


def test_a_process_ends_with_the_harness(tmp_path: Path) -> None:
    """Where the harness itself is killed, nobody is left to end the cell's process: the kernel does."""
    code = (
        "import os, subprocess, sys, time\n"
        "child = 'import os, sys, time; from nmbench.apart.child import confine; "
        "confine(int(sys.argv[1])); print(os.getpid(), flush=True); time.sleep(3600)'\n"
        "subprocess.Popen([sys.executable, '-c', child, str(os.getpid())])\n"
        "time.sleep(3600)"
    )
    harness = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert harness.stdout is not None
    child = int(harness.stdout.readline())
    assert not gone(child, 0.05)
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    assert gone(child)
    harness.stdout.close()
