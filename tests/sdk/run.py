"""Runs scripts by their names, one after the other in one process: the SDK takes seconds to import."""

import asyncio
import importlib
import sys

for name in sys.argv[1:]:
    print(name, flush=True)
    asyncio.run(importlib.import_module(name).main())
print("done", flush=True)
