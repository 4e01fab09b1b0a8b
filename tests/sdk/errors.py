"""The forms of refusals, byte by byte as a client without an SDK sees them."""

from gateway import ADDRESS, TOKEN, http

POLICIES = "/beta/identity/conditionalAccess/policies"
CLIENT_ID = "12345678-1234-4123-8123-123456789012"


def check(response, status, code):
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["client-request-id"] == CLIENT_ID
    error = response.json()["error"]
    assert set(response.json()) == {"error"} and set(error) <= {"code", "message", "innerError", "details"}, error
    assert error["code"] == code and error["message"], error
    inner = error["innerError"]
    assert inner["request-id"] == response.headers["request-id"] and inner["client-request-id"] == CLIENT_ID
    assert inner["date"].endswith("Z")
    assert TOKEN not in response.text
    return error


async def main():
    headers = {"client-request-id": CLIENT_ID}
    async with http(headers=headers) as nobody:
        response = await nobody.get(POLICIES)
        check(response, 401, "InvalidAuthenticationToken")
        assert response.headers["www-authenticate"].startswith("Bearer ")
        response = await nobody.get(POLICIES, headers={"Authorization": "Bearer not-the-token"})
        check(response, 401, "InvalidAuthenticationToken")
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
    headers["Authorization"] = f"Bearer {TOKEN}"
    async with http(headers=headers) as admin:
        check(await admin.get(POLICIES, headers={"Origin": "https://elsewhere.example"}), 403, "Forbidden")
        check(await admin.get(f"{POLICIES}/{CLIENT_ID}"), 404, "ResourceNotFound")
        check(await admin.get("/beta/nothing/here"), 404, "ResourceNotFound")
        # httpx sends a body behind its head, so that a refusal may come before it. A connection that ends by that says so.
        for _ in range(20):
            check(await admin.put(POLICIES, json={}), 405, "MethodNotAllowed")
            check(await admin.post(POLICIES, content=b"{"), 415, "UnsupportedMediaType")
        big = b'{"description": "' + b"x" * 2**20 + b'"}'
        check(await admin.post(POLICIES, content=big, headers={"Content-Type": "application/json"}), 413,
              "RequestEntityTooLarge")
        check(await admin.post(POLICIES, json=[]), 400, "BadRequest")
        error = check(await admin.post(POLICIES, json={"displayName": "x", "state": "on", "conditions": {"a": 1}}), 400,
                      "BadRequest")
        targets = {detail["target"] for detail in error["details"]}
        assert {"state", "conditions.a"} <= targets, error
        assert all(detail["code"] and detail["message"] for detail in error["details"])
        stale = {"If-Match": '"0123456789abcdef0123456789abcdef"'}
        check(await admin.patch(f"{POLICIES}/high", json={"state": "disabled"}, headers=stale), 412,
              "PreconditionFailed")
        check(await admin.delete(f"{POLICIES}/linked"), 409, "Conflict")
        check(await admin.get(POLICIES, params={"$filter": "no such thing"}), 400, "BadRequest")
        assert ADDRESS.startswith("https://")
