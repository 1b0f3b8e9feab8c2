import CommandSupport

CommandLineTool.main(PackCommand.self)
