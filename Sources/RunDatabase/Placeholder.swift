// RunDatabase
