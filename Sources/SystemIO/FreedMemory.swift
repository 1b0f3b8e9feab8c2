import CSystemIO

/// Lets this process use memory again that it freed, some hundred MiB, without asking the system anew: the blocks of a stream take theirs from those before.
public func keepFreedMemory() { uf_keep_freed_memory() }
