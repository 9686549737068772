# cross-species: cell types of one species learnt from labelled cells of another, by CAME and by simple
# methods (cross-species --help), for each pair of the profile:
#   REFERENCE:QUERY        samples of the samples table; homologs from the gene tables
#   REFERENCE:QUERY:same   homologs have the same name in both
# A pair whose inputs could not be had is left out. A profile without pairs makes a table without lines.
cross_species_pairs ?=
cross_species_seeds ?= 5
params/cross-species := --seeds $(cross_species_seeds) --backend $(BACKEND) --seed $(seed) \
	$(if $(strip $(cross_species_pairs)),pairs: $(cross_species_pairs))
cross_samples := $(sort $(foreach p,$(cross_species_pairs),$(wordlist 1,2,$(subst :, ,$(p)))))

$R/cross-species/MANIFEST.tsv: $B/bin/cross-species $R/cross-species/params $R/tables/MANIFEST.tsv \
		$(cross_samples:%=$R/import/%/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qset -- $(cross_species_pairs); \
	 [ $$# -gt 0 ] || echo '  profile $(PROFILE) has no pairs of species (cross_species_pairs)'; \
	 for pair; do \
		how=$${pair#*:*:}; both=$${pair%:same}; from=$${both%%:*}; to=$${both##*:}; \
		if [ ! -e $R/import/$$from/cells.h5ad ] || [ ! -e $R/import/$$to/cells.h5ad ]; then \
			echo "  $$pair: left out, its inputs could not be had"; continue; fi; \
		if [ "$$how" = same ]; then how=--same-names; else how='--tables $R/tables'; fi; \
		$(tool)cross-species $R/import/$$from/cells.h5ad $R/import/$$to/cells.h5ad $$how \
			--dataset "$$from-$$to" --seeds $(cross_species_seeds) --backend $(BACKEND) \
			--seed $(seed) --out $(@D)/$$from-$$to --threads $(THREADS) $(quiet) || exit; \
	 done
	$Qprintf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.part; \
	 for f in $(@D)/*/metrics.tsv; do [ ! -e "$$f" ] || tail -n +2 "$$f" >>$(@D)/metrics.part; done; \
	 mv $(@D)/metrics.part $(@D)/metrics.tsv
	$(close_stage)

##@ Results
cross-species: $R/cross-species/MANIFEST.tsv ## cell types from one species to another
.PHONY: cross-species
