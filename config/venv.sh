#!/usr/bin/env bash
# Make the virtual environment $1 with the newest Python that fits (3.11 to 3.13).
set -euo pipefail

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2> /dev/null
}

for python in python3 python3.13 python3.12 python3.11; do
    if fits "$python"; then
        "$python" -m venv "$1" 2> /dev/null && exit 0
        rm -rf "$1"
        # Debian keeps venv in a package of its own.
        if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
            apt-get update -q > /dev/null && apt-get install -y -q python3-venv > /dev/null
            "$python" -m venv "$1" && exit 0
        fi
    fi
done
if command -v uv > /dev/null; then
    exec uv venv --quiet --seed --python '>=3.11,<3.14' "$1"
fi
echo "Orfèvre needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3-venv)." >&2
exit 1
