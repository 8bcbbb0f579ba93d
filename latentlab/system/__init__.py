"""What latentlab needs of the machine, and nothing about latent spaces: files, HDF5, processes, registries, limits.

Belongs here: code that any program could use, without torch and without a noun of ours (run, codes, data set).
Does not belong here: anything that knows what a file means.
"""
