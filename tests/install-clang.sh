#!/bin/sh
# Puts clang into FOLDER/clang/bin, unless the machine has one: install-clang.sh FOLDER
#
# It comes from Debian, with the libraries that the machine lacks. It is unpacked, not installed: no root is needed, and the system stays as it is.
set -eu
folder=$1/clang

if [ -e "$folder/complete" ]; then
	exit 0
fi
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
cd "$folder"
folder=$PWD

if ! command -v clang >/dev/null; then
	if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
		echo "error: clang is missing: install it" >&2
		exit 1
	fi
	echo "fetching clang into $folder" >&2
	apt() {
		apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Dir::State::Lists="$folder/apt/lists" \
			-o Dir::Cache="$folder/apt/cache" -o Acquire::Languages=none "$@"
	}
	apt update
	apt install --yes --download-only --no-install-recommends clang >&2
	for deb in apt/cache/archives/*.deb; do
		dpkg-deb -x "$deb" root
	done
	libraries=$folder/root/usr/lib/x86_64-linux-gnu
	for llvm in "$folder"/root/usr/lib/llvm-*; do
		# clang starts itself, by its own name.
		printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries:$llvm/lib" "$llvm/bin/clang" >bin/clang
	done
	chmod +x bin/clang
	bin/clang --version >&2
fi
rm -rf apt
touch complete
