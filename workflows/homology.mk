# homology: do a gene and its homolog get alike vectors in cells of one type of the two species? Figure 2a and
# S2a-d, with the control that looks at words alone (homology --help). Cells: the profile's pair of folders
# with human names in both, HUMAN:MOUSE, and the types that both have.
homology_pair ?=
homology_types ?=
# In place of folders two samples of the profile: their labels, and genes of the mouse by its own names.
homology_samples ?=
homology_max_cells ?= 15
homology_pairs ?= 100
# yes: also a model that is trained without knowledge, by the parameters of pretrain; costs as much again.
homology_untaught ?=
homology_options := --max-cells $(homology_max_cells) --pairs $(homology_pairs) --seed $(seed) --backend $(BACKEND)
homology_any := $(strip $(homology_pair) $(homology_samples))
params/homology := $(homology_options) $(if $(homology_any),samples: $(homology_any) types: $(homology_types))
homology_of = $(CACHE)/view/$(word $(1),$(subst :, ,$(homology_pair)))
homology_sample = $(word $(1),$(subst :, ,$(homology_samples)))
homology_cells = $R/qc-filter/$(call homology_sample,$(1))/cells.h5ad
homology_read = $(if $(homology_samples),--human $(call homology_cells,1) --mouse $(call homology_cells,2) \
	--dataset $(call homology_sample,1)-$(call homology_sample,2),--human $(call homology_of,1) --mouse \
	$(call homology_of,2) --same-names --human-labels $(call homology_of,1)/labels.tsv --mouse-labels \
	$(call homology_of,2)/labels.tsv --label-column cell_type \
	--dataset $(notdir $(patsubst %/,%,$(dir $(call homology_of,1)))))
homology_here = $(if $(homology_samples),test -e $(call homology_cells,1) && test -e $(call homology_cells,2),test \
	-e $(call homology_of,1)/matrix.mtx.gz && test -e $(call homology_of,2)/matrix.mtx.gz)

# pretrain.mk is read later.
params/pretrain-untaught = $(params/pretrain) --kinds none
.SECONDEXPANSION:
$R/pretrain-untaught/MANIFEST.tsv: $B/bin/pretrain $R/pretrain-untaught/params $$(pretrain_config) \
		$R/tokenize/MANIFEST.tsv $R/tables/MANIFEST.tsv | $(closer)
	$(reopen_stage)
	$QGC_TIMES=$(@D)/time.log $(pretrain_run) $B/bin/pretrain --shards $R/tokenize --tables $R/tables \
		--config $(pretrain_config) $(params/pretrain-untaught) --resume --restart-if-changed --out $(@D) \
		--report $(@D)/report.json --threads $(THREADS) $(quiet)
	$(close_stage)

$R/homology/MANIFEST.tsv: $B/bin/homology $R/homology/params $R/fetch/MANIFEST.tsv \
		$(if $(homology_any),$R/pretrain/MANIFEST.tsv) \
		$(foreach s,$(subst :, ,$(homology_samples)),$R/qc-filter/$(s)/MANIFEST.tsv) \
		$(if $(homology_untaught),$R/pretrain-untaught/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qif [ -n '$(homology_any)' ] && $(homology_here); then \
		$(tool)homology $(homology_read) --types $(homology_types) --model $(trained) $(if \
			$(homology_untaught),--untaught $$(ls -d $R/pretrain-untaught/step-* | sort -V | tail -n 1)) \
			$(homology_options) --out $(@D) --threads $(THREADS) $(quiet); \
	 else echo '  homology: no pair of species at hand in profile $(PROFILE)'; \
		printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; fi
	$(close_stage)

##@ Results
homology: $R/homology/MANIFEST.tsv ## vectors of homologous genes in both species
.PHONY: homology
