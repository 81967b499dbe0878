#!/bin/sh
# Puts a browser without windows into a folder, unless there is one: install-browser.sh FOLDER
#
# It is Debian's chromium-headless-shell, with those of its libraries that the machine lacks. They are unpacked, not installed: no root
# is needed, the system stays as it is, and the folder can be kept between runs.
set -eu
folder=$1
package=chromium-headless-shell

if [ -x "$folder/browser/run" ] || command -v chromium-headless-shell chromium google-chrome >/dev/null 2>&1; then
	exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
	echo "error: no browser is installed. Install chromium: tests/tool/page looks at a page with it" >&2
	exit 1
fi
echo "no browser is installed: fetching $package into $folder" >&2
rm -rf "$folder/browser" "$folder/browser.new"
mkdir -p "$folder/browser.new/lists/partial" "$folder/browser.new/cache/archives/partial"
cd "$folder/browser.new"
apt() {
	apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD/cache" "$@"
}
apt update
apt install --yes --download-only --no-install-recommends "$package" >&2
for deb in cache/archives/*.deb; do
	dpkg-deb -x "$deb" root
done
rm -rf lists cache
cat >run <<'END'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
libraries=$(find "$root/lib" "$root/usr/lib" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | tr '\n' ':')
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:-}
export LD_LIBRARY_PATH
exec "$root/usr/lib/chromium/chromium-headless-shell" "$@"
END
chmod +x run
./run --version >&2
cd ..
mv browser.new browser
