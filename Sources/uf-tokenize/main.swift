import CommandSupport

CommandLineTool.main(UFTokenize.self)
