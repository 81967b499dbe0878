#!/bin/sh
# The compiler of the crate under test, and of it alone (RUSTC_WORKSPACE_WRAPPER). It takes a test for a program, and lets its
# thread-locals lie at a fixed distance from the thread pointer, as no library may; no option of a stable compiler changes
# that. This one process may use an unstable one: thread-locals by a call of __emutls_get_address (GCC's emulation), which
# is in libgcc for the native run and in entry.rs for the other.
RUSTC_BOOTSTRAP=1 exec "$@" -Ztls-model=emulated
