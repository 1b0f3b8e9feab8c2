# From raw ratings to an evaluated model, every stage a file:
#
#   raw -> rated -> tokens -> packed -> reference log-probs -> trained model -> evaluation -> report
#
#   make -f pipelines/ultrafeedback.mk RAW=train.jsonl MODEL=path/to/model WORK=build/mine
#
# A stage is remade when what it reads, its command or one of its options changed; nothing else is. Interrupted, it goes on where it was:
# every output appears only whole. `make -j2` is safe. Every option below is a variable of this Makefile.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := report

# Where the commands are (a folder), what goes in, where everything goes.
BIN ?= .build/release
RAW ?= $(error RAW is not set: name one or more files of ratings, RAW="a.jsonl b.jsonl.gz")
MODEL ?= $(error MODEL is not set: name a model folder (config.json, model.safetensors, tokenizer.json))
WORK ?= build/ultrafeedback

# uf-convert
FROM ?= auto
MISSING ?= mask
TEMPERATURE ?= 1
# Two parts, of these names.
SPLIT ?= train=0.9,validation=0.1
# uf-tokenize
TEMPLATE ?= chatml
# uf-pack
LAYOUT ?= shared-prefix
# The longest prompt with a response; empty: the model's context.
MAX_LENGTH ?=
MAX_TOKENS ?= 4096
OVERLONG ?= cut
TRUNCATION ?= ours
# uf-train
LOSS ?= lambda-dpo
BETA ?= 0.1
LOG_PROB ?= sum
LAMBDA ?= uniform
EPOCHS ?= 1
BATCH ?= 8
LEARNING_RATE ?= 5e-6
WARMUP ?= 0.1
CLIP ?= 1
SEED ?= 1
# Threads of each command: they change no byte.
JOBS ?= 2

# What a stage reads stands in its stamp too: a longer list of old files, or another old model, is a change.
convert_options = $(RAW) --from $(FROM) --missing $(MISSING) --temperature $(TEMPERATURE) --split $(SPLIT)
tokenize_options = --tokenizer $(MODEL) --template $(TEMPLATE)
score_options = --model $(MODEL)
pack_options = --layout $(LAYOUT) $(if $(MAX_LENGTH),--max-length $(MAX_LENGTH)) --max-tokens $(MAX_TOKENS) --overlong $(OVERLONG) --truncation $(TRUNCATION)
train_options = $(MODEL) --loss $(LOSS) --beta $(BETA) --log-prob $(LOG_PROB) --lambda $(LAMBDA) --epochs $(EPOCHS) --batch $(BATCH) \
  --learning-rate $(LEARNING_RATE) --warmup $(WARMUP) --clip $(CLIP) --seed $(SEED)
evaluate_options = --beta $(BETA) --log-prob $(LOG_PROB)

parts := train validation
runs := $(WORK)/runs.sqlite

.PHONY: report streams pipes clean-work FORCE
report: $(WORK)/report.txt
	@cat $<

# One stamp for each command's options, rewritten only when they change: what depends on the stamp is then remade, nothing else.
$(WORK)/options/%: FORCE | $(WORK)/options
	@printf '%s\n' '$($*_options)' | cmp -s - $@ || printf '%s\n' '$($*_options)' > $@

$(WORK) $(WORK)/options:
	@mkdir -p $@

# The vocabulary, and what a model says of its special tokens where it does.
tokenizer := $(MODEL)/tokenizer.json $(wildcard $(MODEL)/tokenizer_config.json)
weights := $(MODEL)/model.safetensors $(MODEL)/config.json

$(WORK)/%.rated.uf: $(RAW) $(BIN)/uf-convert $(WORK)/options/convert
	$(BIN)/uf-convert $(convert_options) --part $* -j $(JOBS) -o $@

$(WORK)/%.tokens.uf: $(WORK)/%.rated.uf $(tokenizer) $(BIN)/uf-tokenize $(WORK)/options/tokenize
	$(BIN)/uf-tokenize $< $(tokenize_options) -j $(JOBS) -o $@

$(WORK)/%.packed.uf: $(WORK)/%.tokens.uf $(BIN)/uf-pack $(WORK)/options/pack
	$(BIN)/uf-pack $< $(pack_options) -o $@

$(WORK)/%.reference.uf: $(WORK)/%.packed.uf $(weights) $(BIN)/uf-eval $(WORK)/options/score
	$(BIN)/uf-eval score $< $(score_options) -j $(JOBS) -o $@

$(WORK)/trained/model.safetensors: $(parts:%=$(WORK)/%.packed.uf) $(parts:%=$(WORK)/%.reference.uf) $(weights) $(BIN)/uf-train $(WORK)/options/train
	$(BIN)/uf-train $(train_options) --data $(WORK)/train.packed.uf --reference $(WORK)/train.reference.uf -j $(JOBS) \
	  --metrics $(WORK)/metrics.jsonl --database $(runs) -o $(WORK)/trained

$(WORK)/%.trained.uf: $(WORK)/%.packed.uf $(WORK)/trained/model.safetensors $(BIN)/uf-eval
	$(BIN)/uf-eval score $< --model $(WORK)/trained -j $(JOBS) -o $@

# The reference against itself is "before": r = 0 everywhere, all ties.
$(WORK)/%.before.txt: $(WORK)/%.packed.uf $(WORK)/%.reference.uf $(BIN)/uf-eval $(WORK)/options/evaluate
	$(BIN)/uf-eval preference $< --model $(WORK)/$*.reference.uf --reference $(WORK)/$*.reference.uf $(evaluate_options) \
	  --split $* --label $*-before --database $(runs) -o $@

$(WORK)/%.after.txt: $(WORK)/%.packed.uf $(WORK)/%.reference.uf $(WORK)/%.trained.uf $(BIN)/uf-eval $(WORK)/options/evaluate
	$(BIN)/uf-eval preference $< --model $(WORK)/$*.trained.uf --reference $(WORK)/$*.reference.uf $(evaluate_options) \
	  --split $* --label $*-after --database $(runs) -o $@

results := $(foreach part,$(parts),$(WORK)/$(part).before.txt $(WORK)/$(part).after.txt)

$(WORK)/report.txt: $(parts:%=$(WORK)/%.packed.uf) $(results) $(BIN)/uf-eval $(BIN)/uf-records
	@{ \
	  echo 'What was read, dropped and cut'; echo; \
	  $(BIN)/uf-records stats --stages $(parts:%=$(WORK)/%.packed.uf); \
	  for part in $(parts); do \
	    echo; echo "What was learned: $$part"; echo; \
	    $(BIN)/uf-eval report $(runs) --before $$part-before --after $$part-after; \
	  done; \
	  echo; echo 'Before training policy and reference are the same model: every pair ties and the loss is ln N (0.6931 for two responses).'; \
	  echo 'A finding is named only where its 95 % interval leaves chance; "validation" are prompts that training never saw.'; } > $@.tmp
	@mv $@.tmp $@

streams: $(parts:%=$(WORK)/%.packed.uf)

# The same stages joined by pipes: no file between them, the same bytes at the end.
pipes: | $(WORK)
	for part in $(parts); do \
	  $(BIN)/uf-convert $(convert_options) --part $$part -j $(JOBS) | \
	  $(BIN)/uf-tokenize $(tokenize_options) -j $(JOBS) | \
	  $(BIN)/uf-pack $(pack_options) -o $(WORK)/$$part.piped.uf; \
	done

# Intermediate streams are results too: keep them.
.SECONDARY:

clean-work:
	rm -rf $(WORK)
