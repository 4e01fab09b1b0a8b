"""Named locations through the SDK: each type made, read back as what it is, changed and deleted."""

from msgraph_beta.generated.models.compliant_network_named_location import CompliantNetworkNamedLocation
from msgraph_beta.generated.models.compliant_network_type import CompliantNetworkType
from msgraph_beta.generated.models.country_lookup_method_type import CountryLookupMethodType
from msgraph_beta.generated.models.country_named_location import CountryNamedLocation
from msgraph_beta.generated.models.ip_named_location import IpNamedLocation
from msgraph_beta.generated.models.i_pv4_cidr_range import IPv4CidrRange
from msgraph_beta.generated.models.i_pv6_cidr_range import IPv6CidrRange

from gateway import sdk


async def main():
    locations = sdk().identity.conditional_access.named_locations
    made = [
        await locations.post(location)
        for location in (
            IpNamedLocation(
                display_name="Office",
                is_trusted=True,
                ip_ranges=[
                    IPv4CidrRange(cidr_address="198.51.100.0/24"),
                    IPv6CidrRange(cidr_address="2001:db8::/48"),
                ],
            ),
            CountryNamedLocation(
                display_name="Home",
                countries_and_regions=["NO", "SE"],
                country_lookup_method=CountryLookupMethodType.ClientIpAddress,
                include_unknown_countries_and_regions=False,
            ),
            CompliantNetworkNamedLocation(
                display_name="Network",
                compliant_network_type=CompliantNetworkType.AllTenantCompliantNetworks,
                is_trusted=True,
            ),
        )
    ]
    office, home, network = made
    listed = {location.id: location for location in (await locations.get()).value}
    assert set(listed) == {location.id for location in made}
    for location in made:
        assert type(listed[location.id]) is type(location), location
    assert [type(one) for one in listed[office.id].ip_ranges] == [IPv4CidrRange, IPv6CidrRange]
    assert listed[home.id].countries_and_regions == ["NO", "SE"]
    assert listed[home.id].country_lookup_method == CountryLookupMethodType.ClientIpAddress
    assert listed[network.id].compliant_network_type == CompliantNetworkType.AllTenantCompliantNetworks

    one = locations.by_named_location_id(office.id)
    await one.patch(IpNamedLocation(ip_ranges=[IPv4CidrRange(cidr_address="203.0.113.0/24")]))
    changed = await one.get()
    assert [one.cidr_address for one in changed.ip_ranges] == ["203.0.113.0/24"]
    assert changed.is_trusted and changed.display_name == "Office"
    for location in made:
        await locations.by_named_location_id(location.id).delete()
    assert (await locations.get()).value == []
