import CommandSupport

CommandLineTool.main(UFEval.self)
