"""Worker processes: they end with the process that started them."""

import functools
import os
import threading
import time
from multiprocessing import current_process

SECONDS = 1.0  # from the end of the one to that of the other


@functools.cache
def end_with_parent():
    """In a worker process of joblib's, look out for the end of its parent from now on; elsewhere do nothing.

    If the parent is killed, joblib's workers wait five minutes for more to do, and so does whoever reads its standard
    error to the end, since it is theirs too.
    """
    if type(current_process()).__name__ == "LokyProcess":
        threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent):
    while os.getppid() == parent:  # an orphan's parent is another process
        time.sleep(SECONDS)
    os._exit(1)
