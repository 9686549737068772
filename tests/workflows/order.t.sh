#!/bin/bash
# What is about all results comes after what else was asked for in the same call: planned, not run.
. "$SRC/tests/tool.sh"
if ! command -v make >/dev/null; then skip 'the order of goals' 'no make'; end; fi
unset R V CACHE MIRROR THREADS
plan() { # GOAL...: tools by their first call
	make -C "$SRC" --no-print-directory -n B="$B" R="$tmp/r" CACHE="$tmp/c" PROFILE=small MIRROR= "$@" 2>/dev/null |
		grep -oE 'GC_TIMES=[^ ]* +[^ ]*/bin/(crate|paper|report|corpus-ledger)|/bin/audit [^ ]*/r ' | sed 's,.*/bin/,,; s, .*,,' | awk '!n[$0]++' | tr '\n' ' '
}
is 'the crate after the paper'           test "$(plan crate paper)" = 'corpus-ledger report paper crate '
is 'whatever the order of the words'     test "$(plan paper crate)" = 'corpus-ledger report paper crate '
is 'the audit after all'                 test "$(plan audit crate paper)" = 'corpus-ledger report paper crate audit '
is 'the page has the ledger of the corpus' test "$(plan report)" = 'corpus-ledger report '
end
