"""A named location that is made through the SDK counts for the next call, and so does its end."""

from msgraph_beta.generated.models.ip_named_location import IpNamedLocation
from msgraph_beta.generated.models.i_pv4_cidr_range import IPv4CidrRange

from gateway import call, sdk


async def status():
    return (await call("agent", "/hr/people")).status_code


def location(address, trusted=True):
    ranges = [IPv4CidrRange(cidr_address=address)]
    return IpNamedLocation(display_name="Office", is_trusted=trusted, ip_ranges=ranges)


async def main():
    locations = sdk().identity.conditional_access.named_locations
    assert await status() == 200
    elsewhere = await locations.post(location("198.51.100.0/24"))
    assert await status() == 200, "another address"
    here = await locations.post(location("127.0.0.0/8"))
    assert await status() == 403, "the policy blocks calls from trusted locations"
    one = locations.by_named_location_id(here.id)
    await one.patch(IpNamedLocation(is_trusted=False))
    assert await status() == 200, "it is not trusted any more"
    await one.patch(IpNamedLocation(is_trusted=True))
    assert await status() == 403
    await one.delete()
    assert await status() == 200, "it is gone"
    await locations.by_named_location_id(elsewhere.id).delete()
    assert (await locations.get()).value == []
