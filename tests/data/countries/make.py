"""Makes countries.mmdb, the database that tests look addresses up in. Needs `mmdb-writer` (PyPI) and `netaddr`.

    python3 make.py     # writes countries.mmdb beside this file

All addresses are for documentation (RFC 5737, RFC 3849) or loopback; which country they are in is made up.
"""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

writer = MMDBWriter(6, "Test-Country", languages=["en"], description="Made for tests", ipv4_compatible=True)
for ranges, place in [
    (["198.51.100.0/24", "127.0.0.0/8"], {"country": {"iso_code": "NO", "names": {"en": "Norway"}}}),
    (["2001:db8::/32"], {"country": {"iso_code": "SE", "names": {"en": "Sweden"}}}),
    (["203.0.113.0/24"], {"country_code": "DK"}),
    (["192.0.2.0/24"], {"continent": {"code": "EU"}}),
]:
    writer.insert_network(IPSet(ranges), place)
writer.to_db_file(str(Path(__file__).with_name("countries.mmdb")))
