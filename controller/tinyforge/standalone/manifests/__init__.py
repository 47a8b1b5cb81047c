"""A folder of YAML files with DockerHost and Workload documents: read into a `Reading` of the domain, and watched.

    files      which files of the folder are manifests, and their text
    nodes      YAML text → documents, every value with its line; hostile text costs a bounded effort
    problems   what is wrong with a file, with its place and the way out
    read       all of them together: a folder → what is declared, and every problem
    watch      when to read again

Whoever runs standalone calls `read_folder` and `changes`; nothing here knows the index or decides what becomes of a problem.
"""
