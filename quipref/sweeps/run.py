"""Sweeps: a bound checked on many random layers, methods x spectra x bases x sizes x seeds x bits, in parallel."""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from joblib.parallel import get_active_backend
from tqdm import tqdm

from quipref import checks, storage, threads
from quipref.problems import SPECTRA
from quipref.sweeps import questions, records, trials, workers
from quipref.sweeps.questions import Method

BAR = "{desc}: {n_fmt} of {total_fmt} |{bar}| {elapsed} passed, {remaining} to go"
ENDED = (
    "methods must return or raise, but one ended the process that it ran in, or memory ran out. Results so far are in "
    "the folder, if one was named; ask each rounder alone: quipref check MODULE:FUNCTION --isolate."
)


def sweep(
    methods: Method | Iterable[Method] | Mapping[str, Method], *, sizes: Iterable[int],
    spectra: Iterable[str] = SPECTRA, bases: Iterable[str] = ("haar",), seeds: int | Iterable[int] = 10,
    bits: int | None | Iterable[int | None] = None, rows: int = 16, folder: storage.FilePath | None = None,
    jobs: int | None = None, time_limit: float | None = 10.0, progress: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Measure every method on many random layers, beside the bound of its theorem.

    ratio = tr((W_hat - W) H (W_hat - W)^T) / limit, for every combination of what is given.

    Parameters
    ----------
    methods : str, (str, dict), callable, or several of them
        A rounder (W, H) -> W_hat of your own, which may carry `quipref.testing.tags`. Or a name: with bits, that of
        a method of `quipref.quantize`, alone or with a dict of its options; on the integers ``"nearest"``,
        ``"ldlq"``, ``"optq"``, ``"greedy"``, or an inequality about H alone, ``"root_trace"``,
        ``"incoherent_trace"`` (`quipref.bounds` has the formulas). A dict gives names to methods.
    sizes : iterable of int
        Columns n.
    spectra, bases : iterable of str
        As in `quipref.random_layer`. ``"hadamard"`` needs sizes that are powers of two.
    seeds : int or iterable of int
        How many layers of each kind, or their seeds.
    bits : int, None, or several of them
        None: on all integers, as in the theorems, for layers in units of the grid.
    rows : int
        Rows m of each layer.
    folder : path, optional
        Where each result is written as it comes, under a name made from its question; made if it does not exist.
        What is there already is read and not measured again, so that a sweep may be killed and resumed.
    jobs : int, optional
        How many at a time. Default: what `joblib.parallel_config` says around the call, else all cores.
    time_limit : float or None
        Seconds that a rounder of your own may take for a layer; None: as long as it likes. By a signal, so where
        each worker is a process (as by default, not among threads), and not while compiled code runs.
    progress : bool
        Show a bar with the time still to go on standard error.

    Returns
    -------
    list of dict
        A record of JSON types for each question, in order: method, options, code (SHA-256 of a callable's text), bits,
        m, n, spectrum, basis, seed, quipref (the version); measured, limit, ratio, bound (the theorem's name in
        `quipref.bounds`; with ``"stochastic_"`` before it four times that, since random errors reach a whole step),
        error and time_limit. `limit` and `ratio` are None where no theorem applies. Where the
        method refused, failed or returned anything but finite numbers, `error` says so and the numbers are None;
        where it hung, `time_limit` has the seconds that it was given.

    Raises
    ------
    ValueError, TypeError
        An unknown name or number, or nothing to ask; a callable whose text cannot be read or depends on variables
        around it, with a folder and without a name of its own.
    OSError
        The folder cannot be made or written to, or has a folder of a result's name; a rounder ended the process
        that it ran in.

    Notes
    -----
    A result file that is damaged is reported by a warning and measured again, and so, silently, is what hung when
    `time_limit` is now longer; no other file is touched. Names are
    made from the question, the version of quipref and the text of a callable (not of what it calls: after a change
    there, take another folder). `quipref.load_sweep` reads a folder.

    Work goes to processes of this machine. Where that is too small, name a cluster of your own around the call;
    quipref must be installed there, and this process alone writes to the folder. With dask::

        from distributed import Client
        client = Client("tcp://scheduler:8786")
        with joblib.parallel_config(backend="dask"):
            quipref.sweep("ldlq", sizes=[256, 512, 1024], seeds=1000, folder="results")

    With Ray: `from ray.util.joblib import register_ray; register_ray()`, then `parallel_config(backend="ray")`.

    References
    ----------
    QuIP, arXiv:2307.13304v2, theorem 1 and lemma 2.

    Examples
    --------
    >>> found = sweep("ldlq", sizes=[8, 16], spectra=["power"], seeds=3, jobs=1)
    >>> len(found), all(record["ratio"] <= 1 for record in found)
    (6, True)
    """
    asked = questions.ask(methods, sizes, spectra, bases, seeds, bits, rows, naming=folder is not None)
    if jobs is not None and not checks.integer(jobs, "jobs"):
        raise ValueError("jobs must be at least 1, or -1 for all cores, but 0 came. Leave it out for all cores.")
    if time_limit is not None and not checks.fraction(time_limit, "time_limit"):
        raise ValueError("time_limit must be above zero, but 0 came. None is no limit.")
    folder = None if folder is None else records.existing_folder(folder)
    found = {} if folder is None else dict(_known(folder, asked, time_limit))
    waiting = {name: trial for name, trial in asked.items() if name not in found}
    bar = tqdm(desc="sweep", total=len(asked), initial=len(found), bar_format=BAR, smoothing=0, disable=not progress)
    with bar:
        for name, answer in _answers(waiting, jobs, time_limit):
            question = waiting[name][0]
            if folder is not None:
                records.write(folder, question, answer)
            found[name] = question | answer
            bar.update()
    return [found[name] for name in asked]


def _known(folder, asked, time_limit):
    """(name, record) of each question that the folder answers; what hung it does not, if there is more time now."""
    longest = math.inf if time_limit is None else time_limit
    for name in asked:
        if (folder / name).is_dir():
            found = f"{folder / name} is a folder"
            raise IsADirectoryError(f"folder must hold files where results are, but {found}. Move it away.")
        if (folder / name).exists():
            try:
                record = records.read(folder / name)
                if (record.get("time_limit") or math.inf) >= longest:
                    yield name, record
            except ValueError as error:
                warnings.warn(f"{error} It is measured again.", stacklevel=3)


def _answers(waiting, jobs, time_limit) -> Iterator[tuple[str, dict]]:
    """(name, answer) of each trial as it is done, from joblib's workers."""
    if not waiting:
        return
    backend, configured = get_active_backend()
    if jobs is None and configured is None and backend.default_n_jobs == 1:
        jobs = threads.cores()  # nobody has said anything; a cluster's default is all of it
    # One trial a task: what a kill loses is what was being measured. Tasks are small: no array is mapped to a file.
    settings = {"n_jobs": jobs, "batch_size": 1, "max_nbytes": None}
    tasks = [joblib.delayed(_task)(name, *trial, time_limit) for name, trial in waiting.items()]
    if backend.supports_return_generator:
        try:
            yield from joblib.Parallel(return_as="generator_unordered", **settings)(tasks)
        except TerminatedWorkerError as error:
            raise ChildProcessError(ENDED) from error
        return
    few = 4 * joblib.effective_n_jobs(jobs)
    with joblib.Parallel(**settings) as parallel:  # Ray and multiprocessing hand over whole lists only
        for start in range(0, len(tasks), few):
            yield from parallel(tasks[start : start + few])


def _task(name, question, rounder, time_limit):
    workers.end_with_parent()
    return name, trials.answer(question, rounder, time_limit)
