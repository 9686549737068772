# quantify: samples whose source is raw reads, to counts, by STARsolo. Behind it import reads
# $R/quantify/SAMPLE as it reads any Cell Ranger folder.
#
#   quantify-index/SPECIES  the genome and its genes as an index, once per species
#   quantify/SAMPLE         matrix.mtx.gz, features.tsv.gz, barcodes.tsv.gz, report.json
# Which samples: those of the profile that the plan (manifests/corpus/) calls `reads`; chemistry and
# reads stand in their rows. Files are inputs like all others (inputs:PATH, so verified); runs of the
# archive come by fasterq-dump, not behind $(RUN), for nodes often have no way to the network.
# Genomes, genes and lists of barcodes are inputs too, under these paths of the cache's view:
quantify_genome_human ?= genomes/human.fa.gz
quantify_genes_human ?= genomes/human.gtf.gz
quantify_genome_mouse ?= genomes/mouse.fa.gz
quantify_genes_mouse ?= genomes/mouse.gtf.gz
quantify_whitelist_10xv2 ?= genomes/barcodes-10xv2.txt.gz
quantify_whitelist_10xv3 ?= genomes/barcodes-10xv3.txt.gz
quantify_whitelist_dropseq ?=
quantify_overhang ?= 90
# Every Nth suffix of the genome: 3 halves the memory of a human index, 31 GB to 16.
quantify_sparse ?= 1
quantify_memory_gb ?= 31
quantify_feature ?= gene
quantify_cells ?= emptydrops

# SAMPLE:SPECIES of the samples that are reads. Needs the plan (corpus-ledger.mk) and the samples.
quantify_rows := $(if $(corpus_plan),$(shell awk -F '\t' \
	'FNR == 1 { for (i = 1; i <= NF; i++) at[$$i] = i; next } \
	 $$at["kind"] == "reads" { print $$at["sample"] ":" $$at["species"] }' $(corpus_plan)))
quantify_samples := $(filter $(foreach r,$(quantify_rows),$(firstword $(subst :, ,$(r)))),$(samples))
quantify_species = $(patsubst $(1):%,%,$(filter $(1):%,$(quantify_rows)))

params/quantify-index/human = --genome $(quantify_genome_human) --genes $(quantify_genes_human) \
	--overhang $(quantify_overhang) --sparse $(quantify_sparse)
params/quantify-index/mouse = --genome $(quantify_genome_mouse) --genes $(quantify_genes_mouse) \
	--overhang $(quantify_overhang) --sparse $(quantify_sparse)

$R/quantify-index/%/MANIFEST.tsv: $B/bin/quantify-index $R/quantify-index/%/params \
		$R/fetch/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(tool)quantify-index --genome '$(view)/$(quantify_genome_$*)' \
		--genes '$(view)/$(quantify_genes_$*)' --overhang $(quantify_overhang) \
		--sparse $(quantify_sparse) --memory-gb $(quantify_memory_gb) --out $(@D) \
		--report $(@D)/report.json --threads $(THREADS) $(quiet)
	$(close_stage)

# A sample's row is its parameters.
$R/quantify/%/params: $(corpus_plan) FORCE
	@mkdir -p $(@D); awk -F '\t' -v s='$*' 'FNR == 1 { for (i = 1; i <= NF; i++) at[$$i] = i; next } \
	 $$at["sample"] == s { print "where=" $$at["where"]; print "chemistry=" $$at["chemistry"] }' \
	 $(corpus_plan) >$@.part; \
	 printf 'feature=%s\ncells=%s\n' '$(quantify_feature)' '$(quantify_cells)' >>$@.part; \
	 if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

# Reads that are inputs, and optional, may be absent: then so are the sample's counts.
whitelists = $(foreach c,10xv2 10xv3 dropseq,$(c)=$(quantify_whitelist_$(c)))
.SECONDEXPANSION:
$R/quantify/%/MANIFEST.tsv: $B/bin/quantify $R/quantify/%/params $R/fetch/MANIFEST.tsv \
		$$(addprefix $R/quantify-index/,$$(addsuffix /MANIFEST.tsv,$$(call quantify_species,$$*))) \
		| $(closer)
	$(open_stage)
	$Qset --; missing=; run='$(RUN)'; \
	 where=$$(sed -n 's/^where=//p' $(@D)/params); \
	 chemistry=$$(sed -n 's/^chemistry=//p' $(@D)/params); \
	 for word in $$where; do case $$word in \
		inputs:*) set -- "$$@" '$(view)'/"$${word#inputs:}"; \
			[ -e '$(view)'/"$${word#inputs:}" ] || missing=1;; \
		http*) echo '  $*: reads at a URL go into manifests/inputs, with their sum' >&2; exit 3;; \
		*) set -- "$$@" --run "$$word"; run=;; \
	 esac; done; \
	 for word in $(whitelists); do case $$word in \
		"$$chemistry"=?*) set -- "$$@" --whitelist '$(view)'/"$${word#*=}";; \
	 esac; done; \
	 if [ -n "$$missing" ]; then echo '  $*: left out, its reads could not be had'; else \
		GC_TIMES=$(@D)/time.log $$run $B/bin/quantify "$$@" --chemistry "$$chemistry" \
			--index $R/quantify-index/$(call quantify_species,$*) --feature $(quantify_feature) \
			--cells $(quantify_cells) --out $(@D) --report $(@D)/report.json \
			--threads $(THREADS) $(quiet); fi
	$(close_stage)

##@ Results
quantify: $(quantify_samples:%=$R/quantify/%/MANIFEST.tsv) ## counts of the samples that are raw reads
.PHONY: quantify
