"""What every stochastic training has in common: worker threads over steps, the learning rate, pauses, Ctrl-C.

A step is a block of the text in one epoch. What a step draws at random is keyed by its number, so one thread gives the
same result each time, and one that was stopped between two steps goes on as if it had not been.
"""

import math
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .errors import UsageError

DECAYS = ("linear", "cosine", "constant")


@dataclass(frozen=True)
class Schedule:
    """The learning rate over the run.

    Args:
        rate: at the beginning.
        floor: never below this share of it.
        decay: "linear" or "cosine" from rate to the floor, or "constant".

    Raises:
        UsageError: an impossible rate or share, or an unknown decay.
    """

    rate: float
    floor: float = 1e-4
    decay: str = "linear"

    def __post_init__(self) -> None:
        if self.decay not in DECAYS:
            raise UsageError(f"unknown decay '{self.decay}'.", f"Choose one of {', '.join(DECAYS)}.")
        if not (0 < self.rate < math.inf and 0 <= self.floor <= 1):
            raise UsageError(
                f"a learning rate of {self.rate} with a floor of {self.floor} makes no sense.",
                "The rate is above 0 (0.025 is usual), the floor a share of it from 0 to 1.",
            )

    def at(self, fraction: float) -> float:
        """The rate when this fraction of the run is done."""
        if self.decay == "constant":
            return self.rate
        left = 1 - fraction if self.decay == "linear" else (1 + math.cos(math.pi * fraction)) / 2
        return self.rate * max(left, self.floor)


@dataclass(frozen=True)
class Plan:
    """How a run goes.

    Args:
        steps: how many there are.
        schedule: the learning rate.
        threads: workers; they share what they train without locks.
        budget: seconds after which to stop, the learning rate falling with them; None for no limit.
        pauses: how often in the run all workers rest, for checkpoints and measurements.
    """

    steps: int
    schedule: Schedule
    threads: int = 1
    budget: float | None = None
    pauses: int = 20

    def fraction(self, step: int, seconds: float) -> float:
        """How much of the run is done, by steps or by time, whichever is more."""
        return min(1.0, max(step / self.steps, seconds / self.budget if self.budget else 0.0))


Work = Callable[[int, float], None]
Pause = Callable[[int], bool]


def run(plan: Plan, work: Work, done: Pause, pause: Pause, start: int = 0) -> int:
    """Do the steps from `start` on; returns how many of all are done at the end.

    Args:
        work: does step number `step` at rate `rate`; releases the GIL.
        done: told about each finished step, in order; True ends the segment early.
        pause: told the number of steps done while all workers rest; True ends the run.

    Raises:
        KeyboardInterrupt: after the steps under way are finished and `pause` was told.
    """
    began = time.monotonic()
    length = -(-max(1, plan.steps // plan.pauses) // plan.threads) * plan.threads  # no worker waits for the others
    step, over = start, False
    with _Interrupts() as interrupts, ThreadPoolExecutor(plan.threads) as pool:
        while step < plan.steps and not over:
            segment = _Segment(pool, plan, work, done, began, interrupts)
            try:
                step = segment.run(step, min((step // length + 1) * length, plan.steps))
            except KeyboardInterrupt:  # of a second Ctrl-C, or of somebody else's handler
                pause(segment.finish())
                raise
            out_of_time = plan.budget is not None and time.monotonic() - began >= plan.budget
            over = pause(step) or out_of_time
            if interrupts.heard:
                raise KeyboardInterrupt
    return step


class _Interrupts:
    """Within it the first Ctrl-C is only noted, a second one raises KeyboardInterrupt.

    An exception that may strike between any two instructions strikes between handing out a step and writing it down,
    too, or in a destructor, where it is dropped.
    """

    def __init__(self) -> None:
        self.heard, self._mine = False, False

    def __enter__(self) -> "_Interrupts":
        main = threading.current_thread() is threading.main_thread()  # others cannot set handlers
        self._mine = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._mine:
            signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *error: object) -> None:
        if self._mine:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _hear(self, number: int, frame: object) -> None:
        if self.heard:
            raise KeyboardInterrupt
        self.heard = True


class _Segment:
    """The steps between two pauses: submitted in order, a few ahead of the workers."""

    def __init__(
        self, pool: ThreadPoolExecutor, plan: Plan, work: Work, done: Pause, began: float, interrupts: _Interrupts
    ) -> None:
        self.pool, self.plan, self.work, self.done, self.began = pool, plan, work, done, began
        self.interrupts = interrupts
        self.pending: deque[Future[None]] = deque()
        self.submitted = self.finished = 0

    def run(self, step: int, stop: int) -> int:
        """Steps `step` to `stop`, or fewer if time is over or Ctrl-C was pressed; returns the number reached."""
        self.submitted = self.finished = step
        while self.submitted < stop and not self.interrupts.heard:
            seconds = time.monotonic() - self.began
            if self.plan.budget is not None and seconds >= self.plan.budget:
                break
            rate = self.plan.schedule.at(self.plan.fraction(self.submitted, seconds))
            self.pending.append(self.pool.submit(self.work, self.submitted, rate))
            self.submitted += 1
            if len(self.pending) > 2 * self.plan.threads and self._collect():
                break
        return self.finish()

    def finish(self) -> int:
        """Wait for the steps under way; returns the number reached."""
        while self.pending:
            self._collect()
        return self.submitted

    def _collect(self) -> bool:
        self.pending[0].result()
        self.pending.popleft()
        self.finished += 1
        return self.done(self.finished)
