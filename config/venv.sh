#!/usr/bin/env bash
# Make the virtual environment $1 with a Python that fits (3.11 to 3.13).
#
# A Python compiled without its profile-guided optimisation, which pyenv and a plain `make` leave
# out, takes a fifth longer for everything: the distribution's goes first, then.
set -euo pipefail

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2> /dev/null
}

is_optimised() {
    "$1" -c 'import sys, sysconfig as s
sys.exit("--enable-optimizations" not in (s.get_config_var("CONFIG_ARGS") or ""))' 2> /dev/null
}

pythons=(python3 python3.13 python3.12 python3.11)
if ! is_optimised python3; then
    pythons=(/usr/bin/python3 "${pythons[@]}")
fi
for python in "${pythons[@]}"; do
    if fits "$python"; then
        "$python" -m venv "$1" 2> /dev/null && exit 0
        rm -rf "$1"
    fi
done
# Debian keeps venv in a package of its own.
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null && fits /usr/bin/python3; then
    apt-get update -q > /dev/null && apt-get install -y -q python3-venv > /dev/null
    /usr/bin/python3 -m venv "$1" && exit 0
    rm -rf "$1"
fi
if command -v uv > /dev/null; then
    exec uv venv --quiet --seed --python '>=3.11,<3.14' "$1"
fi
echo "Orfèvre needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3-venv)." >&2
exit 1
