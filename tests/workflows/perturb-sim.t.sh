#!/bin/bash
# The stage that asks on simulated cells whether deletions find targets, at its smallest.
. "$SRC/tests/tool.sh"
sim() { bash "$SRC/workflows/perturb-sim.sh" "$BIN" "$tmp/$1" 9 400 600 24 16 1 64 5 2 20 "$2"; }
t 'one seed of it' 0 '' sim a 2
t 'with one thread' 0 '' sim b 1
is 'the same bytes' cmp "$tmp/a/grn/metrics.tsv" "$tmp/b/grn/metrics.tsv"
is 'of every regulator, too' cmp "$tmp/a/grn/predictions.tsv" "$tmp/b/grn/predictions.tsv"
methods() { cut -f3,4 "$tmp/a/grn/metrics.tsv" | tail -n +2 | sort -u | tr '\t\n' '/ '; }
is 'deletion beside random weights, the published procedure and the counts alone' test "$(methods)" = \
	"co-expression/clean correlation/clean genecompass/clean genecompass-z/clean random-weights/clean random-weights-z/clean released/as-released "
is 'direct targets, indirect ones, one against the other, and those that two share' test "$(cut -f5 "$tmp/a/grn/metrics.tsv" | tail -n +2 |
	sort -u | tr '\n' ' ')" = "wired:direct/indirect wired:direct/others wired:indirect wired:indirect/others "
is 'the simulated counts are gone, what was found stays' bash -c "[ ! -e '$tmp/a/sim' ] && [ -s '$tmp/a/deleted/effects.tsv' ]"
end
