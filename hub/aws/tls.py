"""One TLS context for all clients of the process."""

from __future__ import annotations

import functools
import ssl

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from botocore.httpsession import create_urllib3_context, get_cert_path


@functools.cache
def _context(bundle: str) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context()
    context.load_verify_locations(bundle)
    return context


class SharedTlsSession(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore has no types
    """aiobotocore's HTTP session, but the CA bundle is read once.

    Reading it takes 20 ms and a megabyte, and aiobotocore does it for every client: one for each service
    and region. Behind a proxy or with a certificate of one's own everything is as aiobotocore does it.
    """

    def _create_connector(self, proxy_url: str | None) -> aiohttp.BaseConnector:
        bundle = get_cert_path(self._verify) if self._verify else None
        if proxy_url or bundle is None or self._cert_file:
            theirs: aiohttp.BaseConnector = super()._create_connector(proxy_url)
            return theirs
        return aiohttp.TCPConnector(
            limit=self._max_pool_connections, ssl=_context(bundle), **self._connector_args
        )
