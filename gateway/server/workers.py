"""Several processes that do the same work, and the one that watches over them."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

from gateway.errors import ConfigError, GatewayError

__all__ = ["Job", "Orders", "Supervisor"]

_RESTART_SECONDS = 1.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = logging.getLogger("gateway.server")


class Orders:
    """A worker's side of the pipes to its supervisor.

    The orders, first to stop and then to hurry, are the ends of two pipes that only the supervisor
    holds open. So workers end also when their supervisor is killed.
    """

    def __init__(self, stop: int, hurry: int, report: int) -> None:
        self._orders = (stop, hurry)
        self._report = report

    def follow(self, stop: Callable[[], None]) -> None:
        """Have the running loop call `stop` once for each of the two orders."""
        loop = asyncio.get_running_loop()

        def obey(order: int) -> None:
            loop.remove_reader(order)
            stop()

        for order in self._orders:
            loop.add_reader(order, obey, order)

    def report(self) -> None:
        """Tell the supervisor that this worker is ready."""
        os.write(self._report, b"\n")


Job = Callable[[Orders], None]
"""What one worker does, until it is ordered to stop."""


class Supervisor:
    """Owns one forked process for each of `jobs`, and replaces those that die.

    `stopping` is called before the workers are told to stop. SIGINT and SIGTERM make it order the
    workers to stop, a second one to hurry. Not passed on as signals: a terminal and systemd signal
    the whole group, and workers would hear them twice.
    """

    def __init__(self, jobs: Sequence[Job], stopping: Callable[[], None]) -> None:
        self._jobs = jobs
        self._on_stopping = stopping
        self._fork = multiprocessing.get_context("fork")
        stop, hurry, self._reports = os.pipe(), os.pipe(), os.pipe()
        self._orders = Orders(stop[0], hurry[0], self._reports[1])
        self._ungiven = [stop[1], hurry[1]]
        self._running: dict[int, tuple[BaseProcess, Job]] = {}
        self._starting = len(jobs)
        self._failed = False

    def run(self, ready: Callable[[], None]) -> None:
        """Return when all workers have ended as ordered; `ready` is called once all are ready.

        Raises `ConfigError` if one of them cannot even start.
        """
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            for job in self._jobs:
                self._start(job)
            while self._running:
                self._attend(ready)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._failed:
            raise ConfigError("a worker could not start, its own message above says why")

    def _start(self, job: Job) -> None:
        process = self._fork.Process(target=self._work, args=(job,))
        process.start()
        self._running[process.sentinel] = (process, job)

    def _work(self, job: Job) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for end in (*self._ungiven, self._reports[0]):
            os.close(end)
        try:
            job(self._orders)
        except GatewayError as error:
            _log.error("%s", error.message)
            raise SystemExit(1) from None

    def _attend(self, ready: Callable[[], None]) -> None:
        reports = self._reports[0]
        for event in wait([reports, *self._running]):
            if event != reports:
                self._bury(*self._running.pop(int(str(event))))
                continue
            news = len(os.read(reports, 1))
            if self._starting:
                self._starting -= news
                if not self._starting:
                    ready()

    def _bury(self, process: BaseProcess, job: Job) -> None:
        process.join()
        if self._stopping:
            return
        if self._starting:
            self._failed = True
            self._order()
            return
        _log.error("worker %s died with status %s, starting another", process.pid, process.exitcode)
        time.sleep(_RESTART_SECONDS)
        self._start(job)

    @property
    def _stopping(self) -> bool:
        return len(self._ungiven) < 2

    def _order(self) -> None:
        if not self._stopping:
            self._on_stopping()
        if self._ungiven:
            os.close(self._ungiven.pop(0))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._order()
