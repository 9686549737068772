#!/bin/bash
# The stage dose, tiny, with result tables in the cache and without: the tables lie where inputs are seen.
. "$SRC/tests/tool.sh"
if ! command -v make >/dev/null; then skip 'the stage dose' 'no make'; end; fi
r=$tmp/r tables=$tmp/cache/view/benchmarks/cpa
mkdir -p "$r/fetch" "$tables"
printf 'input\n' >"$r/fetch/inputs.tsv"
manifest "$r/fetch" --quiet --stage fetch || exit 1
for k in genecompass genecompass0708; do
	{
		echo ',cell_type,condition,dose_val,R2_mean,R2_mean_DE,R2_var,R2_var_DE,model,num_cells,benchmark,split'
		for i in 1 2 3 4; do echo "$i,x,Drug$i,0.$i,0.9$i,0.8$i,0.7$i,0.6$i,$k,4$i,CPA,ood"; done
	} >"$tables/GSM_new_$k.csv"
done
stage() { # VARIABLE=TEXT...
	make -C "$SRC" --no-print-directory -o "$B/bin/dose" -o "$B/bin/manifest" -o "$r/fetch/MANIFEST.tsv" B="$B" R="$r" PROFILE=small \
		MIRROR= dose_seeds=1 dose_simulated='--genes 20 --drugs 2 --types 1 --families 2 --controls 40 --each 12' \
		dose_network='--epochs 1 --check-every 1 --batch 32 --width 4 --latent 4 --lr 1e-3' "$@" dose
}
t 'with the two tables in the cache'    0 '' stage CACHE="$tmp/cache"
is 'their means are made again'         test "$(awk -F '\t' 'NR > 1 { print $1 }' "$r/dose/released/summary.tsv" | sort -u | wc -l)" = 2
t 'without them'                        0 '' stage CACHE="$tmp/none" seed=2
is 'says so'                            grep -q 'left out, the cache has none' "$tmp/.stdout"
is 'there are none'                     test ! -e "$r/dose/released"
is 'and all else'                       test -s "$r/dose/metrics.tsv"
end
