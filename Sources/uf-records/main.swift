import CommandSupport

CommandLineTool.main(UFRecords.self)
