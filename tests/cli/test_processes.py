"""What only a real process can show: pipes, signals, encodings, a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.harness import COMMAND, ROOT, process, written_files

QUOTIENT = ("(a+b)/(c+d)", "--a", "1", "--b", "2", "--c", "3", "--d", "4")


def test_results_and_errors_have_their_own_streams() -> None:
    done = process("a; zz", "--a", "1", "--value")
    assert (done.returncode, done.stdout) == (2, b"1\n")
    assert done.stderr.startswith(b"error: zz has no value\n")


def test_a_scalar_evaluation_loads_neither_numpy_nor_rich() -> None:
    program = (
        "import sys; from gradcalc.cli import main; main(sys.argv[1:]); "
        "print(sorted({'rich', 'numpy', 'prompt_toolkit'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *QUOTIENT], capture_output=True, cwd=ROOT, check=True)
    assert done.stderr.strip() == b"[]"


def test_results_come_one_by_one() -> None:
    with subprocess.Popen([*COMMAND, "--value"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdin is not None and running.stdout is not None
        for number in range(3):
            running.stdin.write(f"{number}*2\n".encode())
            running.stdin.flush()
            assert running.stdout.readline() == f"{number * 2}\n".encode()
        running.stdin.close()
        assert running.wait(10) == 0


def test_a_closed_pipe_is_quiet() -> None:
    text = b"1+1\n" * 20_000
    with subprocess.Popen(
        [*COMMAND, "--value"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as running:
        assert running.stdin is not None and running.stdout is not None and running.stderr is not None
        running.stdin.write(text[:40])
        running.stdin.flush()
        assert running.stdout.readline() == b"2\n"
        running.stdout.close()
        try:
            running.stdin.write(text)
            running.stdin.close()
        except BrokenPipeError:
            pass
        assert running.stderr.read() == b""
        assert running.wait(20) == 0


def test_interrupting_is_quiet(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    with subprocess.Popen(
        [*COMMAND, "--value", "-o", str(target)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as running:
        assert running.stdin is not None and running.stderr is not None
        running.stdin.write(b"1+1\n")
        running.stdin.flush()
        deadline = time.monotonic() + 20
        while not written_files(running.pid, tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 130
        assert running.stderr.read() == b""
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_told() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "1+1"], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert done.stderr == b"error: the results can't be written: no space left on device\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_old_encodings(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    arguments = ["사과*2", "--사과", "3"]
    done = subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith(b"\\uc0ac\\uacfc*2 = 6\nok: ")
    assert done.stdout.isascii()
    done = subprocess.run([*COMMAND, *arguments, "--format", "json"], env=environment, capture_output=True, check=False)
    assert b'"\\uc0ac\\uacfc*2"' in done.stdout


def test_input_that_is_not_utf8() -> None:
    done = process("--value", stdin=b"1+1\n\xff\n")
    assert (done.returncode, done.stdout) == (2, b"2\n")
    assert done.stderr == b"error: standard input is not UTF-8 text: byte 0xff in line 2\n  save it as UTF-8\n"


def test_arguments_that_are_not_text() -> None:
    done = subprocess.run([*COMMAND, b"a\xff+1"], capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: a\\xff+1 is not UTF-8 text: byte 0xff\n")


@pytest.mark.parametrize(("closed", "status"), [("2>&-", 0), ("2>&- <&-", 0), (">&-", 2), (">&- 2>&- <&-", 2)])
def test_closed_streams(closed: str, status: int) -> None:
    line = f"{sys.executable} -m gradcalc 1+1 {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == status
    if closed == ">&-":
        assert done.stderr == b"error: the results can't be written: standard output is closed\n"


def test_a_result_in_a_file_needs_no_standard_output(tmp_path: Path) -> None:
    line = f"{sys.executable} -m gradcalc 1+1 --value -o {tmp_path}/out >&-"
    assert subprocess.run(["sh", "-c", line], cwd=ROOT, check=False).returncode == 0
    assert (tmp_path / "out").read_text() == "2\n"


def test_errors_that_nobody_hears_still_count() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        assert subprocess.run([*COMMAND, "1+"], stderr=full, cwd=ROOT, check=False).returncode == 2
        assert subprocess.run([*COMMAND, "log(x)", "--x", "-1"], stdout=full, stderr=full, cwd=ROOT, check=False).returncode == 2
        loud = subprocess.run([*COMMAND, "log(x)", "--x", "-1"], stdout=subprocess.DEVNULL, stderr=full, cwd=ROOT, check=False)
    assert loud.returncode == 0


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_the_plain_locale_gets_plain_text(locale: str) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONIOENCODING"} | {"LC_ALL": locale}
    done = subprocess.run([*COMMAND, "abs(x)", "--x", "0"], env=environment, capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.isascii()
    assert b"kink: " in done.stdout


def test_arguments_in_a_locale_without_utf8() -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [*COMMAND, "2*\N{MICRO SIGN}", "--\N{MICRO SIGN}", "3", "--value"],
        env=environment,
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"6\n", b"")
    done = subprocess.run([*COMMAND, "-f", "\N{MICRO SIGN}"], env=environment, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")


def test_a_terminal() -> None:
    pexpect = pytest.importorskip("pexpect")
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    for name in ("NO_COLOR", "COLUMNS"):
        environment.pop(name, None)
    output, status = pexpect.run(
        f"{sys.executable} -m gradcalc 'q = x+y; q*z' --x -2 --y 5 --z -4",
        env=environment,
        withexitstatus=True,
        cwd=str(ROOT),
    )
    text = output.decode().replace("\r\n", "\n")
    assert status == 0
    assert text.startswith("\x1b[1mq*z\x1b[0m = \x1b[32m-12\x1b[0m\n")
    assert "─────" in text
    assert "\x1b[32m✓ ok\x1b[0m" in text
