# map: the cells as dots, alike ones near each other (UMAP), and their communities (Leiden).
#
#   map         vectors of the trained model
#   map-random  of the same model with random weights
#   map-counts  principal components of the most variable genes, without any model
map_neighbours ?= 15
map_epochs ?= 0
params/map := --neighbours $(map_neighbours) --epochs $(map_epochs) --seed $(seed)
params/map-random := $(params/map)
params/map-counts := $(params/map)

$R/map/MANIFEST.tsv: $B/bin/map $R/map/params $R/embed/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(tool)map $R/embed/cells.h5ad --matrix X_genecompass $(params/map) --out $(@D) \
		--threads $(THREADS) $(quiet)
	$(close_stage)

$R/map-random/MANIFEST.tsv: $B/bin/map $R/map-random/params $R/embed-random/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(tool)map $R/embed-random/cells.h5ad --matrix X_genecompass $(params/map-random) \
		--out $(@D) --threads $(THREADS) $(quiet)
	$(close_stage)

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
$R/map-counts/MANIFEST.tsv: $B/bin/map $R/map-counts/params $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Q$(tool)map $(kept_cells) $(params/map-counts) --out $(@D) --threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
map: $R/map/MANIFEST.tsv $R/map-random/MANIFEST.tsv $R/map-counts/MANIFEST.tsv ## 2-d maps of the cells
.PHONY: map
