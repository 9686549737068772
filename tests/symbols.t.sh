#!/bin/bash
# A linker takes the first function of a name that it finds in the library, and says nothing of a second.
. "$SRC/tests/tool.sh"
twins() { nm --defined-only --extern-only "$1" 2>/dev/null | awk '$2 == "T" { n[$3]++ } END { for (s in n) if (n[s] > 1) print s }'; }
is 'no function of the library has a twin' test "$(twins "$BIN/../libgenecompass.a")" = ''

echo 'int one(void); int one(void) { return 1; }' >"$tmp/a.c"
echo 'int one(void); int one(void) { return 2; }' >"$tmp/b.c"
t 'two of a name' 0 '' bash -c "cd '$tmp' && cc -c a.c b.c && ar rc twin.a a.o b.o"
is 'are found' test "$(twins "$tmp/twin.a")" = one
end
