#!/bin/bash
# Figures 2 and 6 from what the stages before them leave, in profile test.
. "$SRC/tests/tool.sh"
unset PROFILE R V CACHE MIRROR THREADS
if ! command -v gnuplot >/dev/null; then skip 'figures 2 and 6' 'the package gnuplot-nox is not installed'; end; fi
old=()
for tool in "$B"/bin/*; do old+=(-o "$tool"); done
job() { make -C "$SRC" --no-print-directory "${old[@]}" B="$B" R="$tmp/$1" CACHE="$tmp/cache" PROFILE=test fig2 fig6 "${@:2}"; }
t 'figures 2 and 6, two at a time' 0 '' job a -j2
for f in fig2/fig2a-03 fig2/figs2-01 fig2/fig2c-1-01 fig2/fig2d-simulator-01 fig2/fig2-direct-01 fig2/figs4a-1-01 fig6/fig6b-1-01 \
	fig6/figs10a-1-01 fig6/fig6c-1-01; do
	is "there is $f with its table" test -s "$tmp/a/$f.svg" -a -s "$tmp/a/${f%-0?}.tsv"
done
is 'six conditions of homologs' test "$(cut -f2 "$tmp/a/fig2/figs2.tsv" | tail -n +2 | sort -u | wc -l)" = 6
is 'both random baselines' test "$(grep -c 'chance as released' "$tmp/a/fig2/figs4a-1.tsv")" -gt 3
is 'two levels beside random genes' test "$(cut -f2 "$tmp/a/fig6/fig6b-1.tsv" | tail -n +2 | sort -u | wc -l)" = 4
is 'steps only of cells with the gene in the upper half' grep -q '"top_percent": *50' "$tmp/a/perturb-down/report.json"
sums() { (cd "$tmp/$1" && sha256sum homology/MANIFEST.tsv perturb*/MANIFEST.tsv fig?/MANIFEST.tsv); }
t 'one at a time, with one thread' 0 '' job b -j1 THREADS=1
is 'the same manifests' diff <(sums a) <(sums b)
end
