#!/bin/sh
# Puts an old rustc into FOLDER/old-rust, with what std is made from: install-old-rust.sh FOLDER
#
# It is Debian 12's, of 2022. It is unpacked, not installed: no root is needed, and the system and its Rust stay as they are.
set -eu
folder=$1/old-rust

if [ -e "$folder/complete" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
	echo "error: the old rustc comes from Debian's packages, for which there is no apt-get here" >&2
	exit 1
fi
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/debs"
cd "$folder"
folder=$PWD
echo "fetching rustc 1.63 into $folder" >&2
apt() {
	apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" \
		-o Acquire::Languages=none "$@"
}
apt update
(cd debs && apt download rustc=1.63\* libstd-rust-1.63 libstd-rust-dev=1.63\* libllvm14 rust-src=1.63\*)
for deb in debs/*.deb; do
	dpkg-deb -x "$deb" root
done
rm -rf apt debs
# Its libraries are found by their names in the folder of the system's.
printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$folder/root/usr/lib/x86_64-linux-gnu" "$folder/root/usr/bin/rustc" >bin/rustc
chmod +x bin/rustc
bin/rustc --version >&2
: >complete
