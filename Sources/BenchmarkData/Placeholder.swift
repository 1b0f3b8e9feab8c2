// BenchmarkData
