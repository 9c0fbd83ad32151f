"""Runs scripts, one after the other, and prints a line of JSON for each: the script's last output, or its error.

python run.py keras|pytorch SECONDS SCRIPT...
"""

import contextlib
import gc
import io
import json
import math
import os
import re
import signal
import sys
import time
import traceback
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"


def prepare(framework):
    """Limits the framework to one thread. Returns its version and a function to call between two scripts."""
    if framework == "pytorch":
        import torch

        torch.set_num_threads(1)
        return torch.__version__.split("+")[0], gc.collect
    import keras

    # Progress bars would be most of the output.
    keras.utils.disable_interactive_logging()

    def between():
        keras.backend.clear_session()
        gc.collect()

    return keras.__version__, between


def too_long(*_):
    raise TimeoutError("takes too long")


def run(path, seconds):
    with open(path) as file:
        source = file.read()
    printed = io.StringIO()
    start = time.monotonic()
    answer = {"script": os.path.basename(path), "error": None}
    signal.alarm(seconds)
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings(action="ignore"):
            exec(compile(source, path, "exec"), {"__name__": "__main__"})
        *_, accuracy, loss = printed.getvalue().strip().splitlines()
        answer["accuracy"] = float(re.fullmatch(r"Training accuracy after \d+ epochs: (\S+)", accuracy)[1])
        loss = float(re.fullmatch(r"Loss: (\S+)", loss)[1])
        # JSON has neither NaN nor infinity.
        answer["loss"] = loss if math.isfinite(loss) else None
    except Exception:
        answer["error"] = traceback.format_exc(limit=-3)
    finally:
        signal.alarm(0)
    answer["seconds"] = round(time.monotonic() - start, 1)
    return answer


def main(framework, seconds, *paths):
    signal.signal(signal.SIGALRM, too_long)
    version, between = prepare(framework)
    print(json.dumps({"version": version}), flush=True)
    for path in paths:
        print(json.dumps(run(path, int(seconds))), flush=True)
        between()


main(*sys.argv[1:])
