"""A Hub on loopback, for the real clients of the Hugging Face Hub.

hub = LoopbackHub(folder).start()       # before the clients are imported: HF_ENDPOINT = hub.endpoint

It takes uploads in both protocols that the client has. LFS (HF_HUB_DISABLE_XET=1): batch, PUT, multipart, verify. Xet
(the default): it hands out a store of hf_xet's own on disk, `local://`, and rebuilds the files from there. Repositories
have commits, branches, tags, pull requests, settings and names they had before. Faults are injected by `hub.fault`;
`hub.log` holds what was asked.
"""

from tests.loopback.server import Handler, LoopbackHub

__all__ = ["Handler", "LoopbackHub"]
