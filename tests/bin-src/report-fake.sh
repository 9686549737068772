#!/bin/bash
# Writes a results folder as the stages would leave it, all numbers made up, for tests of `report`:
#   report-fake.sh DIR [N_CELLS]
# Names hold what breaks careless pages: < > & " ' backslash, umlauts, TeX and gnuplot signs.
set -euo pipefail
r=$1 n=${2:-3000}
export LC_ALL=C.UTF-8
mkdir -p "$r"/{fetch,tables,vocab,median,tokenize,knowledge,pretrain/step-{10,400},map,map-random}
mkdir -p "$r"/{map-counts,annotate,zero-shot,embed,embed-random}
export evil='a<b>&"q"'\''s'\''_ü$\%'
samples=(celltypist pbmc_1k_v2 baron_mouse1 "$evil")
species=(human human mouse mouse)

{
	printf 'path\tbytes\tsha256\tneed\tstatus\tlicence\tsource\n'
	for i in {1..12}; do
		printf 'sc/%02d.csv.gz\t%d\t%064d\t%s\t%s\tMIT\t%s\n' "$i" $((i * 123457)) "$i" \
			"$([ "$i" -le 3 ] && echo required || echo optional)" \
			"$([ "$i" -le 9 ] && echo have || echo left-out)" \
			"$([ "$i" -le 3 ] && echo "pip:celltypist==1.7.1!data/$i.csv" ||
				echo "https://example.org/a&b/<$i>.csv.gz!x.csv")"
	done
	printf '%s\t77\t%064d\toptional\thave\tCC <BY> & "4.0"\tfile:/home/somebody/x\n' "$evil" 99
} >"$r/fetch/inputs.tsv"

json() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g'; }
for i in "${!samples[@]}"; do
	s=${samples[$i]} sp=${species[$i]}
	mkdir -p "$r/import/$s" "$r/homolog-map/$s" "$r/qc-filter/$s"
	cells=$((559 + i * 700)) kept=$((500 + i * 500))
	cat >"$r/import/$s/report.json" <<-EOF
		{"sample": "$(json "$s")", "species": "$sp", "kind": "10x <h5> & more", "n_cells": $cells,
		 "n_genes": 32786, "nnz": 1234567, "total": 7654321}
	EOF
	cat >"$r/homolog-map/$s/report.json" <<-EOF
		{"species": "$sp", "n_cells": $cells, "columns_in": 32786, "genes_mapped": $((20000 - i * 900))}
	EOF
	cat >"$r/qc-filter/$s/report.json" <<-EOF
		{"preset": "paper", "genes": {"genes_mapped": 19000, "genes_with_token": 18000}, "cells_in": $cells,
		 "rules": {"min_genes": 200, "min_cells": 4},
		 "dropped": {"P1": 0, "P2": $(((cells - kept) / 2)), "P4": $((cells - (cells - kept) / 2 - kept - 11)),
		  "|z| > 3 & \"far\"": 11},
		 "cells_after": {"P1": $cells, "P2": $((cells - (cells - kept) / 2)), "P4": $((kept + 11)),
		  "|z| > 3 & \"far\"": $kept}, "kept": $kept}
	EOF
done

# A sample whose input could not be had: only manifests.
for stage in import homolog-map qc-filter; do
	mkdir -p "$r/$stage/gone<1>"
	printf 'kind\tname\tbytes\tsha256\nstage\t%s/gone<1>\t-\t-\n' "$stage" >"$r/$stage/gone<1>/MANIFEST.tsv"
done

awk 'BEGIN { OFS = "\t"; print "token", "id", "name", "species", "biotype", "homolog"
	print 0, "<pad>", "<pad>", "-", "-", -1; print 1, "<mask>", "<mask>", "-", "-", -1
	for (i = 2; i < 1002; i++) print i, "ENSG" i, "G" i, "human", "protein_coding", i < 702 ? i + 1000 : -1
	for (i = 1002; i < 1902; i++) print i, "ENSMUSG" i, "g" i, "mouse", "protein_coding", i < 1702 ? i - 1000 : -1
}' >"$r/vocab/vocab.tsv"
echo '{"n_genes": 61000, "n_pairs": 16123, "source": "/secret/place/genes.csv"}' >"$r/tables/report.json"
echo '{"n_genes": 1900, "n_cells": 5012, "largest_median": 12.5}' >"$r/median/report.json"
echo '{"n_cells": 5012, "n_tokens": 4123456, "max_tokens": 2048, "value": "raw-median", "mean_length": 822.7}' \
	>"$r/tokenize/report.json"
echo '{"n_pairs": 812345, "epochs": 10, "loss": 0.4321, "inputs": [{"pairs_above": 1245, "null_above": 104}, {"pairs_above": 5, "null_above": 7}]}' >"$r/knowledge/coexpression.json"
echo '{"auc_mean": 0.5012, "permutations": 100}' >"$r/knowledge/coexpression.null.json"
printf '{"n_families": 1645, "covered": true, "inputs": [{"species": "human", "families": 1037, "families_in_the_paper": 1645}, {"why_not_the_paper_s_count": "%s"}]}\n' \
	"$(json "$evil")" >"$r/knowledge/family.json"
mkdir -p "$r/knowledge-report"
{
	printf 'kind\tspecies\tmeasure\tof\trows\tvalue\tn\n'
	printf 'family\thuman\t%s\n' $'coverage\t-\t-\t0.5\t20000' $'norm\t-\tlearned\t3.25\t10000' $'norm\t-\tfilled\t1.5\t10000' \
		$'link AUROC\t-\tgene2vec cosine\t0.9123\t777' $'link AUROC\t-\tdegree product\t0.61\t777' $'link AUROC\t-\tAdamic-Adar\t0.99\t777' \
		$'recovery\tfamily\ttable\t0.8125\t1000' $'recovery\tfamily\tshuffled\t0.01\t1000' $'recovery\tfamily\trandom\t0.011\t1000' \
		$'recovery\tfamily\tbaseline\t0.25\t1000' "recovery	$(json "$evil")	table	0.5	7" $'agreement\tgrn\ttable\t0.123\t900' $'agreement\tgrn\tshuffled\t0.004\t900'
	printf 'grn\tmouse\tcoverage\t-\t-\t0\t18000\n'
} >"$r/knowledge-report/worth.tsv"
printf 'truth\tspecies\tkind\tpairs\theld\tshare\n%s\thuman\tfamily\t4321\t432\t0.1\n' "$evil" >"$r/knowledge-report/leakage.tsv"
mkdir -p "$r/cross-species"
{
	printf 'dataset\tmetric\tmethod\tagainst\tn_seeds\tmean_difference\tci95\n'
	printf '%s\taccuracy\tgenecompass+came\tcame\t20\t0.0625\t0.025\n' "$evil"
	printf 'up-down\taccuracy\tgenecompass+came\tcame\t20\t-0.03125\t0.05\n'
	printf 'one\taccuracy\tgenecompass+came\tcame\t1\t0.5\tnan\n'
} >"$r/cross-species/comparisons.tsv"
mkdir -p "$r/authors"
printf 'kind\tspecies\tmeasure\tvalue\tn\nfamily\thuman\tmantel r\t0.456\t1000\n' >"$r/authors/diff.tsv"

awk 'BEGIN { srand(7); for (i = 0; i < 400; i++) {
	id = 5.9 + 1.6 * exp(-i / 60) + 0.1 * rand(); v = 0.42 + 0.5 * exp(-i / 30) + 0.03 * rand()
	printf "{\"step\": %d, \"loss\": %.6f, \"id_loss\": %.6f, \"value_loss\": %.6f, \"lr\": %.3g, \"grad_norm\": 1.2, \"cells\": 32, \"genes\": 26000}\n",
		i + 1, 0.2 * id + 0.8 * v, id, v, 1e-3 * (1 - i / 400)
	if (i % 50 == 0 || i == 399) printf "{\"step\": %d, \"split\": \"val\", \"id_loss\": %.6f, \"value_loss\": %.6f, \"accuracy\": %.6f, \"cells\": 51}\n",
		i + 1, 5.95 + 1.6 * exp(-i / 60), 0.44 + 0.5 * exp(-i / 30), 0.1 - 0.09 * exp(-i / 60)
} }' >"$r/pretrain/log.jsonl"
echo '{"id_loss": 6.41, "value_loss": 0.47, "accuracy": 0.0123, "cells": 51, "masked": 6000, "what": "-"}' \
	>"$r/pretrain/baselines.json"
echo '{"backend": "cpu", "parameters": 1234567, "steps": 400, "train_cells": 4961, "held_out_cells": 51,
 "knowledge": {"grn": {"given": true, "present": 1234}, "promoter": {"given": false, "present": 0}}}' \
	>"$r/pretrain/report.json"
cat >"$r/pretrain/step-400/config.json" <<'EOF'
{"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "max_position_embeddings": 2048,
 "vocab_size": 1902}
EOF
echo '{"hidden_size": 1}' >"$r/pretrain/step-10/config.json"

map() { # folder spread of the types
	awk -v n="$n" -v k="$2" -v seed="$3" 'BEGIN { srand(seed); evil = ENVIRON["evil"]; OFS = "\t"; pi = 3.14159265
		print "cell_id", "sample", "species", "label", "x", "y"
		nt = split("alpha,beta,ductal,acinar,delta,T cell CD4+ naïve,B cell,monocyte,NK cell,endothelial", type, ",")
		type[2] = evil; type[++nt] = "beta"; type[++nt] = "-"
		for (i = 0; i < n; i++) { t = 1 + int(nt * rand() * rand()); m = rand() < 0.4
			g = sqrt(-2 * log(1 - rand())); a = 2 * pi * rand()
			printf "%.0f\t%s\t%s\t%s\t%.4f\t%.4f\n", 1000003 * i + 17, "s", m ? "mouse" : "human", type[t],
				k * cos(t * 2.4) * sqrt(t) + m * 0.8 + g * cos(a), k * sin(t * 2.4) * sqrt(t) + g * sin(a)
		} }' </dev/null >"$r/$1/map.tsv"
	printf '{"n_cells": %d, "neighbours_same_type": 0.%d1, "species_mixing": 0.%d3}\n' "$n" $((9 - $3)) "$3" \
		>"$r/$1/map.json"
}
map map 3 1
map map-random 1.2 2
map map-counts 4 3

{
	printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n'
	awk 'BEGIN { srand(3); evil = ENVIRON["evil"]; OFS = "\t"
		nd = split("baron_pair_human,pbmc_sorted", ds, ","); ds[++nd] = evil
		nm = split("genecompass+logistic,random-weights+logistic,pca+logistic,majority", me, ",")
		split("0.72,0.55,0.78,0.11", base, ",")
		for (d = 1; d <= nd; d++) for (m = 1; m <= nm; m++) for (s = 1; s <= 5; s++) {
			x = base[m] + (d == 2 && m == 1 ? 0.12 : 0) + 0.05 * (rand() - 0.5)
			print "annotate", ds[d], me[m], "clean", "test", s, "macro_f1", sprintf("%.6f", x), 400 + d
			print "annotate", ds[d], me[m], "clean", "test", s, "accuracy", sprintf("%.6f", x + 0.1), 400 + d
			print "annotate", ds[d], me[m], "clean", "val", s, "macro_f1", m == 4 ? "nan" : sprintf("%.6f", x + 0.02), 50
		}
		print "annotate", ds[1], "corpus", "clean", "all", 1, "share_in_corpus", 0.75, 400 }' </dev/null
} >"$r/annotate/metrics.tsv"
{
	printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n'
	for m in genecompass hvg+pca majority; do
		for s in 1 2 3; do printf 'zero-shot\tlines\t%s\tclean\t5-fold\t%d\tmacro_f1\t0.6%d1\t300\n' "$m" "$s" "$s"; done
		[ "$m" = majority ] || printf 'zero-shot\tlines\t%s\tclean\tall\t1\tbatch_lisi\t1.375\t300\n' "$m"
	done
} >"$r/zero-shot/metrics.tsv"

# The paper's figures, as their stages leave them, and the ledgers.
mkdir -p "$r"/fig5 "$r"/fig4c "$r"/corpus-ledger "$r"/ledger "$r"/dose
svg() { # title
	printf '<?xml version="1.0" encoding="utf-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" role="img" aria-label="x">\n<title>%s</title>\n<style>svg{background:#fff}</style><path d="M1,1L8,8" stroke="#000"/></svg>\n' "$1"
}
svg 'error on &lt;odd&gt; &amp; even' >"$r/fig5/fig5b-01.svg"
svg 'a title "in quotes"' >"$r/fig5/fig5c-01.svg"
svg 'a < b' >"$r/fig5/fig5 d.svg"
printf 'method\tmean\tlow\thigh\tn\ngears\t0.12345678\t-\t-\t1234567\n%s\t1e-7\tnan\t0.5\t2\n' "$evil" >"$r/fig5/fig5b.tsv"
printf 'claim\tverdict\n%s\tnot testable here\n' "$evil" >"$r/fig5/fig5-claims.tsv"
printf 'a\n1\n' >"$r/fig4c/fig4c-spread.tsv"
printf 'what\tcells_source\tcells_in\tafter_P1\tkept\tpublished\nhuman\t1259\t1259\t1250\t1000\t53568337\n' >"$r/corpus-ledger/sums.tsv"
printf 'sample\tspecies\tstate\tcells_source\tcells_in\tafter_P1\tkept\treason\n%s\thuman\tlost\t70\t70\t0\t0\tno <cell> is left\nlung\thuman\tkept\t9\t9\t9\t8\t-\n' \
	"$evil" >"$r/corpus-ledger/ledger.tsv"
printf 'sample\tcells\tno_counts\trepeated\tin_other_samples\tshare\n%s\t100\t0\t7\t12\t0.12\n' "$evil" >"$r/ledger/samples.tsv"
printf 'set\tcells\tno_counts\tin_corpus\tshare\nzeisel\t1000\t0\t938\t0.938\n' >"$r/ledger/sets.tsv"
{
	printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n'
	for s in 1 2; do printf 'dose\tsciplex\tcpa\t%s\tood\t%d\tr2\t%s\t4\n' clean "$s" "0.$((s + 5))" as-released "$s" "0.$((s + 2))"; done
	printf 'dose\tsciplex\tlinear\tclean\tood\t1\tr2\t0.9\t4\n'
} >"$r/dose/metrics.tsv"

manifest() { # folder stage params...
	local d=$1 s=$2
	shift 2
	{
		printf 'kind\tname\tbytes\tsha256\nstage\t%s\t-\t-\nversion\t0.1.0\t-\t-\n' "$s"
		for p in "$@"; do printf 'param\t%s\t-\t-\n' "$p"; done
		(cd "$d" && find . -type f ! -name MANIFEST.tsv -printf '%P\n' | sort | while IFS= read -r f; do
			printf 'output\t%s\t%d\t%s\n' "${f//\\/\\\\}" "$(stat -c %s "$f")" "$(sha256sum <"$f" | cut -d' ' -f1)"
		done)
	} >"$d/MANIFEST.tsv"
}
for s in fetch tables vocab median tokenize knowledge knowledge-report pretrain map map-random map-counts annotate \
	fig5 fig4c corpus-ledger ledger dose; do
	manifest "$r/$s" "$s" "--seed 0" "--note <&\"'>"
done
for s in import homolog-map qc-filter; do
	for d in "$r/$s"/*/; do manifest "${d%/}" "$s" "--preset paper"; done
done
