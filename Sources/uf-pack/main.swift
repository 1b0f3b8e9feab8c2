import CommandSupport

CommandLineTool.main(UFPack.self)
