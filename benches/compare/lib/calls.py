"""Calls one after the other on one connection that is kept."""
import http.client
import ssl


class Keeping:
    """A connection to a server of the world in `folder`."""

    def __init__(self, folder, port):
        trust = ssl.create_default_context(cafile=folder / "ca.pem")
        self.connection = http.client.HTTPSConnection("localhost", port, context=trust, timeout=60)

    def answers(self):
        """Whether anybody does."""
        try:
            self.connection.request("GET", "/hello")
            self.connection.getresponse().read()
        except OSError:
            return False
        finally:
            self.connection.close()
        return True

    def call(self, tokens, count, expected):
        """So many calls with these tokens in turn, each of which must get this status."""
        for at in range(count):
            self.connection.request("GET", "/hello", headers={"Authorization": f"Bearer {tokens[at % len(tokens)]}"})
            response = self.connection.getresponse()
            response.read()
            if response.status != expected:
                raise RuntimeError(f"a call got {response.status}, where {expected} was expected")
