"""`make` takes a Python that fits, whatever the machine calls it."""

import shutil
import subprocess
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).resolve().parent.parent / "config" / "venv.sh"

# Answers what the script asks about a Python, and makes an environment that says whose it is.
_PYTHON = """#!{bash}
case "$*" in
    *version_info*) exit {misfit} ;;
    *CONFIG_ARGS*) exit 0 ;;
esac
mkdir -p "$3"
echo {name} > "$3/made-by"
exit {no_venv}
"""


def _run(folder: Path, pythons: dict[str, str]) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run the script where there are these Pythons alone, each as it is described."""
    programs, made = folder / "bin", folder / "venv"
    programs.mkdir()
    for tool in ("bash", "env", "id", "mkdir", "rm"):
        (programs / tool).symlink_to(str(shutil.which(tool)))
    for name, what in pythons.items():
        misfit, no_venv = int(what == "does not fit"), int(what == "has no venv")
        text = _PYTHON.format(bash=shutil.which("bash"), name=name, misfit=misfit, no_venv=no_venv)
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    done = subprocess.run(
        [str(shutil.which("bash")), _SCRIPT, made],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, made


@pytest.mark.parametrize(
    ("pythons", "chosen"),
    [
        ({"python3": "fits", "python3.13": "fits"}, "python3"),
        ({"python3": "does not fit", "python3.12": "fits", "python3.11": "fits"}, "python3.12"),
        ({"python3": "has no venv", "python3.11": "fits"}, "python3.11"),
    ],
)
def test_the_first_python_that_fits_makes_the_environment(tmp_path, pythons, chosen):
    done, made = _run(tmp_path, pythons)

    assert done.returncode == 0, done.stderr
    assert (made / "made-by").read_text() == f"{chosen}\n"


def test_without_one_it_is_said_what_is_needed_and_nothing_is_left(tmp_path):
    done, made = _run(tmp_path, {"python3": "does not fit", "python3.12": "has no venv"})

    assert done.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 with its venv module" in done.stderr
    assert not made.exists()
