#!/bin/bash
# Profile test from the simulator to the tables: it runs, rests, and gives the same wherever it lies.
. "$SRC/tests/tool.sh"
if ! command -v make >/dev/null; then skip 'the stages simulate, fetch and tables' 'no make'; end; fi
old=(-o "$B/bin/simulate" -o "$B/bin/fetch" -o "$B/bin/gene-tables" -o "$B/bin/manifest")
stage() { # R SEED WORD...
	make -C "$SRC" --no-print-directory "${old[@]}" B="$B" R="$1" CACHE="$1/cache" PROFILE=test \
		simulate_cells=40 simulate_genes=400 simulate_tfs=20 simulate_seed="$2" tables "${@:3}"
}
rests() { stage "$@" >"$tmp/out" && ! grep -q STAGE "$tmp/out"; }
t 'runs from nothing'                   0 '56 new'  stage "$tmp/a" 1
is 'and rests'                          rests "$tmp/a" 1
is 'the samples are the simulators'     bash -c "[ \"\$(cut -f1 $tmp/a/fetch/samples.tsv | tr '\n' ' ')\" = 'sample sim_h1 sim_h2 sim_m1 sim_m2 ' ]"
is 'the manifests hold'                 manifest --check "$tmp/a/tables" --base "$tmp/a" "$SRC"
is 'and that of the simulator'          manifest --check "$tmp/a/simulate" --base "$tmp/a" "$SRC"
t 'elsewhere, with other threads'       0 ''  stage "$tmp/b" 1 THREADS=3
for s in simulate fetch tables; do
	is "gives the same manifest of $s"  cmp "$tmp/a/$s/MANIFEST.tsv" "$tmp/b/$s/MANIFEST.tsv"
done
t 'another seed runs all again'         0 ''  stage "$tmp/b" 2
is 'and gives other tables'             bash -c "! cmp -s $tmp/a/tables/genes.tsv $tmp/b/tables/genes.tsv"
is 'and rests with it'                  rests "$tmp/b" 2
end
