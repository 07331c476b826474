"""The main job on an embedded AWS: a moto server on loopback that the hub reaches over HTTP."""
