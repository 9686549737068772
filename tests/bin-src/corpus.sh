# A small corpus for the tests of its tools (sourced, behind tool.sh): $tmp/tables, and two samples,
# $tmp/h.csv (9 human cells) and $tmp/m.csv (6 mouse cells), imported to $tmp/h.h5ad, $tmp/m.h5ad.
# Human genes 1..300 are G1.. with ids ENSG00000000001..; 1..280 core and protein-coding, the last
# 20 not core, of them MT-5 (300) mitochondrial. Mouse genes g1..g300 the same, the first 250 with
# homologs; g250 has the homolog of g249.
corpus_tables() {
	mkdir -p "$tmp/tables"
	awk 'BEGIN {
		OFS = "\t"
		print "id", "name", "species", "biotype", "core", "token", "median", "homolog"
		for (s = 0; s < 2; s++)
			for (i = 1; i <= 300; i++) {
				name = (s ? "g" : "G") i
				if (i == 300) name = s ? "mt-5" : "MT-5"
				hom = s && i <= 250 ? sprintf("ENSG%011d", i == 250 ? 249 : i) : "-"
				print sprintf(s ? "ENSMUSG%011d" : "ENSG%011d", i), name, s, \
					i <= 280 ? "protein_coding" : "other", i <= 280 ? 1 : 0, -1, "-", hom
			} }' >"$tmp/tables/genes.tsv"
	printf 'name\tid\tspecies\nOLD7\tENSG00000000007\t0\n' >"$tmp/tables/aliases.tsv"
}

# corpus_counts PREFIX CELLS: genes x cells; the last cell has 100 genes, the one before it 10 times
# the counts. Row 7 has an older name, row 301 none that anyone knows.
corpus_counts() {
	awk -v p="$1" -v n="$2" 'BEGIN {
		OFS = ","
		line = ""
		for (c = 1; c <= n; c++) line = line "," "cell" c
		print line
		for (i = 1; i <= 301; i++) {
			name = p i
			if (p == "G" && i == 7) name = "OLD7"
			if (i == 300) name = p == "G" ? "MT-5" : "mt-5"
			if (i == 301) name = "unheard-of"
			line = name
			for (c = 1; c <= n; c++) {
				v = (i * 7 + c * 3) % 5 + (i % 3 == 0)
				if (c == n && i > 100) v = 0
				if (c == n - 1) v *= 10
				line = line "," v
			}
			print line
		} }'
}

corpus_files() {
	corpus_tables
	corpus_counts G 9 >"$tmp/h.csv"
	corpus_counts g 6 >"$tmp/m.csv"
	import "$tmp/h.csv" --species human --sample h --out "$tmp/h.h5ad" --quiet &&
		import "$tmp/m.csv" --species mouse --sample m --out "$tmp/m.h5ad" --quiet
}

# number FILE.json KEY: the first value of that key
number() { grep -o "\"$2\": [^,]*" "$1" | head -1 | sed 's/.*: //'; }

# corpus_tokens SAMPLE...: vocabulary, medians and shards in $tmp/{v.tsv,med.tsv,s} of $tmp/SAMPLE.q.h5ad...
corpus_tokens() {
	vocab --tables "$tmp/tables" --out "$tmp/v.tsv" --quiet &&
		median "${@/%/.q.h5ad}" --out "$tmp/med.tsv" --quiet &&
		tokenize "${@/%/.q.h5ad}" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$tmp/s" --quiet
}

# corpus_config GENES: $tmp/model.json, two layers of width 16 over so many genes of a cell.
corpus_config() {
	cat >"$tmp/model.json" <<-JSON
		{"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
		 "max_position_embeddings": $1, "hidden_act": "gelu", "hidden_dropout_prob": 0.02,
		 "attention_probs_dropout_prob": 0.02, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
		 "use_values": true, "use_promoter": false, "use_co_exp": false, "use_gene_family": false,
		 "use_peca_grn": false, "use_cls_token": true}
	JSON
}

# corpus_model: a model of width 16 that reads 64 genes of both samples, after two steps, in $tmp/run
corpus_model() {
	corpus_files || return 1
	local s
	for s in h m; do qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.q.h5ad" --quiet || return 1; done
	corpus_tokens "$tmp/h" "$tmp/m" || return 1
	corpus_config 64
	pretrain --shards "$tmp/s" --tables "$tmp/tables" --config "$tmp/model.json" --steps 2 --batch 4 --lr 1e-3 \
		--warmup 1 --held-out 0.2 --out "$tmp/run" --quiet
}

# corpus_families: $tmp/hgnc.json, families of twelve of the first 240 genes: G1..G12, ...
corpus_families() {
	{
		printf '{"response":{"docs":['
		for i in $(seq 1 240); do
			printf '%s{"symbol":"G%d","gene_family_id":[%d]}' "$([ "$i" = 1 ] || echo ,)" "$i" $(((i - 1) / 12))
		done
		printf ']}}'
	} >"$tmp/hgnc.json"
}

# types_model: labelled samples of two types, sim_h1, sim_h2 and sim_m1 ($tmp/NAME.h5ad as imported,
# .m.h5ad mapped, .q.h5ad filtered), tables, and a model of width 16 after a few steps, in $tmp/run.
types_model() {
	simulate --out "$tmp/sim" --cells 400 --types 2 --seed 2 --quiet &&
		gene-tables --inputs "$tmp/sim/mirror" --out "$tmp/tables" --quiet || return 1
	local s
	for s in human/sim_h1 human/sim_h2/filtered_feature_bc_matrix.h5 mouse/sim_m1; do
		local name=${s#*/}
		name=${name%%/*}
		import "$tmp/sim/mirror/sc_$s" --labels "$tmp/sim/mirror/sc_${s%%/*}/$name/labels.tsv" --label-column celltype \
			--sample "$name" --species "${s%%/*}" --out "$tmp/$name.h5ad" --quiet &&
			homolog-map "$tmp/$name.h5ad" --tables "$tmp/tables" --out "$tmp/$name.m.h5ad" --quiet &&
			qc-filter "$tmp/$name.m.h5ad" --tables "$tmp/tables" --out "$tmp/$name.q.h5ad" --quiet || return 1
	done
	corpus_tokens "$tmp/sim_h1" "$tmp/sim_m1" || return 1
	corpus_config 64
	pretrain --shards "$tmp/s" --tables "$tmp/tables" --config "$tmp/model.json" --steps 10 --batch 8 --lr 2e-3 \
		--warmup 1 --held-out 0.1 --out "$tmp/run" --quiet
}
