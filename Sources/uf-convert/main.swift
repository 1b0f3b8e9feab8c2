import CommandSupport

CommandLineTool.main(ConvertCommand.self)
