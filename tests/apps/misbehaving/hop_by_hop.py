"""Fields that belong to the connection, which is the server's (PEP 3333 section "Other HTTP Features")."""

from misbehaving import TEXT


def sending(name, value):
    def application(environ, start_response):
        start_response("200 OK", [TEXT, (name, value), ("X-Kept", "yes")])
        return [b"5\r\nhello\r\n0\r\n\r\n"]

    return application


transfer_encoding = sending("Transfer-Encoding", "chunked")
transfer_encoding_lower = sending("transfer-encoding", "Chunked")
keep_alive = sending("Keep-Alive", "timeout=5, max=100")
connection_keep_alive = sending("Connection", "keep-alive")
connection_upgrade = sending("Connection", "upgrade")
upgrade = sending("Upgrade", "websocket")
te = sending("TE", "trailers")
trailer = sending("Trailer", "X-Checksum")
proxy_connection = sending("Proxy-Connection", "keep-alive")
