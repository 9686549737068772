# embed: the cells that passed quality control as vectors of the trained model, and of the same
# model with random weights: what the shape alone is worth.
trained = $$(ls -d $R/pretrain/step-* | sort -V | tail -n 1)
params/embed := --backend $(BACKEND)
params/embed-random := --backend $(BACKEND) --random-weights --seed 1000

define embed_rule
$R/$(1)/MANIFEST.tsv: $B/bin/embed $R/$(1)/params $R/pretrain/MANIFEST.tsv \
		$$$$(call each_sample,qc-filter) | $$(closer)
	$$(open_stage)
	$$Q$$(tool)embed $$(kept_cells) --model $$(trained) $$(params/$(1)) \
		--out $$(@D)/cells.h5ad --report $$(@D)/report.json --threads $$(THREADS) $$(quiet)
	$$(close_stage)
endef
.SECONDEXPANSION:
$(eval $(call embed_rule,embed))
$(eval $(call embed_rule,embed-random))

##@ Results
embed: $R/embed/MANIFEST.tsv ## the cells as vectors of the trained model
.PHONY: embed
