#!/bin/bash
# One seed of the simulator, from cells to how well deletions find the regulators' targets:
#   perturb-sim.sh BIN FOLDER SEED CELLS GENES TFS WIDTH LAYERS READ STEPS CONTROLS MAX_CELLS THREADS
# FOLDER gets grn/{metrics,predictions,together}.tsv, and deleted/, released/, random/, pairs/ of perturb. All samples train the
# model, the human ones are asked; genes that a deletion does not truly move are the others.
set -euo pipefail
bin=$1 out=$2 seed=$3 cells=$4 genes=$5 tfs=$6 width=$7 layers=$8 read=$9
shift 9
steps=$1 controls=$2 max_cells=$3 threads=$4
quiet=(--quiet --threads "$threads")
mkdir -p "$out"
"$bin/simulate" --out "$out/sim" --cells "$cells" --genes "$genes" --tfs "$tfs" --seed "$seed" --bad 0 "${quiet[@]}"
"$bin/gene-tables" --inputs "$out/sim/mirror" --out "$out/tables" --quiet
kept=()
while IFS=$'\t' read -r sample path species _; do
	[ "$sample" != sample ] || continue
	"$bin/import" "$out/sim/mirror/$path" --sample "$sample" --species "$species" --out "$out/$sample.raw.h5ad" "${quiet[@]}"
	"$bin/homolog-map" "$out/$sample.raw.h5ad" --tables "$out/tables" --out "$out/$sample.m.h5ad" "${quiet[@]}"
	"$bin/qc-filter" "$out/$sample.m.h5ad" --tables "$out/tables" --out "$out/$sample.h5ad" "${quiet[@]}"
	rm "$out/$sample.raw.h5ad" "$out/$sample.m.h5ad"
	kept+=("$out/$sample.h5ad")
done <"$out/sim/samples.tsv"
human=("$out"/sim_h*.h5ad)
"$bin/vocab" --tables "$out/tables" --out "$out/vocab.tsv" "${quiet[@]}"
"$bin/median" "${kept[@]}" --out "$out/medians.tsv" "${quiet[@]}"
"$bin/tokenize" "${kept[@]}" --vocab "$out/vocab.tsv" --medians "$out/medians.tsv" --out "$out/shards" "${quiet[@]}"
cat >"$out/model.json" <<JSON
{"hidden_size": $width, "num_hidden_layers": $layers, "num_attention_heads": 4, "intermediate_size": $((2 * width)),
 "max_position_embeddings": $read, "hidden_act": "gelu", "hidden_dropout_prob": 0.02,
 "attention_probs_dropout_prob": 0.02, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "use_values": true,
 "use_promoter": false, "use_co_exp": false, "use_gene_family": false, "use_peca_grn": false, "use_cls_token": true}
JSON
"$bin/pretrain" --shards "$out/shards" --tables "$out/tables" --config "$out/model.json" --steps "$steps" --batch 16 \
	--lr 2e-3 --warmup $((steps / 10 + 1)) --held-out 0.02 --keep 1 --seed "$seed" --out "$out/run" "${quiet[@]}"
model=$(find "$out/run" -maxdepth 1 -name 'step-*' | sort -V | tail -n 1)

# What is true: deleting tf_id moves gene_id, through an edge or through other regulators.
gzip -dc "$out/sim/truth/effects.tsv.gz" | awk -F '\t' 'BEGIN { OFS = "\t"; print "tf", "target", "class" }
	NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
	$(c["species"]) == "human" { print $(c["tf_id"]), $(c["gene_id"]), $(c["direct"]) == 1 ? "direct" : "indirect" }' >"$out/truth.tsv"
# Regulators with a token; those that no cell shows are told in a warning.
awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
	$(c["species"]) == "human" && $(c["tf"]) > 0 && $(c["core"]) == 1 { print $(c["id"]) }' "$out/sim/truth/genes.tsv" >"$out/tfs.txt"
ask() { # FOLDER OPTION...
	local to=$1
	shift
	"$bin/perturb" "${human[@]}" --model "$model" --genes-file "$out/${list:-tfs}.txt" --max-cells "$max_cells" --seed "$seed" \
		--out "$out/$to" "${quiet[@]}" "$@" 2>"$out/perturb.log" || { cat "$out/perturb.log" >&2; exit 1; }
}
ask deleted --controls "$controls"
# Pairs of the twelve regulators with the most direct targets.
awk -F '\t' 'NR == FNR { if ($3 == "direct") n[$1]++; next } { print n[$1] + 0 "\t" $1 }' "$out/truth.tsv" "$out/tfs.txt" |
	sort -k1,1nr -k2,2 | head -n 12 | cut -f2 >"$out/pairs.txt"
ask random --controls "$controls" --random-weights
ask released --controls 0 --as-released
list=pairs ask pairs --controls 0 --pairs
"$bin/grn-recognition" --effects genecompass="$out/deleted" released="$out/released" random-weights="$out/random" \
	--pairs genecompass="$out/pairs" \
	--targets wired="$out/truth.tsv" --vocab "$out/vocab.tsv" --counts "${human[@]}" --dataset simulator --seed "$seed" \
	--out "$out/grn" "${quiet[@]}"
rm -r "$out/sim" "$out/shards" "$out/run" "$out/tables" "${kept[@]}" "$out/vocab.tsv" "$out/medians.tsv" "$out/perturb.log"
