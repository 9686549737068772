#!/bin/bash
# make corpus through a real Slurm: samples in any order, one killed, one that fails; then make again.
# The results are those of a run without Slurm, one stage at a time.
. "$SRC/tests/tool.sh"
. "$SRC/tests/slurm.sh"
built=$B
unset B V WERROR OPT SAN CC PROFILE R
cannot() { # reason
	echo "ok 1 # SKIP the corpus through Slurm: $1"
	exit 77
}
lacks=$(slurm_lacks)
[ -z "$lacks" ] || cannot "package missing: $lacks"
slurm_start || cannot "a Slurm of one node does not start here: ${slurm_why:-no reason given}"

corpus() { # results goal-or-variable...
	local r=$1
	shift
	make -C "$SRC" B="$built" PROFILE=test R="$r" CACHE="$tmp/cache" THREADS=1 "$@" corpus ledger
}
manifests() { (cd "$1" && find . -name MANIFEST.tsv | LC_ALL=C sort | xargs sha256sum); }
closed() { local f; for f in "$@"; do [ -e "$f/MANIFEST.tsv" ] || return 1; done; }
open() { [ ! -e "$1/MANIFEST.tsv" ] && [ ! -e "$1/cells.h5ad" ]; }

# What happens to a tool in the middle of its work: its output is written, but has not its name yet.
cat >"$tmp/fault.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    if (strstr(to, "/qc-filter/sim_m1/")) { /* the disk is full */
        errno = ENOSPC;
        return -1;
    }
    if (strstr(to, "/import/sim_h2/")) { /* stands still until it is killed */
        FILE *f = fopen(getenv("FAULT_PID"), "w");
        fprintf(f, "%d\n", (int)getpid());
        fclose(f);
        for (;;)
            pause();
    }
    return next(from, to);
}
C
export FAULT_PID=$tmp/held
is 'a library of faults' cc -shared -fPIC -w -o "$tmp/fault.so" "$tmp/fault.c" -ldl

t 'a corpus without Slurm, one stage at a time' 0 '' corpus "$tmp/serial" -j1

r=$tmp/cluster
corpus "$r" -j8 -k RUN="srun -n1 -c2 --export=ALL,LD_PRELOAD=$tmp/fault.so" >"$tmp/out" 2>"$tmp/err" </dev/null &
make_pid=$!
others_done() { [ -s "$FAULT_PID" ] && closed "$r"/qc-filter/sim_{h1,m2}; }
for ((i = 0; i < 1200; i++)); do
	if others_done || ! kill -0 $make_pid 2>/dev/null; then break; fi
	sleep 0.1
done
is 'while one sample stands still, others get done' others_done
is 'its process dies by SIGKILL in the middle' kill -9 "$(cat "$FAULT_PID")"
status=0
wait $make_pid || status=$?
is 'make ends with an error' test $status = 2
is 'that tells which stage was killed' grep -qE 'import/sim_h2/MANIFEST.tsv\] Error 137' "$tmp/err"
is 'and why another failed' grep -qE "cannot rename .*qc-filter/sim_m1/cells\..*No space left" "$tmp/err"
is 'the killed stage is open' open "$r/import/sim_h2"
is 'and so is the failed one' open "$r/qc-filter/sim_m1"
is 'what hangs on neither is done' closed "$r"/{import,homolog-map}/sim_{h1,m1,m2} "$r/vocab"
is 'what needs all samples did not begin' test ! -e "$r/tokenize/MANIFEST.tsv" -a ! -e "$r/median/MANIFEST.tsv"

t 'a second make' 0 '' corpus "$r" -j8 RUN='srun -n1 -c2'
is 'repairs only what is open' test "$(grep -c STAGE "$tmp/.stdout")" = 10
is 'every manifest is the one of the serial run' diff <(manifests "$tmp/serial") <(manifests "$r")
is 'which closes every sample' closed "$r"/qc-filter/sim_{h1,h2,m1,m2}
t 'a third make' 0 '' corpus "$r" -j8 RUN='srun -n1 -c2'
is 'has nothing to do' test "$(grep -c STAGE "$tmp/.stdout")" = 0

# The samples from the last to the first, each to its end.
r=$tmp/reverse
backwards=()
for s in sim_m2 sim_m1 sim_h2 sim_h1; do backwards+=("$r/qc-filter/$s/MANIFEST.tsv"); done
t 'samples in the other order' 0 '' corpus "$r" -j1 RUN='srun -n1 -c2' "${backwards[@]}"
is 'come in that order' test "$(grep -oE 'qc-filter/sim_..' "$tmp/.stdout" | tr '\n' ' ')" = \
	'qc-filter/sim_m2 qc-filter/sim_m1 qc-filter/sim_h2 qc-filter/sim_h1 '
is 'and make the same corpus' diff <(manifests "$tmp/serial") <(manifests "$r")
end
