"""DockerHost and Workload: what people write, as pydantic models, and the CRDs made from them.

Both drivers read their objects through these models: standalone from YAML files, the operator from the API server, so an object means the
same in either. They turn into values of the domain (`to_host`, `to_declared`) and import nothing of Tinyforge but it.
"""
