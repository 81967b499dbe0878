#!/bin/sh
# The linker of the test programs: keeps the objects and libraries that rustc hands it, in order, and links them as usual.
# They are kept in a folder named after the program, below $RSYSO_KEEP.
out=
previous=
for argument; do
    case $argument in @*) echo "arguments in a file are not expected here" >&2; exit 1 ;; esac
    [ "$previous" = -o ] && out=$argument
    previous=$argument
done
keep=$RSYSO_KEEP/$(basename "$out")
rm -rf "$keep"
mkdir -p "$keep"
number=100
for argument; do
    case $argument in
    *.o | *.rlib)
        cp "$argument" "$keep/$number-$(basename "$argument")"
        number=$((number + 1))
        ;;
    esac
done
exec cc "$@"
