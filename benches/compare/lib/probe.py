"""Asks a contender, before it is measured, whether it does what is compared: it answers, it blocks, it refuses."""
import http.client
import ssl


def status(world, port, token=None):
    """The status that a call gets; None when nobody answers."""
    trust = ssl.create_default_context(cafile=world / "ca.pem")
    connection = http.client.HTTPSConnection("localhost", port, context=trust, timeout=5)
    try:
        connection.request("GET", "/hello", headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def check(world, port, one):
    """Raises when a contender does not do its part."""
    expected = {"a good token": ("rs256-known", 200), "a good token of the other algorithm": ("es256-known", 200)}
    if one.verifies:
        expected |= {"no token": (None, 401), "a forged token": ("forged", 401)}
    if one.checks:
        expected["a blocked agent"] = ("rs256-blocked", 403)
    for what, (name, wanted) in expected.items():
        got = status(world, port, _token(world, name))
        if got != wanted:
            raise RuntimeError(f"{what} got {got}, where {wanted} was expected")


def _token(world, name):
    if name is None:
        return None
    if name == "forged":
        # The signature of another token.
        first, second = (world / "rs256-known.txt").read_text().split()[:2]
        return first.rsplit(".", 1)[0] + "." + second.rsplit(".", 1)[1]
    with open(world / f"{name}.txt") as tokens:
        return tokens.readline().strip()
