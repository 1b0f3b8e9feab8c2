import CommandSupport

CommandLineTool.main(UFTrain.self)
