"""The runner of stochastic trainings: steps, pauses, and Ctrl-C at any moment."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from textkit.training import Plan, Schedule, run


class Struck:
    """Ctrl-C comes while this is destroyed, where Python drops exceptions."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


def strike_here():
    os.kill(os.getpid(), signal.SIGINT)


def strike_in_destructor():
    Struck()


@pytest.mark.skipif(os.name != "posix", reason="signals differ")
@pytest.mark.parametrize("strike", [strike_here, strike_in_destructor])
@pytest.mark.parametrize("where", ["done", "pause"])
@pytest.mark.parametrize("threads", [1, 2])
def test_interrupt_is_heard_and_no_step_is_lost_or_done_twice(strike, where, threads):
    worked, pauses, lock = [], [], threading.Lock()

    def work(step, rate):
        with lock:
            worked.append(step)

    def done(step):
        if where == "done" and step == 13:
            strike()

    def pause(step):
        pauses.append(step)
        if where == "pause" and step == 10:
            strike()

    with pytest.raises(KeyboardInterrupt):
        run(Plan(100, Schedule(0.1), threads, pauses=10), work, done, pause)
    assert 10 <= pauses[-1] < 20
    assert sorted(worked) == list(range(pauses[-1]))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(os.name != "posix", reason="signals differ")
def test_second_interrupt_does_not_wait_for_the_pause():
    pauses = []

    def done(step):
        if step == 13:
            strike_here()
            strike_here()

    with pytest.raises(KeyboardInterrupt):
        run(Plan(1000, Schedule(0.1), pauses=10), lambda step, rate: None, done, pauses.append)
    assert 13 <= pauses[-1] < 20


def test_training_runs_in_any_thread():
    found = []
    plan = Plan(4, Schedule(0.1))
    worker = threading.Thread(target=lambda: found.append(run(plan, lambda s, r: None, lambda s: None, lambda s: None)))
    worker.start()
    worker.join(60)
    assert found == [4]


SCRIPT = """
import os, signal, time
from textkit.cli import main

class Struck:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

@main.textkit.command()
def wait():
    Struck()
    time.sleep(100)

main.run(["wait"])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals differ")
def test_interrupt_that_python_drops_ends_any_command():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    assert done.stderr == "error: interrupted.\n"
