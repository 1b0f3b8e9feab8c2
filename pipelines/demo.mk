# The pipeline on what the repository ships: 300 real preference records and a story model of 260,000 parameters. Under three minutes on two
# cores. The model is too small to learn from so few records what people prefer: the table shows that the chain works, and says so.
RAW := fixtures/ultrafeedback/binarized.jsonl.gz
MODEL := fixtures/models/stories260K
WORK ?= build/demo
SPLIT := train=0.8,validation=0.2
TEMPLATE := plain
MAX_TOKENS := 2048
OVERLONG := drop
EPOCHS ?= 3
LEARNING_RATE ?= 3e-5

include pipelines/ultrafeedback.mk
