"""Prints the names that scripts may use, each with its parameters: their names, `*` for any number of values, and null for a name
that is not callable."""

import importlib
import inspect
import json
import os
import re

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

# All public names of these modules.
WHOLE = [
    "keras.layers",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.losses",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.callbacks",
    "keras.activations",
    "keras.random",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.optim",
    "torch.optim.lr_scheduler",
]
# These classes with their methods.
METHODS = [
    "keras.Sequential",
    "keras.Model",
    "keras.callbacks.EarlyStopping",
    "keras.optimizers.Adam",
    "torch.nn.Sequential",
    "torch.optim.Adam",
    "torch.optim.lr_scheduler.LambdaLR",
]
# Only these names of their modules.
SOME = """
    copy.deepcopy itertools.count math.cos math.pi
    keras.Input keras.Layer keras.Model keras.Sequential
    keras.ops.concatenate keras.ops.einsum keras.ops.reshape keras.ops.stack keras.ops.sum keras.ops.mean
    keras.utils.set_random_seed keras.utils.to_categorical
    tensorflow.GradientTape tensorflow.Variable tensorflow.cast tensorflow.gather tensorflow.identity tensorflow.maximum
    tensorflow.random.gamma tensorflow.random.shuffle tensorflow.range tensorflow.shape tensorflow.unstack tensorflow.zeros
    numpy.arange numpy.clip numpy.concatenate numpy.cos numpy.floor numpy.meshgrid numpy.mgrid numpy.pad numpy.radians numpy.rint
    numpy.roll numpy.sin numpy.random.beta numpy.random.choice numpy.random.normal numpy.random.permutation numpy.random.randint
    numpy.random.random numpy.random.seed numpy.random.uniform
    torch.einsum torch.empty torch.from_numpy torch.manual_seed torch.no_grad torch.ones_like torch.randperm torch.sigmoid
    torch.sign torch.tensor torch.zeros torch.zeros_like
"""


def documented(found):
    """The parameters in the docstring of a C function: `name(first, second=..., *, third=...)`."""
    text = (found.__doc__ or "").replace("\n", " ")
    call = re.match(r"\s*\w+\((.*?)\)\s*(?:->|$|  )", text)
    if call is None or call[1] == "...":
        return "*"
    names = re.findall(r"(\*?\w*)\s*(?:=[^,]*)?(?:,|$)", re.sub(r"\([^()]*\)", "", call[1]))
    return " ".join(dict.fromkeys("*" if name.startswith("*") and name != "*" else name for name in names if name))


def parameters(found):
    """The names of the parameters, separated by spaces."""
    if not callable(found):
        return None
    try:
        # Some of Keras' classes accept any arguments in `__new__`, and name them in `__init__`.
        signature = inspect.signature(found.__init__ if inspect.isclass(found) else found)
    except (TypeError, ValueError):
        return documented(found)
    kinds = [one for one in signature.parameters.values() if one.name != "self"]
    if [one.kind for one in kinds] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        return documented(found)
    words = []
    for one in kinds:
        if one.kind == inspect.Parameter.VAR_POSITIONAL:
            words.append("*")
        elif one.kind == inspect.Parameter.VAR_KEYWORD:
            words.extend(inherited(found))
        else:
            words.append(one.name)
    return " ".join(dict.fromkeys(words))


def inherited(found):
    """The parameters that Keras' layers pass to their base class."""
    import keras

    if not (inspect.isclass(found) and issubclass(found, keras.Layer)):
        return []
    return [name for name in inspect.signature(keras.Layer.__init__).parameters if name not in ("self", "kwargs")]


def look_up(name):
    module, *rest = name.split(".")
    found = importlib.import_module(module)
    for part in rest:
        found = getattr(found, part)
    return found


def members(name):
    public = [member for member in dir(look_up(name)) if not member.startswith("_")]
    for member in public:
        full = f"{name}.{member}"
        found = look_up(full)
        if not inspect.ismodule(found):
            yield full, found


def main():
    names = {}
    for name in WHOLE:
        # Keras has many names for each function and class; people write those without a second module.
        names.update((full, parameters(found)) for full, found in members(name))
    for name in METHODS:
        # A method of an instance: the caller does not pass `self`.
        names.update((full, parameters(found)) for full, found in members(name))
    names.update((name, parameters(look_up(name))) for name in SOME.split())
    lines = [f"{json.dumps(name)}: {json.dumps(words)}" for name, words in sorted(names.items())]
    print("{\n" + ",\n".join(lines) + "\n}")


main()
