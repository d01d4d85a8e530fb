"""What the black-box tests hold the server with: its process, a raw connection, requests and responses as bytes.

Nothing in here knows how the server is made; it speaks HTTP/1.1 as RFC 9110 and 9112 define it, and signals.
"""
