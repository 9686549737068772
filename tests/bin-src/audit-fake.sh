# shellcheck shell=bash
# Helpers for tests of what reads whole results folders (sourced after tests/tool.sh):
#   fake_results DIR      a chain of stages with made-up files of every kind, closed by `manifest`;
#                         the checkout that they read lies in DIR.source, the cache in DIR.cache
#   change_byte FILE      turns one bit of the byte in the middle
#   change_line FILE      one more digit at the end of the last line
fake_close() { # results stage inputs...
	local r=$1 s=$2 word=()
	shift 2
	[ ! -e "$r/$s/params" ] || word=(--params "$r/$s/params")
	for i in "$@"; do word+=(--input "$i"); done
	manifest "$r/$s" --quiet --stage "$s" "${word[@]}" --base "$r" "$r.source"
}

fake_results() {
	local r=$1 s f sum
	mkdir -p "$r" "$r.source/manifests/inputs" "$r.source/paper" "$r.cache/view/sc"
	mkdir -p "$r"/{simulate/mirror,fetch,import/lung,import/gone,tokenize,pretrain/step-7,annotate,report}
	printf 'body{}\n' >"$r.source/paper/report.css"
	seq 1 999 | gzip -n >"$r.cache/view/sc/lung.csv.gz"
	printf 'g,h\n1,2\n' >"$r/simulate/mirror/sim.csv"
	echo '--cells 2' >"$r/simulate/params"
	fake_close "$r" simulate
	{
		printf 'path\tbytes\tsha256\tneed\tlicence\tsources\tnote\n'
		for f in "$r.cache/view/sc/lung.csv.gz" "$r/simulate/mirror/sim.csv"; do
			sum=$(sha256sum <"$f" | cut -c1-64)
			printf 'sc/%s\t%d\t%s\trequired\tMIT\thttps://example.org/%s\t-\n' "${f##*/}" \
				"$(stat -c %s "$f")" "$sum" "${f##*/}"
		done
		printf 'sc/none.h5\t7\t%064d\toptional\tMIT\thttps://example.org/none\t-\n' 7
	} >"$r.source/manifests/inputs/fake.tsv"
	awk -F '\t' -v OFS='\t' 'NR == 1 { print "path", "bytes", "sha256", "need", "status", "licence", "source"; next }
		{ print $1, $2, $3, $4, $4 == "required" ? "have" : "left-out", $5, $4 == "required" ? $6 : "-" }' \
		"$r.source/manifests/inputs/fake.tsv" >"$r/fetch/inputs.tsv"
	printf 'sample\tpath\tspecies\nlung\tsc/lung.csv.gz\thuman\ngone\tsc/none.h5\tmouse\n' >"$r/fetch/samples.tsv"
	echo 'manifests/inputs/fake.tsv' >"$r/fetch/params"
	echo '3 s' >"$r/fetch/time.log"
	fake_close "$r" fetch "$r.source/manifests/inputs/fake.tsv" "$r/simulate/MANIFEST.tsv"
	printf 'path=sc/lung.csv.gz\nspecies=human\n' >"$r/import/lung/params"
	head -c 4000 /dev/zero | tr '\0' 'c' >"$r/import/lung/cells.h5ad"
	echo '{"n_cells": 3}' >"$r/import/lung/report.json"
	for s in lung gone; do fake_close "$r" "import/$s" "$r/fetch/MANIFEST.tsv"; done
	echo '--max-length 2048' >"$r/tokenize/params"
	head -c 3000 /dev/zero | tr '\0' 't' >"$r/tokenize/shard-00000.h5"
	{
		printf 'cell_id\tsample\tbarcode\tspecies\tlabel\tlength\tn_nonzero\n'
		printf '%016x\tlung\tCell_%d\thuman\tT cell\t20\t25\n' 171 1 172 2 173 3
	} >"$r/tokenize/cells.tsv"
	fake_close "$r" tokenize "$r/import/lung/MANIFEST.tsv" "$r/import/gone/MANIFEST.tsv"
	echo '--steps 7 --seed 1' >"$r/pretrain/params"
	head -c 2000 /dev/zero | tr '\0' 'w' >"$r/pretrain/step-7/model.safetensors"
	echo '{"hidden_size": 8}' >"$r/pretrain/step-7/config.json"
	head -c 999 /dev/zero | tr '\0' 's' >"$r/pretrain/step-7/state.h5"
	echo '{"step": 7, "loss": 1.5}' >"$r/pretrain/log.jsonl"
	fake_close "$r" pretrain "$r/tokenize/MANIFEST.tsv"
	printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >"$r/annotate/metrics.tsv"
	# Two cells of two types, both called the first: precision 1/2 and 0, recall 1 and 0.
	printf 'annotate\tlung\tmajority\tclean\ttest\t1\t%s\t%s\t2\n' accuracy 0.5 macro_f1 0.333333333 \
		macro_precision 0.25 macro_recall 0.5 weighted_f1 0.333333333 balanced_accuracy 0.5 >>"$r/annotate/metrics.tsv"
	printf 'annotate\tlung\tcorpus\tclean\tall\t1\tshare_in_corpus\t1\t2\n' >>"$r/annotate/metrics.tsv"
	printf 'dataset\tmethod\tmetric\tn_seeds\tmean\tci95\nlung\tmajority\taccuracy\t1\t0.5\tnan\n' \
		>"$r/annotate/summary.tsv"
	{
		printf 'cell_id\tdataset\tmethod\tvariant\tsplit\tseed\ttruth\tprediction\tscore\n'
		printf '%016x\tlung\tmajority\tclean\ttest\t1\t%s\tT cell\t1\n' 171 'T cell' 172 'B cell'
	} >"$r/annotate/predictions.tsv"
	fake_close "$r" annotate "$r/pretrain/MANIFEST.tsv" "$r/import/lung/MANIFEST.tsv"
	echo '<svg/>' >"$r/report/scores-01.svg"
	echo '<html/>' >"$r/report/index.html"
	printf '\\newcommand{\\gcCellsKept}{3}\n' >"$r/report/numbers.tex"
	fake_close "$r" report "$r/annotate/MANIFEST.tsv" "$r/fetch/MANIFEST.tsv" "$r.source/paper/report.css"
}

change_byte() {
	python3 - "$1" <<-'END'
		import sys
		with open(sys.argv[1], 'r+b') as f:
		    data = bytearray(f.read())
		    data[len(data) // 2] ^= 1
		    f.seek(0)
		    f.write(data)
	END
}
change_line() { sed -i '$s/$/1/' "$1"; }
