"""The watchdog ends a process that does not turn or does not listen, and leaves every other alone. In processes of their own."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.kernel import is_frozen

PREAMBLE = """
import asyncio, logging, os, sys, time
from tinyforge.election import Watchdog, boottime
logging.basicConfig(format="%(levelname)s %(message)s")
"""
SECONDS = 20


@contextmanager
def program(body: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a program; it is killed at the end."""
    command = [sys.executable, "-c", PREAMBLE + textwrap.dedent(body)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def outcome(body: str) -> tuple[int, str]:
    """Run a program to its end, and return its exit code and what it said on stderr."""
    with program(body) as process:
        _, said = process.communicate(timeout=SECONDS)
        return process.returncode, said


def test_fault_08_an_event_loop_that_is_stuck_ends_the_process():
    code, said = outcome("""
        async def main():
            Watchdog(patience=1).start()
            await asyncio.sleep(0.5)
            time.sleep(60)
        asyncio.run(main())
    """)
    assert code == 1
    assert "CRITICAL the watchdog ends this process: the main event loop has not turned for 1 s" in said


def test_fault_08_it_is_ended_even_if_it_holds_the_lock_of_the_log():
    code, said = outcome("""
        async def main():
            Watchdog(patience=1).start()
            logging.getLogger().handlers[0].acquire()
            time.sleep(60)
        asyncio.run(main())
    """)
    assert code == 1
    assert "the watchdog ends this process: the main event loop has not turned" in said


def test_fault_08_it_is_ended_even_if_nobody_reads_what_it_says():
    with program("""
        async def main():
            Watchdog(patience=1).start()
            os.set_blocking(2, False)
            try:
                while True:
                    os.write(2, b"x" * 4096)
            except BlockingIOError:
                os.set_blocking(2, True)
            time.sleep(60)
        asyncio.run(main())
    """) as process:
        assert process.wait(SECONDS) == 1


def test_a_loop_that_is_only_busy_is_left_alone():
    code, said = outcome("""
        async def main():
            watchdog = Watchdog(patience=1)
            watchdog.start()
            end = time.monotonic() + 2.5
            while time.monotonic() < end:
                time.sleep(0.5)
                await asyncio.sleep(0)
            watchdog.stop()
        asyncio.run(main())
    """)
    assert (code, said) == (0, "")


def test_a_process_that_was_stopped_for_long_is_left_alone():
    """Its loop did not turn, but neither did anything else of it."""
    with program("""
        async def main():
            Watchdog(patience=4).start()
            await asyncio.sleep(0.5)
            print("busy", flush=True)
            time.sleep(5)
            await asyncio.sleep(0.5)
        asyncio.run(main())
    """) as process:
        assert process.stdout
        assert process.stdout.readline() == "busy\n"
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGSTOP)
        while not is_frozen(process.pid):
            time.sleep(0.01)
        time.sleep(3)  # of the 5 s, so that the loop was stuck for 2 s
        os.kill(process.pid, signal.SIGCONT)
        _, said = process.communicate(timeout=SECONDS)
        assert (process.returncode, said) == (0, "")


def test_an_alarm_ends_the_process_as_long_as_it_is_heeded():
    code, said = outcome("""
        async def main():
            watchdog = Watchdog()
            watchdog.start()
            with watchdog.heeding(lambda: ""):
                await asyncio.sleep(0.6)
            with watchdog.heeding(lambda: "the house is on fire"):
                pass
            await asyncio.sleep(0.6)
            print("alive", file=sys.stderr, flush=True)
            watchdog.heed(lambda: "the house is on fire")
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    assert code == 1
    assert said == "alive\nCRITICAL the watchdog ends this process: the house is on fire\n"
