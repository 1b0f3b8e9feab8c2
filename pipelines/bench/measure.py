"""Runs commands and tells what each took: seconds, processor seconds, peak resident memory."""
import os, statistics, sys, time
from typing import NamedTuple


class Failed(Exception):
    """A command of the comparison that did not end well; the message says which and shows what it said last."""


class Command(NamedTuple):
    name: str
    arguments: list
    output: str = os.devnull   # where standard output goes
    input: list = None         # a command whose output is standard input; it is not measured
    environment: dict = {}
    prepare: object = None     # called before each run, outside the measurement
    tells: object = None       # called after each run: (seconds, processor seconds) as the command itself told them, in place of those of the process


class Run(NamedTuple):
    seconds: float
    processor: float    # user and system, with all child processes that it waited for
    peak: int           # bytes; of the largest process


def _start(arguments, output, log, input=None, environment={}):
    files = [(os.POSIX_SPAWN_OPEN, number, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644) for number, path in ((1, output), (2, log))]
    if input is not None:
        files.insert(0, (os.POSIX_SPAWN_DUP2, input, 0))
    return os.posix_spawnp(arguments[0], arguments, {**os.environ, **environment}, file_actions=files)


def run(command: Command, log: str) -> Run:
    """Once. What it writes on standard error goes to the file `log`.

    The peak of a process counts from before it became the command, so it is never below this program's own: keep that small.
    """
    if command.prepare:
        command.prepare()
    feeder, pipe = None, None
    arguments = [str(argument) for argument in command.arguments]
    try:
        if command.input:
            pipe, end = os.pipe()
            os.set_inheritable(end, True)
            feeder = os.posix_spawnp(command.input[0], [str(argument) for argument in command.input], os.environ,
                                     file_actions=[(os.POSIX_SPAWN_DUP2, end, 1), (os.POSIX_SPAWN_CLOSE, pipe)])
            os.close(end)
        start = time.perf_counter()
        process = _start(arguments, str(command.output), log, pipe, command.environment)
        _, status, used = os.wait4(process, 0)
        seconds = time.perf_counter() - start
    except OSError as error:
        raise Failed(f"{command.name}: {arguments[0]}: {error.strerror}")
    finally:
        if pipe is not None:
            os.close(pipe)
        if feeder:
            os.waitpid(feeder, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        said = open(log, errors="replace").read().strip().splitlines()
        raise Failed(f"{command.name}: ended with status {code}: {said[-1] if said else 'nothing was said'}")
    processor = used.ru_utime + used.ru_stime
    if command.tells:
        seconds, processor = command.tells()
    return Run(seconds, processor, used.ru_maxrss << 10)


class Result(NamedTuple):
    """Medians of the runs, and the largest peak."""
    seconds: float
    processor: float
    peak: int
    runs: int


def compare(commands, runs, log) -> dict:
    """Results by name. The commands take turns, so that what else goes on in the machine meets all of them; one that fails is told and left out."""
    done = {command.name: [] for command in commands}
    failed = set()
    for _ in range(runs):
        for command in commands:
            if command.name in failed:
                continue
            try:
                done[command.name].append(run(command, log))
            except Failed as error:
                print(f"bench: {error}; left out", file=sys.stderr)
                failed.add(command.name)
    return {name: Result(statistics.median(run.seconds for run in all), statistics.median(run.processor for run in all), max(run.peak for run in all), len(all))
            for name, all in done.items() if all and name not in failed}
