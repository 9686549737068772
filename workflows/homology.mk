# homology: do a gene and its homolog get alike vectors in cells of one type of the two species? Figure 2a and
# S2a-d, with the control that looks at words alone (homology --help). Cells: the profile's pair of folders
# with human names in both, HUMAN:MOUSE, and the types that both have.
homology_pair ?=
homology_types ?=
homology_max_cells ?= 15
homology_pairs ?= 100
homology_options := --max-cells $(homology_max_cells) --pairs $(homology_pairs) --seed $(seed) --backend $(BACKEND)
params/homology := $(homology_options) $(if $(strip $(homology_pair)),$(homology_pair): $(homology_types))
homology_of = $(CACHE)/view/$(word $(1),$(subst :, ,$(homology_pair)))

$R/homology/MANIFEST.tsv: $B/bin/homology $R/homology/params $R/fetch/MANIFEST.tsv \
		$(if $(strip $(homology_pair)),$R/pretrain/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qif [ -n '$(homology_pair)' ] && [ -e $(call homology_of,1)/matrix.mtx.gz ] && [ -e $(call homology_of,2)/matrix.mtx.gz ]; then \
		$(tool)homology --human $(call homology_of,1) --mouse $(call homology_of,2) --same-names \
			--human-labels $(call homology_of,1)/labels.tsv --mouse-labels $(call homology_of,2)/labels.tsv \
			--label-column cell_type --types $(homology_types) --model $(trained) $(homology_options) \
			--dataset $(notdir $(patsubst %/,%,$(dir $(call homology_of,1)))) --out $(@D) --threads $(THREADS) $(quiet); \
	 else echo '  homology: no pair of species at hand in profile $(PROFILE)'; \
		printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; fi
	$(close_stage)

##@ Results
homology: $R/homology/MANIFEST.tsv ## vectors of homologous genes in both species
.PHONY: homology
