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

# Where the commands are (a folder).
BIN ?= .build/release
# One or more files of ratings.
RAW ?= $(error RAW is not set: name one or more files of ratings, RAW="a.jsonl b.jsonl.gz")
# The model to start from: a folder with config.json, model.safetensors and tokenizer.json, or its vocabulary in another form that uf-tokenize reads.
MODEL ?= $(error MODEL is not set: name a model folder (config.json, model.safetensors, tokenizer.json))
# Where everything goes.
WORK ?= build/ultrafeedback
# Threads of each command: they change no byte.
JOBS ?= 2

# uf-convert
# Parts of the prompts, NAME=SHARE,NAME=SHARE: any number and names; shares below 1 in sum leave the rest out.
SPLIT ?= train=0.9,validation=0.1
# The part to train on; the first of SPLIT when not set.
TRAIN_PART ?= $(firstword $(names))
# The parts to evaluate before and after; all of SPLIT when not set.
EVAL_PARTS ?= $(names)
# Source of the raw records: auto, or a name of those that uf-convert --help lists.
FROM ?= auto
# A file that describes the raw records, in place of FROM; empty: none.
MAP ?=
# A score of UltraFeedback in place of its dimensions, overall_score or fine-grained_score; empty: the dimensions.
SCORE_FROM ?=
# System prompts of UltraFeedback's completions: none (left out) or completion (each kept with its response).
SYSTEM ?= none
# Dimensions to keep, as honesty,helpfulness=help; empty: all under their own names.
DIMENSIONS ?=
# What ratings are mapped onto, as 1:5 or NAME=LOW:HIGH,...; empty: they stay as they are.
SCALE ?=
# Dimensions to rate from the text itself, as brevity,formatting; empty: none.
RATE ?=
# Records whose prompt an earlier one has are left out: exact or near; empty: they stay.
DEDUP ?=
# An SQLite file of the prompts of earlier releases, which are left out too (with DEDUP); it grows by those of this one, and its change remakes nothing. Empty: none.
DEDUP_STORE ?=
# What a record must meet, as gap >= 1 and source != x; empty: nothing.
WHERE ?=
# How many records of each part to keep, chosen by a hash; empty: all.
SAMPLE ?=
# With SAMPLE: what has the share there that it has among the records, source; empty: nothing.
STRATIFY ?=
# With SAMPLE: what decides which records are in it.
SAMPLE_SEED ?= 0
# How many records the files of RAW hold in all; another number is refused. Empty: any.
EXPECT_RECORDS ?=
# SHA-256 of each input after decompression, in order, separated by spaces; others are refused. Empty: any.
EXPECT_SHA256 ?=
# What becomes of a missing rating: mask, floor, mean, drop.
MISSING ?= mask
# T of the targets softmax(ratings / T), one or NAME=T,...
TEMPERATURE ?= 1
# What a rating may be, as 1..5; empty: what the source says.
RATING_RANGE ?=
# A record that cannot be read: stop or skip.
ON_BAD_RECORD ?= stop
# Anything but empty: stop at the first oddity of any kind.
STRICT ?=
# Benchmarks whose text no record may hold: their files, or folders of them, separated by spaces.
DECONTAMINATE ?=
# Licences for the streams to carry, SOURCE=LICENCE of sources that are in the data, separated by spaces.
LICENCES ?=

# uf-tokenize
# How conversations are laid out: auto (the template of the model's own files), chatml, llama3, llama2, qwen, zephyr, plain, or a template's file, folder or GGUF.
TEMPLATE ?= chatml
# With a model's own template its variables, as a JSON object; empty: none but the special tokens that the model's files name.
TEMPLATE_VARS ?=
# With a model's own template the time that it is told, as 2024-07-26; empty: none.
TEMPLATE_DATE ?=
# A system turn for conversations that do not start with one, on one line; empty: none.
SYSTEM_TURN ?=
# With TEMPLATE=plain the token that begins a text, or none; empty: what the model's files name.
BOS ?=
# With TEMPLATE=plain the token that ends a text; empty: what the model's files name.
EOS ?=
# Answers to learn: last (the responses), or assistant (earlier answers in the prompts too, with LAYOUT=sft).
LOSS_ON ?= last
# The model's context for uf-pack; empty: what config.json says.
CONTEXT_LENGTH ?=
# Whose pattern and special tokens a vocabulary of ranks or of merges alone has; empty for what the number of its tokens tells.
TOKENIZER_FAMILY ?=

# uf-pack
# shared-prefix, rows16, pairs or sft.
LAYOUT ?= shared-prefix
# With LAYOUT=pairs: best-worst, given or all; empty: best-worst.
PAIRS ?=
# With LAYOUT=sft: best or all; empty: best.
ANSWERS ?=
# The longest prompt with a response; empty: the model's context.
MAX_LENGTH ?=
# Tokens that a bin is filled up to.
MAX_TOKENS ?= 4096
# The most records of a bin; empty: the layout's own.
RECORDS_PER_BIN ?=
# How many unfinished bins wait for a record that fits; empty: the layout's own.
OPEN_BINS ?=
# Records that are too long: cut or drop.
OVERLONG ?= cut
# How they are cut: ours or paper.
TRUNCATION ?= ours
# Anything but empty: rows16 adds 1e-10 to its targets, as the paper's code does.
PAPER_EPSILON ?=
# Order of the records: input, shuffled or grouped.
ORDER ?= input
# With ORDER=shuffled or grouped: what decides the order, and which of the orders of a seed.
ORDER_SEED ?= 0
ORDER_EPOCH ?= 0
# With ORDER=grouped: records in a row that are of similar length.
GROUP ?= 16
# With ORDER=shuffled or grouped: the most memory for records, in MiB; it changes no byte. Empty: 1024.
SHUFFLE_MEMORY ?=

# uf-eval score and preference, uf-train
# Arithmetic of log-probabilities and losses: single, or double (equal to a float64 reference, and slower).
PRECISION ?= single

# uf-train; BETA, LOG_PROB and LAMBDA are uf-eval preference's too
# The loss: lambda-dpo.
LOSS ?= lambda-dpo
# r = beta (s - s_ref).
BETA ?= 0.1
# s: sum or mean of a response's token log-probabilities.
LOG_PROB ?= sum
# Weights of the dimensions: uniform, fixed:A,B,.., fixed:NAME=A,.., dirichlet:A, gaussian, one-hot, one-hot:NAME. Evaluations weigh by their mean.
LAMBDA ?= uniform
# In training: model (the start weights, scored once by uf-eval score) or none (r = beta s). Evaluations always measure against the start weights.
REFERENCE ?= model
# Times through the data.
EPOCHS ?= 1
# Records a step, at least.
BATCH ?= 8
# The highest learning rate.
LEARNING_RATE ?= 5e-6
# The learning rate after the warmup: cosine (down to 0) or constant.
SCHEDULE ?= cosine
# The warmup: a number of steps, or a share of all steps below 1.
WARMUP ?= 0.1
# AdamW's decoupled weight decay.
WEIGHT_DECAY ?= 0
# AdamW's two decay rates.
ADAM_BETAS ?= 0.9,0.999
# AdamW's epsilon.
ADAM_EPSILON ?= 1e-8
# The greatest norm of a step's gradient; 0: no limit.
CLIP ?= 1
# What decides the order of the bins and random lambda.
SEED ?= 1
# Groups of a step's bins in the sum of gradients: part of the result.
GRADIENT_GROUPS ?= 4
# Steps between two measurements on the first held-out part during training; empty: none.
VALIDATE_EVERY ?=

# uf-eval preference
# Resamples of the bootstrap, at least 100.
RESAMPLES ?= 1000
# Seed of the bootstrap.
BOOTSTRAP_SEED ?= 1

comma := ,
# A word for the shell, whatever it holds.
quote = '$(subst ','\'',$(1))'
# An option with its value, where it has one.
option = $(if $(2),$(1) $(call quote,$(2)))

names := $(foreach part,$(subst $(comma), ,$(SPLIT)),$(firstword $(subst =, ,$(part))))
$(if $(TRAIN_PART),,$(error SPLIT names no part; expected NAME=SHARE,..., as in train=0.9,validation=0.1))
parts := $(sort $(TRAIN_PART) $(EVAL_PARTS))
held_out := $(filter-out $(TRAIN_PART),$(EVAL_PARTS))
watched := $(if $(VALIDATE_EVERY),$(firstword $(held_out)))
$(if $(VALIDATE_EVERY),$(if $(watched),,$(error VALIDATE_EVERY needs a part in EVAL_PARTS that is not trained on)))
$(if $(filter model none,$(REFERENCE)),,$(error REFERENCE is "$(REFERENCE)", expected model or none))
cached := $(if $(filter model,$(REFERENCE)),$(WORK)/$(TRAIN_PART).reference.uf)

# What a stage reads stands in its stamp too: a longer list of old files, or another old model, is a change.
convert_options = $(RAW) --split $(call quote,$(SPLIT)) $(if $(MAP),--map $(MAP),--from $(FROM)) $(call option,--score-from,$(SCORE_FROM)) --system $(SYSTEM) \
  $(call option,--rate,$(RATE)) $(call option,--dedup,$(DEDUP)) $(call option,--dedup-store,$(DEDUP_STORE)) $(call option,--dimensions,$(DIMENSIONS)) $(call option,--scale,$(SCALE)) --missing $(MISSING) --temperature $(call quote,$(TEMPERATURE)) \
  $(call option,--rating-range,$(RATING_RANGE)) --on-bad-record $(ON_BAD_RECORD) $(if $(STRICT),--strict) \
  $(call option,--where,$(WHERE)) $(if $(SAMPLE),--sample $(SAMPLE) --seed $(SAMPLE_SEED) $(call option,--stratify,$(STRATIFY))) \
  $(call option,--expect-records,$(EXPECT_RECORDS)) $(foreach digest,$(EXPECT_SHA256),--expect-sha256 $(digest)) \
  $(foreach path,$(DECONTAMINATE),--decontaminate $(call quote,$(path))) $(foreach licence,$(LICENCES),--licence $(call quote,$(licence)))
tokenize_options = --tokenizer $(MODEL) --template $(call quote,$(TEMPLATE)) $(call option,--vars,$(TEMPLATE_VARS)) $(call option,--date,$(TEMPLATE_DATE)) $(call option,--system,$(SYSTEM_TURN)) \
  $(call option,--bos,$(BOS)) $(call option,--eos,$(EOS)) \
  --loss-on $(LOSS_ON) $(call option,--context-length,$(CONTEXT_LENGTH)) $(call option,--tokenizer-family,$(TOKENIZER_FAMILY))
pack_options = --layout $(LAYOUT) $(call option,--pairs,$(PAIRS)) $(call option,--answers,$(ANSWERS)) $(call option,--max-length,$(MAX_LENGTH)) --max-tokens $(MAX_TOKENS) $(call option,--records-per-bin,$(RECORDS_PER_BIN)) \
  $(call option,--open-bins,$(OPEN_BINS)) --overlong $(OVERLONG) --truncation $(TRUNCATION) $(if $(PAPER_EPSILON),--paper-epsilon) \
  --order $(ORDER) $(if $(filter shuffled grouped,$(ORDER)),--seed $(ORDER_SEED) --epoch $(ORDER_EPOCH)) $(if $(filter grouped,$(ORDER)),--group $(GROUP))
score_options = --model $(MODEL) --precision $(PRECISION)
train_options = $(MODEL) --data $(WORK)/$(TRAIN_PART).packed.uf --reference $(or $(cached),none) --loss $(LOSS) --beta $(BETA) --log-prob $(LOG_PROB) \
  --lambda $(call quote,$(LAMBDA)) --epochs $(EPOCHS) --batch $(BATCH) --learning-rate $(LEARNING_RATE) --schedule $(SCHEDULE) --warmup $(WARMUP) \
  --weight-decay $(WEIGHT_DECAY) --adam-betas $(ADAM_BETAS) --adam-epsilon $(ADAM_EPSILON) --clip $(CLIP) --seed $(SEED) --groups $(GRADIENT_GROUPS) --precision $(PRECISION) \
  $(if $(watched),--validation $(WORK)/$(watched).packed.uf --validate-every $(VALIDATE_EVERY))
evaluate_options = --beta $(BETA) --log-prob $(LOG_PROB) --lambda $(call quote,$(LAMBDA)) --resamples $(RESAMPLES) --seed $(BOOTSTRAP_SEED)
shuffle_memory = $(if $(filter shuffled grouped,$(ORDER)),$(call option,--shuffle-memory,$(SHUFFLE_MEMORY)))
report_options = $(TRAIN_PART) : $(EVAL_PARTS)

runs := $(WORK)/runs.sqlite

.PHONY: report streams pipes clean-work FORCE
report: $(WORK)/report.txt
	@cat $<

# One stamp for each command's options, rewritten only when they change: what depends on the stamp is then remade, nothing else.
$(WORK)/options/%: FORCE | $(WORK)/options
	@printf '%s\n' $(call quote,$($*_options)) | cmp -s - $@ || printf '%s\n' $(call quote,$($*_options)) > $@

$(WORK) $(WORK)/options:
	@mkdir -p $@

# The vocabulary, the model's context, and what a model says of its special tokens where it does.
vocabulary := $(or $(wildcard $(MODEL)/tokenizer.json),$(wildcard $(addprefix $(MODEL)/,encoder.json vocab.bpe vocab.json merges.txt tokenizer.model qwen.tiktoken)),$(MODEL)/tokenizer.json)
tokenizer := $(vocabulary) $(MODEL)/config.json $(wildcard $(MODEL)/tokenizer_config.json $(MODEL)/chat_template.jinja) $(if $(findstring /,$(TEMPLATE)),$(TEMPLATE))
weights := $(MODEL)/model.safetensors $(MODEL)/config.json

# What is not there and nothing makes: said by name, and not as a stage that cannot be made.
$(RAW):
	@echo "make: RAW names $@, which does not exist" >&2; exit 66
ifneq ($(MAP),)
$(MAP):
	@echo "make: MAP names $@, which does not exist" >&2; exit 66
endif
ifneq ($(DECONTAMINATE),)
$(DECONTAMINATE):
	@echo "make: DECONTAMINATE names $@, which does not exist" >&2; exit 66
endif
ifndef model_is_made
$(MODEL)/tokenizer.json $(MODEL)/config.json $(MODEL)/model.safetensors:
	@echo "make: MODEL is $(MODEL), a folder that should hold $(@F)" >&2; exit 66
endif

$(WORK)/%.rated.uf: $(RAW) $(MAP) $(DECONTAMINATE) $(wildcard $(DECONTAMINATE:=/*)) $(BIN)/uf-convert $(WORK)/options/convert
	$(BIN)/uf-convert $(convert_options) --part $* -j $(JOBS) -o $@

$(WORK)/%.tokens.uf: $(WORK)/%.rated.uf $(tokenizer) $(BIN)/uf-tokenize $(WORK)/options/tokenize
	$(BIN)/uf-tokenize $< $(tokenize_options) -j $(JOBS) -o $@

$(WORK)/%.packed.uf: $(WORK)/%.tokens.uf $(BIN)/uf-pack $(WORK)/options/pack
	$(BIN)/uf-pack $< $(pack_options) $(shuffle_memory) -o $@

$(WORK)/%.reference.uf: $(WORK)/%.packed.uf $(weights) $(BIN)/uf-eval $(WORK)/options/score
	$(BIN)/uf-eval score $< $(score_options) -j $(JOBS) -o $@

$(WORK)/trained/model.safetensors: $(WORK)/$(TRAIN_PART).packed.uf $(cached) $(watched:%=$(WORK)/%.packed.uf) $(weights) $(BIN)/uf-train $(WORK)/options/train
	$(BIN)/uf-train $(train_options) -j $(JOBS) --metrics $(WORK)/metrics.jsonl --database $(runs) -o $(WORK)/trained

# The reference against itself is "before": r = 0 everywhere, all ties.
$(WORK)/%.before.txt: $(WORK)/%.packed.uf $(WORK)/%.reference.uf $(BIN)/uf-eval $(WORK)/options/evaluate
	$(BIN)/uf-eval preference $< --model $(WORK)/$*.reference.uf --reference $(WORK)/$*.reference.uf $(evaluate_options) \
	  --split $* --label $*-before --database $(runs) -o $@

# Both are models here: only so the divergence over the whole vocabulary is known too.
$(WORK)/%.after.txt: $(WORK)/%.packed.uf $(WORK)/trained/model.safetensors $(weights) $(BIN)/uf-eval $(WORK)/options/evaluate
	$(BIN)/uf-eval preference $< --model $(WORK)/trained --reference $(MODEL) --precision $(PRECISION) $(evaluate_options) -j $(JOBS) \
	  --split $* --label $*-after --database $(runs) -o $@

results := $(foreach part,$(EVAL_PARTS),$(WORK)/$(part).before.txt $(WORK)/$(part).after.txt)

$(WORK)/report.txt: $(parts:%=$(WORK)/%.packed.uf) $(results) $(BIN)/uf-eval $(BIN)/uf-records $(WORK)/options/report
	@{ \
	  echo 'What was read, dropped and cut'; echo; \
	  $(BIN)/uf-records stats --stages $(parts:%=$(WORK)/%.packed.uf); \
	  for part in $(EVAL_PARTS); do \
	    echo; echo "What was learned: $$part"; echo; \
	    $(BIN)/uf-eval report $(runs) --before $$part-before --after $$part-after; \
	  done; \
	  echo; echo 'Before training policy and reference are the same model: every pair ties and the loss is ln N (0.6931 for two responses).'; \
	  echo 'A finding is named only where its 95 % interval leaves chance. Prompts that training never saw: $(or $(held_out),none).'; } > $@.tmp
	@mv $@.tmp $@

streams: $(parts:%=$(WORK)/%.packed.uf)

# The same stages joined by pipes: no file between them, the same bytes at the end.
pipes: | $(WORK)
	for part in $(parts); do \
	  $(BIN)/uf-convert $(convert_options) --part $$part -j $(JOBS) | \
	  $(BIN)/uf-tokenize $(tokenize_options) -j $(JOBS) | \
	  $(BIN)/uf-pack $(pack_options) $(shuffle_memory) -o $(WORK)/$$part.piped.uf; \
	done

# Intermediate streams are results too: keep them.
.SECONDARY:

clean-work:
	rm -rf $(WORK)
