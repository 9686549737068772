#!/bin/bash
# pretrain: the same bytes whatever the threads, the ranks and the interruptions; what it refuses.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"

# Cells of many lengths: cell c of n has about 20 + 100 c / n of 300 genes.
varied_counts() { # PREFIX CELLS
	corpus_counts "$1" "$2" | awk -F, -v n="$2" 'BEGIN { OFS = FS } NR > 1 {
		for (c = 2; c <= n + 1; c++)
			if ((NR * 37 + c * 11) % 300 > 20 + 100 * c / n) $c = 0
	} { print }'
}
corpus_shards() { # CELLS of each species -> $tmp/s
	corpus_tables
	varied_counts G "$1" >"$tmp/h.csv"
	varied_counts g "$1" >"$tmp/m.csv"
	import "$tmp/h.csv" --species human --sample h --out "$tmp/h.h5ad" --quiet &&
		import "$tmp/m.csv" --species mouse --sample m --out "$tmp/m.h5ad" --quiet || return 1
	for s in h m; do qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --min-genes 10 --out "$tmp/$s.q.h5ad" --quiet || return 1; done
	vocab --tables "$tmp/tables" --out "$tmp/v.tsv" --quiet &&
		median "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/med.tsv" --quiet &&
		tokenize "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$tmp/s" --quiet
}
is 'cells to learn from' corpus_shards 60
cat >"$tmp/model.json" <<'JSON'
{"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
 "max_position_embeddings": 96, "hidden_act": "gelu", "hidden_dropout_prob": 0.02,
 "attention_probs_dropout_prob": 0.02, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
 "use_values": true, "use_promoter": false, "use_co_exp": false, "use_gene_family": false,
 "use_peca_grn": false, "use_cls_token": true}
JSON

# A dozen steps of micro-batches of about three cells; a checkpoint every five.
pre() { # OUT OPTION...
	local out=$1
	shift
	pretrain --shards "$tmp/s" --tables "$tmp/tables" --config "$tmp/model.json" --steps 12 --batch 16 \
		--lr 1e-3 --warmup 3 --held-out 0.2 --eval-every 6 --checkpoint-every 5 --micro-rows 250 \
		--out "$out" --quiet "$@"
}
# What equal runs have in common: all but speed.log.
sums() { (cd "$1" && find . -type f ! -name speed.log | sort | xargs sha256sum); }
same() { diff <(sums "$tmp/a") <(sums "$1"); }

t 'a run' 0 '' pre "$tmp/a" --threads 1
is 'the log has a line for each step' test "$(grep -c '"split": "train"' "$tmp/a/log.jsonl")" = 12
is 'and one for each evaluation' test "$(grep -c '"split": "val"' "$tmp/a/log.jsonl")" = 3
for k in 2 4; do
	t "with $k threads" 0 '' pre "$tmp/t$k" --threads "$k"
	is 'the same bytes' same "$tmp/t$k"
done

# --- ranks ---------------------------------------------------------------------------------
if ! [ -e "$B/lib/gc-mpi.so" ] || ! command -v mpirun >/dev/null; then
	skip 'ranks' 'the packages libopenmpi-dev and openmpi-bin are not installed'
else
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	# MPI keeps memory to its end, which is no leak of ours.
	export ASAN_OPTIONS=detect_leaks=0
	ranks() { # N COMMAND...
		local ranks=$1
		shift
		mpirun --oversubscribe --mca btl self,vader,tcp -n "$ranks" "$@"
	}
	export -f pre
	export tmp
	rpre() { # N OUT OPTION...
		local ranks=$1
		shift
		ranks "$ranks" bash -c 'pre "$@"' pre "$@" --threads 1
	}
	for k in 2 3 4; do
		t "$k ranks" 0 '' rpre "$k" "$tmp/r$k"
		is 'the same bytes' same "$tmp/r$k"
	done
fi
end
