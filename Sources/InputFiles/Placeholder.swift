// InputFiles
