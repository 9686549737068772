# annotate: how well cell types are told from the vectors of the model, beside the same model with
# random weights and simple methods on counts, all on the same splits of each labelled sample. The
# ledger says how many of its cells the model was trained on.
annotate_seeds ?= 5
annotate_genes ?= 2000
annotate_pcs ?= 50
params/annotate := --seeds $(annotate_seeds) --genes $(annotate_genes) --pcs $(annotate_pcs) \
	--seed $(seed)

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
$R/annotate/MANIFEST.tsv: $B/bin/annotate $R/annotate/params $R/embed/MANIFEST.tsv \
		$R/embed-random/MANIFEST.tsv $R/ledger/MANIFEST.tsv $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Q$(tool)annotate compare --counts $(kept_cells) --embedding genecompass=$R/embed/cells.h5ad \
		random-weights=$R/embed-random/cells.h5ad $(params/annotate) --none-is-fine \
		--ledger $R/ledger/sets.tsv --out $(@D) \
		--report $(@D)/report.json --threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
annotate: $R/annotate/MANIFEST.tsv ## cell types, beside simple baselines on the same splits
.PHONY: annotate
