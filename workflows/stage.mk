# What all stages share. A stage is a folder below $R with its MANIFEST.tsv, which is its target: the
# folder is emptied first and the manifest is written last, so a manifest means a whole stage. A
# stage reads as:
#
#   params/vocab := --tokens $(vocab_tokens)
#   $R/vocab/MANIFEST.tsv: $B/bin/vocab $R/vocab/params $R/tables/MANIFEST.tsv | $(closer)
#   	$(open_stage)
#   	$Q$(tool)vocab --tables $R/tables --out $(@D)/vocab.tsv --threads $(THREADS) $(params/vocab)
#   	$(close_stage)
#
# Work that is done sample by sample has a stage per sample, by a pattern rule on
# $R/import/%/MANIFEST.tsv; what needs them all asks for $(call each_sample,import). A sample that
# cannot be had (its inputs are optional, and left out) is a stage without outputs.
#
# params holds what may change a result, and nothing else: no thread count, no path of this machine.
# Words that belong to no option have a name with a colon (data: simulated norman), since an option
# has all words up to the next of either.

# Of every stage that draws random numbers.
seed ?= 1

# Written again only when its text differs, so that a new parameter makes its stage stale.
$R/%/params: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(strip $(params/$*))' >$@.part; \
	 if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

# Each tool adds a line to time.log: name, seconds, seconds of processor time, most memory in kB.
tool = GC_TIMES=$(@D)/time.log $(RUN) $B/bin/

stage = $(@D:$R/%=%)
open_stage = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' STAGE '$(stage)'; )$(empty_stage)
empty_stage = mkdir -p $(@D); find $(@D) -mindepth 1 ! -path $(@D)/params -delete
# For a stage that can go on with what an interrupted run left: only the manifest leaves.
reopen_stage = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' STAGE '$(stage)'; )mkdir -p $(@D); rm -f $@
# What was read is every prerequisite that is neither a program of ours nor the parameters.
closer := $B/bin/manifest
close_stage = $Q$(closer) $(@D) --quiet --stage $(stage) $(patsubst %,--params %,$(filter \
	%/params,$^)) $(patsubst %,--input %,$(filter-out $B/% %/params FORCE,$^)) --base $R .

each_sample = $(samples:%=$R/$(1)/%/MANIFEST.tsv)
# Names in the samples table that belong to this profile; profile test names those of the simulator.
samples_tsv ?= manifests/samples.tsv
samples ?= $(shell awk -F '\t' -v p=$(PROFILE) \
	'NR > 1 && index("," $$6 ",", "," p ",") { print $$1 }' $(samples_tsv))
samples := $(samples)
