# zero-shot: what the vectors of the model are worth as they are, beside the same model with random
# weights and principal components of counts: the labels of nearest cells, how labels lie, and, where
# one kind of cells was measured in several samples, how these mix.
zero_shot_seeds ?= 5
zero_shot_neighbours ?= 15
zero_shot_genes ?= 2000
zero_shot_pcs ?= 50
# NAME=SAMPLE,SAMPLE: three cell lines by two protocols, five by one protocol on two plates. A sample
# that the profile does not have, or that could not be had, is left out.
zero_shot_batches ?= mixology=mixology_celseq2,mixology_dropseq \
	mixology_5cl=mixology_celseq2_5cl_p1,mixology_celseq2_5cl_p2
params/zero-shot := --seeds $(zero_shot_seeds) --neighbours $(zero_shot_neighbours) \
	--genes $(zero_shot_genes) --pcs $(zero_shot_pcs) --batches $(zero_shot_batches) --seed $(seed)

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
$R/zero-shot/MANIFEST.tsv: $B/bin/zero-shot $R/zero-shot/params $R/embed/MANIFEST.tsv \
		$R/embed-random/MANIFEST.tsv $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Q$(tool)zero-shot --counts $(kept_cells) --embedding genecompass=$R/embed/cells.h5ad \
		random-weights=$R/embed-random/cells.h5ad $(params/zero-shot) --none-is-fine \
		--out $(@D) --report $(@D)/report.json --threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
zero-shot: $R/zero-shot/MANIFEST.tsv ## what the vectors are worth as they are, beside counts
.PHONY: zero-shot
