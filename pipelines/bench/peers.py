"""Makes what the commands are compared with ready to run, or says why it cannot be."""
import os, shutil, subprocess, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# LLaMA-Factory takes any PyTorch, but of torchaudio only the release that was made with it.
TOKENIZERS = ["tokenizers==0.23.3", "gigatoken==0.10.0", "fastokens==0.3.5"]
LLAMAFACTORY = ["llamafactory==0.9.5", "torch==2.11.0", "torchaudio==2.11.0"]


class Unavailable(Exception):
    pass


def _call(*command):
    try:
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}")
    if done.returncode != 0:
        said = done.stdout.strip().splitlines()
        raise Unavailable(f"{' '.join(map(str, command[:3]))} ... ended with status {done.returncode}: {said[-1] if said else 'nothing was said'}")
    return done.stdout


def iterate_simdjson(folder):
    """Compiles it against the simdjson that uf-convert is linked to. Returns its path."""
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ["g++", "clang++"]), None)
    if not compiler:
        raise Unavailable("there is no C++ compiler (g++, clang++, or the environment's CXX)")
    program = folder / "iterate_simdjson"
    _call(compiler, "-std=c++17", "-O3", "-march=native", HERE / "iterate_simdjson.cpp", "-o", program, "-lsimdjson", "-pthread")
    return program


def _environment(folder, packages, check):
    """A virtual environment with the packages. Returns its Python."""
    python = folder / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", check], stderr=subprocess.DEVNULL).returncode != 0:
        print(f"installing {', '.join(packages)} into {folder}", file=sys.stderr)
        _call(sys.executable, "-m", "venv", folder)
        _call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return python


def python(folder):
    """A Python with numpy and orjson."""
    return _environment(folder, ["numpy", "orjson"], "import numpy, orjson")


def tokenizers(folder):
    """A Python with the fastest encoders, and the one whose ids are right."""
    return _environment(folder, TOKENIZERS, "import tokenizers, gigatoken, fastokens")


def llamafactory(folder, given):
    """A Python with LLaMA-Factory: the one given, or with `install` one made here (about 7 GB)."""
    if not given:
        raise Unavailable("LLAMAFACTORY=install downloads it with PyTorch (about 7 GB); LLAMAFACTORY=PYTHON names a Python that has it")
    if given == "install":
        return _environment(folder, LLAMAFACTORY, "import llamafactory.data.loader")
    _call(given, "-c", "import llamafactory.data.loader")
    return given
