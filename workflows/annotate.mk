# annotate: how well cell types are told from the vectors of the model, beside the same model with
# random weights and simple methods on counts, all on the same splits of each labelled sample; on
# demand also by the model trained on and by rivals. Cells that the model was trained on are counted,
# and scores without them stand beside the others where there are any.
annotate_seeds ?= 5
annotate_genes ?= 2000
annotate_pcs ?= 50
annotate_trees ?= 100
# Some of probe, frozen, full: the model trained on, and its two controls, random weights and
# permuted knowledge.
annotate_tune ?=
# Some of tosica, geneformer. TOSICA's gene sets are the targets of the transcription factors of a
# network in TRRUST's columns, since no collection of pathways comes with the inputs.
annotate_rivals ?=
annotate_targets ?= prior_knowledge/grn/trrust_rawdata.human.tsv
# Options of both: sizes and rates (annotate compare --help).
annotate_sizes ?=
annotate_options = --seeds $(annotate_seeds) --genes $(annotate_genes) --pcs $(annotate_pcs) \
	--trees $(annotate_trees) $(if $(strip $(annotate_tune)),--tune $(annotate_tune)) \
	$(annotate_sizes) --backend $(BACKEND) --seed $(seed)
params/annotate := $(annotate_options) \
	$(if $(strip $(annotate_rivals)),rivals: $(annotate_rivals) $(annotate_targets))

# Lines FACTOR, TARGET, ... become a gene set per factor.
gene_sets_of = awk -F '\t' '!($$1 in n) { name[++k] = $$1 } !seen[$$1, $$2]++ { n[$$1]++; \
	set[$$1] = set[$$1] "\t" $$2 } END { for (i = 1; i <= k; i++) \
	print name[i] "\ttargets" set[name[i]] }'
with_tosica = f='$(CACHE)/view/$(annotate_targets)'; if [ -e "$$f" ]; then \
		$(gene_sets_of) "$$f" >$(@D)/gene-sets.gmt; set -- "$$@" --gene-sets $(@D)/gene-sets.gmt; \
	else echo '  tosica: left out, no network could be had'; fi;
with_geneformer = $(tool)median $(kept_cells) --normalize depth --out $(@D)/medians-depth.tsv \
		--threads $(THREADS) $(quiet); set -- "$$@" --medians $(@D)/medians-depth.tsv;
with_models = set -- "$$@" --model genecompass=$(trained) --untrained random-weights=$(trained) \
	--shuffled shuffled-knowledge=$(trained);

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
$R/annotate/MANIFEST.tsv: $B/bin/annotate $B/bin/median $R/annotate/params $R/embed/MANIFEST.tsv \
		$R/embed-random/MANIFEST.tsv $R/ledger/MANIFEST.tsv $R/fetch/MANIFEST.tsv \
		$R/pretrain/MANIFEST.tsv $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Qset --; $(if $(filter tosica,$(annotate_rivals)),$(with_tosica)) \
	 $(if $(filter geneformer,$(annotate_rivals)),$(with_geneformer)) \
	 $(if $(strip $(annotate_tune)),$(with_models)) \
	 $(tool)annotate compare --counts $(kept_cells) --embedding genecompass=$R/embed/cells.h5ad \
		random-weights=$R/embed-random/cells.h5ad $(annotate_options) "$$@" --none-is-fine \
		--corpus $(kept_cells) --ledger $R/ledger/sets.tsv --out $(@D) \
		--report $(@D)/report.json --threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
annotate: $R/annotate/MANIFEST.tsv ## cell types, beside simple baselines on the same splits
.PHONY: annotate
