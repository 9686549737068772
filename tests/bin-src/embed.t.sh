#!/bin/bash
# embed: raw counts of any kind to vectors of a model that pretrain left.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'a model is trained' corpus_model
model=$(find "$tmp/run" -maxdepth 1 -name 'step-*' | sort -V | tail -n 1)
em() { embed "$@" --model "$model" --quiet; }

t 'a table of counts as it comes' 0 '' em "$tmp/h.csv" --species human --out "$tmp/h.e.h5ad" --report "$tmp/h.json"
is 'nine cells of width 16' bash -c "grep -q '\"n_cells\": 9' '$tmp/h.json' && grep -q '\"width\": 16' '$tmp/h.json'"
t 'the species is told from the names' 0 '' em "$tmp/h.csv" --out "$tmp/auto.e.h5ad"
t 'cells that import made' 0 '' em "$tmp/h.h5ad" --out "$tmp/i.e.h5ad"
t 'cells that passed quality control, of two species' 0 '' em "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/two.h5ad" --genes
t 'with one thread' 0 '' em "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/two1.h5ad" --genes --threads 1
is 'the same bytes' cmp "$tmp/two.h5ad" "$tmp/two1.h5ad"
t 'random weights' 0 '' em "$tmp/h.h5ad" --out "$tmp/r.h5ad" --random-weights --seed 3
t 'of the same seed' 0 '' em "$tmp/h.h5ad" --out "$tmp/r1.h5ad" --random-weights --seed 3
is 'are the same' cmp "$tmp/r.h5ad" "$tmp/r1.h5ad"
t 'on ref' 0 '' em "$tmp/h.h5ad" --out "$tmp/ref.h5ad" --backend ref

# Cells of 10 known genes and 290 others: a reading keeps what is in use, not the file.
many() { # CELLS
	awk -v n="$1" 'BEGIN { line = ""; head = "cell"
		for (i = 1; i <= 300; i++) { head = head ",G" (i <= 10 ? i : i + 1000); line = line "," 1 + i % 3 }
		print head
		for (c = 1; c <= n; c++) print "cell" c line }'
}
peak() { cut -f4 "$tmp/$1.cost"; } # kB
many 16000 >"$tmp/many.csv"
many 48000 >"$tmp/more.csv"
for f in many more; do
	t "$f cells, in a stream" 0 '' env GC_TIMES="$tmp/$f.cost" embed "$tmp/$f.csv" --model "$model" --quiet \
		--least-overlap 0.01 --species human --out "$tmp/$f.e.h5ad"
done
if grep -q __asan_init "$BIN/embed"; then
	skip 'three times the cells take no more memory but for their names' "a sanitizer keeps what was freed"
else
	is 'three times the cells take no more memory but for their names' \
		test $(($(peak more) - $(peak many))) -lt 24000
fi
killed() { # in the middle of writing
	embed "$tmp/more.csv" --model "$model" --quiet --least-overlap 0.01 --species human --out "$tmp/k.h5ad" &
	local pid=$! i=0
	while [ ! -s "$tmp/k.h5ad.part" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
	kill -9 $pid
	wait $pid 2>/dev/null
	[ -e "$tmp/k.h5ad.part" ] && [ ! -e "$tmp/k.h5ad" ]
}
is 'killed, it leaves no file of that name' killed
t 'and the next run' 0 '' embed "$tmp/more.csv" --model "$model" --quiet --least-overlap 0.01 --species human \
	--threads 1 --out "$tmp/k.h5ad"
is 'gives what an undisturbed one gives, with one thread too' cmp "$tmp/k.h5ad" "$tmp/more.e.h5ad"

# Of two species in one matrix: a cell of each, and one that is neither for sure.
awk 'BEGIN { print ",human,mouse,both"
	for (i = 1; i <= 300; i++) print "GRCh38_G" i "," 1 + i % 5 "," 0 "," 1
	for (i = 1; i <= 300; i++) print "mm10_g" i "," 0 "," 1 + i % 4 "," 1 }' >"$tmp/mix.csv"
awk 'BEGIN { print ",human"; for (i = 1; i <= 300; i++) print "G" i "," 1 + i % 5 }' >"$tmp/pure.csv"
t 'a mixture' 0 '1 of 3 cells are neither human nor mouse' em "$tmp/mix.csv" --out "$tmp/mix.e.h5ad" --report "$tmp/mix.json"
is 'whose unclear cell is counted' grep -q '"n_unclear": 1' "$tmp/mix.json"
t 'and its human cell alone' 0 '' em "$tmp/pure.csv" --out "$tmp/pure.e.h5ad"
t 'centred gene vectors' 0 '' em "$tmp/h.h5ad" --out "$tmp/centred.h5ad" --genes --centre
t 'and as they are' 0 '' em "$tmp/h.h5ad" --out "$tmp/genes.h5ad" --genes
t 'gene vectors of one cell' 0 '' em "$tmp/pure.csv" --out "$tmp/one.h5ad" --genes
t 'as released' 0 '' em "$tmp/pure.csv" --out "$tmp/oneplace.h5ad" --genes --as-released
t 'of several cells as released' 0 '' em "$tmp/h.h5ad" --out "$tmp/place.h5ad" --genes --as-released
t '--as-released without --genes' 2 'go with --genes' em "$tmp/h.h5ad" --out "$tmp/x.h5ad" --as-released
t '--centre without --genes' 2 'go with --genes' em "$tmp/h.h5ad" --out "$tmp/x.h5ad" --centre

if ! "$PYTHON" -c 'import anndata' 2>/dev/null; then
	skip 'anndata opens the vectors' "python has no anndata"
else
	cat >"$tmp/look.py" <<-'PY'
		import sys, anndata, numpy as np
		d = sys.argv[1]
		def x(name): return anndata.read_h5ad(f"{d}/{name}.h5ad")
		h, auto, imported, two, random, ref = map(x, ["h.e", "auto.e", "i.e", "two", "r", "ref"])
		mix, pure, centred, genes, more = map(x, ["mix.e", "pure.e", "centred", "genes", "more.e"])
		for a in (h, two):
		    assert a.obsm["X_genecompass"].dtype == np.float32 and np.isfinite(a.obsm["X_genecompass"]).all()
		v = lambda a: a.obsm["X_genecompass"]
		assert (v(h) == v(auto)).all() and (v(h) == v(imported)).all(), "one cell, one vector"
		assert list(two.obs_names) == [f"{s}:{b}" for s, b in zip(two.obs["sample"], two.obs["barcode"])]
		assert list(two.obs["sample"].value_counts()[["h", "m"]]) == [8, 5]
		assert list(two.obs_names)[:2] == ["h:cell1", "h:cell2"] and list(two.obs_names)[-1].startswith("m:cell")
		mine = {b: r for b, r in zip(h.obs_names, v(h))}
		for i in range(8):
		    assert (mine[two.obs["barcode"].iloc[i]] == v(two)[i]).all(), "a vector does not depend on the batch"
		assert two.varm["X_genecompass"].shape == (two.n_vars, 16) and two.n_vars > 200
		assert (two.var["n_cells"] > 0).all() and two.var_names[0].startswith("ENS")
		assert not np.allclose(v(random), v(imported), atol=1e-2) and random.uns["genecompass_weights"] == "random"
		assert np.abs(v(ref) - v(imported)).max() < 1e-4 and ref.uns["genecompass_backend"] == "ref"
		assert (v(mix)[0] == v(pure)[0]).all() and (v(mix)[1] != 0).any() and (v(mix)[2] == 0).all()
		g, c = genes.varm["X_genecompass"].astype("f8"), centred.varm["X_genecompass"]
		assert np.abs(g - g.mean(0) - c).max() < 1e-6 and np.abs(g.mean(0)).max() > 1e-2
		one, oneplace, place = map(x, ["one", "oneplace", "place"])
		same = oneplace[:, one.var_names]
		assert oneplace.n_vars == one.n_vars and (same.varm["X_genecompass"] == one.varm["X_genecompass"]).all(), "a place of one cell is a gene"
		assert place.n_vars <= genes.n_vars, (place.n_vars, genes.n_vars)
		assert (place.var["n_cells"] == 9).all(), "every cell has a gene at every place"
		whole = lambda a: (a.var["n_cells"].to_numpy()[:, None] * a.varm["X_genecompass"].astype("f8")).sum(0)
		assert np.abs(whole(place) - whole(genes)).max() < 1e-3, "the same vectors, added up in another way"
		assert place.uns["genecompass_gene_vectors"] == "as-released"
		assert not np.allclose(place.varm["X_genecompass"], genes[:, place.var_names].varm["X_genecompass"], atol=1e-4)
		assert v(more).shape == (48000, 16) and (v(more) == v(more)[0]).all() and more.obs_names[47999] == "cell48000"
		assert len(two.uns["genecompass_model_sha256"]) == 64
	PY
	t 'anndata opens the vectors, and they are what they should be' 0 '' "$PYTHON" "$tmp/look.py" "$tmp"
fi

sum=$(sha256sum "$model/model.safetensors")
is 'the model of the hash is that of the file' grep -q "${sum%% *}" "$tmp/h.json"
printf ',c1,c2\nfoo,1,2\nbar,3,4\n' >"$tmp/unknown.csv"
t 'genes that no one knows' 3 'unknown.csv' em "$tmp/unknown.csv" --out "$tmp/x.h5ad"
t 'no model' 2 'model is missing' embed "$tmp/h.csv" --out "$tmp/x.h5ad"
t 'no --out' 2 'out' em "$tmp/h.csv"
t 'a folder that is no model' 3 'neither model.safetensors nor' embed "$tmp/h.csv" --model "$tmp/tables" --out "$tmp/x.h5ad"
cp -r "$model" "$tmp/broken"
head -c 1000 "$model/model.safetensors" >"$tmp/broken/model.safetensors"
t 'weights cut short' 3 'model.safetensors' embed "$tmp/h.csv" --model "$tmp/broken" --out "$tmp/x.h5ad"
cp -r "$model" "$tmp/lacking"
rm "$tmp/lacking/vocab.tsv"
t 'a model without its dictionary' 3 'vocab.tsv' embed "$tmp/h.csv" --model "$tmp/lacking" --out "$tmp/x.h5ad"
t 'a file that is not there' 3 'nowhere' em "$tmp/nowhere.h5ad" --out "$tmp/x.h5ad"
t 'labels of two inputs' 2 'one input' em "$tmp/h.csv" "$tmp/m.csv" --labels "$tmp/l.tsv" --out "$tmp/x.h5ad"
t 'a full disk' 1 '' em "$tmp/h.csv" --out /dev/full
is 'nothing half-written is left' bash -c "! ls '$tmp'/x.h5ad* 2>/dev/null"
end
