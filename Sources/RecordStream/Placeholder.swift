// RecordStream
