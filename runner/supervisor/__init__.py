"""Does: the loop, processes, probes, output, timers, signals and the journal. The only folder that imports trio."""
